"""What a memory is worth while time has a price: the value of a state, so many days before.

The plan is a budget problem: each day has so many seconds and every item wants some of them. Put
a price on time, and the items part: each is a small stopping problem of its own. Let W(m, S, D)
be the most that an item can be worth that was just answered with m days left and now has
stability S and difficulty D, where worth is its recall on the day less the price of every later
answer, in units of a right answer's time (a wrong one takes `cost_wrong` of them):

    Q(m, S, D, e) = -price(m) (p + (1-p) cost_wrong) + p W(m, right) + (1-p) W(m, wrong)
    W(m, S, D)    = max( R(m, S), max over waits k of Q(m - k, S, D, k) ),    p = R(e, S)

with the states after a right and a wrong answer from `Model`. Nothing is learned while waiting,
so the best wait is a plain maximum. This is the Lagrangian relaxation of a restless bandit
(Whittle 1988; for finite horizons Brown and Smith 2020); its minimum over the prices is also an
upper bound of what any plan can reach.

The price rises towards the day, `curve`. Solving for one price a day (four settings, 14 to 60
days of work for 200 and 400 items) gave curves that are flat until some 10 days before and end
at 2.2 to 3.5 times their level, because a late answer need not last. One curve for all does as
well as these in simulation (24 seeds) and keeps the family of tables one-dimensional: rises of
1.5 to 3 over 4 days lie within 0.006 of each other, a rise over 14 days loses 0.01 to 0.03 of
recall, a flat price 0.006 to 0.024.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log

from drill.domain.memory.state import GOOD
from drill.domain.plan.model import Model, model_of

STABILITIES = 12
LEAST_STABILITY, MOST_STABILITY = 0.1, 1000.0
DIFFICULTIES = 3
WAITS = (1, 2, 4, 7, 11, 17, 27, 42)
"""Days until the next answer that the table considers. A grid of 16 by 4 states, 12 waits or
prices at a ratio of 1.3 measured no better (within 0.002) and took twice the time or more."""
DENSE = 24
"""Days before the interview that have a layer each; then every second, from twice that every
fourth and so on, and the layers between are interpolated: memory changes by ratios of time."""
STEP = 1.6
"""Ratio of neighbouring prices in the family of tables."""
LEAST_PRICE = 0.006
PRICES = 12
"""Prices 0.006 to 1.1, in recall per time of a right answer: everything pays, nothing pays."""
END_RISE, END_DAYS = 2.0, 4.0

_LOW = log(LEAST_STABILITY)
_PER = (STABILITIES - 1) / (log(MOST_STABILITY) - _LOW)
_TOP = STABILITIES - 1 - 1e-9
_D_PER = (DIFFICULTIES - 1) / 9.0
_D_TOP = DIFFICULTIES - 1 - 1e-9

Layer = list[list[float]]
"""Values by difficulty and then by stability."""
Move = tuple[float, float, float, int, float, int, float]
"""p, 1 - p, expected cost, and place and share on the stability axis after right and wrong."""


def curve(days_left: int) -> float:
    """Price of time with so many days left, over its level far from the interview."""
    return 1.0 + END_RISE / (1.0 + (days_left - 1) / END_DAYS)


class Grid:
    """The states of a table and where an answer moves them: shared by the tables of all prices."""

    def __init__(self, model: Model, cost_wrong: float) -> None:
        self.model = model
        self.cost_wrong = cost_wrong
        self.stabilities = [exp(_LOW + i / _PER) for i in range(STABILITIES)]
        self.difficulties = [1.0 + j / _D_PER for j in range(DIFFICULTIES)]
        ahead = [model.after(1.0, d, 1, GOOD)[1] for d in self.difficulties]
        back = [model.wrong(1.0, d, 1)[1] for d in self.difficulties]
        self.right_rows = [_difficulty_place(d) for d in ahead]
        self.wrong_rows = [_difficulty_place(d) for d in back]
        self.moves = {k: [self._moves(k, d) for d in self.difficulties] for k in WAITS}

    def _moves(self, wait: int, difficulty: float) -> list[Move]:
        moves = []
        for stability in self.stabilities:
            p = self.model.recall(wait, stability)
            right = _stability_place(self.model.right(stability, difficulty, wait)[0])
            wrong = _stability_place(self.model.wrong(stability, difficulty, wait)[0])
            moves.append((p, 1.0 - p, p + (1.0 - p) * self.cost_wrong, *right, *wrong))
        return moves


class Table:
    """W(m, S, D) at one price, layer by layer as far as it is asked for."""

    __slots__ = ("_grid", "_right", "_wrong", "layers", "price")

    def __init__(self, grid: Grid, price: float) -> None:
        self.price = price
        """Far from the interview, in recall per time of a right answer."""
        self._grid = grid
        self.layers: list[Layer] = [[[1.0] * STABILITIES for _ in range(DIFFICULTIES)]]
        self._right: list[Layer] = [self.layers[0]]
        self._wrong: list[Layer] = [self.layers[0]]

    def grow(self, days_left: int) -> None:
        """Make sure that the layers up to `days_left` are there."""
        while len(self.layers) <= days_left:
            last = len(self.layers) - 1
            pace = 1
            while last >= DENSE * pace:
                pace *= 2
            below, above = self.layers[last], self._layer(last + pace)
            for step in range(1, pace):
                self._append(mixed(below, above, step / pace))
            self._append(above)

    def _append(self, layer: Layer) -> None:
        self.layers.append(layer)
        self._right.append([_between(layer, *place) for place in self._grid.right_rows])
        self._wrong.append([_between(layer, *place) for place in self._grid.wrong_rows])

    def _layer(self, m: int) -> Layer:
        """The layer of `m` days left, from those that are there already."""
        grid, known = self._grid, len(self.layers)
        recall = grid.model.recall
        stay = [recall(m, s) for s in grid.stabilities]
        layer = [stay] * DIFFICULTIES
        for wait in WAITS:
            if wait >= m:
                break
            source = min(
                m - wait, known - 1
            )  # the next layers are not there while they are skipped
            price = self.price * curve(m - wait)
            after_right, after_wrong = self._right[source], self._wrong[source]
            for j, moves in enumerate(grid.moves[wait]):
                a, b = after_right[j], after_wrong[j]
                found = [
                    p * (a[i] + f * (a[i + 1] - a[i]))
                    + q * (b[k] + g * (b[k + 1] - b[k]))
                    - price * c
                    for p, q, c, i, f, k, g in moves
                ]
                layer[j] = list(map(max, layer[j], found))
        return layer


def worth(layer: Layer, stability: float, difficulty: float) -> float:
    """Value of a state by linear interpolation in difficulty and in the log of stability."""
    x = (log(stability) - _LOW) * _PER
    x = 0.0 if x < 0.0 else min(x, _TOP)
    y = min((difficulty - 1.0) * _D_PER, _D_TOP)
    i, j = int(x), int(y)
    x -= i
    y -= j
    low, high = layer[j], layer[j + 1]
    a = low[i] + x * (low[i + 1] - low[i])
    b = high[i] + x * (high[i + 1] - high[i])
    return a + y * (b - a)


def mixed(low: Layer, high: Layer, share: float) -> Layer:
    """A layer between those of two prices."""
    return [
        [a + share * (b - a) for a, b in zip(x, y, strict=True)]
        for x, y in zip(low, high, strict=True)
    ]


@lru_cache(maxsize=4)
def family(weights: tuple[float, ...], cost_wrong: float) -> tuple[Table, ...]:
    """Tables at all prices for one memory model; they fill as they are used, and are kept."""
    grid = Grid(model_of(weights), cost_wrong)
    return tuple(Table(grid, LEAST_PRICE * STEP**j) for j in range(PRICES))


def _stability_place(stability: float) -> tuple[int, float]:
    x = min(max((log(stability) - _LOW) * _PER, 0.0), _TOP)
    return int(x), x - int(x)


def _difficulty_place(difficulty: float) -> tuple[int, float]:
    y = min(max((difficulty - 1.0) * _D_PER, 0.0), _D_TOP)
    return int(y), y - int(y)


def _between(layer: Layer, row: int, share: float) -> list[float]:
    return [a + share * (b - a) for a, b in zip(layer[row], layer[row + 1], strict=True)]

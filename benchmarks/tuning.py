"""How often the rule for personal FSRS weights is right: simulated learners of known memory.

    python -m benchmarks.tuning [--learners 100] [--kinds default fast ...] [--out FILE]

Each learner practises by drill's own scheduler with the default weights; what they remember is
FSRS-6 with weights of their own. At several sizes of history the rule of
`drill.domain.tuning.comparison` looks, as `drill tune` would. What it decides is held against the
truth: the expected log loss of the weights it would adopt on the learner's next reviews, computed
from the true recall, not from drawn answers. `default` learners remember as the defaults say, so
every adoption there is an error; `looked at` counts those adopted at any look so far, as a learner
who asks again and again would. `gain`: expected log loss of the defaults less that of the fitted
weights, mean over all learners of the kind; `carried`: the same with the states of items taken
over at the change, as drill does; `adopted gain`: of those who would adopt; `worse`: share of all
who would adopt and lose by it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.events import Event
from drill.domain.memory.fsrs_memory import review
from drill.domain.memory.state import (
    AGAIN,
    EASY,
    GOOD,
    HARD,
    Grade,
    MemoryState,
    ParameterSet,
    retrievability,
)
from drill.domain.tuning.comparison import MIN_LATER, MIN_PROBABILITY, compare
from drill.domain.tuning.histories import History, histories, training_set
from drill.domain.tuning.scoring import SMALLEST, Memory, predictions
from drill.services.tuning_fit import default_weights, fit_weights

START = 20_000
FIRST_RIGHT = 0.45
"""Probability that a first answer is right."""
RETRY_RIGHT = 0.85
PASSES: tuple[tuple[Grade, float], ...] = ((HARD, 0.12), (GOOD, 0.68), (EASY, 0.20))
LOOKS = (300, 500, 750, 1000, 1500, 2000, 3000)
"""Recall tests in the history when the rule looks."""
AHEAD = 600
"""Recall tests after the look that the truth is measured on."""
Weights = tuple[float, ...]


class Test(Struct, frozen=True):
    """A recall test with its true probability."""

    item_id: str
    day: int
    recall: float


class Practice(Struct):
    """What a simulated learner left."""

    events: dict[str, list[Event]]
    tests: list[Test]


def bounded(weights: Sequence[float]) -> Weights:
    """Weights within what FSRS-6 allows."""
    from fsrs.scheduler import LOWER_BOUNDS_PARAMETERS as LOW
    from fsrs.scheduler import UPPER_BOUNDS_PARAMETERS as HIGH

    return tuple(min(h, max(lo, w)) for w, lo, h in zip(weights, LOW, HIGH, strict=True))


def scaled(first: float, growth: float, lapse: float = 1.0, decay: float = 1.0) -> Weights:
    """The default weights with first stabilities, growth, stability after a lapse and decay
    multiplied."""
    w = list(default_weights())
    w[:4] = [s * first for s in w[:4]]
    w[8] += math.log(growth)
    w[11] *= lapse
    w[20] *= decay
    return bounded(w)


def anyone(draw: random.Random, spread: float = 1.0) -> Weights:
    """A learner whose weights differ at random from the defaults."""
    common = draw.gauss(0.0, 0.6 * spread)
    w = list(default_weights())
    w[:4] = [s * math.exp(common + draw.gauss(0.0, 0.3 * spread)) for s in w[:4]]
    w[8] += draw.gauss(0.0, 0.35 * spread)
    w[11] *= math.exp(draw.gauss(0.0, 0.4 * spread))
    w[17] *= math.exp(draw.gauss(0.0, 0.4 * spread))
    w[20] *= math.exp(draw.gauss(0.0, 0.4 * spread))
    return bounded(w)


KINDS: dict[str, Callable[[random.Random], Weights]] = {
    "default": lambda draw: default_weights(),
    "x0.75": lambda draw: scaled(0.75, 0.85),
    "x1.5": lambda draw: scaled(1.5, 1.2),
    "half": lambda draw: scaled(0.5, 0.7, 0.7),
    "double": lambda draw: scaled(2.0, 1.4, 1.4),
    "steep": lambda draw: scaled(1.0, 1.0, 1.0, 3.0),
    "anyone": anyone,
    "anyone x2": lambda draw: anyone(draw, 2.0),
}


def practise(
    truth: Weights, seed: int, tests: int, *, new_per_day: int = 8, noise: float = 0.0
) -> Practice:
    """Practise until there are so many recall tests.

    `noise`: standard deviation of the logarithm of what each item's true stability is multiplied
    by, the same at each recall: items differ as no set of weights can say.
    """
    draw = random.Random(seed)
    usual = ParameterSet()
    real = Memory(ParameterSet(parameters=truth))
    states: dict[str, MemoryState] = {}
    memories: dict[str, MemoryState] = {}
    easiness: dict[str, float] = {}
    made = Practice({}, [])
    clock = 0
    day = START
    while len(made.tests) < tests:
        day += 1
        due = sorted(i for i, s in states.items() if s.due_day is not None and s.due_day <= day)
        draw.shuffle(due)
        fresh = [f"i{len(states) + k}" for k in range(new_per_day)]
        for item in due + fresh:
            state = states.get(item) or MemoryState(item)
            memory = memories.get(item) or MemoryState("")
            factor = easiness.setdefault(item, math.exp(draw.gauss(0.0, noise)) if noise else 1.0)
            gap = 0 if state.last_day is None else day - state.last_day
            recall = FIRST_RIGHT
            if not memory.new:
                changed = replace(memory, stability=memory.stability * factor)
                recall = retrievability(changed, gap)
                made.tests.append(Test(item, day, recall))
            grade: Grade = AGAIN
            if draw.random() < recall:
                grade = draw.choices([g for g, _ in PASSES], [p for _, p in PASSES])[0]
            tries = [grade]
            if grade == AGAIN:
                tries.append(GOOD if draw.random() < RETRY_RIGHT else AGAIN)
            for number, given in enumerate(tries):
                clock += 1
                of = made.events.setdefault(item, [])
                at = f"{day:08d}.{clock:06d}"
                mode = "retry" if number else "session"
                of.append(
                    Event(f"{item}.{len(of)}", at, "review", item, day, "", True, given, 2, mode)
                )
                state = review(state, given, day, usual, retry=bool(number))
                memory = real.after(memory, 0 if number else gap, given)
            states[item] = state
            memories[item] = memory
    return made


def until(practice: Practice, day: int) -> list[History]:
    """Histories as they were at the end of a study day."""
    rows = ((i, [e for e in of if e.study_day <= day]) for i, of in practice.events.items())
    return histories(rows)


def true_loss(
    practice: Practice, whole: Sequence[History], weights: Weights, after: int, last: int
) -> float:
    """Expected log loss of the weights on the tests of a span, from the true recall."""
    truth = {(t.item_id, t.day): t.recall for t in practice.tests}
    total = 0.0
    found = predictions(whole, ParameterSet(parameters=weights), after=after, until=last)
    for p in found:
        real = truth[p.item_id, p.day]
        guess = min(1 - SMALLEST, max(SMALLEST, p.recall))
        total -= real * math.log(guess) + (1 - real) * math.log(1 - guess)
    return total / len(found)


def carried_loss(
    practice: Practice, whole: Sequence[History], weights: Weights, after: int, last: int
) -> float:
    """The same where the weights are adopted on day `after` and states are taken over as they are.

    This is what drill does: an item's memory comes under the new weights with its next answer.
    """
    truth = {(t.item_id, t.day): t.recall for t in practice.tests}
    old, new = Memory(ParameterSet()), Memory(ParameterSet(parameters=weights))
    total = 0.0
    count = 0
    for one in whole:
        state = MemoryState("")
        for step in one.steps:
            if step.day > last:
                break
            if step.scored and step.day > after:
                real = truth[one.item_id, step.day]
                guess = min(1 - SMALLEST, max(SMALLEST, retrievability(state, step.gap)))
                total -= real * math.log(guess) + (1 - real) * math.log(1 - guess)
                count += 1
            state = (new if step.day > after else old).after(state, step.gap, step.grade)
    return total / count


def examine(kind: str, seed: int, looks: Sequence[int], noise: float = 0.0) -> list[dict[str, Any]]:
    """What the rule says of one learner at each look, and what would have been right."""
    truth = KINDS[kind](random.Random(seed))
    practice = practise(truth, seed, looks[-1] + AHEAD, noise=noise)
    whole = histories(practice.events.items())
    rows = []
    for size in looks:
        day = practice.tests[size - 1].day
        last = practice.tests[min(size + AHEAD, len(practice.tests)) - 1].day
        past = until(practice, day)
        started = time.perf_counter()
        found = compare(past, fit_weights, ParameterSet())
        weights = fit_weights(training_set(past))
        spent = time.perf_counter() - started
        usual = true_loss(practice, whole, default_weights(), day, last)
        mine = true_loss(practice, whole, weights, day, last)
        carried = carried_loss(practice, whole, weights, day, last)
        rows.append(
            {
                "kind": kind,
                "seed": seed,
                "noise": noise,
                "tests": size,
                "later": found.default.reviews,
                "items": found.items,
                "default": found.default.log_loss,
                "personal": found.personal.log_loss,
                "probability": found.probability,
                "better": found.better,
                "true_default": usual,
                "true_personal": mine,
                "true_carried": carried,
                "seconds": spent,
            }
        )
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Decisions by kind of learner and size of history."""
    lines = [
        f"{'learner':<12}{'tests':>6}{'later':>7}{'n':>5}{'adopted':>9}{'looked at':>11}"
        f"{'truly better':>14}{'gain':>9}{'carried':>9}{'adopted gain':>14}{'worse':>7}"
    ]
    groups: dict[tuple[str, float], dict[int, list[dict[str, Any]]]] = defaultdict(dict)
    for row in rows:
        groups[row["kind"], row["noise"]].setdefault(row["tests"], []).append(row)
    for (kind, noise), sizes in groups.items():
        ever: set[int] = set()
        for size, of in sorted(sizes.items()):
            adopted = [r for r in of if r["better"]]
            ever |= {r["seed"] for r in adopted}
            gains = [r["true_default"] - r["true_personal"] for r in of]
            carried = [r["true_default"] - r["true_carried"] for r in of]
            won = [r["true_default"] - r["true_personal"] for r in adopted]
            lines.append(
                f"{kind + (f'~{noise:g}' if noise else ''):<12}{size:>6}"
                f"{round(statistics.mean(r['later'] for r in of)):>7}{len(of):>5}"
                f"{len(adopted) / len(of):>9.0%}{len(ever) / len(of):>11.0%}"
                f"{sum(g > 0 for g in gains) / len(of):>14.0%}{statistics.mean(gains):>+9.4f}"
                f"{statistics.mean(carried):>+9.4f}"
                f"{statistics.mean(won) if won else float('nan'):>+14.4f}"
                f"{sum(g < 0 for g in won) / len(of):>7.0%}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--learners", type=int, default=100)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--looks", nargs="+", type=int, default=list(LOOKS))
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=None, help="Rows as JSON.")
    asked = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for kind in asked.kinds:
        for seed in range(asked.learners):
            rows += examine(kind, seed, sorted(asked.looks), asked.noise)
        print(f"{kind}: {asked.learners} learners", file=sys.stderr, flush=True)
        if asked.out:
            asked.out.write_text(json.dumps(rows))
    print(f"rule: {MIN_LATER} later reviews, probability {MIN_PROBABILITY}")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

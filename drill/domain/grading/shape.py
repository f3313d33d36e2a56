"""Type `shape`: the sizes of a tensor's axes, as numbers or as expressions of names."""

from __future__ import annotations

import random
from collections.abc import Sequence

from drill.domain.expressions import Expression
from drill.domain.grading.result import capped, judged, malformed
from drill.domain.grading.shape_text import Shape, ShapeError, read_shape, same_size
from drill.domain.questions import Question, ShapeBody
from drill.domain.verdict import Fault, Verdict

_PERMUTED = 0.5
_WRONG_RANK = 0.5


def grade_shape(question: Question, answer: str) -> Verdict:
    """Judge a shape axis by axis.

    With the right number of axes the credit is the share of right sizes, at least half when all
    sizes are right but in another order. With a wrong number of axes it is half the share of
    sizes that stand in the right order. Only the whole shape earns more than `PARTIAL_CAP`.

    Raises:
        MalformedAnswerError: no shape, an unknown name, or a size left open.
    """
    body = question.body
    assert isinstance(body, ShapeBody)
    key = _own(body.key)
    try:
        given = read_shape(answer, sorted(key.names))
    except ShapeError as error:
        raise malformed(str(error), "shape") from None
    if given.names - key.names:
        unknown = sorted(given.names - key.names)[0]
        raise malformed(f"`{unknown}` is a name; this shape is asked in numbers.", "shape")
    seed = question.head.id
    equal = [[same_size(a, b, seed) for b in key.axes] for a in given.axes]
    n_given, n_key = len(given.axes), len(key.axes)
    if n_given == n_key and all(equal[i][i] for i in range(n_key)):
        return judged(1.0, expected=expected_shape(question), understood=str(given))

    good: list[str] = []
    if n_given == n_key:
        right = [i for i in range(n_key) if equal[i][i]]
        score = len(right) / n_key
        permuted = _matches_all(equal)
        if permuted:
            score = max(score, _PERMUTED)
            good.append("Every size is right.")
        else:
            good.append(f"The number of axes is right: {n_key}.")
            if right:
                axes = ", ".join(str(i) for i in right)
                good.append(f"Right: axis {axes} of 0 to {n_key - 1}.")
        general = _general_faults(given, key, equal, permuted)
    else:
        aligned = _alignment(equal, n_given, n_key)
        score = _WRONG_RANK * len(aligned) / max(n_given, n_key, 1)
        general = _rank_faults(given, key, aligned)
    known = _known_fault(given, body, seed)
    return judged(
        capped(score),
        expected=expected_shape(question),
        understood=str(given),
        good=good,
        faults=[known] if known else general,
    )


def expected_shape(question: Question) -> str:
    """Return the key as written."""
    assert isinstance(question.body, ShapeBody)
    return question.body.key


def _own(text: str) -> Shape:
    """Read a shape of the pack; ValueError when it is none."""
    try:
        return read_shape(text)
    except ShapeError as error:
        raise ValueError(f"the shape {text!r} cannot be read: {error}") from None


def _known_fault(given: Shape, body: ShapeBody, seed: str) -> Fault | None:
    for fault in body.faults:
        wrong = _own(fault.value)
        if len(wrong.axes) == len(given.axes) and all(
            same_size(a, b, seed) for a, b in zip(given.axes, wrong.axes, strict=True)
        ):
            return Fault(fault.says or f"{given} is a known wrong shape.", fault.misconception)
    return None


def _general_faults(
    given: Shape, key: Shape, equal: Sequence[Sequence[bool]], permuted: bool
) -> list[Fault]:
    n = len(key.axes)
    if permuted:
        return [Fault(_permutation(equal, n))]
    return [
        Fault(
            f"Axis {i} is {given.axes[i].text}, it should be {key.axes[i].text}"
            f"{_ratio(given.axes[i], key.axes[i])}."
        )
        for i in range(n)
        if not equal[i][i]
    ]


def _permutation(equal: Sequence[Sequence[bool]], n: int) -> str:
    """Say in which way the sizes are out of order."""

    def moved(order: Sequence[int]) -> bool:
        return all(equal[i][source] for i, source in enumerate(order))

    if n == 4 and moved((0, 2, 3, 1)):
        return "The channels stand last (NHWC); torch puts them before height and width (NCHW)."
    if n == 4 and moved((0, 3, 1, 2)):
        return "The channels stand before height and width (NCHW); here they come last (NHWC)."
    if n == 3 and moved((1, 2, 0)):
        return "The channels stand last (HWC); here they come first (CHW)."
    if n >= 2 and moved([*range(n - 2), n - 1, n - 2]):
        swapped = "Height and width are" if n >= 3 else "The two axes are"
        return f"{swapped} swapped: axes {n - 2} and {n - 1} change places."
    off = [i for i in range(n) if not equal[i][i]]
    return f"The sizes are right, their order is not: axes {', '.join(map(str, off))}."


def _rank_faults(given: Shape, key: Shape, aligned: Sequence[tuple[int, int]]) -> list[Fault]:
    n_given, n_key = len(given.axes), len(key.axes)
    says = f"{n_given} axes, not {n_key}."
    if n_given < n_key and len(aligned) == n_given:
        missing = [j for j in range(n_key) if j not in {b for _, b in aligned}]
        says += " Missing: " + ", ".join(f"axis {j} ({key.axes[j].text})" for j in missing) + "."
    elif n_given > n_key and len(aligned) == n_key:
        extra = [i for i in range(n_given) if i not in {a for a, _ in aligned}]
        says += " Too many: " + ", ".join(f"axis {i} ({given.axes[i].text})" for i in extra) + "."
    return [Fault(says)]


def _matches_all(equal: Sequence[Sequence[bool]]) -> bool:
    """Whether the sizes are those of the key in some order (equality is transitive)."""
    taken: set[int] = set()
    for row in equal:
        free = [j for j, same in enumerate(row) if same and j not in taken]
        if not free:
            return False
        taken.add(free[0])
    return True


def _alignment(equal: Sequence[Sequence[bool]], n_given: int, n_key: int) -> list[tuple[int, int]]:
    """Return a longest common subsequence as pairs of places, matched from the last axis on."""
    best: list[list[list[tuple[int, int]]]] = [
        [[] for _ in range(n_key + 1)] for _ in range(n_given + 1)
    ]
    for i in range(1, n_given + 1):
        for j in range(1, n_key + 1):
            options = [best[i - 1][j], best[i][j - 1]]
            if equal[i - 1][j - 1]:
                options.insert(0, [*best[i - 1][j - 1], (i - 1, j - 1)])
            best[i][j] = max(options, key=len)
    return best[n_given][n_key]


def _ratio(given: Expression, key: Expression) -> str:
    """Say by which constant factor a size is off, where there is one and it is whole."""
    names = sorted(given.names | key.names)
    rng = random.Random("ratio")  # noqa: S311
    factors = set()
    for _ in range(6):
        point = {name: 64 * rng.randint(1, 500) for name in names}
        below = key.number_at(point)
        factors.add(round(given.number_at(point) / below, 9) if below else 0.0)
    factor = factors.pop()
    if factors or factor <= 0:
        return ""
    if factor >= 2 and factor == int(factor):
        return f" ({int(factor)} times too large)"
    if 1 / factor >= 2 and abs(1 / factor - round(1 / factor)) < 1e-6:
        return f" ({round(1 / factor)} times too small)"
    return ""

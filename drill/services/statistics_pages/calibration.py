"""How sure answers were against how they came out."""

from __future__ import annotations

from collections.abc import Sequence

from drill.domain.counted import counted
from drill.domain.statistics.model import Confidence, Statistics, TopicConfidence
from drill.services.statistics_pages.parts import (
    WIDEST,
    Group,
    Line,
    bounds,
    cut,
    interval_bar,
    line,
    percent,
    said,
    title,
)


def calibration(found: Statistics, width: int) -> list[Group]:
    """The groups of the page in `width` columns."""
    told = found.calibration
    if not told.answers:
        return [
            [
                title("How sure you were"),
                said(
                    "Whether `sure` means right: begins with the first answer that you say how "
                    "sure you are of."
                ),
            ]
        ]
    return [_levels(found, width), _sentence(found), _overconfident(found), _topics(found, width)]


def _levels(found: Statistics, width: int) -> Group:
    told = found.calibration
    cells = 24 if width >= WIDEST else 8
    ends = f"0%{'100%':>{cells - 2}}"
    group = [
        title("What you said and how it came out", counted(told.answers, "answer")),
        said(f"{'':<8}{'taken as':>9}  {ends}{'right':>7}{'95%':>10}{'answers':>10}"),
    ]
    group += [_level(level, cells) for level in told.levels]
    both = any("◉" in text for _, spans in group for text, _ in spans)
    group.append(
        said(
            "● share right  ━ 95% interval  ┊ what the word is taken for"
            + ("  ◉ both" if both else "")
        )
    )
    return group


def _level(level: Confidence, cells: int) -> Line:
    right = level.right
    return line(
        (f"{level.name:<8}", "bold"),
        (f"{percent(level.stated):>9}  ", "muted"),
        *interval_bar(right.low, right.high, right.share, cells, level.stated),
        (f"{percent(right.share):>7}", "bold"),
        (f"{bounds(right):>10}", "muted"),
        (f"{right.answers:>10,}", ""),
    )


def _sentence(found: Statistics) -> Group:
    told = found.calibration
    assert told.brier is not None and told.brier_flat is not None
    sure = told.levels[-1]
    if not sure.right.answers:
        verdict = "You were never sure yet."
    elif sure.right.high < sure.stated:
        verdict = f"Your `sure` promises more than it holds: {percent(sure.right.share)} right."
    elif sure.right.low > sure.stated:
        verdict = f"Your `sure` is safer than it claims: {percent(sure.right.share)} right."
    else:
        verdict = f"Your `sure` holds what it promises, as far as {sure.right.answers:,} answers"
        verdict += " can tell." if sure.right.answers > 1 else " can tell: one."
    worth = "better" if told.brier < told.brier_flat else "no better"
    others = [
        f"{word} often right than taken as: {_compared(levels)}."
        for word, levels in (
            ("Less", [each for each in told.levels[:-1] if each.right.high < each.stated]),
            ("More", [each for each in told.levels[:-1] if each.right.low > each.stated]),
        )
        if levels
    ]
    return [
        line((verdict, "prose")),
        *(line((each, "prose")) for each in others),
        said(
            f"Brier score {told.brier:.3f} (0 is perfect), {worth} than saying the same for every "
            f"answer ({told.brier_flat:.3f})."
        ),
    ]


def _compared(levels: Sequence[Confidence]) -> str:
    """`guess` (19%, not 40%) and `think` (58%, not 70%)."""
    return " and ".join(
        f"`{each.name}` ({percent(each.right.share)}, not {percent(each.stated)})"
        for each in levels
    )


def _overconfident(found: Statistics) -> Group:
    over = [each for each in found.calibration.topics if each.overconfident]
    if not over:
        return []
    group = [title("Over-confident", "sure and wrong more often than chance explains")]
    for each in over:
        wrong = each.sure.answers - each.sure.right
        facts = (
            f"{wrong} of {each.sure.answers} sure answers wrong, {each.expected_wrong:.1f} "
            f"expected; p = {_p(each.p)}"
        )
        group.append(
            (
                (("✗ ", "bad"),),
                ((each.title.split(":")[0], "bold"), (f"  {facts}", "")),
            )
        )
    return group


def _p(value: float) -> str:
    return "under .0001" if value < 0.0001 else f"{value:.4f}".lstrip("0")


def _topics(found: Statistics, width: int) -> Group:
    if not found.calibration.topics:
        return []
    wide = width >= WIDEST
    group = [
        title("By topic"),
        said(
            f"{'':<28}{'sure':>6}{'wrong':>7}{'expected':>10}"
            + (f"{'guesses':>12}{'right':>7}" if wide else "")
        ),
    ]
    group += [_topic(each, wide) for each in found.calibration.topics]
    return group


def _topic(each: TopicConfidence, wide: bool) -> Line:
    wrong = each.sure.answers - each.sure.right
    return line(
        (f"{cut(each.title.split(':')[0], 27):<28}", ""),
        (f"{each.sure.answers:>6}", ""),
        (f"{wrong:>7}", "bad" if each.overconfident else ""),
        (f"{each.expected_wrong:>10.1f}", "muted"),
        *(
            (
                (f"{each.guesses.answers:>12}", ""),
                (f"{percent(each.guesses.share):>7}", "muted"),
            )
            if wide
            else ()
        ),
    )

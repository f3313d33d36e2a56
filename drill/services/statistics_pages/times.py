"""Where the time goes, how predictions of experiments came out, and when answers are given."""

from __future__ import annotations

from drill.domain.statistics.model import Statistics
from drill.services.statistics_pages.parts import (
    WIDEST,
    Group,
    bar,
    bounds,
    columns,
    cut,
    interval_bar,
    line,
    percent,
    said,
    title,
)

ENOUGH = 20
"""Answers from which an hour is compared with others."""


def times(found: Statistics, width: int) -> list[Group]:
    """The groups of the page in `width` columns."""
    return [_types(found, width), _experiments(found, width), _hours(found)]


def _types(found: Statistics, width: int) -> Group:
    group = [title("Time by type", "median seconds of an answer")]
    if not found.times:
        group.append(said("Begins with the first answer; the plan learns your pace from it."))
        return group
    cells = 22 if width >= WIDEST else 8
    most = max(each.seconds for each in found.times)
    head = f"{'':<10}{'':<{cells}}{'yours':>8}{'declared':>10}{'ratio':>8}{'answers':>10}"
    group.append(said(head))
    for each in found.times:
        declared = f"{each.declared:.0f} s" if each.declared else "–"
        group.append(
            line(
                (f"{each.type:<10}", ""),
                *bar(each.seconds / most if most else 0.0, cells),
                (f"{each.seconds:>6.0f} s", "bold"),
                (f"{declared:>10}", "muted"),
                (f"{each.ratio:>8.2f}" if each.ratio else f"{'–':>8}", ""),
                (f"{each.answers:>10,}", "muted"),
            )
        )
    if any(each.ratio for each in found.times):
        group.append(said("ratio: yours over declared, answer by answer; the median of these"))
    return group


def _experiments(found: Statistics, width: int) -> Group:
    group = [title("Predictions", "locked before the experiment ran")]
    if not found.experiments:
        group.append(
            said(
                "Begins with the first experiment whose outcome you predict; labs (l) have their "
                "questions, and sessions ask them too."
            )
        )
        return group
    cells = 14 if width >= WIDEST else 6
    name = 28 if width >= WIDEST else 20
    head = f"{'':<{name}}{'':<{cells}}{'right':>7}{'95%':>9}{'of':>5}{'score':>7}"
    group.append(said(head))
    for each in found.experiments:
        shown = each.experiment or "(left the bank)"
        right = each.predictions
        group.append(
            line(
                (f"{cut(shown, name - 1):<{name}}", ""),
                *interval_bar(right.low, right.high, right.share, cells),
                (f"{percent(right.share):>7}", "bold"),
                (f"{bounds(right):>9}", "muted"),
                (f"{right.answers:>5}", "muted"),
                (f"{each.score:>7.2f}", ""),
            )
        )
    group.append(said("score: of the fields of a prediction, the share that was right"))
    return group


def _hours(found: Statistics) -> Group:
    values = [float(each.right.answers) for each in found.hours]
    if not any(values):
        return []
    group = [title("By hour", "answers by local time")]
    group += [line(("    ", ""), *spans) for spans in columns(values, rows=3, wide=2)]
    labels = "".join(f"{hour:<8}" for hour in range(0, 24, 4))
    group.append(said(f"    {labels}"))
    enough = [each for each in found.hours if each.right.answers >= ENOUGH]
    if enough:
        best = max(enough, key=lambda each: each.right.share or 0.0)
        worst = min(enough, key=lambda each: each.right.share or 0.0)
        if best.right.low > worst.right.high:  # else the difference may be chance
            told = " · ".join(
                f"{word} at {each.hour:02d}:00: {percent(each.right.share)} ({bounds(each.right)})"
                for word, each in (("most right", best), ("least", worst))
            )
            group.append(said(f"    {told}"))
    return group

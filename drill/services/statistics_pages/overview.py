"""What was done and remembered: retention, the streak, the year, the last weeks."""

from __future__ import annotations

from drill.domain.counted import counted
from drill.domain.memory.study_day import date_of_day
from drill.domain.statistics.model import Retention, Statistics
from drill.services.statistics_pages.parts import (
    SHADES,
    WIDEST,
    Group,
    Line,
    Span,
    bounds,
    chart,
    duration,
    interval_bar,
    joined,
    line,
    percent,
    said,
    scale,
    title,
)

_DAYS = ("M", "", "W", "", "F", "", "S")


def overview(found: Statistics, width: int) -> list[Group]:
    """The groups of the page in `width` columns."""
    year = _year(found, width) if found.heat.top else []
    return [_done(found), _retention(found, width), year, _lately(found, width)]


def _done(found: Statistics) -> Group:
    totals, streak = found.totals, found.streak
    if not streak.studied:
        return [
            title("Nothing was answered yet" + (f" in {found.topic}" if found.topic else "")),
            said(
                "What you answer is counted from the first answer on: by day, by topic, by how "
                "sure you were, by what you believed. Each page says when it begins."
            ),
        ]
    days = counted(streak.current, "day")
    best = "" if streak.longest <= streak.current else f", the longest was {streak.longest}"
    group = [
        line(
            (f"Streak {days}", "bold"),
            (f"{best}; {counted(streak.studied, 'day')} studied, ", ""),
            (f"{streak.studied_30} of the last 30", ""),
        )
    ]
    done = f"{counted(totals.answers, 'answer')} to {counted(totals.items_answered, 'item')}"
    more = [f"{done} in {duration(totals.minutes)} of answering"]
    if totals.retries:
        more.append(counted(totals.retries, "retry", "retries"))
    if totals.overruled:
        more.append(f"{totals.overruled:,} graded by yourself")
    if totals.gone:
        more.append(f"{counted(totals.gone, 'item')} no longer in the bank")
    since = f" since {found.since}" if found.since else ""
    group.append(said(f"{'; '.join(more)}{since}"))
    return group


def _retention(found: Statistics, width: int) -> Group:
    group = [title("True retention", "of items asked again on a later day, those remembered")]
    if not any(window.all.answers for window in found.retention):
        group.append(
            said(
                "Begins when an item that you answered comes back on a later day in a session: "
                "tomorrow at the earliest."
            )
        )
        return group
    wide = width >= WIDEST
    cells = 20 if wide else 0
    shown = [window for window in found.retention if window.all.answers]
    start, ends = scale([window.all.low for window in shown], cells)
    head = f"{'':<11}{'asked':>6}  {ends}{'95%':>15}{'young':>7}{'mature':>8}"
    group.append(said(head + (f"{'model':>7}" if wide else "")))
    every = "everything" if found.since_day is None else "this period"
    group += [_window(window, cells, start, every) for window in shown]
    about = "mature: stability of 21 days or more"
    group.append(said(about + ("; model: what it had predicted" if wide else "")))
    return group


def _window(window: Retention, cells: int, start: float, every: str) -> Line:
    name = every if window.days is None else f"{window.days} days"
    drawn = interval_bar(window.all.low, window.all.high, window.all.share, cells, start=start)
    return line(
        (f"{name:<11}{window.all.answers:>6}  ", ""),
        *drawn,
        (f"{percent(window.all.share):>6}", "bold"),
        (f"{bounds(window.all):>9}", "muted"),
        (f"{percent(window.young.share):>7}{percent(window.mature.share):>8}", ""),
        (f"{percent(window.predicted):>7}" if cells else "", "muted"),
    )


def _year(found: Statistics, width: int) -> Group:
    weeks = min(len(found.heat.levels), width - 4)
    levels, first = found.heat.levels[-weeks:], found.heat.first_day
    first += 7 * (len(found.heat.levels) - weeks)
    months = [" "] * (weeks + 3)
    for n in range(weeks):
        sunday = date_of_day(first + 7 * n + 6)
        if sunday.day <= 7:
            months[n : n + 3] = sunday.strftime("%b")
    group = [
        title("The year", f"answers by day; {SHADES[4]} is more than {3 * found.heat.top // 4}"),
        said("    " + "".join(months)[:weeks].rstrip()),
    ]
    for day in range(7):
        cells: list[Span] = [(f"{_DAYS[day]:<4}", "muted")]
        for week in levels:
            level = week[day]
            cells.append((" " if level < 0 else SHADES[level], "accent" if level > 0 else "faint"))
        group.append(line(*joined(cells)))
    return group


def _lately(found: Statistics, width: int) -> Group:
    days = 30 if width >= WIDEST else 24
    if found.since_day is not None:
        days = max(1, min(days, found.day - found.since_day + 1))
    counts = {day.day: day for day in found.days}
    shown = [counts.get(found.day - days + 1 + n) for n in range(days)]
    values = [0.0 if day is None else float(day.answers) for day in shown]
    if not any(values):
        return []
    spent = [0.0 if day is None else day.minutes for day in shown]
    minutes = sum(spent)
    studied = sum(day is not None for day in shown)
    right = sum(day.right for day in shown if day is not None) / sum(values)
    each = f", {duration(minutes / studied)} each" if studied > 1 else ""
    begin = date_of_day(found.day - days + 1).strftime("%d %b")
    room = days * 2 - len(begin)
    labels = f"{begin}{'today':>{room}}" if room > len("today") else f"{begin} to today"
    labels = labels if days > 1 else "today"
    return [
        title(
            f"The last {days} days" if days > 1 else "Today",
            "answers by day, retries among them" if days > 1 else "answers, retries among them",
        ),
        *chart(values, (), rows=4, wide=1, gap=1),
        said("minutes of answering"),
        *chart(spent, ((labels, "muted"),), rows=2, wide=1, gap=1),
        said(f"{duration(minutes)} on {counted(studied, 'day')}{each}; {right:.0%} right"),
    ]

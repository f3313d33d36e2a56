"""What is known now and what is to come: the forecast, the topics, the leeches."""

from __future__ import annotations

from drill.domain.counted import counted
from drill.domain.memory.study_day import date_of_day
from drill.domain.statistics.model import Mastery, Statistics
from drill.services.statistics_pages.parts import (
    WIDEST,
    Group,
    Line,
    bounds,
    chart,
    cut,
    duration,
    interval_bar,
    line,
    percent,
    said,
    scale,
    title,
)

MOST_LEECHES = 8
WIDE_NAME = 24


def memory(found: Statistics, width: int) -> list[Group]:
    """The groups of the page in `width` columns."""
    return [_topics(found, width), _forecast(found, width), _leeches(found)]


def _topics(found: Statistics, width: int) -> Group:
    group = [title("Topics", "what you would recall today of the items you have seen")]
    if not found.topics:
        group.append(said("There are no items to ask."))
        return group
    if not found.totals.seen:
        group.append(said("Each topic gets its estimate with the first item that you answer."))
    wide = width >= WIDEST
    name = WIDE_NAME if wide else 22
    cells = 13 if wide else 8
    start, ends = scale([t.low for t in found.topics if t.recall is not None], cells)
    ends = ends if found.totals.seen else " " * cells
    head = f"{'':<{name}}{ends}  {'recall, 95%':<13}{'seen':>8}"
    group.append(said(head + (f"{'last 20 right':>15}" if wide else "")))
    group += [_topic(topic, name, cells, start) for topic in found.topics]
    if found.totals.seen:
        group.append(said(_about_recall(found)))
    return group


def _about_recall(found: Statistics) -> str:
    """What the numbers of the topics rest on."""
    if found.memory_tests:
        reviews = "Your own review is" if found.memory_tests == 1 else "Your own reviews are"
        how = (
            f"{reviews} counted in: by {found.memory_tests:,} of the last four weeks your memories "
            f"last {found.memory_scale:.1f} times as long as the memory model computes. "
        )
    else:
        how = "By the memory model; your own reviews are counted in once there are any. "
    return (
        f"{how}What was answered today counts as it will stand tomorrow. "
        "Nothing is claimed about items that you have not seen."
    )


def _topic(topic: Mastery, name: int, cells: int, start: float) -> Line:
    short = cut(topic.title.split(":")[0], name - 1)
    drawn = interval_bar(topic.low, topic.high, topic.recall, cells, start=start)
    wide = name == WIDE_NAME
    between = "" if topic.recall is None else f"{100 * topic.low:.0f}–{100 * topic.high:.0f}%"
    right = topic.accuracy
    return line(
        (f"{short:<{name}}", ""),
        *drawn,
        (f"{percent(topic.recall):>6}", "bold"),
        (f" {between:<8}", "muted"),
        (f"{topic.seen:>4}/{topic.items:<4}", ""),
        *(((f"{percent(right.share):>6}", ""), (f" {bounds(right):>8}", "muted")) if wide else ()),
    )


def _forecast(found: Statistics, width: int) -> Group:
    forecast = found.forecast
    group = [title("To come", "items scheduled by day, as things stand")]
    if not forecast.items_30:
        later = f"{counted(forecast.later, 'item')} later." if forecast.later else ""
        group.append(said(later or "Days fill as you answer: each answer schedules the next one."))
        return group
    gap = 1 if width >= 64 else 0
    begin, end = (date_of_day(found.day + n).strftime("%d %b") for n in (0, 29))
    labels = f"today, {begin}" + f"{end:>{30 * (1 + gap) - 7 - len(begin)}}"
    values = [float(day.items) for day in forecast.days]
    group += chart(values, ((labels, "muted"),), rows=4, wide=1, gap=gap)
    today = forecast.days[0]
    overdue = f", {forecast.overdue} of them overdue" if forecast.overdue else ""
    group.append(
        line(
            (f"today {counted(today.items, 'item')} ({duration(today.minutes)}){overdue}; ", ""),
            (f"7 days {forecast.items_7:,} ({duration(forecast.minutes_7)}), ", ""),
            (f"30 days {forecast.items_30:,} ({duration(forecast.minutes_30)})", ""),
        )
    )
    group.append(said("Each item once: what you will miss and what is new comes on top."))
    return group


def _leeches(found: Statistics) -> Group:
    if not found.leeches:
        return []
    group = [title("Leeches", "forgotten again and again; browse (b, then d) shows them")]
    for leech in found.leeches[:MOST_LEECHES]:
        held = ", suspended" if leech.suspended else ""
        facts = f"{counted(leech.lapses, 'lapse')}, {leech.stability:.1f} days of stability{held}"
        group.append(((("· ", "muted"),), ((leech.item_id, ""), (f"  {facts}", "muted"))))
    if len(found.leeches) > MOST_LEECHES:
        group.append(said(f"  and {len(found.leeches) - MOST_LEECHES} more"))
    return group

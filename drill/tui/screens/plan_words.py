"""The groups of the plan screen: what is said above the table, beside it and below it."""

from __future__ import annotations

from datetime import date

from textual.content import Content

from drill.domain.counted import counted
from drill.services.outlook import Accuracy, Outlook, PlannedItem
from drill.services.outlook_words import (
    drop_lines,
    more_points,
    notes,
    standing,
    what_words,
)
from drill.services.plan_words import day_words, seconds_words, topic_words
from drill.services.planning import MINUTES_USED
from drill.tui.text import row, spans, styled
from drill.tui.widgets.paragraphs import Row
from drill.tui.widgets.readiness import MUTED, ready_bar

_BLANK = Content("")
_CELLS = 14


def on_words(outlook: Outlook) -> str:
    """The day of the interview, such as `20 Dec`; empty without one that is to come."""
    if outlook.days_left is None:
        return ""
    return day_words(date.fromisoformat(outlook.interview), date.fromisoformat(outlook.day))


def today_line(outlook: Outlook) -> Content:
    """What enter begins."""
    key = styled(" enter ", "bold reverse")
    if not outlook.today:
        return nothing_line(outlook)
    minutes = max(1, round(sum(item.seconds for item in outlook.today) / 60))
    said = f": {counts(outlook)}, about {minutes} min"
    return row(key, styled("  today's session", "bold"), Content(said))


def another_line() -> Content:
    """What enter begins where today's minutes are used."""
    key = styled(" enter ", "bold reverse")
    return row(key, styled("  another session", "bold"), Content(f". {MINUTES_USED}"))


def nothing_line(outlook: Outlook) -> Content:
    """What stands in place of today's session where it asks nothing, and why."""
    key = styled(" enter ", "bold reverse")
    if not outlook.empty:  # not known yet
        return row(key, styled("  today's session", "bold"))
    if outlook.empty == MINUTES_USED:
        return another_line()
    return row(styled("Nothing is left for today.", "bold"), Content(f" {outlook.empty}"))


def counts(outlook: Outlook) -> str:
    """How much today's session holds: `13 questions, 5 of them new`."""
    number = len(outlook.today)
    new = sum(item.reason == "new" for item in outlook.today)
    parts = [counted(number, "question")]
    if new:
        parts.append("all new" if new == number else f"{new} of them new")
    return ", ".join(parts)


def head_group(outlook: Outlook, share: float) -> list[Row]:
    """Readiness in a line or two, or how far the looking ahead has come."""
    if outlook.days_left is None:
        lines = (*standing(outlook), "d sets a date.")
        return [(_BLANK, spans(line)) for line in lines]
    whole = outlook.overall
    if outlook.empty and not whole.items:
        return []  # the line of today says why
    if outlook.days_left == 0 and outlook.empty and not whole.seen:
        return [(_BLANK, spans(line)) for line in standing(outlook)]
    if whole.at_date is None or whole.low is None or whole.high is None:
        done = ready_bar(share, share, _CELLS)
        return [(_BLANK, row(Content("Looking ahead  "), done, styled(f" {share:.0%}", MUTED)))]
    on = "Today" if outlook.days_left == 0 else f"On {on_words(outlook)}"
    now = "" if outlook.days_left == 0 else f"; now {whole.now:.0%}"
    between = f" ({100 * whole.low:.0f}-{whole.high:.0%}) of {what_words(outlook)} recalled{now}"
    rows: list[Row] = [
        (_BLANK, row(styled(f"{on}: {whole.at_date:.0%}", "bold $text-accent"), Content(between)))
    ]
    points = more_points(outlook)
    if outlook.more is not None and points is not None:
        said = f"{outlook.more.at_date:.0%} (+{points})" if points > 0 else "hardly more"
        more = f"With {outlook.more.minutes} instead of {outlook.minutes} minutes a day: {said}"
        rows.append((_BLANK, Content(more)))
    rows.append((_BLANK, _time(outlook)))
    return rows


def _time(outlook: Outlook) -> Content:
    if outlook.days_left == 0:
        return Content("Nothing new any more: a short warm-up of what you know.")
    number = sum(len(each.items) for each in outlook.drop)
    if outlook.enough:
        rest = f", but for {number} that hardly count" if number else ""
        return row(styled("✓ ", "$text-success"), Content(f"Time for every question{rest}"))
    share = sum(each.weight for each in outlook.drop)
    out = f"{counted(number, 'question')} left out, {share:.0%} of what counts"
    lead = "Tomorrow is the day" if outlook.days_left == 1 else "Not enough time"
    return row(styled(f"{lead}: ", "$text-warning"), Content(out))


def evidence_group(outlook: Outlook) -> list[Row]:
    """Practised recall beside the accuracy on what was never practised."""
    rows: list[Row] = [(_BLANK, styled("Right, of what was asked", "bold"))]
    rows.append(_accuracy("practised before", outlook.practised, "in 4 weeks"))
    rows.append(_accuracy("never practised", outlook.reserve, "in mocks"))
    return rows


def _accuracy(name: str, found: Accuracy, where: str) -> Row:
    lead = Content(f"{name:<18}")
    if found.share is None:
        return lead, styled(f"nothing asked {where} yet", MUTED)
    between = f"  {100 * found.low:.0f}-{found.high:.0%} of {found.answers} {where}"
    share = styled(f"{found.share:>4.0%}", "bold")
    return lead, row(ready_bar(found.low, found.high, _CELLS), share, styled(between, MUTED))


def note_group(outlook: Outlook, memory: str) -> list[Row]:
    """What the numbers rest on; `memory` says which memory parameters are in use."""
    *told, counted = notes(outlook)
    rows: list[Row] = [(styled("· ", MUTED), Content(line)) for line in told]
    rows += [(styled("· ", MUTED), styled(line, MUTED)) for line in (memory, counted) if line]
    return rows


def drop_group(outlook: Outlook) -> list[Row]:
    """What is never asked, a line a level."""
    if not outlook.drop:
        return []
    title = "Never asked before the interview, least useful first"
    rows: list[Row] = [(_BLANK, styled(title, "bold"))]
    for line in drop_lines(outlook.drop):
        count, _, topics = line.partition(": ")
        rows.append((styled("· ", MUTED), row(Content(f"{count}: "), styled(topics, MUTED))))
    return rows


def today_group(outlook: Outlook, width: int) -> list[Row]:
    """Today's items, each with why it is asked."""
    if not outlook.today:
        return []
    done = f"  {outlook.answered_today} answered" if outlook.answered_today else ""
    rows: list[Row] = [(_BLANK, row(styled("Today, and why", "bold"), styled(done, MUTED)))]
    room = width - 4
    if room < 60:  # two lines, of which the ends of words take some
        room = 2 * room - 12
    for number, item in enumerate(outlook.today, start=1):
        title = spans(item.title).truncate(room, ellipsis=True)
        rows.append((styled(f"{number:>2}  ", MUTED), title))
        rows.append((Content("    "), styled(_why(item), MUTED)))
    return rows


def _why(item: PlannedItem) -> str:
    cost = "" if "→" in item.why else f", {seconds_words(item.seconds)}"
    about = "" if topic_words(item.topic) in item.why else f"{topic_words(item.topic)}: "
    return f"{about}{item.why}{cost}"

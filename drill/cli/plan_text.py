"""The outlook as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from drill.cli.show import wrapped
from drill.domain.counted import counted
from drill.services.outlook import Accuracy, Outlook, PlannedItem, TopicOutlook
from drill.services.outlook_words import drop_lines, until_words
from drill.services.plan_words import seconds_words

WIDTH = 78
BAR = 16


def plan_text(outlook: Outlook) -> str:
    """Everything, a part after the other."""
    head = until_words(outlook)
    parts = [head[0].upper() + head[1:]]
    parts += ["", *(wrapped(sentence) for sentence in outlook.said), ""]
    parts += _readiness(outlook)
    parts += ["", *_evidence(outlook), ""]
    parts += _today(outlook)
    if outlook.drop:
        parts += ["", "Never asked before the interview, least useful first"]
        parts += [wrapped(line, "  ") for line in drop_lines(outlook.drop)]
    return "\n".join(parts)


def _readiness(outlook: Outlook) -> Iterator[str]:
    dated = outlook.overall.at_date is not None
    head = f"{'Readiness':<30}{'seen':>8}{'now':>7}"
    yield head + (f"  {'on the day':<{BAR}}" if dated else "")
    for row in (*outlook.topics, outlook.overall):
        yield _topic(row)


def _topic(row: TopicOutlook) -> str:
    seen = f"{row.seen}/{row.items}"
    line = f"{row.title:<30}{seen:>8}{row.now:>7.0%}"
    if row.at_date is None or row.low is None or row.high is None:
        return line
    low, high = round(row.low * BAR), round(row.high * BAR)
    bar = "━" * low + "╍" * (high - low) + "─" * (BAR - high)
    return f"{line}  {bar} {row.at_date:.0%} ({row.low:.0%}-{row.high:.0%})".rstrip()


def _evidence(outlook: Outlook) -> Iterator[str]:
    yield "Right, of what was asked"
    yield _accuracy("practised before", outlook.practised, "in the last 4 weeks")
    yield _accuracy("never practised", outlook.reserve, "in mock interviews")


def _accuracy(name: str, found: Accuracy, what: str) -> str:
    if found.share is None:
        return f"  {name:<17}  nothing asked {what} yet"
    between = f"({found.low:.0%}-{found.high:.0%} of {found.answers})"
    return f"  {name:<17}{found.share:>4.0%}  {between:<20}  {what}"


def _today(outlook: Outlook) -> Iterator[str]:
    if not outlook.today:
        yield wrapped(f"Today: {outlook.empty}")
        return
    minutes = sum(item.seconds for item in outlook.today) / 60
    more = f", {outlook.answered_today} answered" if outlook.answered_today else ""
    yield f"Today: {counted(len(outlook.today), 'question')}, about {minutes:.0f} min{more}"
    for item in outlook.today:
        yield from _item(item)


def _item(item: PlannedItem) -> Iterator[str]:
    title = item.title if len(item.title) <= WIDTH - 4 else item.title[: WIDTH - 5] + "…"
    yield f"  · {title}"
    cost = "" if "→" in item.why else f" ({seconds_words(item.seconds)})"
    yield f"    {item.why}{cost}"

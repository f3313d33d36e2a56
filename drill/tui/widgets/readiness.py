"""Expected readiness as bars: full up to the lower end of the interval, dotted to the upper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from drill.domain.questions import TOPICS
from drill.tui.text import row, styled

if TYPE_CHECKING:
    from drill.services.outlook import Outlook, TopicOutlook

MUTED = "$foreground 60%"
TITLE = 29
"""Columns of the longest title of a topic."""


def ready_bar(low: float | None, high: float | None, cells: int) -> Content:
    """An interval of readiness, 0 to 1, in so many cells; only the track where it is unknown."""
    first = 0 if low is None else round(low * cells)
    last = first if high is None else max(first, round(high * cells))
    return row(
        styled("━" * first, "$text-accent"),
        styled("╍" * (last - first), "$text-accent"),
        styled("─" * (cells - last), "$foreground 20%"),
    )


def percent(share: float | None) -> str:
    """` 65%`, four cells wide; blank where it is unknown."""
    return "    " if share is None else f"{share:>4.0%}"


def ready_table(rows: Sequence[TopicOutlook], total: TopicOutlook, on: str, width: int) -> Content:
    """Every topic with what was seen, readiness now and, towards a date, on the day.

    `on`: the day in words, empty without a date.
    """
    between_fits = width >= TITLE + 8 + 6 + 2 + 6 + 4 + 10
    taken = TITLE + 8 + 6 + 2 + 4 + (10 if between_fits else 0)
    cells = max(6, min(20, width - taken))
    head = f"{'':<{TITLE}}{'seen':>8}{'now':>6}"
    drawn = [styled(head + (f"  {f'on {on}':<{cells}}" if on else ""), MUTED)]
    for each in (*rows, total):
        bold = "bold" if not each.topic else ""
        parts = [
            styled(f"{each.title[:TITLE]:<{TITLE}}", bold),
            styled(f"{f'{each.seen}/{each.items}':>8}", MUTED),
            styled(f"  {percent(each.now)}", bold),
        ]
        if on:
            parts += [Content("  "), ready_bar(each.low, each.high, cells)]
            if each.at_date is not None and each.low is not None and each.high is not None:
                parts.append(styled(percent(each.at_date), "bold"))
                if between_fits:
                    parts.append(styled(f"  {100 * each.low:.0f}-{each.high:.0%}", MUTED))
        else:
            parts += [Content("  "), ready_bar(each.now, each.now, cells)]
        drawn.append(row(*parts))
    return Content("\n").join(drawn)


def home_table(
    topics: Mapping[str, Mapping[str, int]],
    ready: Outlook | None,
    today: Outlook | None,
    on: str,
    width: int,
) -> Content:
    """Every topic with today's questions, what was seen and the readiness on the day.

    `topics` are those of the overview; `ready` has the bars and `today` today's questions, each
    None until it is known.
    """
    cells = max(4, min(20, width - TITLE - 7 - 8 - 2 - 5))
    asked = Counter(item.topic for item in today.today) if today is not None else Counter()
    by_topic = {t.topic: t for t in ready.topics} if ready is not None else {}
    drawn = [styled(f"{'':<{TITLE}}{'today':>7}{'seen':>8}  on {on}", MUTED)]
    for topic, title in TOPICS.items():
        counts = topics.get(topic, {})
        seen = f"{counts.get('seen', 0)}/{counts.get('items', 0)}"
        now = f"{asked[topic] or '·':>7}" if today is not None else " " * 7
        each = by_topic.get(topic)
        low, high = (None, None) if each is None else (each.low, each.high)
        drawn.append(
            row(
                styled(f"{title.split(':')[0]:<{TITLE}}", "bold" if asked[topic] else ""),
                Content(now),
                styled(f"{seen:>8}  ", MUTED),
                ready_bar(low, high, cells),
                Content(f" {percent(each.at_date if each is not None else None)}"),
            )
        )
    return Content("\n").join(drawn)

"""`drill stats`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from drill.cli.output import emit, json_option, opened, stop

if TYPE_CHECKING:
    from drill.services.statistics_pages.parts import Line, Spans

WIDTH = 80


@click.command()
@click.option("--days", type=click.IntRange(min=1), help="Count only the last N study days.")
@click.option("--topic", default="", help="Count only one topic, such as `cfg`.")
@click.option("--page", "name", default="", help="Only one page, such as `calibration`.")
@json_option
def stats(days: int | None, topic: str, name: str, as_json: bool) -> None:
    """Retention, forecast, topics, calibration, beliefs, times, interviews.

    With --days what was done is counted from then on; what is known and due is always of today.

    Exits 0, and 2 for a topic or page that there is not.
    """
    from drill.domain.questions import TOPICS
    from drill.services.statistics import statistics
    from drill.services.statistics_pages import PAGES, page

    if topic and topic not in TOPICS:
        stop(f"no topic {topic!r}; topics: {', '.join(TOPICS)}")
    if name and name not in PAGES:
        stop(f"no page {name!r}; pages: {', '.join(PAGES)}")
    with opened() as drill:
        since = None if days is None else drill.store.today() - days + 1
        found = statistics(drill, since, topic)
    if as_json:
        emit(found)
        return
    head = ["drill statistics", found.date]
    head += [f"since {found.since}"] if found.since else []
    head += [TOPICS[topic]] if topic else []
    print(" · ".join(head))
    for each in [name] if name else PAGES:
        heading = PAGES[each][0]
        print(f"\n{heading}\n{'=' * len(heading)}")
        for group in page(found, each):
            print()
            for line in group:
                print(drawn(line))


def drawn(line: Line) -> str:
    """A line as plain text, folded under its own start where it is too long."""
    lead, text = (_plain(part) for part in line)
    if len(lead) + len(text) <= WIDTH - 2:
        return f"  {lead}{text}".rstrip()
    first = f"  {lead}"
    rest = " " * len(first)
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest)


def _plain(spans: Spans) -> str:
    return "".join(text for text, _ in spans)

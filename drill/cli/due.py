"""`drill due`."""

from __future__ import annotations

import click

from drill.cli.output import emit, json_option, opened


@click.command()
@click.option("--short", is_flag=True, help="One line, for a shell prompt.")
@json_option
def due(short: bool, as_json: bool) -> None:
    """What is due today, by topic."""
    from drill.domain.questions import TOPICS

    with opened() as drill:
        overview = drill.overview()
    if as_json:
        emit(
            {
                "due": overview.due,
                "new": overview.new,
                "minutes": round(overview.minutes, 1),
                "topics": overview.topics,
                "answered_today": overview.answered_today,
                "hidden": overview.hidden,
                "held": overview.held,
            }
        )
        return
    if short:
        print(f"drill: {overview.due} due, {overview.new} new")
        return
    print(f"{overview.due} due ({overview.minutes:.0f} min), {overview.new} new")
    for topic, title in TOPICS.items():
        row = overview.topics.get(topic, {})
        if row.get("items"):
            print(f"  {title:<46} {row['due']:>4} due {row['new']:>4} new")

"""`drill session`."""

from __future__ import annotations

import sys

import click

from drill.cli.output import OK, opened, stop


@click.command()
@click.option("--topic", default="", help="Only this topic.")
@click.option("--limit", type=click.IntRange(1), default=None, help="At most so many items.")
@click.option("--minutes", type=click.IntRange(1, 240), default=None, help="Length.")
@click.option("--plain", is_flag=True, help="Line by line on stdin and stdout.")
def session(topic: str, limit: int | None, minutes: int | None, plain: bool) -> None:
    """The daily session: what is due, then something new."""
    from drill.domain.questions import TOPICS

    if topic and topic not in TOPICS:
        stop(f"no topic `{topic}`; topics: {', '.join(TOPICS)}")
    if plain:
        from drill.cli.daily_backup import backed_up
        from drill.cli.plain import PlainSession

        with opened() as drill:
            begun = drill.start_session(minutes=minutes, topic=topic, limit=limit)
            with backed_up(drill):
                code = PlainSession(drill, begun, sys.stdin, sys.stdout).run()
        sys.exit(code)
    from drill.cli.terminal import why_no_app

    reason = why_no_app()
    if reason:
        stop(reason)
    from drill.tui.app import run

    code = run(topic=topic, limit=limit, minutes=minutes, in_session=True)
    sys.exit(code if code != OK else OK)

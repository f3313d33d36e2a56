"""`drill plan`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from drill.cli.output import emit, json_option, opened, stop

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.outlook import Outlook
    from drill.services.profile import Profile


@click.command(epilog="Exit codes: 0 done, 2 usage or environment.")
@click.option("--date", "day", default=None, help="2026-12-20, 20.12.2026 or `21 days`.")
@click.option("--minutes", default=None, help="Minutes a day, 5 to 240.")
@click.option("--save", is_flag=True, help="Keep this date and these minutes from now on.")
@json_option
def plan(day: str | None, minutes: str | None, save: bool, as_json: bool) -> None:
    """The plan to the interview day: today's questions and why, readiness, what to drop.

    With --date or --minutes it is shown for these, and nothing is stored without --save. Without
    a date plain FSRS is in use. Readiness on the day comes from simulated futures; the first
    time after an answer that takes some seconds.
    """
    from drill.domain.memory.study_day import date_of_day
    from drill.services.profile import ProfileError, read_date, read_minutes

    with opened() as drill:
        profile = drill.profile
        try:
            if day is not None:
                today = date_of_day(drill.store.today())
                profile = replace(profile, interview=read_date(day, today))
            if minutes is not None:
                profile = replace(profile, minutes=read_minutes(minutes))
        except ProfileError as error:
            stop(str(error))
        if save and profile != drill.profile:
            drill.keep_profile(replace(profile, done=True))
        found = _outlook(drill, profile)
        kept = save or profile == drill.profile
    if as_json:
        emit(found)
        return
    from drill.cli.plan_text import plan_text

    print(plan_text(found))
    if not kept:
        print("\nOnly shown; --save keeps it.", file=sys.stderr)


def _outlook(drill: Drill, profile: Profile) -> Outlook:
    from drill.services.outlook import outlook

    shows = sys.stderr.isatty()
    last = ""

    def tell(share: float) -> None:
        nonlocal last
        line = f"\r  looking ahead {share:4.0%}"
        if line != last:
            print(line, end="", file=sys.stderr, flush=True)
        last = line

    chosen = profile.interview_date
    found = outlook(drill, profile.minutes, chosen, progress=tell if shows else None)
    if last:
        print("\r" + " " * 24 + "\r", end="", file=sys.stderr, flush=True)
    return found

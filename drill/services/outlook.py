"""The way to the interview day: today's plan, readiness on the day, and what it rests on.

`outlook` computes it whole. A user interface takes an `OutlookRun` from `begin` instead, shows its
`outlook` at once, and calls `advance` between its own work until the simulated futures are in.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from drill.domain.memory.study_day import day_of_date
from drill.services.outlook_document import (
    Accuracy,
    Dropped,
    More,
    Outlook,
    PlannedItem,
    TopicOutlook,
)
from drill.services.outlook_run import OutlookRun
from drill.services.planning import plan_key

Interview = date | Literal["profile"] | None
"""A date to look at, None for none, or that of the profile."""

if TYPE_CHECKING:
    from drill.services.app import Drill

__all__ = [
    "Accuracy",
    "Dropped",
    "More",
    "Outlook",
    "OutlookRun",
    "PlannedItem",
    "TopicOutlook",
    "begin",
    "outlook",
    "stored",
]

SETTING = "outlook"
"""Name of the setting that keeps the newest outlook of the profile as it stands."""
KEPT_RUNS = 4
"""Runs that are kept in memory, such as those of other dates that were looked at."""

_runs: WeakKeyDictionary[Drill, dict[str, OutlookRun]] = WeakKeyDictionary()


def begin(
    drill: Drill,
    minutes: int | None = None,
    interview: Interview = "profile",
    futures: int | None = None,
) -> OutlookRun:
    """The outlook for the profile, or for other minutes or another date, which is not stored.

    `futures`: fewer than usual, for a quick look; what is stored already is as good as more.
    Runs are kept in memory until an answer, the day or the profile changes; a finished one of the
    profile itself is kept with the data as well.
    """
    profile = drill.profile
    minutes = profile.minutes if minutes is None else minutes
    interview = profile.interview_date if interview == "profile" else interview
    own = minutes == profile.minutes and interview == profile.interview_date
    key = _key(drill, minutes, interview)
    runs = _runs.setdefault(drill, {})
    if key in runs and (futures is None or runs[key].done):
        return runs[key]
    run = OutlookRun(drill, minutes, interview, key, futures)
    kept = drill.store.settings.get(SETTING) if own else None
    if kept is not None and kept.get("key") == key:
        found = _read(kept)
        if found is not None:
            run.outlook, run.done, run.prepared = found, True, True
    if futures is not None and not run.done:
        return run
    while len(runs) >= KEPT_RUNS:
        del runs[next(iter(runs))]
    runs[key] = run
    return run


def keep(drill: Drill, run: OutlookRun) -> None:
    """Store a finished outlook, if it is that of the profile and of the data as they stand."""
    profile = drill.profile
    if not run.done or run.key != _key(drill, profile.minutes, profile.interview_date):
        return
    kept = drill.store.settings.get(SETTING) or {}
    if kept.get("key") != run.key:
        body = {"key": run.key, "outlook": msgspec.to_builtins(run.outlook)}
        drill.store.settings.set(SETTING, body)


def stored(drill: Drill) -> Outlook | None:
    """The newest stored outlook to the profile's date, whatever happened since; None: none."""
    kept = drill.store.settings.get(SETTING)
    found = None if kept is None else _read(kept)
    return found if found is not None and found.interview == drill.profile.interview else None


def outlook(
    drill: Drill,
    minutes: int | None = None,
    date: Interview = "profile",
    *,
    futures: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outlook:
    """The whole outlook; takes seconds where the date is weeks away and nothing is stored.

    `minutes` a day and `date` of the interview are the profile's by default; others are only
    looked at. `futures`: fewer of them (the default is 16) take less time and are not
    stored. `progress` is told the share that is done, several times a second.
    """
    run = begin(drill, minutes, date, futures)
    while not run.advance(0.1):
        if progress is not None:
            progress(run.share)
    if futures is None:
        keep(drill, run)
    return run.outlook


def _key(drill: Drill, minutes: int, interview: date | None) -> str:
    """Changes with everything that an outlook depends on: an open session too, as it is shown."""
    day = None if interview is None else day_of_date(interview)
    key = plan_key(drill, minutes, day, drill.store.today(), drill.askable())
    unfinished = drill.store.sessions.unfinished()
    if unfinished is None or unfinished.study_day != drill.store.today():
        return key
    running = msgspec.json.encode((unfinished.plan or {}).get("running"))
    return f"{key}/{unfinished.id}:{zlib.crc32(running)}"


def _read(kept: Any) -> Outlook | None:
    try:
        return msgspec.convert(kept["outlook"], Outlook)
    except (msgspec.ValidationError, KeyError, TypeError):
        return None  # of another version of drill: it is computed anew

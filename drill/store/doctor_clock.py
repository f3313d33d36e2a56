"""Oddities of time in the log: the future, the past, zones that jump, and equal times."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta

from drill.domain.memory.study_day import date_of_day, study_day
from drill.store import log
from drill.store.findings import Finding
from drill.store.reading import Reader

FUTURE = timedelta(minutes=5)
"""How far ahead of the clock an event may be before it is odd."""
OFFSETS = (-12 * 60, 14 * 60)
"""The offsets from UTC that there are, in minutes."""
JUMP_MINUTES, JUMP_WITHIN = 120, timedelta(hours=1)
"""No journey changes the local time by two hours within one; a zone set by hand does."""
JUMPS = 3
"""Jumps of the zone from which on they are told."""


def clock_findings(store: Reader) -> list[Finding]:
    """What is odd about the times of the log, with what it means for a learner."""
    return [*_future(store), *_walk(store)]


def _future(store: Reader) -> list[Finding]:
    # In UTC: a sum in a zone would be of wall-clock times, an hour off when summer time ends.
    limit = log.to_text(store.now().astimezone(UTC) + FUTURE)
    ahead = store.access.row("SELECT count(*), max(at) FROM reviews WHERE at > ?", (limit,))
    if not ahead or not ahead[0]:
        return []
    return [
        Finding(
            "warning",
            "future",
            f"{ahead[0]} events lie in the future, the last at {ahead[1]}: their items come due "
            "later than they should",
            "check the clock of this machine; if it is right now, undo those answers with "
            "`drill undo`",
        )
    ]


def _walk(store: Reader) -> list[Finding]:
    back = odd = jumps = 0
    newest = last_at = ""
    days: list[int] = []
    zones: set[int] = set()
    last_offset: int | None = None
    times: Counter[tuple[str, str]] = Counter()
    rows = store.access.rows(
        "SELECT at, offset_minutes, study_day, device_id FROM reviews ORDER BY seq"
    )
    for at, offset, day, device in rows:
        moment = log.from_text(at)
        back += at < newest
        newest = max(newest, at)
        times[device, at] += 1
        zones.add(offset)
        if day not in {study_day(moment, offset, hour) for hour in (0, 23)}:
            odd += 1
            days.append(day)
        if last_offset is not None and abs(offset - last_offset) >= JUMP_MINUTES:
            jumps += abs(moment - log.from_text(last_at)) <= JUMP_WITHIN
        last_at, last_offset = at, offset
    return [
        *_order(back),
        *_days(odd, days),
        *_zones(jumps, zones),
        *_same(sum(count - 1 for count in times.values())),
    ]


def _order(back: int) -> list[Finding]:
    if not back:
        return []
    return [
        Finding(
            "note",
            "order",
            f"{back} events are older than one recorded before them: an import, or a clock that "
            "was set back by more than two days. They count by their own time.",
            "nothing to do; if the clock was wrong, undo them with `drill undo`",
        )
    ]


def _days(odd: int, days: list[int]) -> list[Finding]:
    if not odd:
        return []
    named = date_of_day(days[0])
    return [
        Finding(
            "warning",
            "days",
            f"{odd} events carry a study day that does not fit their time and offset (such as "
            f"{named}): their items come due on a wrong day",
            "undo them with `drill undo` if the clock was wrong",
        )
    ]


def _zones(jumps: int, zones: set[int]) -> list[Finding]:
    found: list[Finding] = []
    wrong = sorted(z for z in zones if not OFFSETS[0] <= z <= OFFSETS[1])
    if wrong:
        found.append(
            Finding(
                "warning",
                "offsets",
                f"events lie in a time zone that there is not ({wrong[0]} minutes from UTC): "
                "study days begin at a wrong hour",
                "set the time zone of this machine, or TZ; past days stay as they are",
            )
        )
    if jumps >= JUMPS:
        found.append(
            Finding(
                "note",
                "zones",
                f"the time zone jumped by hours within an hour, {jumps} times: part of the time "
                "drill runs with another zone, such as UTC in a container or over ssh. A study "
                "day may begin early or late then; a streak accepts either day.",
                "set TZ to your zone there",
            )
        )
    return found


def _same(count: int) -> list[Finding]:
    if not count:
        return []
    return [
        Finding(
            "note",
            "same-time",
            f"{count} events of one device have the very time of another: a file that another "
            "program wrote. They are replayed in the order of their ids.",
            "nothing to do where the states agree with the log",
        )
    ]

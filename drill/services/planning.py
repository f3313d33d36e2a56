"""What today's session asks: the learner's settings and data handed to the pure planners.

With an interview date that is not over, the plan to that day; without one, plain FSRS.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.queue import Planned, QueueSettings, plan_session
from drill.domain.memory.study_day import date_of_day, day_of_date

if TYPE_CHECKING:
    from drill.domain.dated_plan import Inputs
    from drill.domain.first_answers import FirstAnswers
    from drill.domain.questions import Head
    from drill.services.app import Drill

LIMIT_MINUTES = 24 * 60.0
"""Length of a session that is bounded by a count of items instead of by time."""
FIRST_ANSWERS = 300
"""Newest first answers that the chance of a new item is learned from."""
PLANS = "plans"
"""Name of the setting that keeps the sessions that were planned ahead, by `plan_key`."""
LEAST_MINUTES = 2.0
"""Under so much of today's minutes they are used: the next session is another whole one."""
MINUTES_USED = "Today's minutes are used."
FORWARD_DAYS = 14
"""Days that an item stays brought forward while nobody answers it."""


class Today(Struct, frozen=True):
    """One item of today's session."""

    planned: Planned
    gain: float = 0.0
    """Recall on the day of the interview that asking it adds, times its importance; 0 without a
    date."""


def settings(drill: Drill) -> QueueSettings:
    """Settings of plain FSRS from the profile and `config.toml`."""
    profile = drill.profile
    return QueueSettings(
        level=profile.level,
        roles=(profile.role,) if profile.role else (),
        new_per_day=drill.config.new_per_day,
    )


def interview_day(drill: Drill, interview: date | None = None) -> int | None:
    """Study day of the interview (default: the profile's); None without one or when it is over."""
    day = interview or drill.profile.interview_date
    if day is None or day_of_date(day) < drill.store.today():
        return None
    return day_of_date(day)


def minutes_left(drill: Drill, minutes: float) -> float:
    """What practice today has left of `minutes`, the reading of feedback counted; maybe none."""
    from drill.store import plan_facts

    store, day = drill.store, drill.store.today()
    answers = plan_facts.answers_on(store.access, day)
    if not answers:
        return minutes
    read = answers * store.summary(day).feedback_seconds
    return minutes - (plan_facts.seconds_on(store.access, day) + read) / 60.0


def used(left: float, minutes: float) -> bool:
    """Whether what is `left` of the day's minutes is too little for a session of its own."""
    return left < min(LEAST_MINUTES, minutes)


def session_minutes(drill: Drill) -> float:
    """Length of a session begun now: what is left of today's minutes, or all of them once more."""
    minutes = float(drill.profile.minutes)
    left = minutes_left(drill, minutes)
    return minutes if used(left, minutes) else left


def plan(
    drill: Drill, minutes: float, *, topic: str = "", limit: int | None = None
) -> tuple[list[Planned], str]:
    """Items in the order to ask them, and why there are none where there are none."""
    chosen, empty = todays(drill, minutes, interview_day(drill), topic=topic, limit=limit)
    return [place.planned for place in chosen], empty


def todays(
    drill: Drill,
    minutes: float,
    interview: int | None,
    *,
    topic: str = "",
    limit: int | None = None,
) -> tuple[list[Today], str]:
    """What `plan` chooses, with the gains, for an interview on a study day or for none."""
    heads = drill.askable()
    if topic:
        heads = {i: head for i, head in heads.items() if head.topic == topic}
    length = LIMIT_MINUTES if limit is not None else minutes
    if interview is not None:
        kept = None if topic or limit is not None else _kept(drill, heads, minutes, interview)
        return kept or _dated(drill, heads, length, interview, topic, limit)
    return _plain(drill, heads, length, topic, limit)


def plan_key(
    drill: Drill, minutes: float, interview: int | None, day: int, heads: Mapping[str, Head]
) -> str:
    """Changes with everything that a session on study day `day` depends on."""
    from drill.store.plan_facts import data_version

    profile = drill.profile
    parts = (
        2,  # of what is computed and how
        data_version(drill.store.access),
        day,
        f"{minutes:g}",
        interview,
        profile.minutes,
        profile.level,
        profile.role,
        drill.store.parameters().id,
        zlib.crc32("\n".join(sorted(heads)).encode()),
    )
    return "/".join(map(str, parts))


def keep_tomorrow(drill: Drill) -> None:
    """Plan the session of the next day, as it is if nothing is answered until then.

    It is stored, so that the first session of a day does not wait for the planner.
    """
    interview = interview_day(drill)
    tomorrow = drill.store.today() + 1
    if interview is None or tomorrow > interview:
        return
    heads = drill.askable()
    minutes = float(drill.profile.minutes)
    key = plan_key(drill, minutes, interview, tomorrow, heads)
    if key in (drill.store.settings.get(PLANS) or {}):
        return
    places, _ = _dated(drill, heads, minutes, interview, "", None, tomorrow)
    drill.store.settings.set(PLANS, {key: msgspec.to_builtins(places)})


def _kept(
    drill: Drill, heads: Mapping[str, Head], minutes: float, interview: int
) -> tuple[list[Today], str] | None:
    """The session that was planned ahead; None where there is none or something changed."""
    plans = drill.store.settings.get(PLANS)
    if not plans:
        return None
    found = plans.get(plan_key(drill, minutes, interview, drill.store.today(), heads))
    try:
        places = msgspec.convert(found, list[Today]) if found else []
    except msgspec.ValidationError:  # of another version of drill
        return None
    return (places, "") if places else None


def inputs(
    drill: Drill,
    interview: int,
    heads: Mapping[str, Head] | None = None,
    day: int | None = None,
) -> Inputs:
    """Everything that the plan to an interview on a study day is made from, on `day` or today."""
    from drill.domain.dated_plan import Inputs

    day = drill.store.today() if day is None else day
    states = drill.store.states()
    profile = drill.profile
    return Inputs(
        heads=drill.askable() if heads is None else heads,
        states=states,
        history=drill.store.summary(day),
        first=first_answers(drill),
        parameters=drill.store.parameters(),
        level=profile.level,
        role=profile.role,
        day=day,
        date=interview,
        forward=_forward(drill, {i: s.last_day or 0 for i, s in states.items()}, day),
    )


def first_answers(drill: Drill) -> FirstAnswers:
    """How likely the learner is right on a new item, by topic."""
    from drill.domain.first_answers import learned
    from drill.store import plan_facts

    heads = drill.bank.heads
    met = plan_facts.first_answers(drill.store.access, heads, FIRST_ANSWERS)
    return learned((heads[item].topic, right) for item, right in met)


def _forward(drill: Drill, last_days: Mapping[str, int], day: int) -> frozenset[str]:
    from drill.store import plan_facts

    found = plan_facts.brought_forward(drill.store.access, day - FORWARD_DAYS, day)
    return frozenset(i for i, asked in found.items() if last_days.get(i, 0) <= asked)


def _dated(
    drill: Drill,
    heads: Mapping[str, Head],
    minutes: float,
    interview: int,
    topic: str,
    limit: int | None,
    day: int | None = None,
) -> tuple[list[Today], str]:
    from drill.domain.dated_plan import plan_day
    from drill.services.plan_words import why_dated

    made = inputs(drill, interview, heads, day)
    seed = made.day + len(made.history.answered_today)
    daily = drill.profile.minutes * 60.0
    places = plan_day(made, minutes * 60.0, seed, limit, daily)
    if places:
        return [
            Today(p.planned(why_dated(p, heads[p.item_id], made.day, interview)), p.choice.gain)
            for p in places
        ], ""
    if made.day == interview and not _all_suspended(drill, heads):
        before = "what was practised was looked at today"
        if not any(i in heads and not state.new for i, state in made.states.items()):
            before = "nothing was practised that could be looked at again"
        return [], f"The interview is today: nothing new is asked any more, and {before}."
    return [], _nothing(drill, heads, topic)


def _plain(
    drill: Drill, heads: Mapping[str, Head], minutes: float, topic: str, limit: int | None
) -> tuple[list[Today], str]:
    from drill.services.plan_words import why_plain

    day = drill.store.today()
    history = drill.store.summary(day)
    states = drill.store.states()
    chosen = settings(drill)
    seed = day + len(history.answered_today)
    planned = plan_session(heads, states, history, chosen, day, seed, minutes)
    if limit is not None:
        planned = planned[:limit]
    if planned:
        return [
            Today(replace(p, why=why_plain(p, states.get(p.item_id), day))) for p in planned
        ], ""
    if heads and history.new_today >= chosen.new_per_day:
        return [], new_done(chosen.new_per_day, f" in {topic}" if topic else "")
    return [], _nothing(drill, heads, topic)


def _nothing(drill: Drill, heads: Mapping[str, Head], topic: str) -> str:
    where = f" in {topic}" if topic else ""
    if not heads:
        return f"There is nothing to ask{where}: no items are available."
    if _all_suspended(drill, heads):
        return all_suspended(where)
    if not drill.store.summary(drill.store.today()).answered_today:
        return f"Nothing{where} is to be asked today."
    return f"Everything available{where} was asked today."


def new_done(count: int, where: str = "") -> str:
    """Said where nothing is due and plain FSRS has brought its new items of the day."""
    items = "1 new item is" if count == 1 else f"{count} new items are"
    return (
        f"Nothing is due{where}, and today's {items} done. "
        "`new_per_day` in config.toml changes that."
    )


def all_suspended(where: str = "") -> str:
    """Said where everything that could be asked is suspended; `where`: ` in serving`."""
    return f"All questions{where} are suspended; browse (b) brings them back."


def _all_suspended(drill: Drill, heads: Mapping[str, Head]) -> bool:
    states = drill.store.states()
    return all(item in states and states[item].suspended for item in heads)


def countdown(drill: Drill) -> int | None:
    """Days to the interview; None without a date or when it is over."""
    return drill.profile.days_left(date_of_day(drill.store.today()))

"""What today's session asks: the learner's settings and data handed to the pure planner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill.domain.memory.queue import Planned, QueueSettings, plan_session
from drill.domain.memory.study_day import day_of_date

if TYPE_CHECKING:
    from drill.services.app import Drill

LIMIT_MINUTES = 24 * 60.0
"""Length of a session that is bounded by a count of items instead of by time."""


def settings(drill: Drill) -> QueueSettings:
    """The planner's settings from the profile and `config.toml`."""
    profile = drill.profile
    day = profile.interview_date
    return QueueSettings(
        level=profile.level,
        roles=(profile.role,) if profile.role else (),
        new_per_day=drill.config.new_per_day,
        interview_day=None if day is None else day_of_date(day),
        target_recall=drill.config.desired_retention,
    )


def plan(
    drill: Drill, minutes: float, *, topic: str = "", limit: int | None = None
) -> tuple[list[Planned], str]:
    """Items in the order to ask them, and why there are none where there are none."""
    heads = drill.askable()
    if topic:
        heads = {i: head for i, head in heads.items() if head.topic == topic}
    day = drill.store.today()
    history = drill.store.summary(day)
    chosen = settings(drill)
    seed = day + len(history.answered_today)
    length = LIMIT_MINUTES if limit is not None else minutes
    planned = plan_session(heads, drill.store.states(), history, chosen, day, seed, length)
    if limit is not None:
        planned = planned[:limit]
    if planned:
        return planned, ""
    where = f" in {topic}" if topic else ""
    if not heads:
        return [], f"There is nothing to ask{where}: no items are available."
    if history.new_today >= chosen.new_per_day:
        return [], (
            f"Nothing is due{where}, and today's {chosen.new_per_day} new items are done. "
            "`new_per_day` in config.toml changes that."
        )
    return [], f"Everything available{where} was asked today."

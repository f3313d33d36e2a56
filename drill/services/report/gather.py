"""Everything that a report tells, read once: the services' documents and what only it shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from drill import __version__
from drill.domain.memory.study_day import date_of_day, day_of_date
from drill.domain.statistics.model import Statistics
from drill.services.outlook_document import Outlook
from drill.services.report import summary
from drill.services.report.answers import practice, topic_title
from drill.services.report.document import (
    FORMAT,
    BeliefRow,
    Learner,
    MockDocument,
    Report,
    Scope,
    Strength,
)
from drill.services.report.mocks import interview, interviews, run_ids
from drill.services.report.scope import Wanted, long_date, scope_of
from drill.services.report.steps import Known, after_interview, gaps, steps
from drill.services.report.text import cleaned

if TYPE_CHECKING:
    from drill.services.app import Drill

STRONG_SHARE = 0.6
"""A topic is a strength where its share of right first answers is surely (95 %) above this."""
MOST_STRENGTHS = 4
WORK = 58_000
"""Items times days times futures that are simulated, about 1.2 s of work."""
LEAST_FUTURES, MOST_FUTURES = 3, 10


def gather(drill: Drill, wanted: Wanted) -> Report:
    """The report on what is asked for, as of now.

    Raises:
        ScopeError: a period that is none.
        NoInterviewError: no interview with such an id, or several.
    """
    today = date_of_day(drill.store.today())
    if wanted.mock:
        scope_of(wanted, today)
        found = interview(drill, wanted.mock)
        words = f"The mock interview of {long_date(found.date)}: {found.settings}"
        return cleaned(_of_interview(drill, scope_of(wanted, today, words), found))
    return cleaned(_of_period(drill, scope_of(wanted, today), today))


def _of_period(drill: Drill, scope: Scope, today: date) -> Report:
    from drill.services.report.experiments import runs
    from drill.services.report.reading import Library
    from drill.services.statistics import every_mock, statistics

    since = date.fromisoformat(scope.since) if scope.since else None
    since_day = None if since is None else day_of_date(since)
    learner, ever = _learner(drill, today), _answered(drill)
    told = statistics(drill, since_day)
    practised = practice(drill, told.since_day, told.days)
    ahead = _outlook(drill, learner) if ever else None
    beliefs = _beliefs(told, scope)
    strong = _strengths(told)
    ran = runs(drill, since)
    held = interviews(drill, since_day)
    known = Known(
        learner=learner,
        today=drill.store.today(),
        bank_items=told.totals.items,
        answered_ever=ever,
        statistics=told,
        practice=practised,
        outlook=ahead,
        beliefs=beliefs,
        belief_topics={row.id: row.topic for row in told.beliefs.beliefs},
        ran=ran is not None,
        gaps=gaps(held[0]) if held else {},
        earlier_mocks=()
        if since_day is None
        else [mock for mock in every_mock(drill) if mock.day < since_day],
    )
    next_steps = steps(known, Library(drill).about)
    return Report(
        format=FORMAT,
        drill=__version__,
        made=_made(drill),
        title=_title(scope, learner),
        scope=scope,
        learner=learner,
        bank_items=known.bank_items,
        answered_ever=ever,
        summary=summary.paragraphs(
            scope, learner, known.bank_items, ever, ahead, told, practised, strong, beliefs, ran,
            next_steps,
        ),
        facts=summary.facts(ahead, told, beliefs),
        outlook=ahead,
        statistics=told,
        practice=practised,
        strengths=strong,
        beliefs=beliefs,
        runs=ran,
        mocks=held,
        steps=next_steps,
        notes=_notes(told),
    )  # fmt: skip


def _outlook(drill: Drill, learner: Learner) -> Outlook:
    """What is stored of today where it fits, else one of fewer futures than the plan's screen."""
    from drill.services.outlook import outlook

    days, items = max(1, learner.days_left or 1), max(1, len(drill.askable()))
    fits = round(WORK / (2 * days * items))
    return outlook(drill, futures=max(LEAST_FUTURES, min(MOST_FUTURES, fits)))


def _of_interview(drill: Drill, scope: Scope, found: MockDocument) -> Report:
    from drill.services.report.experiments import runs
    from drill.services.report.reading import Library

    learner = _learner(drill, date_of_day(drill.store.today()))
    return Report(
        format=FORMAT,
        drill=__version__,
        made=_made(drill),
        title=f"Mock interview of {long_date(found.date)}",
        scope=scope,
        learner=learner,
        bank_items=len(drill.askable()),
        answered_ever=_answered(drill),
        summary=summary.of_interview(found),
        facts=(),
        outlook=None,
        statistics=None,
        practice=None,
        strengths=(),
        beliefs=_shown_beliefs(drill, found),
        runs=runs(drill, None, run_ids(found)),
        mocks=(found,),
        steps=after_interview(found, Library(drill).about),
        notes=(),
    )


def _learner(drill: Drill, today: date) -> Learner:
    profile = drill.profile
    return Learner(
        level=profile.level,
        role=profile.role or "",
        interview=profile.interview,
        days_left=profile.days_left(today),
        minutes=profile.minutes,
    )


def _answered(drill: Drill) -> int:
    row = drill.store.access.row("SELECT count(*) FROM answers")
    return int(row[0]) if row else 0


def _made(drill: Drill) -> str:
    return drill.clock().replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def _title(scope: Scope, learner: Learner) -> str:
    if learner.interview and learner.days_left is not None:
        return f"Study report for the interview on {long_date(learner.interview)}"
    return "Study report"


def _strengths(told: Statistics) -> tuple[Strength, ...]:
    rows = [row for row in told.topics if row.accuracy.answers and row.accuracy.low > STRONG_SHARE]
    rows.sort(key=lambda row: (-row.accuracy.low, row.topic))
    return tuple(
        Strength(row.topic, topic_title(row.topic), row.accuracy, row.recall, row.seen, row.items)
        for row in rows[:MOST_STRENGTHS]
    )


def _beliefs(told: Statistics, scope: Scope) -> tuple[BeliefRow, ...]:
    """Those that are open, and those that were mended, in a period only if shown in it."""
    rows = [
        BeliefRow(
            id=row.id,
            belief=row.belief,
            correction=row.correction,
            topic=topic_title(row.topic),
            status=row.status,
            shown=row.shown,
            returned=row.returned,
            last=row.last_date,
            sure=row.sure,
            right_days=row.right_days,
        )
        for row in told.beliefs.beliefs
        if row.status != "cleared" or row.last_date >= scope.since
    ]
    order = {"held": 0, "shaken": 1, "cleared": 2}
    return tuple(sorted(rows, key=lambda row: (order[row.status], not row.sure)))


def _shown_beliefs(drill: Drill, found: MockDocument) -> tuple[BeliefRow, ...]:
    """The beliefs that the answers of an interview showed."""
    registry = drill.bank.misconceptions
    rows: dict[str, BeliefRow] = {}
    entries: Sequence[dict[str, Any]] = found.document["transcript"]
    for entry in entries:
        for belief in entry["beliefs"]:
            name = str(belief["id"])
            known = registry.get(name)
            topic = known.topic if known else str(entry["topic"])
            rows[name] = BeliefRow(
                id=name,
                belief=known.belief if known else str(belief["belief"]),
                correction=known.correction if known else "",
                topic=topic_title(topic),
                status="held",
                shown=1 + (rows[name].shown if name in rows else 0),
                returned=0,
                last=found.date,
                sure=False,
                right_days=0,
            )
    return tuple(rows.values())


def _notes(told: Statistics) -> tuple[str, ...]:
    made = []
    if told.totals.gone:
        gone = told.totals.gone
        made.append(
            f"{gone} answered {'question has' if gone == 1 else 'questions have'} left the bank: "
            "their answers count, their texts are not shown."
        )
    if told.totals.overruled:
        overruled = told.totals.overruled
        made.append(
            f"{overruled} {'grade is' if overruled == 1 else 'grades are'} the learner's own: "
            "they overruled the automatic one."
        )
    return tuple(made)

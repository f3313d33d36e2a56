"""The end of an interview: what goes into the log, what comes back, and former interviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from drill.domain.interview.credit import atoms, weight_at
from drill.domain.interview.state import Record
from drill.domain.memory.rating import grade_of
from drill.domain.questions import Question
from drill.domain.verdict import PASS_MARK
from drill.services.mock_document import answered, document
from drill.store.entry import Review

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.mock import Mock
    from drill.store.sessions import Session as StoredSession

SIBLING_DAYS = 7
"""Study days after an interview from which another one like it is offered."""


def finish(drill: Drill, mock: Mock) -> dict[str, Any]:
    """End an interview: keep its document and its answers, and make what was missed due tomorrow.

    What was passed is released to practice as new. Finishing twice has the effect of once.
    """
    mock.end_questions()
    interview = replace(mock.interview, phase="done")
    made = document(mock)
    missed: dict[str, int] = {}
    tomorrow = drill.store.today() + 1
    for review in _log(drill, mock):
        if review.auto_score < PASS_MARK:
            missed[review.item_id] = tomorrow
    made["due_tomorrow"] = sorted(missed)
    stored = drill.store.sessions.get(mock.id)
    if stored.ended is None:
        if missed:
            drill.store.advance(missed, mock.id)
        drill.store.sessions.save_plan(mock.id, interview.to_json(), stored.position)
        drill.store.sessions.end(mock.id, made)
    mock.interview = interview
    return made


def _log(drill: Drill, mock: Mock) -> list[Review]:
    """Put every answer that was judged into the log, once."""
    reviews = [
        _review(mock, question, record)
        for question, record in answered(mock)
        if atoms(question, record)
    ]
    for review in reviews:
        drill.store.record(review)
    return reviews


def _review(mock: Mock, question: Question, record: Record) -> Review:
    own = atoms(question, record)
    level = mock.interview.settings.level
    counted = [a for a in own if a.essential and weight_at(a, level)[1] > 0] or own
    weight = sum(a.weight for a in counted)
    score = sum(a.weight * a.low for a in counted) / weight
    ticked = sum(a.weight * a.high for a in counted) / weight
    head = question.head
    ended = mock.interview.seconds if record.ended is None else record.ended
    seconds = max(0.0, ended - record.began)
    grade = int(grade_of(score, None, record.hints, seconds, head.seconds))
    beliefs = [b for turn in record.turns if turn.judged for b in turn.judged.beliefs]
    points = [a for a in own if a.id and not a.belief]
    states = {a.id: "credited" if a.low > 0 else "missed" for a in points}
    for name in record.ticks:
        states[name.removeprefix("-")] = "unticked" if name.startswith("-") else "ticked"
    return Review(
        item_id=head.id,
        type=head.type,
        content_hash=head.content_hash,
        seed=record.seed,
        answer="\n\n".join(turn.text for turn in record.turns if turn.text)[:20_000],
        auto_score=min(1.0, score),
        auto_grade=grade,
        grade=grade,
        mode="mock",
        duration_ms=round(seconds * 1000),
        expected_seconds=head.seconds,
        hints=record.hints,
        self_score=min(1.0, ticked) if record.ticks else None,
        session_id=mock.id,
        points=states,
        misconceptions=tuple(dict.fromkeys(beliefs)),
        run_id=record.run_id,
        uuid=_uuid(mock.id, head.id),
    )


def _uuid(session_id: str, item_id: str) -> str:
    """The same for the same answer, so that finishing twice records it once."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"drill:mock:{session_id}:{item_id}"))


def give_up(drill: Drill, mock: Mock) -> None:
    """End an interview without a scorecard; what was answered stays in the log."""
    mock.end_questions()
    _log(drill, mock)
    drill.store.sessions.end(mock.id)


def held(drill: Drill, limit: int = 50) -> list[StoredSession]:
    """Finished interviews with a scorecard, newest first."""
    from drill.services.mock import KIND

    found = drill.store.sessions.recent(limit, KIND)
    return [session for session in found if session.ended is not None and session.summary]


def row(drill: Drill, session: StoredSession) -> dict[str, Any]:
    """One line about a former interview, as JSON."""
    from drill.domain.memory.study_day import date_of_day

    summary = session.summary
    card = summary["scorecard"]
    own = card["bars"][card["level"]]
    return {
        "id": session.id,
        "date": date_of_day(session.study_day).isoformat(),
        "settings": summary["settings"],
        "band": own["band"],
        "low": own["low"],
        "high": own["high"],
        "missing": own["missing"],
        "due_tomorrow": len(summary.get("due_tomorrow", ())),
    }


def find(drill: Drill, prefix: str) -> Mapping[str, Any]:
    """The document of the interview whose id begins so, or of the `last` one; raises KeyError."""
    found = held(drill, 1000)
    if prefix == "last":
        found = found[:1]
    else:
        found = [session for session in found if session.id.startswith(prefix)]
    if len(found) != 1:
        said = "no interview" if not found else f"{len(found)} interviews"
        raise KeyError(f"{said} with an id that begins with {prefix!r}; `drill mock list` has them")
    return {"id": found[0].id, "started": found[0].started, **found[0].summary}


def sibling(drill: Drill) -> dict[str, Any] | None:
    """Settings for another interview like the last one, once it is a week old; None before."""
    last = next(iter(held(drill, 5)), None)
    if last is None or drill.store.today() - last.study_day < SIBLING_DAYS:
        return None
    settings = dict(last.summary["settings"])
    settings["seed"] = int(settings["seed"]) + 1
    return {"of": last.id, "study_day": last.study_day, "settings": settings}

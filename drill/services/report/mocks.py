"""Interviews as the report shows them: whole documents of the newest, or of the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drill.domain.memory.study_day import date_of_day
from drill.services.mock_report import find, held
from drill.services.mock_words import band_words, settings_words
from drill.services.report.document import MockDocument

if TYPE_CHECKING:
    from drill.services.app import Drill

MOST_WHOLE = 3
"""Interviews with scorecard and transcript in a report of a period."""
MOST_HELD = 200


class NoInterviewError(Exception):
    """There is no such interview, or there are several; the message says which."""


def interview(drill: Drill, prefix: str) -> MockDocument:
    """The interview whose id begins so, or the `last` one; raises NoInterviewError."""
    try:
        document = find(drill, prefix)
    except KeyError as error:
        raise NoInterviewError(str(error.args[0])) from None
    session = drill.store.sessions.get(str(document["id"]))
    return _document(session.id, session.study_day, document)


def interviews(drill: Drill, since_day: int | None) -> tuple[MockDocument, ...]:
    """The newest interviews since a study day, newest first."""
    found = [
        session
        for session in held(drill, MOST_HELD)
        if since_day is None or session.study_day >= since_day
    ]
    return tuple(_document(s.id, s.study_day, s.summary) for s in found[:MOST_WHOLE])


def _document(session_id: str, day: int, document: Mapping[str, Any]) -> MockDocument:
    card = document["scorecard"]
    return MockDocument(
        id=session_id,
        date=date_of_day(day).isoformat(),
        settings=settings_words(document["settings"]),
        band=band_words(card["bars"][card["level"]]),
        document=dict(document),
    )


def run_ids(interview: MockDocument) -> list[str]:
    """The experiment runs that judged answers of an interview."""
    return [entry["run"] for entry in interview.document["transcript"] if entry.get("run")]

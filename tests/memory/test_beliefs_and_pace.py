"""Misconceptions held and cleared, and the learner's own pace."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from drill.domain.memory.beliefs import beliefs
from drill.domain.memory.pace import HistorySummary, PaceSample, shrunk, summarise


@dataclass(frozen=True)
class Said:
    item_id: str
    study_day: int
    grade: int
    misconceptions: tuple[str, ...] = ()
    confidence: int | None = 2
    mode: str = "session"


SHOWS = {"a": ("m",), "b": ("m", "n"), "c": ()}


def status(*said: Said) -> str:
    return beliefs(said, SHOWS)["m"].status


def test_a_shown_belief_is_held_until_two_days_of_right_answers() -> None:
    shown = Said("a", 1, 1, ("m",))
    assert status(shown) == "held"
    assert status(shown, Said("b", 2, 3)) == "shaken"
    assert status(shown, Said("b", 2, 3), Said("a", 2, 4)) == "shaken"
    assert status(shown, Said("b", 2, 3), Said("a", 5, 3)) == "cleared"


def test_showing_it_again_starts_over() -> None:
    said = [Said("a", 1, 1, ("m",)), Said("b", 2, 3), Said("a", 5, 3), Said("b", 6, 1, ("m",))]
    found = beliefs(said, SHOWS)["m"]
    assert (found.status, found.shown, found.first_day, found.last_day) == ("held", 2, 1, 6)
    assert found.last_item == "b"


@pytest.mark.parametrize(
    "weak",
    [
        Said("b", 2, 1),
        Said("b", 2, 3, confidence=1),
        Said("b", 1, 3, mode="retry"),
        Said("c", 2, 3),
    ],
)
def test_what_is_no_evidence_against_it(weak: Said) -> None:
    assert status(Said("a", 1, 1, ("m",)), weak) == "held"


def test_the_item_that_showed_it_counts_even_where_its_head_does_not_say_so() -> None:
    assert status(Said("c", 1, 1, ("m",)), Said("c", 2, 3)) == "shaken"


def test_sure_is_kept_and_unshown_beliefs_are_not_listed() -> None:
    found = beliefs([Said("b", 1, 1, ("m",), confidence=3)], SHOWS)
    assert set(found) == {"m"}
    assert found["m"].sure


def sample(type_: str, seconds: float, at: float = 0.0, session: str = "s") -> PaceSample:
    return PaceSample(type_, seconds, 30.0, at, session)


def test_the_median_is_pulled_to_the_declared_time_and_wins_with_evidence() -> None:
    assert shrunk([], 1.0) == 1.0
    assert shrunk([2.0] * 8, 1.0) == pytest.approx(1.5)
    assert shrunk([2.0] * 792, 1.0) == pytest.approx(1.99)
    assert shrunk([1.0, 1.0, 100.0], 1.0) == pytest.approx(1.0)


def test_pace_by_type_falls_back_to_the_overall_pace() -> None:
    summary = summarise([], 0, [sample("choice", 60.0)] * 60)
    assert 1.8 < summary.seconds("choice", 1.0) < 2.0
    assert summary.seconds("code", 100.0) == pytest.approx(100 * summary.overall_pace)
    assert summary.overall_pace > 1.5
    wild = summarise([], 0, [sample("choice", 6000.0)] * 60)
    assert wild.seconds("choice", 1.0) <= 3.0
    assert HistorySummary().seconds("choice", 40.0) == 40.0


def test_feedback_time_is_the_gap_between_answers_of_a_session() -> None:
    one = [sample("choice", 10.0, at=n * 40.0) for n in range(100)]
    assert summarise([], 0, one).feedback_seconds == pytest.approx(30.0, abs=1.5)
    breaks = [sample("choice", 10.0, at=n * 4000.0) for n in range(100)]
    assert summarise([], 0, breaks).feedback_seconds == 15.0
    apart = [sample("choice", 10.0, at=n * 40.0, session=str(n)) for n in range(100)]
    assert summarise([], 0, apart).feedback_seconds == 15.0

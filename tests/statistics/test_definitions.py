"""Each definition on a log small enough to be counted by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from drill.domain.memory.state import DEFAULT_DECAY, recall_after
from drill.domain.statistics.activity import activity, heat, local_hour, streaks, year
from drill.domain.statistics.calibration import STATED, calibration
from drill.domain.statistics.evidence import Given, placed, stability_of
from drill.domain.statistics.retention import retention
from drill.domain.statistics.times import predictions, times
from tests.statistics.making import DAY, given


def counts(answers: list[Given], day: int = 0, window: int = -1) -> tuple[int, int]:
    found = retention(answers, DAY + day)[window].all
    return found.right, found.answers


# -- true retention ----------------------------------------------------------------------


def test_retention_counts_the_first_answer_of_a_later_day() -> None:
    log = [
        given("a", 0, recall=None, stability=None, elapsed=None),  # met for the first time
        given("a", 0, 1, mode="retry"),
        given("a", 1, 1),  # forgotten
        given("a", 1, 3),  # again on that day
        given("a", 3, 2),  # Hard is a pass
        given("b", 3, 3, recall=None, stability=None, elapsed=None),
    ]
    assert counts(log, 3) == (1, 2)


@pytest.mark.parametrize("mode", ["retry", "placement", "mock", "cram"])
def test_other_modes_are_no_test_of_memory(mode: str) -> None:
    assert counts([given(), given(day=1, mode=mode)], 1) == (0, 0)


def test_an_interview_on_the_same_day_comes_first() -> None:
    """The feedback has been read: what follows on that day does not test memory."""
    met = given()
    assert counts([met, given(day=5, mode="mock"), given(day=5)], 5) == (0, 0)
    assert counts([met, given(day=5, mode="mock"), given(day=6)], 6) == (1, 1)


def test_an_item_without_a_memory_is_not_counted() -> None:
    """Only an interview has asked it: nothing was scheduled."""
    asked = given(mode="mock", recall=None, stability=None, elapsed=None)
    assert counts([asked, given(day=1, recall=None, stability=None, elapsed=None)], 1) == (0, 0)


def test_mature_begins_at_21_days() -> None:
    log = [given(), given("b"), given("c")]
    log += [
        given("a", 30, stability=20.99),
        given("b", 30, 1, stability=21.0),
        given("c", 30, stability=80.0),
    ]
    (found,) = retention(log, DAY + 30)[-1:]
    assert (found.young.right, found.young.answers) == (1, 1)
    assert (found.mature.right, found.mature.answers) == (1, 2)
    assert found.all.share == pytest.approx(2 / 3)
    assert found.predicted == pytest.approx(0.9)


@pytest.mark.parametrize("stability", [1.0, 20.5, 150.0])
def test_stability_follows_from_recall_where_no_state_was_kept(stability: float) -> None:
    recall = recall_after(17, stability)
    answer = given(stability=None, recall=recall, elapsed=17)
    assert stability_of(answer, DEFAULT_DECAY) == pytest.approx(stability)


def test_windows_end_today_and_begin_within_the_period() -> None:
    log = [given("a", day) for day in range(0, 100, 1)]
    found = retention(log, DAY + 99)
    assert [(each.days, each.all.answers) for each in found] == [
        (7, 7), (30, 30), (90, 90), (None, 99),
    ]  # fmt: skip
    since = retention(log, DAY + 99, since_day=DAY + 71)
    assert [(each.days, each.all.answers) for each in since] == [(7, 7), (None, 29)]
    whole = retention(log, DAY + 99, since_day=DAY + 70)
    assert [(each.days, each.all.answers) for each in whole] == [(7, 7), (None, 30)]


def test_a_clock_set_back_makes_no_gap() -> None:
    log = [given("a", 5), given("a", 4), given("a", 5)]
    assert [each.gap for each in placed(log)] == [None, 0, 0]
    assert counts(log, 5) == (0, 0)


@examples(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 12),
            st.integers(1, 4),
            st.sampled_from(["session", "retry", "mock"]),
        ),
        max_size=40,
    )
)
@settings(max_examples=150, deadline=None)
def test_retention_against_the_definition_word_by_word(
    rows: list[tuple[str, int, int, str]],
) -> None:
    rows.sort(key=lambda each: each[1])
    log = [given(item, day, grade, mode=mode) for item, day, grade, mode in rows]
    passed = asked = 0
    for n, (item, day, grade, mode) in enumerate(rows):
        before = [d for i, d, _, _ in rows[:n] if i == item]
        if mode == "session" and before and max(before) < day:
            asked += 1
            passed += grade >= 2
    assert counts(log, 12) == (passed, asked)


# -- days, streaks, the year ---------------------------------------------------------------


def test_days_count_every_mode() -> None:
    log = [
        given("a", 0, 1, seconds=60),
        given("a", 0, 3, mode="retry", seconds=30),
        given("b", 0, 3, mode="mock", seconds=90),
        given("a", 2, 3, seconds=60, overruled=True),
    ]
    fold = activity(log)
    assert [(d.day - DAY, d.answers, d.right, d.first, d.minutes) for d in fold.days()] == [
        (0, 3, 2, 2, 3.0),
        (2, 1, 1, 0, 1.0),
    ]
    assert fold.modes == {"session": 2, "retry": 1, "mock": 1}
    assert (fold.items, fold.overruled) == ({"a", "b"}, 1)


def test_streaks() -> None:
    found = streaks({1, 2, 3, 7, 8, 20, 21, 22}, {1, 2, 3, 7, 8, 20, 21, 22}, 23)
    assert (found.current, found.longest, found.longest_end) == (3, 3, 22)
    assert (found.studied, found.studied_30) == (8, 8)
    assert streaks({1, 2, 3}, {1, 2, 3}, 5).current == 0
    nothing = streaks(set(), set(), 5)
    assert (nothing.current, nothing.longest, nothing.longest_end) == (0, 0, None)


def test_travel_breaks_no_streak_and_is_no_day_of_study() -> None:
    """An answer given across the date line counts for the day that it would have been at home."""
    log = [given("a", 0), given("a", 1, other_day=DAY + 2), given("a", 3)]
    found = year(log).streak(DAY + 3)
    assert (found.current, found.longest, found.studied) == (4, 4, 3)


def test_the_year_is_made_of_weeks_from_monday() -> None:
    """`DAY` is a Thursday."""
    found = heat({DAY: 8, DAY - 3: 1, DAY - 4: 4, DAY - 7 * 52 - 3: 2, DAY - 7 * 52 - 4: 50}, DAY)
    assert len(found.weeks) == 53 and found.weeks[-1] == (1, 0, 0, 8, -1, -1, -1)
    assert found.weeks[-2] == (0, 0, 0, 0, 0, 0, 4)
    assert found.weeks[0] == (2, 0, 0, 0, 0, 0, 0)  # the day before is off the map
    assert found.first_day == DAY - 3 - 7 * 52
    assert found.top == 8
    assert found.levels[-1] == (1, 0, 0, 4, -1, -1, -1) and found.levels[-2][-1] == 2


def test_one_marathon_does_not_pale_the_year() -> None:
    answers = {DAY - n: 10 for n in range(1, 20)} | {DAY: 500}
    found = heat(answers, DAY)
    assert found.top == 10 and found.levels[-1][3] == 4 and found.levels[-2][3] == 4
    assert heat({}, DAY).top == 0


@pytest.mark.parametrize(
    ("at", "offset", "hour"),
    [("23:30", 60, 0), ("23:30", 0, 23), ("00:10", -30, 23), ("10:45", 330, 16), ("12:00", 840, 2)],
)
def test_hours_are_local(at: str, offset: int, hour: int) -> None:
    assert local_hour(f"2026-11-23T{at}:00.000000Z", offset) == hour
    fold = activity([given(at=f"2026-11-23T{at}:00.000000Z", offset_minutes=offset)])
    assert [h.hour for h in fold.hours() if h.right.answers] == [hour]


# -- calibration ---------------------------------------------------------------------------

TOPICS = {"a": "cfg", "b": "vae"}


def said(item: str, sure: int | None, right: bool, **changes: Any) -> Given:
    return given(item, grade=3 if right else 1, confidence=sure, **changes)


def test_calibration_by_hand() -> None:
    log = [said("a", 3, True)] * 3 + [said("a", 3, False), said("b", 1, True), said("b", 2, False)]
    log += [said("a", None, True), said("a", 3, False, mode="retry")]
    found = calibration(log, TOPICS)
    assert found.answers == 6
    assert [(c.name, c.right.right, c.right.answers) for c in found.levels] == [
        ("guess", 1, 1), ("think", 0, 1), ("sure", 3, 4),
    ]  # fmt: skip
    brier = (3 * 0.1**2 + 0.9**2 + 0.6**2 + 0.7**2) / 6
    assert found.brier == pytest.approx(brier)
    assert found.brier_flat == pytest.approx(4 / 6 * 2 / 6)
    assert STATED == {1: 0.4, 2: 0.7, 3: 0.9}


def test_a_topic_is_over_confident_beyond_chance_only() -> None:
    """4 of 10 wrong where 1 is expected: p = .0128; 2 of 10: p = .26."""
    log = [said("a", 3, n >= 4) for n in range(10)] + [said("b", 3, n >= 2) for n in range(10)]
    worse, fine = calibration(log, TOPICS).topics
    assert (worse.topic, worse.overconfident) == ("cfg", True)
    assert worse.p == pytest.approx(0.0128, abs=5e-5) and worse.expected_wrong == pytest.approx(1)
    assert (fine.topic, fine.overconfident) == ("vae", False)
    assert fine.p == pytest.approx(0.2639, abs=5e-5)


def test_many_topics_share_the_chance_of_a_false_alarm() -> None:
    """The same 4 of 10 among 5 topics is no longer beyond .05 / 5."""
    topics = {name: name for name in "abcde"}
    log = [said("a", 3, n >= 4) for n in range(10)]
    log += [said(name, 3, True) for name in "bcde"]
    assert not any(each.overconfident for each in calibration(log, topics).topics)


def test_guesses_alone_make_nobody_over_confident() -> None:
    (only,) = calibration([said("a", 1, False)], TOPICS).topics
    assert (only.p, only.overconfident) == (1.0, False)
    assert calibration([said("gone", 3, False)] * 9, TOPICS).topics == ()
    nothing = calibration([], TOPICS)
    assert nothing.brier is None and nothing.brier_flat is None and len(nothing.levels) == 3


# -- times and predictions -----------------------------------------------------------------


def test_times_by_hand() -> None:
    log = [given(seconds=s, expected=20.0) for s in (10.0, 30.0, 80.0)]
    log += [given(seconds=500.0, mode="retry"), given(seconds=500.0, mode="mock")]
    log += [given(seconds=0.0), given(type="code", seconds=60.0, expected=0.0)]
    choice, code = times(log)
    assert (choice.type, choice.answers, choice.seconds, choice.declared) == ("choice", 3, 30, 20)
    assert choice.ratio == pytest.approx(1.5)
    assert (code.seconds, code.declared, code.ratio) == (60.0, 0.0, 0.0)


def test_times_are_those_of_now() -> None:
    log = [given(seconds=100.0)] * 1500 + [given(seconds=50.0)] * 1000
    (found,) = times(log)
    assert (found.answers, found.seconds) == (2500, 50.0)


def test_predictions_by_hand() -> None:
    kind: dict[str, Any] = {"type": "predict"}
    log = [
        given("p", 0, score=0.5, **kind),
        given("p", 1, score=1.0, **kind),
        given("p", 1, score=1.0, mode="retry", **kind),
        given("q", 2, score=0.0, mode="mock", **kind),
        given("left", 3, score=1.0, run_id="r", **kind),
        given("lost", 4, score=1.0, **kind),
        given("p", 5, score=1.0),  # not a prediction
    ]
    found = predictions(log, {"p": "sweep", "q": "knee"}, {"sweep": "cfg"}, {"r": "knee"})
    told = [(e.experiment, e.lab, e.predictions.right, e.predictions.answers) for e in found]
    assert told == [("knee", "", 1, 2), ("sweep", "cfg", 1, 2), ("", "", 1, 1)]
    assert [each.score for each in found] == [0.5, 0.75, 1.0]
    assert found[1].last_date == "2024-10-04"

"""The way to the interview day: what is expected on it, what it rests on, and what is kept."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta

import msgspec
import pytest
from fsrs.scheduler import DEFAULT_PARAMETERS
from msgspec.structs import replace

from drill.domain.memory.running import Retry, Running
from drill.domain.statistics.interval import jeffreys
from drill.services import forecast, outlook, planning
from drill.services.app import Drill
from drill.services.outlook import Accuracy, Outlook
from drill.services.outlook_words import (
    clearly_lower,
    drop_lines,
    more_points,
    sentences,
    until_words,
)
from tests.conftest import Clock
from tests.services.learner import answer, crowd, interview, practise

TOPICS = ("cfg", "vae", "loop", "serving")
DAY = date(2026, 11, 23)


def to_date(drill: Drill, days: int | None, minutes: int = 10) -> None:
    interview = "" if days is None else (DAY + timedelta(days=days)).isoformat()
    drill.keep_profile(replace(drill.profile, done=True, interview=interview, minutes=minutes))


@pytest.fixture(autouse=True)
def _few_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested does not need many of them."""
    monkeypatch.setattr(forecast, "MOST_FUTURES", 6)


@pytest.fixture
def crowded(drill: Drill) -> Drill:
    crowd(drill, TOPICS, 4)
    return drill


def test_it_expects_more_on_the_day_than_today(crowded: Drill) -> None:
    to_date(crowded, 14)
    found = outlook.outlook(crowded)
    whole = found.overall
    assert (found.days_left, found.minutes, found.level) == (14, 10, "mid")
    assert whole.items == len(crowded.bank.heads) and whole.seen == 0 and whole.now == 0
    assert whole.low is not None and whole.at_date is not None and whole.high is not None
    assert 0.2 < whole.low <= whole.at_date <= whole.high < 1
    assert [t.topic for t in found.topics] == ["cfg", "vae", "loop", "serving"]
    mean = sum(t.weight * (t.at_date or 0) for t in found.topics) / whole.weight
    assert mean == pytest.approx(whole.at_date)
    assert found.today and all(item.title.startswith("What is ") for item in found.today)
    assert sum(item.seconds for item in found.today) <= 600
    assert all(item.gain > 0 and "→" in item.why for item in found.today)


def test_the_same_data_give_the_same_outlook(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, 6)
    practise(crowded, clock, 2, minutes=10)
    first = outlook.outlook(crowded)
    crowded.store.settings.delete(outlook.SETTING)
    outlook._runs.clear()
    assert outlook.outlook(crowded) == first


def test_more_minutes_help_and_too_few_leave_something_out(crowded: Drill) -> None:
    to_date(crowded, 10, minutes=5)
    found = outlook.outlook(crowded)
    assert found.more is not None and found.more.minutes == 15
    assert found.more.at_date > (found.overall.at_date or 0) + 0.05
    assert not found.enough and found.drop
    dropped = [i for each in found.drop for i in each.items]
    assert sum(t.dropped for t in found.topics) == len(dropped) == found.overall.dropped
    assert any("not enough time" in line for line in found.said)
    plenty = outlook.outlook(crowded, minutes=120)
    assert plenty.enough and not plenty.drop and "Time is enough" in " ".join(plenty.said)
    assert plenty.more is not None
    assert plenty.more.at_date - (plenty.overall.at_date or 0) < 0.03


def test_the_least_useful_questions_are_dropped_first(crowded: Drill) -> None:
    to_date(crowded, 6, minutes=5)
    found = outlook.outlook(crowded)
    each = [group.weight / len(group.items) for group in found.drop]
    assert each == sorted(each)
    lines = drop_lines(found.drop)
    assert lines[0].startswith("16 staff questions: ") and "Serving 4" in lines[0]
    assert lines[0].count(" 4; ") == 3  # a title may have commas
    assert len([line for line in lines if "staff" in line]) == 1


def test_tomorrow_and_today(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, 1)
    found = outlook.outlook(crowded)
    assert found.days_left == 1 and found.more is not None
    assert any("interview is tomorrow" in line for line in found.said)
    assert until_words(found) == "interview tomorrow, 24 Nov, 10 minutes a day"
    practise(crowded, clock, 1, minutes=10)
    found = outlook.outlook(crowded)
    assert found.days_left == 0 and found.more is None
    assert found.overall.at_date == pytest.approx(found.overall.now)
    assert {item.reason for item in found.today} <= {"ahead", "due", "retest"}
    assert any("interview today" in item.why for item in found.today)
    assert any("The interview is today" in line for line in found.said)


@pytest.mark.parametrize("days", [None, -1])
def test_without_a_date_it_says_so_and_shows_today(crowded: Drill, days: int | None) -> None:
    to_date(crowded, days)
    found = outlook.outlook(crowded)
    assert found.days_left is None and found.more is None and not found.drop
    assert found.overall.at_date is None and found.overall.low is None
    assert {item.why for item in found.today} == {"new"}
    assert ("is over" in found.said[0]) == (days is not None)
    assert days is not None or "plain FSRS" in found.said[0]


def test_practised_and_reserve_are_counted_apart(reserve: Drill, clock: Clock) -> None:
    to_date(reserve, 20)
    practise(reserve, clock, 6, minutes=15, first=0.9)
    items = [i for i, h in reserve.bank.heads.items() if h.reserve][:4]
    for item in items:
        answer(reserve, item, right=item == items[0], mode="mock")
        answer(reserve, item, right=True, mode="mock")  # met again: no longer the first time
    old = next(a.item_id for a in reserve.store.answers() if a.mode == "session")
    for mode in ("mock", "placement", "cram"):  # neither practice nor the reserve
        answer(reserve, old, right=False, mode=mode)
    found = outlook.outlook(reserve)
    tests = [a for a in reserve.store.answers() if a.mode == "session" and a.elapsed_days]
    assert found.practised.answers == len(tests) > 5
    assert found.practised.right == sum(a.grade > 1 for a in tests)
    assert (found.reserve.answers, found.reserve.right) == (4, 1)
    assert (found.reserve.low, found.reserve.high) == jeffreys(1, 4)
    clock.forward(days=30)
    assert outlook.outlook(reserve).practised.answers == 0


def test_a_reserve_clearly_under_practice_is_said_and_noise_is_not(crowded: Drill) -> None:
    def share(right: int, answers: int) -> Accuracy:
        low, high = jeffreys(right, answers)
        return Accuracy(answers, right, low, high)

    assert clearly_lower(share(8, 25), share(180, 200))
    assert not clearly_lower(share(20, 25), share(180, 200))
    assert not clearly_lower(share(1, 3), share(180, 200))
    assert clearly_lower(share(2, 6), share(180, 200))
    assert not clearly_lower(share(0, 0), share(180, 200))
    assert not clearly_lower(share(180, 200), share(8, 25))


def test_a_learner_who_forgets_faster_is_expected_to_recall_less(
    crowded: Drill, clock: Clock
) -> None:
    from drill.services.outlook_words import notes

    to_date(crowded, 18, minutes=20)
    practise(crowded, clock, 8, minutes=20, scale=0.1, seed=3)
    found = outlook.outlook(crowded)
    assert found.memory_tests > 50
    assert found.memory_low <= found.memory_scale <= found.memory_high < 0.8
    said = next(line for line in notes(found) if line.startswith("Your own reviews"))
    assert f"last {found.memory_scale:.1f} times as long as the model expects (" in said
    whole = found.overall.now
    assert whole < 0.95 * _model_now(crowded)


def test_what_other_weights_predicted_says_nothing_of_those_in_use(
    crowded: Drill, clock: Clock
) -> None:
    to_date(crowded, 18, minutes=20)
    practise(crowded, clock, 8, minutes=20, scale=0.1, seed=3)
    assert outlook.outlook(crowded, futures=2).memory_scale < 0.8
    weights = (*DEFAULT_PARAMETERS[:-1], 0.2)
    crowded.store.set_parameters(replace(crowded.store.parameters(), parameters=weights))
    found = outlook.outlook(crowded, futures=2)
    assert found.memory_tests == 0 and found.memory_scale == pytest.approx(1.0)
    crowded.store.set_parameters(replace(crowded.store.parameters(), parameters=()))
    assert outlook.outlook(crowded, futures=2).memory_scale < 0.8


def _model_now(drill: Drill) -> float:
    """Readiness now if the memory model were right."""
    from drill.domain.memory_scale import believed

    run = outlook.OutlookRun(drill, 20, drill.profile.interview_date, "x")
    run._read_standing(believed([]))
    return run.outlook.overall.now


def test_uncertainty_of_the_model_widens_the_interval(
    crowded: Drill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "MOST_FUTURES", 10)
    to_date(crowded, 16)
    practise(crowded, clock, 5, minutes=20)
    wide = outlook.outlook(crowded).overall
    monkeypatch.setattr("drill.domain.memory_scale.SPREAD", 0.01)
    monkeypatch.setattr(forecast, "ITEM_SPREAD", 0.01)
    narrow = outlook.outlook(crowded, minutes=11).overall
    assert wide.high is not None and wide.low is not None
    assert narrow.high is not None and narrow.low is not None
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_it_is_kept_until_something_changes(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, 5)
    found = outlook.outlook(crowded)
    assert outlook.stored(crowded) == found
    outlook._runs.clear()
    begun = outlook.begin(crowded)
    assert begun.done and begun.outlook == found
    answer(crowded, next(iter(crowded.bank.heads)), right=True)
    assert not outlook.begin(crowded).done and outlook.stored(crowded) == found
    newer = outlook.outlook(crowded)
    assert newer.answered_today == 1 and newer.overall.seen == 1
    clock.forward(days=1)
    assert not outlook.begin(crowded).done
    to_date(crowded, 9)
    assert outlook.stored(crowded) is None
    body = crowded.store.settings.get(outlook.SETTING)
    body["outlook"]["topics"] = 3  # as of another version of drill
    crowded.store.settings.set(outlook.SETTING, body)
    assert outlook.stored(crowded) is None


def test_another_date_is_looked_at_and_not_stored(crowded: Drill) -> None:
    to_date(crowded, 5)
    other = outlook.outlook(crowded, 25, DAY + timedelta(days=9))
    assert (other.days_left, other.minutes) == (9, 25)
    assert crowded.store.settings.get(outlook.SETTING) is None
    assert crowded.profile.minutes == 10


def test_a_run_works_in_short_steps_and_tells_how_far_it_is(crowded: Drill) -> None:
    to_date(crowded, 20)
    run = outlook.begin(crowded)
    shares, longest = [run.share], 0.0
    while not run.done:
        start = time.thread_time()
        run.advance(0.002)
        longest = max(longest, time.thread_time() - start)
        shares.append(run.share)
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0
    assert len(shares) > 100
    assert longest < 0.05  # of the processor; a step is meant to take under 10 ms


def test_work_is_bounded_by_fewer_futures(crowded: Drill) -> None:
    made = planning.inputs(crowded, crowded.store.today() + 300)
    from drill.domain.memory_scale import believed

    far = forecast.Forecast(made, believed([]), 600, 600, futures=16)
    near = forecast.Forecast(replace(made, date=made.day + 5), believed([]), 600, 600, futures=16)
    few = forecast.Forecast(made, believed([]), 600, 600, futures=2)
    assert forecast.LEAST_FUTURES <= far.futures < near.futures == 16 and few.futures == 2
    for play in (far, near, few):
        assert 2 * play.futures * play.steps * len(play._items) <= forecast.WORK
    assert near.steps >= 5 and few.steps >= 300


def test_a_date_far_away_takes_long_steps_that_end_on_it(
    crowded: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "WORK", 2 * 6 * 40 * len(crowded.bank.heads))
    to_date(crowded, 300)
    run = outlook.begin(crowded)
    shares = [run.share]
    while not run.advance(0.0):
        shares.append(run.share)
    assert 12 * 40 <= len(shares) <= 12 * 40 + 30  # a future has 40 steps
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)
    assert run.outlook.futures == 6 and (run.outlook.overall.at_date or 0) > 0.5


def test_futures_differ_in_the_learner_and_in_the_items(crowded: Drill) -> None:
    from math import log
    from statistics import mean, stdev

    from drill.domain.memory_scale import ITEM_SPREAD, SPREAD, believed

    made = planning.inputs(crowded, crowded.store.today() + 5)
    play = forecast.Forecast(made, believed([]), 600, 600, futures=16)
    logs = [[log(scale) for scale in play._drawn(k)[0].values()] for k in range(16)]
    spread = mean(stdev(future) for future in logs)
    assert spread == pytest.approx(ITEM_SPREAD, abs=0.05)
    common = [mean(future) for future in logs]
    assert stdev(common) == pytest.approx(SPREAD, abs=0.1)
    chances = [play._drawn(k)[1][0].first_right for k in range(16)]
    assert len(set(chances)) == 16
    assert mean(chances) == pytest.approx(0.45, abs=0.15)


def test_the_next_day_is_planned_ahead(
    crowded: Drill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_date(crowded, 5)
    practise(crowded, clock, 1, minutes=10)
    outlook.outlook(crowded)
    clock.forward(days=1)
    kept = planning.plan(crowded, 10)
    crowded.store.settings.delete(planning.PLANS)
    assert kept == planning.plan(crowded, 10) and kept[0]
    clock.forward(days=-1)
    outlook._runs.clear()
    crowded.store.settings.delete(outlook.SETTING)
    outlook.outlook(crowded)
    clock.forward(days=1)

    def never(*_: object) -> None:
        raise AssertionError("planned anew")

    with monkeypatch.context() as patched:
        patched.setattr(planning, "_dated", never)
        assert planning.plan(crowded, 10) == kept
        for arguments in ((11, ""), (10, "cfg")):
            with pytest.raises(AssertionError):
                planning.plan(crowded, arguments[0], topic=str(arguments[1]))
    answer(crowded, kept[0][0].item_id, right=True)
    assert kept[0][0].item_id not in {p.item_id for p in planning.plan(crowded, 10)[0]}


def test_a_quick_look_is_not_stored_and_takes_what_is(crowded: Drill) -> None:
    to_date(crowded, 5)
    assert outlook.outlook(crowded, futures=2).futures == 2
    assert outlook.stored(crowded) is None
    whole = outlook.outlook(crowded)
    assert whole.futures == 6 and outlook.outlook(crowded, futures=2) == whole


def test_a_begun_session_is_today(crowded: Drill) -> None:
    to_date(crowded, 12)
    session = crowded.start_session()
    assert session.asked is not None
    first = session.asked.question.head.id
    session.skip()  # the plan itself would ask it first
    before = outlook.outlook(crowded)
    assert [i.item_id for i in before.today] == [p.item_id for p in session._running.upcoming]
    assert before.today[-1].item_id == first and "→" in before.today[0].why
    session.suspend()
    after = outlook.outlook(crowded)
    assert [i.item_id for i in after.today] == [i.item_id for i in before.today[1:]]


@pytest.mark.parametrize("days", [12, None])
def test_used_minutes_leave_no_plan_for_today_and_another_session_is_whole(
    crowded: Drill, days: int | None
) -> None:
    to_date(crowded, days)
    for item in list(crowded.bank.heads)[:3]:
        answer(crowded, item, right=True, seconds=250)
    found = outlook.outlook(crowded)
    assert not found.today and found.empty == planning.MINUTES_USED
    assert found.answered_today == 3
    session = crowded.start_session()
    assert crowded.store.sessions.get(session.id).minutes == 10
    assert 300 < session._running.seconds_left <= 600


@pytest.mark.parametrize("days", [12, None])
def test_the_plan_shows_the_session_that_begins(crowded: Drill, days: int | None) -> None:
    to_date(crowded, days, minutes=20)
    for item in list(crowded.bank.heads)[:4]:
        answer(crowded, item, right=True, seconds=150)
    shown = outlook.outlook(crowded).today
    assert shown and sum(item.seconds for item in shown) <= 600  # of 1200
    session = crowded.start_session()
    assert [p.item_id for p in session._running.upcoming] == [item.item_id for item in shown]


def test_the_reading_of_feedback_uses_minutes_too(crowded: Drill) -> None:
    to_date(crowded, 12)
    assert planning.session_minutes(crowded) == planning.minutes_left(crowded, 10) == 10
    answer(crowded, next(iter(crowded.bank.heads)), right=True, seconds=240)
    read = crowded.store.summary(crowded.store.today()).feedback_seconds / 60
    assert read > 0 and planning.session_minutes(crowded) == pytest.approx(6 - read)


def test_an_open_session_makes_the_outlook_anew(crowded: Drill) -> None:
    to_date(crowded, 12)
    before = outlook.outlook(crowded)
    session = crowded.start_session(minutes=20)  # longer than what was planned
    found = outlook.outlook(crowded)
    assert len(found.today) == len(session._running.upcoming) > len(before.today)
    session.skip()
    moved = outlook.outlook(crowded)
    assert [i.item_id for i in moved.today] == [p.item_id for p in session._running.upcoming]
    assert moved.today[-1] == replace(found.today[0], why=moved.today[-1].why)


def test_what_comes_back_is_part_of_an_open_session(crowded: Drill) -> None:
    to_date(crowded, 12)
    session = crowded.start_session()
    item = session._running.upcoming[0]
    only = Running(upcoming=(), retries=(Retry(item.item_id, 3, 0, 30.0),))
    crowded.store.sessions.save_plan(session.id, {"running": only.to_json()}, 3)
    (again,) = outlook.outlook(crowded).today
    assert (again.item_id, again.reason, again.seconds) == (item.item_id, "retry", 30.0)
    over = {"running": Running(upcoming=()).to_json()}
    crowded.store.sessions.save_plan(session.id, over, 4)
    assert len(outlook.outlook(crowded).today) > 1  # the next session


@pytest.mark.parametrize("days", [0, 12, None])
def test_what_was_wrong_today_is_not_taken_as_known(crowded: Drill, days: int | None) -> None:
    to_date(crowded, days)
    items = [i for i, head in crowded.bank.heads.items() if head.topic == "cfg"]
    for item in items:
        answer(crowded, item, right=False)
    cfg = outlook.outlook(crowded).topics[0]
    assert cfg.seen == cfg.items and 0.3 < cfg.now < 0.8
    if days == 0:
        assert cfg.at_date == cfg.now and cfg.low is not None and cfg.high is not None
        assert cfg.low < cfg.now < cfg.high < 0.95


def test_the_date_changes_nothing_of_now(crowded: Drill, clock: Clock) -> None:
    to_date(crowded, 18, minutes=20)
    practise(crowded, clock, 8, minutes=20, scale=0.1, seed=3)
    dated = outlook.outlook(crowded)
    plain = outlook.outlook(crowded, date=None)
    assert plain.days_left is None and dated.days_left == 10
    assert plain.memory_scale == dated.memory_scale < 0.8
    assert [(t.topic, t.now) for t in plain.topics] == [(t.topic, t.now) for t in dated.topics]
    assert plain.overall.now == dated.overall.now > 0
    assert crowded.store.settings.get(outlook.SETTING)["key"] != outlook.begin(crowded, 21).key


@pytest.mark.parametrize("days", [0, 12, None])
def test_with_everything_suspended_it_says_so(crowded: Drill, days: int | None) -> None:
    to_date(crowded, days)
    items = list(crowded.bank.heads)
    for item in items[1:]:
        crowded.store.suspend(item)
    answer(crowded, items[0], right=True)
    overview = crowded.overview()
    assert sum(row["items"] for row in overview.topics.values()) == 1
    assert overview.suspended == len(items) - 1 and overview.new == overview.due == 0
    crowded.store.suspend(items[0])
    found = outlook.outlook(crowded)
    said = " ".join(found.said)
    assert found.empty == "All questions are suspended; browse (b) brings them back."
    assert not found.today and found.overall.items == 0 and found.overall.at_date is None
    assert "Time is enough" not in said and "you would recall 0%" not in said
    assert not any(row["items"] for row in crowded.overview().topics.values())


def test_an_interview_today_with_nothing_practised(crowded: Drill) -> None:
    to_date(crowded, 0)
    found = outlook.outlook(crowded)
    told = " ".join((*found.said, found.empty))
    assert "warm-up" not in told and "was looked at" not in told and "0%" not in told
    assert "practice has not asked anything yet" in told
    assert "nothing was practised that could be looked at again" in found.empty
    answer(crowded, next(iter(crowded.bank.heads)), right=True)
    found = outlook.outlook(crowded)
    told = " ".join((*found.said, found.empty))
    assert "warm-up" in told and "what was practised was looked at today" in told


def test_more_minutes_are_told_between_the_figures_that_are_shown(crowded: Drill) -> None:
    to_date(crowded, 3)
    found = outlook.outlook(crowded)
    assert found.more is not None and found.overall.at_date is not None

    def told(at_date: float, more: float) -> tuple[int | None, str]:
        assert found.more is not None
        shown = replace(
            found,
            overall=replace(found.overall, at_date=at_date),
            more=replace(found.more, at_date=more),
        )
        return more_points(shown), " ".join(sentences(shown))

    points, said = told(0.8745, 0.9052)  # a difference of 3.07 between 87 % and 91 %
    assert points == 4 and "would make it 91%." in said
    assert told(0.874, 0.876)[0] == 1
    points, said = told(0.8760, 0.8840)
    assert points == 0 and "would add less than 1 percentage point." in said


def test_nothing_is_told_of_more_minutes_than_a_day_may_have(crowded: Drill) -> None:
    to_date(crowded, 3, minutes=231)
    found = outlook.outlook(crowded)
    assert found.more is None and found.overall.at_date
    assert "more minutes a day" not in " ".join(found.said)
    most = outlook.outlook(crowded, minutes=230).more
    assert most is not None and most.minutes == 240


def test_the_document_survives_json(crowded: Drill) -> None:
    to_date(crowded, 4)
    found = outlook.outlook(crowded)
    body = json.loads(json.dumps(msgspec.to_builtins(found)))
    assert msgspec.convert(body, Outlook) == found


def test_suspended_items_do_not_count(crowded: Drill) -> None:
    to_date(crowded, 4)
    before = outlook.outlook(crowded)
    for item, head in crowded.bank.heads.items():
        if head.topic == "vae":
            crowded.store.suspend(item)
    after = outlook.outlook(crowded)
    assert [t.topic for t in after.topics] == ["cfg", "loop", "serving"]
    assert after.overall.items < before.overall.items


def test_interviews_are_seeded(reserve: Drill) -> None:
    interview(reserve, 3, right=1.0)
    assert outlook.outlook(reserve).reserve.right == 3

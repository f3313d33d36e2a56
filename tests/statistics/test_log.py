"""From the store to the folds: undone, overruled, repeated, moved in time, gone from the bank."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drill.config import Config
from drill.domain.statistics.evidence import Given
from drill.domain.statistics.model import Statistics
from drill.services.app import Drill
from drill.services.statistics import reading, statistics
from drill.store import evidence
from drill.store.log import COLUMNS
from drill.store.store import Store
from tests.conftest import SAMPLE
from tests.store.conftest import Clock, answer

CHOICE, NUMBER, PREDICT = (f"sample:sc.sample-{name}" for name in ("choice", "number", "predict"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def learner(tmp_path: Path, clock: Clock) -> Drill:
    """The services over the sample pack on a clock whose zone can be moved."""
    drill = Drill(home=tmp_path / "home", packs=[SAMPLE], clock=clock, config=Config())
    drill._standings = dict.fromkeys(drill.bank.heads, "proven")
    return drill


@pytest.fixture
def store(learner: Drill) -> Store:
    return learner.store


def read(store: Store, page: int = 250) -> list[Given]:
    return [each for page_ in evidence.answers(store.access, page) for each in page_]


def test_what_was_undone_is_not_there(store: Store, learner: Drill, clock: Clock) -> None:
    store.record(answer(CHOICE, 1, misconceptions=("sc.changes_training",)))
    store.undo()
    store.record(answer(CHOICE, 3))
    store.redo()
    found = statistics(learner)
    assert (found.totals.answers, found.beliefs.beliefs) == (1, ())
    assert [(d.answers, d.right) for d in found.days] == [(1, 1)]
    store.undo()
    found = statistics(learner)
    assert found.totals.answers == 0 and found.streak.current == 0 and found.days == ()


def test_a_grade_by_hand_says_more_than_the_score(store: Store, learner: Drill) -> None:
    right, wrong = store.record(answer(CHOICE, 3)), store.record(answer(NUMBER, 1))
    store.overrule(right.uuid, 1)
    store.overrule(wrong.uuid, 2)
    by_item = {each.item_id: each for each in read(store)}
    assert (by_item[CHOICE].right, by_item[CHOICE].grade, by_item[CHOICE].score) == (False, 1, 1.0)
    assert by_item[NUMBER].right and by_item[NUMBER].passed
    assert statistics(learner).totals.overruled == 2


def test_ticks_are_a_score_and_no_grade_by_hand(store: Store) -> None:
    """Half of the points ticked is Hard, a pass, but not right."""
    told = store.record(answer("sample:sc.sample-explain", 1, type="explain"))
    store.overrule(told.uuid, 2, self_score=0.6, points={"p": "ticked"})
    (half,) = read(store)
    assert (half.right, half.passed, half.by_hand, half.overruled) == (False, True, False, True)
    store.overrule(told.uuid, 3, self_score=0.9, points={"p": "ticked", "q": "ticked"})
    assert [each.right for each in read(store)] == [True]
    store.overrule(told.uuid, 1)  # and then by hand
    assert [(each.right, each.by_hand) for each in read(store)] == [(False, True)]


def test_ticks_that_are_all_taken_back_leave_the_score(store: Store) -> None:
    told = store.record(answer(grade=2, type="explain", auto_score=0.6))
    store.overrule(told.uuid, 3, self_score=0.9, points={"p": "ticked"})
    store.overrule(told.uuid, 2, points={"p": "missed"})
    assert [(each.right, each.by_hand, each.score) for each in read(store)] == [(False, False, 0.6)]


def test_an_answer_said_aloud_is_right_by_its_ticks(store: Store) -> None:
    store.record(answer(grade=3, auto_score=0.0, self_score=1.0, said_aloud=True, confidence=None))
    (found,) = read(store)
    assert found.right and not found.by_hand and found.score == 1.0


def test_partial_credit_is_a_pass_and_not_right(store: Store, learner: Drill) -> None:
    store.record(answer(CHOICE, 2, auto_score=0.6, confidence=3))
    found = statistics(learner)
    assert found.calibration.levels[2].right.right == 0 and found.days[0].right == 0


def test_the_state_before_an_answer_is_the_one_it_was_given_with(
    store: Store, clock: Clock
) -> None:
    first = store.record(answer(CHOICE, 3))
    clock.go(days=9)
    second = store.record(answer(CHOICE, 3))
    assert second.before == first.state
    met, again = read(store)
    assert (met.stability, met.recall, met.elapsed) == (None, None, None)
    assert again.stability == pytest.approx(first.state.stability)
    assert again.recall is not None and 0 < again.recall < 1 and again.elapsed == 9


def test_true_retention_of_a_week(store: Store, learner: Drill, clock: Clock) -> None:
    for item, grade in ((CHOICE, 3), (NUMBER, 1), ("sample:sc.left-the-bank", 3)):
        store.record(answer(item, grade))
    store.record(answer(NUMBER, 3, mode="retry"))
    clock.go(days=2)
    store.record(answer(CHOICE, 1))  # counts: forgotten
    store.record(answer(CHOICE, 3, mode="retry"))
    store.record(answer(NUMBER, 3, mode="cram"))  # does not count, and takes the day
    store.record(answer(NUMBER, 3))
    store.record(answer("sample:sc.left-the-bank", 2))  # counts though it is gone
    found = statistics(learner)
    assert [(w.days, w.all.right, w.all.answers) for w in found.retention] == [
        (7, 1, 2), (30, 1, 2), (90, 1, 2), (None, 1, 2),
    ]  # fmt: skip
    assert found.retention[0].young.answers == 2
    assert (found.totals.gone, found.totals.items_answered, found.totals.retries) == (1, 3, 2)
    assert found.totals.by_mode == {"cram": 1, "retry": 2, "session": 6}
    assert sum(topic.accuracy.answers for topic in found.topics) == 3  # of items in the bank


def test_a_journey_breaks_no_streak(store: Store, learner: Drill, clock: Clock) -> None:
    """From Tokyo to Honolulu: nineteen hours back, so that a study day is lived twice."""
    clock.offset = 9 * 60
    for _ in range(3):
        store.record(answer(CHOICE, 3))
        clock.go(days=1)
    clock.offset = -10 * 60
    store.record(answer(NUMBER, 3))
    found = statistics(learner)
    assert found.streak.current == store.streak() == 3
    assert found.streak.studied == len(found.days) == 3
    clock.go(days=1)
    store.record(answer(NUMBER, 3))
    assert statistics(learner).streak.current == 4
    assert [d.answers for d in found.days] == [1, 1, 2]
    hours = [h.hour for h in found.hours if h.right.answers]
    assert hours == [0, 19]  # 10:00 UTC in Honolulu and in Tokyo


def test_the_day_ends_at_the_roll_over(store: Store, learner: Drill, clock: Clock) -> None:
    """02:30 belongs to the day before, and so is no later day for memory."""
    clock.utc = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    store.record(answer(CHOICE, 3))
    clock.go(hours=3.5)
    store.record(answer(CHOICE, 3))
    found = statistics(learner)
    assert len(found.days) == 1 and found.retention[-1].all.answers == 0


def test_the_period_keeps_what_went_before_in_mind(
    store: Store, learner: Drill, clock: Clock
) -> None:
    store.record(answer(CHOICE, 1, misconceptions=("sc.changes_training",)))
    clock.go(days=10)
    store.record(answer(CHOICE, 3))
    today = store.today()
    found = statistics(learner, since_day=today)
    assert (found.totals.answers, found.totals.first, len(found.days)) == (1, 0, 1)
    assert [(w.days, w.all.right, w.all.answers) for w in found.retention] == [(None, 1, 1)]
    assert found.beliefs.shaken == 1 and found.streak.studied == 2
    assert sum(n for week in found.heat.weeks for n in week if n > 0) == 2
    assert (found.since_day, found.since) == (today, found.date)


def test_one_topic_counts_nothing_else(store: Store, learner: Drill) -> None:
    store.record(answer(CHOICE, 3))
    store.record(answer("sample:left", 3))
    assert statistics(learner, topic="scheduler").totals.answers == 1
    other = statistics(learner, topic="vae")
    assert other.totals.answers == 0 and other.topics == () and other.totals.items == 0


def random_log(store: Store, clock: Clock, seed: int) -> None:
    draw = random.Random(seed)
    uuids: list[str] = []
    for _ in range(60):
        clock.go(hours=draw.choice((0, 0, 1, 30, 80)))
        clock.offset = draw.choice((60, 60, -600, 540))
        act = draw.random()
        if act < 0.75 or not uuids:
            mode = draw.choice(("session", "session", "retry", "cram", "mock", "placement"))
            item = draw.choice((CHOICE, NUMBER, PREDICT, "sample:gone"))
            said = ("sc.changes_training",) if draw.random() < 0.3 else ()
            made = answer(
                item,
                draw.randint(1, 4),
                mode=mode,
                misconceptions=said,
                type=item.rpartition("-")[2],
            )
            uuids.append(store.record(made).uuid)
        elif act < 0.9:
            now = draw.choice((None, (), ("fr.sqrt_placement",)))
            store.overrule(draw.choice(uuids), draw.randint(1, 4), misconceptions=now)
        elif store.can_undo():
            store.undo()


@pytest.mark.parametrize("seed", range(4))
def test_the_pages_are_the_view(store: Store, learner: Drill, clock: Clock, seed: int) -> None:
    """Whatever the length of a page, the same answers as `Store.answers`, in the same order."""
    random_log(store, clock, seed)
    view = store.answers()
    for page in (1, 3, len(view), 1000):
        rows = read(store, page)
        assert [(r.at, r.item_id, r.grade, r.overruled, r.misconceptions) for r in rows] == [
            (a.at, a.item_id, a.grade, a.overruled, a.misconceptions) for a in view
        ]
    shows = {i: head.misconceptions for i, head in learner.bank.heads.items()}
    found = statistics(learner)
    held = {b.id: b.status for b in found.beliefs.beliefs}
    assert held == {name: each.status for name, each in store.misconceptions(shows).items()}
    assert [(d.day, d.answers) for d in found.days] == [
        (d.study_day, d.answers) for d in store.days()
    ]
    assert found.streak.current == store.streak()


@pytest.mark.parametrize("page", [1, 2, 3, 5])
def test_answers_of_one_moment_are_all_read(store: Store, page: int) -> None:
    """Two machines may have recorded at the same microsecond, and what is merged comes later."""
    for _ in range(2):
        store.record(answer(CHOICE, 3))
    names = ", ".join(name for name in COLUMNS if name != "uuid")
    with store.access.write() as connection:
        for copy in ("0-before", "zz-after"):
            connection.execute(
                f"INSERT INTO reviews (uuid, {names}) SELECT ? || uuid, {names} FROM reviews "
                "WHERE seq <= 2",
                (copy,),
            )
        names = names.replace(" at,", "")
        connection.execute(
            f"INSERT INTO reviews (uuid, at, {names}) SELECT 'merged', "
            f"'2020-01-01T00:00:00.000000Z', {names} FROM reviews WHERE seq = 1"
        )
    rows = [each.at for each in read(store, page)]
    assert len(rows) == 7 and rows == sorted(rows) and len(set(rows)) == 3


def test_the_slices_are_the_whole(store: Store, learner: Drill, clock: Clock) -> None:
    random_log(store, clock, 7)

    def sliced(drill: Drill) -> Statistics:
        steps = reading(drill)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    assert sliced(learner) == statistics(learner)


def test_an_answer_recorded_while_it_is_read_is_seen_once(
    store: Store, learner: Drill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: Callable[..., object] = evidence.answers
    monkeypatch.setattr(evidence, "answers", lambda access: pages(access, 2))
    for _ in range(4):
        store.record(answer(CHOICE, 3))
    steps = reading(learner)
    next(steps)
    next(steps)
    store.record(answer(NUMBER, 3))
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value.totals.answers == 5

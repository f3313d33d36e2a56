"""Recording, undoing, overruling, and what is read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drill.domain.memory.state import ParameterSet
from drill.store import Store
from drill.store.db import NewerSchemaError, StoreError, connect
from drill.store.replay import replay_all
from tests.store.conftest import Clock, answer

Opened = Callable[[], Store]


def agrees(store: Store) -> None:
    with store.access.read() as connection:
        states, amended = replay_all(connection)
        rows = connection.execute("SELECT uuid, active, overruled_by FROM amended").fetchall()
    assert store.states() == states
    assert {u: (a, o) for u, a, o in rows} == amended


def test_the_file_is_durable_by_its_pragmas(store: Store) -> None:
    pragma = {
        name: store.access.rows(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_an_answer_is_there_for_another_connection_at_once(store: Store, path: Path) -> None:
    done = store.record(answer(points={"p": "credited"}, misconceptions=("m",), said_aloud=True))
    other = sqlite3.connect(path)
    row = other.execute("SELECT uuid, answer, auto_grade, grade, at FROM reviews").fetchone()
    other.close()
    assert row == (done.uuid, "b", 3, 3, "2026-11-23T10:00:00.000000Z")
    (read,) = store.answers()
    assert (read.points, read.misconceptions) == ({"p": "credited"}, ("m",))
    assert read.said_aloud
    assert done.before is None
    assert store.state("drill:a") == done.state
    agrees(store)


def test_a_grade_overruled_at_once_keeps_both(store: Store) -> None:
    store.record(answer(auto_grade=1, auto_score=0.0, grade=3, self_score=1.0))
    store.record(answer("drill:b"))
    (first, second) = store.answers()
    assert (first.auto_grade, first.grade, first.overruled) == (1, 3, True)
    assert not second.overruled


def test_rows_carry_what_a_later_analysis_needs(store: Store, clock: Clock) -> None:
    store.record(answer())
    clock.go(days=4)
    done = store.record(answer(grade=2))
    row = store.access.rows(
        "SELECT recall, elapsed_days, scheduler, parameter_set, before, after, device_id, "
        "study_day, offset_minutes FROM reviews ORDER BY seq DESC LIMIT 1"
    )[0]
    assert 0.7 < row[0] < 0.95
    assert row[1] == 4
    assert row[2].startswith("fsrs 6.")
    assert row[3] == ParameterSet().id
    assert done.before is not None
    assert f'"stability": {done.before.stability}' in row[4]
    assert f'"stability": {done.state.stability}' in row[5]
    assert row[6] == store.access.rows("SELECT id FROM devices")[0][0]
    assert row[7:] == (done.study_day, 60)


def test_recording_the_same_answer_twice_counts_once(store: Store) -> None:
    first = store.record(answer(uuid="3f0e"))
    again = store.record(answer(uuid="3f0e"))
    assert again.state == first.state
    assert len(store.answers()) == 1


@pytest.mark.parametrize("wrong", [{"grade": 5}, {"auto_grade": 0}, {"auto_score": 1.2}])
def test_what_is_out_of_range_is_refused_and_nothing_stays(
    store: Store, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"grade|score"):
        store.record(answer(**wrong))
    assert store.access.rows("SELECT count(*) FROM reviews") == [(0,)]


def test_mock_and_cram_answers_are_evidence_but_do_not_schedule(store: Store) -> None:
    store.record(answer(mode="mock"))
    store.record(answer("drill:b", mode="cram"))
    assert store.states() == {}
    assert len(store.answers()) == 2
    store.record(answer("drill:c", mode="mock", schedules=True))
    assert set(store.states()) == {"drill:c"}
    agrees(store)


def test_undo_walks_back_over_sessions_and_redo_forward(
    store: Store, clock: Clock, opened: Opened
) -> None:
    a = store.record(answer())
    clock.go(days=3)
    b = store.record(answer(grade=1, confidence=3))
    store.close()
    store = opened()
    undone = store.undo()
    assert undone is not None
    assert (undone.target, undone.state) == (b.uuid, a.state)
    undone = store.undo()
    assert undone is not None
    assert undone.target == a.uuid
    assert store.states() == {}
    assert store.undo() is None
    assert store.answers() == []
    redone = store.redo()
    assert redone is not None
    assert redone.state == a.state
    redone = store.redo()
    assert redone is not None
    assert redone.state == b.state
    assert store.redo() is None
    assert store.undo() is not None
    clock.go(minutes=1)
    store.record(answer("drill:c"))
    assert store.redo() is None, "something was done since"
    agrees(store)
    assert [row.active for row in store.history("drill:a")][:2] == [True, False]


def test_undo_of_an_answer_in_the_middle(store: Store, clock: Clock) -> None:
    uuids = []
    for grade in (3, 1, 4):
        uuids.append(store.record(answer(grade=grade)).uuid)
        clock.go(days=5)
    undone = store.undo(uuids[1])
    assert undone is not None
    assert undone.state.lapses == 0
    assert undone.state.reps == 2
    agrees(store)
    with pytest.raises(StoreError, match="already"):
        store.undo(uuids[1])
    with pytest.raises(KeyError):
        store.undo("no such")


def test_overrule_keeps_both_grades_and_can_be_undone(store: Store, clock: Clock) -> None:
    first = store.record(answer(grade=1, points={"p": "ask"}, misconceptions=("m",)))
    clock.go(minutes=1)
    changed = store.overrule(
        first.uuid, 3, self_score=1.0, points={"p": "ticked"}, misconceptions=[]
    )
    (read,) = store.answers()
    assert (read.auto_grade, read.grade, read.overruled, read.self_score) == (1, 3, True, 1.0)
    assert (read.points, read.misconceptions) == ({"p": "ticked"}, ())
    assert changed.state.last_grade == 3
    agrees(store)
    again = store.overrule(first.uuid, 4)
    assert again.state.last_grade == 4
    undone = store.undo()
    assert undone is not None
    assert undone.state == changed.state
    assert store.answers()[0].grade == 3
    undone = store.undo()
    assert undone is not None
    assert undone.state == first.state
    assert store.answers()[0].misconceptions == ("m",)
    agrees(store)
    with pytest.raises(KeyError):
        store.overrule("no such", 3)


def test_overrule_of_an_earlier_answer_is_replayed_through_later_ones(
    store: Store, clock: Clock
) -> None:
    first = store.record(answer(grade=1))
    clock.go(days=2)
    later = store.record(answer(grade=3))
    changed = store.overrule(first.uuid, 4)
    assert changed.state.stability > later.state.stability
    assert changed.state.reps == 2
    agrees(store)


def test_suspend_bury_known_and_advance(store: Store, clock: Clock) -> None:
    today = store.today()
    store.mark_known({"drill:k": today + 9})
    store.advance({"drill:n": today})
    assert store.due() == ["drill:n"]
    store.bury("drill:n")
    assert store.due() == []
    assert store.due(today + 1) == ["drill:n"]
    store.suspend("drill:k")
    assert store.due(today + 9) == ["drill:n"]
    store.unsuspend("drill:k")
    assert store.due(today + 9) == ["drill:n", "drill:k"]
    assert store.counts(today + 9).known == 1
    undone = store.undo()
    assert undone is not None
    assert undone.state.suspended
    agrees(store)
    assert [row.kind for row in store.history("drill:k")] == [
        "known",
        "suspend",
        "unsuspend",
        "undo",
    ]


def test_undo_passes_over_what_was_marked_in_bulk(store: Store) -> None:
    done = store.record(answer())
    store.mark_known({f"drill:k{n}": store.today() + 5 for n in range(20)})
    undone = store.undo()
    assert undone is not None
    assert undone.target == done.uuid
    one = store.history("drill:k3")[0].uuid
    store.undo(one)
    assert store.state("drill:k3") is None
    agrees(store)


def test_what_a_session_brought_forward_is_taken_back_whole(store: Store) -> None:
    log = store.sessions.start("after", {}, store.today(), 0).id
    other = store.sessions.start("after", {}, store.today(), 0).id
    done = store.record(answer("drill:a"))
    store.advance({"drill:a": store.today(), "drill:b": store.today()}, log)
    store.advance({"drill:c": store.today()}, other)
    undone = store.undo_advances(log)
    assert [each.item_id for each in undone] == ["drill:a", "drill:b"]
    assert store.state("drill:a") == done.state and store.state("drill:b") is None
    assert store.state("drill:c") is not None
    assert store.undo_advances(log) == [], "once"
    agrees(store)
    assert store.newest_undoable() == done.at
    cancelled = store.undo()
    assert cancelled is not None and cancelled.target == done.uuid
    assert store.newest_undoable() == ""


def test_an_item_with_nothing_left_leaves_no_state(store: Store) -> None:
    store.suspend("drill:x")
    store.unsuspend("drill:x")
    assert store.states() == {}
    agrees(store)


def test_preview_is_what_recording_gives(store: Store, clock: Clock) -> None:
    store.record(answer())
    clock.go(days=3)
    seen = store.preview("drill:a")
    assert store.record(answer(grade=4)).state == seen[4]
    assert store.preview("drill:new")[1].reps == 1


def test_the_log_cannot_be_changed(store: Store) -> None:
    done = store.record(answer())
    for statement in (
        "UPDATE reviews SET grade = 4",
        "DELETE FROM reviews",
        f"INSERT OR REPLACE INTO reviews SELECT * FROM reviews WHERE uuid = '{done.uuid}'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            store.access.connection.execute(statement)
    assert len(store.answers()) == 1


def test_the_log_is_guarded_against_other_programs(store: Store, path: Path) -> None:
    store.record(answer())
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute("INSERT OR REPLACE INTO reviews SELECT * FROM reviews")
    other.close()


def test_new_parameters_hold_from_now_on_and_a_replay_keeps_the_old(
    store: Store, clock: Clock
) -> None:
    before = store.record(answer())
    store.set_parameters(ParameterSet(desired_retention=0.75))
    assert store.state("drill:a") == before.state
    assert store.parameters().desired_retention == 0.75
    lazy = store.record(answer("drill:b")).state
    assert (lazy.due_day or 0) - (lazy.last_day or 0) > 5
    agrees(store)
    with pytest.raises(ValueError, match="21"):
        store.set_parameters(ParameterSet(parameters=(1.0,)))


# time


def test_a_clock_set_back_by_hours_keeps_the_order(store: Store, clock: Clock) -> None:
    first = store.record(answer())
    clock.go(hours=-30)
    second = store.record(answer(grade=1))
    assert second.at > first.at
    assert second.state.last_day == first.state.last_day
    assert second.study_day == first.study_day
    third = store.overrule(second.uuid, 4)
    assert store.overrule(second.uuid, 2).at > third.at
    assert store.answers()[-1].grade == 2, "the later overrule holds"
    agrees(store)


def test_a_clock_set_back_by_months_keeps_the_states_right(store: Store, clock: Clock) -> None:
    clock.go(days=200)
    wrong_clock = store.record(answer())
    clock.go(days=-200)
    right_clock = store.record(answer(grade=1))
    assert right_clock.at < wrong_clock.at
    assert right_clock.state.last_day == wrong_clock.state.last_day
    agrees(store)
    other = store.record(answer("drill:b"))
    assert other.study_day == store.today()
    agrees(store)
    store.undo(wrong_clock.uuid)
    state = store.state("drill:a")
    assert state is not None
    assert state.last_day == store.today()
    agrees(store)


def test_an_evening_past_midnight_is_one_study_day(store: Store, clock: Clock) -> None:
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime(2026, 10, 24, 23, 30), datetime(2026, 10, 25, 3, 30)]
    days = []
    for n, local in enumerate(times):
        at = local.replace(tzinfo=zone)
        offset = at.utcoffset()
        assert offset is not None
        clock.utc, clock.offset = at, int(offset.total_seconds() // 60)
        days.append(store.record(answer(f"drill:{n}")).study_day)
    assert days[0] == days[1], "daylight saving ended in between"
    store.settings.set("rollover_hour", 0)
    assert store.today() == days[0] + 1


def test_streak_survives_travel_and_undo_takes_a_day_away(store: Store, clock: Clock) -> None:
    los_angeles, tokyo = -8 * 60, 9 * 60
    clock.utc, clock.offset = datetime.fromisoformat("2026-11-01T18:00:00+00:00"), los_angeles
    store.record(answer())
    clock.utc, clock.offset = datetime.fromisoformat("2026-11-02T20:00:00+00:00"), tokyo
    store.record(answer())
    clock.go(days=1)
    last = store.record(answer())
    assert store.streak() == 4
    store.undo(last.uuid)
    assert store.streak() == 3
    clock.go(days=1)
    assert store.streak() == 0


def test_a_long_streak_is_counted_whole(store: Store, clock: Clock) -> None:
    for n in range(150):
        if n != 10:
            store.record(answer(f"drill:{n % 9}", mode="cram"))
        clock.go(days=1)
        assert store.streak() == (n + 1 if n < 10 else n - 10)


# reading


def test_counts_and_days(store: Store, clock: Clock) -> None:
    store.record(answer())
    store.record(answer("drill:b", grade=1))
    store.record(answer("drill:b", mode="retry"))
    gone = store.record(answer("drill:c"))
    store.undo(gone.uuid)
    store.record(answer("drill:p", mode="placement"))
    store.suspend("drill:s")
    counts = store.counts()
    assert (counts.answered_today, counts.new_today, counts.items) == (4, 2, 3)
    assert (len(store.answers()), counts.suspended, counts.due) == (4, 1, 0)
    (day,) = store.days()
    assert (day.study_day, day.answers, day.right, day.first) == (store.today(), 4, 3, 3)
    assert day.seconds == pytest.approx(48.0)
    clock.go(days=1)
    assert store.counts().due == 1
    assert store.counts().answered_today == 0


def test_summary_for_the_queue(store: Store, clock: Clock) -> None:
    session = store.sessions.start("session", {}, store.today(), 1)
    for n in range(30):
        clock.go(seconds=90)
        store.record(answer(f"drill:{n}", duration_ms=60_000, session_id=session.id, type="number"))
    summary = store.summary()
    assert len(summary.answered_today) == summary.new_today == 30
    assert summary.pace["number"] > 1.6
    assert 25 < summary.feedback_seconds <= 30
    clock.go(days=1)
    assert store.summary().new_today == 0


def test_seeds_follow_the_answers_of_every_mode(store: Store) -> None:
    first = store.presentation_seed("drill:a")
    done = store.record(answer(mode="cram"))
    assert store.presentation_seed("drill:a") != first
    store.undo(done.uuid)
    assert store.presentation_seed("drill:a") == first


def test_misconceptions(store: Store, clock: Clock) -> None:
    shows = {"drill:a": ("m",), "drill:b": ("m",)}
    assert store.misconceptions(shows) == {}
    shown = store.record(answer(grade=1, misconceptions=("m",), confidence=3))
    for _ in range(2):
        clock.go(days=1)
        store.record(answer("drill:b"))
    assert store.misconceptions(shows)["m"].status == "cleared"
    store.undo()
    assert store.misconceptions(shows)["m"].status == "shaken"
    store.overrule(shown.uuid, 1, misconceptions=[])
    assert store.misconceptions(shows) == {}
    store.overrule(shown.uuid, 1, misconceptions=["other"])
    assert set(store.misconceptions(shows)) == {"other"}


def test_states_of_some_items(store: Store) -> None:
    for n in range(5):
        store.record(answer(f"drill:'{n}"))
    assert set(store.states(["drill:'1", "drill:'3", "drill:none"])) == {"drill:'1", "drill:'3"}
    assert store.state("drill:none") is None
    assert [a.item_id for a in store.recent(2)] == ["drill:'4", "drill:'3"]


def test_the_due_query_uses_its_index(store: Store) -> None:
    plan = store.access.rows(
        "EXPLAIN QUERY PLAN SELECT item_id FROM states INDEXED BY states_due "
        "WHERE suspended = 0 AND due_day <= 5 AND buried_until <= 5 ORDER BY due_day"
    )
    text = " ".join(str(row[3]) for row in plan)
    assert "COVERING INDEX states_due" in text
    assert "TEMP B-TREE" not in text


# instances and files


def test_another_instance_is_noticed_and_sees_the_answers(opened: Opened) -> None:
    one, two = opened(), opened()
    assert not one.changed_elsewhere()
    two.record(answer())
    assert one.changed_elsewhere()
    assert not one.changed_elsewhere()
    one.record(answer(grade=1))
    assert not one.changed_elsewhere(), "its own writes are no news"
    state = two.state("drill:a")
    assert state is not None
    assert state.reps == 2
    agrees(two)


def test_a_state_kept_by_the_caller_is_never_written_back(opened: Opened, clock: Clock) -> None:
    one, two = opened(), opened()
    one.record(answer())
    one.states()
    clock.go(days=3)
    two.record(answer(grade=1))
    clock.go(days=3)
    assert one.record(answer(grade=3)).state.reps == 3
    agrees(one)


def test_a_file_of_a_newer_drill_is_refused(store: Store, path: Path) -> None:
    store.access.connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(NewerSchemaError, match="upgrade"):
        Store.open(path)


def test_what_is_no_database_is_refused_with_a_way_out(tmp_path: Path) -> None:
    broken = tmp_path / "drill.sqlite3"
    broken.write_bytes(b"this is no database at all, not even a little" * 100)
    with pytest.raises(StoreError, match="drill restore"):
        Store.open(broken)
    with pytest.raises(StoreError, match="cannot be opened"):
        connect(tmp_path / "missing" / "folder" / "x.sqlite3")


def test_an_error_in_the_middle_leaves_nothing(store: Store) -> None:
    with pytest.raises(KeyError, match="session"):
        store.record(answer(session_id="none"), position=1)
    assert store.access.rows("SELECT count(*) FROM reviews") == [(0,)]
    assert store.states() == {}
    store.record(answer())


def test_threads_take_turns(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.record(answer(f"drill:{n % 3}")), range(40)))
    assert len(store.answers()) == 40
    agrees(store)

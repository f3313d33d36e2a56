"""Each thing that can go wrong with the data is found by its own name, and mended where it can."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from drill.store import Store
from drill.store.doctor import examine
from drill.store.mending import mend
from tests.store.conftest import Clock, answer


@pytest.fixture
def full(store: Store, clock: Clock) -> Store:
    for n in range(12):
        store.record(answer(f"drill:{n % 4}", 1 + n % 4))
        clock.go(hours=7)
    store.undo()
    store.overrule(store.answers()[2].uuid, 4)
    return store


def codes(store: Store, **more: object) -> set[str]:
    return {f.code for f in examine(store, **more)}  # type: ignore[arg-type]


def test_good_data_has_no_findings(full: Store) -> None:
    assert examine(full) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE states SET stability = stability + 1e-9 WHERE item_id = 'drill:1'", "states"),
        ("DELETE FROM states WHERE item_id = 'drill:1'", "states"),
        (
            "INSERT INTO states SELECT 'drill:ghost', stability, difficulty, due_day, last_day, "
            "first_day, reps, lapses, last_grade, suspended, buried_until, leech, known, "
            "retest_day, decay FROM states LIMIT 1",
            "states",
        ),
        ("DELETE FROM amended", "amendments"),
    ],
)
def test_what_is_derived_is_mended_from_the_log(
    full: Store, tmp_path: Path, statement: str, code: str
) -> None:
    before = full.states()
    full.access.connection.execute(statement)
    assert codes(full) == {code}
    assert all(f.mendable for f in examine(full))
    made = mend(full, tmp_path / "b")
    assert made.backup.exists()
    assert made.states == len(before)
    assert len(made.changes) == 1
    assert full.states() == before
    assert examine(full) == []


def unguarded(store: Store, statement: str) -> None:
    """Do to the log what its triggers forbid."""
    connection = store.access.connection
    sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    triggers = connection.execute(sql).fetchall()
    connection.execute("PRAGMA foreign_keys=OFF")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, text in triggers:
        connection.execute(text)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE reviews SET grade = 5 - grade WHERE seq = 2", {"states"}),
        ("UPDATE reviews SET study_day = study_day + 9 WHERE seq = 12", {"days"}),
        ("DELETE FROM reviews WHERE seq = 12", {"targets"}),
        ("DELETE FROM devices", {"references"}),
        ("DELETE FROM parameter_sets", {"references", "replay"}),
        (
            "UPDATE parameter_sets SET body = replace(body, '0.9', '0.8')",
            {"parameters", "states"},
        ),
    ],
)
def test_a_log_that_was_tampered_with_is_found(
    full: Store, statement: str, expected: set[str]
) -> None:
    unguarded(full, statement)
    assert codes(full) == expected


def test_lost_guards_are_found(full: Store) -> None:
    full.access.connection.execute("DROP TRIGGER reviews_no_update")
    assert codes(full) == {"unguarded"}
    mend(full, full.path.parent / "backups")
    assert codes(full) == set()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        full.access.connection.execute("UPDATE reviews SET grade = 1")


def test_a_damaged_file_is_found(full: Store, path: Path, opened: Callable[[], Store]) -> None:
    root = full.access.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'reviews_item'")
    size = full.access.rows("PRAGMA page_size")[0][0]
    full.close()
    data = bytearray(path.read_bytes())
    start = (root[0][0] - 1) * size
    data[start + 100 : start + size] = bytes(size - 100)
    path.write_bytes(bytes(data))
    assert codes(opened()) == {"damaged"}


def test_a_wrong_clock_is_found(full: Store, clock: Clock) -> None:
    clock.go(days=30)
    full.record(answer("drill:0"))
    clock.go(days=-30, seconds=5)
    assert codes(full) == {"future"}
    full.record(answer("drill:1"))
    assert codes(full) == {"future", "order"}


def test_items_that_are_in_no_pack_are_named(full: Store) -> None:
    assert codes(full, known_ids={"drill:0", "drill:1", "drill:2", "drill:3"}) == set()
    (finding,) = examine(full, known_ids={"drill:0", "drill:1", "drill:3"})
    assert finding.code == "orphans"
    assert "drill:2" in finding.message


def test_bad_backups_are_found(full: Store, path: Path, tmp_path: Path) -> None:
    from drill.store.backup import make_backup

    folder = tmp_path / "b"
    assert codes(full, backup_dir=folder) == {"no-backup"}
    made = make_backup(path, folder)
    assert codes(full, backup_dir=folder) == set()
    made.path.write_bytes(b"")
    assert codes(full, backup_dir=folder) == {"backups"}


def test_zones_that_jump_and_zones_that_are_none(full: Store, clock: Clock) -> None:
    for n in range(6):
        clock.offset = (0, -480)[n % 2]
        clock.go(minutes=5)
        full.record(answer(f"drill:{n % 4}"))
    assert codes(full) == {"zones"}
    clock.offset = 15 * 60
    clock.go(days=1)
    full.record(answer("drill:1"))
    assert codes(full) == {"zones", "offsets"}


def test_travel_and_summer_time_are_not_odd(full: Store, clock: Clock) -> None:
    for offset in (120, 60, 0, -300, 540, 600):
        clock.offset = offset
        clock.go(hours=8)
        full.record(answer("drill:1"))
    assert codes(full) == set()


def test_events_of_one_moment(full: Store) -> None:
    unguarded(full, "UPDATE reviews SET at = (SELECT at FROM reviews WHERE seq = 3) WHERE seq = 4")
    assert "same-time" in codes(full)

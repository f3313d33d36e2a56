"""Bringing a backup back loses nothing that cannot be had again, whatever is in the way."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from drill.store import Store, backup
from drill.store.backup import BackupError, BusyError, backups, inspect, make_backup
from drill.store.doctor import examine
from drill.store.restore import Difference, only_in, present_state, restore
from drill.store.runs import Run
from tests.store.conftest import Clock, answer
from tests.store.test_migrations import V1

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def folder(path: Path) -> Path:
    return path.parent / "backups"


def a_run(name: str) -> Run:
    return Run(name, "x", "2026-11-23T09:00:00", 1.0, {}, {}, [], {}, "cpu", {}, 0)


def uuids(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT uuid FROM reviews")}


def test_what_would_be_lost_is_counted(
    store: Store, path: Path, folder: Path, clock: Clock
) -> None:
    store.record(answer("drill:old"))
    made = make_backup(path, folder, now=NOW).path
    assert not only_in(path, made).anything
    clock.go(days=1)
    first = store.record(answer("drill:a"))
    store.sessions.start("mock", {}, 1, 1)
    store.runs.save(a_run("r1"))
    clock.go(days=2)
    last = store.record(answer("drill:b"))
    store.undo()
    store.suspend("drill:old")
    found = only_in(path, made)
    assert found == Difference(
        answers=2, events=2, interviews=1, runs=1, days=2, first=first.at, last=last.at
    )
    assert only_in(made, path) == Difference()


def test_restoring_what_was_kept_undoes_a_restore(
    store: Store, path: Path, folder: Path, clock: Clock
) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW).path
    clock.go(days=1)
    store.record(answer(grade=1))
    before, states = uuids(path), store.states()
    done = restore(made, path, folder, NOW)
    assert done.present == "good" and done.kept is not None and len(uuids(path)) == 1
    again = restore(done.kept, path, folder, NOW)
    assert uuids(path) == before and store.states() == states
    assert again.kept is not None and again.kept != done.kept, "in the same second too"
    assert len(backups(folder)) == 3
    assert examine(store) == []


def test_an_open_drill_goes_on_and_its_next_answer_is_kept(
    store: Store, opened: Callable[[], Store], path: Path, folder: Path
) -> None:
    other = opened()
    store.record(answer("drill:a"))
    made = make_backup(path, folder, now=NOW).path
    store.record(answer("drill:b"))
    assert set(other.states()) == {"drill:a", "drill:b"}
    restore(made, path, folder, NOW)
    assert set(other.states()) == {"drill:a"}
    other.record(answer("drill:c"))
    assert set(store.states()) == {"drill:a", "drill:c"}
    assert examine(store) == []


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program in the middle of a long write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO settings (name, value) VALUES ('held', '1')")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def test_a_program_that_holds_the_data_is_told_and_nothing_changes(
    store: Store, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr("drill.store.restore.BUSY_SECONDS", 0.2)
    store.record(answer("drill:a"))
    made = make_backup(path, folder, now=NOW).path
    store.record(answer("drill:b"))
    before = uuids(path)
    with held(path), pytest.raises(BackupError, match=r"another program|locked"):
        restore(made, path, folder, NOW)
    assert uuids(path) == before
    assert [b.path for b in backups(folder)] == [made], "no copy is left of a restore not made"
    restore(made, path, folder, NOW)


def test_a_held_file_is_not_taken_for_a_damaged_one(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "LOOK_SECONDS", 0.1)
    store.record(answer())
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyError):
            present_state(path)


@contextmanager
def no_room(bytes_: int) -> Iterator[None]:
    """No file can grow beyond a size, as on a disk that is full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
@pytest.mark.parametrize("present", ["good", "damaged", "none"])
@pytest.mark.parametrize("room", [0, 8192, 120_000])
def test_a_full_disk_loses_nothing(
    store: Store, path: Path, folder: Path, present: str, room: int
) -> None:
    for n in range(200):
        store.record(answer(f"drill:{n}", answer="x" * 800))
    made = make_backup(path, folder, now=NOW).path
    store.record(answer("drill:newest"))
    store.close()
    assert made.stat().st_size > 160_000
    if present == "damaged":
        path.write_bytes(b"no database " * 40_000)
    elif present == "none":
        path.unlink()
    before = {p: p.read_bytes() for p in [path, *folder.iterdir()] if p.exists()}
    with no_room(room), pytest.raises(BackupError):
        restore(made, path, folder, NOW)
    after = {p: p.read_bytes() for p in [path, *folder.iterdir()] if p.exists()}
    assert after == before
    assert sorted(p.name for p in path.parent.iterdir() if p.name.startswith(".")) == []
    restore(made, path, folder, NOW)
    assert len(uuids(path)) == 200


def test_missing_data_and_a_lone_log_file(
    store: Store, path: Path, folder: Path, clock: Clock
) -> None:
    store.record(answer("drill:a"))
    made = make_backup(path, folder, now=NOW).path
    store.record(answer("drill:b"))
    log = Path(f"{path}-wal").read_bytes()
    store.close()
    path.unlink()
    Path(f"{path}-wal").write_bytes(log)
    done = restore(made, path, folder, NOW)
    assert done.present == "none" and done.kept is not None
    with Store.open(path, clock) as again:
        assert set(again.states()) == {"drill:a"}, "no page of the old log came in"
        assert examine(again) == []


def test_a_backup_of_a_newer_drill_is_refused(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW).path
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA user_version=99")
    before = path.read_bytes()
    with pytest.raises(BackupError, match="newer drill"):
        restore(made, path, folder, NOW)
    assert path.read_bytes() == before


def test_a_backup_of_an_older_drill_comes_back_and_is_migrated(
    store: Store, path: Path, folder: Path, clock: Clock
) -> None:
    old = folder / "drill-2026-01-01-daily.sqlite3"
    folder.mkdir()
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(V1.read_text(encoding="utf-8"))
    clock.go(days=3)
    store.record(answer())
    store.runs.save(a_run("r1"))
    lost = only_in(path, old)
    assert (lost.answers, lost.runs) == (1, 1)
    assert only_in(old, path).answers == inspect(old).answers == 4
    done = restore(old, path, folder, NOW)
    assert (done.contents.schema, done.contents.runs) == (1, 0)
    store.close()
    with Store.open(path, clock, folder) as again:
        assert len(again.answers()) == 3, "one of them was undone"
        again.runs.save(a_run("r2"))
        assert examine(again) == []
    assert done.kept is not None and inspect(done.kept).answers == 1


def test_the_data_are_no_backup_of_themselves(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    with pytest.raises(BackupError, match="the data itself"):
        restore(path, path, folder, NOW)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_file(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW).path
    folder.chmod(0o500)
    try:
        with pytest.raises(BackupError):
            restore(made, path, folder, NOW)
    finally:
        folder.chmod(0o700)
    assert len(uuids(path)) == 1

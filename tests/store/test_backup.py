"""Backups that are good, kept and found again."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from drill.store import Store, backup
from drill.store.backup import (
    BackupError,
    backups,
    daily_backup,
    inspect,
    kept,
    make_backup,
    rotate,
)
from drill.store.doctor import examine
from drill.store.restore import restore
from tests.store.conftest import Clock, answer

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def test_a_backup_holds_every_answer_while_the_store_is_open(
    store: Store, path: Path, folder: Path
) -> None:
    for n in range(10):
        store.record(answer(f"drill:{n}"))
    made = make_backup(path, folder, now=NOW)
    assert made.path.name == "drill-2026-11-23-daily.sqlite3"
    assert made.bytes > 0
    contents = inspect(made.path)
    assert (contents.reviews, contents.latest) == (10, "2026-11-23T10:00:00.000009Z")
    assert [p.name for p in folder.iterdir()] == [made.path.name], "no leftovers"


def test_a_backup_beside_a_busy_writer_is_whole(store: Store, path: Path, folder: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            store.record(answer())

    thread = threading.Thread(target=write)
    thread.start()
    try:
        counts = [inspect(make_backup(path, folder, f"n{n}", NOW).path).reviews for n in range(5)]
    finally:
        stop.set()
        thread.join()
    assert counts == sorted(counts)
    assert len(store.answers()) >= counts[-1]


def test_one_backup_a_day(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    assert daily_backup(path, folder, NOW) is not None
    assert daily_backup(path, folder, NOW + timedelta(hours=5)) is None
    assert daily_backup(path, folder, NOW + timedelta(days=1)) is not None
    assert len(backups(folder)) == 2


def test_it_runs_in_a_worker_thread(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    thread = threading.Thread(target=daily_backup, args=(path, folder, NOW))
    thread.start()
    thread.join()
    assert len(backups(folder)) == 1


@pytest.mark.parametrize("contents", [b"", b"no database " * 200])
def test_what_cannot_be_backed_up_leaves_no_file(
    tmp_path: Path, folder: Path, contents: bytes
) -> None:
    source = tmp_path / "x.sqlite3"
    source.write_bytes(contents)
    with pytest.raises(BackupError):
        make_backup(source, folder, now=NOW)
    with pytest.raises(BackupError):
        make_backup(tmp_path / "none.sqlite3", folder, now=NOW)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_copy_that_does_not_read_back_never_replaces_a_good_one(
    store: Store, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.record(answer())
    good = make_backup(path, folder, now=NOW).path.read_bytes()

    def torn(source: Path, target: Path) -> None:
        data = source.read_bytes()
        target.write_bytes(data[: len(data) // 2])

    monkeypatch.setattr(backup, "_copy", torn)
    with pytest.raises(BackupError):
        make_backup(path, folder, now=NOW)
    (only,) = folder.iterdir()
    assert only.read_bytes() == good


def test_inspect_sees_damage_and_foreign_files(store: Store, path: Path, tmp_path: Path) -> None:
    for n in range(300):
        store.record(answer(f"drill:{n % 50}", answer="x" * 500))
    made = make_backup(path, tmp_path, now=NOW).path
    data = bytearray(made.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    made.write_bytes(bytes(data))
    with pytest.raises(BackupError, match="damaged"):
        inspect(made)
    foreign = tmp_path / "foreign.sqlite3"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(BackupError, match="not a database of drill"):
        inspect(foreign)


def test_seven_days_and_four_weeks_are_kept() -> None:
    days = [date(2026, 11, 23) - timedelta(days=n) for n in range(60)]
    keep = kept(days)
    assert keep >= set(days[:7])
    assert sorted(keep - set(days[:7]), reverse=True) == [
        date(2026, 11, 15),
        date(2026, 11, 8),
    ]
    assert len({d.isocalendar()[:2] for d in keep}) == 4


def test_rotation_over_three_months_of_days(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    one = make_backup(path, folder, now=NOW).path.read_bytes()
    for n in range(90):
        name = f"drill-{(NOW - timedelta(days=n)).date()}-daily.sqlite3"
        (folder / name).write_bytes(one)
    for n in range(8):
        (folder / f"drill-2026-10-0{n + 1}T101010-before-restore.sqlite3").write_bytes(one)
    (folder / "notes.txt").write_text("the learner's own")
    gone = rotate(folder)
    left = backups(folder)
    assert sum(b.label == "daily" for b in left) == 9
    assert [b.day.day for b in left if b.label == "before-restore"] == [8, 7, 6, 5, 4]
    assert len(gone) + len(left) == 98
    assert (folder / "notes.txt").exists()
    assert [b.day for b in left] == sorted((b.day for b in left), reverse=True)


def test_what_a_killed_process_left_goes_after_a_while(
    store: Store, path: Path, folder: Path
) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW).path
    old, new = (folder / f".drill-2026-11-2{n}-daily.sqlite3.77.part" for n in (0, 1))
    for file in (old, Path(f"{old}-journal"), new):
        file.write_bytes(b"half")
    for file in (old, Path(f"{old}-journal")):
        os.utime(file, (1.7e9, 1.7e9))
    rotate(folder)
    assert sorted(folder.iterdir()) == sorted([made, new])


def test_restore_brings_the_data_back_and_keeps_what_was_there(
    store: Store, path: Path, folder: Path, clock: Clock
) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW)
    before = store.states()
    clock.go(days=1)
    store.record(answer(grade=1))
    restore(made.path, path, folder, NOW)
    assert store.changed_elsewhere(), "an open instance notices"
    assert store.states() == before
    assert examine(store) == []
    store.record(answer("drill:later"))
    (rescued,) = [b for b in backups(folder) if b.label == "before-restore"]
    assert inspect(rescued.path).reviews == 2


def test_restore_over_a_damaged_file_moves_it_aside(store: Store, path: Path, folder: Path) -> None:
    store.record(answer())
    made = make_backup(path, folder, now=NOW)
    store.close()
    path.write_bytes(b"damaged beyond repair " * 400)
    restore(made.path, path, folder, NOW)
    with Store.open(path) as again:
        assert len(again.answers()) == 1
    assert [p.name for p in folder.glob("damaged-*")] == ["damaged-2026-11-23T103000.sqlite3"]


def test_restore_refuses_what_is_no_good_and_changes_nothing(
    store: Store, path: Path, folder: Path, tmp_path: Path
) -> None:
    store.record(answer())
    empty = tmp_path / "empty.sqlite3"
    empty.write_bytes(b"")
    for bad in (empty, tmp_path / "missing.sqlite3"):
        with pytest.raises(BackupError):
            restore(bad, path, folder, NOW)
    assert len(store.answers()) == 1
    assert not folder.exists()


def test_what_the_learner_made_stays_and_each_other_label_has_five(
    store: Store, path: Path, folder: Path
) -> None:
    store.record(answer())
    asked = make_backup(path, folder, "manual", NOW).path
    for label in ("before-import", "before-restore"):
        for n in range(7):
            make_backup(path, folder, label, NOW + timedelta(minutes=n + 1))
    rotate(folder)
    assert asked.is_file()
    labels = [each.label for each in backups(folder)]
    assert (labels.count("before-import"), labels.count("before-restore")) == (5, 5)
    newest = [each.path.name[17:21] for each in backups(folder) if each.label == "before-import"]
    assert newest == ["1037", "1036", "1035", "1034", "1033"]


def test_damaged_data_are_blamed_and_not_their_copy(store: Store, path: Path, folder: Path) -> None:
    for n in range(300):
        store.record(answer(f"drill:{n % 50}", answer="x" * 500))
    store.close()
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    with pytest.raises(BackupError) as told:
        make_backup(path, folder, now=NOW)
    assert str(told.value).startswith(f"{path}: damaged") and "drill doctor" in str(told.value)
    assert list(folder.iterdir()) == []

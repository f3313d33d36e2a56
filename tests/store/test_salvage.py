"""What can be read of a damaged file is saved, the rest comes from the newest backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.store import Store
from drill.store.backup import BackupError, make_backup
from drill.store.doctor import examine
from drill.store.salvage import salvage
from tests.store.conftest import Clock, answer

ANSWERS = 400


@pytest.fixture
def folder(path: Path) -> Path:
    return path.parent / "backups"


@pytest.fixture
def full(store: Store, clock: Clock) -> Store:
    for n in range(ANSWERS):
        store.record(answer(f"drill:{n % 40}", 1 + n % 4, answer="x" * 300))
        clock.go(hours=1)
    store.undo()
    store.sessions.start("session", {"running": {}}, 1, 1, session_id="s1")
    store.settings.set("profile", {"minutes": 30})
    return store


def pages(store: Store, table: str) -> list[int]:
    """Numbers of the pages of a table or index; the root is the first."""
    rows = store.access.rows("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno", (table,))
    return [row[0] for row in rows]


def spoil(path: Path, numbers: list[int]) -> None:
    """Fill pages with what is none."""
    data = bytearray(path.read_bytes())
    for number in numbers:
        data[(number - 1) * 4096 : number * 4096] = b"\xa5" * 4096
    path.write_bytes(bytes(data))


def test_rows_around_a_damaged_page_are_saved(
    full: Store, path: Path, folder: Path, clock: Clock
) -> None:
    states = full.states()
    leaves = pages(full, "reviews")[1:]
    full.close()
    spoil(path, leaves[3:5])
    done = salvage(path, folder)
    assert done.backup is None and done.from_backup == 0
    assert ANSWERS - 40 <= done.events < ANSWERS + 1 and done.gaps == ANSWERS + 1 - done.events
    assert done.aside is not None and done.aside.parent == folder
    with Store.open(path, clock) as again:
        assert [f.code for f in examine(again)] == []
        assert set(again.states()) == set(states)
        assert again.settings.get("profile") == {"minutes": 30}
        assert again.sessions.get("s1").kind == "session"


def test_a_backup_fills_the_gaps(full: Store, path: Path, folder: Path, clock: Clock) -> None:
    make_backup(path, folder)
    full.record(answer("drill:after-the-backup"))
    states = full.states()
    leaves = pages(full, "reviews")[1:]
    full.close()
    spoil(path, [leaves[2], leaves[5]])
    done = salvage(path, folder)
    assert done.from_backup > 0 and done.gaps == 0
    assert done.events + done.from_backup == ANSWERS + 2
    with Store.open(path, clock) as again:
        assert again.states() == states
        assert examine(again) == []


@pytest.mark.parametrize("table", ["reviews_item", "reviews_at", "states", "devices", "settings"])
def test_damage_elsewhere_costs_no_event(
    full: Store, path: Path, folder: Path, table: str, clock: Clock
) -> None:
    states = full.states()
    spoiled = pages(full, table)
    full.close()
    spoil(path, spoiled)
    done = salvage(path, folder)
    assert (done.events, done.gaps, done.refused) == (ANSWERS + 1, 0, 0)
    with Store.open(path, clock) as again:
        assert again.states() == states
        assert [f.code for f in examine(again)] == []


def test_lost_parameters_are_replaced_by_the_defaults(
    full: Store, path: Path, folder: Path, clock: Clock
) -> None:
    spoiled = pages(full, "parameter_sets")
    full.close()
    spoil(path, spoiled)
    assert salvage(path, folder).events == ANSWERS + 1
    with Store.open(path, clock) as again:
        assert examine(again) == []


def test_of_a_file_without_a_head_the_backup_is_left(full: Store, path: Path, folder: Path) -> None:
    make_backup(path, folder)
    full.close()
    spoil(path, [1])
    done = salvage(path, folder)
    assert (done.events, done.from_backup, done.gaps) == (0, ANSWERS + 1, None)
    with Store.open(path) as again:
        assert done.newest == again.access.row("SELECT max(at) FROM reviews")[0]  # type: ignore[index]


def test_where_there_is_nothing_nothing_is_changed(full: Store, path: Path, folder: Path) -> None:
    full.close()
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(BackupError, match="nothing of it can be read"):
        salvage(path, folder)
    assert path.read_bytes() == b"no database " * 1000
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []

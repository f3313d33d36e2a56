"""Old files are carried over whole, after a backup; a failure leaves them as they were."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from drill.store import Store, migrations
from drill.store.backup import backups, inspect
from drill.store.db import SCHEMA_VERSION, StoreError, connect
from drill.store.doctor import examine
from drill.store.migrations import registry
from tests.store.conftest import Clock, answer

V1 = Path(__file__).parent / "fixtures" / "v1.sql"


@pytest.fixture
def old(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(V1.read_text())
    return path


def dump(path: Path, tables: tuple[str, ...]) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables}


KEPT = ("reviews", "states", "amended", "sessions", "settings", "devices", "parameter_sets")


def test_version_1_is_migrated_with_everything_in_it(old: Path, clock: Clock) -> None:
    before = dump(old, KEPT)
    clock.go(days=3)
    with Store.open(old, clock=clock) as store:
        assert examine(store) == []
        assert store.settings.get("level") == "senior"
        session = store.sessions.unfinished()
        assert session is not None
        assert (session.position, session.draft) == (3, {"text": "half an ans"})
        assert [a.grade for a in store.answers()] == [1, 3, 4]
        assert store.runs.list() == []
        redone = store.redo()
        assert redone is not None
        assert redone.item_id == "drill:cfg.calls"
        store.record(answer("drill:cfg.calls"))
    after = dump(old, KEPT)
    assert after["reviews"][: len(before["reviews"])] == before["reviews"]
    assert after["sessions"] == before["sessions"]


def test_a_backup_of_the_old_file_is_made_first(old: Path, clock: Clock, tmp_path: Path) -> None:
    before = dump(old, KEPT)
    Store.open(old, clock=clock, backup_dir=tmp_path / "b").close()
    (made,) = backups(tmp_path / "b")
    assert made.label == f"before-schema-{SCHEMA_VERSION}"
    assert inspect(made.path).schema == 1
    assert dump(made.path, KEPT) == before


def test_a_new_file_needs_no_backup(path: Path) -> None:
    Store.open(path).close()
    assert not (path.parent / "backups").exists()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(old, KEPT)
    broken = migrations.RUNS + "INSERT INTO no_such_table VALUES (1);"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "RUNS", broken)
        with pytest.raises(StoreError, match="no_such_table"):
            Store.open(old)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    assert "runs" not in names
    assert dump(old, KEPT) == before
    Store.open(old).close()


def test_no_migration_without_a_good_backup(old: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises((StoreError, OSError)):
        Store.open(old, backup_dir=blocked)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_names_and_versions_agree(path: Path) -> None:
    names = [m.name for m in registry()._migrations]
    assert len(names) == SCHEMA_VERSION
    assert [int(name[:4]) for name in names] == list(range(1, SCHEMA_VERSION + 1))
    with Store.open(path) as store:
        applied = store.access.rows("SELECT name FROM _sqlite_migrations ORDER BY id")
        assert [row[0] for row in applied] == names
        assert registry().pending(Database(store.access.connection)) == []


def test_a_current_file_opens_without_the_migrations(store: Store, path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from drill.store import Store; "
        f"Store.open(Path({str(path)!r})).counts(); "
        "sys.exit(', '.join({'sqlite_utils', 'fsrs', 'drill.store.migrations'} "
        "& set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_instances_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "d.sqlite3"
    with ThreadPoolExecutor(4) as pool:
        opens: Callable[[int], Store] = lambda _: Store.open(path)  # noqa: E731
        stores = list(pool.map(opens, range(4)))
    for store in stores:
        assert store.counts().items == 0
        store.close()


def test_opening_waits_for_an_instance_that_is_creating_the_file(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    done.start()
    start = time.monotonic()
    connection = connect(path)
    assert time.monotonic() - start > 0.2, "the lock was not in the way: the test shows nothing"
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    done.join()
    other.close()

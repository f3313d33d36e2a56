"""Opening the database: pragmas, schema version, transactions. Standard library only."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 3
"""`PRAGMA user_version` after the last migration of `drill.store.migrations`."""
BUSY_SECONDS = 10.0
"""How long a writer waits for another instance before it gives up."""


class StoreError(Exception):
    """The data cannot be read or written; the message says what and the way out."""


class NewerSchemaError(StoreError):
    """The file was written by a newer drill."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to `path` with the pragmas that durability rests on; no migration.

    WAL with `synchronous=FULL`: a commit is on the disk before it returns (NORMAL may lose the
    last answers at a power cut). Raises StoreError where the file is no database.
    """
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise StoreError(_unreadable(path, error)) from error
    try:
        mode = _write_ahead(connection)
        if mode != "wal":
            raise StoreError(
                f"{path}: the file system does not allow SQLite's write-ahead log (journal mode "
                f"is {mode!r}); set DRILL_HOME to a folder on a local disk"
            )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA recursive_triggers=ON")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(_unreadable(path, error)) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> str:
    """Switch to WAL; waits by hand, since SQLite does not where two instances switch at once."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.005)


def _unreadable(path: Path, error: sqlite3.Error) -> str:
    from drill.store.faults import told

    return told(path, error)


def schema_version(connection: sqlite3.Connection) -> int:
    """Number of migrations that the file has seen; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def open_database(path: Path, backup_dir: Path | None = None) -> sqlite3.Connection:
    """Connect, and migrate where the file is older than this drill.

    Before an existing file is migrated a verified copy is written to `backup_dir` (default:
    `backups` beside the file). Raises NewerSchemaError and StoreError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path)
    try:
        found = schema_version(connection)
        if found > SCHEMA_VERSION:
            raise NewerSchemaError(
                f"{path}: written by a newer drill (schema {found}, this one knows "
                f"{SCHEMA_VERSION}); upgrade with `pip install -U diffusion-drill`"
            )
        if found < SCHEMA_VERSION:
            from drill.store.migrations import migrate

            migrate(connection, path, backup_dir or path.parent / "backups")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(_unreadable(path, error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction that takes the write lock at once; rolled back on any error.

    IMMEDIATE, because a deferred one that has read and then wants to write fails under a second
    instance instead of waiting. Inside a transaction it joins it.
    """
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Access:
    """One connection, usable from several threads one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._lock = threading.RLock()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that other threads and other instances wait for."""
        with self._lock, transaction(self.connection):
            yield self.connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection for several reads that must see the same data."""
        with self._lock:
            joined = self.connection.in_transaction
            if not joined:
                self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                if not joined and self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of one query."""
        with self._lock:
            return self.connection.execute(sql, args).fetchall()

    def row(self, sql: str, args: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of one query."""
        with self._lock:
            found: tuple[Any, ...] | None = self.connection.execute(sql, args).fetchone()
            return found

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self.connection.close()

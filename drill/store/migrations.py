"""Named migrations. Imported only when a file is older than `SCHEMA_VERSION`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from drill.store.db import SCHEMA_VERSION, schema_version, transaction

SET_NAME = "drill"

LOG = """
CREATE TABLE devices (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE TABLE parameter_sets (
  id TEXT PRIMARY KEY, created TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE reviews (
  seq INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN
    ('review', 'undo', 'overrule', 'suspend', 'unsuspend', 'bury', 'known', 'advance')),
  device_id TEXT NOT NULL REFERENCES devices (id),
  at TEXT NOT NULL,
  offset_minutes INTEGER NOT NULL,
  study_day INTEGER NOT NULL,
  other_day INTEGER,
  item_id TEXT NOT NULL,
  target TEXT,
  content_hash TEXT,
  type TEXT,
  seed INTEGER,
  mode TEXT CHECK (mode IN ('session', 'retry', 'placement', 'mock', 'cram')),
  schedules INTEGER NOT NULL DEFAULT 0 CHECK (schedules IN (0, 1)),
  duration_ms INTEGER,
  expected_seconds REAL,
  confidence INTEGER CHECK (confidence BETWEEN 1 AND 3),
  hints INTEGER,
  answer TEXT,
  auto_score REAL CHECK (auto_score BETWEEN 0 AND 1),
  self_score REAL CHECK (self_score BETWEEN 0 AND 1),
  auto_grade INTEGER CHECK (auto_grade BETWEEN 1 AND 4),
  grade INTEGER CHECK (grade BETWEEN 1 AND 4),
  said_aloud INTEGER CHECK (said_aloud IN (0, 1)),
  session_id TEXT,
  until_day INTEGER,
  scheduler TEXT,
  parameter_set TEXT REFERENCES parameter_sets (id),
  recall REAL,
  elapsed_days INTEGER,
  before TEXT,
  after TEXT,
  points TEXT,
  misconceptions TEXT,
  run_id TEXT,
  CHECK (kind NOT IN ('undo', 'overrule') OR target IS NOT NULL),
  CHECK (kind NOT IN ('review', 'overrule') OR grade IS NOT NULL),
  CHECK (kind NOT IN ('review', 'known') OR parameter_set IS NOT NULL),
  CHECK (kind NOT IN ('bury', 'known', 'advance') OR until_day IS NOT NULL)
) STRICT;
CREATE INDEX reviews_item ON reviews (item_id, at);
CREATE INDEX reviews_at ON reviews (at);
CREATE INDEX reviews_day ON reviews (study_day, other_day, kind);
CREATE INDEX reviews_target ON reviews (target) WHERE target IS NOT NULL;
CREATE INDEX reviews_beliefs ON reviews (seq) WHERE misconceptions IS NOT NULL;
CREATE TRIGGER reviews_no_update BEFORE UPDATE ON reviews
BEGIN SELECT RAISE(ABORT, 'the review log is append-only: undo with a compensating row'); END;
CREATE TRIGGER reviews_no_delete BEFORE DELETE ON reviews
BEGIN SELECT RAISE(ABORT, 'the review log is append-only: undo with a compensating row'); END;
CREATE TRIGGER reviews_no_replace BEFORE INSERT ON reviews
WHEN EXISTS (SELECT 1 FROM reviews WHERE uuid = NEW.uuid OR seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the review log is append-only: this row is there already'); END;
CREATE TABLE amended (
  uuid TEXT PRIMARY KEY, active INTEGER NOT NULL, overruled_by TEXT
) STRICT, WITHOUT ROWID;
CREATE VIEW answers AS
SELECT r.seq, r.uuid, r.device_id, r.at, r.offset_minutes, r.study_day, r.other_day, r.item_id,
  r.content_hash, r.type, r.seed, r.mode, r.schedules, r.duration_ms, r.expected_seconds,
  r.confidence, r.hints, r.answer, r.auto_score,
  coalesce(o.self_score, r.self_score) AS self_score, r.auto_grade,
  coalesce(o.grade, r.grade) AS grade,
  o.uuid IS NOT NULL OR r.grade <> r.auto_grade AS overruled, r.said_aloud,
  r.session_id, r.recall, r.elapsed_days, coalesce(o.points, r.points) AS points,
  coalesce(o.misconceptions, r.misconceptions) AS misconceptions, r.run_id
FROM reviews r
LEFT JOIN amended a ON a.uuid = r.uuid
LEFT JOIN reviews o ON o.uuid = a.overruled_by
WHERE r.kind = 'review' AND coalesce(a.active, 1) = 1;
CREATE TABLE states (
  item_id TEXT PRIMARY KEY,
  stability REAL NOT NULL,
  difficulty REAL NOT NULL,
  due_day INTEGER,
  last_day INTEGER,
  first_day INTEGER,
  reps INTEGER NOT NULL,
  lapses INTEGER NOT NULL,
  last_grade INTEGER NOT NULL,
  suspended INTEGER NOT NULL,
  buried_until INTEGER NOT NULL,
  leech INTEGER NOT NULL,
  known INTEGER NOT NULL,
  retest_day INTEGER NOT NULL,
  decay REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX states_due ON states (due_day, buried_until, suspended);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT,
  study_day INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  minutes REAL,
  position INTEGER NOT NULL DEFAULT 0,
  plan TEXT NOT NULL,
  draft TEXT,
  summary TEXT
) STRICT;
CREATE INDEX sessions_open ON sessions (kind, started) WHERE ended IS NULL;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

RUNS = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  started TEXT NOT NULL,
  seconds REAL NOT NULL,
  params TEXT NOT NULL,
  metrics TEXT NOT NULL,
  claims TEXT NOT NULL,
  outcomes TEXT NOT NULL,
  device TEXT NOT NULL,
  versions TEXT NOT NULL,
  seed INTEGER NOT NULL,
  artefacts TEXT NOT NULL,
  extra TEXT NOT NULL
) STRICT;
CREATE INDEX runs_name ON runs (name, started);
"""

MOCKS = """
CREATE INDEX reviews_mock ON reviews (item_id) WHERE mode = 'mock';
"""


def _statements(script: str) -> list[str]:
    """The statements of a script: `executescript` would commit the transaction it is run in."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    if pending.strip():
        raise ValueError(f"unfinished SQL statement: {pending.strip()!r}")
    return found


def trigger_statements() -> dict[str, str]:
    """By name the triggers that keep the log append-only."""
    made = [text for text in _statements(LOG) if text.startswith("CREATE TRIGGER ")]
    return {text.split()[2]: text for text in made}


def _run(db: Any, script: str, version: int) -> None:
    for statement in _statements(script):
        db.conn.execute(statement)
    db.conn.execute(f"PRAGMA user_version = {version:d}")


def _m0001_log(db: Any) -> None:
    """The log, the states derived from it, sessions and settings."""
    _run(db, LOG, 1)


def _m0002_runs(db: Any) -> None:
    """Results of experiments."""
    _run(db, RUNS, 2)


def _m0003_mocks(db: Any) -> None:
    """What interviews have shown, found without reading the whole log."""
    _run(db, MOCKS, 3)


def registry() -> Migrations:
    """The migrations in order; the n-th leaves `user_version` at n."""
    migrations = Migrations(SET_NAME)
    migrations(name="0001_log")(_m0001_log)
    migrations(name="0002_runs")(_m0002_runs)
    migrations(name="0003_mocks")(_m0003_mocks)
    return migrations


def migrate(connection: sqlite3.Connection, path: Path, backup_dir: Path) -> None:
    """Bring the file up to `SCHEMA_VERSION`, all or nothing, after a verified backup.

    The write lock is held from before the backup to the commit, so that of two instances that
    start at once only one migrates. An error leaves the file as it was.
    """
    with transaction(connection):
        found = schema_version(connection)
        if found >= SCHEMA_VERSION:
            return
        if found > 0:
            from drill.store.backup import make_backup

            make_backup(path, backup_dir, label=f"before-schema-{SCHEMA_VERSION}")
        registry().apply(Database(connection, recursive_triggers=False))
        reached = schema_version(connection)
        if reached != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(
                f"schema is {reached} after migrating, not {SCHEMA_VERSION}"
            )

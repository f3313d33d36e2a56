"""Examining the data: is the file sound, do the cached states agree with the log."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection
from pathlib import Path

from drill.domain.counted import counted
from drill.domain.memory.state import ParameterSet
from drill.store import log
from drill.store.doctor_clock import clock_findings
from drill.store.doctor_kept import kept_findings
from drill.store.findings import Finding, some, worst_first
from drill.store.replay import replay_all
from drill.store.store import Store

__all__ = ["Finding", "examine", "integrity", "missing_triggers"]

TRIGGERS = ("reviews_no_delete", "reviews_no_replace", "reviews_no_update")
_OF_AN_INDEX = re.compile(
    r"^row \d+ missing from index|^wrong # of entries in index|^non-unique entry in index"
)


def examine(
    store: Store,
    known_ids: Collection[str] | None = None,
    backup_dir: Path | None = None,
    runs_dir: Path | None = None,
) -> list[Finding]:
    """Findings, worst first; empty when all is well. Nothing is changed.

    `known_ids`: pack-qualified ids of the bank, to find what the log has and the bank has not.
    `runs_dir`: where the pictures of experiment runs are.
    """
    found = _file(store)
    if any(f.code == "damaged" for f in found):
        return found
    found += _log(store)
    found += _derived(store)
    found += clock_findings(store)
    found += kept_findings(store, known_ids, runs_dir)
    if known_ids is not None:
        orphans = sorted(set(store.items()).difference(known_ids))
        if orphans:
            found.append(
                Finding(
                    "note",
                    "orphans",
                    f"{counted(len(orphans), 'item')} with a history and in no pack: "
                    f"{some(orphans)}. "
                    "They are not asked and do not count as due.",
                    "their history is kept: add the pack they came from, or leave them",
                )
            )
    if backup_dir is not None:
        found += _backups(backup_dir)
    return worst_first(found)


def _file(store: Store) -> list[Finding]:
    found: list[Finding] = []
    said = integrity(store.access.connection)
    if said:
        only_indexes = all(map(_OF_AN_INDEX.search, said))
        found.append(
            Finding(
                "error",
                "damaged",
                f"{store.path} is damaged: {some(said)}",
                "the indexes alone are hurt: `drill doctor --mend` makes them anew"
                if only_indexes
                else "`drill restore` brings a backup back; `drill doctor --salvage` saves what "
                "can be read of the file and fills it up from the newest backup",
                mendable=only_indexes,
            )
        )
    broken = store.access.rows("PRAGMA foreign_key_check")
    if broken:
        tables = sorted({str(row[0]) for row in broken})
        found.append(
            Finding(
                "error",
                "references",
                f"{len(broken)} rows of {some(tables)} name something that is not there: the file "
                "was changed by another program",
                "restore with `drill restore`",
            )
        )
    missing = missing_triggers(store.access.connection)
    if missing:
        found.append(
            Finding(
                "error",
                "unguarded",
                f"the log is not protected against changes: {some(missing)} gone",
                "`drill doctor --mend` puts the protection back",
                mendable=True,
            )
        )
    return found


def integrity(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file, at most 20 things."""
    try:
        rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if rows == ["ok"] else rows


def missing_triggers(connection: sqlite3.Connection) -> list[str]:
    """Names of the triggers that keep the log append-only and are gone."""
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    there = {row[0] for row in rows}
    return [name for name in TRIGGERS if name not in there]


def _log(store: Store) -> list[Finding]:
    found: list[Finding] = []
    lost = store.access.rows(
        "SELECT uuid FROM reviews r WHERE target IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM reviews t WHERE t.uuid = r.target AND t.item_id = r.item_id)"
    )
    if lost:
        found.append(
            Finding(
                "warning",
                "targets",
                f"{len(lost)} undos or overrules name an event that is not in the log",
                "import the log of the other machine",
            )
        )
    bad = 0
    for id_, body in store.access.rows("SELECT id, body FROM parameter_sets"):
        try:
            sets = ParameterSet.from_json(json.loads(body))
        except (ValueError, KeyError, TypeError):
            bad += 1
            continue
        bad += sets.id != id_
    if bad:
        found.append(
            Finding(
                "error",
                "parameters",
                f"{bad} parameter sets of the scheduler cannot be read",
                "restore with `drill restore`",
            )
        )
    return found


def _derived(store: Store) -> list[Finding]:
    try:
        with store.access.read() as connection:
            states, amended = replay_all(connection)
            stored = {s.item_id: s for s in log.read_states(connection)}
            rows = connection.execute("SELECT uuid, active, overruled_by FROM amended").fetchall()
    except (ValueError, KeyError) as error:
        return [
            Finding(
                "error",
                "replay",
                f"the log cannot be replayed: {error}",
                "restore with `drill restore`",
            )
        ]
    found: list[Finding] = []
    wrong = sorted(i for i in states.keys() | stored.keys() if states.get(i) != stored.get(i))
    if wrong:
        found.append(
            Finding(
                "error",
                "states",
                f"{len(wrong)} stored states differ from a replay of the log: {some(wrong)}",
                "derive them again with `drill doctor --mend`; nothing of the log is lost",
                mendable=True,
            )
        )
    if {uuid: (active, by) for uuid, active, by in rows} != amended:
        found.append(
            Finding(
                "error",
                "amendments",
                "the list of undone and overruled events differs from the log",
                "derive it again with `drill doctor --mend`",
                mendable=True,
            )
        )
    return found


def _backups(folder: Path) -> list[Finding]:
    from drill.store.backup import BackupError, BusyError, ForbiddenError, backups, inspect

    bad: list[str] = []
    barred: list[str] = []
    found = backups(folder)
    for backup in found:
        try:
            inspect(backup.path)
        except BusyError:
            continue
        except ForbiddenError as error:
            barred.append(str(error))
        except BackupError as error:
            bad.append(str(error))
    if bad:
        return [
            Finding(
                "warning",
                "backups",
                f"backups that are no good, so that they cannot be restored: {some(bad)}",
                "remove them; `drill backup` makes a good one",
            )
        ]
    if barred:
        says = f"backups that cannot be looked into: {some(barred)}"
        return [Finding("warning", "backups-barred", says)]
    if not found:
        return [Finding("note", "no-backup", f"no backup in {folder} yet", "run `drill backup`")]
    return []

"""Examining the data: is the file sound, do the cached states agree with the log."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from drill.domain.memory.state import ParameterSet
from drill.domain.memory.study_day import study_day
from drill.store import log
from drill.store.backup import Backup, make_backup
from drill.store.replay import rebuild, replay_all
from drill.store.store import Store

TRIGGERS = ("reviews_no_delete", "reviews_no_replace", "reviews_no_update")
FUTURE = timedelta(minutes=5)
"""How far ahead of the clock an event may be before it is odd."""
NAMED = 5
"""Examples named in a finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd."""

    level: Literal["error", "warning", "note"]
    code: str
    message: str
    remedy: str = ""
    mendable: bool = False
    """Whether `mend` puts it right."""


def examine(
    store: Store, known_ids: Collection[str] | None = None, backup_dir: Path | None = None
) -> list[Finding]:
    """Findings, worst first; empty when all is well. Nothing is changed.

    `known_ids`: pack-qualified ids of the bank, to find what the log has and the bank has not.
    """
    found = _file(store)
    if any(f.code == "damaged" for f in found):
        return found
    found += _log(store)
    found += _derived(store)
    found += _clock(store)
    if known_ids is not None:
        orphans = sorted(set(store.items()).difference(known_ids))
        if orphans:
            found.append(
                Finding(
                    "note",
                    "orphans",
                    f"{len(orphans)} items have a history but are in no pack: {_some(orphans)}",
                    "they are kept; add the pack they came from, or leave them",
                )
            )
    if backup_dir is not None:
        found += _backups(backup_dir)
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda f: order[f.level])


def mend(store: Store, backup_dir: Path) -> tuple[Backup, int]:
    """Back up, then derive every state again from the log; gives the backup and the states."""
    made = make_backup(store.path, backup_dir, label="before-mend")
    with store.access.write() as connection:
        count = rebuild(connection)
    return made, count


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:NAMED])
    return shown + (", …" if len(names) > NAMED else "")


def _file(store: Store) -> list[Finding]:
    found: list[Finding] = []
    rows = store.access.rows("PRAGMA integrity_check(20)")
    if [row[0] for row in rows] != ["ok"]:
        text = _some([str(row[0]) for row in rows])
        found.append(
            Finding("error", "damaged", f"{store.path}: {text}", "restore with `drill restore`")
        )
    broken = store.access.rows("PRAGMA foreign_key_check")
    if broken:
        tables = sorted({str(row[0]) for row in broken})
        found.append(
            Finding(
                "error",
                "references",
                f"{len(broken)} rows of {_some(tables)} name something that is not there",
                "restore with `drill restore`",
            )
        )
    triggers = {
        r[0] for r in store.access.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    }
    missing = [name for name in TRIGGERS if name not in triggers]
    if missing:
        found.append(
            Finding(
                "error",
                "unguarded",
                f"the log is not protected against changes: {_some(missing)} gone",
                "restore with `drill restore`",
            )
        )
    return found


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
                f"{len(wrong)} stored states differ from a replay of the log: {_some(wrong)}",
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


def _clock(store: Store) -> list[Finding]:
    found: list[Finding] = []
    limit = log.to_text(store.now() + FUTURE)
    ahead = store.access.row("SELECT count(*), max(at) FROM reviews WHERE at > ?", (limit,))
    if ahead and ahead[0]:
        found.append(
            Finding(
                "warning",
                "future",
                f"{ahead[0]} events lie in the future, the last at {ahead[1]}",
                "check the clock of this machine; if it is right, undo those answers",
            )
        )
    back = 0
    odd = 0
    newest = ""
    rows = store.access.rows("SELECT at, offset_minutes, study_day FROM reviews ORDER BY seq")
    for at, offset, day in rows:
        back += at < newest
        newest = max(newest, at)
        moment = log.from_text(at)
        days = {study_day(moment, offset, 0), study_day(moment, offset, 23)}
        odd += day not in days
    if back:
        found.append(
            Finding(
                "note",
                "order",
                f"{back} events are older than one recorded before them (an import, or a clock "
                "that was set back by more than two days)",
            )
        )
    if odd:
        found.append(
            Finding(
                "warning",
                "days",
                f"{odd} events carry a study day that does not fit their time and offset",
                "undo them if the clock was wrong",
            )
        )
    return found


def _backups(folder: Path) -> list[Finding]:
    from drill.store.backup import BackupError, backups, inspect

    bad: list[str] = []
    found = backups(folder)
    for backup in found:
        try:
            inspect(backup.path)
        except BackupError as error:
            bad.append(str(error))
    if bad:
        return [
            Finding("warning", "backups", f"backups that are no good: {_some(bad)}", "remove them")
        ]
    if not found:
        return [Finding("note", "no-backup", f"no backup in {folder} yet", "run `drill backup`")]
    return []

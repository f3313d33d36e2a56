"""Examining everything of a learner's: the data, the settings, the packs. Nothing is changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from drill import paths
from drill.domain.counted import counted
from drill.store.backup import BackupError, backups
from drill.store.db import NewerSchemaError, StoreError
from drill.store.findings import Finding, worst_first

if TYPE_CHECKING:
    from drill.packs.bank import Bank
    from drill.store.mending import Mended
    from drill.store.salvage import Salvaged
    from drill.store.store import Store


def examine() -> list[Finding]:
    """What is wrong, worst first; empty when nothing is. Never raises for what it looks for."""
    from drill.packs.bank import open_bank

    bank = open_bank(paths.packs(), paths.cache_dir())
    return worst_first([*_settings(), *_data(bank), *_packs(bank)])


def mend(now: datetime) -> Mended:
    """Copy the data, then put right what can be.

    Raises:
        StoreError: the data cannot be opened or copied; nothing was changed.
    """
    from drill.store.mending import mend as put_right

    with _opened() as store:
        return put_right(store, paths.backup_dir(), now)


def salvage(now: datetime) -> Salvaged:
    """Save what can be read of damaged data into a new file, filled up from the newest backup.

    Raises:
        BackupError: the data are sound, or nothing can be saved; nothing was changed.
    """
    from drill.store.salvage import salvage as save

    if not damaged():
        raise BackupError(f"{paths.database()} can be read: there is nothing to salvage")
    return save(paths.database(), paths.backup_dir(), now)


def damaged() -> bool:
    """Whether there are data that SQLite cannot read or finds damaged.

    Raises:
        StoreError: another program holds them, this user may not open them, or the disk is full.
    """
    from drill.store.db import connect
    from drill.store.doctor import integrity
    from drill.store.faults import fault_of

    if not paths.database().is_file():
        return False
    try:
        connection = connect(paths.database())
    except StoreError as error:
        if fault_of(error.__cause__) in ("held", "forbidden", "full"):
            raise
        return True
    try:
        return bool(integrity(connection))
    finally:
        connection.close()


@contextmanager
def _opened() -> Iterator[Store]:
    from drill.store.faults import told
    from drill.store.store import Store

    try:
        with Store.open(paths.database()) as store:
            yield store
    except sqlite3.DatabaseError as error:
        raise StoreError(told(paths.database(), error)) from error


def _data(bank: Bank) -> list[Finding]:
    from drill.store.doctor import examine as look
    from drill.store.faults import way_out

    if not paths.database().exists():
        says = f"there are no data yet: {paths.database()} is made by the first answer"
        there = backups(paths.backup_dir())
        if not there:
            return [Finding("note", "no-data", says)]
        count = counted(len(there), "backup")
        verb = "is" if len(there) == 1 else "are"
        says = f"{paths.database()} is gone, but there {verb} {count} of it"
        return [Finding("error", "gone", says, "`drill restore` brings the newest back")]
    if not os.access(paths.database(), os.W_OK):
        says = f"{paths.database()} cannot be written by this user"
        return [Finding("error", "forbidden", says, way_out("forbidden"))]
    try:
        with _opened() as store:
            found = look(store, set(bank.heads), paths.backup_dir(), paths.runs_dir())
            begun = store.access.row("SELECT 1 FROM reviews LIMIT 1") is not None
        return found if begun else [*found, *_begun_anew()]
    except NewerSchemaError as error:
        return [Finding("error", "newer", str(error), "upgrade drill, or `drill restore`")]
    except StoreError as error:
        return [_unopened(error)]


def _unopened(error: StoreError) -> Finding:
    """Data that cannot be opened: whether they are damaged, and the way out of what it is."""
    from drill.store.faults import fault_of, way_out, what

    cause = error.__cause__
    fault = fault_of(cause)
    says = what(paths.database(), cause) if fault and isinstance(cause, sqlite3.Error) else ""
    if fault not in ("", "damaged"):
        return Finding("error", fault, says, way_out(fault))
    return Finding(
        "error",
        "unreadable",
        says or str(error),
        "`drill restore` brings a backup back; `drill doctor --salvage` saves what can be read of "
        "the file and fills it up from the newest backup",
    )


def _begun_anew() -> list[Finding]:
    """Data without an answer beside backups with some: they were lost and begun anew."""
    from drill.store.backup import inspect

    for each in backups(paths.backup_dir()):
        try:
            answers = inspect(each.path).answers
        except BackupError:
            continue
        if answers:
            says = f"the data hold no answer, but the backup {each.path.name} has {answers}"
            return [Finding("warning", "begun-anew", says, "`drill restore` brings them back")]
    return []


def _settings() -> list[Finding]:
    from drill.config import ConfigError, load

    try:
        load(paths.config_file())
    except ConfigError as error:
        return [Finding("error", "config", f"{error}", "drill does not open before it is mended")]
    return []


def _packs(bank: Bank) -> list[Finding]:
    import json

    from drill.services.user_packs import all_packs

    found: list[Finding] = []
    if bank.problems:
        count = counted(len(bank.problems), "problem")
        says = f"{count} in question files, such as {bank.problems[0]}"
        remedy = "`drill bank check` lists them; what is faulty is not asked"
        found.append(Finding("warning", "questions", says, remedy))
    for pack in all_packs() if paths.user_packs_dir().is_dir() else []:
        if pack.standing == "refused":
            says = f"the pack `{pack.name}` is refused: {'; '.join(pack.problems)}"
            remedy = f"mend its folder, or: drill pack remove {pack.name}"
            found.append(Finding("warning", "pack-refused", says, remedy))
        elif pack.standing == "changed":
            says = f"the code of the pack `{pack.name}` has changed since it was trusted"
            remedy = f"it does not run; read it, then: drill pack trust {pack.name}"
            found.append(Finding("note", "pack-changed", says, remedy))
    try:
        text = paths.trust_file().read_text(encoding="utf-8")
        packs = json.loads(text)["packs"]
        if not isinstance(packs, dict):
            raise TypeError("packs is no mapping")
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        says = f"{paths.trust_file()} cannot be read ({error}): no pack of yours is trusted"
        remedy = "remove the file, then trust your packs again: drill pack trust NAME"
        found.append(Finding("warning", "trust", says, remedy))
    return found

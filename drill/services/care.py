"""Looking after the data: examining, mending and copying it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.store.doctor import Finding


def examine(drill: Drill) -> list[Finding]:
    """What is wrong with the data; empty when nothing is."""
    from drill.store.doctor import examine as look

    return list(look(drill.store, set(drill.bank.heads), drill.store.path.parent / "backups"))


def mend(drill: Drill) -> str:
    """Back up, then rebuild every state from the log; says what was done."""
    from drill.store.doctor import mend as rebuild

    backup, changed = rebuild(drill.store, drill.store.path.parent / "backups")
    return f"backed up to {backup.path}; {changed} states rebuilt"


def back_up(drill: Drill) -> Path:
    """Make a verified copy now.

    Raises:
        BackupError: it could not be made; nothing was changed.
    """
    from drill.store.backup import make_backup

    folder = drill.store.path.parent / "backups"
    return make_backup(drill.store.path, folder, "manual", drill.clock()).path

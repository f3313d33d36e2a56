"""What an error of SQLite says about the file, and the way out."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["", "damaged", "held", "forbidden", "full", "failed"]
"""Empty: a fault of the program, not of the file."""

_FAULTS: dict[int, Fault] = {
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_BUSY: "held",
    sqlite3.SQLITE_LOCKED: "held",
    sqlite3.SQLITE_READONLY: "forbidden",
    sqlite3.SQLITE_CANTOPEN: "forbidden",
    sqlite3.SQLITE_PERM: "forbidden",
    sqlite3.SQLITE_AUTH: "forbidden",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "failed",
}
_WAYS_OUT: dict[Fault, str] = {
    "damaged": "`drill doctor` says what can be saved, `drill restore` brings a backup back",
    "held": "close other windows of drill",
    "forbidden": "change its owner or rights, or set DRILL_HOME to a folder of yours",
    "full": "make room on the disk",
    "failed": "is the disk sound?",
}


def fault_of(error: BaseException | None) -> Fault:
    """What kind of fault it is; empty for every other error."""
    if not isinstance(error, sqlite3.Error):
        return ""
    code = getattr(error, "sqlite_errorcode", None)  # errors of Python's own module have none
    if code is None:
        return "damaged" if "Could not decode to UTF-8" in str(error) else ""
    return _FAULTS.get(code & 0xFF, "")


def what(path: Path, error: sqlite3.Error) -> str:
    """What is wrong with the file, without the way out."""
    fault = fault_of(error)
    if fault == "damaged":
        return f"{path} is damaged ({error})"
    if fault == "held":
        return f"{path}: another program holds it ({error})"
    if fault == "forbidden":
        return _forbidden(path, error)
    if fault == "full":
        return f"{path}: the disk is full"
    if fault == "failed":
        return f"{path}: it cannot be read or written ({error})"
    return f"{path}: {error}"


def way_out(fault: Fault) -> str:
    """What the learner can do; empty where nothing is known."""
    return _WAYS_OUT.get(fault, "")


def told(path: Path, error: sqlite3.Error) -> str:
    """What is wrong and the way out, in one line."""
    out = way_out(fault_of(error))
    return f"{what(path, error)}; {out}" if out else what(path, error)


def _forbidden(path: Path, error: sqlite3.Error) -> str:
    """SQLite says the same of a file that may not be read and of a folder without write access."""
    if path.is_dir():
        return f"{path} is a folder"
    if path.exists() and not os.access(path, os.R_OK):
        return f"{path} cannot be read by this user"
    for each in (path, path.parent, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if each.exists() and not os.access(each, os.W_OK):
            return f"{each} cannot be written by this user"
    return f"{path} cannot be opened or written ({error})"

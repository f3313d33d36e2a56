"""An error of the data file that reaches a front end, in words."""

from __future__ import annotations

import sqlite3

from drill import paths
from drill.store.faults import fault_of, told


def trouble(error: BaseException) -> str:
    """What is wrong with the data, with the way out; empty where it is a fault of the program."""
    cause = getattr(error, "error", error)  # what a worker of the app failed with
    if isinstance(cause, sqlite3.Error) and fault_of(cause):
        return told(paths.database(), cause)
    return ""

"""Who holds the interview: one process at a time, by a lock that ends with the process."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO


class InterviewHeldError(Exception):
    """The interview is open in another drill; the message says in which and what to do."""


class MockHold:
    """The lock of one `Drill`. The system frees it however the process ends."""

    def __init__(self, home: Path) -> None:
        self._path = home / "mock.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Hold the interview; nothing happens where this `Drill` holds it already.

        Raises:
            InterviewHeldError: another one does.
        """
        if self._file is not None:
            return
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            process = file.read().strip()
            file.close()
            where = f" (process {process})" if process else ""
            raise InterviewHeldError(
                f"The interview is open in another drill{where}: go on there, or leave it there "
                "first."
            ) from None
        except OSError:  # a file system without locks: as if nobody else were there
            pass
        with suppress(OSError):
            self._name(file)
        self._file = file

    def _name(self, file: IO[str]) -> None:
        import os

        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()

    def free(self) -> None:
        """Let another process hold it."""
        if self._file is not None:
            self._file.close()
            self._file = None

"""Limits that a child puts on itself before it runs a learner's code.

They guard against accidents (an endless loop, a tensor of a terabyte, a process started in a
loop), not against malice: it is the learner's own code on the learner's own machine. The owner
keeps the wall clock and kills; here are memory, processor time and new processes.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

MB = 1024 * 1024
_STARTS_PROCESS = frozenset(
    {
        "os.fork",
        "os.forkpty",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    }
)


class ProcessRefusedError(PermissionError):
    """The code under test tried to start a process."""


def address_space() -> int:
    """Bytes of address space that this process has mapped; 0 where that cannot be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no imports here
            pages = int(file.read().split()[0])
        import resource

        return pages * resource.getpagesize()
    except (OSError, ValueError, ImportError):
        return 0


def limit_memory(megabytes: int) -> bool:
    """Allow `megabytes` more than is mapped now; whether the system enforces it.

    The limit is on address space, relative to now: torch alone maps 0.6 GB on a CPU build and
    several on a CUDA build. macOS and Windows enforce nothing; there the clock is the only limit.
    """
    mapped = address_space()
    if not mapped:
        return False
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + megabytes * MB
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    except (OSError, ValueError):
        return False
    return True


def lift_memory_limit() -> None:
    """Undo `limit_memory`, so that a failure for want of memory can still be reported."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def limit_processor(seconds: float) -> bool:
    """Let the system end this process after `seconds` more of processor time.

    A second line behind the owner's clock: it holds even when the owner is gone.
    """
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        wanted = int(used.ru_utime + used.ru_stime + seconds) + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (wanted, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return False
    return True


def refuse_processes() -> None:
    """From now on, starting a process raises ProcessRefusedError. It cannot be undone."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_PROCESS:
            raise ProcessRefusedError("an answer may not start processes")

    sys.addaudithook(hook)

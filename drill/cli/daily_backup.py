"""Today's backup beside what is asked line by line, as the app makes it beside its screens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from drill.cli.output import say

if TYPE_CHECKING:
    from drill.services.app import Drill

AFTER = 0.5
"""Seconds after which the first question stands."""


@contextmanager
def backed_up(drill: Drill) -> Iterator[None]:
    """Make today's backup in a thread, at the latest when the block is left.

    One that fails is told and fails nothing.
    """
    problems: list[str] = []
    timer = Timer(AFTER, lambda: problems.append(drill.back_up_daily()))
    timer.start()
    failed = False
    try:
        yield
    except Exception:
        failed = True  # its own words come, and are enough
        raise
    finally:
        timer.cancel()
        timer.join()
        if not failed:
            problem = problems[0] if problems else drill.back_up_daily()
            if problem:
                say(problem)

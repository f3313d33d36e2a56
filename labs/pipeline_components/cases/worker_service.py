"""What a service's worker threads do with a pipeline that all of them can reach, as it should be.

Cases of `diagnose` break a line of this text; the mend is the line as it stands here.
"""

from __future__ import annotations

from typing import Any


def pipe_for_request(pipe: Any) -> Any:
    """The pipeline that a request runs on."""
    return own(pipe)


def own(pipe: Any) -> Any:
    """A pipeline object and a scheduler for one request, over the same weights."""
    scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
    parts = {**pipe.components, "scheduler": scheduler}
    mine = type(pipe)(**parts, requires_safety_checker=False)
    mine.set_progress_bar_config(disable=True)
    return mine

"""Peaks as the allocator saw them: of the CPU through torch's profiler, of CUDA through its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any


def highest(changes: Iterable[int]) -> int:
    """The largest running sum of changes in bytes, from 0; a block freed is a negative change."""
    live = most = 0
    for change in changes:
        live += change
        most = max(most, live)
    return most


def peak_bytes(run: Callable[[], Any], device: str) -> int:
    """Bytes that `run()` had allocated at once beyond what was there before, scratch included.

    On the CPU every allocation and release of torch's allocator is recorded by the profiler (the
    result of `run` must be dropped by it, as it is here); what libraries take for themselves is not
    seen. On CUDA it is `max_memory_allocated`.
    """
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    events = profiled.profiler.kineto_results.events()
    return highest(event.nbytes() for event in events if event.name() == "[memory]")


def reserved_bytes(device: str) -> int | None:
    """Bytes that the CUDA allocator has taken from the driver; None elsewhere."""
    import torch

    if not device.startswith("cuda"):
        return None
    return int(torch.cuda.max_memory_reserved(device))

"""Times of variants that are to be compared: interleaved rounds, synchronised, medians of ratios.

A time measured alone says little: clocks change, other processes come and go. Variants that are
timed one after another in each of several rounds meet the same disturbances, so the ratio of two of
them within a round is steadier than either, and the median over rounds drops the rounds that were
hit. Only ratios from one run are worth reporting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

Clock = Callable[[], float]


def synchronise(device: str) -> None:
    """Wait until the device has done what it was given; the CPU never lags behind."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return
    import torch

    torch.get_device_module(kind).synchronize()


def seconds(
    run: Callable[[], Any],
    device: str,
    *,
    clock: Clock = time.perf_counter,
    wait: Callable[[str], None] = synchronise,
) -> float:
    """Seconds of one call, with the device idle before and after.

    Without the second wait an accelerator's time would be that of handing work over.
    """
    wait(device)
    started = clock()
    run()
    wait(device)
    return clock() - started


def interleaved(
    variants: Mapping[str, Callable[[], Any]],
    device: str,
    rounds: int,
    *,
    warm_ups: int = 1,
    on_call: Callable[[int, int], None] = lambda done, total: None,
    clock: Clock = time.perf_counter,
    wait: Callable[[str], None] = synchronise,
) -> dict[str, list[float]]:
    """Seconds of every variant in every round.

    Each is called `warm_ups` times before (allocations, choice of kernels, compilation). The first
    of a round changes from round to round, so that none is always measured after the same other.
    `on_call` is told the calls done and their number, and may raise to stop.
    """
    names = list(variants)
    total = len(names) * (warm_ups + rounds)
    done = 0
    for _ in range(warm_ups):
        for name in names:
            variants[name]()
            done += 1
            on_call(done, total)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            times[name].append(seconds(variants[name], device, clock=clock, wait=wait))
            done += 1
            on_call(done, total)
    return times


def ratio(times: Mapping[str, Sequence[float]], name: str, base: str) -> float:
    """Median over rounds of `name`'s time over `base`'s in the same round."""
    pairs = zip(times[name], times[base], strict=True)
    return median(ours / theirs for ours, theirs in pairs)

"""Proofs of the serving questions that interviews keep: the arithmetic of load and waiting, gone
through event by event or in small steps, and what sharing does on a card that is full."""

from __future__ import annotations

import random
from collections.abc import Sequence


def near(value: float, wanted: float, share: float = 0.03) -> bool:
    """Whether a rounded number of a text agrees with the computed one."""
    return abs(value - wanted) <= share * abs(wanted)


# Little's law


def counted(times: Sequence[float], arrivals: Sequence[float]) -> float:
    """The average number inside, by counting through arrivals and ends in the steady hour."""
    ends = sorted(at + time for at, time in zip(arrivals, times, strict=True))
    begin, stop = 0.2 * arrivals[-1], 0.9 * arrivals[-1]
    events = sorted([(at, 1) for at in arrivals] + [(end, -1) for end in ends])
    inside, area, last = 0, 0.0, begin
    for now, change in events:
        if begin < now <= stop:
            area += inside * (now - last)
            last = now
        inside += change
    return area / (last - begin)


def time_inside(rate: int, inside: int, working: int, jobs: int = 60_000) -> float:
    """Mean seconds inside, tuned until a counted random trace shows what the panel shows."""
    assert working < inside, "those on the cards are among those inside"
    source, at = random.Random(0), 0.0
    arrivals, shares = [], []
    for _ in range(jobs):
        at += source.expovariate(rate)
        arrivals.append(at)
        shares.append(source.uniform(0.5, 1.5))
    low, high = 0.1, 100.0
    while high - low > 0.01:
        mean = (low + high) / 2
        if counted([mean * share for share in shares], arrivals) < inside:
            low = mean
        else:
            high = mean
    return (low + high) / 2


# Continuous batching


def mean_end(arrivals: Sequence[float], work: float, shared: bool, dt: float = 0.005) -> float:
    """Mean time from arrival to end on a card that is full with one job, shared or in order."""
    left = [work] * len(arrivals)
    ends = [0.0] * len(arrivals)
    now = 0.0
    while min(ends) == 0.0:
        there = [k for k, at in enumerate(arrivals) if at <= now and left[k] > 0]
        now += dt
        for k in there if shared else there[:1]:
            left[k] -= dt / (len(there) if shared else 1)
            if left[k] <= 0:
                ends[k] = now
    return sum(end - at for end, at in zip(ends, arrivals, strict=True)) / len(arrivals)


def sharing_ends_later() -> None:
    """With equal jobs on a saturated card, sharing makes the mean later than one after another."""
    assert near(mean_end([0.0, 0.0], 1.0, shared=True), 2.0)
    assert near(mean_end([0.0, 0.0], 1.0, shared=False), 1.5)
    for seed in range(3):
        source, at = random.Random(seed), 0.0
        arrivals = []
        for _ in range(60):
            at += source.expovariate(0.8)
            arrivals.append(at)
        in_order = mean_end(arrivals, 1.0, shared=False)
        assert mean_end(arrivals, 1.0, shared=True) > 1.1 * in_order, seed


# The newsletter's burst


def batch_seconds(pictures: int) -> float:
    """A batch from start to end: its steps, then its pictures one after another."""
    steps = sum(0.030 + 0.110 * pictures for _ in range(24))
    return steps + sum(0.4 for _ in range(pictures))


def best_batch() -> float:
    """Pictures a second at the best batch that takes 8 s at most."""
    allowed = [b for b in range(1, 33) if batch_seconds(b) <= 8]
    return max(b / batch_seconds(b) for b in allowed)


def burst(bound: float, rate: float, dt: float = 0.01) -> tuple[float, float]:
    """Waiting of the last one let in during 3 minutes at 12 a second, and the share refused."""
    queue = refused = wait = 0.0
    for _ in range(round(180 / dt)):
        queue = max(0.0, queue + 12 * dt - rate * dt)
        if queue > bound:
            refused += queue - bound
            queue = bound
        wait = queue / rate
    return wait, refused / (12 * 180)


def last_of_the_burst() -> float:
    """Seconds that the last picture of the burst waits behind an unbounded queue."""
    wait, refused = burst(float("inf"), 27 * 0.3)
    assert refused == 0
    return wait


def refused_in_the_burst() -> float:
    """Per cent refused when whoever is let in waits 4 s at most."""
    wait, refused = burst(4 * 8.1, 8.1)
    assert near(wait, 4.0), wait
    return 100 * refused


# The poster shop


def poster_numbers() -> None:
    """The numbers that the three stages state."""
    capacity = 30 / 12
    assert near(capacity, 2.5) and near(2 / capacity, 0.8) and near(10 / capacity, 4)
    assert near(10 - capacity, 7.5) and near((10 - capacity) * 60 / capacity, 180)
    assert near((60 - 12) * capacity, 120)
    assert near(12 / 30, 0.4) and near(20 - 12, 8)


# A thousand styles


def cards_saved(requests: int = 100_000) -> float:
    """Busy cards of either design, from a random sequence of requests."""
    source = random.Random(0)
    merged = beside = 0.0
    for _ in range(requests):
        merged += 1.2 + 5 + 1.2
        beside += 5 * 1.15 + (0.4 if source.random() < 0.4 else 0.0)
    busy_merged, busy_beside = 1.2 * merged / requests, 1.2 * beside / requests
    assert busy_merged > 8 > busy_beside, (busy_merged, busy_beside)
    assert near(busy_beside, 7.1) and near(beside / requests, 5.9)
    return busy_merged - busy_beside


# The live canvas


def wait_that_is_left() -> float:
    """What is left of 500 ms after everything between a change and its preview."""
    left = 500.0
    for part in [50, 10, *[40] * 5, 4, 50]:
        left -= part
    assert near(left, 190), "stage 2 takes 190 ms"
    return left


def frames_for_everybody() -> None:
    """The numbers of the last stage: frames a second of a card, of all, and of a user."""
    frame = 10 + 2 * 22 + 4
    assert frame == 58
    card = 1000 / frame
    assert near(card, 17.2) and near(40 * card, 690)
    assert near(2000 / (40 * card), 2.9)

"""Proofs of the questions of lab serving: the starter's functions under requests that meet."""

from __future__ import annotations

import queue
import random
import threading
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler, PNDMScheduler
from torch import nn

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


@dataclass
class Request:
    """What the starter's functions read and write."""

    seed: int
    state: str = "waiting"
    steps: int = 0
    finished: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)


# One scheduler


class Denoiser(nn.Module):
    """Stands for the UNet; `meanwhile` runs once, while a request waits for its third call."""

    def __init__(self, meanwhile: Any = None) -> None:
        super().__init__()
        self.meanwhile, self.calls = meanwhile, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.meanwhile is not None and self.calls == 3:
            self.meanwhile()
        return 0.9 * x


def overlapping(ns: Namespace) -> tuple[Any, Any]:
    """Latents of request 0 alone, and with request 1 served during its third UNet call.

    An exception takes the place of the latents.
    """
    made = []
    for overlap in (False, True):
        base = EulerDiscreteScheduler(**SD_BETAS)

        def other(base: Any = base) -> None:
            ns["denoise"](Denoiser(), base, Request(1))

        unet = Denoiser(other if overlap else None)
        try:
            made.append(ns["denoise"](unet, base, Request(0)))
        except (IndexError, TypeError) as error:
            made.append(error)
    return made[0], made[1]


def requests_do_not_meet(ns: Namespace) -> None:
    """A request that is under way is not changed by another one; cancelling raises."""
    alone, overlapped = overlapping(ns)
    assert isinstance(overlapped, torch.Tensor), f"it died: {overlapped}"
    far = (alone - overlapped).abs().max().item()
    assert far < 1e-6, f"another picture, off by up to {far:.3g}"
    gone = Request(0)
    gone.cancelled.set()
    try:
        ns["denoise"](Denoiser(), EulerDiscreteScheduler(**SD_BETAS), gone)
    except ns["Cancelled"]:
        return
    raise AssertionError("a cancelled request went on")


def what_customers_see(original: Namespace, mutant: Namespace) -> str:
    """Requests one after another, and two that overlap, against those of the right service."""
    base = EulerDiscreteScheduler(**SD_BETAS)
    right = [original["denoise"](Denoiser(), base, Request(seed)) for seed in (0, 1, 2)]
    shared = EulerDiscreteScheduler(**SD_BETAS)
    later, failed = [], 0
    for seed in (0, 1, 2):
        try:
            later.append(mutant["denoise"](Denoiser(), shared, Request(seed)))
        except (IndexError, TypeError):
            failed += 1
    serial = not failed and all(torch.equal(a, b) for a, b in zip(right, later, strict=True))
    alone, overlapped = overlapping(mutant)
    broken = not isinstance(overlapped, torch.Tensor) or not torch.equal(alone, overlapped)
    return only(
        {
            "overlap": serial and broken,
            "second": failed > 0,
            "same-noise": not failed and torch.equal(later[0], later[1]),
            "nothing": serial and not broken,
        }
    )


# Slots


class Door:
    """The starter's door, with a queue long enough for a test."""

    def __init__(self, slots: int) -> None:
        self.line: queue.Queue[Request | None] = queue.Queue()
        self.slots = threading.BoundedSemaphore(slots)


class CancelledRequest(Exception):
    """What a cancelled request raises in these proofs."""


def served(ns: Namespace, slots: int, cancelled: list[bool]) -> tuple[list[Request], bool, int]:
    """Serve requests, some of them cancelled: the requests, whether the worker is still alive after
    two seconds, and how many requests were denoised."""
    denoised = []

    def denoise(_unet: Any, _base: Any, request: Request) -> None:
        if request.cancelled.is_set():
            raise CancelledRequest
        denoised.append(request.seed)

    ns.update(denoise=denoise, Cancelled=CancelledRequest)
    door = Door(slots)
    requests = [Request(seed) for seed in range(len(cancelled))]
    for request, gone in zip(requests, cancelled, strict=True):
        if gone:
            request.cancelled.set()
        door.line.put(request)
    door.line.put(None)
    failures = []

    def work() -> None:
        try:
            ns["serve"](door, None, None)
        except CancelledRequest as error:
            failures.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(2.0)
    if failures:
        return requests, False, -1
    return requests, worker.is_alive(), len(denoised)


def slots_come_back(ns: Namespace) -> None:
    """Whatever is cancelled, everybody is served and the worker comes to its end."""
    for slots, cancelled in ((1, [True, False]), (2, [True] * 5 + [False] * 3), (3, [False] * 4)):
        requests, stuck, _ = served(ns, slots, cancelled)
        states = [request.state for request in requests]
        wanted = ["cancelled" if gone else "done" for gone in cancelled]
        assert not stuck, f"the worker waits for a slot; requests: {states}"
        assert states == wanted, f"{states}, not {wanted}"


def what_cancels_leave(mutant: Namespace) -> str:
    """Two slots: two cancelled requests, then three others; and one cancel with a slot to spare."""
    _, spare_stuck, spare = served(mutant, 2, [True, False, False])
    requests, stuck, denoised = served(mutant, 2, [True, True, False, False, False])
    cancelled = [request.state for request in requests[:2]] == ["cancelled"] * 2
    return only(
        {
            "stalls": cancelled and stuck and denoised == 0 and not spare_stuck and spare == 2,
            "overfull": not stuck and denoised == 3,
            "dies": denoised == -1,
            "late": denoised == 5,
        }
    )


# The bound


def refuses_when_full(ns: Namespace) -> None:
    """With nobody served, the first `bound` requests wait and all others are rejected."""
    for bound, count in ((1, 3), (4, 10), (4, 4)):
        door = ns["Door"](bound, 1)
        requests = [Request(seed) for seed in range(count)]
        for request in requests:
            door.enter(request)
        rejected = [request.seed for request in requests if request.state == "rejected"]
        assert rejected == list(range(bound, count)), f"bound {bound}: rejected {rejected}"


def what_overload_does(original: Namespace, mutant: Namespace) -> str:
    """Three requests arrive for each one that is served, for many rounds; waits in rounds."""

    def hour(ns: Namespace) -> tuple[list[int], int, int]:
        door, waits, rejected, finished = ns["Door"](4, 1), [], 0, 0
        for turn in range(60):
            for _ in range(3):
                request = Request(turn)
                door.enter(request)
                rejected += request.state == "rejected"
            waits.append(turn - door.line.get_nowait().seed)
            finished += 1
        return waits, rejected, finished

    (_, refused, before), (waits, rejected, finished) = hour(original), hour(mutant)
    assert refused > 0
    grows = waits[-1] > waits[30] > waits[10] > waits[2]
    return only(
        {
            "grows": rejected == 0 and grows and finished == before,
            "slots-hold": rejected > 0,
            "blocks": len(waits) < 60,
            "faster": finished > before,
        }
    )


# A message from PNDM


def where_the_none_comes_from() -> str:
    """Two first steps of PNDM, and what comes between them and the second of the first request."""
    message = "unsupported operand type(s) for *: 'Tensor' and 'NoneType'"
    eps = torch.ones(1, 4, 8, 8)

    def second_step(between: Any, first_eps: Any = eps, second_eps: Any = eps) -> str:
        """The message of the second step's exception; empty if there is none."""
        scheduler = PNDMScheduler(**SD_BETAS, skip_prk_steps=True, steps_offset=1)
        scheduler.set_timesteps(10)
        x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        first, second = scheduler.timesteps[:2]
        x = scheduler.step(first_eps, first, x).prev_sample
        between(scheduler, first)
        try:
            scheduler.step(second_eps, second, x)
        except (TypeError, AttributeError, RuntimeError) as error:
            return str(error)
        return ""

    died = []

    def other(scheduler: Any, first: Any) -> None:
        try:
            scheduler.step(eps, first, torch.zeros(1, 4, 8, 8))
        except IndexError as error:
            died.append(error)

    def nothing(_scheduler: Any, _first: Any) -> None:
        pass

    assert second_step(nothing) == ""
    claims = {
        "taken": second_step(other) == message,
        "reset": second_step(lambda scheduler, _: scheduler.set_timesteps(20)) == message,
        "lost-prediction": second_step(nothing, second_eps=None) == message,
        "half": second_step(nothing, first_eps=eps * float("inf")) == message,
    }
    assert len(died) == 1, "the other request dies in its first step"
    return only(claims)


# A test that waits


def p99_of_open_arrivals() -> str:
    """Ten minutes at .1 s a request with one pause of 30 s: a closed loop, and five a second."""
    dice, pause_at, pause, service = random.Random(0), 300.0, 30.0, 0.1

    free, paused, closed = 0.0, False, []
    while free < 600:
        spent = service
        if not paused and free + service > pause_at:
            spent, paused = service + pause, True
        closed.append(spent)
        free += spent
    latencies, now, free, paused = [], 0.0, 0.0, False
    while now < 600:
        now += dice.expovariate(5.0)
        start = max(now, free)
        free = start + service
        if not paused and free > pause_at:
            free, paused = free + pause, True
        latencies.append(free - now)

    def p99(values: list[float]) -> float:
        return sorted(values)[-(-99 * len(values) // 100) - 1]

    assert p99(closed) < 0.11, "the report of the closed loop"
    open_loop = p99(latencies)
    assert latencies[-1] < 5, "the backlog is gone before the end"
    return only(
        {
            "same": open_loop < 0.5,
            "seconds": 0.5 <= open_loop < 5,
            "half-minute": 20 <= open_loop <= 30.5,
            "unbounded": open_loop > 60,
        }
    )

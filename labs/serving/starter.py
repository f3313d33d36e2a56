"""A service of one worker: a bounded queue, a slot for memory, requests that may be cancelled.

python labs/serving/starter.py
"""

from __future__ import annotations

import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import EulerDiscreteScheduler
from torch import Tensor, nn

SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
STEPS = 10


class Cancelled(Exception):
    """The request is not wanted any more."""


# @request
@dataclass
class Request:
    seed: int
    due: float  # when it arrived, by the plan
    state: str = "waiting"
    steps: int = 0
    finished: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)


# @door
class Door:
    def __init__(self, bound: int, slots: int) -> None:
        self.line: queue.Queue[Request | None] = queue.Queue(maxsize=bound)
        self.slots = threading.Semaphore(slots)  # that fit into memory

    def enter(self, request: Request) -> None:
        try:
            self.line.put_nowait(request)
        except queue.Full:
            request.state = "rejected"


# @denoise
def denoise(unet: nn.Module, base: Any, request: Request) -> Tensor:
    """Latents [1, 4, 8, 8] after all steps."""
    scheduler = base.from_config(base.config)
    scheduler.set_timesteps(STEPS)
    noise = torch.Generator().manual_seed(request.seed)
    x = torch.randn(1, 4, 8, 8, generator=noise) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        if request.cancelled.is_set():
            raise Cancelled
        eps = unet(scheduler.scale_model_input(x, t))
        x = scheduler.step(eps, t, x).prev_sample
        request.steps += 1
    return x


# @worker
def serve(door: Door, unet: nn.Module, base: Any) -> None:
    with torch.inference_mode():
        while (request := door.line.get()) is not None:
            door.slots.acquire()
            try:
                denoise(unet, base, request)
                request.state = "done"
            except Cancelled:
                request.state = "cancelled"
            finally:
                request.finished = time.perf_counter()
                door.slots.release()


# @arrivals
def arrivals(door: Door, rate: float, count: int) -> list[Request]:
    """`count` requests at random times, `rate` a second; none waits for another to be done."""
    dice, due, sent = random.Random(0), time.perf_counter(), []
    for seed in range(count):
        due += dice.expovariate(rate)
        time.sleep(max(0.0, due - time.perf_counter()))
        sent.append(Request(seed, due))
        door.enter(sent[-1])
        if seed % 8 == 7:
            threading.Timer(dice.random() / rate, sent[-1].cancelled.set).start()
    return sent


# @percentile
def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[-(-percent * len(values) // 100) - 1]


# @run
def main() -> None:
    torch.manual_seed(0)
    unet = nn.Sequential(nn.Conv2d(4, 64, 3, padding=1), nn.SiLU(), nn.Conv2d(64, 4, 3, padding=1))
    base = EulerDiscreteScheduler(**SD_BETAS)
    door = Door(bound=20, slots=1)
    first = [Request(seed, 0.0) for seed in range(10)]
    for request in [*first, None]:
        door.line.put(request)
    serve(door, unet, base)
    service = (first[-1].finished - first[4].finished) / 5  # five of them, after a warm-up
    for load in (0.5, 0.9, 1.5):
        door = Door(bound=8, slots=2)
        worker = threading.Thread(target=serve, args=(door, unet, base))
        worker.start()
        sent = arrivals(door, load / service, 60)
        door.line.put(None)
        worker.join()
        states = [request.state for request in sent]
        took = [(r.finished - r.due) / service for r in sent if r.state == "done"]
        print(f"load {load}: { ({s: states.count(s) for s in sorted(set(states))}) }", end="  ")
        print(*(f"p{p} {percentile(took, p):.1f}" for p in (50, 95, 99)), "times one alone")


if __name__ == "__main__":
    main()

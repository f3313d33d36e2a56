"""Proofs of the loop questions that interviews keep: what resets a scheduler, what a resumed run
needs, rows that leave a batch, and a batch of requests at different steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from torch import Tensor

Namespace = dict[str, Any]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def drawn(scheduler: Any, x: Tensor, timesteps: Tensor, **extra: Any) -> Tensor:
    """Go through some timesteps with a simple denoiser."""
    for t in timesteps:
        eps = 0.9 * torch.tanh(scheduler.scale_model_input(x, t))
        x = scheduler.step(eps, t, x, **extra).prev_sample
    return x


# The second picture


def what_resets() -> str:
    """Which call, made before the second picture, lets it come out as the first did."""
    noise = torch.randn(1, 4, 8, 8, generator=seeded())
    calls: dict[str, Callable[[Any], Any]] = {
        "set_timesteps": lambda s: s.set_timesteps(20),
        "scale_model_input": lambda s: s.scale_model_input(noise, s.timesteps[0]),
        "set_begin_index": lambda s: s.set_begin_index(0),
        "add_noise": lambda s: s.add_noise(noise, noise, s.timesteps[:1]),
        "nothing": lambda s: None,
    }
    helped = {}
    for name, call in calls.items():
        scheduler = EulerDiscreteScheduler()
        scheduler.set_timesteps(20)
        first = drawn(scheduler, noise * scheduler.init_noise_sigma, scheduler.timesteps)
        call(scheduler)
        try:
            again = drawn(scheduler, noise * scheduler.init_noise_sigma, scheduler.timesteps)
            helped[name] = torch.equal(first, again)
        except IndexError as error:
            helped[name] = False
            assert "index 21 is out of bounds for dimension 0 with size 21" in str(error)
    return only(helped)


# A run that is cut and resumed


def resumed(make: Callable[[], Any], history: bool, state: bool) -> bool:
    """Whether a run that is cut after 5 of 12 steps and goes on elsewhere ends at the same."""
    whole, cut = make(), make()
    stochastic = "generator" in whole.step.__code__.co_varnames
    for scheduler in (whole, cut):
        scheduler.set_timesteps(12)
    start = torch.randn(1, 4, 8, 8, generator=seeded(1)) * whole.init_noise_sigma

    def extra(generator: torch.Generator) -> dict[str, Any]:
        return {"generator": generator} if stochastic else {}

    wanted = drawn(whole, start, whole.timesteps, **extra(seeded()))
    generator = seeded()
    latents = drawn(cut, start, cut.timesteps[:5], **extra(generator))
    other = copy.deepcopy(cut) if history else make()
    if not history:
        other.set_timesteps(12)
    elsewhere = seeded()
    if state:
        elsewhere.set_state(generator.get_state())
    got = drawn(other, latents, other.timesteps[5:], **extra(elsewhere))
    return torch.equal(got, wanted)


def what_a_resumed_run_needs() -> None:
    """Latents and position for all, a history for multistep, a generator's state for ancestral."""
    plain = (DDIMScheduler, EulerDiscreteScheduler)
    with_history = (
        DPMSolverMultistepScheduler, UniPCMultistepScheduler, HeunDiscreteScheduler, PNDMScheduler
    )  # fmt: skip
    with_noise = (EulerAncestralDiscreteScheduler, DDPMScheduler)
    for make in (*plain, *with_history, *with_noise):
        assert resumed(make, history=True, state=True), f"{make.__name__} with everything"
        assert resumed(make, history=False, state=True) == (make not in with_history), make
        assert resumed(make, history=True, state=False) == (make not in with_noise), make


# Rows that leave


def denoiser(x: Tensor, t: Any, states: Tensor, seen: list[Tensor] | None = None) -> Tensor:
    """Depends on the latents, the timestep and the text, row by row."""
    assert len(x) == len(states), f"{len(x)} latents and {len(states)} texts in one call"
    if seen is not None:
        seen.append(states[:, 0, 0].clone())
    text = states.mean(dim=(1, 2)).reshape(-1, 1, 1, 1)
    time = torch.as_tensor(t, dtype=x.dtype).reshape(-1, 1, 1, 1) / 1000
    return torch.tanh(x * (1 + 0.2 * text)) * 0.8 + 0.3 * text + 0.1 * time


def customers(count: int, channels: int = 4) -> tuple[Tensor, Tensor]:
    """Noise and text states of a few customers."""
    noise = torch.randn(count, channels, 4, 4, generator=seeded(2))
    return noise, torch.randn(count, 3, 5, generator=seeded(3))


def batch_with_leaver(
    ns: Namespace, leaver: int | None, at: int, make: Callable[[], Any]
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Three customers; one of them leaves before step `at`. Latents, rows, texts seen."""
    noise, states = customers(3)
    states[:, 0, 0] = torch.arange(3.0)
    seen: list[Tensor] = []

    def left(step: int) -> Tensor:
        return torch.tensor([row == leaver and step >= at for row in range(3)])

    x, rows = ns["sample"](partial(denoiser, seen=seen), make(), noise, states, 8, left)
    return x, rows, seen


def survivors_are_as_alone(ns: Namespace) -> None:
    """Whoever stays gets the picture of a call of his own, whoever else leaves, and when."""
    noise, states = customers(3)
    states[:, 0, 0] = torch.arange(3.0)
    nobody = torch.zeros(1, dtype=torch.bool)
    for leaver, at in ((None, 0), (2, 3), (1, 0), (0, 3)):
        x, rows, _ = batch_with_leaver(ns, leaver, at, DPMSolverMultistepScheduler)
        stay = [row for row in range(3) if row != leaver]
        assert rows.tolist() == stay, f"{leaver} left, and rows are {rows.tolist()}"
        for k, row in enumerate(stay):
            one = slice(row, row + 1)
            alone, _ = ns["sample"](
                denoiser, DPMSolverMultistepScheduler(), noise[one], states[one], 8,
                lambda _: nobody,
            )  # fmt: skip
            far = (x[k] - alone[0]).abs().max().item()
            assert far < 1e-4, f"customer {leaver} left before step {at}: {row} is off by {far:.3g}"


def whose_prompt(mutant: Namespace) -> str:
    """Which texts the rest is denoised with after customer 1 of three has left."""
    try:
        _, rows, seen = batch_with_leaver(mutant, 1, 4, DPMSolverMultistepScheduler)
    except (RuntimeError, AssertionError):
        return "error"
    used = dict(zip(rows.tolist(), seen[-1].tolist(), strict=True))
    return only(
        {
            "behind": used[0] == 0 and used[2] < 2,
            "front": used[0] > 0 and used[2] == 2,
            "history": used == {0: 0, 2: 2},
        }
    )


# A batch of requests at different steps


class Engine:
    """A denoiser for a batch with a vector of timesteps; keeps books of what it evaluates."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.calls: list[list[float]] = []

    def __call__(self, x: Tensor, t: Tensor, states: Tensor) -> Tensor:
        assert isinstance(t, Tensor) and t.shape == (len(x),), f"t is {t}, for {len(x)} rows"
        assert 0 < len(x) <= self.slots, f"{len(x)} rows in a call, at most {self.slots} allowed"
        self.calls.append(states[:, 0, 0].tolist())
        return denoiser(x, t, states)

    def rows_of(self, customer: float) -> int:
        return sum(call.count(customer) for call in self.calls)


def alone(make: Callable[[], Any], noise: Tensor, state: Tensor, steps: int) -> Tensor:
    """A request by itself, with a scheduler of its own."""
    scheduler = make()
    scheduler.set_timesteps(steps)
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        x_in = scheduler.scale_model_input(x, t)
        x = scheduler.step(denoiser(x_in, t, state), t, x).prev_sample
    return x


def ticks(lengths: list[int], slots: int) -> int:
    """Calls that an engine needs which fills each free place at once, in order of age."""
    waiting, flying, count = list(lengths), list[int](), 0
    while waiting or flying:
        while waiting and len(flying) < slots:
            flying.append(waiting.pop(0))
        flying = [left - 1 for left in flying if left > 1]
        count += 1
    return count


def check_engine(function: Callable[..., Any], make: Callable[[], Any], slots: int) -> None:
    """Five requests of different lengths; two of them are cancelled, one on its way."""
    steps = [6, 3, 8, 4, 5]
    noise, states = customers(5)
    states[:, 0, 0] = torch.arange(5.0)
    engine = Engine(slots)
    requests = [
        {
            "noise": noise[k : k + 1],
            "state": states[k : k + 1],
            "steps": steps[k],
            "cancelled": (lambda: False),
        }
        for k in range(5)
    ]
    requests[2]["cancelled"] = lambda: engine.rows_of(2.0) >= 2
    requests[3]["cancelled"] = lambda: True
    template, before = make(), noise.clone()
    template.set_timesteps(7)
    kept = copy.deepcopy(vars(template))
    results = function(engine, template, requests, slots)
    where = f"{make.__name__}, {slots} slots"
    assert len(results) == 5, f"{where}: {len(results)} results for 5 requests"
    assert torch.equal(noise, before), f"{where}: the noise of a request was changed in place"
    for name, value in kept.items():
        now = vars(template)[name]
        same = torch.equal(now, value) if isinstance(value, Tensor) else now == value
        assert same, f"{where}: the template's {name} was changed"
    for k in (2, 3):
        assert results[k] is None, f"{where}: request {k} was cancelled and has a result"
    assert engine.rows_of(3.0) == 0, f"{where}: a request that was cancelled while waiting ran"
    assert engine.rows_of(2.0) == 2, (
        f"{where}: request 2 was cancelled after 2 evaluations and had {engine.rows_of(2.0)}"
    )
    lengths = []
    for k in (0, 1, 4):
        want = alone(make, noise[k : k + 1], states[k : k + 1], steps[k])
        far = (results[k] - want).abs().max().item()
        assert far < 1e-4, f"{where}: request {k} is off by {far:.3g} from itself alone"
        scheduler = make()
        scheduler.set_timesteps(steps[k])
        lengths.append(len(scheduler.timesteps))
    least = ticks([lengths[0], lengths[1], 2, lengths[2]], slots)
    assert len(engine.calls) == least, (
        f"{where}: {len(engine.calls)} calls, {least} if every free place is filled at once"
    )


def serves_each_as_alone(ns: Namespace) -> None:
    """Every picture as if alone, no row too many, no call too many, the template untouched."""
    for make in (
        DDIMScheduler, EulerDiscreteScheduler, DPMSolverMultistepScheduler, HeunDiscreteScheduler
    ):  # fmt: skip
        for slots in (1, 2, 3, 8):
            check_engine(ns["serve"], make, slots)
    assert ns["serve"](Engine(2), DDIMScheduler(), [], 2) == [], "no requests, no results"

"""Cases that end in a traceback."""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
desk = load_module(Path(__file__).with_name("desk.py"))
probes = load_module(Path(__file__).with_name("probes.py"))
taps = load_module(Path(__file__).with_name("tap.py"))
lockstep = load_module(Path(__file__).parents[2] / "serving" / "lockstep.py")
Bound, Seen = base.Bound, base.Seen
Case: Any = base.Case
Call: Any = lockstep.Call
Change, Service, traceback_lines = (
    base.patched.Change, base.patched.Service, base.patched.traceback_lines,
)  # fmt: skip
EULER = Change('sampler: str = "ddim"', 'sampler: str = "euler"')
STEPS = 8


@dataclass
class Answer:
    """What became of a request."""

    name: str
    pixels: Any = None
    error: BaseException | None = None
    trace: list[tuple[str, Any]] = field(default_factory=list)
    """For each step of the scheduler the thread and the scheduler's counter after it."""


@dataclass(frozen=True)
class Served:
    answers: tuple[Answer, ...]
    pipe: Any


class Traced(Call):
    """A request of the service as a call that takes turns with another one."""

    def run(self) -> None:
        service, prompts, seeds, answer = self.arguments["request"]
        try:
            answer.pixels = service.generate(self.pipe, prompts, seeds, STEPS)
        except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
            answer.error = error
        answer.trace = [(self.name, position) for position in self.positions]


class Failing(Case):
    """A service whose requests fail."""

    bound = Bound("share of requests that are answered", 1.0)

    def measure(self, ran: Served) -> float:
        return sum(each.error is None for each in ran.answers) / len(ran.answers)

    def view(self, ran: Served) -> Any:
        lines = [
            f"request {each.name}: {'200' if each.error is None else '500'}" for each in ran.answers
        ]
        errors = [each.error for each in ran.answers if each.error is not None]
        pictures = [each.pixels for each in ran.answers if each.pixels is not None]
        if errors:
            lines += ["", *traceback_lines(errors[-1])]
        told = f"the last error is {type(errors[-1]).__name__}: {errors[-1]}" if errors else ""
        return Seen(
            lines=lines,
            says=f"{len(pictures)} of {len(ran.answers)} requests are answered"
            + (f"; {told}." if told else "."),
            pictures={f"request {a.name}": (a.pixels,) for a in ran.answers if a.error is None},
        )


class OutOfSteps(Failing):
    """Requests of one picture each, with a scheduler that counts its steps."""

    requests = (("a", desk.PROMPTS[0], 0), ("b", desk.PROMPTS[1], 1))

    def in_order(self, service: Any, pipe: Any) -> tuple[Answer, ...]:
        """The requests one after another, in this process."""
        answers = []
        for name, prompt, seed in self.requests:
            answer = Answer(name)
            with lockstep.Watched(pipe.scheduler, calls := _calls(), None):
                try:
                    answer.pixels = service.generate(pipe, [prompt], [seed], STEPS)
                except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
                    answer.error = error
            watched = calls[threading.current_thread().name]
            answer.trace = [(name, position) for position in watched.positions]
            answers.append(answer)
        return tuple(answers)

    @abstractmethod
    def replayed(self) -> tuple[Answer, ...]:
        """The broken service's answers to the requests one at a time."""

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_sigma_table(self) -> Any:
        return probes.sigma_table(self.broken.pipe)

    def probe_dtypes(self) -> Any:
        return probes.dtypes(self.broken.pipe)

    def probe_replay(self) -> Any:
        """The same requests in a service that was just started, one after another."""
        answers = self.replayed()
        rows = [
            (each.name, "ok" if each.error is None else type(each.error).__name__)
            for each in answers
        ]
        bad = sum(each.error is not None for each in answers)
        return Seen(
            lines=["fresh service, requests one at a time", *base.table(("request", ""), rows)],
            says=f"Replayed one at a time in a fresh service, {bad} of {len(rows)} requests fail.",
            numbers={"failed": bad},
        )

    def probe_step_index(self) -> Any:
        """The scheduler's counter as each step left it, in the order of the steps."""
        counts = [[position for _, position in each.trace] for each in self.broken.answers]
        rows = [
            (each.name, " ".join(str(position) for position in steps) or "-")
            for each, steps in zip(self.broken.answers, counts, strict=True)
        ]
        return Seen(
            lines=base.table(("request", "scheduler.step_index after each step"), rows),
            says="The scheduler's counter ran "
            + "; ".join(
                f"in request {name} " + (f"from {steps[0]} to {steps[-1]} in {len(steps)} steps"
                if steps else "not at all") for (name, _), steps in zip(rows, counts, strict=True)
            ) + ".",
            numbers={"by": counts[0][1] - counts[0][0]},
        )  # fmt: skip


class StepsOnce(OutOfSteps):
    name = "steps-once"
    cause = "timesteps-set-once"
    service = Service(
        "loop_service.py",
        (
            Change("    scheduler.set_timesteps(steps)\n", ""),
            Change(
                "from_config(pipe.scheduler.config)\n",
                f"from_config(pipe.scheduler.config)\n    pipe.scheduler.set_timesteps({STEPS})\n",
            ),
        ),
        (EULER,),
    )
    mended_by = "Every request sets the timesteps, which puts the scheduler's counter back"

    def run(self, state: str) -> Served:
        service = self.service.load(state)
        pipe = service.load(desk.pipeline(self.context))
        return Served(self.in_order(service, pipe), pipe)

    def replayed(self) -> tuple[Answer, ...]:
        return self.run(base.BROKEN).answers


class SharedScheduler(OutOfSteps):
    name = "shared-scheduler"
    cause = "scheduler-shared"
    service = Service("worker_service.py", (Change("    return own(pipe)\n", "    return pipe\n"),))
    mended_by = "Each request gets a pipeline object and a scheduler of its own"

    def run(self, state: str) -> Served:
        worker = self.service.load(state)
        loop = Service("loop_service.py", (), (EULER,)).load(base.HEALTHY)
        pipe = loop.load(desk.pipeline(self.context))
        answers = tuple(Answer(name) for name, *_ in self.requests)
        calls = [
            Traced(name, worker.pipe_for_request(pipe), {
                "request": (loop, [prompt], [seed], answer)
            })
            for (name, prompt, seed), answer in zip(self.requests, answers, strict=True)
        ]  # fmt: skip
        lockstep.together(calls)
        return Served(answers, pipe)

    def replayed(self) -> tuple[Answer, ...]:
        worker = self.service.load(base.BROKEN)
        loop = Service("loop_service.py", (), (EULER,)).load(base.HEALTHY)
        pipe = worker.pipe_for_request(loop.load(desk.pipeline(self.context)))
        return self.in_order(loop, pipe)


@dataclass(frozen=True)
class Halves:
    """One request of four pictures, watched until it ended or failed."""

    answers: tuple[Answer, ...]
    pipe: Any
    tap: Any


class DecodeDtype(Failing):
    """Text encoder and denoiser run in bfloat16, the VAE in float32, as SDXL's is run."""

    name = "decode-dtype"
    cause = "no-cast-before-decode"
    service = Service("loop_service.py", (Change("decode(x.to(pipe.vae.dtype))", "decode(x)"),))
    mended_by = "The latents are cast to the VAE's type before they are decoded"

    def run(self, state: str) -> Halves:
        import torch

        service = self.service.load(state)
        half = torch.bfloat16
        pipe = service.load(desk.copied(self.context, unet=half, text_encoder=half))
        answer = Answer("a")
        with taps.Tap(pipe) as tap:
            try:
                answer.pixels = service.generate(pipe, desk.PROMPTS, desk.SEEDS, STEPS)
            except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
                answer.error = error
        return Halves((answer,), pipe, tap)

    def probe_timesteps(self) -> Any:
        return probes.timesteps(self.broken.tap)

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_dtypes(self) -> Any:
        return probes.dtypes(self.broken.pipe, list(self.broken.tap.dtypes.items()))

    def probe_vae_config(self) -> Any:
        config = self.broken.pipe.vae.config
        keys = ("force_upcast", "scaling_factor", "shift_factor", "latent_channels")
        return Seen(
            lines=["AutoencoderKL", *(f"  {key}: {config[key]}" for key in keys)],
            says=f"The VAE's config has force_upcast {config['force_upcast']} and a scaling "
            f"factor of {config['scaling_factor']:.4f}.",
            numbers={"force_upcast": config["force_upcast"]},
        )

    def probe_vae_round_trip(self) -> Any:
        return probes.round_trip(self.context, self.broken.pipe)


CASES = (StepsOnce, SharedScheduler, DecodeDtype)


def _calls() -> Any:
    """One call for whichever thread runs."""
    name = threading.current_thread().name
    return {name: lockstep.Call(name, None, {})}

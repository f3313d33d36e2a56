"""shared-scheduler-threads: two requests over one pipeline or one scheduler, and what breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("shared_claims.py"))
SCHEDULERS = claims.SCHEDULERS
SMALL = 128


class SharedSchedulerThreads(Experiment):
    name = "shared-scheduler-threads"
    params = (
        Param(
            "schedulers", "texts", tuple(SCHEDULERS), "schedulers that two requests share", most=4
        ),
        Param("steps", "int", 10, "steps of each request", low=4, high=50),
        Param("free", "int", 3, "tries in which the threads run as they like", low=0, high=20),
    )
    claims = claims.CLAIMS
    outcomes = ("raise", "silent", "third_position", "whose_scale")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.params import ParamError

        given = context.params
        unknown = [name for name in given["schedulers"] if name not in SCHEDULERS]
        if unknown:
            raise ParamError(f"schedulers: no {unknown[0]!r}; there are {'; '.join(SCHEDULERS)}")
        names = [name for name in SCHEDULERS if name in given["schedulers"]]
        context.progress(0, len(names) + 2, "loading the model")
        desk = Desk(context)
        setups: dict[str, Any] = {}
        shown: list[Any] = []
        for done, name in enumerate(names):
            context.progress(done, len(names) + 2, f"{name}: alone, shared, own")
            alone = desk.alone(name)
            setups[f"{name}, shared"] = found = desk.compare(desk.sharing(name), alone)
            setups[f"{name}, own"] = desk.compare(desk.apart(name), alone)
            free = [
                desk.compare(desk.sharing(name, in_turns=False), alone)
                for _ in range(given["free"])
            ]
            found["free_tries_wrong"] = sum(claims.is_wrong(each) for each in free)
            shown += [*alone, *desk.last_shared]
        context.progress(len(names), len(names) + 2, "different steps, different scales")
        setups["ddim, shared, other steps"] = desk.other_steps()
        scales = desk.other_scales()
        desk.show(shown, names)
        metrics: dict[str, Any] = {
            "setups": setups,
            "schedulers": names,
            "steps": given["steps"],
            "scales": scales,
            "free_tries": given["free"],
            "same_modules": desk.same_modules,
        }
        context.progress(1, 1, "done")
        return Result(metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers())


class Desk:
    """Makes the calls of two requests, a and b, over one set of weights."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.lockstep = load_module(Path(__file__).with_name("lockstep.py"))
        self.base = context.pipeline()
        self.steps = context.params["steps"]
        self.last_shared: list[Any] = []
        self.same_modules = True

    def scheduler(self, name: str) -> Any:
        """A new scheduler of a kind, with the model's own settings."""
        import diffusers

        # PNDM as Stable Diffusion ships it: without its Runge-Kutta steps.
        extra = {"skip_prk_steps": True} if name == "pndm" else {}
        return getattr(diffusers, SCHEDULERS[name]).from_config(self.base.scheduler.config, **extra)

    def pipeline(self, scheduler: Any) -> Any:
        """A pipeline object of its own over the shared modules."""
        parts = {**self.base.components, "scheduler": scheduler}
        made = type(self.base)(**parts, requires_safety_checker=False)
        made.set_progress_bar_config(disable=True)
        self.same_modules = self.same_modules and made.unet is self.base.unet
        return made

    def call(self, who: str, pipe: Any, steps: int, scale: float = 5.0) -> Any:
        """Request a or b: prompts and noise of their own."""
        import torch

        prompt = {"a": "a large red star on a white background", "b": "a small blue circle"}[who]
        seed = self.context.seed + (0 if who == "a" else 1)
        return self.lockstep.Call(
            who,
            pipe,
            {
                "prompt": prompt,
                "num_inference_steps": steps,
                "guidance_scale": scale,
                "generator": torch.Generator().manual_seed(seed),
            },
        )

    def alone(self, name: str, steps: tuple[int, int] | None = None) -> list[Any]:
        """Latents of a and b, each run when nothing else runs."""
        made = []
        for who, count in zip("ab", steps or (self.steps,) * 2, strict=True):
            call = self.call(who, self.pipeline(self.scheduler(name)), count)
            call.run()
            if call.error:
                raise RuntimeError(f"{who} failed alone: {call.error}: {call.message}")
            made.append(call.latents)
            self.context.check()
        return made

    def sharing(
        self, name: str, in_turns: bool = True, steps: tuple[int, int] | None = None
    ) -> list[Any]:
        """Calls of a and b through two pipeline objects with one scheduler."""
        scheduler = self.scheduler(name)
        counts = steps or (self.steps, self.steps)
        calls = [
            self.call(who, self.pipeline(scheduler), count)
            for who, count in zip("ab", counts, strict=True)
        ]
        self.lockstep.together(calls, in_turns=in_turns)
        if in_turns and steps is None:
            self.last_shared = [call.latents for call in calls]
        return calls

    def apart(self, name: str) -> list[Any]:
        """Calls of a and b with a scheduler and a pipeline object each."""
        calls = [self.call(who, self.pipeline(self.scheduler(name)), self.steps) for who in "ab"]
        self.lockstep.together(calls)
        return calls

    def compare(self, calls: list[Any], alone: list[Any]) -> dict[str, Any]:
        """What two calls gave, against what each gives alone."""
        return {
            "raised": [f"{call.name}: {call.error}" for call in calls if call.error],
            "messages": [call.message for call in calls if call.error],
            "apart": max(
                (
                    _apart(call.latents, own)
                    for call, own in zip(calls, alone, strict=True)
                    if call.latents is not None
                ),
                default=0.0,
            ),
            "steps": [call.steps for call in calls],
            "positions": [call.positions for call in calls],
        }

    def other_steps(self) -> dict[str, Any]:
        """DDIM shared by a request of N steps and one of 2 N."""
        counts = (self.steps, 2 * self.steps)
        return self.compare(self.sharing("ddim", steps=counts), self.alone("ddim", steps=counts))

    def other_scales(self) -> dict[str, Any]:
        """One pipeline object shared by requests of scale 1.5 and 7.5, DDIM, equal steps.

        How far a's latents are from those that a alone gets with its own scale, and from those with
        its own in the first step, which it had computed when b began, and with b's from then on.
        """
        own, others = 1.5, 7.5

        def from_the_second_on(
            pipe: Any, step: int, _: Any, given: dict[str, Any]
        ) -> dict[str, Any]:
            pipe._guidance_scale = others
            return given

        reference = []
        for extra in ({}, {"callback_on_step_end": from_the_second_on}):
            call = self.call("a", self.pipeline(self.scheduler("ddim")), self.steps, own)
            call.arguments.update(extra)
            call.run()
            reference.append(call.latents)
        shared = self.pipeline(self.scheduler("ddim"))
        calls = [
            self.call("a", shared, self.steps, own),
            self.call("b", shared, self.steps, others),
        ]
        self.lockstep.together(calls)
        return {
            "raised": [f"{call.name}: {call.error}" for call in calls if call.error],
            "from_own": _apart(calls[0].latents, reference[0]),
            "from_others": _apart(calls[0].latents, reference[1]),
        }

    def show(self, latents: list[Any], names: list[str]) -> None:
        """Rows: schedulers; columns: a and b alone, then the same sharing a scheduler."""
        import torch

        from drill.lab.sampling import decode, to_pixels

        size = self.base.unet.config.sample_size * self.base.vae_scale_factor
        if size > SMALL and self.context.device == "cpu":
            return
        example = next(each for each in latents if each is not None)
        made = [torch.zeros_like(example) if each is None else each for each in latents]
        pixels = to_pixels(decode(self.base, torch.cat(made)))
        for index, each in enumerate(latents):
            if each is None:
                pixels[index] = 0.5  # grey: no picture came back
        rows = list(pictures.to_bytes(pixels).reshape(len(names), 4, *pixels.shape[2:], 3))
        self.context.image(
            "threads",
            pictures.png(pictures.grid(rows, cell=SMALL)),
            f"rows: {', '.join(names)}; columns: a and b alone, a and b with one scheduler "
            "(grey: an exception instead of a picture)",
        )


def _apart(latents: Any, own: Any) -> float:
    """Largest difference of a latent value."""
    return float((latents - own).abs().max())


def transfers() -> Transfers:
    return Transfers(
        "yes",
        "It is a property of the objects, not of the weights: step_index, the history of a "
        "multistep solver and the attributes of a pipeline are the same for every model.",
    )


EXPERIMENTS = (SharedSchedulerThreads(),)

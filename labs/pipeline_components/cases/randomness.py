"""Cases about seeds: pictures that are too much alike, or that do not come back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
desk = load_module(Path(__file__).with_name("desk.py"))
probes = load_module(Path(__file__).with_name("probes.py"))
taps = load_module(Path(__file__).with_name("tap.py"))
washed_out = load_module(Path(__file__).with_name("washed_out.py"))
Bound, Seen = base.Bound, base.Seen
Case: Any = base.Case
Pictures: Any = washed_out.Pictures
Change, Service = base.patched.Change, base.patched.Service

PROMPT = "a large red star on a blue background"


class Alike(Pictures):
    """Four pictures of one prompt."""

    prompts = (PROMPT,) * 4
    bound = Bound("mean difference of pixels between two of the pictures", 0.05)

    def measure(self, ran: Any) -> float:
        return float(desk.apart(ran.pixels))

    def view(self, ran: Any) -> Any:
        shown = desk.shown(self.context, ran.pixels)
        return Seen(
            lines=[f"prompt: {PROMPT}", *(f"picture {n}: {each}" for n, each in enumerate(shown))],
            says=f"Four variations of one prompt, described as: {'; '.join(sorted(set(shown)))}.",
            pictures={"the four pictures of one request": (ran.pixels,)},
        )

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.tap)

    def probe_guidance_trace(self) -> Any:
        return probes.guidance_trace(self.broken.pipe, self.broken.tap, self.prompts)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_timesteps(self) -> Any:
        return probes.timesteps(self.broken.tap)

    def probe_input_std(self) -> Any:
        return probes.input_std(self.broken.tap)

    def probe_random_state(self) -> Any:
        """Bits of the noise that each picture starts from."""
        start = self.broken.tap.steps[0].before
        names = [probes.digest(each) for each in start]
        spread = [float(each.std()) for each in start]
        rows = [(n, name, std) for n, (name, std) in enumerate(zip(names, spread, strict=True))]
        return Seen(
            lines=base.table(("picture", "first latents", "std"), rows),
            says=f"The four pictures start from {len(set(names))} different noises, of std "
            f"{min(spread):.3g} to {max(spread):.3g}.",
            numbers={"noises": len(set(names)), "std": spread[0]},
        )


class NoInitSigma(Alike):
    name = "no-init-sigma"
    cause = "unscaled-start"
    service = Service(
        "loop_service.py",
        (Change("    x = x * scheduler.init_noise_sigma\n", ""),),
        (Change('sampler: str = "ddim"', 'sampler: str = "euler"'),),
    )
    mended_by = "The first latents are scaled by the scheduler's init_noise_sigma"


class SameSeed(Alike):
    name = "same-seed"
    cause = "one-seed-for-all"
    service = Service(
        "app_service.py",
        (Change("seeds = [seed + k for k in range(count)]", "seeds = [seed] * count"),),
    )
    mended_by = "Each picture of a request gets a seed of its own"

    def run(self, state: str) -> Any:
        service = self.service.load(state)
        pipe = service.load(desk.pipeline(self.context))
        with taps.Tap(pipe) as tap:
            pixels = service.variations(pipe, PROMPT, 0)
        return washed_out.Ran(pixels, pipe, tap)


@dataclass(frozen=True)
class Twice:
    """The same request, with the same seeds, sent twice."""

    pixels: tuple[Any, Any]
    taps: tuple[Any, Any]
    pipe: Any
    global_moved: tuple[bool, bool]
    """Whether torch's global generator was drawn from."""


class Unrepeatable(Case):
    """A request that does not give its pictures again."""

    bound = Bound("largest difference of a pixel between the two runs", 0.02, at_least=False)
    prompts = ("a star", "a heart", "a cross", "a circle")

    def run(self, state: str) -> Twice:
        import torch

        service = self.service.load(state)
        pipe = service.load(desk.pipeline(self.context))
        pixels, watched, moved = [], [], []
        for _ in range(2):
            before = torch.get_rng_state()
            with taps.Tap(pipe) as tap:
                pixels.append(service.generate(pipe, self.prompts, desk.SEEDS))
            moved.append(not torch.equal(before, torch.get_rng_state()))
            watched.append(tap)
        return Twice((pixels[0], pixels[1]), (watched[0], watched[1]), pipe, (moved[0], moved[1]))

    def measure(self, ran: Twice) -> float:
        return float((ran.pixels[0] - ran.pixels[1]).abs().max())

    def view(self, ran: Twice) -> Any:
        shown = [desk.shown(self.context, each) for each in ran.pixels]
        rows = list(zip(self.prompts, desk.SEEDS, *shown, strict=True))
        far = (ran.pixels[0] - ran.pixels[1]).abs().mean(dim=(1, 2, 3)) > 0.005
        return Seen(
            lines=base.table(("prompt", "seed", "first time", "second time"), rows),
            says=f"Sent twice with the same seeds, {int(far.sum())} of {len(rows)} pictures come "
            "out differently.",
            pictures={"upper row: the first time; lower: the second time": ran.pixels},
        )

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.taps[0])

    def probe_denoiser_repeat(self) -> Any:
        """The same input through the denoiser twice."""
        import torch

        call, pipe = self.broken.taps[0].calls[0], self.broken.pipe
        x, states = call.sample.to(pipe.device), call.states.to(pipe.device)
        with torch.inference_mode():
            out = [
                pipe.unet(x, call.timestep, encoder_hidden_states=states).sample for _ in range(2)
            ]
        off = float((out[0] - out[1]).abs().max())
        return Seen(
            lines=[f"unet(x, t, states) twice: max |difference| {off:g}"],
            says=f"The denoiser, given the same input twice, differs by {off:g} at most.",
            numbers={"off": off},
        )

    def probe_random_state(self) -> Any:
        """Bits of the first latents of both runs, and whether the global generator moved."""
        names = [[probes.digest(each) for each in tap.steps[0].before] for tap in self.broken.taps]
        same = sum(a == b for a, b in zip(*names, strict=True))
        moved = ["yes" if each else "no" for each in self.broken.global_moved]
        rows = list(zip(desk.SEEDS, *names, strict=True))
        return Seen(
            lines=[
                "first latents (sha256, first 8 digits)",
                *base.table(("seed", "first time", "second time"), rows),
                f"torch's global generator moved: {moved[0]}, {moved[1]}",
            ],
            says=f"{same} of {len(rows)} first latents are the same in both runs; the global "
            f"generator moved: {moved[0]}, then {moved[1]}.",
            numbers={"same": same, "global_moved": all(self.broken.global_moved)},
        )

    def probe_runs_apart(self) -> Any:
        """Step by step, how far the two runs are from one another."""
        rows = [
            (n, a.timestep, float((a.after - b.after).abs().max()))
            for n, (a, b) in enumerate(
                zip(self.broken.taps[0].steps, self.broken.taps[1].steps, strict=True)
            )
        ]
        start = [tap.steps[0].before for tap in self.broken.taps]
        first = float((start[0] - start[1]).abs().max())
        return Seen(
            lines=[
                f"before the first step: max |difference| {first:.3f}",
                *base.table(("after step", "t", "max |difference|"), rows),
            ],
            says=f"The latents of the two runs differ by up to {first:.3g} before the first step, "
            f"by {rows[0][2]:.3g} after it and by {rows[-1][2]:.3g} at the end.",
            numbers={"before": first, "after_one": rows[0][2], "end": rows[-1][2]},
        )


class SharedGenerator(Unrepeatable):
    name = "shared-generator"
    cause = "generator-kept"
    service = Service(
        "loop_service.py",
        (
            Change("STATES: dict[str, torch.Tensor] = {}\n", (
                "STATES: dict[str, torch.Tensor] = {}\nNOISE: dict[int, torch.Generator] = {}\n"
            )),
            Change(
                "generators = [torch.Generator().manual_seed(seed) for seed in seeds]",
                "generators = [NOISE.setdefault(seed, torch.Generator().manual_seed(seed)) "
                "for seed in seeds]",
            ),
        ),
    )  # fmt: skip
    mended_by = "Each request seeds generators of its own"


class StepNoise(Unrepeatable):
    name = "step-noise"
    cause = "step-without-generator"
    service = Service(
        "loop_service.py",
        (Change("step(noise, t, x, generator=generators)", "step(noise, t, x)"),),
        (Change('sampler: str = "ddim"', 'sampler: str = "ancestral"'),),
    )
    mended_by = "The scheduler's step draws its noise from the request's generators"


CASES = (NoInitSigma, SameSeed, SharedGenerator, StepNoise)

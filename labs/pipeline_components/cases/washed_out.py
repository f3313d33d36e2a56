"""Cases whose pictures look wrong as pictures: blotches, smears, a grey veil."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
desk = load_module(Path(__file__).with_name("desk.py"))
probes = load_module(Path(__file__).with_name("probes.py"))
taps = load_module(Path(__file__).with_name("tap.py"))
Bound, Seen = base.Bound, base.Seen
Case: Any = base.Case
Change, Service = base.patched.Change, base.patched.Service


@dataclass(frozen=True)
class Ran:
    """One batch of the service, watched."""

    pixels: Any
    pipe: Any
    tap: Any


class Pictures(Case):
    """The four prompts through the service with the sampling loop of its own."""

    prompts: ClassVar[tuple[str, ...]] = desk.PROMPTS
    seeds: ClassVar[tuple[int, ...]] = desk.SEEDS
    steps: ClassVar[int] = desk.STEPS
    judged: ClassVar[tuple[str, ...]] = ("shape", "colour", "size", "background")
    bound = Bound("share of pictures that show what was asked", 0.75)

    def pipeline(self) -> Any:
        return desk.pipeline(self.context)

    def run(self, state: str) -> Ran:
        service = self.service.load(state)
        pipe = service.load(self.pipeline())
        with taps.Tap(pipe) as tap:
            pixels = service.generate(pipe, self.prompts, self.seeds, self.steps)
        return Ran(pixels, pipe, tap)

    def measure(self, ran: Ran) -> float:
        return float(desk.share_right(self.context, ran.pixels, self.prompts, self.judged))

    def view(self, ran: Ran) -> Any:
        rows = list(zip(self.prompts, desk.shown(self.context, ran.pixels), strict=True))
        right = round(self.measure(ran) * len(rows))
        return Seen(
            lines=base.table(("asked", "what the picture resembles most"), rows),
            says=f"{right} of {len(rows)} pictures have the {' and '.join(self.judged[-3:])} asked."
            if len(self.judged) < 4
            else f"{right} of {len(rows)} pictures show what was asked.",
            pictures={"what the service returns": (ran.pixels,)},
        )


class ForgotScaling(Pictures):
    name = "forgot-scaling"
    cause = "decode-unscaled"
    service = Service(
        "loop_service.py", (Change("    x = x / pipe.vae.config.scaling_factor\n", ""),)
    )
    mended_by = "The latents are divided by the scaling factor before they are decoded"

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_guidance_trace(self) -> Any:
        return probes.guidance_trace(self.broken.pipe, self.broken.tap, self.prompts)

    def probe_vae_round_trip(self) -> Any:
        return probes.round_trip(self.context, self.broken.pipe)

    def probe_decoder_input(self) -> Any:
        return probes.decoder_input(self.context, self.broken.pipe, self.broken.tap)

    def probe_one_step_error(self) -> Any:
        return probes.one_step_error(self.context, self.broken.pipe)


class BareScheduler(ForgotScaling):
    """The same probes: one of them tells the two apart."""

    name = "bare-scheduler"
    cause = "bare-scheduler"
    service = Service("loop_service.py", (Change(".from_config(pipe.scheduler.config)", "()"),))
    mended_by = "The new scheduler is made from the config of the one that it replaces"


class WrongPredictionType(Pictures):
    name = "wrong-prediction-type"
    cause = "read-as-epsilon"
    service = Service(
        "loop_service.py",
        (
            Change(
                ".from_config(pipe.scheduler.config)",
                '.from_config(pipe.scheduler.config, prediction_type="epsilon")',
            ),
        ),
    )
    mended_by = "The scheduler keeps the prediction_type that the checkpoint was trained with"
    judged = ("colour", "background")  # this checkpoint's shapes are often poor
    bound = Bound("share of pictures with the colours that were asked for", 0.75)

    def pipeline(self) -> Any:
        from drill.lab.family import unet_pipeline

        desk.bundled(self.context)
        return unet_pipeline(self.context, "targets/v")

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_timesteps(self) -> Any:
        return probes.timesteps(self.broken.tap)

    def probe_guidance_trace(self) -> Any:
        return probes.guidance_trace(self.broken.pipe, self.broken.tap, self.prompts)

    def probe_decoder_input(self) -> Any:
        return probes.decoder_input(self.context, self.broken.pipe, self.broken.tap)

    def probe_one_step_error(self) -> Any:
        return probes.one_step_error(self.context, self.broken.pipe)


class DenormalisedTwice(Case):
    name = "denormalised-twice"
    cause = "denormalised-twice"
    service = Service(
        "app_service.py",
        (
            Change(
                "    pixels: torch.Tensor = made.images\n",
                "    pixels: torch.Tensor = (made.images / 2 + 0.5).clamp(0, 1)\n",
            ),
        ),
    )
    bound = Bound("darkest value that is returned", 0.2, at_least=False)
    mended_by = "What the pipeline returns is left as it is: it spans [0, 1] already"
    prompt = "a large black star on a red background"

    def run(self, state: str) -> Ran:
        service = self.service.load(state)
        pipe = service.load(desk.pipeline(self.context))
        with taps.Tap(pipe) as tap:
            pixels = service.variations(pipe, self.prompt, 0)
        return Ran(pixels, pipe, tap)

    def measure(self, ran: Ran) -> float:
        return float(ran.pixels.amin())

    def view(self, ran: Ran) -> Any:
        shown = desk.shown(self.context, ran.pixels)
        light = ran.pixels.mean(dim=(1, 2, 3)).tolist()
        rows = list(zip(range(len(shown)), shown, light, strict=True))
        return Seen(
            lines=[
                f"prompt: {self.prompt}",
                *base.table(("picture", "it resembles most", "brightness"), rows),
            ],
            says=f"The pictures have a mean brightness of {sum(light) / len(light):.2f}.",
            pictures={"what the service returns": (ran.pixels,)},
        )

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_guidance_trace(self) -> Any:
        return probes.guidance_trace(
            self.broken.pipe, self.broken.tap, [self.prompt] * len(self.broken.pixels)
        )

    def probe_vae_round_trip(self) -> Any:
        return probes.round_trip(self.context, self.broken.pipe)

    def probe_decoder_input(self) -> Any:
        return probes.decoder_input(self.context, self.broken.pipe, self.broken.tap)

    def probe_decoded_range(self) -> Any:
        return probes.decoded_range(self.broken.tap, self.broken.pixels)


CASES = (ForgotScaling, BareScheduler, WrongPredictionType, DenormalisedTwice)

"""vae-scaling-factor: the factor forgotten or turned round, on the way out and on the way in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("factor_claims.py"))

DECODE_ARMS: dict[str, Callable[[float], float]] = {
    "right": lambda factor: 1 / factor,
    "forgotten": lambda factor: 1.0,
    "turned round": lambda factor: factor,
}
"""What the model's latents are multiplied by before they are decoded."""
EDIT_ARMS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "right": (lambda factor: factor, lambda factor: 1 / factor),
    "forgotten on the way in": (lambda factor: 1.0, lambda factor: 1 / factor),
    "turned round on the way in": (lambda factor: 1 / factor, lambda factor: 1 / factor),
    "forgotten both ways": (lambda factor: 1.0, lambda factor: 1.0),
}
"""What raw latents are multiplied by after encoding, and the model's before decoding."""
SHOWN = 8


class VaeScalingFactor(Experiment):
    name = "vae-scaling-factor"
    params = (
        Param("pictures", "int", 12, "pictures of each arm, the same noise in all", 2, 128),
        Param("steps", "int", 16, "sampling steps", 2, 200),
        Param("strength", "float", 0.5, "of img2img: share of the steps that are run", 0.1, 1),
        Param("guidance_scale", "float", 3, "guidance scale", 0, 20),
    )
    claims = claims.CLAIMS
    outcomes = (
        "garbage", "ignores_the_edit", "passes_the_round_trip", "decoder_std", "snr_ratio",
        "nearest_to_source",
    )  # fmt: skip
    seconds = 180

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        drawn_code = load_module(Path(__file__).with_name("drawn.py"))
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        work = _Work(context, pipe, drawn_code)
        out, out_rows = work.from_noise()
        edits, edit_rows = work.edits()
        trips = work.round_trips()
        metrics: dict[str, Any] = {
            "pictures": context.params["pictures"],
            "steps": context.params["steps"],
            "strength": context.params["strength"],
            "bundled": context.bundled,
            "scaling_factor": work.factor,
            "from_noise": out,
            "edits": edits,
            "round_trip_psnr": trips,
        }
        for name, each in out.items():
            if each["adherence"] is not None:
                context.metric(f"adherence, decode {name}", each["adherence"])
        for name, each in edits.items():
            if each["follows"] is not None:
                context.metric(f"follows the edit, {name}", each["follows"])
        context.image(
            "factor", pictures.png(pictures.grid([*out_rows, *edit_rows], cell=96)),
            "rows: from noise, decoded " + ", ".join(out) + "; then the pictures to edit, and the "
            "edits with the factor " + ", ".join(edits),
        )  # fmt: skip
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))


class _Work:
    """One run's drawings, prompts and noise, and what is done with them."""

    def __init__(self, context: Context, pipe: Any, drawn_code: Any) -> None:
        from drill.lab.sampling import initial_latents, picture_seeds

        self.context, self.pipe, self.code = context, pipe, drawn_code
        self.vae, self.factor = pipe.vae, float(pipe.vae.config.scaling_factor)
        count = context.params["pictures"]
        side = drawn_code.own_side(context, pipe)
        self.drawn = drawn_code.balanced(context, count, side)
        self.noise = initial_latents(pipe, picture_seeds(context.seed, count))
        self.caption = context.module(drawn_code.DRAWINGS).caption
        self.judge = None
        if context.bundled:
            judge_code = context.module("labs/models/judge.py")
            self.judge = judge_code.load_judge(context.models / "judge")

    def from_noise(self) -> tuple[dict[str, Any], list[Any]]:
        """Pictures sampled once and decoded in three ways."""
        asked = self.drawn.attributes
        latents = self._sampled([self.caption(**each) for each in asked])
        found, rows = {}, []
        for name, scale in DECODE_ARMS.items():
            raw = latents * scale(self.factor)
            values = self.code.decoded(self.vae, raw)
            pixels = self.code.to_pixels(values)
            rows.append(pictures.to_bytes(pixels[:SHOWN]))
            found[name] = {
                "decoder_std": float(raw.std()),
                "adherence": self._agrees(pixels, asked),
                "contrast": float(pixels.flatten(1).std(dim=1).mean()),
                "out_of_range": float((values.abs() > 1).float().mean()),
            }
        return found, rows

    def edits(self) -> tuple[dict[str, Any], list[Any]]:
        """img2img that asks for another colour of the shape, with the factor in four ways."""
        import torch

        asked = self.drawn.attributes
        wanted = [dict(each, colour=self._other_colour(each)) for each in asked]
        prompts = [self.caption(**each) for each in wanted]
        z = self.code.moments(self.vae, self.drawn.pixels).mode()
        scheduler = self._scheduler()
        first = self._first(scheduler)
        t = scheduler.timesteps[first].cpu()
        ab = float(scheduler.alphas_cumprod[t])
        found, rows = {}, [pictures.to_bytes(self.drawn.pixels[:SHOWN])]
        for name, (way_in, way_out) in EDIT_ARMS.items():
            clean = z * way_in(self.factor)
            noisy = scheduler.add_noise(clean, self.noise, t.expand(len(clean)))
            latents = self._sampled(prompts, noisy, scheduler.timesteps[first:], name)
            pixels = self.code.to_pixels(
                self.code.decoded(self.vae, latents * way_out(self.factor))
            )  # fmt: skip
            rows.append(pictures.to_bytes(pixels[:SHOWN]))
            found[name] = {
                "denoiser_std": float(clean.std()),
                "snr": float(clean.var()) * ab / (1 - ab),
                "follows": self._agrees(pixels, wanted),
                "unchanged": self._agrees(pixels, asked),
                "psnr_to_source": self.code.psnr(pixels, self.drawn.pixels),
                "finite": bool(torch.isfinite(latents).all()),
            }
        return found, rows

    def round_trips(self) -> dict[str, float]:
        """PSNR of encode, way in, way out, decode with no denoiser between, by arm."""
        z = self.code.moments(self.vae, self.drawn.pixels).mode()
        found = {}
        for name, (way_in, way_out) in EDIT_ARMS.items():
            raw = z * way_in(self.factor) * way_out(self.factor)
            pixels = self.code.to_pixels(self.code.decoded(self.vae, raw))
            found[name] = self.code.psnr(pixels, self.drawn.pixels)
        return found

    def _scheduler(self) -> Any:
        from diffusers import DDIMScheduler

        scheduler = DDIMScheduler.from_config(self.pipe.scheduler.config)
        scheduler.set_timesteps(self.context.params["steps"], device=self.pipe.unet.device)
        return scheduler

    def _first(self, scheduler: Any) -> int:
        """The first step that img2img runs."""
        steps = len(scheduler.timesteps)
        return steps - max(1, int(steps * self.context.params["strength"]))

    def _sampled(
        self,
        prompts: list[str],
        latents: Any = None,
        timesteps: Any = None,
        label: str = "sampling",
    ) -> Any:
        from drill.lab.trajectory import denoise, prepare_texts

        texts = prepare_texts(self.pipe, prompts, self.context.params["guidance_scale"])
        made = denoise(
            self.pipe, self._scheduler(), texts, self.noise if latents is None else latents,
            timesteps=timesteps,
            on_step=lambda done, total, _: self.context.progress(done, total, label),
        )  # fmt: skip
        return made.latents

    def _agrees(self, pixels: Any, wanted: list[dict[str, str]]) -> float | None:
        """Share of pictures with all attributes as wanted; None without a judge."""
        if self.judge is None:
            return None
        return float(self.judge.agrees(pixels, wanted)["all"].float().mean())

    def _other_colour(self, asked: dict[str, str]) -> str:
        colours = self.context.module(self.code.DRAWINGS).COLOURS
        taken = (asked["colour"], asked["background"])
        place = colours.index(asked["colour"]) + 3  # neighbours in the palette are alike
        turned = colours[place:] + colours[:place]
        return str(next(each for each in turned if each not in taken))


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    out, edits = metrics["from_noise"], metrics["edits"]
    text = (
        f"Without dividing by the factor the decoder gets latents of std "
        f"{out['forgotten']['decoder_std']:.2f} in place of {out['right']['decoder_std']:.2f}"
    )
    if out["right"]["adherence"] is not None:
        both = edits["forgotten both ways"]
        text += (
            f", and {out['forgotten']['adherence']:.0%} of the pictures are right in place of "
            f"{out['right']['adherence']:.0%}; forgotten on both ways, img2img follows the prompt "
            f"in {both['follows']:.0%} of the pictures in place of {edits['right']['follows']:.0%}"
        )
    trips = metrics["round_trip_psnr"]
    return (
        f"{text}. A round trip without the denoiser gives {trips['right']:.1f} dB with the factor "
        f"in its places and {trips['forgotten both ways']:.1f} dB without it."
    )


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very model, without a judge of pictures.")
    return Transfers(
        "yes",
        "In kind, for every latent model with a factor far from 1: the decoder's input is off by "
        "the factor, the denoiser's SNR by its square, and a round trip hides the loss of both. "
        "What the wrong pictures look like is this autoencoder's own.",
    )


EXPERIMENTS = (VaeScalingFactor(),)

"""negative-prompt: what a negative prompt replaces, what it does, and when it does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import (
    Context,
    Experiment,
    Param,
    Result,
    Transfers,
    pictures,
)
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("negative_claims.py"))

SHOWN = 8
CHECKED = 4
"""Pictures in a call of the pipeline itself."""
ROWS_OF_LARGE = {"cpu": 4}
PLAIN = claims.PLAIN


class TextSpy:
    """Counts the texts that a text encoder encodes. Use as a context manager."""

    def __init__(self, encoder: Any) -> None:
        self.texts = 0
        self._encoder = encoder
        self._handle: Any = None

    def __enter__(self) -> TextSpy:
        self._handle = self._encoder.register_forward_pre_hook(self._seen, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.remove()

    def _seen(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = args[0] if args else kwargs["input_ids"]
        self.texts += int(ids.shape[0])


class NegativePrompt(Experiment):
    name = "negative-prompt"
    params = (
        Param("prompt", "text", "a star", "prompt that leaves open what the negative ones name"),
        Param(
            "negatives", "texts", ("a large star", "a large shape"),
            "negative prompts, each compared with the empty one", most=6,
        ),
        Param("scales", "floats", (1, 3, 7.5), "guidance scales", 0, 30, most=6),
        Param("pictures", "int", 24, "pictures of each setting, from paired seeds", 4, 256),
        Param("steps", "int", 12, "sampling steps", 2, 200),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "off_scales",
        "share_plain",
        "share_negative",
        "evaluations_added",
        "same_text",
        "keeps_subject",
    )
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.guided import encode_texts, guided_sample
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels

        given = context.params
        scales = sorted(set(given["scales"]))
        negatives = [PLAIN, *dict.fromkeys(given["negatives"])]
        context.progress(0, len(scales), "loading the model")
        pipe = context.pipeline()
        measures = load_module(Path(__file__).with_name("measures.py"))
        code = context.module("labs/models/judge.py") if context.bundled else None
        judge = code.load_judge(context.models / "judge") if code else None
        count = given["pictures"]
        noise = initial_latents(pipe, picture_seeds(context.seed, count))
        text = encode_texts(pipe, [given["prompt"]]).expand(count, -1, -1)
        rows = None if context.bundled else ROWS_OF_LARGE.get(context.device, 16)
        settings = [
            (scale, negative)
            for scale in scales
            for negative in (negatives if scale > 1 else [PLAIN])
        ]
        found: list[dict[str, Any]] = []
        shown: list[Tensor] = []

        def stepped(done: int, total: int) -> None:
            scale, negative = settings[len(found)]
            label = f"sampling at {scale:g} against {negative!r}"
            context.progress(len(found) + done / total, len(settings), label)

        asked = measures.wanted(given["prompt"], judge.attributes) if judge else {}
        for scale, negative in settings:
            made = guided_sample(
                pipe, text, encode_texts(pipe, [negative]), noise, given["steps"], scale,
                rows=rows, on_step=stepped,
            )  # fmt: skip
            pixels = to_pixels(decode(pipe, made.latents))
            shown.append(pixels)
            entry: dict[str, Any] = {
                "scale": scale,
                "negative": negative,
                "evaluations": made.evaluations,
                "shares": None,
                "subject": None,
                "repeats": judge is not None
                and asked.items() <= measures.wanted(negative, judge.attributes).items(),
            }
            if judge is not None:
                entry["shares"] = {
                    each: share_showing(judge, pixels, measures, given["prompt"], each)
                    for each in negatives[1:]
                }
                entry["subject"] = measures.judged(code, judge, pixels, [asked] * count)["all"]
            found.append(entry)
            self._show(context, settings, shown)
        calls = self._calls(context, pipe, scales, negatives[1], noise[:CHECKED])
        metrics: dict[str, Any] = {
            "prompt": given["prompt"],
            "pictures": count,
            "steps": given["steps"],
            "settings": found,
            "calls": calls,
            "same_text": self._same_text(context, pipe, scales[-1], noise[:CHECKED]),
            "bundled": context.bundled,
            "float32": pipe.unet.dtype == torch.float32,
        }
        self._plot(context, found, negatives[1:])
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _call(context: Context, pipe: Any, noise: Tensor, **call: Any) -> dict[str, Any]:
        """Pictures of the pipeline itself, and what its denoiser and text encoder were given."""
        from drill.lab.sampling import DenoiserSpy

        count = len(noise)
        with DenoiserSpy(pipe.unet) as spy, TextSpy(pipe.text_encoder) as texts:
            made = pipe(
                [context.params["prompt"]] * count,
                num_inference_steps=context.params["steps"],
                latents=noise.to(pipe.unet.device, pipe.unet.dtype),
                output_type="pt",
                **call,
            )
        return {
            "images": made.images.float().cpu(),
            "evaluations": spy.evaluations / count,
            "texts": texts.texts / count,
        }

    def _calls(
        self, context: Context, pipe: Any, scales: list[float], negative: str, noise: Tensor
    ) -> list[dict[str, Any]]:
        """With and without a negative prompt at each scale, by the pipeline itself."""
        found = []
        for done, scale in enumerate(scales):
            context.progress(done, len(scales), "calling the pipeline itself")
            plain = self._call(context, pipe, noise, guidance_scale=scale)
            other = self._call(
                context, pipe, noise, guidance_scale=scale, negative_prompt=[negative] * len(noise)
            )
            apart = (plain["images"] - other["images"]).abs()
            found.append(
                {
                    "scale": scale,
                    "difference": float(apart.max()),
                    "evaluations": [plain["evaluations"], other["evaluations"]],
                    "texts": [plain["texts"], other["texts"]],
                }
            )
        return found

    def _same_text(
        self, context: Context, pipe: Any, scale: float, noise: Tensor
    ) -> dict[str, float] | None:
        """The prompt as its own negative prompt: how far from scale 1, and what it costs."""
        if scale <= 1:
            return None
        own = [context.params["prompt"]] * len(noise)
        same = self._call(context, pipe, noise, guidance_scale=scale, negative_prompt=own)
        plain = self._call(context, pipe, noise, guidance_scale=1.0)
        return {
            "scale": scale,
            "difference": float((same["images"] - plain["images"]).abs().max()),
            "evaluations_ratio": same["evaluations"] / plain["evaluations"],
        }

    @staticmethod
    def _show(context: Context, settings: list[tuple[float, str]], shown: list[Tensor]) -> None:
        rows = [pictures.to_bytes(pixels[:SHOWN]) for pixels in shown]
        labels = "; ".join(
            f"{scale:g}" + (f" against {negative!r}" if scale > 1 else "")
            for scale, negative in settings[: len(shown)]
        )
        context.image("negatives", pictures.png(pictures.grid(rows, cell=128)), f"rows: {labels}")

    @staticmethod
    def _plot(context: Context, found: list[dict[str, Any]], negatives: list[str]) -> None:
        if found[0]["shares"] is None:
            return
        series = {}
        for each in negatives:
            for against in (PLAIN, each):
                label = f"shown: {each}; against {against or 'the empty prompt'}"
                series[label] = [
                    (entry["scale"], entry["shares"][each])
                    for entry in found
                    if entry["negative"] == against or entry["scale"] <= 1
                ]
        context.plot("shares", series, "guidance scale", "share of pictures that show it")


def share_showing(judge: Any, pixels: Tensor, measures: Any, prompt: str, negative: str) -> float:
    """Share of pictures that show all that the negative prompt names beyond the prompt."""
    asked = measures.wanted(prompt, judge.attributes)
    named = {
        name: value
        for name, value in measures.wanted(negative, judge.attributes).items()
        if asked.get(name) != value
    }
    if not named:
        return 0.0
    return float(judge.agrees(pixels, [named] * len(pixels))["all"].float().mean())


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model, with this prompt.")
    return Transfers(
        "yes",
        "That it replaces the empty prompt, costs nothing above 1 and does nothing up to 1 is the "
        "pipeline's code. How much it suppresses differs: this model was trained on short captions "
        "that name one thing each, and a long list of negative words is another matter.",
    )


EXPERIMENTS = (NegativePrompt(),)

"""Cases whose pictures are clean and do not show what was asked."""

from __future__ import annotations

import inspect
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

TWICE = (
    "a large red circle on a white background",
    "a large red circle on a yellow background",
    "a large green heart on a black background",
    "a large green heart on a purple background",
)


class SwappedHalves(Pictures):
    name = "swapped-halves"
    cause = "swapped-halves"
    service = Service(
        "loop_service.py", (Change("torch.cat([empty, text])", "torch.cat([text, empty])"),)
    )
    mended_by = "The empty prompt's states come first, as the two halves are told apart later"

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.tap)

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_denoiser_rows(self) -> Any:
        return probes.denoiser_rows(self.broken.tap)

    def probe_decoder_input(self) -> Any:
        return probes.decoder_input(self.context, self.broken.pipe, self.broken.tap)

    def probe_guidance_trace(self) -> Any:
        return probes.guidance_trace(self.broken.pipe, self.broken.tap, self.prompts)


class ShortTokens(Pictures):
    """Prompts lose their end on the way into the text encoder."""

    name = "short-tokens"
    cause = "prompt-cut"
    prompts = TWICE
    service = Service(
        "loop_service.py", (Change("room = pipe.tokenizer.model_max_length", "room = 8"),)
    )
    mended_by = "Prompts are padded and cut to the length that the text encoder was trained with"

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_guidance_trace(self) -> Any:
        return guidance_by_states(self.broken)

    def probe_denoiser_rows(self) -> Any:
        return probes.denoiser_rows(self.broken.tap)

    def probe_vae_round_trip(self) -> Any:
        return probes.round_trip(self.context, self.broken.pipe)

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.tap)

    def probe_text_states(self) -> Any:
        return probes.text_states(self.broken.pipe, self.broken.tap, self.prompts)


class CacheKey(ShortTokens):
    """The same symptom and the same probes."""

    name = "cache-key"
    cause = "states-of-another"
    service = Service("loop_service.py", (Change("    key = prompt\n", "    key = prompt[:18]\n"),))
    mended_by = "The cache of text states is keyed by the whole prompt"


@dataclass(frozen=True)
class Asked:
    """The same request without and with a negative prompt."""

    plain: Any
    negative: Any
    pipe: Any
    tap: Any
    """Of the request with the negative prompt."""
    texts: tuple[Any, Any]
    """Prompts and negative prompts as the pipeline got them."""


class NegativeIgnored(Case):
    name = "negative-ignored"
    cause = "guidance-off"
    service = Service("app_service.py", (Change("guidance_scale=5.0,", "guidance_scale=1.0,"),))
    bound = Bound("mean change of pixels by the negative prompt", 0.02)
    mended_by = "The requests run with a guidance scale above 1"
    prompts = ("a large circle", "a large square", "a large heart", "a large cross")
    unwanted = "a shape on a white background"

    def run(self, state: str) -> Asked:
        service = self.service.load(state)
        pipe = service.load(desk.pipeline(self.context))
        plain = service.generate(pipe, self.prompts, desk.SEEDS)
        got, check = [], pipe.check_inputs

        def check_inputs(prompt: Any, *args: Any, **kwargs: Any) -> None:
            bound = inspect.signature(check).bind(prompt, *args, **kwargs)
            got.append((prompt, bound.arguments.get("negative_prompt")))
            check(prompt, *args, **kwargs)

        pipe.check_inputs = check_inputs
        with taps.Tap(pipe) as tap:
            negative = service.generate(pipe, self.prompts, desk.SEEDS, self.unwanted)
        return Asked(plain, negative, pipe, tap, got[-1])

    def measure(self, ran: Asked) -> float:
        return float((ran.plain - ran.negative).abs().mean())

    def view(self, ran: Asked) -> Any:
        equal = [bool((a == b).all()) for a, b in zip(ran.plain, ran.negative, strict=True)]
        rows = [
            (*each, "yes" if same else "no")
            for *each, same in zip(
                self.prompts,
                desk.shown(self.context, ran.plain),
                desk.shown(self.context, ran.negative),
                equal,
                strict=True,
            )
        ]
        return Seen(
            lines=[
                f"negative prompt: {self.unwanted}",
                *base.table(("prompt", "without it", "with it", "same pixels"), rows),
            ],
            says=f"{sum(equal)} of {len(equal)} pictures are the same, pixel for pixel, without "
            "and with the negative prompt.",
            pictures={"upper row: without the negative prompt; lower: with": (
                ran.plain, ran.negative,
            )},
        )  # fmt: skip

    def probe_call_texts(self) -> Any:
        """The texts that the pipeline's own check of its inputs was given."""
        prompts, negative = self.broken.texts
        return Seen(
            lines=[
                "StableDiffusionPipeline.check_inputs was given",
                f"  prompt          {prompts}",
                f"  negative_prompt {negative}",
            ],
            says=f"The pipeline was called with {len(prompts)} prompts and {len(negative)} "
            f"negative prompts, {negative[0]!r}.",
            numbers={"negative": len(negative)},
        )

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.tap)

    def probe_denoiser_rows(self) -> Any:
        return probes.denoiser_rows(self.broken.tap)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_latent_std(self) -> Any:
        return probes.latent_std(self.broken.tap)

    def probe_timesteps(self) -> Any:
        return probes.timesteps(self.broken.tap)


def guidance_by_states(ran: Any) -> Any:
    """The fit of `probes.guidance_trace` with the text states that the denoiser was given."""
    import torch

    calls = ran.tap.calls
    count = len(calls[0].sample) // 2
    rows = []
    for n, (call, step) in enumerate(zip(calls, ran.tap.steps, strict=True)):
        empty, text = call.output[:count], call.output[count:]
        way, gone = text - empty, step.output - empty
        scale = float((gone * way).sum() / way.square().sum())
        left = float(torch.linalg.vector_norm(gone - scale * way) / gone.norm())
        rows.append((n, call.timestep, len(call.sample), scale, left))
    scales = [row[3] for row in rows]
    return Seen(
        lines=[
            "fit of  used = first half + scale * (second half - first half)",
            *base.table(("step", "t", "rows", "scale", "left over"), rows),
        ],
        says=f"What the scheduler is given lies at a scale of {min(scales):.2f} to "
        f"{max(scales):.2f} from the first half of the batch towards the second.",
        numbers={"scale": sum(scales) / len(scales)},
    )


CASES = (SwappedHalves, ShortTokens, CacheKey, NegativeIgnored)

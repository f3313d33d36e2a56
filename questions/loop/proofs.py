"""Proofs of the items about the denoising loop: a tiny pipeline with random weights, observed.

Which calls are made, in which order and with which shapes, does not depend on the weights. Where
the quality of samples matters, data with a Gaussian distribution stand in: for them the best
possible denoiser is known in closed form.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch.overrides import TorchFunctionMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@cache
def tiny_pipeline() -> Any:
    """Stable Diffusion in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), unet=unet,
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def noise(count: int = 1, seed: int = 1) -> torch.Tensor:
    """Unit noise of the tiny pipeline's latents."""
    return torch.randn(count, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


def drawn(**call: Any) -> torch.Tensor:
    """The final latents of a call from fixed noise."""
    usual = {"prompt": "a red star", "num_inference_steps": 4, "output_type": "latent"}
    images: torch.Tensor = tiny_pipeline()(**{**usual, "latents": noise(), **call}).images
    return images


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# The pipeline's own loop


class Trace(TorchFunctionMode):  # type: ignore[misc]
    """Notes what happens to tensors outside of the pipeline's components."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.inside = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not self.inside and func.__name__ in ("cat", "chunk", "sub"):
            self.events.append(func.__name__)
        return func(*args, **(kwargs or {}))

    def component(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, noted as one event whatever it does inside."""

        def noted(*args: Any, **kwargs: Any) -> Any:
            self.events.append(name)
            self.inside += 1
            try:
                return call(*args, **kwargs)
            finally:
                self.inside -= 1

        # The pipeline looks at the signature of `step` to see what it may pass on.
        noted.__signature__ = inspect.signature(call)  # type: ignore[attr-defined]
        return noted


def order_of_a_step() -> list[str]:
    """The events of the second of two guided Euler steps, as they happened."""
    pipe = tiny_pipeline()
    usual, forward = pipe.scheduler, pipe.unet.forward
    trace = Trace()
    pipe.scheduler = diffusers.EulerDiscreteScheduler(**SD_BETAS)
    for name in ("scale_model_input", "step"):
        setattr(pipe.scheduler, name, trace.component(name, getattr(pipe.scheduler, name)))
    pipe.unet.forward = trace.component("unet", forward)
    try:
        with trace:
            drawn(num_inference_steps=2, guidance_scale=7.5)
    finally:
        pipe.scheduler, pipe.unet.forward = usual, forward
    first = trace.events.index("step")
    names = {"cat": "double", "scale_model_input": "scale", "unet": "predict", "chunk": "split",
             "sub": "combine", "step": "step"}  # fmt: skip
    events = trace.events[first + 1 : trace.events.index("step", first + 1) + 1]
    return [names[each] for each in events]


def into_the_decoder() -> list[tuple[dict[str, int], tuple[int, ...]]]:
    """Shapes that vae.decode is given in guided calls of several sizes."""
    pipe = tiny_pipeline()
    decode = pipe.vae.decode
    shapes: list[tuple[int, ...]] = []

    def noted(latents: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        shapes.append(tuple(latents.shape))
        return decode(latents, *args, **kwargs)

    sizes = [{"B": 1, "n": 3, "H": 64, "W": 64}, {"B": 2, "n": 2, "H": 64, "W": 128},
             {"B": 3, "n": 1, "H": 128, "W": 64}]  # fmt: skip
    pipe.vae.decode = noted
    try:
        for size in sizes:
            pipe(["a star"] * size["B"], num_images_per_prompt=size["n"], height=size["H"],
                 width=size["W"], num_inference_steps=1, guidance_scale=7.5)  # fmt: skip
    finally:
        pipe.vae.decode = decode
    return list(zip(sizes, shapes, strict=True))


def largest_index(scheduler: str, steps: int) -> int:
    """The largest `step` that callback_on_step_end is called with."""
    pipe = tiny_pipeline()
    usual, seen = pipe.scheduler, []
    config = {"skip_prk_steps": True} if scheduler == "PNDMScheduler" else {}
    pipe.scheduler = getattr(diffusers, scheduler)(**SD_BETAS, steps_offset=1, **config)

    def note(_pipe: Any, step: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        seen.append(step)
        return kwargs

    try:
        drawn(num_inference_steps=steps, callback_on_step_end=note)
    finally:
        pipe.scheduler = usual
    return max(seen)


def interrupted() -> str:
    """Count what still runs when a callback sets `_interrupt` at index 1 of 5 steps."""
    pipe = tiny_pipeline()
    counts = {"unet": 0, "decode": 0}
    decode = pipe.vae.decode

    def stop(pipe: Any, step: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        counts["unet"] += 1
        pipe._interrupt = step == 1 or pipe._interrupt
        return kwargs

    def noted(*args: Any, **kwargs: Any) -> Any:
        counts["decode"] += 1
        return decode(*args, **kwargs)

    handle = pipe.unet.register_forward_pre_hook(
        lambda *_: counts.update(unet=counts["unet"] + 100)
    )
    pipe.vae.decode = noted
    try:
        images = pipe("a star", num_inference_steps=5, callback_on_step_end=stop).images
    finally:
        pipe.vae.decode = decode
        handle.remove()
    calls, callbacks = divmod(counts["unet"], 100)
    assert calls == callbacks and len(images) == 1
    return only(
        {
            "two-and-decode": (calls, counts["decode"]) == (2, 1),
            "two-no-decode": (calls, counts["decode"]) == (2, 0),
            "three-and-decode": (calls, counts["decode"]) == (3, 1),
            "five-and-decode": (calls, counts["decode"]) == (5, 1),
        }
    )


def swapped_negative() -> str:
    """Swap the negative embeddings half-way, and do it the way that works for comparison."""
    pipe = tiny_pipeline()
    other, _ = pipe.encode_prompt("zzz", "cpu", 1, False)

    def by_name(_pipe: Any, step: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"negative_prompt_embeds": other} if step == 1 else kwargs

    def by_half(_pipe: Any, step: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        both = kwargs["prompt_embeds"]
        return {"prompt_embeds": torch.cat([other, both[1:]])} if step == 1 else kwargs

    plain = drawn(guidance_scale=7.5)
    named = drawn(
        guidance_scale=7.5, callback_on_step_end=by_name,
        callback_on_step_end_tensor_inputs=["latents", "negative_prompt_embeds"],
    )  # fmt: skip
    halved = drawn(
        guidance_scale=7.5, callback_on_step_end=by_half,
        callback_on_step_end_tensor_inputs=["prompt_embeds"],
    )  # fmt: skip
    assert not torch.allclose(plain, halved, atol=1e-4)
    return only(
        {
            "nothing": torch.equal(named, plain),
            "from-next-step": torch.allclose(named, halved, atol=1e-4),
        }
    )


def may_differ() -> set[str]:
    """What one call of the pipeline takes as one value for each of two requests."""
    requests: dict[str, list[Any]] = {
        "prompt": [["a red star", "a blue cross"]],
        "negative": [["a blue star", "a red cross"]],
        "seed": [[torch.Generator().manual_seed(seed) for seed in (1, 2)]],
        "scale": [[5.0, 7.5], torch.tensor([5.0, 7.5]).view(2, 1, 1, 1)],
        "steps": [[3, 4], torch.tensor([3, 4])],
        "size": [[64, 128], torch.tensor([64, 128])],
    }
    names = {"negative": "negative_prompt", "seed": "generator", "scale": "guidance_scale",
             "steps": "num_inference_steps", "size": "height"}  # fmt: skip
    taken = set()
    for option, values in requests.items():
        for value in values:
            call = {"prompt": ["a star"] * 2, "num_inference_steps": 2, "output_type": "latent"}
            call[names.get(option, option)] = value
            if option == "size":
                call["width"] = value  # with only one of the two the pipeline takes its default
            try:
                images = tiny_pipeline()(**call).images
            except (TypeError, ValueError, RuntimeError):
                continue
            assert len(images) == 2 and not torch.allclose(images[0], images[1], atol=1e-3)
            taken.add(option)
    return taken


# Loops of one's own


def gaussian_denoiser(scheduler: Any, mean: float, std: float) -> Callable[..., torch.Tensor]:
    """The optimal eps-prediction for data N(mean, std^2); takes x_t as networks do, unscaled."""
    table = scheduler.alphas_cumprod.double()

    def eps(x: torch.Tensor, t: Any) -> torch.Tensor:
        ab = table[int(t)]
        gain = ab.sqrt() * std**2 / (ab * std**2 + 1 - ab)
        x0 = mean + gain * (x - ab.sqrt() * mean)
        return (x - ab.sqrt() * x0) / (1 - ab).sqrt()

    return eps


def spread_of_samples(namespace: Namespace, cls: Any, **config: Any) -> float:
    """Spread of samples that the code draws, where the data have one of .5."""
    scheduler = cls(**SD_BETAS, steps_offset=1, timestep_spacing="leading", **config)
    start = torch.randn(20_000, dtype=torch.float64)
    drawn = namespace["sample"](gaussian_denoiser(scheduler, 0.0, 0.5), scheduler, start, 50)
    return float(drawn.std())


def spread_of_the_data(namespace: Namespace) -> None:
    """With Euler the samples have the spread of the data."""
    for name, cls, config in (
        ("DDIM", DDIMScheduler, {"clip_sample": False}),
        ("Euler", diffusers.EulerDiscreteScheduler, {}),
    ):
        std = spread_of_samples(namespace, cls, **config)
        assert abs(std - 0.5) < 0.05, f"with {name} samples have the wrong spread\nstd {std:.3f}"


def effect_of_scaled_sample(original: Namespace, mutant: Namespace) -> str:
    """Spread with Euler, against .5 as it should be; DDIM does not show the bug at all."""
    ddim = [spread_of_samples(n, DDIMScheduler, clip_sample=False) for n in (original, mutant)]
    assert abs(ddim[0] - ddim[1]) < 0.02
    std = spread_of_samples(mutant, diffusers.EulerDiscreteScheduler)
    return only({"collapse": std < 0.05, "too-wide": std > 0.6, "same": abs(std - 0.5) < 0.05})


def network(x: torch.Tensor, t: Any, states: torch.Tensor) -> torch.Tensor:
    """The tiny pipeline's UNet as a plain function."""
    with torch.no_grad():
        predicted: torch.Tensor = tiny_pipeline().unet(x, t, states).sample
    return predicted


def agrees_with_pipeline(name: str, scale: float) -> Callable[[Namespace], None]:
    """A check that a loop ends with the latents of StableDiffusionPipeline."""

    def check(namespace: Namespace) -> None:
        pipe = tiny_pipeline()
        usual = pipe.scheduler
        config = {"clip_sample": False} if name == "DDIMScheduler" else {}
        pipe.scheduler = getattr(diffusers, name)(**SD_BETAS, **config)
        try:
            wanted = drawn(latents=noise(2), prompt=["a star"] * 2, guidance_scale=scale)
            text, empty = pipe.encode_prompt("a star", "cpu", 2, True)
            asked = (noise(2), text.detach(), empty.detach(), 4, scale)
            got = namespace["sample"](network, pipe.scheduler, *asked)
            again = namespace["sample"](network, pipe.scheduler, *asked)
        finally:
            pipe.scheduler = usual
        assert isinstance(got, torch.Tensor), f"sample returned {type(got).__name__}"
        assert got.shape == wanted.shape, (
            f"the result has shape {tuple(got.shape)}\nnot (2, 4, 8, 8)"
        )
        gap = (got - wanted).abs().max().item()
        state = f"std {got.std():.3f}, the pipeline has {wanted.std():.3f}; largest gap {gap:.3g}"
        assert gap < 1e-3, f"the latents differ from the pipeline's\n{state}"
        assert torch.equal(got, again), "a second call with the same scheduler gives other latents"

    return check


def samples_like_the_pipeline(_: Namespace) -> Iterator[tuple[str, Callable[[Namespace], None]]]:
    """Three kinds of scheduler: unscaled, scaled, and with more timesteps than steps."""
    for name in ("DDIMScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler"):
        yield f"{name} with guidance 7.5", agrees_with_pipeline(name, 7.5)


def what_crosses_the_steps() -> None:
    """For the rubric: equal shapes in every call, and each step needs the one before."""
    shapes = []
    handle = tiny_pipeline().unet.register_forward_pre_hook(
        lambda _m, args: shapes.append(tuple(args[0].shape))
    )
    try:
        plain = drawn()
        changed = drawn(
            callback_on_step_end=lambda _p, i, _t, kw: {"latents": kw["latents"] + 0.1 * (i == 0)}
        )
    finally:
        handle.remove()
    assert len(set(shapes)) == 1
    assert not torch.allclose(plain, changed, atol=1e-3)

"""Sampling of many guidance scales at once with a `StableDiffusionPipeline`'s own parts.

A loop that calls the pipeline once a scale runs the denoiser on small batches and encodes the same
prompts again and again. Here every picture of every scale is a row of one batch with a guidance
scale of its own; the pictures are those of the loop.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from drill.lab.prediction import check_denoiser, combine, encode_texts, spread

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline
    from torch import Tensor
else:
    Tensor = StableDiffusionPipeline = Any

OnStep: TypeAlias = "Callable[[int, int, Callable[[], Tensor]], None]"
"""Called after each step with the steps done, their number, and a function that gives the predicted
clean latents (S, N, c, h, w) at this step."""


class DenoiserSpy:
    """Counts what enters the denoiser: one number, the batch size, for every call.

    Use as a context manager around code that runs the pipeline's `unet`.
    """

    def __init__(self, denoiser: Any) -> None:
        self.batches: list[int] = []
        self._denoiser = denoiser
        self._handle: Any = None

    @property
    def calls(self) -> int:
        return len(self.batches)

    @property
    def evaluations(self) -> int:
        """Samples that went through the denoiser, over all calls."""
        return sum(self.batches)

    def __enter__(self) -> Self:
        self._handle = self._denoiser.register_forward_pre_hook(self._seen, with_kwargs=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.remove()

    def _seen(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        sample = args[0] if args else kwargs["sample"]
        self.batches.append(int(sample.shape[0]))


@dataclass(frozen=True)
class Sweep:
    """What came out of a sweep over S scales with N pictures each. All tensors on the CPU."""

    scales: tuple[float, ...]
    latents: Tensor
    """(S, N, c, h, w), as the pipeline's loop leaves them."""
    spread: Tensor
    """(S, N): std of the guided over that of the conditional prediction, mean over the steps;
    exactly 1 where guidance is off."""
    calls: Tensor
    """(S, N): denoiser calls that a picture took part in, as counted."""
    evaluations: Tensor
    """(S, N): rows of the denoiser's batches that belonged to a picture."""
    total_calls: int
    total_evaluations: int
    seconds: float


def picture_seeds(seed: int, count: int) -> list[int]:
    """A seed for each of `count` pictures of a run with `seed`: 0, 1, 2, ... for 0, others for any
    other, so that a second run is another sample and not the same pictures moved by one."""
    return [(1_000_003 * seed + k) % 2**63 for k in range(count)]


def initial_latents(pipe: StableDiffusionPipeline, seeds: Sequence[int]) -> Tensor:
    """Unit noise (N, c, h, w), a generator on the CPU for each seed: the same on every device."""
    import torch

    size = pipe.unet.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    shape = (1, pipe.unet.config.in_channels, height, width)
    return torch.cat(
        [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )


def sweep_scales(
    pipe: StableDiffusionPipeline,
    prompts: Sequence[str],
    scales: Sequence[float],
    noise: Tensor,
    steps: int,
    *,
    rows: int | None = None,
    on_step: OnStep | None = None,
) -> Sweep:
    """Sample `prompts` (N of them, one for each row of `noise`) at every scale, all together.

    As in `StableDiffusionPipeline`, guidance is off at scales up to 1: they share one conditional
    pass, and the unconditional half runs for pictures with a scale above 1 only. `noise` is
    (N, c, h, w) with unit variance. `rows` bounds the batch of one denoiser call; by default there
    is one call a step. The pipeline's scheduler is not touched. Raises ModelError for a denoiser
    that takes the guidance scale as an input, or other channels than the latents'.
    """
    import torch

    check_denoiser(pipe)
    started = time.monotonic()
    device, dtype = pipe.unet.device, pipe.unet.dtype
    plan = _Plan.of(scales, len(prompts), rows)
    with torch.inference_mode():
        scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
        scheduler.set_timesteps(steps, device=device)
        states = encode_texts(pipe, [*prompts, ""])
        conditional, unconditional = states[:-1], states[-1:]
        latents = noise.to(device, dtype) * scheduler.init_noise_sigma
        latents = latents.repeat(plan.tracks, 1, 1, 1)
        count = len(latents)
        spreads = torch.zeros(count, device=device)
        scale_of = torch.tensor(plan.scale_of, device=device, dtype=dtype).view(-1, 1, 1, 1)
        tally = _Tally(count)
        extra = _step_arguments(scheduler, plan.tracks, len(prompts))
        with DenoiserSpy(pipe.unet) as spy:
            for done, t in enumerate(scheduler.timesteps, start=1):
                predictions = []
                for start, end, guided in plan.chunks:
                    # Only the guided pictures, always the last of a chunk, are doubled.
                    first = end - guided
                    part = latents[start:end]
                    sample = torch.cat([latents[first:end], part]) if guided else part
                    sample = scheduler.scale_model_input(sample, t)
                    texts = conditional[[k % len(prompts) for k in range(start, end)]]
                    if guided:
                        texts = torch.cat([unconditional.expand(guided, -1, -1), texts])
                    before = spy.calls
                    raw = pipe.unet(sample, t, encoder_hidden_states=texts, return_dict=False)[0]
                    tally.add(range(start, end), range(first, end), spy.batches[before:])
                    predicted = raw[guided:]
                    if guided:
                        off = end - start - guided
                        from_empty, from_text = raw[:guided], predicted[off:]
                        mixed = combine((from_empty, from_text), scale_of[first:end])
                        spreads[start:first] += 1
                        spreads[first:end] += spread(mixed) / spread(from_text)
                        predicted = torch.cat([predicted[:off], mixed])
                    else:
                        spreads[start:end] += 1
                    predictions.append(predicted)
                output = scheduler.step(torch.cat(predictions), t, latents, **extra)
                latents = output.prev_sample
                if on_step is not None:
                    clean = getattr(output, "pred_original_sample", None)
                    shown = latents if clean is None else clean
                    on_step(done, len(scheduler.timesteps), partial(plan.spread, shown))
        spreads /= len(scheduler.timesteps)
        return Sweep(
            scales=tuple(scales),
            latents=plan.spread(latents).float().cpu(),
            spread=plan.spread(spreads).float().cpu(),
            calls=plan.spread(torch.tensor(tally.calls)),
            evaluations=plan.spread(torch.tensor(tally.evaluations)),
            total_calls=spy.calls,
            total_evaluations=spy.evaluations,
            seconds=time.monotonic() - started,
        )


def decode(
    pipe: StableDiffusionPipeline,
    latents: Tensor,
    batch: int = 16,
    on_batch: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Decoded values (N, 3, H, W) before any clipping, where pictures span [-1, 1]; float32, CPU.

    `latents` is (N, c, h, w); `on_batch` is called with the pictures done and their number.
    """
    import torch

    pieces = []
    with torch.inference_mode():
        for start in range(0, len(latents), batch):
            part = latents[start : start + batch].to(pipe.vae.device, pipe.vae.dtype)
            part = part / pipe.vae.config.scaling_factor
            pieces.append(pipe.vae.decode(part, return_dict=False)[0].float().cpu())
            if on_batch is not None:
                on_batch(min(start + batch, len(latents)), len(latents))
    return torch.cat(pieces)


def decode_sweep(
    pipe: StableDiffusionPipeline,
    sweep: Sweep,
    batch: int = 16,
    on_batch: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Decoded values (S, N, 3, H, W) of a sweep; what scales up to 1 share is decoded once."""
    plan = _Plan.of(sweep.scales, sweep.latents.shape[1], None)
    first = [plan.track_of.index(track) for track in range(plan.tracks)]
    return plan.spread(decode(pipe, sweep.latents[first].flatten(0, 1), batch, on_batch))


def to_pixels(decoded: Tensor) -> Tensor:
    """Decoded values in [-1, 1] to pixels in [0, 1], clipped, as the pipeline does."""
    return (decoded / 2 + 0.5).clamp(0, 1)


@dataclass(frozen=True)
class _Plan:
    """Which pictures share a batch. A track is a scale that is computed; scales up to 1 share one.

    Pictures are numbered track by track, the track without guidance first.
    """

    tracks: int
    track_of: tuple[int, ...]
    """For each scale asked for."""
    scale_of: tuple[float, ...]
    """For each picture."""
    chunks: tuple[tuple[int, int, int], ...]
    """(first picture, end, how many of the last ones are guided) for each denoiser call."""

    @classmethod
    def of(cls, scales: Sequence[float], pictures: int, rows: int | None) -> _Plan:
        guided = sorted({scale for scale in scales if scale > 1})
        tracks = [1.0, *guided] if any(scale <= 1 for scale in scales) else guided
        scale_of = tuple(scale for scale in tracks for _ in range(pictures))
        chunks, start, size = [], 0, 0
        for index, scale in enumerate(scale_of):
            needs = 2 if scale > 1 else 1
            if rows is not None and index > start and size + needs > rows:
                chunks.append((start, index))
                start, size = index, 0
            size += needs
        chunks.append((start, len(scale_of)))
        return cls(
            tracks=len(tracks),
            track_of=tuple(tracks.index(scale if scale > 1 else 1.0) for scale in scales),
            scale_of=scale_of,
            chunks=tuple((a, b, sum(s > 1 for s in scale_of[a:b])) for a, b in chunks),
        )

    def spread(self, values: Tensor) -> Tensor:
        """Values of the pictures (tracks * N, ...) as (S, N, ...), in the order of the scales."""
        return values.reshape(self.tracks, -1, *values.shape[1:])[list(self.track_of)]


class _Tally:
    """Calls and evaluations of each picture, from what the spy saw."""

    def __init__(self, pictures: int) -> None:
        self.calls = [0] * pictures
        self.evaluations = [0] * pictures

    def add(self, conditional: range, unconditional: range, batches: Sequence[int]) -> None:
        if sum(batches) != len(conditional) + len(unconditional):
            raise RuntimeError(f"batches of {batches} rows went in, not those that were meant to")
        for index in conditional:
            self.calls[index] += len(batches)
            self.evaluations[index] += 1
        for index in unconditional:
            self.evaluations[index] += 1


def _step_arguments(scheduler: Any, tracks: int, pictures: int) -> dict[str, Any]:
    """A scheduler that draws noise gets one generator a picture, seeded alike at every scale."""
    import torch

    if "generator" not in inspect.signature(scheduler.step).parameters:
        return {}
    generators = [torch.Generator().manual_seed(k) for _ in range(tracks) for k in range(pictures)]
    return {"generator": generators}

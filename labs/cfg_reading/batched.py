"""cfg-batched-vs-two-calls: one doubled batch against two calls, in results and in time."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
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

claims = load_module(Path(__file__).with_name("batched_claims.py"))

SHOWN = 4
TIMED_AT = 500
"""The timestep of timed calls; it does not matter for their time."""


class Halves:
    """Both predictions of guidance at one timestep, made in either way."""

    def __init__(self, denoiser: Any, text: Tensor, empty: Tensor) -> None:
        self.denoiser = denoiser
        self.text, self.empty = text, empty  # (N, L, D) each

    def doubled(self, x: Tensor, t: Any) -> tuple[Tensor, Tensor]:
        """One call with a batch of 2N, the unconditional half first, as the pipeline does."""
        import torch

        both = self(torch.cat([x, x]), t, torch.cat([self.empty, self.text]))
        first, second = both.chunk(2)
        return first, second

    def apart(self, x: Tensor, t: Any) -> tuple[Tensor, Tensor]:
        """Two calls with batches of N, as FluxPipeline does with `true_cfg_scale`."""
        return self(x, t, self.empty), self(x, t, self.text)

    def single(self, x: Tensor, t: Any) -> Tensor:
        """The conditional half alone: what a step costs without guidance."""
        return self(x, t, self.text)

    def __call__(self, x: Tensor, t: Any, states: Tensor) -> Tensor:
        found: Tensor = self.denoiser(x, t, encoder_hidden_states=states, return_dict=False)[0]
        return found


class BatchedVsTwoCalls(Experiment):
    name = "cfg-batched-vs-two-calls"
    params = (
        Param("batches", "ints", (1, 4, 16), "pictures in a request, timed", 1, 64, most=6),
        Param("pairs", "int", 9, "timed rounds at each batch, all ways in each", 5, 101),
        Param("scale", "float", 5.0, "guidance scale of the pictures", 1.1, 30),
        Param("steps", "int", 10, "sampling steps of the pictures", 2, 100),
    )
    claims = claims.CLAIMS
    outcomes = ("calls_ratio", "evaluations_ratio", "same_pictures", "faster", "guided_over_plain")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.guided import check_denoiser
        from drill.lab.sampling import (
            DenoiserSpy,
            decode,
            initial_latents,
            picture_seeds,
            to_pixels,
        )

        given = context.params
        context.progress(0, given["steps"], "loading the model")
        pipe = context.pipeline()
        check_denoiser(pipe)
        noise = initial_latents(pipe, picture_seeds(context.seed, SHOWN))
        text, empty = self._texts(context, pipe, SHOWN)
        runs: dict[str, Tensor] = {}
        counted: dict[str, Any] = {}
        apart = 0.0
        with torch.inference_mode():
            for way in ("doubled", "apart"):
                halves = Halves(pipe.unet, text, empty)
                with DenoiserSpy(pipe.unet) as spy:
                    runs[way] = self._sample(context, pipe, getattr(halves, way), noise, way)
                counted[way] = {"calls": spy.calls, "evaluations": spy.evaluations / SHOWN}
            apart = self._prediction_difference(pipe, Halves(pipe.unet, text, empty), noise)
            pixels = {way: to_pixels(decode(pipe, latents)) for way, latents in runs.items()}
            times = [self._times(context, pipe, batch) for batch in given["batches"]]
        self._show(context, pixels)
        largest = float((pixels["doubled"] - pixels["apart"]).abs().max())
        metrics: dict[str, Any] = {
            "counted": counted,
            "prediction_difference": apart,
            "picture_difference": largest,
            "float32": pipe.unet.dtype == torch.float32,
            "bundled": context.bundled,
            "batches": list(given["batches"]),
            "times": times,
            "threads": torch.get_num_threads() if context.device == "cpu" else None,
            "device": context.device,
        }
        self._plot(context, times)
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _texts(context: Context, pipe: Any, count: int) -> tuple[Tensor, Tensor]:
        from drill.lab.guided import encode_texts

        measures = load_module(Path(__file__).with_name("measures.py"))
        words = load_module(Path(__file__).with_name("experiment.py")).ATTRIBUTES
        return encode_texts(pipe, measures.fixed_prompts(words, count)), encode_texts(
            pipe, [""] * count
        )

    @staticmethod
    def _sample(context: Context, pipe: Any, both: Any, noise: Tensor, way: str) -> Tensor:
        """Latents (N, c, h, w) after all steps, from the halves made in one way."""
        scheduler, x = start(pipe, noise, context.params["steps"])
        for done, t in enumerate(scheduler.timesteps, start=1):
            from_empty, from_text = both(x, t)
            guided = from_empty + context.params["scale"] * (from_text - from_empty)
            x = scheduler.step(guided, t, x, return_dict=False)[0]
            context.progress(done, len(scheduler.timesteps), f"sampling, {way}")
        return x

    @staticmethod
    def _prediction_difference(pipe: Any, halves: Halves, noise: Tensor) -> float:
        """Largest difference of one prediction made both ways, in units of its std."""
        scheduler, x = start(pipe, noise, 4)
        found = 0.0
        for t in scheduler.timesteps:
            for one, other in zip(halves.doubled(x, t), halves.apart(x, t), strict=True):
                found = max(found, float((one - other).abs().max() / one.std()))
        return found

    def _times(self, context: Context, pipe: Any, batch: int) -> dict[str, Any]:
        """Median ratios at a batch, and the allocator's peak of each way on CUDA."""
        from drill.lab.sampling import initial_latents
        from drill.lab.timing import interleaved, ratio

        x = initial_latents(pipe, range(batch)).to(pipe.unet.device, pipe.unet.dtype)
        halves = Halves(pipe.unet, *self._texts(context, pipe, batch))
        ways: dict[str, Callable[[], object]] = {
            "doubled": partial(halves.doubled, x, TIMED_AT),
            "apart": partial(halves.apart, x, TIMED_AT),
            "single": partial(halves.single, x, TIMED_AT),
        }
        label = f"timing {batch} {'picture' if batch == 1 else 'pictures'}"
        seconds = interleaved(
            ways,
            context.device,
            context.params["pairs"],
            on_call=lambda done, total: context.progress(done, total, label),
        )
        return {
            "batch": batch,
            "milliseconds": {name: 1e3 * statistics.median(each) for name, each in seconds.items()},
            "apart_over_doubled": ratio(seconds, "apart", "doubled"),
            "doubled_over_single": ratio(seconds, "doubled", "single"),
            "peak_bytes": {name: peak(context.device, way) for name, way in ways.items()},
        }

    @staticmethod
    def _show(context: Context, pixels: dict[str, Tensor]) -> None:
        rows = [pictures.to_bytes(pixels[way]) for way in ("doubled", "apart")]
        rows.append(pictures.to_bytes((pixels["doubled"] - pixels["apart"]).abs() * 1000))
        context.image(
            "ways",
            pictures.png(pictures.grid(rows)),
            "rows: one doubled batch; two calls; their difference times 1000",
        )

    @staticmethod
    def _plot(context: Context, times: list[dict[str, Any]]) -> None:
        series = {
            label: [(each["batch"], each[name]) for each in times]
            for label, name in (
                ("two calls over one doubled batch", "apart_over_doubled"),
                ("doubled batch over no guidance", "doubled_over_single"),
            )
        }
        context.plot("times", series, "pictures in a request", "ratio of times")


def start(pipe: Any, noise: Tensor, steps: int) -> tuple[Any, Tensor]:
    """A DDIM scheduler of the pipeline's schedule, and the first latents on its device."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(steps, device=pipe.unet.device)
    return scheduler, noise.to(pipe.unet.device, pipe.unet.dtype)


def peak(device: str, way: Callable[[], object]) -> int | None:
    """Most bytes that tensors took during a call, by CUDA's allocator; None elsewhere."""
    import torch

    if not device.startswith("cuda"):
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    way()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the machine and model that were run."""
    return Transfers(
        "yes" if context.device.startswith("cuda") and not context.bundled else "unknown",
        "Equality and counts hold for every denoiser whose rows do not see each other. The times "
        "are those of this device and model: what decides is whether a batch of one fills the "
        "device, and a large model at a large resolution fills a GPU where a small one does not.",
    )


EXPERIMENTS = (BatchedVsTwoCalls(),)

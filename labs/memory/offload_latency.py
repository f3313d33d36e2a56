"""offload-latency: what offloading costs in time, against the floor that the copies set."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module
from drill.lab.timing import seconds

claims = load_module(Path(__file__).with_name("latency_claims.py"))

MODES = ("resident", "model", "sequential", "group-leaf", "group-block", "group-stream")
BUFFER = 256 * 2**20
"""Bytes of the copy that the link is timed with."""


class Machine:
    """The accelerator as this experiment needs it; a test puts another in its place."""

    def __init__(self, device: str) -> None:
        self.device = device

    def seconds(self, run: Callable[[], Any]) -> float:
        """Seconds of a call, with the device idle before and after."""
        return seconds(run, self.device, clock=time.perf_counter)

    def bandwidth(self, pinned: bool) -> float:
        """Bytes a second from the CPU to the device: the median of five copies of one buffer."""
        import torch

        source = torch.ones(BUFFER, dtype=torch.uint8)
        source = source.pin_memory() if pinned else source
        target = torch.empty(BUFFER, dtype=torch.uint8, device=self.device)
        target.copy_(source)
        return BUFFER / median(self.seconds(lambda: target.copy_(source)) for _ in range(5))

    def reset_peaks(self) -> None:
        import torch

        torch.cuda.reset_peak_memory_stats(self.device)

    def peaks(self) -> tuple[int, int]:
        """Bytes allocated and reserved at most since the last reset."""
        import torch

        allocated = torch.cuda.max_memory_allocated(self.device)
        return int(allocated), int(torch.cuda.max_memory_reserved(self.device))

    def running(self) -> AbstractContextManager[object]:
        """What has to be entered while pipelines live and run."""
        return nullcontext()

    def clear(self) -> None:
        """Give back what a removed pipeline held, so that the next one's peaks are its own."""
        import torch

        gc.collect()
        torch.cuda.empty_cache()


class OffloadLatency(Experiment):
    name = "offload-latency"
    params = (
        Param("modes", "texts", MODES, "ways to offload", most=6),
        Param("steps", "ints", (4, 12), "two numbers of steps", low=1, high=100, least=2, most=2),
        Param("rounds", "int", 3, "images of each kind; medians are taken", low=1, high=20),
        Param("size", "int", 0, "side of the picture in pixels; 0: the model's own", 0, 2048),
    )
    claims = claims.CLAIMS
    outcomes = ("slowest", "step_unchanged", "sequential_over_resident")
    seconds = 600
    needs = ("accelerator",)

    def machine(self, context: Context) -> Machine:
        """The accelerator of the run; raises ModelError where there is none."""
        from drill.lab.models import ModelError

        if not context.device.startswith("cuda"):
            raise ModelError(
                f"offload-latency times copies to a CUDA device; there is {context.device} here. "
                "offload-bytes counts the same copies without one"
            )
        return Machine(context.device)

    def run(self, context: Context) -> Result:
        from drill.lab.params import ParamError
        from drill.lab.random_models import is_random, labelled, titled

        machine = self.machine(context)
        offload = load_module(Path(__file__).with_name("offload_modes.py"))
        given = context.params
        unknown = [mode for mode in given["modes"] if mode not in MODES]
        steps = sorted(set(given["steps"]))
        if unknown or len(steps) < 2:
            raise ParamError(
                f"modes: no mode {unknown[0]!r}; there are {'; '.join(MODES)}"
                if unknown
                else "steps: two different numbers are needed"
            )
        modes = [mode for mode in MODES if mode in given["modes"]]
        total = len(modes) * (given["rounds"] + 1)
        context.progress(0, total, "loading the model")
        fresh = offload.pipelines(context)
        entries: dict[str, dict[str, Any]] = {}
        weights = offload.weights_of(fresh())
        for done, mode in enumerate(modes):
            context.progress(done, total, f"counting bytes: {mode}")
            entries[mode] = self.counted(context, offload, fresh, mode, steps[-1])
        done = len(modes)
        # In each round every mode has its turn, so that all meet the same clocks and neighbours.
        for _ in range(given["rounds"]):
            for mode in modes:
                context.progress(done, total, f"timing: {mode}")
                self.timed(context, offload, machine, fresh, mode, steps, entries[mode])
                done += 1
        metrics = {
            "modes": entries,
            "steps": steps,
            "bandwidth": {
                "pageable": machine.bandwidth(pinned=False),
                "pinned": machine.bandwidth(pinned=True),
            },
            "weights": weights,
            "denoiser_bytes": weights["unet" if "unet" in weights else "transformer"],
            "random": is_random(context.model),
        }
        context.progress(total, total, "timing")
        context.plot(
            titled(context, "image time"),
            {
                mode: [(s, median(t)) for s, t in zip(steps, each["seconds"], strict=True)]
                for mode, each in entries.items()
            },
            "steps",
            "seconds an image",
        )
        result = Result(metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers())
        return labelled(context, result)

    @staticmethod
    def image(context: Context, pipe: Any, steps: int) -> Any:
        """One image, left on the device."""
        import torch

        size = context.params["size"]
        sized = {"height": size, "width": size} if size else {}
        with torch.no_grad():
            return pipe(
                "a small red star on a blue background",
                num_inference_steps=steps,
                generator=torch.Generator().manual_seed(context.seed),
                output_type="pt",
                **sized,
            ).images

    def counted(
        self, context: Context, offload: Any, fresh: Any, mode: str, steps: int
    ) -> dict[str, Any]:
        """Bytes that an image copies; counting slows it down, so it is not timed."""
        with offload.metered(context.device) as meter:
            pipe = fresh()
            before = meter.copied
            offload.switch_on(pipe, mode, meter.device)
            self.image(context, pipe, steps)
            after = meter.copied
        return {
            "to_card": after[0] - before[0],
            "to_cpu": after[1] - before[1],
            "seconds": [[], []],
            "allocated": 0,
            "reserved": 0,
        }

    def timed(
        self,
        context: Context,
        offload: Any,
        machine: Machine,
        fresh: Any,
        mode: str,
        steps: list[int],
        entry: dict[str, Any],
    ) -> None:
        """Add a round: an image for each number of steps, after one that warms up."""
        import torch

        machine.clear()
        with machine.running():
            pipe = fresh()
            offload.switch_on(pipe, mode, torch.device(machine.device))
            self.image(context, pipe, 2)
            machine.reset_peaks()
            self.take_times(context, machine, pipe, steps, entry)
        allocated, reserved = machine.peaks()
        entry["allocated"] = max(entry["allocated"], allocated)
        entry["reserved"] = max(entry["reserved"], reserved)

    def take_times(
        self, context: Context, machine: Machine, pipe: Any, steps: list[int], entry: dict[str, Any]
    ) -> None:
        """An image for each number of steps."""
        for index, count in enumerate(steps):
            spent = machine.seconds(lambda n=count: self.image(context, pipe, n))  # type: ignore[misc]
            entry["seconds"][index].append(spent)
            context.check()


def transfers() -> Transfers:
    return Transfers(
        "yes",
        "As ratios to the floor: bytes follow from the hooks, and the floor from your link. How "
        "much a stream hides depends on compute per byte, so on model, batch and resolution.",
    )


EXPERIMENTS = (OffloadLatency(),)

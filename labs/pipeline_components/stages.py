"""A call of `StableDiffusionPipeline` taken apart: which component worked how often, how long, and
what it handed on. The pipeline's own code runs; only the ways into its components are watched."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from drill.lab.timing import synchronise

TOKENIZE, TEXT, DENOISE, SCHEDULE, DECODE, POST = (
    "tokenizer", "text encoder", "denoiser", "scheduler", "VAE decode", "post-process",
)  # fmt: skip
STAGES = (TOKENIZE, TEXT, DENOISE, SCHEDULE, DECODE, POST)
"""In the order in which a call first enters them."""


@dataclass
class Stage:
    """What was seen of one component in one call."""

    seconds: list[float] = field(default_factory=list)
    """Of each time it was called, the device idle before and after."""
    rows: list[int] = field(default_factory=list)
    """Samples that entered, each time; 0 where the input has none."""
    handed_on: list[int] = field(default_factory=list)
    """Bytes of what it gave, each time."""
    allocated: list[int] = field(default_factory=list)
    """Peak of the allocator while it worked; only on an accelerator that tells."""

    @property
    def calls(self) -> int:
        return len(self.seconds)


class Ledger:
    """Books of one call: a `Stage` for each of STAGES, and the whole."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.stages = {name: Stage() for name in STAGES}
        self.total = 0.0

    @property
    def rest(self) -> float:
        """Seconds of the call outside all stages: guidance, noise, checks, Python."""
        return self.total - sum(sum(each.seconds) for each in self.stages.values())

    def watch(self, name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        """`run`, booked under a stage. Its signature is kept: pipelines inspect that of `step`."""

        @functools.wraps(run)
        def booked(*args: Any, **kwargs: Any) -> Any:
            stage = self.stages[name]
            _forget_peak(self.device)
            synchronise(self.device)
            started = time.perf_counter()
            result = run(*args, **kwargs)
            synchronise(self.device)
            stage.seconds.append(time.perf_counter() - started)
            stage.rows.append(_rows([*args, *kwargs.values()]))
            stage.handed_on.append(_bytes_of(result))
            peak = _peak(self.device)
            if peak is not None:
                stage.allocated.append(peak)
            return result

        return booked


class Watched:
    """Stands for a component in a pipeline; some of its ways in are booked."""

    def __init__(self, component: Any, ways: dict[str, Callable[..., Any]]) -> None:
        self.__dict__["_component"] = component
        self.__dict__["_ways"] = ways

    def __getattr__(self, name: str) -> Any:
        return self._ways.get(name) or getattr(self._component, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ways["__call__"](*args, **kwargs)


@contextmanager
def watched(pipe: Any, ledger: Ledger) -> Iterator[Any]:
    """A pipeline of the same networks, with a scheduler of its own, whose calls are booked.

    The networks are shared and left as they were: modules are watched by replaced `forward`s, which
    are removed at the end, all else by stand-ins in the new pipeline.
    """
    scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
    light = type(pipe)(**{**pipe.components, "scheduler": scheduler}, requires_safety_checker=False)
    light.set_progress_bar_config(disable=True)
    for way in ("set_timesteps", "scale_model_input", "step"):
        setattr(scheduler, way, ledger.watch(SCHEDULE, getattr(scheduler, way)))
    processor = light.image_processor
    processor.postprocess = ledger.watch(POST, processor.postprocess)
    tokenizer, vae = light.tokenizer, light.vae
    stand_ins = {
        "tokenizer": Watched(tokenizer, {"__call__": ledger.watch(TOKENIZE, tokenizer.__call__)}),
        "vae": Watched(vae, {"decode": ledger.watch(DECODE, vae.decode)}),
    }
    # Past the pipeline's __setattr__, which would note the stand-ins in its config.
    light.__dict__.update(stand_ins)
    modules = {TEXT: pipe.text_encoder, DENOISE: pipe.unet}
    for name, module in modules.items():
        module.forward = ledger.watch(name, module.forward)
    try:
        yield light
    finally:
        for module in modules.values():
            del module.forward


def parameter_table(pipe: Any) -> dict[str, dict[str, Any]]:
    """Class, parameters and bytes of every component that is there."""
    table = {}
    for name, component in pipe.components.items():
        if component is None:
            continue
        held = list(component.parameters()) if hasattr(component, "parameters") else []
        table[name] = {
            "class": type(component).__name__,
            "module": hasattr(component, "forward"),
            "parameters": sum(each.numel() for each in held),
            "bytes": sum(each.numel() * each.element_size() for each in held),
        }
    return table


def _rows(values: list[Any]) -> int:
    """Batch size of the first tensor with more than one dimension, or number of texts."""
    for value in values:
        if hasattr(value, "shape") and len(value.shape) > 1:
            return int(value.shape[0])
        if isinstance(value, str):
            return 1
        if isinstance(value, list):
            return len(value)
    return 0


def _bytes_of(result: Any) -> int:
    """Bytes of the tensors or arrays in what a component gave."""
    if hasattr(result, "nbytes"):
        return int(result.nbytes)
    if hasattr(result, "values"):
        return sum(_bytes_of(each) for each in result.values())
    if isinstance(result, list | tuple):
        return sum(_bytes_of(each) for each in result)
    return 0


def _forget_peak(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: str) -> int | None:
    if not device.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.max_memory_allocated(device))


@contextmanager
def touched(pipe: Any) -> Iterator[dict[str, int]]:
    """Bytes of parameters by component that some module's forward, run meanwhile, holds itself.

    Filled when the block ends. What it leaves out is loaded and was not needed.
    """
    from torch.nn.modules.module import register_module_forward_pre_hook

    seen: set[int] = set()
    found: dict[str, int] = {}
    handle = register_module_forward_pre_hook(lambda module, args: seen.add(id(module)))
    try:
        yield found
    finally:
        handle.remove()
    for name, component in pipe.components.items():
        if not hasattr(component, "named_modules"):
            continue
        used = [each for _, each in component.named_modules() if id(each) in seen]
        held = {id(p): p for each in used for p in each.parameters(recurse=False)}
        found[name] = sum(p.numel() * p.element_size() for p in held.values())

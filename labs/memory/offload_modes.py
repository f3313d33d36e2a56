"""The ways to keep weights off the accelerator, and where their bytes are counted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from drill.lab import Context
from drill.lab.denoiser_inputs import denoiser_of
from drill.lab.loading import load_module
from drill.lab.random_models import (
    architecture,
    assemble,
    build,
    empty_modules,
    is_random,
    pipeline_of,
)

MODES = ("resident", "model", "sequential", "group-leaf", "group-block", "group-stream")
"""In the order of what they keep on the accelerator, the streamed one last."""
EXPLAINED = {
    "resident": "everything stays on the accelerator",
    "model": "enable_model_cpu_offload",
    "sequential": "enable_sequential_cpu_offload",
    "group-leaf": "enable_group_offload, leaf_level",
    "group-block": "enable_group_offload, block_level, one block a group",
    "group-stream": "enable_group_offload, leaf_level, use_stream",
}
PER_FORWARD = ("sequential", "group-leaf", "group-block", "group-stream")
"""Modes that bring a denoiser's weights in for each of its calls."""


def switch_on(pipe: Any, mode: str, device: torch.device) -> None:
    """Put a fresh pipeline with its weights on the CPU into a mode; `device` has an index."""
    if mode == "resident":
        pipe.to(device)
    elif mode == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif mode == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    elif mode == "group-block":
        pipe.enable_group_offload(device, offload_type="block_level", num_blocks_per_group=1)
    elif mode in ("group-leaf", "group-stream"):
        streamed = mode == "group-stream"
        pipe.enable_group_offload(
            device, offload_type="leaf_level", use_stream=streamed, record_stream=streamed
        )
    else:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(MODES)}")


def twin(pipe: Any) -> Any:
    """A pipeline of its own over the same weights: hooks on it do not touch the other's modules.

    Modules are copied, their tensors are shared; offloading replaces tensors and writes into none.
    """
    parts = {}
    for name, part in pipe.components.items():
        if isinstance(part, torch.nn.Module):
            memo: dict[int, Any] = {}
            for parameter in part.parameters():
                memo[id(parameter)] = torch.nn.Parameter(parameter.data, requires_grad=False)
            for buffer in part.buffers():
                memo[id(buffer)] = buffer
            parts[name] = copy.deepcopy(part, memo)
        elif hasattr(part, "from_config"):
            parts[name] = part.from_config(part.config)
        else:
            parts[name] = part
    if "requires_safety_checker" in pipe.config:
        parts["requires_safety_checker"] = False
    made = type(pipe)(**parts)
    made.set_progress_bar_config(disable=True)
    return made


class CopyLog(TorchDispatchMode):
    """Counts bytes that tensors take from the CPU to an accelerator and back."""

    def __init__(self) -> None:
        super().__init__()
        self.to_card = 0
        self.to_cpu = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default:
            self._count(args[0], out, out)
        elif func is torch.ops.aten.copy_.default:
            self._count(args[1], args[0], args[1])
        return out

    def _count(self, source: torch.Tensor, target: torch.Tensor, moved: torch.Tensor) -> None:
        size = moved.numel() * moved.element_size()
        kinds = source.device.type, target.device.type
        if "meta" in kinds or kinds[0] == kinds[1]:
            return
        if kinds[0] == "cpu":
            self.to_card += size
        else:
            self.to_cpu += size


class Meter:
    """Copies and peak of one accelerator, real or simulated."""

    simulated = False

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.log = CopyLog()

    @property
    def copied(self) -> tuple[int, int]:
        """Bytes to the accelerator and back, so far."""
        return self.log.to_card, self.log.to_cpu

    def reset_peak(self) -> None:
        torch.cuda.reset_peak_memory_stats(self.device)

    @property
    def peak(self) -> int:
        """Largest number of bytes in live tensors since the last reset."""
        return int(torch.cuda.max_memory_allocated(self.device))


class CardMeter(Meter):
    """The books of the simulated card."""

    simulated = True

    def __init__(self, card: Any) -> None:
        super().__init__(card.device)
        self.card = card

    @property
    def copied(self) -> tuple[int, int]:
        return self.card.to_card, self.card.to_cpu

    def reset_peak(self) -> None:
        self.card.books.reset_peak()

    @property
    def peak(self) -> int:
        return int(self.card.books.peak)


@contextmanager
def metered(device: str) -> Iterator[Meter]:
    """Count on a CUDA device, or, for `cpu`, on the simulated card."""
    if device == "cpu":
        card_module = load_module(Path(__file__).with_name("card.py"))
        with card_module.Card() as card:
            yield CardMeter(card)
    else:
        meter = Meter(torch.device(device))
        with meter.log:
            yield meter


def pipelines(context: Context) -> Callable[[], Any]:
    """A function that gives a fresh pipeline with its weights on the CPU, for every mode anew.

    Random weights on a CPU have no numbers (meta): call it under `metered(...)` there.
    """
    if is_random(context.model) and context.device == "cpu":
        return lambda: _without_numbers(context.model)
    if is_random(context.model):
        dtype = getattr(torch, architecture(context.model).dtype)
        master = build(context.model, "cpu", dtype=dtype, seed=context.seed, log=context.log)
    else:
        pipe = pipeline_of(context)
        master = twin(pipe)
        if context.device != "cpu":
            master.to("cpu")
    return lambda: twin(master)


def _without_numbers(model: str) -> Any:
    card_module = load_module(Path(__file__).with_name("card.py"))
    dtype = getattr(torch, architecture(model).dtype)
    parts = {
        name: card_module.without_memory(module, dtype)
        for name, module in empty_modules(model).items()
    }
    return assemble(model, parts)


def weights_of(pipe: Any) -> dict[str, int]:
    """Bytes of weights by component, in the order in which they are used."""
    sizes = {
        name: sum(p.numel() * p.element_size() for p in part.parameters())
        for name, part in pipe.components.items()
        if isinstance(part, torch.nn.Module)
    }
    order = [name for name in pipe.model_cpu_offload_seq.split("->") if name in sizes]
    return {name: sizes[name] for name in [*order, *(n for n in sizes if n not in order)]}


@contextmanager
def counted_calls(pipe: Any) -> Iterator[list[int]]:
    """A list that gets one entry for each call of the denoiser."""
    calls: list[int] = []
    handle = denoiser_of(pipe.components).register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        yield calls
    finally:
        handle.remove()

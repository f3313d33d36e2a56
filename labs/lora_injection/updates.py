"""Low-rank updates in a denoiser's layers: their rank and energy, and what fusing does to weights.

A layer here is one of peft's: a frozen `base_layer` beside `lora_A`, `lora_B` and `scaling`, by
adapter.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


def lora_layers(model: nn.Module, adapter: str) -> dict[str, Any]:
    """The layers that an adapter sits beside, by name."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    return {
        name: part
        for name, part in model.named_modules()
        if isinstance(part, BaseTunerLayer) and adapter in getattr(part, "lora_A", {})
    }


@dataclass(frozen=True)
class Update:
    """B A of one layer as u diag(s) v: u (out, r) and v (r, in) with orthonormal columns and rows,
    s (r,) falling. Kernels of convolutions count as matrices."""

    u: Tensor
    s: Tensor
    v: Tensor


def decomposed(layer: Any, adapter: str) -> Update:
    """The singular values of B A, from two small QRs: the product itself is never built."""
    a = layer.lora_A[adapter].weight.detach().float().flatten(1)  # (r, in)
    b = layer.lora_B[adapter].weight.detach().float().flatten(1)  # (out, r)
    q_b, r_b = torch.linalg.qr(b)
    q_a, r_a = torch.linalg.qr(a.T)
    u, s, vh = torch.linalg.svd(r_b @ r_a.T)
    return Update(q_b @ u, s, vh @ q_a.T)


def energy_kept(updates: dict[str, Update], rank: int) -> float:
    """Share of the squared singular values, over all layers, that a truncation keeps."""
    kept = sum(float(each.s[:rank].square().sum()) for each in updates.values())
    return kept / sum(float(each.s.square().sum()) for each in updates.values())


@torch.no_grad()
def truncate(layers: dict[str, Any], updates: dict[str, Update], adapter: str, rank: int) -> None:
    """Put the nearest product of that rank (Eckart and Young) in every layer; the adapter keeps its
    shape, with zeros behind the rank."""
    for name, layer in layers.items():
        found = updates[name]
        root = found.s[:rank].sqrt()
        a, b = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
        down, up = torch.zeros_like(a).flatten(1), torch.zeros_like(b).flatten(1)
        down[: len(root)] = (root[:, None] * found.v[:rank]).to(a.dtype)
        up[:, : len(root)] = (found.u[:, :rank] * root).to(b.dtype)
        a.copy_(down.view_as(a))
        b.copy_(up.view_as(b))


def weights_of(layers: dict[str, Any]) -> dict[str, Tensor]:
    """Copies of the base weights under the adapters."""
    return {name: layer.get_base_layer().weight.detach().clone() for name, layer in layers.items()}


def furthest(weights: dict[str, Tensor], others: dict[str, Tensor]) -> float:
    """The largest difference of a weight."""
    return max(float((weights[name] - others[name]).abs().max()) for name in weights)


def deltas(layers: dict[str, Any], adapter: str) -> dict[str, Tensor]:
    """What fusing adds to each base weight, at the scale that is set now."""
    return {name: layer.get_delta_weight(adapter).detach() for name, layer in layers.items()}


@contextmanager
def quietly() -> Iterator[list[str]]:
    """Collect warnings in place of printing them."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(each.message) for each in caught]


def facts(model: nn.Module, adapter: str) -> dict[str, Any]:
    """What is targeted, with which rank and scaling, and its size beside the base's."""
    layers = lora_layers(model, adapter)
    added = sum(value.numel() for name, value in model.named_parameters() if f".{adapter}." in name)
    whole = sum(value.numel() for value in model.parameters())
    adapted = sum(layer.get_base_layer().weight.numel() for layer in layers.values())
    targets: dict[str, int] = {}
    for name in layers:
        _, _, last = name.rpartition("transformer_blocks.")
        short = last.partition(".")[2].removeprefix("attn1.").removeprefix("attn2.")
        targets[short] = targets.get(short, 0) + 1
    first = next(iter(layers.values()))
    return {
        "layers": len(layers),
        "targets": targets,
        "rank": max(layer.r[adapter] for layer in layers.values()),
        "alpha": float(first.lora_alpha[adapter]),
        "alpha_over_rank": float(first.lora_alpha[adapter]) / first.r[adapter],
        "parameters": added,
        "parameters_by_formula": sum(
            layer.r[adapter] * (layer.in_features + layer.out_features) for layer in layers.values()
        ),
        "base_parameters": whole - added,
        "adapted_parameters": adapted,
        "share": added / (whole - added),
    }


def drift(model: nn.Module, adapter: str, kind: torch.dtype, rounds: int) -> dict[str, float]:
    """Fuse and unfuse a copy in a precision, `rounds` times: how far its weights end from where
    they were, after one round and after all; and how far fused ones are from the exact sum."""
    # diffusers' own `to` remarks on layers that had better stay in float32; there are none.
    held = nn.Module.to(copy.deepcopy(model), kind)
    layers = lora_layers(held, adapter)
    before = weights_of(layers)
    exact = {
        name: before[name].float() + delta.float()
        for name, delta in deltas(layers, adapter).items()
    }
    errors = []
    fused_error = 0.0
    for turn in range(rounds):
        held.fuse_lora()  # type: ignore[operator]
        if turn == 0:
            fused = {name: value.float() for name, value in weights_of(layers).items()}
            fused_error = furthest(fused, exact)
        held.unfuse_lora()  # type: ignore[operator]
        errors.append(furthest(weights_of(layers), before))
    changed = sum(
        int((value != before[name]).sum()) for name, value in weights_of(layers).items()
    ) / sum(value.numel() for value in before.values())
    return {
        "once": errors[0],
        "after_all": errors[-1],
        "changed": changed,
        "fused_error": fused_error,
    }


def misuse(model: Any, adapter: str) -> dict[str, Any]:
    """What the calls do that are easily confused, each on the weights of a copy of its own.

    All distances are shares of the largest weight change that fusing makes.
    """
    found: dict[str, Any] = {}
    reference = weights_of(lora_layers(model, adapter))

    def copied() -> tuple[Any, dict[str, Any]]:
        held = copy.deepcopy(model)
        held.set_adapters([adapter], [1.0])
        return held, lora_layers(held, adapter)

    held, layers = copied()
    size = max(float(delta.abs().max()) for delta in deltas(layers, adapter).values())
    held.fuse_lora()
    once = weights_of(layers)
    with quietly() as texts:
        held.fuse_lora()
    found["second_fuse"] = furthest(weights_of(layers), once) / size
    found["second_fuse_warns"] = any("already merged" in text for text in texts)

    # Set to 0 while fused: nothing is seen of it, and unfusing takes off nothing.
    held.set_adapters([adapter], [0.0])
    found["set_while_fused"] = furthest(weights_of(layers), once) / size
    held.unfuse_lora()
    found["left_by_unfuse"] = furthest(weights_of(layers), reference) / size
    found["left_is_the_delta"] = furthest(weights_of(layers), once) / size

    # lora_scale multiplies the scaling that is set, and stays after unfusing.
    held, layers = copied()
    first = next(iter(layers.values()))
    usual = first.scaling[adapter]
    scalings = []
    for _ in range(2):
        held.fuse_lora(lora_scale=0.5)
        held.unfuse_lora()
        scalings.append(first.scaling[adapter] / usual)
    found["scaling_after_lora_scale"] = scalings
    found["restored_after_lora_scale"] = furthest(weights_of(layers), reference) / size

    # Unloading a fused adapter takes the layers away and leaves the sum.
    held, layers = copied()
    names = list(layers)
    held.fuse_lora()
    held.unload_lora()
    bare = {name: held.get_submodule(name).weight.detach() for name in names}
    found["left_by_unload"] = furthest(bare, reference) / size
    return found


@contextmanager
def counted_products(model: nn.Module) -> Iterator[Callable[[], int]]:
    """Count the calls of linear layers: matrix products with weights."""
    calls = [0]

    def count(*_: Any) -> None:
        calls[0] += 1

    hooks = [
        part.register_forward_pre_hook(count)
        for part in model.modules()
        if isinstance(part, nn.Linear)
    ]
    try:
        yield lambda: calls[0]
    finally:
        for hook in hooks:
            hook.remove()

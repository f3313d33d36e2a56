"""Proofs of the questions of the lab lora_injection: what a low-rank update does beside a layer and
in its weights, with peft and diffusers on layers and networks of random weights."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn

Namespace = dict[str, Any]


def adapted(
    ns: Namespace, inputs: int = 64, outputs: int = 64, r: int = 4, alpha: float = 4
) -> Any:
    """The item's layer over a random base, with random factors as after a training."""
    torch.manual_seed(0)
    layer = ns["LoraLinear"](nn.Linear(inputs, outputs, bias=False), r, alpha)
    with torch.no_grad():
        layer.A.copy_(torch.randn(r, inputs))
        layer.B.copy_(torch.randn(outputs, r))
    return layer


def inputs_of(layer: Any) -> Tensor:
    return torch.randn(8, layer.base.in_features, generator=torch.Generator().manual_seed(1))


# Mutants


def fused_equals_beside(ns: Namespace) -> None:
    """The layer gives the same output before and after fusing."""
    layer = adapted(ns)
    x = inputs_of(layer)
    before = layer(x)
    layer.fuse()
    far = float((layer(x) - before).abs().max())
    assert far < 1e-3, f"fused, outputs differ by up to {far:.2f}"


def what_is_fused(original: Namespace, mutant: Namespace) -> str:
    """Compare what fusing adds to the weights in both versions."""
    changes = []
    for ns in (original, mutant):
        layer = adapted(ns)
        before = layer.base.weight.clone()
        layer.fuse()
        changes.append(layer.base.weight.detach() - before)
    right, wrong = changes
    same_norm = torch.allclose(right.norm(), wrong.norm(), rtol=1e-4)
    claims = {
        "transposed": torch.allclose(wrong, right.T, atol=1e-5) and same_norm,
        "stronger": not same_norm,
        "twice": torch.allclose(wrong, 2 * right, atol=1e-4),
        "low": bool(torch.linalg.matrix_rank(wrong) > torch.linalg.matrix_rank(right)),
    }
    return the_one(claims)


def scaled_as_in_peft(ns: Namespace) -> None:
    """With alpha other than the rank, the layer gives what peft's layer gives."""
    rank, alpha = 4, 8
    layer = adapted(ns, r=rank, alpha=alpha)
    x = inputs_of(layer)
    theirs = through_peft(layer, rank, alpha, x)
    far = float((layer(x) - theirs).abs().max())
    assert far < 1e-3, f"rank {rank}, alpha {alpha}: off from peft by up to {far:.2f}"


def through_peft(layer: Any, rank: int, alpha: int, x: Tensor) -> Tensor:
    """The output of peft's layer with the same base and factors."""
    model = nn.ModuleDict({"proj": copy.deepcopy(layer.base)})
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=["proj"]), model)
    proj: Any = model["proj"]
    with torch.no_grad():
        proj.lora_A["default"].weight.copy_(layer.A)
        proj.lora_B["default"].weight.copy_(layer.B)
    out: Tensor = proj(x)
    return out


def strength_upside_down(original: Namespace, mutant: Namespace) -> str:
    """The update's strength in the broken version over that in the right one."""
    norms = []
    for ns in (original, mutant):
        layer = adapted(ns, r=4, alpha=8)
        x = inputs_of(layer)
        norms.append(float((layer(x) - layer.base(x)).norm()))
    ratio = norms[1] / norms[0]
    found = {"quarter": 0.25, "half": 0.5, "four": 4.0, "same": 1.0}
    return the_one({name: abs(ratio - value) < 1e-3 for name, value in found.items()})


def a_fresh_adapter_can_learn(ns: Namespace) -> None:
    """A fresh layer is a no-op, and a few steps bring it nearer to a target."""
    first, last, _ = trained(ns)
    assert last < 0.9 * first, f"the loss was {first:.3f} and is {last:.3f}"


def trained(ns: Namespace) -> tuple[float, float, list[dict[str, float]]]:
    """Adam on a target that differs from the base by a change of rank 1: first and last loss, and
    the norms of the gradients at every step."""
    torch.manual_seed(0)
    layer = ns["LoraLinear"](nn.Linear(16, 16, bias=False), 2, 2)
    x = torch.randn(64, 16)
    assert torch.equal(layer(x), layer.base(x))
    wanted = layer.base(x).detach() + x @ torch.randn(16, 1) @ torch.randn(1, 16)
    optimiser = torch.optim.Adam([layer.A, layer.B], lr=0.02)
    losses, gradients = [], []
    for _ in range(100):
        loss = (layer(x) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        gradients.append({name: float(getattr(layer, name).grad.norm()) for name in ("A", "B")})
        optimiser.step()
        losses.append(loss.item())
    return losses[0], losses[-1], gradients


def gradients_of_the_start(original: Namespace, mutant: Namespace) -> str:
    """Which factor has a gradient, at the first step and at all."""
    first = trained(original)[2][0]
    assert first["A"] == 0 and first["B"] > 0
    found = trained(mutant)[2]
    moving = {name for each in found for name, norm in each.items() if norm > 0}
    claims = {
        "both-zero": not moving,
        "b-moves": moving == {"B"},
        "a-moves": moving == {"A"},
        "none": False,  # `trained` has read both gradients: they exist
    }
    return the_one(claims)


def the_one(claims: dict[str, bool]) -> str:
    """The only claim that holds."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# peft and diffusers


def products_of_adapters(layers: int, active: int) -> int:
    """Linear layers called in a forward pass, beyond those of the base."""
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(layers)))
    names = [str(n) for n in range(layers)]
    for adapter in ("x", "y", "z"):
        config = LoraConfig(r=2, target_modules=names, init_lora_weights=False)
        inject_adapter_in_model(config, model, adapter_name=adapter)
    for layer in model:
        layer.set_adapter(["x", "y", "z"][:active])  # type: ignore[operator]
    calls: list[str] = []
    for part in model.modules():
        if isinstance(part, nn.Linear):
            part.register_forward_pre_hook(lambda *_: calls.append("product"))
    model(torch.randn(1, 4))
    return len(calls) - layers


def tiny_unet() -> Any:
    """A UNet with one cross-attention a block, and an adapter `x` of rank 2 at weight 1."""
    torch.manual_seed(0)
    unet: Any = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip
    unet.add_adapter(trained_adapter(), adapter_name="x")
    unet.set_adapters(["x"], [1.0])
    return unet


def trained_adapter() -> LoraConfig:
    """An adapter whose update is not zero."""
    return LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k"], init_lora_weights=False)


def base_weights(unet: Any) -> dict[str, Tensor]:
    """The weights under the adapters, by the names that they have without any."""
    return {
        name.replace(".base_layer", ""): value.detach().clone()
        for name, value in unet.named_parameters()
        if name.endswith("weight") and ".lora_" not in name and (".to_q" in name or ".to_k" in name)
    }


def lora_scale_again(s: float, k: int) -> float:
    """The multiple of the update that stands in the weights while request k is served."""
    unet = tiny_unet()
    before = base_weights(unet)
    held = copy.deepcopy(unet)
    held.fuse_lora()
    update = {name: value - before[name] for name, value in base_weights(held).items()}
    for request in range(1, k + 1):
        unet.fuse_lora(lora_scale=s)
        fused = base_weights(unet)
        unet.unfuse_lora()
        restored = base_weights(unet)
        assert all(torch.allclose(restored[n], v, atol=1e-6) for n, v in before.items()), request
    added = {name: fused[name] - before[name] for name in fused}
    over = sum((added[name] * update[name]).sum() for name in added)
    under = sum(value.square().sum() for value in update.values())
    return float(over / under)  # type: ignore[arg-type]


def base_back_after_unload() -> str:
    """Try every way on a UNet that was fused and unloaded."""
    unet = tiny_unet()
    before = base_weights(unet)
    kept = {name: value.clone() for name, value in before.items()}
    unet.fuse_lora()
    unet.unload_lora()

    def is_the_base(candidate: Any) -> bool:
        found = base_weights(candidate)
        return all(torch.allclose(found[name], value, atol=1e-6) for name, value in before.items())

    ways: dict[str, Any] = {name: copy.deepcopy(unet) for name in ("reload", "unfuse", "nothing")}
    ways["reload"].load_state_dict(kept, strict=False)
    ways["unfuse"].unfuse_lora()
    torch.manual_seed(0)
    again = tiny_unet()  # the same file once more: the same seed draws the same factors
    factors = {n: v for n, v in again.state_dict().items() if ".lora_" in n}
    ways["load-unfuse"] = copy.deepcopy(unet)
    ways["load-unfuse"].add_adapter(trained_adapter(), adapter_name="x")
    ways["load-unfuse"].load_state_dict(factors, strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Already unmerged"
        ways["load-unfuse"].unfuse_lora()
    return the_one({name: is_the_base(candidate) for name, candidate in ways.items()})

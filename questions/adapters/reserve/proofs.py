"""Proofs of the adapter questions that interviews keep: files that are cut or do nothing, stacks of
adapters, styles that are switched in place, and rows with a LoRA each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn

Namespace = dict[str, Any]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# A file that is cut to a smaller rank


class Layer(nn.Module):
    """One linear layer to adapt."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.proj = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.proj.weight)


def peft_delta(down: Tensor, up: Tensor, alpha: float) -> Tensor:
    """What peft adds to the weight for a file of these factors and this lora_alpha."""
    layer = Layer(down.shape[1])
    config = LoraConfig(r=len(down), lora_alpha=alpha, target_modules=["proj"])  # type: ignore[arg-type]
    inject_adapter_in_model(config, layer)
    with torch.no_grad():
        layer.proj.lora_A["default"].weight.copy_(down)
        layer.proj.lora_B["default"].weight.copy_(up)
    delta: Tensor = layer.proj.get_delta_weight("default")
    return delta.detach()


def alpha_after_the_cut(rank: int, alpha: int, cut: int) -> float:
    """Cut a file whose update has few directions, and find the alpha that keeps peft's delta."""
    up, down = (
        torch.randn(128, cut, generator=seeded(1)),
        torch.randn(cut, 128, generator=seeded(2)),
    )
    wide = torch.randn(cut, rank, generator=seeded(3))
    old = peft_delta(torch.linalg.pinv(wide) @ down, up @ wide, alpha)
    new = peft_delta(down, up, 1.0)
    assert torch.allclose(old / old.norm(), new / new.norm(), atol=1e-4)
    return float(old.norm() / new.norm())


# Rows with a LoRA each


class Net:
    """One adapted layer between two fixed maps; rows do not see one another."""

    def __init__(self, lora_linear: Callable[..., Tensor]) -> None:
        self.linear = lora_linear
        self.weight = torch.randn(6, 6, generator=seeded(4)) / 3
        self.downs = torch.randn(3, 2, 6, generator=seeded(5))
        self.ups = torch.randn(3, 6, 2, generator=seeded(6))
        self.scales = torch.tensor([0.5, 1.0, 2.0])
        self.seen: list[list[int]] = []

    def __call__(self, x: Tensor, t: Any, states: Tensor, ids: Tensor) -> Tensor:
        self.seen.append(ids.tolist())
        return torch.tanh(
            self.linear(
                x + states.mean(dim=1, keepdim=True), self.weight, self.downs, self.ups,
                self.scales, ids,
            )
        )  # fmt: skip


def mixed(ns: Namespace, loras: list[int]) -> tuple[Tensor, list[Tensor], Net]:
    """The guided prediction of a batch, and of each of its customers alone."""
    count = len(loras)
    x = torch.randn(count, 5, 6, generator=seeded(7))
    text, empty = torch.randn(2, count, 4, 6, generator=seeded(8))
    net, ids = Net(ns["lora_linear"]), torch.tensor(loras)
    together = ns["guided"](net, x, 10, text, empty, ids, 5.0)
    alone = []
    for k in range(count):
        one = slice(k, k + 1)
        single = Net(ns["lora_linear"])
        alone.append(ns["guided"](single, x[one], 10, text[one], empty[one], ids[one], 5.0))
    return together, alone, net


def each_row_as_alone(ns: Namespace) -> None:
    """Customers in a batch get what they would get alone, whichever LoRA the others have."""
    for loras in ([1], [2, 2], [0, 1], [2, 0, 1]):
        together, alone, _ = mixed(ns, loras)
        for k, want in enumerate(alone):
            far = (together[k] - want[0]).abs().max().item()
            assert far < 1e-4, f"LoRAs {loras}: customer {k} is off by {far:.3g}"


def whose_lora(mutant: Namespace) -> str:
    """Which LoRA each of the four rows is computed with, for customers A (0) and B (1)."""
    _, _, net = mixed(mutant, [0, 1])
    uncond_a, uncond_b, cond_a, cond_b = net.seen[0]
    return only(
        {
            "crossed": (uncond_a, uncond_b, cond_a, cond_b) == (0, 0, 1, 1),
            "swapped": (uncond_a, uncond_b, cond_a, cond_b) == (1, 0, 1, 0),
            "first": {uncond_a, uncond_b, cond_a, cond_b} == {0},
            "uncond-only": (cond_a, cond_b) == (0, 1) and (uncond_a, uncond_b) == (1, 0),
        }
    )


# Styles that are switched in place


class Adapted(nn.Module):
    """A linear layer, two convolutions and one that no style touches."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.proj = nn.Linear(12, 20, bias=False)
        self.conv = nn.Conv2d(6, 8, 3, bias=False)
        self.point = nn.Conv2d(8, 4, 1, bias=False)
        self.rest = nn.Linear(5, 5, bias=False)


RANKS = {"proj": 4, "conv": 2, "point": 3}


def styles() -> dict[str, dict[str, tuple[Tensor, Tensor, float]]]:
    """Two styles of different ranks; the second leaves one layer out."""
    made: dict[str, dict[str, tuple[Tensor, Tensor, float]]] = {}
    model = Adapted()
    for n, (style, alpha) in enumerate((("ink", 8.0), ("clay", 3.0))):
        made[style] = {}
        for name, rank in RANKS.items():
            if style == "clay" and name == "conv":
                continue
            r = rank + n
            weight = getattr(model, name).weight
            down = torch.randn(r, *weight.shape[1:], generator=seeded(10 + n)) / 4
            up = torch.randn(weight.shape[0], r, *[1] * (weight.ndim - 2), generator=seeded(20 + n))
            made[style][f"{name}.weight"] = (down, up / 4, alpha)
    return made


def beside(model: Adapted, style: str) -> dict[str, Tensor]:
    """peft's own deltas of a style."""
    deltas = {}
    for name, (down, up, alpha) in styles()[style].items():
        layer = name.removesuffix(".weight")
        config = LoraConfig(r=len(down), lora_alpha=alpha, target_modules=[layer])  # type: ignore[arg-type]
        inject_adapter_in_model(config, model, adapter_name=f"{style}_{layer}")
        adapted = getattr(model, layer)
        with torch.no_grad():
            adapted.lora_A[f"{style}_{layer}"].weight.copy_(down)
            adapted.lora_B[f"{style}_{layer}"].weight.copy_(up)
        deltas[name] = adapted.get_delta_weight(f"{style}_{layer}").detach()
    return deltas


def check_switch(function: Callable[..., None], dtype: torch.dtype) -> None:
    """Several switches in one dtype, against peft's deltas in float64."""
    plain, deltas = Adapted(), {s: beside(Adapted(), s) for s in styles()}
    base = {n: p.detach().to(dtype) for n, p in plain.named_parameters()}
    kept = {n: t.clone() for n, t in base.items()}
    live = {n: nn.Parameter(t.clone()) for n, t in base.items()}
    places = {n: p.data_ptr() for n, p in live.items()}
    for weights in (
        {"ink": 1.0}, {"ink": 0.6, "clay": -1.5}, {"clay": 0.3}, {}, {"ink": 1.0, "clay": 0.0}, {}
    ):  # fmt: skip
        function(live, base, styles(), weights)
        where = f"{dtype}, weights {weights}"
        for name, tensor in live.items():
            assert tensor.data_ptr() == places[name] and tensor.dtype == dtype, (
                f"{where}: {name} is another tensor than before"
            )
            assert torch.equal(base[name], kept[name]), f"{where}: the checkpoint was changed"
            want = base[name].double()
            for style, weight in weights.items():
                if name in deltas[style]:
                    want = want + weight * deltas[style][name].double()
            if not any(weights.values()):
                assert torch.equal(tensor, kept[name]), f"{where}: {name} is not the checkpoint's"
            unit = torch.finfo(dtype).eps * want.abs().clamp(min=1e-3) + 1e-6
            far = ((tensor.detach().double() - want).abs() / unit).max().item()
            assert far < 1.5, f"{where}: {name} is off by {far:.1f} units in the last place"


def switches_styles(ns: Namespace) -> None:
    """As peft scales them, in place, exactly undone, rounded once."""
    function: Callable[..., None] = ns["apply_styles"]
    for dtype in (torch.float32, torch.bfloat16):
        check_switch(function, dtype)
    one = torch.ones(1, 1, dtype=torch.bfloat16)
    live = {"w": nn.Parameter(one.clone())}
    small = {f"s{k}": {"w": (torch.ones(1, 1), torch.full((1, 1), 2**-9), 1.0)} for k in range(8)}
    function(live, {"w": one}, small, dict.fromkeys(small, 1.0))
    assert live["w"].item() == 1 + 2**-6, (
        f"eight styles of 2^-9 on 1 make {1 + 2**-6}, got {live['w'].item()}: rounded too early"
    )


# Styles that get lost, and stacks


def tiny_unet() -> Any:
    """A UNet of two levels with attention at the lower one."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), attention_head_dim=2,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
    ).eval()  # fmt: skip


def lora_file(unet: Any) -> dict[str, Tensor]:
    """A file of rank 4 for all query projections."""
    file = {}
    for name, module in unet.named_modules():
        if name.endswith("to_q"):
            file[f"unet.{name}.lora_A.weight"] = torch.randn(4, module.in_features) / 2
            file[f"unet.{name}.lora_B.weight"] = torch.randn(module.out_features, 4) / 2
    return file


@torch.no_grad()
def how_styles_get_lost() -> None:
    """Other prefixes load as nothing; weight 0 is the base to the last bit; alpha is a factor."""
    logging.disable(logging.CRITICAL)
    x, states = torch.randn(1, 4, 8, 8, generator=seeded()), torch.randn(1, 3, 16)
    unet = tiny_unet()
    base = unet(x, 10, states).sample
    file = lora_file(unet)
    load = StableDiffusionLoraLoaderMixin.load_lora_into_unet
    load({k.replace("unet.", "model."): v for k, v in file.items()}, None, unet, adapter_name="a")
    assert torch.equal(unet(x, 10, states).sample, base), "keys of another prefix did something"
    load(file, None, unet, adapter_name="b")
    assert not torch.equal(unet(x, 10, states).sample, base)
    unet.set_adapters(["b"], [0.0])
    assert torch.equal(unet(x, 10, states).sample, base), "weight 0 is not the base"
    unet.set_adapters(["b"], [1.0])
    unet.fuse_lora()
    fused = unet(x, 10, states).sample
    unet.set_adapters(["b"], [0.0])
    assert torch.equal(unet(x, 10, states).sample, fused), "a weight was read while fused"
    down, up = torch.randn(8, 16), torch.randn(16, 8)
    assert torch.allclose(peft_delta(down, up, 1.0) * 8, peft_delta(down, up, 8.0), atol=1e-4)


@torch.no_grad()
def how_a_stack_adds_up() -> None:
    """Residuals of two ControlNets are summed, and deltas of two LoRAs on one layer are too."""
    nets = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = ControlNetModel(
            block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), cross_attention_dim=16,
            attention_head_dim=2, conditioning_embedding_out_channels=(4, 8),
        ).eval()  # fmt: skip
        for weight in net.parameters():
            weight.add_(torch.randn(weight.shape) / 10)
        nets.append(net)
    x, states = torch.randn(1, 4, 8, 8, generator=seeded()), torch.randn(1, 3, 16)
    image = torch.rand(1, 3, 16, 16, generator=seeded())
    both, mid = MultiControlNetModel(nets)(
        x, 10, states, [image] * 2, [1.0, 1.0], return_dict=False
    )
    single = [net(x, 10, states, image, 1.0, return_dict=False) for net in nets]
    for k, residual in enumerate(both):
        assert torch.allclose(residual, single[0][0][k] + single[1][0][k], atol=1e-5)
    assert torch.allclose(mid, single[0][1] + single[1][1], atol=1e-5)

    layer = Layer(16)
    nn.init.normal_(layer.proj.weight)
    plain = layer.proj.weight.clone()
    for name in ("ink", "clay"):
        config = LoraConfig(r=2, lora_alpha=2, target_modules=["proj"], init_lora_weights=False)
        inject_adapter_in_model(config, layer, adapter_name=name)
    layer.proj.set_adapter(["ink", "clay"])
    deltas = [layer.proj.get_delta_weight(name) for name in ("ink", "clay")]
    h = torch.randn(5, 16, generator=seeded())
    assert torch.allclose(layer.proj(h), h @ (plain + deltas[0] + deltas[1]).T, atol=1e-4)

"""A low-rank update beside a frozen layer, from nothing; then the same through peft and diffusers.

    python labs/lora_injection/starter.py

Uses the bundled UNet and its LoRA.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file
from torch import Tensor, nn

MODELS = Path(__file__).resolve().parents[1] / "models"
FILE = "pytorch_lora_weights.safetensors"


# @lora-linear
class LoraLinear(nn.Module):
    """W x + weight * alpha / r * B A x, with W [out, in] frozen, A [r, in] and B [out, r]."""

    def __init__(self, base: nn.Linear, r: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(r, base.in_features) / r)
        self.B = nn.Parameter(torch.zeros(base.out_features, r))  # B A = 0: a no-op at first
        self.alpha_over_r = alpha / r  # settled at training
        self.weight = 1.0  # settled by whoever runs it
        self.fused = False

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.base(x)  # [..., out]
        if not self.fused:
            down = x @ self.A.T  # [..., r]
            y = y + self.weight * self.alpha_over_r * (down @ self.B.T)
        return y

    # @fuse
    def delta(self) -> Tensor:
        return self.weight * self.alpha_over_r * (self.B @ self.A)  # [out, in]

    @torch.no_grad()
    def fuse(self) -> None:
        if not self.fused:
            self.base.weight += self.delta()
            self.fused = True

    @torch.no_grad()
    def unfuse(self) -> None:
        if self.fused:
            self.base.weight -= self.delta()  # with the weight that is set now
            self.fused = False


# @inject
def inject(
    model: nn.Module, targets: tuple[str, ...], r: int, alpha: float
) -> dict[str, LoraLinear]:
    """Put a LoraLinear in the place of every linear layer whose name ends in a target."""
    model.requires_grad_(False)
    layers = {}
    for name, part in list(model.named_modules()):
        if isinstance(part, nn.Linear) and name.endswith(targets):
            outer, _, last = name.rpartition(".")
            layers[name] = LoraLinear(part, r, alpha)
            setattr(model.get_submodule(outer), last, layers[name])
    return layers


# @truncate
def truncated(a: Tensor, b: Tensor, r: int) -> tuple[Tensor, Tensor, Tensor]:
    """The nearest A, B of rank r to the product b a, and the share of its energy that is kept."""
    u, s, vh = torch.linalg.svd(b @ a, full_matrices=False)
    root = s[:r].sqrt()
    kept = s[:r].square().sum() / s.square().sum()
    return root[:, None] * vh[:r], u[:, :r] * root, kept


# @from-nothing
def from_nothing() -> None:
    """A no-op at first, who gets a gradient, and a change of rank 2 learned at several ranks."""
    torch.manual_seed(0)
    base, x = nn.Linear(48, 32, bias=False), torch.randn(256, 48)
    change = x @ torch.randn(48, 2) @ torch.randn(2, 32) / 8  # what new data ask for: rank 2
    wanted = base(x).detach() + change
    for r in (1, 2, 4):
        layer = LoraLinear(base, r, alpha=4)
        optimizer = torch.optim.Adam([layer.A, layer.B], lr=0.02)
        no_op, norms = torch.equal(layer(x), base(x)), []
        for _ in range(400):
            loss = (layer(x) - wanted).square().mean() / change.square().mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norms += [p.grad.norm() for p in (layer.A, layer.B) if p.grad is not None]
            optimizer.step()
        print(f"rank {r}: no-op at first {no_op}, first gradient of A {norms[0]:.1g}, of B "
              f"{norms[1]:.1g}; error left {loss:.0%}")  # fmt: skip


# @library
@torch.no_grad()
def against_the_library() -> None:
    """The bundled LoRA in our layers and in diffusers'; fused; cut to lower ranks."""
    pipe = StableDiffusionPipeline.from_pretrained(
        MODELS / "shapes", dtype=torch.float32, local_files_only=True
    )
    ours = copy.deepcopy(pipe.unet)
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    text, _ = pipe.encode_prompt(["a large red circle on a blue background"] * 2, "cpu", 1, False)
    base = ours(noisy, 500, text).sample
    pipe.load_lora_weights(MODELS / "lora", weight_name=FILE, adapter_name="style")
    theirs = pipe.unet(noisy, 500, text).sample  # peft's layers, put in by diffusers

    def gap(reference: Tensor) -> str:
        return f"{(ours(noisy, 500, text).sample - reference).norm() / reference.norm():.1g}"

    file = load_file(MODELS / "lora" / FILE)  # unet.NAME.lora_A.weight [r, in], lora_B [out, r]
    config = pipe.unet.peft_config["style"]
    layers = inject(ours, tuple(config.target_modules), config.r, config.lora_alpha)
    print(f"{len(layers)} layers such as {next(iter(layers))}; a fresh LoRA is off by {gap(base)}")
    for name, layer in layers.items():
        layer.A.copy_(file[f"unet.{name}.lora_A.weight"])
        layer.B.copy_(file[f"unet.{name}.lora_B.weight"])
    print(f"the trained one is off from the base by {gap(base)}, from diffusers by {gap(theirs)}")
    for layer in layers.values():
        layer.fuse()
    print(f"fused: off from diffusers by {gap(theirs)}")
    for layer in layers.values():
        layer.unfuse()
    print(f"unfused: off from diffusers by {gap(theirs)}")
    for r in (1, 2, 4):
        kept = []
        for name, layer in layers.items():
            a, b = (file[f"unet.{name}.lora_{x}.weight"].float() for x in "AB")
            cut_a, cut_b, share = truncated(a, b, r)
            layer.A.zero_()[:r] = cut_a
            layer.B.zero_()[:, :r] = cut_b
            kept.append(share)
        print(f"rank {r}: energy {torch.stack(kept).mean():.0%}, off by {gap(theirs)}")


if __name__ == "__main__":
    from_nothing()
    against_the_library()

"""Training of the judge, on the drawings that the model learns from.

Pictures are blurred, noised and shifted in contrast at random, so that the judge reads a decoded
picture as well as a drawn one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from drawings import ATTRIBUTES
from judge import Judge
from torch.nn import functional
from training import LoopSettings, part_of_batch, to_pixels, train_loop

BATCH = 64
STEPS = 5000
PEAK_LR = 2e-3


def roughen(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur, noise and contrast of a random strength per picture; x is (N, 3, H, W) in [0, 1]."""

    def strength(high: float) -> torch.Tensor:
        return torch.rand(len(x), 1, 1, 1, generator=generator) * high

    blurred = functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    mix = strength(1.0)
    x = x * (1 - mix) + blurred * mix
    x = x + strength(0.06) * torch.randn(x.shape, generator=generator)
    x = (x - 0.5) * (0.9 + strength(0.2)) + 0.5 + (strength(0.06) - 0.03)
    return x.clamp(0, 1)


def train_judge(work: Path, resume: bool, steps: int = STEPS) -> float:
    """Train on ``work``'s drawings; the checkpoint goes to ``work/judge.pt``."""
    pixels = np.load(work / "train_pixels.npy", mmap_mode="r")
    attributes = torch.from_numpy(np.load(work / "train_attributes.npy"))
    torch.manual_seed(0)
    judge = Judge(ATTRIBUTES)
    batch = part_of_batch(BATCH)

    def loss_of_step(
        step: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        picked = torch.randint(0, len(pixels), (batch,), generator=generator).sort().values
        x = roughen(to_pixels(torch.from_numpy(pixels[picked.numpy()])), generator)
        wanted = attributes[picked]
        logits = judge(x)
        loss = torch.zeros(())
        right = torch.ones(batch, dtype=torch.bool)
        for column, name in enumerate(ATTRIBUTES):
            loss = loss + functional.cross_entropy(
                logits[name], wanted[:, column], label_smoothing=0.02
            )
            right &= logits[name].argmax(1) == wanted[:, column]
        return loss, {"all right": right.float().mean().item()}

    settings = LoopSettings(steps=steps, peak_lr=PEAK_LR, ema_decay=0.998, seed=2)
    return train_loop(judge, loss_of_step, settings, work / "judge.pt", resume)


def trained_judge(work: Path) -> Judge:
    """The averaged weights of the last checkpoint."""
    state = torch.load(work / "judge.pt", weights_only=True)
    judge = Judge(ATTRIBUTES)
    judge.load_state_dict({**state["model"], **state["ema"]})
    judge.eval()
    return judge

"""Proofs of the memory questions that interviews keep: stored bytes, and what fits."""

from __future__ import annotations

import torch
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from torch import nn


class Halves(ModelMixin, ConfigMixin):
    """A model of which some of the weights belong to a norm, which casting leaves alone."""

    @register_to_config
    def __init__(self, cast: int = 90, kept: int = 10) -> None:
        super().__init__()
        self.blocks = nn.Linear(cast, 100, bias=False)
        self.norm = nn.Linear(kept, 100, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.blocks(x)
        return y


def stored_bytes(billions: int, kept: int) -> float:
    """GB on the card: bytes a parameter of a cast model in small, times the parameters."""
    model = Halves(cast=100 - kept, kept=kept).to(torch.bfloat16)
    model.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.bfloat16)
    weights = list(model.parameters())
    assert {w.dtype for w in weights} == {torch.float8_e4m3fn, torch.bfloat16}
    count = sum(w.numel() for w in weights)
    return billions * sum(w.numel() * w.element_size() for w in weights) / count


def clips_at_once() -> int:
    """Put clips on the card, one after another, until the next one would not fit."""
    room = 0.92 * 80
    used, clips = 1 + 28 + 0.25, 0
    while used + 7 <= room:
        used, clips = used + 7, clips + 1
    return clips


def streamed_clip(pieces: int = 400) -> float:
    """Seconds of a clip whose weights come through the link in small pieces, computed as they come.

    The link is never idle; a piece is computed when it has arrived and the one before is done. Two
    buffers would suffice, since computing is the faster of the two here.
    """
    arrived = done = 0.0
    for _ in range(40 * 2 * pieces):
        arrived += 28 / 22 / pieces
        done = max(done, arrived) + 0.95 / pieces
    return done

"""The judge: a small classifier that says what a picture shows.

Self-contained (torch, safetensors and the folder it loads), so that an experiment can load this
file by path. The classes of each attribute stand in ``config.json`` beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class Judge(nn.Module):
    """Five convolutions, four of them with stride 2, pooled by mean and maximum; a linear head
    per attribute."""

    def __init__(self, attributes: Mapping[str, Sequence[str]], width: int = 24) -> None:
        super().__init__()
        self.attributes = {name: tuple(values) for name, values in attributes.items()}
        self.width = width
        channels = [3, width, 2 * width, 4 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise(channels)):
            stride = 2 if index < 4 else 1
            layers += [
                nn.Conv2d(before, after, 3, stride=stride, padding=1),
                nn.GroupNorm(8, after),
                nn.SiLU(),
            ]
        self.features = nn.Sequential(*layers)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(8 * width, len(values)) for name, values in self.attributes.items()}
        )

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (N, classes) by attribute, of pixels (N, 3, 64, 64) in [0, 1]."""
        if pixels.ndim != 4 or tuple(pixels.shape[1:]) != (3, 64, 64):
            raise ValueError(f"pixels must be (N, 3, 64, 64), not {tuple(pixels.shape)}")
        features = self.features(pixels * 2 - 1)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        return {name: head(pooled) for name, head in self.heads.items()}

    @torch.no_grad()
    def predict(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Class indices (N,) by attribute, of pixels (N, 3, 64, 64) in [0, 1]."""
        return {name: logits.argmax(dim=1) for name, logits in self(pixels).items()}

    def names(self, pixels: torch.Tensor) -> list[dict[str, str]]:
        """For each picture the value of every attribute, e.g. ``{"shape": "star", ...}``."""
        predicted = self.predict(pixels)
        return [
            {name: self.attributes[name][int(classes[row])] for name, classes in predicted.items()}
            for row in range(len(pixels))
        ]

    def agrees(
        self, pixels: torch.Tensor, wanted: Sequence[Mapping[str, str]]
    ) -> dict[str, torch.Tensor]:
        """Whether each picture shows what is wanted: bool (N,) by attribute, and ``all``.

        ``wanted`` holds for each picture the attributes asked for; one not asked for is always
        right. Raises ValueError for an unknown value.
        """
        if len(wanted) != len(pixels):
            raise ValueError(f"{len(pixels)} pictures but {len(wanted)} descriptions")
        for description in wanted:
            for name, value in description.items():
                if value not in self.attributes.get(name, ()):
                    raise ValueError(f"the judge knows no {name} {value!r}")
        seen = self.names(pixels)
        right = {
            name: torch.tensor(
                [
                    name not in asked or row[name] == asked[name]
                    for row, asked in zip(seen, wanted, strict=True)
                ]
            )
            for name in self.attributes
        }
        right["all"] = torch.stack(list(right.values())).all(dim=0)
        return right


def shape_centres(pixels: torch.Tensor, threshold: float = 0.25) -> torch.Tensor:
    """Centre (N, 2) of the shape as x, y in [0, 1]; NaN where nothing stands out.

    The background is the median of the border; what differs from it by more than ``threshold``
    in any channel is the shape. ``pixels`` is (N, 3, H, W) in [0, 1].
    """
    border = torch.cat(
        [pixels[:, :, 0], pixels[:, :, -1], pixels[:, :, :, 0], pixels[:, :, :, -1]], dim=2
    )
    background = border.median(dim=2).values[:, :, None, None]
    mask = ((pixels - background).abs().amax(dim=1) > threshold).float()
    height, width = mask.shape[1:]
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(height) + 0.5) / height
    area = mask.sum(dim=(1, 2))
    centre_x = (mask * x).sum(dim=(1, 2)) / area
    centre_y = (mask * y[:, None]).sum(dim=(1, 2)) / area
    return torch.stack([centre_x, centre_y], dim=1)


def effective_number(classes: torch.Tensor) -> float:
    """exp of the entropy of the classes' shares: 1 when all are the same, K when K are even."""
    counts = torch.unique(classes, return_counts=True)[1].double()
    shares = counts / counts.sum()
    return float(torch.exp(-(shares * shares.log()).sum()))


def save_judge(judge: Judge, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in judge.state_dict().items()}
    save_file(weights, folder / "judge.safetensors")
    config = {"width": judge.width, "attributes": {k: list(v) for k, v in judge.attributes.items()}}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_judge(folder: Path) -> Judge:
    """The judge in ``folder``, in float32 on the CPU and in eval mode."""
    config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    judge = Judge(config["attributes"], config["width"])
    weights = load_file(Path(folder) / "judge.safetensors")
    judge.load_state_dict({name: value.float() for name, value in weights.items()})
    judge.eval().requires_grad_(False)
    return judge

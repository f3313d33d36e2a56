"""The family: the models beside the base, each trained on the finished base and exported.

A member is trained from the base in ``out/shapes`` and the drawings in ``work``; its checkpoint is
``work/family/NAME.pt``. ``--stage family`` goes through them in the order of MEMBERS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from drawings import ATTRIBUTES, HOLLOW_SHAPES, SHAPES, SIZES, make_drawings
from export import PIPELINE_FOLDER
from family_data import Batches, latents_of_vae_stage, text_table, training_latents
from family_models import TARGETS
from torch import nn
from train_adapters import (
    CONTROLNET_SETTINGS,
    ENCODER_SETTINGS,
    IP_SETTINGS,
    LORA_SETTINGS,
    controlnet_member,
    embed_pictures,
    encoder_member,
    ip_adapter_member,
    lora_member,
)
from train_denoisers import (
    DIT_SETTINGS,
    FLOW_SETTINGS,
    TARGET_SETTINGS,
    Loss,
    dit_member,
    flow_member,
    target_member,
)
from training import LoopSettings, share_of_work, train_loop

STYLE_COUNT, STYLE_SEED = 9_000, 3


@dataclass(frozen=True)
class Sources:
    """Where a member's training reads: the drawings' folder and the base pipeline's."""

    work: Path
    base: Path

    @property
    def folder(self) -> Path:
        return self.work / "family"

    def pixels(self) -> np.ndarray:
        pixels: np.ndarray = np.load(self.work / "train_pixels.npy", mmap_mode="r")
        return pixels

    def attributes(self) -> np.ndarray:
        attributes: np.ndarray = np.load(self.work / "train_attributes.npy")
        return attributes

    def latents(self, hollow: bool = False) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """Means, standard deviations and attributes of the training drawings, or of the style's."""
        if not hollow:
            found = latents_of_vae_stage(self.work, self.base) or training_latents(
                self.folder, self.base, "latents", self.pixels
            )
            return *found, self.attributes()
        drawn = make_drawings(STYLE_COUNT, STYLE_SEED, hollow=True)
        # All drawings with the style, and some solid ones, which keep those as they are.
        names = list(ATTRIBUTES)
        large = drawn.attributes[:, names.index("size")] == SIZES.index("large")
        kinds = [SHAPES.index(shape) for shape in HOLLOW_SHAPES]
        pierced = large & np.isin(drawn.attributes[:, names.index("shape")], kinds)
        kept = pierced | (np.arange(STYLE_COUNT) % 4 == 0)
        means, stds = training_latents(self.folder, self.base, "hollow", lambda: drawn.pixels[kept])
        return means, stds, drawn.attributes[kept]


@dataclass(frozen=True)
class Member:
    """One training: what is trained, for how long, on what."""

    build: Callable[[Sources], tuple[nn.Module, Loss]]
    settings: LoopSettings
    batch: int = 128
    hollow: bool = False
    batches: dict[str, float] = field(default_factory=dict)


def _ip_adapter(sources: Sources) -> tuple[nn.Module, Loss]:
    encoder = trained("image-encoder", sources).encoder
    return ip_adapter_member(sources.base, embed_pictures(encoder, sources.pixels()))


def _target(name: str) -> Member:
    return Member(lambda sources: target_member(name), TARGET_SETTINGS, batch=64)


MEMBERS: dict[str, Member] = {
    **{f"targets-{name}": _target(name) for name in TARGETS},
    "controlnet": Member(
        lambda sources: controlnet_member(sources.base, sources.pixels()),
        CONTROLNET_SETTINGS,
        batch=64,
        batches={"drop_caption": 0.3},
    ),
    "lora": Member(lambda sources: lora_member(sources.base), LORA_SETTINGS, batch=32, hollow=True),
    "flow": Member(lambda sources: flow_member(), FLOW_SETTINGS, batch=64),
    "dit": Member(lambda sources: dit_member(), DIT_SETTINGS, batch=64),
    "image-encoder": Member(
        lambda sources: encoder_member(sources.pixels(), sources.attributes()),
        ENCODER_SETTINGS,
        batch=64,
    ),
    "ip-adapter": Member(
        _ip_adapter, IP_SETTINGS, batch=32, batches={"drop_attribute": 0.5, "drop_caption": 0.3}
    ),
}


def check_base(sources: Sources) -> None:
    """Note which base the family is trained on; raises RuntimeError if it is not the one noted.

    A checkpoint made on another base would go on without complaint and fit neither.
    """
    weights = hashlib.sha256()
    for path in sorted(sources.base.rglob("*.safetensors")):
        weights.update(path.read_bytes())
    noted = sources.folder / "base.sha256"
    sources.folder.mkdir(parents=True, exist_ok=True)
    if not noted.exists():
        noted.write_text(weights.hexdigest() + "\n", encoding="utf-8")
    elif noted.read_text(encoding="utf-8").strip() != weights.hexdigest():
        raise RuntimeError(
            f"{sources.folder} was trained on another base than {sources.base}; "
            "remove it to train the family again"
        )


def steps_done(name: str, sources: Sources) -> int:
    path = sources.folder / f"{name}.pt"
    if not path.exists():
        return 0
    return int(torch.load(path, weights_only=True, mmap=True)["step"])


def prepare(name: str, sources: Sources) -> None:
    """Encode the drawings that a member needs, once for all processes."""
    check_base(sources)
    sources.latents(MEMBERS[name].hollow)


def train_member(
    name: str, sources: Sources, resume: bool, steps: int | None = None, device: str = "cpu"
) -> float:
    """Train a member and return the seconds spent; the checkpoint is ``work/family/NAME.pt``."""
    member, where = MEMBERS[name], torch.device(device)
    settings = replace(member.settings, steps=steps or member.settings.steps)
    means, stds, attributes = sources.latents(member.hollow)
    batches = Batches(
        means,
        stds,
        attributes,
        text_table(sources.base, where),
        where,
        member.batch,
        **member.batches,
    )
    module, loss = member.build(sources)
    module.to(where).train()
    checkpoint = sources.folder / f"{name}.pt"
    seconds = train_loop(module, batches.loss_of_step(loss), settings, checkpoint, resume)
    if share_of_work()[0] == 0:
        print(f"{name}: {seconds / 60:.1f} min", flush=True)
    return seconds


def trained(name: str, sources: Sources) -> Any:
    """A member's module with the averaged weights of its last checkpoint, in eval mode."""
    module, _ = MEMBERS[name].build(sources)
    state: dict[str, Any] = torch.load(sources.folder / f"{name}.pt", weights_only=True)
    module.load_state_dict({**state["model"], **state["ema"]}, strict=False)
    return module.eval()


def sources_of(work: Path, out: Path) -> Sources:
    return Sources(work, out / PIPELINE_FOLDER)

"""Parts of the arena: a loop from its source, the models that fit it, a grid with named rows."""

from __future__ import annotations

import importlib.util
import io
from typing import Any

from drill.lab import pictures
from drill.lab.models import ModelError

BAND = 15
"""Height in pixels of the line that names a row of the picture."""


def exact() -> Any:
    """TF32 convolutions would round to three digits, and loops that agree would part by that."""
    import torch

    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


def module_of(name: str, source: str) -> Any:
    """A module of a loop's source. It is not registered: each bug has a module of its own."""
    spec = importlib.util.spec_from_loader(f"arena_{name}", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(source, f"loop.py with {name}", "exec"), module.__dict__)
    return module


def check_scheduler(config: Any) -> None:
    """Raises ModelError for a noise schedule that the loop does not write out."""
    wanted = {
        "prediction_type": "epsilon", "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
        "timestep_spacing": "leading", "set_alpha_to_one": False,
    }  # fmt: skip
    for key, value in wanted.items():
        found = config.get(key, value)
        if found != value:
            raise ModelError(
                f"the scheduler of this model has {key}={found!r}; the arena's loop is written "
                f"out for {value!r}, as in Stable Diffusion 1.5. Take such a model."
            )


def named_grid(rows: list[Any], names: list[str]) -> bytes:
    """PNG of a grid with a line above each row that names it."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=11)
    parts = []
    for row, name in zip(rows, names, strict=True):
        strip = pictures.grid([row], cell=128)
        band = Image.new("RGB", (strip.shape[1], BAND), (24, 24, 24))
        ImageDraw.Draw(band).text((4, 1), name, fill=(230, 230, 230), font=font)
        parts += [np.asarray(band), strip]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(parts)).save(buffer, format="PNG")
    return buffer.getvalue()

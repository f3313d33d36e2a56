"""What the LoRA's experiment paints with: the pipeline with an adapter, and one set of prompts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, pictures
from drill.lab.loading import load_module
from drill.lab.models import ModelError

if TYPE_CHECKING:
    from torch import Tensor

HOLLOW = 0.05
"""A shape with a larger share of hole than this counts as hollow."""
SHOWN = 8
TIMED_AT = 500
OTHERS = ("triangle", "star", "heart", "cross")
"""Shapes that the style leaves alone."""


def loaded(context: Context, base: Any) -> tuple[Any, str]:
    """The base's pipeline around a UNet (and text model) of its own with the LoRA loaded; and the
    adapter's name. Raises ModelError for a LoRA that is not there or does not fit."""
    from drill.lab.family import LORA_NAME, lora_pipeline

    own = context.params["lora"]
    if not own:
        if context.bundled:
            return lora_pipeline(context), LORA_NAME
        raise ModelError(
            "the bundled LoRA fits the bundled model only; give a LoRA of your model with "
            "--set lora=PATH (a folder or a .safetensors file), and a prompt with --set prompt=TEXT"
        )
    return with_own_lora(base, Path(own).expanduser()), LORA_NAME


def with_own_lora(base: Any, path: Path) -> Any:
    """The base's pipeline around copies of UNet and text model, with the LoRA of a folder or file
    loaded; raises ModelError."""
    from diffusers import StableDiffusionPipeline

    from drill.lab.family import LORA_NAME

    updates_code = load_module(Path(__file__).with_name("updates.py"))
    if not path.exists():
        raise ModelError(f"there is no LoRA at {path}")
    parts = {**base.components}
    parts["unet"], parts["text_encoder"] = (
        copy.deepcopy(parts[name]) for name in ("unet", "text_encoder")
    )
    pipe = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    folder, name = (path, None) if path.is_dir() else (path.parent, path.name)
    try:
        pipe.load_lora_weights(
            str(folder), weight_name=name, adapter_name=LORA_NAME, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"the LoRA {path} does not load into this model; adapters fit the architecture that "
            f"they were trained on: {error}"
        ) from error
    if not updates_code.lora_layers(pipe.unet, LORA_NAME):
        raise ModelError(
            f"the LoRA {path} has nothing for this model's UNet; adapters fit the architecture "
            "that they were trained on"
        )
    return pipe


class Studio:
    """Paints the same prompts from the same noise with whatever pipeline it is given, and measures
    what came out."""

    def __init__(self, context: Context) -> None:
        given = context.params
        self.context = context
        self.styled = context.bundled and not given["lora"]
        self.asked: list[dict[str, str]] = []
        if self.styled:
            drawings = context.module("labs/models/drawings.py")
            self.measures = context.module("labs/models/family_measures.py")
            code = context.module("labs/models/judge.py")
            self.judge = code.load_judge(context.models / "judge")
            kinds = [drawings.HOLLOW_SHAPES[k % 2] for k in range(given["pictures"])]
            kinds += [OTHERS[k % len(OTHERS)] for k in range(max(2, given["pictures"] // 3))]
            colours = drawings.COLOURS
            for k, shape in enumerate(kinds):
                colour = (3 * k + k // 8) % len(colours)
                ground = (colour + 1 + (5 * k + k // 7) % (len(colours) - 1)) % len(colours)
                self.asked.append(
                    {
                        "shape": shape,
                        "colour": colours[colour],
                        "size": "large",
                        "background": colours[ground],
                    }
                )
            self.prompts = [drawings.caption(**each) for each in self.asked]
        else:
            self.prompts = [given["prompt"]] * given["pictures"]
        self.count = given["pictures"]
        self._runs = len(given["scales"]) + len(given["ranks"]) + 4
        self._done = 0
        self._states: Any = None

    def call(self, unet: Any, rows: int = 4) -> Callable[[], Tensor]:
        """A call of the denoiser on fixed noise, with text states that are noise too; it gives a
        prediction (rows, c, h, w).

        The inputs are made here: asking a model for its dtype goes through its modules, of which
        one with adapters has more, so that a timed call must not ask.
        """
        import torch

        config = unet.config
        generator = torch.Generator().manual_seed(self.context.seed)
        size = config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        noisy = torch.randn(rows, config.in_channels, height, width, generator=generator)
        states = torch.randn(rows, 12, config.cross_attention_dim, generator=generator)
        device, dtype = unet.device, unet.dtype
        noisy, states = noisy.to(device, dtype), states.to(device, dtype)

        def run() -> Tensor:
            with torch.no_grad():
                found: Tensor = unet(noisy, TIMED_AT, states, return_dict=False)[0]
            return found

        return run

    def predicted(self, unet: Any) -> Tensor:
        """One prediction (4, c, h, w) in float32."""
        return self.call(unet)().float()

    def pictures(self, pipe: Any, label: str) -> Tensor:
        """Pixels (N, 3, H, W) in [0, 1]."""
        from drill.lab.guided import encode_texts, guided_sample
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels

        given, context = self.context.params, self.context
        noise = initial_latents(pipe, picture_seeds(context.seed, len(self.prompts)))
        made = guided_sample(
            pipe, encode_texts(pipe, self.prompts), encode_texts(pipe, [""]), noise,
            given["steps"], given["guidance_scale"],
            rows=None if context.bundled else 4,
            on_step=lambda done, total: context.progress(
                self._done + done / total, self._runs, f"sampling, {label}"
            ),
        )  # fmt: skip
        self._done += 1
        return to_pixels(decode(pipe, made.latents))

    def measured(self, pixels: Tensor, plain: Tensor) -> dict[str, float | None]:
        """Shares of hollow and of right pictures, apart for shapes that the style leaves alone, and
        the distance to the base's pictures."""
        found: dict[str, float | None] = {
            "hollowness": None, "hollow": None, "right": None, "both": None,
            "others_hollow": None, "others_right": None,
            "distance": float((pixels - plain).square().mean().sqrt()),
        }  # fmt: skip
        if not self.styled:
            return found
        holes = self.measures.hollowness(pixels)
        hollow = holes > HOLLOW
        right = self.judge.agrees(pixels, self.asked)["all"].cpu()
        style, others = slice(0, self.count), slice(self.count, None)
        found["hollowness"] = float(holes[style].mean())
        for name, values in (("hollow", hollow), ("right", right), ("both", hollow & right)):
            found[name] = float(values[style].float().mean())
        found["others_hollow"] = float(hollow[others].float().mean())
        found["others_right"] = float(right[others].float().mean())
        return found

    def grid(self, rows: list[Tensor]) -> bytes:
        """A row a setting: circles and squares, then two of the other shapes."""
        places = list(range(min(SHOWN, self.count)))
        if self.styled:
            places += [self.count, self.count + 1]
        return pictures.png(pictures.grid([pictures.to_bytes(r[places]) for r in rows], cell=96))

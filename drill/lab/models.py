"""Pipelines for experiments, kept in memory between the runs of one child."""

from __future__ import annotations

import platform
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline


_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class ModelError(Exception):
    """A model that is not there or is of another kind than the experiment can run."""


def own_model(model: str) -> str:
    """What `--model` gives, as loaders take it: a folder in full, a hub id, a random model's name.

    Raises ModelError where it can be none of them, before anything heavy is loaded.
    """
    from drill.lab.architectures import ARCHITECTURES

    if not model or model in ARCHITECTURES:
        return model
    path = Path(model).expanduser()
    if path.is_dir():
        if not (path / "model_index.json").is_file():
            raise ModelError(
                f"{path} holds no pipeline: it has no model_index.json, which save_pretrained "
                "of a diffusers pipeline writes"
            )
        return str(path.absolute())
    if path.is_file():
        raise ModelError(f"{path} is a file; give the folder that save_pretrained wrote")
    if not _HUB_ID.fullmatch(model):
        raise ModelError(
            f"there is no folder {model} on {platform.node()}; --model takes the folder of a "
            f"pipeline, a hub id such as owner/name, or one of {', '.join(ARCHITECTURES)}"
        )
    return model


@lru_cache(maxsize=2)
def load_pipeline(model: str, device: str, full_precision: bool) -> StableDiffusionPipeline:
    """A `StableDiffusionPipeline` in eval mode on `device`, from a folder or a hub id.

    With `full_precision`, or on the CPU, weights become float32, else float16. The pipeline is
    shared by later runs: take `scheduler.from_config(scheduler.config)` instead of changing its
    scheduler. Raises ModelError, also for the names of `drill.lab.random_models`: their pictures
    are noise.
    """
    import torch
    from diffusers import DiffusionPipeline, StableDiffusionPipeline
    from diffusers.utils import logging

    from drill.lab.random_models import refuse_random

    refuse_random(model)
    logging.disable_progress_bar()
    whole = full_precision or device == "cpu"
    try:
        pipe = DiffusionPipeline.from_pretrained(
            model, dtype=torch.float32 if whole else torch.float16
        )
    except (OSError, ValueError) as error:
        said = str(error).strip().split("\n", 1)[0]
        raise ModelError(f"cannot load the model {model}: {said}") from error
    if not isinstance(pipe, StableDiffusionPipeline):
        raise ModelError(
            f"{model} is a {type(pipe).__name__}; this experiment runs a StableDiffusionPipeline"
        )
    pipe.safety_checker = None  # it would replace pictures by black ones, which are then measured
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)

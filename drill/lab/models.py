"""Pipelines for experiments, kept in memory between the runs of one child."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline


class ModelError(Exception):
    """A model that is not there or is of another kind than the experiment can run."""


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
        raise ModelError(f"cannot load the model {model}: {error}") from error
    if not isinstance(pipe, StableDiffusionPipeline):
        raise ModelError(
            f"{model} is a {type(pipe).__name__}; this experiment runs a StableDiffusionPipeline"
        )
    pipe.safety_checker = None  # it would replace pictures by black ones, which are then measured
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(device)

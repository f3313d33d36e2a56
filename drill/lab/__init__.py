"""The API for labs of a pack: what `experiment.py` imports.

An experiment is a class:

    from drill.lab import Claim, Context, Experiment, Param, Result, Transfers, finding

    class Roundtrip(Experiment):
        name = "roundtrip"
        params = (Param("pictures", "int", 16, "how many drawings", low=1, high=256),)
        claims = (Claim("lossy", "No round trip gives the picture back exactly.", check_lossy),)
        outcomes = ("psnr",)

        def run(self, context: Context) -> Result:
            import torch
            ...

    EXPERIMENTS = (Roundtrip(),)

It runs in a child process (`drill.worker.child`); torch and diffusers are imported inside
functions. `lab.yaml` beside it repeats names, parameters and claims, so that labs are listed
without running them.

`PUBLIC` is all that a pack may count on, by module; docs/authoring.md says what each is for. What
is not named there may change with any version. Proofs may use it too.
"""

from collections.abc import Mapping
from types import MappingProxyType

from drill.lab.context import Cancelled, Context, Stopped, TimeLimit
from drill.lab.experiment import (
    Claim,
    Experiment,
    Finding,
    Result,
    ResultError,
    Transfers,
    finding,
    not_applicable,
)
from drill.lab.params import Param, ParamError

__all__ = [
    "PUBLIC",
    "Cancelled",
    "Claim",
    "Context",
    "Experiment",
    "Finding",
    "Param",
    "ParamError",
    "Result",
    "ResultError",
    "Stopped",
    "TimeLimit",
    "Transfers",
    "finding",
    "not_applicable",
]

PUBLIC: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "drill.lab": tuple(name for name in __all__ if name != "PUBLIC"),
        "drill.lab.loading": ("LoadError", "load_module"),
        "drill.lab.pictures": ("grid", "png", "to_bytes"),
        "drill.lab.timing": ("interleaved", "ratio", "seconds", "synchronise"),
        "drill.lab.live_bytes": ("tensor_peak",),
        "drill.lab.sampling": (
            "DenoiserSpy",
            "decode",
            "initial_latents",
            "picture_seeds",
            "sweep_scales",
            "to_pixels",
        ),
        "drill.lab.guided": ("encode_texts", "guided_sample"),
        "drill.lab.trajectory": ("denoise", "prepare_texts"),
        "drill.lab.models": ("ModelError", "load_pipeline"),
        "drill.lab.family": (
            "control_maps",
            "controlnet_pipeline",
            "drawing_latents",
            "encode_text",
            "ip_adapter_pipeline",
            "load_denoiser",
            "lora_pipeline",
            "unet_pipeline",
        ),
    }
)
"""Module to the names that stay as they are from version to version."""

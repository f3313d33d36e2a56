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
"""

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

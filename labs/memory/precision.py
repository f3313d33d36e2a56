"""precision-and-attention: what dtypes and attention change, in bytes, error and time."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.denoiser_inputs import (
    TOKENS,
    denoiser_inputs,
    denoiser_of,
    guided_rows,
    vae_factor,
)
from drill.lab.loading import load_module
from drill.lab.random_models import titled
from drill.lab.timing import interleaved, ratio

claims = load_module(Path(__file__).with_name("precision_claims.py"))
FLOAT8 = "float8 stored"
DTYPES = ("float16", "bfloat16", FLOAT8)
ATTENTION = ("fused", "explicit", "sliced", "math")
"""`fused`: scaled_dot_product_attention as it is; `math`: the same, held to its explicit kernel."""


class PrecisionAndAttention(Experiment):
    name = "precision-and-attention"
    params = (
        Param("dtypes", "texts", DTYPES, "ways to store the weights, beside float32", most=3),
        Param("size", "int", 192, "side of the picture for attention, in pixels", 64, 2048),
        Param("rounds", "int", 5, "rounds of interleaved timings", low=1, high=50),
    )
    claims = claims.CLAIMS
    outcomes = ("bytes_ratio", "coarsest", "within_rounding", "stores_scores", "backend_switch")
    seconds = 240

    def warm(self, context: Context) -> None:
        from drill.lab.random_models import is_random

        if not is_random(context.model):
            context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.params import ParamError
        from drill.lab.random_models import architecture, is_random, labelled, pipeline_of

        given = context.params
        unknown = [each for each in given["dtypes"] if each not in DTYPES]
        if unknown:
            raise ParamError(f"dtypes: no {unknown[0]!r}; there are {'; '.join(DTYPES)}")
        context.progress(0, 1, "loading the model")
        pipe = pipeline_of(context)
        denoiser = denoiser_of(pipe.components)
        if not is_random(context.model):  # the others are shared with later runs
            denoiser = copy.deepcopy(denoiser)
        torch.nn.Module.float(denoiser)
        factor = vae_factor(pipe.vae)
        own_size = (
            architecture(context.model).size
            if is_random(context.model)
            else pipe.unet.config.sample_size * factor
        )
        made = Inputs(denoiser, factor, context.device, _tokens(pipe))
        # What is compared with float32 must not be compared with TF32.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            dtypes = self.dtypes(context, denoiser, made, own_size)
            attention = self.attention(context, denoiser, made, given["size"])
        metrics: dict[str, Any] = {
            "dtypes": dtypes,
            "attention": attention,
            "sizes": {"dtypes": own_size, "attention": given["size"]},
            "tokens": (given["size"] // factor) ** 2,
            "device": context.device.partition(":")[0],
            "random": is_random(context.model),
        }
        _show(context, metrics)
        context.progress(1, 1, "measuring")
        result = Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(metrics)
        )
        return labelled(context, result)

    @staticmethod
    def dtypes(context: Context, denoiser: Any, made: Inputs, size: int) -> dict[str, Any]:
        """Bytes, error against float32 and time over float32, by way of storing the weights."""
        names = ["float32", *context.params["dtypes"]]
        runs: dict[str, Callable[[], Any]] = {}
        found: dict[str, Any] = {}
        reference = None
        for done, name in enumerate(names):
            context.progress(done, len(names), "storing the weights in other dtypes")
            stored = denoiser if name == "float32" else stored_as(denoiser, name)
            dtype = torch.float32 if name in ("float32", FLOAT8) else getattr(torch, name)
            runs[name] = _forward(stored, made(size, dtype))
            result = runs[name]().float()
            reference = result if reference is None else reference
            found[name] = {
                "bytes": sum(p.numel() * p.element_size() for p in stored.parameters()),
                "error": relative(result, reference),
            }
        times = interleaved(
            runs,
            context.device,
            context.params["rounds"],
            on_call=lambda done, total: context.progress(done, total, "timing dtypes"),
        )
        for name in names:
            found[name]["time"] = ratio(times, name, "float32")
        return found

    @staticmethod
    def attention(context: Context, denoiser: Any, made: Inputs, size: int) -> dict[str, Any]:
        """Error against explicit attention, peak and time over fused attention, in float32."""
        allocator = load_module(Path(__file__).with_name("allocator.py"))
        inputs = made(size, torch.float32)
        names = [name for name in ATTENTION if name in ("fused", "math") or made.is_unet]

        def run_with(name: str) -> Any:
            with attention_as(denoiser, name):
                return _forward(denoiser, inputs)()

        runs: dict[str, Callable[[], Any]] = {name: lambda n=name: run_with(n) for name in names}  # type: ignore[misc]
        times = interleaved(
            runs,
            context.device,
            context.params["rounds"],
            on_call=lambda done, total: context.progress(done, total, "timing attention"),
        )
        exact = run_with("explicit" if made.is_unet else "math")
        found = {}
        for done, name in enumerate(names):
            context.progress(done, len(names), "weighing attention")
            found[name] = {
                "error": relative(run_with(name), exact),
                "time": ratio(times, name, "fused"),
                "peak": allocator.peak_bytes(runs[name], context.device),
            }
        fused = run_with("fused")
        found["backend switch"] = backend_switch(denoiser, fused, lambda: run_with("as it is"))
        return found


class Inputs:
    """Makes the inputs of a forward for a size and a dtype, the same values every time."""

    def __init__(self, denoiser: Any, factor: int, device: str, tokens: int) -> None:
        self.denoiser, self.factor, self.device, self.tokens = denoiser, factor, device, tokens
        self.is_unet = type(denoiser).__name__ == "UNet2DConditionModel"

    def __call__(self, size: int, dtype: Any) -> dict[str, Any]:
        rows = guided_rows(self.denoiser)
        return denoiser_inputs(
            self.denoiser, self.factor, size, rows, self.device, dtype, tokens=self.tokens
        )


def _tokens(pipe: Any) -> int:
    tokenizer = pipe.components.get("tokenizer")
    return int(tokenizer.model_max_length) if tokenizer is not None else TOKENS


def _forward(denoiser: Any, inputs: dict[str, Any]) -> Callable[[], Any]:
    return lambda: denoiser(**inputs, return_dict=False)[0]


def stored_as(denoiser: Any, name: str) -> Any:
    """A copy of a float32 model with its weights in a dtype; float8 is computed in float32."""
    stored = copy.deepcopy(denoiser)
    if name == FLOAT8:
        stored.enable_layerwise_casting(
            storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32
        )
        return stored
    for part in stored.modules():
        torch.nn.Module._apply(part, lambda t: t.to(getattr(torch, name)), recurse=False)
    return stored


@contextmanager
def attention_as(denoiser: Any, name: str) -> Iterator[None]:
    """The denoiser with another attention; the usual one comes back afterwards."""
    from diffusers.models.attention_processor import AttnProcessor
    from torch.nn.attention import SDPBackend, sdpa_kernel

    if name in ("fused", "as it is"):
        yield
        return
    if name == "math":
        with sdpa_kernel(SDPBackend.MATH):
            yield
        return
    usual = denoiser.attn_processors
    if name == "explicit":
        denoiser.set_attn_processor(AttnProcessor())
    else:
        denoiser.set_attention_slice(1)
    try:
        yield
    finally:
        denoiser.set_attn_processor(dict(usual))


def relative(result: Any, reference: Any) -> float:
    """Norm of the difference over the norm of the reference."""
    return float((result - reference).norm() / reference.norm())


def backend_switch(denoiser: Any, fused: Any, run: Callable[[], Any]) -> dict[str, Any]:
    """What `set_attention_backend("_native_math")` changes: bits of the result, or nothing."""
    told = True
    try:
        denoiser.set_attention_backend("_native_math")
        apart = float((run() - fused).abs().max())
    except (ValueError, RuntimeError, NotImplementedError):
        told, apart = False, 0.0
    finally:
        if hasattr(denoiser, "reset_attention_backend"):
            denoiser.reset_attention_backend()
    return {"accepted": told, "apart": apart}


def _show(context: Context, metrics: dict[str, Any]) -> None:
    for kind in ("dtypes", "attention"):
        for name, each in metrics[kind].items():
            if "error" in each:
                context.metric(f"error {name}", each["error"])
                context.metric(f"time {name}", each["time"])
    errors = {
        name: each["error"]
        for kind in ("attention", "dtypes")
        for name, each in metrics[kind].items()
        if each.get("error")
    }
    context.plot(
        titled(context, "error"),
        {name: [(n, math.log10(error))] for n, (name, error) in enumerate(errors.items())},
        "variant",
        "log10 of the relative error of a prediction",
    )


def transfers(metrics: dict[str, Any]) -> Transfers:
    if metrics["device"] == "cpu":
        return Transfers(
            "yes",
            "Bytes and the order of the errors: they follow from the bits of the formats and from "
            "the formula. Not the times: they are those of this CPU, which has no tensor cores.",
        )
    return Transfers(
        "yes",
        "Bytes and the order of the errors everywhere; ratios of times for this device and size.",
    )


EXPERIMENTS = (PrecisionAndAttention(),)

"""Proofs of the memory items: hooks of accelerate on stand-ins, sizes on the meta device.

What is copied when, how large a tensor is and whether two ways of computing agree can be found out
without an accelerator. The meta device plays the GPU: moving there is a change of device that hooks
notice, and its tensors have a size but no memory.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import accelerate.hooks
import diffusers
import torch
from accelerate import cpu_offload, cpu_offload_with_hook
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
META = torch.device("meta")
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


@cache
def tiny_pipeline() -> Any:
    """Stable Diffusion in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=tiny_vae(), text_encoder=CLIPTextModel(text), unet=tiny_unet(),
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tiny_unet() -> Any:
    """A UNet of two levels with attention at the lower one."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    ).eval()  # fmt: skip


def tiny_vae() -> Any:
    """An autoencoder with a factor of 8; its tiles are 64 pixels wide."""
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2, sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    ).eval()  # fmt: skip


# Offload


class Component(nn.Module):
    """Stands for a model: one layer, and a log of moves and forwards. Meta is the GPU."""

    def __init__(self, name: str, log: list[tuple[str, str]]) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.name, self.log = name, log

    def to(self, device: Any) -> Any:
        """Note a real move; take new weights on the target, as nothing can be copied off meta."""
        device = torch.device(device)
        if device != self.layer.weight.device:
            self.log.append((self.name, "in" if device == META else "out"))
            self.layer = nn.Linear(2, 2, device=device)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.log.append((self.name, "runs"))
        y: torch.Tensor = self.layer(x.to(self.layer.weight.device))
        return y


def model_offload_log(pipeline_class: Any, steps: int) -> list[tuple[str, str]]:
    """What accelerate's hooks move while the models of this pipeline run one image.

    The chain is built as `enable_model_cpu_offload` does it; the denoiser runs `steps` times.
    """
    log: list[tuple[str, str]] = []
    hook, hooks, models = None, [], {}
    for name in pipeline_class.model_cpu_offload_seq.split("->"):
        if name == "image_encoder":
            continue
        models[name], hook = cpu_offload_with_hook(
            Component(name, log), META, prev_module_hook=hook
        )
        hooks.append(hook)
    for name, model in models.items():
        for _ in range(steps if name in ("unet", "transformer") else 1):
            model(torch.zeros(1, 2))
    log.append(("pipeline", "ends"))
    for each in hooks:
        each.offload()
    return log


def offload_order() -> list[str]:
    """Read the order of events off the log of a Stable Diffusion run of 5 steps."""
    log = model_offload_log(StableDiffusionPipeline, steps=5)
    events = {
        "encoder-in": log.index(("text_encoder", "runs")),
        "unet-in": log.index(("unet", "runs")),
        "unet-stays": len(log) - 1 - log[::-1].index(("unet", "runs")),
        "vae-in": log.index(("vae", "runs")),
        "all-out": log.index(("vae", "out")),
    }
    moves = [event for event in log if event[1] in ("in", "out")]
    # Nothing is copied twice, and the encoder leaves before the UNet takes its first step.
    assert len(moves) == len(set(moves))
    assert events["encoder-in"] < log.index(("text_encoder", "out")) < events["unet-in"]
    assert events["unet-stays"] - events["unet-in"] == 4
    assert events["unet-stays"] < log.index(("unet", "out")) < events["vae-in"]
    assert events["all-out"] > log.index(("pipeline", "ends"))
    return sorted(events, key=events.__getitem__)


def layers_copied_per_forward() -> float:
    """Share of a model's bytes that sequential offload copies in one forward; measured on three."""
    model = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4), nn.LayerNorm(4))
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    copied = 0
    move = accelerate.hooks.set_module_tensor_to_device

    def noted(module: nn.Module, name: str, device: Any, value: Any = None, **other: Any) -> None:
        nonlocal copied
        if value is not None:
            copied += value.numel() * value.element_size()
        move(module, name, device, value=value, **other)

    cpu_offload(model, execution_device=META)
    with mock.patch.object(accelerate.hooks, "set_module_tensor_to_device", noted):
        for _ in range(3):
            model(torch.zeros(1, 8, device=META))
    return copied / size / 3


def offload_traffic(mode: str, steps: int) -> float:
    """GB copied to the GPU for one image of FLUX.1, with the sizes of the question."""
    size = {"transformer": 23.8, "text_encoder_2": 9.5, "text_encoder": 0.25, "vae": 0.17}
    log = model_offload_log(diffusers.FluxPipeline, steps)
    if mode == "enable_model_cpu_offload":
        return sum(size[name] for name, event in log if event == "in")
    share = layers_copied_per_forward()
    return sum(size[name] * share for name, event in log if event == "runs")


def only_at_the_end() -> str:
    """The pipeline method that a call runs when it returns, and does not run when it raises."""
    pipe = tiny_pipeline()
    base = diffusers.DiffusionPipeline
    names = [n for n in vars(base) if not n.startswith("_") and callable(getattr(pipe, n))]

    def called_by(**call: Any) -> set[str]:
        seen: set[str] = set()

        def spy(name: str) -> Callable[..., Any]:
            method = getattr(base, name)

            def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
                seen.add(name)
                return method(self, *args, **kwargs)

            return noted

        methods = [n for n in names if not isinstance(vars(base)[n], classmethod | staticmethod)]
        spies: dict[str, Any] = {name: spy(name) for name in methods}
        with mock.patch.multiple(base, **spies):
            try:
                pipe("a red star", num_inference_steps=2, height=64, width=64, **call)
            except InterruptedError:
                seen.add("raised")
        return seen

    def cancel(*_: Any) -> dict[str, Any]:
        raise InterruptedError

    cancelled = called_by(output_type="latent", callback_on_step_end=cancel)
    assert "raised" in cancelled
    missing = called_by(output_type="latent") - cancelled
    assert len(missing) == 1, missing
    return missing.pop()


# Sizes


class Largest(TorchDispatchMode):
    """The number of values of the largest tensor that any operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.values = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in out if isinstance(out, tuple | list) else (out,):
            if isinstance(each, torch.Tensor):
                self.values = max(self.values, each.numel())
        return out


class Fused(TorchFunctionMode):
    """Attention on meta that yields its result's shape and forms no scores."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is nn.functional.scaled_dot_product_attention:
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def score_matrix(size: int) -> float:
    """MiB of the largest score matrix that the explicit processor forms in the full-size UNet."""
    with META:
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        unet.half().set_attn_processor(AttnProcessor())
        largest = 0

        class Scores(TorchFunctionMode):
            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
            ) -> Any:
                nonlocal largest
                out = func(*args, **(kwargs or {}))
                if func is torch.baddbmm:
                    largest = max(largest, out.numel() * out.element_size())
                return out

        latents = torch.zeros(1, 4, size // 8, size // 8, dtype=torch.float16)
        text = torch.zeros(2, 77, 768, dtype=torch.float16)
        with Scores():
            unet(torch.cat([latents] * 2), 500, text)
    return largest / 2**20


@torch.no_grad()
def decode_peak() -> str:
    """The setting that lowers the largest tensor in the decode of one 2048x2048 picture."""

    def largest(change: Callable[[Any], None]) -> int:
        with META:
            vae = AutoencoderKL(
                block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
            )  # fmt: skip
            change(vae)
            with Fused(), Largest() as seen:
                picture = vae.decode(torch.zeros(1, 4, 256, 256)).sample
        assert picture.shape[-2:] == (2048, 2048)
        pixels_of_result: int = picture.numel()
        assert seen.values >= pixels_of_result
        return seen.values

    def attention_slicing(vae: Any) -> None:
        # What the pipeline's method does: ask every component that has the method.
        if hasattr(vae, "set_attention_slice"):
            vae.set_attention_slice("auto")

    plain = largest(lambda vae: None)
    assert plain == 256 * 2048 * 2048  # 2 GiB in half precision
    changes: dict[str, Callable[[Any], None]] = {
        "vae-slicing": lambda vae: vae.enable_slicing(),
        "vae-tiling": lambda vae: vae.enable_tiling(),
        "attention-slicing": attention_slicing,
    }
    sizes = {name: largest(change) for name, change in changes.items()}
    sizes["model-offload"] = plain  # moves weights, changes no computation
    return only({name: size < plain / 2 for name, size in sizes.items()})


def speed_up(share: int, factor: int) -> float:
    """Add up the parts of a request of 1000 steps' worth of loop before and after."""
    loop = [share / 1000] * 1000
    rest = 100 - share
    return (sum(loop) + rest) / (sum(loop[::factor]) + rest)


# Exact or not


@contextmanager
def prepared(model: Any, name: str) -> Iterator[Any]:
    """The model with one of the settings of the question."""
    if name in ("sdpa", "attention-slicing", "fuse-qkv"):
        model.set_attn_processor(AttnProcessor2_0())
    if name == "attention-slicing":
        model.set_attention_slice(1)
    if name == "fuse-qkv":
        model.fuse_qkv_projections()
    if name == "fp8":
        model.enable_layerwise_casting(
            storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float32
        )
    if name == "tiling":
        model.enable_tiling()
    if name == "vae-slicing":
        model.enable_slicing()
    yield model


@torch.no_grad()
def what_changes_the_result() -> set[str]:
    """Compare each setting with the plain model, to a relative error of 1e-4."""
    generator = torch.Generator().manual_seed(0)
    x, text = torch.randn(2, 4, 8, 8, generator=generator), torch.randn(2, 7, 16)
    latents = torch.randn(4, 4, 16, 16, generator=generator)

    def through_unet(model: Any) -> torch.Tensor:
        sample: torch.Tensor = model(x, 500, text).sample
        return sample

    def through_vae(model: Any) -> torch.Tensor:
        sample: torch.Tensor = model.decode(latents).sample
        return sample

    explicit = tiny_unet()
    explicit.set_attn_processor(AttnProcessor())
    plain = {"unet": through_unet(explicit), "vae": through_vae(tiny_vae())}
    settings = {
        "sdpa": "unet", "fp8": "unet", "attention-slicing": "unet", "fuse-qkv": "unet",
        "tiling": "vae", "vae-slicing": "vae",
    }  # fmt: skip
    changed = set()
    for name, owner in settings.items():
        model, run = (tiny_unet(), through_unet) if owner == "unet" else (tiny_vae(), through_vae)
        with prepared(model, name):
            error = (run(model) - plain[owner]).norm() / plain[owner].norm()
        if error > 1e-4:
            changed.add(name)
    return changed


@torch.no_grad()
def what_slicing_does() -> str:
    """Watch which functions the attentions of a small UNet call before and after."""

    def attention_calls(model: Any) -> tuple[int, int, set[int]]:
        fused, explicit, batches = 0, 0, set()

        class Calls(TorchFunctionMode):
            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
            ) -> Any:
                nonlocal fused, explicit
                fused += func is nn.functional.scaled_dot_product_attention
                explicit += func is torch.baddbmm
                return func(*args, **(kwargs or {}))

        handle = model.conv_in.register_forward_pre_hook(
            lambda _module, args: batches.add(args[0].shape[0])
        )
        with Calls():
            model(torch.zeros(2, 4, 8, 8), 500, torch.zeros(2, 7, 16))
        handle.remove()
        return fused, explicit, batches

    unet = tiny_pipeline().unet
    usual = unet.attn_processors
    before = attention_calls(unet)
    assert before[0] > 0
    assert before[1] == 0
    try:
        tiny_pipeline().enable_attention_slicing()
        fused, explicit, batches = attention_calls(unet)
    finally:
        unet.set_attn_processor(usual)
    return only(
        {
            "no-op": (fused, explicit, batches) == before,
            "splits-fused": fused > before[0],
            "explicit": fused == 0 and explicit > before[0] and batches == {2},
            "batch": batches == {1},
        }
    )


# Streamed attention


def _scores() -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        yield (
            3 * torch.randn(20, 8, generator=generator, dtype=torch.float64),
            torch.randn(12, 8, generator=generator, dtype=torch.float64),
            torch.randn(12, 8, generator=generator, dtype=torch.float64),
        )


def equals_softmax(ns: Namespace) -> None:
    """Softmax attention, for any size of the blocks."""
    for q, k, v in _scores():
        wanted = (q @ k.T / 8**0.5).softmax(-1) @ v
        for block in (12, 5, 4, 1):
            far = (ns["streamed_attention"](q, k, v, block) - wanted).abs().max().item()
            assert far < 1e-9, f"block {block}: off by up to {far:.3g}"


def which_rows(original: Namespace, mutant: Namespace) -> str:
    """Compare the rows of the two by where their largest score lies; read weights off v = I."""
    early, late, heavier, lighter, finite = [], [], [], [], True
    for q, k, v in _scores():
        first = (q @ k.T).argmax(-1) < 4
        right, wrong = (ns["streamed_attention"](q, k, v, 4) for ns in (original, mutant))
        same = (right - wrong).abs().amax(-1) < 1e-9
        early += same[first].tolist()
        late += same[~first].tolist()
        finite = finite and bool(wrong.isfinite().all())
        for key in range(4):
            chosen = torch.zeros_like(v)
            chosen[key] = 1  # the output is then this key's weight
            true, got = (ns["streamed_attention"](q, k, chosen, 4) for ns in (original, mutant))
            heavier += (got > true * (1 + 1e-9))[~first].all(-1).tolist()
            lighter += (got < true * (1 - 1e-9)).any(-1).tolist()
    assert early and late
    return only(
        {
            "later-maximum": all(early) and not any(late) and all(heavier) and not any(lighter),
            "all-rows": not any(early) and not any(late),
            "late-lost": not any(early) and all(late),
            "overflow": not finite,
        }
    )

"""Proofs of the pipeline items: what a call, a load or an exchange does, seen on small pipelines.

Only the weights of Flux are counted at full size, on the meta device.
"""

from __future__ import annotations

import copy
import tempfile
from functools import cache, wraps
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from diffusers import (
    AutoencoderKL,
    DDPMPipeline,
    DDPMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def small_vae(**config: Any) -> Any:
    """An autoencoder with factor 8."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        **{"latent_channels": 4, **config},
    )  # fmt: skip


@cache
def small_sd() -> Any:
    """Stable Diffusion in small, without a text encoder: it is called with embeddings."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8,), layers_per_block=1, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
        cross_attention_dim=8, attention_head_dim=2,
    )  # fmt: skip
    return with_vae(unet, small_vae())


def with_vae(unet: Any, vae: Any) -> Any:
    """A pipeline around these two networks."""
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=None, tokenizer=None, unet=unet,
        scheduler=EulerDiscreteScheduler(**SD_BETAS, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def call(pipe: Any, **asked: Any) -> Any:
    """One call with fixed noise and embeddings."""
    generator = torch.Generator().manual_seed(0)
    states, negative = torch.randn(2, 1, 5, 8, generator=generator)
    usual = {"num_inference_steps": 3, "output_type": "latent", "generator": generator}
    return pipe(prompt_embeds=states, negative_prompt_embeds=negative, **{**usual, **asked}).images


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def parameters(network: Any) -> int:
    """How many values the network holds."""
    return sum(p.numel() for p in network.parameters())


# Components


def tiling_after_upgrade() -> str:
    """Look through the components for the method that switches tiling on."""
    pipe = small_sd()
    assert not hasattr(pipe, "enable_vae_tiling")
    found = []
    for name, component in pipe.components.items():
        for method in dir(component):
            if method.startswith("enable_") and "tiling" in method:
                getattr(component, method)()
                assert component.use_tiling
                component.disable_tiling()
                found.append(f"pipe.{name}.{method}()")
    assert len(found) == 1
    return found[0]


def weights_of_flux(dtype: str, loaded: str) -> float:
    """Bytes of all networks, built at full size without memory."""
    with torch.device("meta"):
        networks = {
            "transformer": FluxTransformer2DModel(guidance_embeds=True),
            "vae": AutoencoderKL(
                block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=16,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                use_quant_conv=False, use_post_quant_conv=False,
            ),
            "text_encoder": CLIPTextModel(
                CLIPTextConfig(
                    hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                    num_attention_heads=12,
                )
            ),
            "text_encoder_2": T5EncoderModel(
                T5Config(
                    vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24,
                    num_heads=64, feed_forward_proj="gated-gelu", decoder_start_token_id=0,
                )
            ),
        }  # fmt: skip
    if "None" in loaded:
        del networks["text_encoder_2"]
    size = torch.empty(0, dtype=getattr(torch, dtype)).element_size()
    return sum(map(parameters, networks.values())) * size / 1e9


def loading_order() -> list[str]:
    """Load a saved pipeline and write down what is called when."""
    unet = UNet2DModel(
        block_out_channels=(8,), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
    )  # fmt: skip
    seen: list[str] = []

    def watch(owner: Any, method: str, name: str) -> Any:
        real = owner.__dict__[method] if method in owner.__dict__ else getattr(owner, method)
        bound = isinstance(real, classmethod) or hasattr(real, "__self__")
        function = real.__func__ if bound else real

        @wraps(function)  # from_pretrained reads the signature
        def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            return function(self, *args, **kwargs)

        return mock.patch.object(owner, method, classmethod(noted) if bound else noted)

    devices: list[str] = []
    build = UNet2DModel.__init__

    @wraps(build)
    def built(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        seen.append("build")
        devices.append(next(self.parameters()).device.type)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        DDPMPipeline(unet, DDPMScheduler()).save_pretrained(folder)
        weights = [path.parent.name for path in folder.rglob("*.safetensors")]
        assert weights == ["unet"], "other parts have weights too"
        with (
            watch(DDPMPipeline, "load_config", "index"),
            mock.patch.object(UNet2DModel, "__init__", built),
            watch(UNet2DModel, "_load_pretrained_model", "weights"),
            watch(DDPMPipeline, "__init__", "init"),
            watch(DDPMPipeline, "register_modules", "register"),
        ):
            pipe = DDPMPipeline.from_pretrained(folder)
    assert devices == ["meta"]
    assert pipe.device.type == "cpu"
    assert all(map(torch.equal, pipe.unet.parameters(), unet.parameters()))
    return seen


def other_vae() -> str:
    """Exchange the autoencoder for one with another factor and look at what it decodes."""
    usual = small_sd()
    other = small_vae(scaling_factor=0.5)
    decoded: list[torch.Tensor] = []

    def decode(latents: torch.Tensor, **_kwargs: Any) -> tuple[torch.Tensor]:
        decoded.append(latents)
        picture: tuple[torch.Tensor] = real(latents, return_dict=False)
        return picture

    real = other.decode
    try:
        pipe = with_vae(usual.unet, other)
    except (ValueError, TypeError):
        return "constructor"
    latents = call(pipe)
    with mock.patch.object(other, "decode", decode):
        try:
            call(pipe, output_type="pt")
        except RuntimeError:
            return "decode"
    factor = {"silent-new": other, "silent-old": usual.vae}
    return only(
        {
            name: torch.allclose(decoded[0], latents / vae.config.scaling_factor)
            for name, vae in factor.items()
        }
    )


def touched_by_a_call() -> set[str]:
    """Compare the shared objects before and after a call with other arguments."""
    pipe = small_sd()
    call(pipe, num_inference_steps=3, guidance_scale=2.0)

    def state() -> dict[str, Any]:
        return copy.deepcopy(
            {
                "timesteps": pipe.scheduler.timesteps,
                "guidance": pipe.guidance_scale,
                "unet": list(pipe.unet.parameters()),
                "vae": list(pipe.vae.parameters()),
                "scheduler-config": dict(pipe.scheduler.config),
            }
        )

    def equal(one: Any, two: Any) -> bool:
        if isinstance(one, list):
            return all(map(torch.equal, one, two))
        return torch.equal(one, two) if isinstance(one, torch.Tensor) else bool(one == two)

    indices: list[int] = []

    def note(pipe: Any, _step: int, _t: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        indices.append(pipe.scheduler.step_index)
        return tensors

    before = state()
    call(pipe, num_inference_steps=4, guidance_scale=5.0, callback_on_step_end=note)
    after = state()
    changed = {name for name in before if not equal(before[name], after[name])}
    return changed | ({"index"} if len(set(indices)) > 1 else set())


# Flux


def into_flux() -> tuple[int, ...]:
    """What the transformer receives in one call."""
    transformer = FluxTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=8, pooled_projection_dim=8,
        axes_dims_rope=(2, 2, 4), guidance_embeds=True,
    )  # fmt: skip
    pipe = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=small_vae(latent_channels=16),
        text_encoder=None, tokenizer=None, text_encoder_2=None, tokenizer_2=None,
        transformer=transformer,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    shapes = []
    transformer.register_forward_pre_hook(
        lambda _m, _args, kwargs: shapes.append(tuple(kwargs["hidden_states"].shape)),
        with_kwargs=True,
    )
    pipe(
        prompt_embeds=torch.randn(2, 512, 8), pooled_prompt_embeds=torch.randn(2, 8), height=768,
        width=1024, num_inference_steps=1, guidance_scale=3.5, output_type="latent",
    )  # fmt: skip
    assert len(shapes) == 1
    return shapes[0]


def packed(x: torch.Tensor) -> torch.Tensor:
    """The tokens that FluxPipeline makes of latents."""
    tokens: torch.Tensor = FluxPipeline._pack_latents(x, *x.shape)
    return tokens


def packs_like_the_pipeline(ns: Namespace) -> None:
    """Every value stands where FluxPipeline puts it."""
    for shape in ((1, 16, 4, 6), (2, 4, 8, 2)):
        x = torch.arange(torch.Size(shape).numel()).reshape(shape)
        got, wanted = ns["pack"](x), packed(x)
        assert got.shape == wanted.shape
        assert torch.equal(got, wanted), (
            f"the first token is {got[0, 0, :8].tolist()}..., "
            f"FluxPipeline's is {wanted[0, 0, :8].tolist()}..."
        )


def what_a_token_holds(mutant: Namespace) -> str:
    """Compare the tokens as sequences and as sets of numbered values."""
    x = torch.arange(16 * 4 * 6).reshape(1, 16, 4, 6)
    got, wanted = mutant["pack"](x)[0], packed(x)[0]
    as_sets = torch.equal(got.sort(-1).values, wanted.sort(-1).values)
    by_columns = wanted.unflatten(0, (2, 3)).transpose(0, 1).flatten(0, 1)
    embed = torch.nn.Linear(64, 8)
    same_embedding = torch.allclose(embed(got.float()), embed(wanted.float()))
    return only(
        {
            "inside": as_sets and not same_embedding,
            "neighbours": not as_sets
            and not torch.equal(got.sort(-1).values, by_columns.sort(-1).values),
            "columns": torch.equal(got, by_columns),
            "harmless": same_embedding,
        }
    )

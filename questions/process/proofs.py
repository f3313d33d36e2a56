"""Proofs of the process items: forward noising, its posterior and the ways back.

`levels` builds a scheduler whose table holds just the noise levels of the question. `Gaussian` is
data for which the best possible denoiser is known in closed form.
"""

from __future__ import annotations

import ast
import inspect
import math
import random
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    HeunDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    UNet2DConditionModel,
)

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SCHEDULERS = {c.__name__: c for c in (DDIMScheduler, HeunDiscreteScheduler)}


def levels(cls: Any, alphas_cumprod: list[float], **config: Any) -> Any:
    """A scheduler whose timestep i has `alphas_cumprod[i]`, in double precision."""
    scheduler = cls(num_train_timesteps=len(alphas_cumprod), clip_sample=False, **config)
    scheduler.alphas_cumprod = torch.tensor(alphas_cumprod, dtype=torch.float64)
    scheduler.set_timesteps(len(alphas_cumprod))
    return scheduler


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own, so that proofs do not depend on their order."""
    return torch.Generator().manual_seed(seed)


class Gaussian:
    """x_0 ~ N(mean, std^2): what an optimally trained eps-network returns is known exactly."""

    def __init__(self, mean: float, std: float) -> None:
        self.mean, self.var = mean, std**2

    def eps(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """E[eps | x_t]."""
        residual = x - ab.sqrt() * self.mean
        return (1 - ab).sqrt() * residual / (ab * self.var + 1 - ab)


# Numbers, formulas and shapes


def snr_of_latents(std: float, snr: float) -> float:
    """Power of the signal over power of the noise in what add_noise makes of such latents."""
    scheduler = levels(DDPMScheduler, [snr / (1 + snr)])
    t = torch.tensor([0])
    latents = std * torch.ones(1, 1, dtype=torch.float64)
    noise = torch.ones(1, 1, dtype=torch.float64)
    signal = scheduler.add_noise(latents, 0 * noise, t)
    disturbance = scheduler.add_noise(0 * latents, noise, t)
    return float((signal / disturbance) ** 2)


class _TinyImg2Img:
    """A random-weight pipeline that is asked only how often it calls its denoiser."""

    def __init__(self, scheduler: Any) -> None:
        torch.manual_seed(0)
        block = {"block_out_channels": (8,), "norm_num_groups": 4, "layers_per_block": 1}
        self.unet = UNet2DConditionModel(
            **block,
            down_block_types=("DownBlock2D",),
            up_block_types=("UpBlock2D",),
            cross_attention_dim=8,
            attention_head_dim=2,
            mid_block_type=None,
            sample_size=64,
        )
        self.pipe = StableDiffusionImg2ImgPipeline(
            vae=AutoencoderKL(**block, latent_channels=4),
            text_encoder=None,
            tokenizer=None,
            unet=self.unet,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        self.pipe.set_progress_bar_config(disable=True)

    def calls(self, steps: int, strength: float) -> int:
        """Forward calls of the denoiser for one image; latents are passed in place of pixels."""
        seen: list[int] = []
        hook = self.unet.register_forward_hook(lambda *_: seen.append(1))
        self.pipe(
            image=torch.randn(1, 4, 4, 4, generator=seeded()),
            prompt_embeds=torch.randn(1, 5, 8, generator=seeded()),
            strength=strength,
            num_inference_steps=steps,
            guidance_scale=1.0,
            output_type="latent",
        )
        hook.remove()
        return len(seen)


def calls_at_strength(scheduler: str, steps: int, strength: float) -> int:
    """Denoiser calls of an img2img run, counted on the real pipeline."""
    config = {**SD_BETAS, "steps_offset": 1}
    if scheduler == "DDIMScheduler":
        config["clip_sample"] = False
    return _TinyImg2Img(SCHEDULERS[scheduler](**config)).calls(steps, strength)


def posterior_mean() -> list[tuple[dict[str, float], float]]:
    """The mean that DDPMScheduler.step adds its noise to, for a known x_0."""
    draw = random.Random(2)
    pairs = []
    for _ in range(6):
        at = {
            "x_t": draw.uniform(-2, 2),
            "x0": draw.uniform(-1, 1),
            "ab": draw.uniform(0.1, 0.4),
            "ab_prev": draw.uniform(0.5, 0.9),
        }
        scheduler = levels(DDPMScheduler, [at["ab_prev"], at["ab"]], prediction_type="sample")
        x_t, x0 = (torch.tensor([[at[n]]], dtype=torch.float64) for n in ("x_t", "x0"))
        stepped = scheduler.step(x0, 1, x_t, generator=seeded()).prev_sample
        added = torch.randn(x0.shape, generator=seeded(), dtype=torch.float64)
        mean = stepped - scheduler._get_variance(1).sqrt() * added
        pairs.append((at, mean.item()))
    return pairs


# Choices and terms


def brightness_in_x_T() -> str:
    """What the last noisy latent of Stable Diffusion's table tells about the image's mean."""
    scheduler = DDPMScheduler(**SD_BETAS)
    brightness = torch.linspace(-1, 1, 400)
    images = brightness.view(-1, 1, 1, 1).expand(-1, 4, 64, 64)
    t = torch.full((400,), 999)
    x_T = scheduler.add_noise(images, torch.randn(images.shape, generator=seeded()), t)
    means = x_T.mean(dim=(1, 2, 3))
    at_sampling = torch.randn(images.shape, generator=seeded(1)).mean(dim=(1, 2, 3))
    correlation = torch.corrcoef(torch.stack([brightness, means]))[0, 1]
    spread = x_T.std(dim=(1, 2, 3)).mean()
    same_at_999 = bool(means.std() < 1.2 * at_sampling.std())
    return only(
        {
            "mean-leaks": bool(correlation > 0.95) and not same_at_999,
            "too-quiet": bool((spread - 1).abs() > 0.02),
            "swamped": bool(correlation < 0.2),
            "spacing-only": same_at_999,
        }
    )


def _sample(data: Gaussian, scheduler: Any, x: torch.Tensor, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    scheduler.set_timesteps(200)
    for t in scheduler.timesteps:
        x = scheduler.step(data.eps(x, scheduler.alphas_cumprod[t]), t, x).prev_sample
    return x


def holds_for_ddim_alone() -> set[str]:
    """Measure each property for DDIM (eta 0) and for DDPM on data with an exact denoiser."""
    data = Gaussian(0.3, 0.5)
    x_T = torch.randn(20_000, 1, generator=seeded())
    found: dict[str, dict[str, bool]] = {}
    for cls in (DDIMScheduler, DDPMScheduler):
        scheduler = cls(**SD_BETAS, clip_sample=False)
        first, again = (_sample(data, scheduler, x_T, seed) for seed in (1, 2))
        other_start = _sample(data, scheduler, torch.randn(20_000, 1, generator=seeded(9)), 1)
        marginals = bool((first.std() / 0.5 - 1).abs() < 0.05)
        found[cls.__name__] = {
            "same-map": torch.equal(first, again),
            "invertible": _round_trip(data, first, x_T) < 0.05,
            "marginals": marginals,
            # Both samplers draw from the very same denoiser.
            "own-training": not marginals,
            "no-seed": torch.allclose(first, other_start),
        }
    ddim, ddpm = found["DDIMScheduler"], found["DDPMScheduler"]
    return {name for name, holds in ddim.items() if holds and not ddpm[name]}


def _round_trip(data: Gaussian, x: torch.Tensor, x_T: torch.Tensor) -> float:
    """Run the DDIM update from data to noise; how far from the noise that the data came from."""
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False)
    scheduler.set_timesteps(200)
    ab = scheduler.alphas_cumprod
    now = scheduler.final_alpha_cumprod
    for t in reversed(scheduler.timesteps.tolist()):
        eps = data.eps(x, torch.minimum(now, ab[0]))
        x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()
        now = ab[t]
        x = now.sqrt() * x0 + (1 - now).sqrt() * eps
    return float((x - x_T).abs().mean())


def eta() -> str:
    """The one float argument of DDIMScheduler.step that makes the result depend on the seed."""
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False)
    scheduler.set_timesteps(1000)
    x, output = torch.randn(2, 1, 4, generator=seeded())
    random_ones = []
    for name, parameter in inspect.signature(scheduler.step).parameters.items():
        if isinstance(parameter.default, float):
            drawn = [
                scheduler.step(output, 500, x, generator=seeded(s), **{name: 1.0}).prev_sample
                for s in (1, 2)
            ]
            if not torch.allclose(*drawn):
                random_ones.append((name, drawn[0]))
    ((name, with_noise),) = random_ones
    ddpm = DDPMScheduler(**SD_BETAS, clip_sample=False)
    ancestral = ddpm.step(output, 500, x, generator=seeded(1)).prev_sample
    assert torch.allclose(with_noise, ancestral, atol=1e-5)
    return name


# Order


def ddpm_step_order() -> list[str]:
    """Lines of DDPMScheduler.step on which each part happens, from top to bottom."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(DDPMScheduler.step)))
    first_line: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            assigned, value = ast.unparse(node.targets[0]), ast.unparse(node.value)
            part = _part(assigned, value)
            if part:
                first_line[part] = min(node.lineno, first_line.get(part, node.lineno))
    assert len(first_line) == 5, first_line
    return sorted(first_line, key=first_line.__getitem__)


def _part(assigned: str, value: str) -> str:
    if assigned == "pred_original_sample":
        return "clip" if "clamp" in value or "threshold" in value else "x0"
    if assigned == "pred_prev_sample":
        return "add" if "variance" in value else "mean"
    return "draw" if assigned == "variance_noise" else ""


# Mutants


def lands_on_the_data(ns: Namespace) -> None:
    """With the true eps of one data point, sampling must end at that point."""
    scheduler = DDIMScheduler(**SD_BETAS)
    x0 = torch.tensor([-0.8, 0.1, 0.9])
    out = _run_sampler(ns, scheduler.alphas_cumprod, x0)[0]
    far = (out - x0).abs().max().item()
    assert far < 1e-3, f"the result is {far:.2f} away from the data"


def _run_sampler(
    ns: Namespace, ab: torch.Tensor, x0: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The result, and every latent that the denoiser got to see."""
    seen: list[torch.Tensor] = []

    def model(x: torch.Tensor, t: int) -> torch.Tensor:
        seen.append(x)
        return (x - ab[t].sqrt() * x0) / (1 - ab[t]).sqrt()

    x_T = torch.randn(x0.shape, generator=seeded())
    return ns["sample"](model, x_T, list(range(980, -1, -20)), ab), seen


def wrapped_last_step() -> str:
    """Noise in the result when the index of the last step wraps round to the end of the table."""
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod
    x0 = torch.zeros(20_000)
    x = torch.randn(20_000, generator=seeded())
    spread = []
    for t in range(980, -1, -20):
        eps = (x - ab[t].sqrt() * x0) / (1 - ab[t]).sqrt()
        try:
            a, a_prev = ab[t], ab[t - 20]
        except IndexError:
            return "index-error"
        clean = (x - (1 - a).sqrt() * eps) / a.sqrt()
        x = a_prev.sqrt() * clean + (1 - a_prev).sqrt() * eps
        spread.append(x.std().item())
    return only(
        {
            "noise": spread[-2] < 0.05 and spread[-1] > 0.95,
            "slightly-noisy": 0 < spread[-1] < 0.2,
            "too-bright": spread[-1] > 2,
        }
    )


def _marginal(step: Callable[..., Any], t: int, t_prev: int) -> tuple[float, float]:
    """Mean factor and variance of x at t_prev, for x at t on the forward marginal of one x_0.

    The step is linear in (x, x0, z), so that three calls give its coefficients exactly.
    """
    betas = DDPMScheduler(**SD_BETAS).betas.double()
    ab = (1 - betas).cumprod(0)[t]
    one, zero = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    on_x, on_x0, on_z = (
        float(step(*where, t, t_prev, betas, z))
        for where, z in (((one, zero), zero), ((zero, one), zero), ((zero, zero), one))
    )
    return on_x * math.sqrt(ab) + on_x0, on_x**2 * float(1 - ab) + on_z**2


def keeps_the_marginals(ns: Namespace) -> None:
    """Mean and variance at t_prev are those of the forward process, for strides of 1 and more."""
    ab = (1 - DDPMScheduler(**SD_BETAS).betas.double()).cumprod(0)
    for t, t_prev in ((500, 499), (500, 480), (900, 700)):
        mean, variance = _marginal(ns["ddpm_step"], t, t_prev)
        wanted = (ab[t_prev].sqrt().item(), 1 - ab[t_prev].item())
        for name, got, want in zip(("mean", "variance"), (mean, variance), wanted, strict=True):
            assert abs(got - want) < 1e-6, f"{name} at {t} -> {t_prev}: {got:.4f}, not {want:.4f}"


def one_step_beta(x: Any, x0: Any, t: int, t_prev: int, betas: torch.Tensor, z: Any) -> Any:
    """The posterior step with the beta of a single training step, as in the mutant."""
    ab = (1 - betas).cumprod(0)
    a, a_prev, beta = ab[t], ab[t_prev], betas[t]
    mean = a_prev.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - a_prev) * x
    return mean / (1 - a) + ((1 - a_prev) / (1 - a) * beta).sqrt() * z


def respaced_with_the_wrong_beta() -> str:
    """Signal and noise after 500 -> 480 and after 500 -> 499, against the forward process."""
    ab = (1 - DDPMScheduler(**SD_BETAS).betas.double()).cumprod(0)
    ratios = {}
    for t_prev in (480, 499):
        mean, variance = _marginal(one_step_beta, 500, t_prev)
        ratios[t_prev] = (
            mean / ab[t_prev].sqrt().item(),
            math.sqrt(variance / (1 - ab[t_prev].item())),
        )
    dense_is_right = all(abs(r - 1) < 1e-6 for r in ratios[499])
    signal, noise = ratios[480]
    return only(
        {
            "too-little-signal": dense_is_right and signal < 0.95,
            "too-noisy": dense_is_right and abs(signal - 1) < 0.02 and noise > 1.02,
            "wrong-from-the-start": not dense_is_right,
            "harmless": abs(signal - 1) < 0.01 and abs(noise - 1) < 0.01,
        }
    )


# Code


def noises(ns: Namespace) -> None:
    """The learner's table and mixture against DDPMScheduler."""
    for config in (SD_BETAS, {"beta_schedule": "linear"}):
        scheduler = DDPMScheduler(**config)
        for shape, t in _batches():
            x0, eps = torch.randn(2, *shape, generator=seeded())
            got = ns["add_noise"](x0, eps, t, scheduler.betas)
            wanted = scheduler.add_noise(x0, eps, t)
            assert got.shape == wanted.shape, f"shape {tuple(got.shape)}, wanted {shape}"
            far = (got - wanted).abs().max().item()
            assert far < 1e-5, f"t={t.tolist()}: off by up to {far:.3g}"


def _batches() -> Iterator[tuple[tuple[int, ...], torch.Tensor]]:
    yield (3, 4, 8, 8), torch.tensor([0, 500, 999])
    yield (8, 4, 8, 8), torch.arange(0, 800, 100)
    yield (2, 16), torch.tensor([100, 700])

"""Proofs of the objective items: every key is recomputed with the installed diffusers.

`levels` builds a scheduler whose table holds just the noise levels of the question. `TwoPoints` is
data for which the best possible denoiser is known in closed form, so that claims about "the
network" can be checked without one.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel
from diffusers.training_utils import compute_snr

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def levels(cls: Any, alphas_cumprod: list[float], **config: Any) -> Any:
    """A scheduler whose timestep i has `alphas_cumprod[i]`, in double precision."""
    scheduler = cls(num_train_timesteps=len(alphas_cumprod), clip_sample=False, **config)
    scheduler.alphas_cumprod = torch.tensor(alphas_cumprod, dtype=torch.float64)
    scheduler.set_timesteps(len(alphas_cumprod))
    return scheduler


def amplitudes(scheduler: Any, t: int) -> tuple[float, float]:
    """How much of the signal and of the noise `add_noise` puts into x_t."""
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    at = torch.tensor([t])
    return (
        scheduler.add_noise(one, zero, at).item(),
        scheduler.add_noise(zero, one, at).item(),
    )


def predicted_x0(scheduler: Any, output: torch.Tensor, t: int, x_t: torch.Tensor) -> torch.Tensor:
    """What the scheduler takes the clean sample to be."""
    x0: torch.Tensor = scheduler.step(output, t, x_t).pred_original_sample
    return x0


def x0_error(prediction_type: str, ab: float, error: float) -> float:
    """How far the denoised sample moves when the network's output is off by `error`."""
    scheduler = levels(DDIMScheduler, [ab], prediction_type=prediction_type)
    x_t = torch.full((1,), 0.4, dtype=torch.float64)
    output = torch.full((1,), -0.3, dtype=torch.float64)
    exact = predicted_x0(scheduler, output, 0, x_t)
    return float((predicted_x0(scheduler, output + error, 0, x_t) - exact).abs())


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


class TwoPoints:
    """x_0 is -1 or +1 with equal chance; score and posterior mean are known exactly."""

    def posterior_mean(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """E[x_0 | x_t]."""
        return torch.tanh(ab.sqrt() * x / (1 - ab))

    def eps(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """What a network trained to the optimum of the eps-MSE returns."""
        return (x - ab.sqrt() * self.posterior_mean(x, ab)) / (1 - ab).sqrt()

    def log_density(self, x: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        """log p(x_t), up to a constant."""
        far = torch.stack([-((x - m * ab.sqrt()) ** 2) / (2 * (1 - ab)) for m in (-1, 1)])
        return torch.logsumexp(far, dim=0)


# Numbers and formulas


def loss_of_copying(ab: float) -> float:
    """E|x_t - eps|^2 for unit-variance data, from the amplitudes that add_noise applies."""
    signal, noise = amplitudes(levels(DDPMScheduler, [ab]), 0)
    exact = signal**2 + (noise - 1) ** 2
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, 400_000, 1, generator=generator)
    x_t = levels(DDPMScheduler, [ab]).add_noise(x0, eps, torch.zeros(len(x0), dtype=torch.long))
    assert abs(F.mse_loss(x_t, eps).item() / exact - 1) < 0.02
    return exact


def x0_from_v() -> list[tuple[dict[str, float], float]]:
    """What DDIMScheduler takes x_0 to be when the config says v_prediction."""
    draw = random.Random(1)
    pairs = []
    for _ in range(6):
        at = {"x_t": draw.uniform(-2, 2), "v": draw.uniform(-2, 2), "ab": draw.uniform(0.05, 0.95)}
        scheduler = levels(DDIMScheduler, [at["ab"]], prediction_type="v_prediction")
        x_t, v = (torch.tensor([at[n]], dtype=torch.float64) for n in ("x_t", "v"))
        pairs.append((at, predicted_x0(scheduler, v, 0, x_t).item()))
    return pairs


def min_snr_weight(target: str, snr: float) -> float:
    """The factor that turns the MSE of this target into min(SNR, 5) times the x_0-MSE."""
    ab = snr / (1 + snr)
    measured = compute_snr(levels(DDPMScheduler, [ab]), torch.tensor([0])).item()
    assert abs(measured / snr - 1) < 1e-5
    return float(min(measured, 5.0) * x0_error(target, ab, 1e-3) ** 2 / 1e-3**2)


# Choices


def emphasis_after_the_switch() -> str:
    """Weight of a clean against a noisy timestep in the x_0-loss, relative to the eps-loss."""
    ab = DDPMScheduler(**SD_BETAS).alphas_cumprod
    # The x_0-loss is the eps-loss times this factor, which is 1/SNR.
    clean, noisy = (x0_error("epsilon", ab[t].item(), 1e-3) ** 2 / 1e-6 for t in (100, 900))
    snr = ab[900] / (1 - ab[900])
    assert abs(noisy * snr.item() - 1) < 1e-3
    ratio = noisy / clean
    return only(
        {
            "noisy-counts-more": ratio > 1.5,
            "clean-counts-more": ratio < 1 / 1.5,
            "all-alike": clean == noisy == 1,
            "one-factor": ratio == 1 and clean != 1,
        }
    )


def from_one_prediction() -> set[str]:
    """Compare what follows from one eps with the truth that two-point data give in closed form."""
    data = TwoPoints()
    ab = DDIMScheduler(**SD_BETAS).alphas_cumprod.double()
    now, earlier = 600, 400
    x = torch.linspace(-1.5, 1.5, 9, dtype=torch.float64)
    eps = data.eps(x, ab[now])
    table = levels(DDIMScheduler, [ab[earlier].item(), ab[now].item()])
    stepped = table.step(eps, 1, x)
    x0, x_earlier = stepped.pred_original_sample, stepped.prev_sample
    v = table.get_velocity(x0, eps, torch.ones(9, dtype=torch.long))
    assert torch.allclose(x0, data.posterior_mean(x, ab[now]))
    as_v = levels(DDIMScheduler, [ab[now].item()], prediction_type="v_prediction")
    point = x.clone().requires_grad_()
    score = torch.autograd.grad(data.log_density(point, ab[now]).sum(), point)[0]
    found = {
        "v-hat": torch.allclose(predicted_x0(as_v, v, 0, x), x0),
        "score": torch.allclose(-eps / (1 - ab[now]).sqrt(), score),
        "ddim-latent": torch.allclose(
            x_earlier, ab[earlier].sqrt() * x0 + (1 - ab[earlier]).sqrt() * eps
        ),
        # The network would answer differently at the earlier latent.
        "later-eps": torch.allclose(data.eps(x_earlier, ab[earlier]), eps, atol=1e-2),
        # x_0 is -1 or 1, what comes out is the mean over both.
        "training-image": bool(((x0.abs() - 1).abs() < 1e-2).any()),
    }
    return {name for name, holds in found.items() if holds}


def samples_under(prediction_type: str) -> float:
    """Spread of samples of N(0, .5^2) when an optimal v-model is read as `prediction_type`."""
    scheduler = DDIMScheduler(
        **SD_BETAS, steps_offset=1, clip_sample=False, prediction_type=prediction_type
    )
    scheduler.set_timesteps(50)
    x = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    for t in scheduler.timesteps:
        ab = scheduler.alphas_cumprod[t]
        x0 = ab.sqrt() * 0.25 / (ab * 0.25 + 1 - ab) * x
        v = (ab.sqrt() * x - x0) / (1 - ab).sqrt()
        x = scheduler.step(v, t, x).prev_sample
    return float(x.std())


def read_the_target() -> str:
    """The one config entry that changes how DDIMScheduler reads the same output."""
    assert abs(samples_under("v_prediction") - 0.5) < 0.05
    assert samples_under("epsilon") > 4  # nine times the spread of the data
    output = torch.full((1, 1), 0.3)
    plain = DDIMScheduler(**SD_BETAS, clip_sample=False)
    readers = []
    for name, value in plain.config.items():
        if not isinstance(value, str) or name.startswith("_"):
            continue
        try:
            other = DDIMScheduler.from_config(plain.config, **{name: "v_prediction"})
        except (NotImplementedError, ValueError):
            continue
        steps = []
        for scheduler in (plain, other):
            try:
                scheduler.set_timesteps(10)
            except ValueError:
                break
            steps.append(scheduler.step(output, 500, torch.ones(1, 1)).pred_original_sample)
        if len(steps) == 2 and not torch.allclose(*steps):
            readers.append(name)
    assert len(readers) == 1
    return str(readers[0])


# The training step, ordered by what each part needs


class TrainingStep:
    """One step of latent text-to-image training; a part's arguments are the parts it needs."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, latent_channels=4)
        self.unet = UNet2DConditionModel(
            block_out_channels=(8,),
            down_block_types=("CrossAttnDownBlock2D",),
            up_block_types=("CrossAttnUpBlock2D",),
            cross_attention_dim=8,
            attention_head_dim=2,
            norm_num_groups=4,
            layers_per_block=1,
        )
        self.scheduler = DDPMScheduler(**SD_BETAS)

    def encode(self) -> torch.Tensor:
        latents = self.vae.encode(torch.rand(2, 3, 8, 8) * 2 - 1).latent_dist.sample()
        return latents.detach() * self.vae.config.scaling_factor

    def draw(self, encode: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.randn_like(encode), torch.randint(0, 1000, (len(encode),))

    def noise(self, encode: torch.Tensor, draw: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        noisy: torch.Tensor = self.scheduler.add_noise(encode, *draw)
        return noisy

    def predict(self, noise: torch.Tensor, draw: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        text = torch.randn(len(noise), 5, 8)
        prediction: torch.Tensor = self.unet(noise, draw[1], text).sample
        return prediction

    def loss(self, predict: torch.Tensor, draw: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return F.mse_loss(predict, draw[0])

    def update(self, loss: torch.Tensor) -> bool:
        loss.backward()
        torch.optim.SGD(self.unet.parameters(), lr=1e-3).step()
        return True


def training_step() -> list[str]:
    """Run the parts as soon as what they need is there, and write down the order."""
    step = TrainingStep()
    parts: dict[str, Callable[..., Any]] = {
        name: getattr(step, name)
        for name in ("update", "loss", "predict", "noise", "draw", "encode")
    }
    made: dict[str, Any] = {}
    while len(made) < len(parts):
        name = next(
            n
            for n, part in parts.items()
            if n not in made and set(inspect.signature(part).parameters) <= set(made)
        )
        needed = inspect.signature(parts[name]).parameters
        made[name] = parts[name](**{n: made[n] for n in needed})
    gradients = [p.grad for p in step.unet.parameters()]
    assert any(g is not None and g.abs().sum() > 0 for g in gradients)
    assert all(p.grad is None for p in step.vae.parameters())
    return list(made)


# Mutants


def per_sample(ns: Namespace) -> None:
    """The gradient of a sample scales with its own weight, whatever the shape of the batch."""
    for shape in ((4, 2, 4, 4), (3, 1, 2, 5)):
        snr = torch.tensor([0.5, 5.0, 20.0, 80.0])[: shape[0]]
        pred = torch.zeros(shape, requires_grad=True)
        loss = ns["min_snr_loss"](pred, torch.ones(shape), snr)
        (gradient,) = torch.autograd.grad(loss, pred)
        per_sample_gradient = gradient.flatten(1)
        assert torch.allclose(per_sample_gradient.amax(1), per_sample_gradient.amin(1)), (
            "the values of one sample got different weights"
        )
        share = per_sample_gradient[:, 0] / per_sample_gradient[0, 0]
        assert torch.allclose(share, snr.clamp(max=5) / snr)


def weights_on_columns() -> str:
    """Which index of the squared error the weight follows when batch and width are equal."""
    weight = torch.tensor([1.0, 0.5, 0.25, 0.1])
    pred = torch.zeros(4, 2, 4, 4, requires_grad=True)
    error = F.mse_loss(pred, torch.ones(4, 2, 4, 4), reduction="none")
    try:
        (gradient,) = torch.autograd.grad((weight * error).mean(), pred)
    except RuntimeError:
        return "raises"
    along = {n: gradient.mean([d for d in range(4) if d != n]) for n in (0, 3)}
    follows = {n: torch.allclose(g / g[0], weight) for n, g in along.items()}
    flat = {n: torch.allclose(g / g[0], torch.ones(4)) for n, g in along.items()}
    return only(
        {
            "columns": follows[3] and flat[0],
            "samples": follows[0],
            "plain-mse": flat[0] and flat[3],
        }
    )


def agrees_with_get_velocity(ns: Namespace) -> None:
    """A model that returns the scheduler's velocity has no loss."""
    scheduler = DDPMScheduler(**SD_BETAS)
    x0, eps = torch.randn(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([10, 500, 990])
    velocity = scheduler.get_velocity(x0, eps, t)
    loss = ns["v_loss"](lambda x_t, at: velocity, x0, eps, t, scheduler.alphas_cumprod)
    assert loss < 1e-10, f"the true velocity has a loss of {loss:.3f}"


def negated_velocity() -> str:
    """What DDIMScheduler denoises to, at SNR 1 and elsewhere, when the output is -v."""

    def unexplained(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Squared error that the best linear model of the target leaves."""
        return (target - (x * target).mean() / (x * x).mean() * x).square().mean()

    def denoised(ab: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        scheduler = levels(DDIMScheduler, [ab], prediction_type="v_prediction")
        x0, eps = torch.randn(2, 64, dtype=torch.float64, generator=generator)
        x_t = scheduler.add_noise(x0[:, None], eps[:, None], torch.zeros(64, dtype=torch.long))
        v = scheduler.get_velocity(x0[:, None], eps[:, None], torch.zeros(64, dtype=torch.long))
        same_loss.append(torch.allclose(unexplained(x_t, v), unexplained(x_t, -v)))
        return x0, eps, predicted_x0(scheduler, -v, 0, x_t)[:, 0]

    same_loss: list[bool] = []
    generator = torch.Generator().manual_seed(0)
    x0, eps, at_half = denoised(0.5)
    x0_clean, _, at_clean = denoised(0.9)
    return only(
        {
            "noise-instead": torch.allclose(at_half, eps),
            "negative": torch.allclose(at_half, -x0) and torch.allclose(at_clean, -x0_clean),
            "harmless": torch.allclose(at_half, x0),
            "loss-is-higher": not all(same_loss),
        }
    )


# Code


def converts(ns: Namespace) -> None:
    """Each target, formed from known x_0 and eps, must lead back to them."""
    convert = ns["x0_and_eps"]
    ab = DDPMScheduler(**SD_BETAS).alphas_cumprod.double()
    for shape, t in _batches():
        x0, eps = torch.randn(2, *shape, dtype=torch.float64, generator=_seeded())
        scheduler = DDPMScheduler(**SD_BETAS)
        scheduler.alphas_cumprod = ab
        x_t = scheduler.add_noise(x0, eps, t)
        outputs = {
            "epsilon": eps,
            "sample": x0,
            "v_prediction": scheduler.get_velocity(x0, eps, t),
        }
        for kind, output in outputs.items():
            got = convert(output, x_t, t, ab, kind)
            assert len(got) == 2, "return the pair (x0, eps)"
            for name, value, wanted in zip(("x0", "eps"), got, (x0, eps), strict=True):
                assert value.shape == wanted.shape, (
                    f"{kind}: {name} has shape {tuple(value.shape)}, wanted {shape}"
                )
                far = (value - wanted).abs().max().item()
                assert far < 1e-6, f"{kind}, t={t.tolist()}: {name} is off by up to {far:.3g}"
    try:
        convert(eps, x_t, t, ab, "flow")
    except ValueError:
        return
    raise AssertionError("an unknown prediction_type must raise ValueError")


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _batches() -> Iterator[tuple[tuple[int, ...], torch.Tensor]]:
    yield (3, 4, 8, 8), torch.tensor([20, 500, 980])
    yield (2, 16), torch.tensor([100, 700])
    yield (1, 4, 3, 8, 8), torch.tensor([400])

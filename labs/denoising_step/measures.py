"""What the experiments of this lab measure on latents and pictures: tensors in, numbers out."""

from __future__ import annotations

import math

from torch import Tensor


def errors(estimate: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of each sample, (N,)."""
    return (estimate - truth).double().square().flatten(1).mean(dim=1)


def rmse(estimate: Tensor, truth: Tensor) -> float:
    """Root of the mean squared error over all samples."""
    return math.sqrt(float(errors(estimate, truth).mean()))


def gain(estimate: Tensor, other: Tensor, truth: Tensor) -> tuple[float, float]:
    """By how much the squared error of `estimate` lies below that of `other`, and its error bar.

    The pairs share picture and noise; the bar is the standard error of the mean difference.
    """
    apart = errors(other, truth) - errors(estimate, truth)
    bar = float(apart.std()) / math.sqrt(len(apart)) if len(apart) > 1 else math.inf
    return float(apart.mean()), bar


def error_bars(apart: Tensor) -> float:
    """Mean of paired differences (N,), N from 2 up, in units of its standard error."""
    bar = float(apart.std()) / math.sqrt(len(apart))
    return float(apart.mean()) / max(bar, 1e-12)


def gradient_energy(pixels: Tensor) -> float:
    """Mean squared difference of neighbouring pixels, (N, 3, H, W); a blur lowers it."""
    across = (pixels[..., 1:] - pixels[..., :-1]).double().square().mean()
    down = (pixels[..., 1:, :] - pixels[..., :-1, :]).double().square().mean()
    return float(across + down)


def sharpness(pixels: Tensor, reference: Tensor) -> float:
    """Gradient energy over that of the reference pictures."""
    return gradient_energy(pixels) / max(gradient_energy(reference), 1e-12)


def psnr(pixels: Tensor, reference: Tensor) -> float:
    """Mean over pictures of the peak signal-to-noise ratio in dB, pixels in [0, 1]."""
    return float((-10 * errors(pixels, reference).clamp(min=1e-12).log10()).mean())

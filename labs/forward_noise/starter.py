"""The forward process: noise in a thousand small steps, and the same in one line.

    python labs/forward_noise/starter.py

Nothing here is learned. `x0` is data of about unit variance, `eps` ~ N(0, I), `t` counts from 0.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

T = 1000


# @schedules
def make_betas(name: str) -> Tensor:
    """Variance beta_t that step t adds, [T]."""
    if name == "linear":  # DDPM
        return torch.linspace(1e-4, 0.02, T)
    if name == "scaled_linear":  # Stable Diffusion: a straight line for sqrt(beta)
        return torch.linspace(0.00085**0.5, 0.012**0.5, T) ** 2
    # cosine: not the betas are prescribed, but what is left of the signal
    u = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    ab = torch.cos((u + 0.008) / 1.008 * torch.pi / 2) ** 2
    return (1 - ab[1:] / ab[:-1]).clamp(max=0.999).float()


# @chain
def run_chain(x0: Tensor, t: int, betas: Tensor, rng: Generator) -> Tensor:
    """x_t in t + 1 steps, each with a draw of its own."""
    x = x0
    for beta in betas[: t + 1]:
        z = torch.randn(x.shape, generator=rng)
        x = (1 - beta).sqrt() * x + beta.sqrt() * z
    return x


# @signal-left
def alphas_cumprod(betas: Tensor) -> Tensor:
    """alpha-bar_t: share of the signal's variance left after step t, [T]."""
    return torch.cumprod(1 - betas, dim=0)


# @closed-form
def add_noise(x0: Tensor, eps: Tensor, t: Tensor, ab: Tensor) -> Tensor:
    """x_t with one draw; x0, eps: [B, C, H, W]; t: [B], one for each sample."""
    a = ab[t].view(-1, 1, 1, 1)
    return a.sqrt() * x0 + (1 - a).sqrt() * eps


# @snr
def snr(ab: Tensor) -> Tensor:
    """Power of the signal over power of the noise; EDM's sigma is 1 / sqrt(SNR)."""
    return ab / (1 - ab)


# @zero-terminal-snr
def rescale_zero_terminal_snr(betas: Tensor) -> Tensor:
    """Betas whose last x_t is pure noise: shift sqrt(ab) to end at 0, stretch to keep its start."""
    root = alphas_cumprod(betas).sqrt()
    first, last = root[0], root[-1]
    ab = ((root - last) * first / (first - last)) ** 2
    return 1 - torch.cat([ab[:1], ab[1:] / ab[:-1]])


# @look
def main() -> None:
    rng = torch.Generator().manual_seed(0)
    betas = make_betas("scaled_linear")
    ab = alphas_cumprod(betas)

    print("x0 = 1.5 noised 100,000 times, scaled_linear")
    x0 = torch.full((100_000, 1, 1, 1), 1.5)
    print("   t   chain: mean   var   one draw: mean   var   sqrt(ab) x0   1-ab   beta_t")
    for t in (0, 100, 500):
        chain = run_chain(x0, t, betas, rng)
        at = torch.full((len(x0),), t)
        jump = add_noise(x0, torch.randn(x0.shape, generator=rng), at, ab)
        print(
            f"{t:4}   {chain.mean():11.3f}{chain.var():6.3f}   {jump.mean():14.3f}{jump.var():6.3f}"
            f"   {1.5 * ab[t].sqrt():11.3f}{1 - ab[t]:7.3f}{betas[t]:9.4f}"
        )

    print("\nwhat is left       sqrt(ab) at t=500   at t=999   SNR < 1 from t")
    for name in ("linear", "scaled_linear", "cosine"):
        for rescaled in (False, True):
            b = make_betas(name)
            ab = alphas_cumprod(rescale_zero_terminal_snr(b) if rescaled else b)
            label = name + (" rescaled" if rescaled else "")
            below = int((snr(ab) < 1).int().argmax())
            print(f"{label:22} {ab[500].sqrt():14.4f} {ab[-1].sqrt():10.6f} {below:16}")


if __name__ == "__main__":
    main()

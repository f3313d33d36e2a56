"""Samplers in the order of their ideas: DDIM, Euler, Heun, DPM-Solver++ 2M.

    python labs/scheduler_reading/starter.py

`ab` is alphas_cumprod. In DDIM's coordinates x = sqrt(ab) x0 + sqrt(1-ab) eps; over sqrt(ab) that
is x0 + sigma eps. For N(MEAN, STD^2) data the best network and the ODE's end are known exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor], Tensor]  # (x [B], ab) -> eps [B]
T, MEAN, STD = 1000, 0.2, 0.5
AB = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, T) ** 2, dim=0).double()
SIGMA = ((1 - AB) / AB).sqrt()


# @spacing
def timesteps(steps: int, spacing: str, offset: int = 1) -> Tensor:
    if spacing == "leading":  # counts up from the clean end, in whole strides
        return torch.arange(steps - 1, -1, -1) * (T // steps) + offset
    if spacing == "trailing":  # counts down from the noisy end
        return torch.arange(T, 0, -T / steps).round().long() - 1
    return torch.linspace(T - 1, 0, steps).round().long()  # linspace: both ends


# @ddim
def ddim(model: Network, noise: Tensor, ts: Tensor) -> Tensor:
    x = noise  # spread 1
    for ab, ab_prev in pairwise([*AB[ts], AB.new_ones(())]):
        eps = model(x, ab)
        x0 = (x - (1 - ab).sqrt() * eps) / ab.sqrt()
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


# @input
def eps_at(model: Network, x: Tensor, sigma: Tensor) -> Tensor:
    """What scale_model_input is for: trained on inputs of spread 1."""
    scaled = x / (sigma**2 + 1).sqrt()
    return model(scaled, 1 / (sigma**2 + 1))


# @euler
def euler(model: Network, noise: Tensor, sigmas: Tensor) -> Tensor:
    x = noise * (sigmas[0] ** 2 + 1).sqrt()
    for sigma, sigma_next in pairwise(sigmas):
        eps = eps_at(model, x, sigma)
        x = x + (sigma_next - sigma) * eps
    return x


# @heun
def heun(model: Network, noise: Tensor, sigmas: Tensor) -> Tensor:
    x = noise * (sigmas[0] ** 2 + 1).sqrt()
    for sigma, sigma_next in pairwise(sigmas):
        dt, here = sigma_next - sigma, eps_at(model, x, sigma)
        guess = x + dt * here
        ahead = eps_at(model, guess, sigma_next) if sigma_next > 0 else here
        x = x + dt * (here + ahead) / 2
    return x


# @dpm-solver
def dpm_solver_2m(model: Network, noise: Tensor, sigmas: Tensor) -> Tensor:
    """Second order from what the last step left behind; lambda = -log sigma is the time."""
    x, x0_last, h_last = noise * (sigmas[0] ** 2 + 1).sqrt(), None, None
    for sigma, sigma_next in pairwise(sigmas):
        x0 = x - sigma * eps_at(model, x, sigma)
        h, guess = sigma.log() - sigma_next.log(), x0  # h is infinite at the end
        if x0_last is not None and sigma_next > 0:
            r = h_last / h
            guess = x0 + (x0 - x0_last) / (2 * r)
        x = (sigma_next / sigma) * x - torch.expm1(-h) * guess
        x0_last, h_last = x0, h
    return x


# @look
def main() -> None:
    calls: list[int] = []

    def network(x: Tensor, ab: Tensor) -> Tensor:  # E[eps | x], a perfectly trained one
        calls.append(1)
        return (1 - ab).sqrt() * (x - ab.sqrt() * MEAN) / (ab * STD**2 + 1 - ab)

    for spacing in ("leading", "linspace", "trailing"):
        ts = timesteps(5, spacing)
        print(f"{spacing:9}", ts.tolist(), "sigma", [round(s, 2) for s in SIGMA[ts].tolist()])

    noise = torch.randn(10_000, generator=torch.Generator().manual_seed(0)).double()
    ts = timesteps(20, "trailing")
    to_zero = torch.cat([SIGMA[ts], SIGMA.new_zeros(1)])
    apart = (euler(network, noise, to_zero) - ddim(network, noise, ts)).abs().max()
    print(f"Euler and DDIM apart by up to {apart:.1e}")

    print("from 999 to 24 only, as the last jump to 0 would hide what the order saves:")
    first = noise * (SIGMA[999] ** 2 + 1).sqrt()  # the ODE keeps (x - MEAN) / sqrt(STD^2 + sigma^2)
    exact = MEAN + (first - MEAN) * ((STD**2 + SIGMA[24] ** 2) / (STD**2 + SIGMA[999] ** 2)).sqrt()
    for solver in (euler, heun, dpm_solver_2m):
        for steps in (10, 20, 40):
            calls.clear()
            end = solver(network, noise, SIGMA[torch.linspace(999, 24, steps + 1).round().long()])
            error = (end - exact).abs().mean()
            print(f"{solver.__name__:14} {steps} steps, {len(calls)} calls, error {error:.5f}")


if __name__ == "__main__":
    main()

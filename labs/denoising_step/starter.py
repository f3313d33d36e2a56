"""One denoising step: read the network's output, estimate x_0, go down one noise level.

    python labs/denoising_step/starter.py

`ab` is alphas_cumprod at the present timestep, `ab_prev` at the next, less noisy one (1 at the
end). The oracle that stands for a network knows x_0, so its output is perfect.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
T = 1000
AB = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, T) ** 2, dim=0)


# @targets
def target(x0: Tensor, eps: Tensor, ab: Tensor, prediction_type: str) -> Tensor:
    """What the network is trained to return."""
    if prediction_type == "epsilon":
        return eps
    if prediction_type == "sample":
        return x0
    return ab.sqrt() * eps - (1 - ab).sqrt() * x0  # v_prediction


# @read-the-output
def x0_and_eps(
    output: Tensor, x: Tensor, ab: Tensor, prediction_type: str
) -> tuple[Tensor, Tensor]:
    """The halves of x = sqrt(ab) x0 + sqrt(1-ab) eps, as the output implies."""
    signal, noise = ab.sqrt(), (1 - ab).sqrt()
    if prediction_type == "epsilon":
        return (x - noise * output) / signal, output
    if prediction_type == "sample":
        return output, (x - signal * output) / noise
    return signal * x - noise * output, noise * x + signal * output


# @ddpm-step
def ddpm_step(x0: Tensor, x: Tensor, ab: Tensor, ab_prev: Tensor, z: Tensor) -> Tensor:
    """A draw from q(x_prev | x, x0); x0 is the estimate, z ~ N(0, I)."""
    alpha = ab / ab_prev  # of the whole jump, also over skipped timesteps
    beta = 1 - alpha
    mean = ab_prev.sqrt() * beta * x0 + alpha.sqrt() * (1 - ab_prev) * x
    variance = beta * (1 - ab_prev) / (1 - ab)
    return mean / (1 - ab) + variance.sqrt() * z


# @ddim-step
def ddim_step(
    x0: Tensor, eps: Tensor, ab: Tensor, ab_prev: Tensor, z: Tensor, eta: float
) -> Tensor:
    """Keep the noise found in x (eta 0), or renew part of it (up to eta 1)."""
    beta = 1 - ab / ab_prev
    sigma = eta * (beta * (1 - ab_prev) / (1 - ab)).sqrt()
    direction = (1 - ab_prev - sigma**2).sqrt() * eps
    return ab_prev.sqrt() * x0 + direction + sigma * z


# @sample
def sample(network: Network, x: Tensor, steps: int, eta: float) -> list[Tensor]:
    """x before and after each step; network(x, ab) gives (x0, eps)."""
    rng = torch.Generator().manual_seed(1)
    stride = T // steps
    seen = [x]
    for t in range(T - 1, -1, -stride):  # 999, 999-stride, ...
        ab = AB[t]
        ab_prev = AB[t - stride] if t >= stride else torch.tensor(1.0)
        x0, eps = network(x, ab)
        z = torch.randn(x.shape, generator=rng)
        x = ddim_step(x0, eps, ab, ab_prev, z, eta)
        seen.append(x)
    return seen


# @look
def main() -> None:
    x0, eps, z = torch.randn(3, 10_000, generator=torch.Generator().manual_seed(0))
    print("an output that is off by .01 moves x0 by")
    print("   t   sqrt(ab)   epsilon   sample   v_prediction")
    for t in (0, 250, 500, 750, 999):
        ab = AB[t]
        x = ab.sqrt() * x0 + (1 - ab).sqrt() * eps
        true = {kind: target(x0, eps, ab, kind) for kind in ("epsilon", "sample", "v_prediction")}
        far = [(x0_and_eps(true[k] + 0.01, x, ab, k)[0] - x0).abs().mean() for k in true]
        print(f"{t:4} {ab.sqrt():10.4f} {far[0]:9.4f} {far[1]:8.4f} {far[2]:14.4f}")

    ab, ab_prev = AB[500], AB[480]
    x = ab.sqrt() * x0 + (1 - ab).sqrt() * eps
    ddpm = ddpm_step(x0, x, ab, ab_prev, z)
    for eta in (0.0, 0.5, 1.0):
        apart = (ddim_step(x0, eps, ab, ab_prev, z, eta) - ddpm).abs().max()
        print(f"eta {eta}: ddim_step and ddpm_step apart by up to {apart:.1e}")

    def oracle(x: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
        v = target(x0, (x - ab.sqrt() * x0) / (1 - ab).sqrt(), ab, "v_prediction")
        return x0_and_eps(v, x, ab, "v_prediction")

    for eta in (0.0, 1.0):
        left = [(x - x0).std() for x in sample(oracle, eps, 20, eta)]
        print(f"eta {eta}, distance to x0 on the way down:", *(f"{d:.2f}" for d in left[::4]))


if __name__ == "__main__":
    main()

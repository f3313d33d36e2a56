"""Classifier-free guidance with a denoiser that is exact, so that every effect is guidance's own.

The data are latents with unit noise around two means: the words `plus` and `minus` move one single
direction of 256. The best denoiser of such data has a closed form.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from torch import Tensor

PLUS, MINUS, EMPTY = 0, 1, 2
SHAPE = (4, 8, 8)
GAP = 1.0  # the means lie this many standard deviations from the middle
D = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
D = D / D.norm()
MEANS = GAP * torch.stack([D, -D])  # [2, 4, 8, 8]
# Row by row the words that may have been meant: plus, minus, and for the empty prompt both.
MEANT = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])

scheduler = DDIMScheduler(
    beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012,
    clip_sample=False, timestep_spacing="trailing",
)  # fmt: skip


# @exact-denoiser
def unet(x: Tensor, t: int, words: Tensor) -> Tensor:
    """E[eps | x_t, word] for x [B, 4, 8, 8] and words [B]."""
    ab = scheduler.alphas_cumprod[t]
    gaps = x[:, None] - ab.sqrt() * MEANS  # [B, 2, 4, 8, 8]: x_t has variance 1 at every t
    logits = -gaps.flatten(2).square().sum(2) / 2 + MEANT[words].log()  # [B, 2]
    weights = logits.softmax(1)[:, :, None, None, None]
    return (1 - ab).sqrt() * (weights * gaps).sum(1)


# @guided-eps
def guided_eps(
    denoiser: Callable[..., Tensor], x: Tensor, t: int, text: Tensor, empty: Tensor, s: float
) -> tuple[Tensor, Tensor]:
    """The guided and the conditional prediction, both [B, 4, 8, 8]."""
    x_in = torch.cat([x, x])  # [2B, 4, 8, 8]: the same latents twice
    words = torch.cat([empty, text])  # the empty half first
    eps_u, eps_c = denoiser(x_in, t, words).chunk(2)
    return eps_u + s * (eps_c - eps_u), eps_c


# @rescale
def rescale(eps: Tensor, eps_c: Tensor, phi: float) -> Tensor:
    """Pull the std of each guided sample back towards the conditional one's."""
    dims = list(range(1, eps.ndim))
    std_c = eps_c.std(dim=dims, keepdim=True)  # [B, 1, 1, 1]
    std = eps.std(dim=dims, keepdim=True)
    return phi * eps * (std_c / std) + (1 - phi) * eps


# @sample-loop
def sample(text: Tensor, empty: Tensor, x: Tensor, s: float, phi: float = 0.0) -> Tensor:
    """The loop of StableDiffusionPipeline, guidance included."""
    scheduler.set_timesteps(30)
    for t in scheduler.timesteps:
        if s > 1:
            eps, eps_c = guided_eps(unet, x, int(t), text, empty, s)
            eps = rescale(eps, eps_c, phi)
        else:
            eps = unet(x, int(t), text)
        x = scheduler.step(eps, t, x, return_dict=False)[0]  # [B, 4, 8, 8], never doubled
    return x


# @runs
def told(name: str, x: Tensor) -> None:
    """What the samples are along the direction that the word decides, and as a whole."""
    along = (x * D).sum(dim=(1, 2, 3))  # [B]
    right = (along > 0).float().mean()
    print(
        f"{name:34s} right {right:5.1%}   along D: mean {along.mean():5.2f} std {along.std():.2f}"
        f"   std of the whole {x.flatten(1).std(1).mean():.2f}"
    )


def main() -> None:
    """Scales, the identities, a negative prompt and the rescale, from the same noise."""
    noise = torch.randn(500, *SHAPE, generator=torch.Generator().manual_seed(1))
    plus, minus, empty = (torch.full((500,), word) for word in (PLUS, MINUS, EMPTY))
    for s in (0.0, 1.0, 3.0, 7.5, 20.0):
        told(f"plus, scale {s:g}", sample(plus, empty, noise, s))
    told("plus, scale 3, negative minus", sample(plus, minus, noise, 3.0))
    told("plus, scale 3, negative plus", sample(plus, plus, noise, 3.0))
    told("plus, scale 20, rescale 0.7", sample(plus, empty, noise, 20.0, phi=0.7))


if __name__ == "__main__":
    main()

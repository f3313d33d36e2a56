"""Where weights wait, what attention stores, what a clock sees: memory and speed in small.

    python labs/memory/starter.py

The card is a ledger: it holds nothing, but every byte that would lie on it is in its books.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention as fused

Part: TypeAlias = nn.Module


def size_of(part: Part) -> int:
    return sum(p.numel() * p.element_size() for p in part.parameters())


# @card
class Card:
    def __init__(self) -> None:
        self.held: dict[Part, int] = {}
        self.copied = self.peak = 0

    def put(self, part: Part) -> None:
        if part not in self.held:
            self.held[part] = size_of(part)
            self.copied += self.held[part]
        self.peak = max(self.peak, sum(self.held.values()))

    def drop(self, part: Part) -> None:
        self.held.pop(part, None)


# @model-offload
class Hook:
    def __init__(self, card: Card, part: Part, previous: Part | None) -> None:
        self.card, self.part, self.previous = card, part, previous

    def __call__(self, *_: object) -> None:
        if self.previous is not None:
            self.card.drop(self.previous)
        self.card.put(self.part)


def offload_models(card: Card, parts: list[Part]) -> None:
    for previous, part in zip([None, *parts], parts, strict=False):
        part.register_forward_pre_hook(Hook(card, part, previous))


# @sequential-offload
def offload_leaves(card: Card, parts: list[Part]) -> None:
    leaves = [m for part in parts for m in part.modules() if not list(m.children())]
    for leaf in leaves:
        leaf.register_forward_pre_hook(lambda m, _: card.put(m))
        leaf.register_forward_hook(lambda m, *_: card.drop(m))


# @sliced-attention
def sliced_attention(q: Tensor, k: Tensor, v: Tensor, rows: int) -> Tensor:
    """Softmax attention, `rows` queries at a time. q, k, v: [heads, n, d]."""
    out = torch.empty_like(q)
    for start in range(0, q.shape[1], rows):
        here = slice(start, start + rows)
        scores = q[:, here] @ k.mT * q.shape[-1] ** -0.5  # [heads, rows, n]
        out[:, here] = scores.softmax(dim=-1) @ v
    return out


# @clock
def now(wait: Callable[[], None]) -> float:
    wait()
    return time.perf_counter()


def seconds(run: Callable[[], object], wait: Callable[[], None]) -> float:
    started = now(wait)
    run()
    return now(wait) - started


# @pairs
def times_as_long(a: Callable[[], object], b: Callable[[], object], rounds: int) -> float:
    """How many times as long `a` takes as `b`: the median over pairs, after a warm-up."""
    a(), b()
    pairs = [(seconds(a, lambda: None), seconds(b, lambda: None)) for _ in range(rounds)]
    return median(ours / theirs for ours, theirs in pairs)


# @run
def main() -> None:
    torch.manual_seed(0)
    for steps in (2, 4):
        for offload in (offload_models, offload_leaves):
            text, vae = nn.Sequential(nn.Linear(64, 64)), nn.Sequential(nn.Linear(64, 32))
            unet = nn.Sequential(nn.Linear(64, 256), nn.SiLU(), nn.Linear(256, 64))
            card, x = Card(), torch.randn(1, 64)
            offload(card, [text, unet, vae])
            x = text(x)
            for _ in range(steps):
                x = unet(x)
            vae(x)
            print(
                f"{steps} steps, {offload.__name__}: {card.copied:7,} copied, {card.peak:7,} held"
            )

    q, k, v = torch.randn(3, 4, 1024, 32)  # 4 heads, 1,024 tokens
    half = q[:, :512], k[:, :512], v[:, :512]
    apart = (sliced_attention(q, k, v, 128) - fused(q, k, v)).abs().max()
    grown = times_as_long(lambda: fused(q, k, v), lambda: fused(*half), 9)
    print(f"scores: {16 * 1024**2:,} bytes at once, {16 * 128 * 1024:,} in slices of 128 rows")
    print(
        f"sliced and fused are {apart:.0e} apart; twice the tokens took {grown:.1f} times as long"
    )


if __name__ == "__main__":
    main()

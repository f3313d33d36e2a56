"""What every training stage shares: the resumable loop, its checkpoints and its progress line."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

CHECKPOINT_EVERY_S = 120.0
REPORT_EVERY_S = 10.0


@dataclass(frozen=True)
class LoopSettings:
    """``steps`` optimiser steps of a one-cycle AdamW with peak rate ``peak_lr``."""

    steps: int
    peak_lr: float
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float | None = None
    seed: int = 0


def one_cycle(step: int, steps: int, warm_up: float = 0.08) -> float:
    """Share of the peak rate: a linear rise over ``warm_up`` of the steps, then a cosine to 0."""
    rise = max(1.0, warm_up * steps)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1.0, steps - rise)))


def trained_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Names and parameters of what is trained; a frozen part takes no gradient."""
    return [(name, value) for name, value in module.named_parameters() if value.requires_grad]


def state_of_training(module: nn.Module) -> dict[str, torch.Tensor]:
    """The module's state without the frozen parameters, which a checkpoint need not repeat."""
    frozen = {name for name, value in module.named_parameters() if not value.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def load_state_of_training(module: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Put back what ``state_of_training`` gave; raises RuntimeError where the names differ."""
    wanted = set(state_of_training(module))
    if wanted != set(state):
        raise RuntimeError(f"the checkpoint is of another model: {sorted(wanted ^ set(state))[:3]}")
    module.load_state_dict(state, strict=False)


class Ema:
    """Exponential moving average of a module's parameters, with the usual warm-up of the decay."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: v.detach().clone() for name, v in trained_parameters(module)}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in trained_parameters(module):
            self.values[name].lerp_(value, 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        for name, value in trained_parameters(module):
            value.copy_(self.values[name])


def save_atomically(state: object, path: Path) -> None:
    """Write beside ``path`` and rename, so that a reader never sees half a file."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


@contextmanager
def pid_file(work: Path, stage: str) -> Iterator[None]:
    """Keep ``work/pids/STAGE`` holding this process's id, so that a run can be paused by signal."""
    path = work / "pids" / stage
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{os.getpid()}\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def share_of_work() -> tuple[int, int]:
    """This process's rank and the number of processes that train together."""
    if distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def part_of_batch(batch: int) -> int:
    """How many of a batch's examples this process takes."""
    return batch // share_of_work()[1]


@torch.no_grad()
def average_gradients(module: nn.Module, processes: int) -> None:
    """Replace every gradient by its mean over the processes, in one exchange."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= processes
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def train_loop(
    module: nn.Module,
    loss_of_step: Callable[[int, torch.Generator], tuple[torch.Tensor, dict[str, float]]],
    settings: LoopSettings,
    checkpoint: Path,
    resume: bool,
) -> float:
    """Train ``module`` in place, on its device, and return the seconds spent, earlier parts of the
    run included.

    ``loss_of_step(step, generator)`` gives the loss and figures for the progress line. The random
    generator is seeded from the seed, the step and the rank, so a resumed run draws what an
    unbroken one would. Processes that train together average their gradients, so each gives its
    share of the batch; the first of them reports and saves. The checkpoint holds
    ``model``, ``ema`` (or None), ``optimizer``, ``step``, ``seconds``.
    """
    trained = [value for _, value in trained_parameters(module)]
    device = trained[0].device
    optimizer = torch.optim.AdamW(
        trained, lr=settings.peak_lr, weight_decay=settings.weight_decay, fused=True
    )
    ema = Ema(module, settings.ema_decay) if settings.ema_decay else None
    rank, processes = share_of_work()
    first, spent = 0, 0.0
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        load_state_of_training(module, state["model"])
        optimizer.load_state_dict(state["optimizer"])
        if ema:
            ema.values = state["ema"]
        first, spent = int(state["step"]), float(state["seconds"])
        if rank == 0:
            print(f"resumed {checkpoint} at step {first}", flush=True)

    started = time.monotonic()

    def save(step: int) -> None:
        state: dict[str, Any] = {
            "model": state_of_training(module),
            "ema": ema.values if ema else None,
            "optimizer": optimizer.state_dict(),
            "step": step,
            "seconds": spent + time.monotonic() - started,
        }
        save_atomically(state, checkpoint)

    reported = saved = started
    mean: dict[str, float] = {}
    for step in range(first, settings.steps):
        rate = settings.peak_lr * one_cycle(step, settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        seed = (settings.seed * 1_000_003 + step) * processes + rank
        generator = torch.Generator().manual_seed(seed)
        loss, figures = loss_of_step(step, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if processes > 1:
            average_gradients(module, processes)
        nn.utils.clip_grad_norm_(trained, settings.gradient_clip)
        optimizer.step()
        if ema:
            ema.update(module, step)
        if rank:
            continue
        for name, value in {"loss": loss.item(), **figures}.items():
            mean[name] = value if name not in mean else 0.98 * mean[name] + 0.02 * value
        now = time.monotonic()
        last = step + 1 == settings.steps
        if last or now - reported >= REPORT_EVERY_S:
            reported = now
            took = (now - started) / (step + 1 - first)
            left = took * (settings.steps - step - 1) / 60
            text = "  ".join(f"{name} {value:.4f}" for name, value in mean.items())
            print(
                f"step {step + 1}/{settings.steps}  {text}  lr {rate:.1e}  "
                f"{took:.3f} s/step  {left:.0f} min left",
                flush=True,
            )
        if last or now - saved >= CHECKPOINT_EVERY_S:
            saved = now
            save(step + 1)
    return spent + time.monotonic() - started


def to_pixels(images: torch.Tensor) -> torch.Tensor:
    """uint8 (N, 64, 64, 3) to float32 (N, 3, 64, 64) in [0, 1]."""
    return images.permute(0, 3, 1, 2).float().div_(255)

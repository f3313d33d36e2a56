"""Proofs of the questions of lab memory: books of what moves, kept by the hooks themselves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from drill.lab.denoiser_inputs import latents_of
from drill.lab.live_bytes import tensor_peak
from drill.lab.loading import load_module
from drill.lab.random_models import build, empty_modules

Namespace = dict[str, Any]
LAB = Path(__file__).resolve().parents[3] / "labs" / "memory"
card_module = load_module(LAB / "card.py")


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# The chain of hooks


def models_with_books(ns: Namespace, steps: int) -> tuple[Any, list[int]]:
    """The card after an encode, `steps` UNet calls and a decode, and the sizes of the models."""
    parts = [nn.Linear(8, 8), nn.Linear(8, 64), nn.Linear(8, 16)]
    card = ns["Card"]()
    ns["offload_models"](card, parts)
    parts[0](torch.zeros(1, 8))
    for _ in range(steps):
        parts[1](torch.zeros(1, 8))
    parts[2](torch.zeros(1, 8))
    return card, [ns["size_of"](part) for part in parts]


def one_model_at_a_time(ns: Namespace) -> None:
    """Each model is copied once, and the peak is the largest of them."""
    for steps in (1, 5):
        card, sizes = models_with_books(ns, steps)
        assert card.copied == sum(sizes), f"{card.copied} bytes copied of {sum(sizes)}"
        assert card.peak == max(sizes), f"peak {card.peak}, largest model {max(sizes)}"
        assert sum(card.held.values()) == sizes[-1], "the last model alone stays"


def what_the_books_say(mutant: Namespace) -> str:
    """Bytes copied, the peak and what is left after five UNet calls."""
    card, sizes = models_with_books(mutant, 5)
    left = sum(card.held.values())
    return only(
        {
            "all-stay": card.copied == sum(sizes) and left == card.peak == sum(sizes),
            "each-step": card.copied > sum(sizes),
            "smaller": card.peak < max(sizes),
            "not-there": left == 0,
        }
    )


# Slices of attention


def heads() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """q, k, v of two heads with ten tokens."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, 2, 10, 4, generator=generator, dtype=torch.float64)
    return q, k, v


def does_not_depend_on_the_slice(ns: Namespace) -> None:
    """Attention as torch computes it, for every number of rows."""
    q, k, v = heads()
    wanted = nn.functional.scaled_dot_product_attention(q, k, v)
    for rows in (1, 3, 5, 10, 20):
        far = (ns["sliced_attention"](q, k, v, rows) - wanted).abs().max().item()
        assert far < 1e-9, f"rows={rows}: off by up to {far:.3g}"


def what_the_rows_depend_on(mutant: Namespace) -> str:
    """Change another query, and keys of other slices, and see which outputs follow."""
    q, k, v = heads()
    run = mutant["sliced_attention"]
    before = run(q, k, v, 5)
    other = q.clone()
    other[:, 1] += 1  # a query in the slice of query 0
    company = not torch.allclose(run(other, k, v, 5)[:, 0], before[:, 0])
    far_keys = k.clone()
    far_keys[:, 7] += 1  # a key of the other slice
    keys_cut = torch.allclose(run(q, far_keys, v, 5)[:, 0], before[:, 0])
    wanted = nn.functional.scaled_dot_product_attention(q, k, v)
    uneven = run(q, k, v, 4) - wanted
    changes = not torch.allclose(run(q, k, v, 2), before)
    return only(
        {
            "company": company and changes,
            "last-slice": bool(uneven[:, :8].abs().max() < 1e-9),
            "keys-cut": keys_cut,
            "rounding": bool(uneven.abs().max() < 1e-6),
        }
    )


# The clock


class Accelerator:
    """Takes work and answers at once; does it when it is waited for."""

    def __init__(self) -> None:
        self.queued = 0.0

    def launch(self, work: float) -> None:
        self.queued += work

    def wait(self) -> None:
        time.sleep(self.queued)
        self.queued = 0.0


def timed(ns: Namespace, work: float, before: float = 0.0) -> float:
    """What `seconds` reports for an amount of work, with some queued before."""
    device = Accelerator()
    device.launch(before)
    spent: float = ns["seconds"](lambda: device.launch(work), device.wait)
    return spent


def times_the_work(ns: Namespace) -> None:
    """The work itself is in the time, what was queued before is not."""
    for work, before in ((0.05, 0.0), (0.05, 0.2), (0.2, 0.0)):
        spent = timed(ns, work, before)
        assert spent >= work, f"{spent:.3f} s for work of {work} s"
        assert spent < work + 0.15 or before == 0, f"{spent:.3f} s: others' work is in it"


def what_is_timed(mutant: Namespace) -> str:
    """Compare work of 50 and 500 ms, and work that was queued before."""
    short, long = timed(mutant, 0.05), timed(mutant, 0.5)
    return only(
        {
            "launch": short < 0.04 and long < 0.04,
            "tenfold": long > 5 * short and long > 0.04,
            "before": timed(mutant, 0.05, before=0.3) > 0.3,
            "first-only": timed(mutant, 0.05) >= 0.05,
        }
    )


# What crosses


def moves(pipe: Any, card: Any, steps: int = 1) -> list[tuple[str, str]]:
    """What the hooks of model offload move during one picture: (component, `in` or `out`)."""
    log: list[tuple[str, str]] = []
    pipe.enable_model_cpu_offload(device=card.device)

    def watch(name: str, part: nn.Module) -> None:
        move = part.to

        def to(*args: Any, **kwargs: Any) -> Any:
            before = next(part.parameters()).device
            result = move(*args, **kwargs)
            after = next(part.parameters()).device
            if before != after:
                log.append((name, "in" if after == card.device else "out"))
            return result

        part.to = to

    for name, part in pipe.components.items():
        if isinstance(part, nn.Module):
            watch(name, part)
    pipe("a red star", num_inference_steps=steps, height=64, width=64, output_type="pt")
    return log


def sd3_bytes() -> float:
    """GB for the sizes of the question, by how often the hooks bring each component in."""
    size = {
        "text_encoder": 0.25, "text_encoder_2": 1.39, "text_encoder_3": 9.52,
        "transformer": 4.17, "vae": 0.17,
    }  # fmt: skip
    pipe = build("sd3-random", shrunken=True)
    order = [each for each in pipe.model_cpu_offload_seq.split("->") if each in size]
    assert order == list(size)
    with card_module.Card() as card, torch.no_grad():
        log = moves(pipe, card)
    there: set[str] = set()
    together = set()
    for name, where in log:
        (there.add if where == "in" else there.discard)(name)
        together.add(frozenset(there))
    assert frozenset({"text_encoder_2", "text_encoder_3"}) in together, "T5 stays beside bigG"
    return sum(size[name] for name, where in log if where == "in")


def what_the_vae_weighs_on_its_way() -> str:
    """Bytes copied beyond one copy of all weights by a shrunken SDXL, with and without upcast."""
    extra: dict[tuple[bool, int], float] = {}
    back: dict[bool, float] = {}
    for upcast, steps in ((True, 1), (True, 2), (False, 1)):
        pipe = build("sdxl-random", dtype=torch.float16, shrunken=True)
        pipe.vae.register_to_config(force_upcast=upcast)
        parts = [part for part in pipe.components.values() if isinstance(part, nn.Module)]
        weights = sum(p.numel() * p.element_size() for part in parts for p in part.parameters())
        own = sum(p.numel() * p.element_size() for p in pipe.vae.parameters())
        with card_module.Card() as card, torch.no_grad():
            log = moves(pipe, card, steps)
            extra[upcast, steps] = (card.to_card - weights) / own
            back[upcast] = card.to_cpu / weights
        assert [name for name, where in log if where == "in"].count("vae") == 1
    return only(
        {
            "upcast": all(abs(extra[True, s] - 1) < 0.1 for s in (1, 2)) and extra[False, 1] < 0.1,
            "comes-twice": extra[False, 1] > 0.9,
            "latents": abs(extra[True, 2] - extra[True, 1]) > 0.5,
            "back": back[True] < 0.5,
        }
    )


def decoder_peak(size: int) -> float:
    """MB of live tensors in the decode of one picture, counted on the meta device."""
    vae = empty_modules("sd15-random")["vae"].half()
    latents = latents_of(vae, size, 1, "meta", torch.float16)
    with torch.inference_mode():
        peak = tensor_peak(lambda: vae.decode(latents).sample, "meta")
    return peak / 1e6

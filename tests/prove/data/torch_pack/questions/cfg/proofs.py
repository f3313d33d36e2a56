"""Proofs against the installed diffusers."""

from __future__ import annotations

import diffusers


def entries(scheduler: str, steps: int) -> int:
    """Length of the list of timesteps."""
    made = getattr(diffusers, scheduler)()
    made.set_timesteps(steps)
    return len(made.timesteps)

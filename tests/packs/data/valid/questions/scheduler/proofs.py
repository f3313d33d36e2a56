"""Proofs of the sample pack; nothing here needs a library."""

from __future__ import annotations

from typing import Any


def calls(scheduler: str, steps: int) -> int:
    """Calls of the denoiser, from the rule of each scheduler."""
    return {"Euler": steps, "Heun": 2 * steps - 1}[scheduler]


def keeps_the_variance(namespace: dict[str, Any]) -> None:
    """sqrt(ab)**2 + sqrt(1-ab)**2 is one."""
    signal, noise = namespace["mix"](1.0, 0.0, 0.3), namespace["mix"](0.0, 1.0, 0.3)
    assert abs(signal**2 + noise**2 - 1) < 1e-9, (signal, noise)


def recovers_x0(namespace: dict[str, Any]) -> None:
    """The function inverts the forward process."""
    x_t = 0.5**0.5 * 2.0 + 0.5**0.5 * 3.0
    assert abs(namespace["x0_from_eps"](x_t, 3.0, 0.5) - 2.0) < 1e-9

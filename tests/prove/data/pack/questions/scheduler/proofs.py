"""Proofs in plain Python, so that the tests need no torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def slopes(steps: int, second_order: bool) -> int:
    """Count the slopes by walking the steps."""
    count = 0
    for step in range(steps):
        count += 2 if second_order and step < steps - 1 else 1
    return count


def calls(solver: str, steps: int) -> int:
    """Calls of the denoiser."""
    return slopes(steps, solver == "heun")


def mean_of_squares() -> float:
    """Mean of the squares of 1 to 10."""
    return sum(k * k for k in range(1, 11)) / 10


def symbolic() -> list[tuple[dict[str, int], tuple[int, ...]]]:
    """Shapes measured at three sizes."""
    found = []
    for b, h, w in ((1, 64, 64), (2, 512, 768), (3, 8, 256)):
        sides = [h, w]
        for _ in range(3):
            sides = [side // 2 for side in sides]
        found.append(({"B": b, "H": h, "W": w}, (b, 4, *sides)))
    return found


def line_of_slopes(code: str) -> str:
    """The line of the code shown that assigns `slopes`."""
    return next(line for line in code.split("\n") if line.strip().startswith("slopes ="))


def keeps_the_variance(namespace: dict[str, Any]) -> None:
    """Amplitudes for unit signal and unit noise have squares that sum to 1."""
    for ab in (0.1, 0.5, 0.9):
        signal = namespace["mix"](1.0, 0.0, ab)
        noise = namespace["mix"](0.0, 1.0, ab)
        total = signal**2 + noise**2
        assert math.isclose(total, 1.0), f"the variance is {total:.3f}, not 1\nab = {ab}"


def measured_effect(original: dict[str, Any], mutant: dict[str, Any]) -> str:
    """Compare the noise amplitudes of both."""
    good, bad = (space["mix"](0.0, 1.0, 0.5) for space in (original, mutant))
    return "clean" if bad < good else "noisy"


def order_of_a_step() -> list[str]:
    """Record the calls of a step."""
    done: list[str] = []

    def predict() -> float:
        done.append("predict")
        return 1.0

    def clean(noise: float) -> float:
        done.append("clean")
        return noise

    def move(sample: float) -> None:
        done.append("move")

    move(clean(predict()))
    return done


def slower_solver() -> str:
    """The solver with more slopes."""
    counts = {"euler": slopes(20, False), "heun": slopes(20, True)}
    return max(counts, key=lambda name: counts[name])


def odd_ones() -> set[str]:
    """Numbers of calls that some number of steps gives."""
    names = {"nineteen": 19, "twenty": 20, "thirtynine": 39}
    possible = {slopes(steps, True) for steps in range(1, 40)}
    return {name for name, count in names.items() if count in possible}


def name_of_solver() -> str:
    """The second-order one."""
    return slower_solver().capitalize()


def forward_points() -> list[tuple[dict[str, float], float]]:
    """The forward process step by step, by variances."""
    points = []
    for x0, eps, ab in ((1.0, 0.5, 0.2), (-1.5, 1.0, 0.7), (0.3, -2.0, 0.9)):
        signal, noise = math.sqrt(ab), math.sqrt(1 - ab)
        points.append(({"x0": x0, "eps": eps, "ab": ab}, signal * x0 + noise * eps))
    return points


def add_noise_properties(namespace: dict[str, Any]) -> list[tuple[str, Callable[[], None]]]:
    """Ends of the range, and the variance between them."""
    add_noise = namespace["add_noise"]

    def ends() -> None:
        assert add_noise(3.0, 7.0, 1.0) == 3.0, "at ab = 1 nothing is noised"
        assert add_noise(3.0, 7.0, 0.0) == 7.0, "at ab = 0 nothing is left of x0"

    def variance() -> None:
        for ab in (0.2, 0.8):
            total = add_noise(1.0, 0.0, ab) ** 2 + add_noise(0.0, 1.0, ab) ** 2
            assert math.isclose(total, 1.0), f"the variance is {total:.3f}\nab = {ab}"

    return [("ends", ends), ("variance", variance)]

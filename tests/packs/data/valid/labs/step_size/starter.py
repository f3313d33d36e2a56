"""Euler's method on x' = -x, whose exact value is exp(-1)."""

import sys
import time


# @walk
def walk(steps: int) -> float:
    x = 1.0
    for _ in range(steps):
        x -= x / steps  # [red]no markup[/] list[int]
    return x


# @show
for steps in (1, 2, 4, 8):
    print(f"{steps:>3} steps: {walk(steps):.4f}", flush=True)
    time.sleep(0.05)
print("\x1b[31mcoloured\x1b[0m [bold]no markup[/bold]", file=sys.stderr)

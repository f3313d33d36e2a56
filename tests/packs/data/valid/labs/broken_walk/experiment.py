"""broken-walk: x' = -x by Euler's method, with a bug that can be looked for and mended."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from io import BytesIO

from drill.lab import (
    Claim,
    Context,
    Experiment,
    Finding,
    Param,
    ParamError,
    Result,
    Transfers,
    finding,
    not_applicable,
)

STEPS = 8
BUGS = {"sign": -1.0, "half": 0.5}
"""What each case does to the slope."""
LOOKS = ("symptom", "values", "first-step", "libraries", "mend", "all")


def walk(slope: float) -> Iterator[float]:
    x = 1.0
    yield x
    for _ in range(STEPS):
        x -= slope * x / STEPS
        yield x


def mended(result: Result) -> Finding:
    wanted = f"an end near {math.exp(-1):.2f}"
    if result.outcomes["mended"] is None:
        return not_applicable("nothing was mended", wanted)
    return finding(result.outcomes["mended"], f"{result.metrics['end']:.2f}", wanted)


class BrokenWalk(Experiment):
    name = "broken-walk"
    params = (
        Param("case", "text", "sign", "what is broken", choices=tuple(BUGS)),
        Param("look", "text", "all", "symptom, a probe, mend or all"),
    )
    claims = (Claim("mend-removes-it", "With the mend the walk comes down.", mended),)
    outcomes = ("cause", "mended")
    seconds = 20

    def run(self, context: Context) -> Result:
        case, look = context.params["case"], context.params["look"]
        if look not in LOOKS:
            raise ParamError(f"look: {look!r} is none of {', '.join(LOOKS)}")
        if os.environ.get("BROKEN_WALK_DIES") == look:
            os._exit(7)
        mends = look in ("mend", "all")
        slope = 1.0 if mends else BUGS[case]
        context.progress(0, STEPS, "walking")
        values = list(walk(slope))
        says = f"The walk went from 1.00 to {values[-1]:.2f} in {STEPS} steps."
        if look == "first-step":
            lines = [f"x0 = {values[0]:.3f}", f"x1 = {values[1]:.3f}  [red]<- look[/red]"]
            says = f"The first step went by {values[1] - values[0]:+.3f}."
        elif look == "libraries":
            lines = ["math  is part of Python"]
            says = "Every library is as new as it can be."
        else:
            lines = [f"step {n}  {value:8.3f}" for n, value in enumerate(values)]
        if look in ("symptom", "mend", "all"):
            context.image(look, _bars(values), f"x over {STEPS} steps")
            context.plot("x", {"x": [(float(n), v) for n, v in enumerate(values)]}, "step")
        good = mends and abs(values[-1] - math.exp(-1)) < 0.05
        return Result(
            {"case": case, "look": look, "lines": lines, "end": values[-1]},
            {"cause": case if mends else "", "mended": good if mends else None},
            says,
            Transfers("yes", "A slope is a slope."),
        )


def _bars(values: list[float]) -> bytes:
    from PIL import Image

    picture = Image.new("RGB", (64 * 3, 64), (24, 32, 64))
    top = max(values)
    for n, value in enumerate(values):
        height = max(1, round(60 * value / top))
        picture.paste((235, 160, 60), (8 + 20 * n, 62 - height, 22 + 20 * n, 62))
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


EXPERIMENTS = (BrokenWalk(),)

"""step-size: Euler's method on x' = -x, whose exact value is known."""

from __future__ import annotations

import itertools
import math

from drill.lab import (
    Claim,
    Context,
    Experiment,
    Finding,
    Param,
    Result,
    Transfers,
    finding,
    not_applicable,
)


def error_falls(result: Result) -> Finding:
    errors = result.metrics["errors"]
    wanted = "each larger step count has a smaller error"
    if len(errors) < 2:
        return not_applicable("one step count only", wanted)
    falls = all(later < earlier for earlier, later in itertools.pairwise(errors))
    return finding(falls, ", ".join(f"{error:.4f}" for error in errors), wanted)


class StepSize(Experiment):
    name = "step-size"
    params = (Param("steps", "ints", (5, 10, 20), "step counts to compare", low=1, most=8),)
    claims = (
        Claim("error-falls-with-steps", "More steps come nearer to the reference.", error_falls),
    )
    outcomes = ("best_steps", "falls", "slope")
    seconds = 20

    def run(self, context: Context) -> Result:
        counts = sorted(set(context.params["steps"]))
        errors = []
        for k, count in enumerate(counts):
            context.progress(k, len(counts), "walking")
            x = 1.0
            for _ in range(count):
                x -= x / count
            errors.append(abs(x - math.exp(-1)))
            context.metric("error", errors[-1], count)
        context.plot(
            "error", {"error": list(zip(map(float, counts), errors, strict=True))}, "steps"
        )
        ends = math.log(errors[0] / errors[-1]), math.log(counts[-1] / counts[0] or 1)
        best = counts[errors.index(min(errors))]
        return Result(
            {"steps": counts, "errors": errors},
            {
                "best_steps": best,
                "falls": ["error"] if errors[-1] < errors[0] else [],
                "slope": -ends[0] / ends[1] if ends[1] else None,
            },
            f"From {counts[0]} to {counts[-1]} steps the error went from {errors[0]:.4f} to "
            f"{errors[-1]:.4f}.",
            Transfers("yes", "Euler's method is of first order whatever it is used on."),
        )


EXPERIMENTS = (StepSize(),)

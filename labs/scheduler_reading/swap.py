"""scheduler-swap: one model, one noise, nine schedulers; how far each is from the solution."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("swap_claims.py"))

NAMES = ("ddim", "euler", "heun", "pndm", "dpm++2m", "unipc", "euler-a", "ddpm", "lcm")
FINE = 100
"""Even steps of the reference, which makes ten more at the end; one of 500 is .0004 away from it on
the bundled model."""
PROMPTS = (
    "a large yellow heart on a purple background",
    "a small red star on a blue background",
    "a large green circle on a white background",
    "a small black cross on an orange background",
)


class SchedulerSwap(Experiment):
    name = "scheduler-swap"
    params = (
        Param("schedulers", "texts", NAMES, "schedulers to compare", choices=NAMES, most=9),
        Param(
            "steps", "ints", (5, 10, 20, 40),
            "steps of a run; Heun makes half of them, as it evaluates twice a step",
            low=2, high=100, most=6,
        ),
        Param("pictures", "int", 3, "pictures, each from its own noise", 1, 32),
        Param("guidance_scale", "float", 1, "above 1, each step evaluates twice", 0, 20),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "approach", "keep_changing", "same_pairs", "heun_calls", "pndm_calls", "multistep_ratio",
    )  # fmt: skip
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels
        from drill.lab.trajectory import prepare_texts

        solvers = load_module(Path(__file__).with_name("solvers.py"))
        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        count = given["pictures"]
        texts = prepare_texts(
            pipe, [PROMPTS[k % len(PROMPTS)] for k in range(count)], given["guidance_scale"]
        )
        noise = initial_latents(pipe, picture_seeds(context.seed, count))
        names = list(dict.fromkeys(given["schedulers"]))
        counts = sorted(set(given["steps"]))
        for steps in counts:
            if solvers.T % steps and {"ddim", "pndm"} & set(names):
                context.log(
                    f"{steps} steps do not divide 1000: DDIM and PNDM step by a stride of "
                    f"{solvers.T // steps}, past the timesteps of their own list"
                )
        made = {solvers.steps_of(name, steps) for name in names for steps in counts}
        stops = tuple(sorted(solvers.last_timestep(steps) for steps in made))
        fine = solvers.reference(
            pipe, texts, noise, FINE, stops,
            on_step=lambda done, total, _: context.progress(done, total, "the fine reference"),
        )  # fmt: skip
        # The exact way down to the last timestep of a run, and from there its last jump.
        jumped = {}
        for steps in sorted(made):
            stop = solvers.last_timestep(steps)
            jumped[steps] = solvers.jump(pipe, texts, fine.on_the_way.get(stop, noise), stop)

        found: dict[str, dict[str, Any]] = {}
        finals: dict[str, Any] = {}
        for place, name in enumerate(names):
            rows = []
            for steps in counts:
                context.progress(place, len(names), f"{name}, {steps} steps")
                rows.append(
                    solvers.run(
                        pipe, name, steps, texts, noise, seed=context.seed,
                        on_step=lambda done, total, latents: context.check(),
                    )
                )  # fmt: skip
            results = finals[name] = [each.latents for each in rows]
            own = [solvers.steps_of(name, steps) for steps in counts]
            found[name] = {
                "stochastic": solvers.SOLVERS[name].stochastic,
                "steps": own,
                "calls": [each.calls for each in rows],
                "evaluations": [each.evaluations for each in rows],
                "distance": [solvers.distance(each, fine.latents) for each in results],
                "last_jump": [solvers.distance(jumped[n], fine.latents) for n in own],
                "way": [solvers.distance(a, jumped[n]) for a, n in zip(results, own, strict=True)],
                "moved": [solvers.distance(a, b) for a, b in pairwise(results)],
            }
            for row, apart in zip(rows, found[name]["distance"], strict=True):
                context.metric(f"distance of {name}", apart, row.evaluations)
        metrics: dict[str, Any] = {
            "steps": counts,
            "pictures": count,
            "guidance_scale": given["guidance_scale"],
            "reference_evaluations": fine.evaluations,
            "schedulers": found,
            "apart": {
                f"{a} = {b}": solvers.distance(finals[a][-1], finals[b][-1])
                for a, b in claims.PAIRS
                if a in finals and b in finals
            },
        }
        self._show(context, metrics)
        context.progress(0, 1, "decoding")
        shown = min(count, 2)
        rows = [to_pixels(decode(pipe, fine.latents[:shown])).repeat_interleave(len(counts), 0)]
        for name in names:
            rows.append(
                to_pixels(
                    decode(pipe, _interleave([each[:shown] for each in finals[name]])),
                )
            )
        grid = pictures.grid([pictures.to_bytes(row) for row in rows], cell=96)
        context.image(
            "swap", pictures.png(grid),
            f"first row: the reference; then {', '.join(names)}. Columns: for each of {shown} "
            f"pictures {', '.join(map(str, counts))} steps",
        )  # fmt: skip
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _show(context: Context, metrics: dict[str, Any]) -> None:
        for name, label in (
            ("distance", "distance to the reference"),
            ("way", "distance before the last jump is counted"),
        ):
            series = {
                solver: list(zip(each["evaluations"], each[name], strict=True))
                for solver, each in metrics["schedulers"].items()
                if name == "distance" or not each["stochastic"]
            }
            context.plot(name, series, "evaluations of the denoiser", label)


def _interleave(results: list[Any]) -> Any:
    """(N, ...) for each number of steps to N times all numbers of steps."""
    import torch

    return torch.stack(results, dim=1).flatten(0, 1)


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    found = metrics["schedulers"]
    parts = [
        f"{name} {each['distance'][-1]:.3f} ({each['evaluations'][-1]:g} evaluations)"
        for name, each in found.items()
    ]
    text = (
        f"Distance to the solution of the ODE at the most steps: {', '.join(parts)}"
    )  # fmt: skip
    drawn = [name for name, each in found.items() if each["stochastic"]]
    if drawn:
        text += f"; {', '.join(drawn)} draw noise and have no such limit"
    return text + "."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very model, with these prompts.")
    return Transfers(
        "yes",
        "In kind: counts of evaluations, the two pairs that coincide and the noise of stochastic "
        "samplers follow from the update rules. How much a higher order saves, and at which count, "
        "depends on the model, its guidance and the spacing.",
    )


EXPERIMENTS = (SchedulerSwap(),)

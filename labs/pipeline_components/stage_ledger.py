"""pipeline-stage-ledger: one call of a pipeline by component: calls, rows, bytes, seconds."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module
from drill.lab.sampling import picture_seeds

claims = load_module(Path(__file__).with_name("stage_ledger_claims.py"))

PROMPT = "a large red star on a blue background"


class PipelineStageLedger(Experiment):
    name = "pipeline-stage-ledger"
    params = (
        Param(
            "steps", "ints", (4, 16), "two numbers of steps, compared",
            low=1, high=200, least=2, most=2,
        ),
        Param(
            "batches", "ints", (1, 4), "two numbers of pictures, compared at the fewer steps",
            low=1, high=64, least=2, most=2,
        ),
        Param("guidance_scale", "float", 5.0, "up to 1 the unconditional half does not run", 0, 30),
        Param("rounds", "int", 4, "calls of each kind; medians are taken", 3, 51),
        Param("prompt", "text", PROMPT, "prompt of every picture"),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "grow_with_steps", "denoiser_calls", "denoiser_rows", "text_encoder_calls",
        "tokenizer_calls", "no_weights", "most_time", "most_bytes", "vae_share_used",
        "decode_in_steps",
    )  # fmt: skip
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        stages = load_module(Path(__file__).with_name("stages.py"))
        given = context.params
        few, many = sorted(given["steps"])
        small, large = sorted(given["batches"])
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        kinds = {"few": (few, small), "many": (many, small), "batch": (few, large)}

        def stop_if_cancelled(*_: Any) -> dict[str, Any]:
            context.check()
            return {}

        def call(pipeline: Any, steps: int, count: int) -> Any:
            import torch

            made = [torch.Generator().manual_seed(s) for s in picture_seeds(context.seed, count)]
            return pipeline(
                [given["prompt"]] * count, num_inference_steps=steps, generator=made,
                guidance_scale=given["guidance_scale"], output_type="np",
                callback_on_step_end=stop_if_cancelled,
            ).images  # fmt: skip

        with stages.touched(pipe) as used:
            plain = call(_own_scheduler(pipe), few, small)  # warms up as well
        books: dict[str, list[Any]] = {name: [] for name in kinds}
        done, total = 0, (given["rounds"] + 1) * len(kinds)
        apart = 0.0
        timesteps: dict[str, int] = {}
        for turn in range(given["rounds"] + 1):
            for name, (steps, count) in kinds.items():
                context.progress(done, total, "calls with open books")
                ledger = stages.Ledger(context.device)
                with stages.watched(pipe, ledger) as watched:
                    started = time.perf_counter()
                    images = call(watched, steps, count)
                    ledger.total = time.perf_counter() - started
                    timesteps[name] = int(watched.num_timesteps)
                if name == "few":
                    apart = max(apart, float(abs(images - plain).max()))
                if turn:  # the first round warms up
                    books[name].append(ledger)
                done += 1
        context.progress(total, total, "calls with open books")

        metrics: dict[str, Any] = {
            "steps": [few, many],
            "batches": [small, large],
            "guidance_scale": given["guidance_scale"],
            "rounds": given["rounds"],
            "timesteps": timesteps,
            "calls": {name: _told(stages, each) for name, each in books.items()},
            "ratios": {
                "steps": _ratios(stages, books["many"], books["few"]),
                "batch": _ratios(stages, books["batch"], books["few"]),
            },
            "halves": median(_halves(each) for each in books["many"]),
            "components": stages.parameter_table(pipe),
            "used_bytes": dict(used),
            "apart": apart,
            "bundled": context.bundled,
        }
        self._report(context, stages, metrics)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))

    @staticmethod
    def _report(context: Context, stages: Any, metrics: dict[str, Any]) -> None:
        few, many = metrics["steps"]
        calls = metrics["calls"]
        series = {
            name: [
                (few, 1e3 * calls["few"]["stages"][name]["seconds"]),
                (many, 1e3 * calls["many"]["stages"][name]["seconds"]),
            ]
            for name in stages.STAGES
        }
        context.plot("time by component", series, "steps", "milliseconds of a call")
        context.log(table(metrics))
        for name in stages.STAGES:
            context.metric(f"share of time, {name}", calls["many"]["stages"][name]["share"])


def _own_scheduler(pipe: Any) -> Any:
    """A light pipeline of the same networks, so that the shared scheduler is not touched."""
    scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
    light = type(pipe)(**{**pipe.components, "scheduler": scheduler}, requires_safety_checker=False)
    light.set_progress_bar_config(disable=True)
    return light


def _told(stages: Any, ledgers: list[Any]) -> dict[str, Any]:
    """One kind of call: medians over the rounds; counts, rows and bytes are those of the last."""
    last = ledgers[-1]
    told: dict[str, Any] = {}
    for name in stages.STAGES:
        stage = last.stages[name]
        told[name] = {
            "calls": stage.calls,
            "rows": sorted(set(stage.rows)),
            "bytes": sorted(set(stage.handed_on)),
            "seconds": median(sum(each.stages[name].seconds) for each in ledgers),
            "share": median(sum(each.stages[name].seconds) / each.total for each in ledgers),
            "per_call": median(s for each in ledgers for s in each.stages[name].seconds),
            "peak": max(stage.allocated, default=None),
        }
    return {
        "stages": told,
        "seconds": median(each.total for each in ledgers),
        "rest_share": median(each.rest / each.total for each in ledgers),
        "least_rest": min(each.rest for each in ledgers),
    }


def _ratios(stages: Any, ours: list[Any], base: list[Any]) -> dict[str, float]:
    """Median over rounds of a stage's time over that in the other call of the same round."""

    def spent(ledger: Any, names: tuple[str, ...]) -> float:
        return sum(sum(ledger.stages[name].seconds) for name in names)

    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in stages.STAGES}
    groups["once a call"] = (stages.TEXT, stages.DECODE, stages.POST)
    return {
        label: median(
            spent(a, names) / spent(b, names) for a, b in zip(ours, base, strict=True)
        )
        for label, names in groups.items()
    }  # fmt: skip


def _halves(ledger: Any) -> float:
    """Median time of a denoiser call in the second half of the run over that in the first."""
    times = ledger.stages["denoiser"].seconds
    middle = len(times) // 2
    return median(times[middle:]) / median(times[: middle or 1])


def table(metrics: dict[str, Any]) -> str:
    """The books of the call with more steps, as text."""
    rows = [f"{'':14}{'calls':>6}{'rows':>7}{'gives bytes':>13}{'ms a call':>11}{'share':>8}"]
    for name, each in metrics["calls"]["many"]["stages"].items():
        rows.append(
            f"{name:14}{each['calls']:6}{'/'.join(map(str, each['rows'])):>7}"
            f"{max(each['bytes']):13,}{1e3 * each['per_call']:11.2f}{each['share']:8.1%}"
        )
    rows.append(f"{'rest':14}{'':37}{metrics['calls']['many']['rest_share']:8.1%}")
    for name, held in metrics["components"].items():
        used = metrics["used_bytes"].get(name, 0)
        rows.append(
            f"{name:14}{held['class']:24}{held['parameters']:>14,} parameters"
            f"{held['bytes']:>15,} bytes, used {used:,}"
        )
    return "\n".join(rows)


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    few, many = metrics["steps"]
    grown = metrics["ratios"]["steps"]
    stages = metrics["calls"]["many"]["stages"]
    denoiser, decode = stages["denoiser"], stages["VAE decode"]
    held = metrics["components"]
    weights = sum(each["bytes"] for each in held.values())
    return (
        f"With {many} steps the denoiser was called {denoiser['calls']} times and took "
        f"{denoiser['share']:.0%} of the call, with {held['unet']['bytes'] / weights:.0%} of the "
        f"weights; the VAE decoded once, for the time of "
        f"{decode['seconds'] / denoiser['per_call']:.1f} denoiser calls, and used "
        f"{metrics['used_bytes']['vae'] / held['vae']['bytes']:.0%} of its weights. From {few} to "
        f"{many} steps the denoiser's time grew {grown['denoiser']:.1f} times, that of "
        f"text encoder, decoder and post-processing together "
        f"{grown['once a call']:.1f} times."
    )


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very pipeline and machine.")
    return Transfers(
        "yes",
        "In counts: which component is called how often, and what grows with steps or batch, is "
        "the pipeline's code. Shares are this model's and this machine's; in large models T5 may "
        "hold a third of the weights and the decoder of a large picture takes more steps' worth.",
    )


EXPERIMENTS = (PipelineStageLedger(),)

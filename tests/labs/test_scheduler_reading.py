"""The lab scheduler_reading: its starter and solvers against diffusers, its claims on made-up
numbers, its experiments on random weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drill.lab import Context, Result
from drill.lab.experiment import Experiment, check_claims
from drill.lab.loading import load_experiment, load_module
from drill.lab.manifest import find_experiment, read_labs
from drill.lab.params import resolve
from drill.worker.protocol import Event, Image, Log, Plot, Progress
from tests.labs.runs import holding, put, result_of, run_here

# diffusers 0.42 hands tensors to numpy in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "scheduler_reading"
EXPERIMENTS = {
    "scheduler-swap": "swap",
    "euler-equals-ddim": "identity",
    "missing-scale-model-input": "ablation",
    "timestep-spacing": "spacing",
}
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def module(name: str) -> ModuleType:
    return load_module(LAB / f"{name}.py")


def found(name: str, metrics: dict[str, Any]) -> dict[str, bool | None]:
    claims = module(f"{EXPERIMENTS[name]}_claims")
    return holding(claims.CLAIMS, result_of(metrics, claims.outcomes(metrics)))


def experiment(name: str) -> Experiment:
    return load_experiment(LAB / f"{EXPERIMENTS[name]}.py", name)


def held_by(name: str, result: Result) -> dict[str, bool | None]:
    return holding(experiment(name).claims, result)


def run(name: str, models: Path, **params: Any) -> tuple[Result, list[Event]]:
    return run_here(experiment(name), models, **params)


# Made-up numbers, near to those of the bundled model


def swap() -> dict[str, Any]:
    def row(
        steps: list[int], calls: list[int], distance: list[float], way: list[float],
        stochastic: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "stochastic": stochastic,
            "steps": steps,
            "calls": calls,
            "evaluations": [float(each) for each in calls],
            "distance": distance,
            "way": way,
            "last_jump": [0.066, 0.048, 0.038, 0.0295],
            "moved": [0.42, 0.36, 0.43] if stochastic else [0.08, 0.04, 0.02],
        }

    usual = [5, 10, 20, 40]
    ddim = [0.17, 0.097, 0.059, 0.038]
    return {
        "steps": usual,
        "pictures": 3,
        "guidance_scale": 1.0,
        "reference_evaluations": 72.0,
        "schedulers": {
            "ddim": row(usual, usual, ddim, [0.147, 0.082, 0.044, 0.0226]),
            "euler": row(usual, usual, ddim, [0.147, 0.082, 0.044, 0.0226]),
            "heun": row([3, 5, 10, 20], [5, 9, 19, 39], [0.13, 0.073, 0.049, 0.0385],
                        [0.10, 0.05, 0.0146, 0.0036]),
            "pndm": row(usual, [6, 11, 21, 41], [0.16, 0.049, 0.033, 0.023],
                        [0.16, 0.037, 0.011, 0.009]),
            "dpm++2m": row(usual, usual, [0.109, 0.059, 0.041, 0.030],
                           [0.077, 0.032, 0.011, 0.0027]),
            "euler-a": row(usual, usual, [0.51, 0.50, 0.48, 0.53], [0.5] * 4, stochastic=True),
            "ddpm": row(usual, usual, [0.51, 0.50, 0.48, 0.53], [0.5] * 4, stochastic=True),
        },
        "apart": {"euler = ddim": 2e-7, "euler-a = ddpm": 5e-7},
    }  # fmt: skip


def identity() -> dict[str, Any]:
    return {
        "steps": 20,
        "uneven": 30,
        "apart": 2.3e-7,
        "largest_on_the_way": 2.3e-6,
        "on_the_way": [1e-6, 2.3e-6],
        "float32": True,
        "clip_reached": 4.6,
        "changed": {
            "init-noise-sigma": 1.7e-3,
            "ddim-ends-at-ab0": 2.7e-2,
            "both-end-at-ab0": 2.3e-7,
            "class-defaults": 3.1e-2,
            "both-leading": 3.3e-7,
            "both-linspace": 4.6e-2,
            "uneven-steps": 6.2e-3,
            "karras-in-euler": 4.2e-3,
            "clip-sample": 1.7,
            "ddpm-and-euler-a": 2.3e-7,
        },
    }


def ablation() -> dict[str, Any]:
    def arm(first: float, std: float, distance: float, share: float, said: int) -> dict[str, Any]:
        return {
            "input_std": [first, 1.0],
            "final_std": std,
            "distance": distance,
            "adherence": share,
            "warnings": said,
        }

    return {
        "steps": 20,
        "pictures": 20,
        "guidance_scale": 1.0,
        "first_sigma": 14.6146,
        "bundled": True,
        "ddim_changed_by": 0.0,
        "arms": {
            "right": arm(0.995, 0.927, 0.0, 0.85, 0),
            "no scale_model_input": arm(14.58, 0.706, 0.68, 0.55, 20),
            "no init_noise_sigma": arm(0.068, 0.87, 0.69, 0.65, 0),
            "neither": arm(0.997, 0.70, 0.72, 0.55, 20),
        },
    }


def spacing() -> dict[str, Any]:
    usual = {
        "leading": {"2": [501, 1], "3": [667, 334, 1], "10": [*range(901, 0, -100)]},
        "linspace": {"2": [999, 0], "3": [999, 500, 0], "10": [999 - 111 * k for k in range(10)]},
        "trailing": {"2": [999, 499], "3": [999, 666, 332], "10": [*range(999, 0, -100)]},
    }
    multistep = {
        "leading": {"2": [667, 334], "3": [751, 501, 251], "10": [901 - 90 * k for k in range(10)]},
        "linspace": {
            "3": [999, 666, 333],
            "10": [999, 899, 799, 699, 599, 500, 400, 300, 200, 100],
        },
        "trailing": usual["trailing"],
    }
    distances = {
        ("ddim", 2): (0.55, 0.70, 0.31), ("euler", 2): (0.55, 0.65, 0.31),
        ("ddim", 3): (0.289, 0.587, 0.197), ("euler", 3): (0.289, 0.285, 0.197),
        ("ddim", 10): (0.060, 0.111, 0.079), ("euler", 10): (0.060, 0.074, 0.079),
    }  # fmt: skip
    spread = {"leading": 0.775, "linspace": 0.86, "trailing": 0.895}
    table = [0.99915 - 0.9945 * (t / 999) for t in range(1000)]
    return {
        "steps": [2, 3, 10],
        "pictures": 12,
        "guidance_scale": 1.0,
        "bundled": True,
        "alphas_cumprod": table,
        "lists": {
            name: copy.deepcopy(multistep if name in ("dpm++2m", "unipc") else usual)
            for name in ("ddim", "euler", "pndm", "dpm++2m", "unipc")
        },
        "runs": [
            {
                "scheduler": name, "steps": steps, "spacing": kind, "distance": value,
                "final_std": spread[kind], "adherence": 0.8,
            }
            for (name, steps), row in distances.items()
            for kind, value in zip(("leading", "linspace", "trailing"), row, strict=True)
        ],
    }  # fmt: skip


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "scheduler-swap": swap,
    "euler-equals-ddim": identity,
    "missing-scale-model-input": ablation,
    "timestep-spacing": spacing,
}


@pytest.mark.parametrize("name", GOOD)
def test_all_claims_hold_on_good_numbers(name: str) -> None:
    held = found(name, GOOD[name]())
    assert set(held.values()) == {True}, held


@pytest.mark.parametrize(
    ("name", "claim", "changes"),
    [
        ("scheduler-swap", "ode-solvers-approach", {"schedulers/heun/distance/3": 0.09}),
        ("scheduler-swap", "ode-solvers-approach", {"schedulers/dpm++2m/distance/3": 0.07}),
        ("scheduler-swap", "stochastic-do-not", {"schedulers/ddpm/distance/3": 0.3}),
        ("scheduler-swap", "stochastic-do-not", {"schedulers/ddpm/moved/2": 0.1}),
        ("scheduler-swap", "calls-as-counted", {"schedulers/heun/calls/3": 40}),
        ("scheduler-swap", "calls-as-counted", {"schedulers/pndm/calls/0": 5}),
        ("scheduler-swap", "multistep-saves", {"schedulers/dpm++2m/way/1": 0.06}),
        ("scheduler-swap", "first-and-second-order", {"schedulers/ddim/way/3": 0.05}),
        ("scheduler-swap", "first-and-second-order", {"schedulers/ddim/way/3": 0.005}),
        ("scheduler-swap", "first-and-second-order", {"schedulers/heun/way/3": 0.012}),
        ("scheduler-swap", "last-jump-dominates", {"schedulers/dpm++2m/last_jump/3": 0.01}),
        ("scheduler-swap", "same-pairs", {"apart/euler = ddim": 0.01}),
        ("euler-equals-ddim", "identical", {"apart": 1e-3}),
        ("euler-equals-ddim", "identical", {"largest_on_the_way": 1e-3}),
        ("euler-equals-ddim", "kept", {"changed/both-leading": 1e-3}),
        ("euler-equals-ddim", "broken", {"changed/both-linspace": 1e-6}),
        ("euler-equals-ddim", "start-costs-little", {"changed/init-noise-sigma": 0.01}),
        ("missing-scale-model-input", "only-warnings", {"arms/neither/warnings": 19}),
        ("missing-scale-model-input", "only-warnings", {"arms/right/warnings": 1}),
        ("missing-scale-model-input", "shown-wrong-scale", {"arms/right/input_std/0": 1.2}),
        (
            "missing-scale-model-input",
            "shown-wrong-scale",
            {"arms/no scale_model_input/input_std/0": 1.0},
        ),
        (
            "missing-scale-model-input",
            "shown-wrong-scale",
            {"arms/no init_noise_sigma/input_std/0": 1.0},
        ),
        ("missing-scale-model-input", "too-smooth", {"arms/no scale_model_input/final_std": 0.9}),
        (
            "missing-scale-model-input",
            "adherence-falls",
            {"arms/no scale_model_input/adherence": 0.8},
        ),
        ("missing-scale-model-input", "another-picture", {"arms/neither/distance": 0.1}),
        ("missing-scale-model-input", "ddim-does-not-care", {"ddim_changed_by": 1e-7}),
        ("timestep-spacing", "leading-starts-late", {"lists/ddim/leading/3/0": 999}),
        ("timestep-spacing", "leading-starts-late", {"lists/ddim/trailing/10/0": 901}),
        ("timestep-spacing", "one-word-many-lists", {"lists/euler/leading/10/3": 640}),
        (
            "timestep-spacing",
            "one-word-many-lists",
            {"lists/dpm++2m/leading/10": [*range(901, 0, -100)],
             "lists/unipc/leading/10": [*range(901, 0, -100)]},
        ),
        ("timestep-spacing", "trailing-at-few", {"runs/2/distance": 0.5}),
        ("timestep-spacing", "leading-at-more", {"runs/12/distance": 0.2}),
        ("timestep-spacing", "linspace-trips-ddim", {"runs/7/distance": 0.3}),
        ("timestep-spacing", "leading-is-flat", {"runs/0/final_std": 0.89}),
    ],
)  # fmt: skip
def test_each_claim_can_fail(name: str, claim: str, changes: dict[str, Any]) -> None:
    metrics = copy.deepcopy(GOOD[name]())
    for path, value in changes.items():
        put(metrics, path, value)
    assert found(name, metrics)[claim] is False


def test_every_claim_was_seen_to_fail() -> None:
    marks = test_each_claim_can_fail.pytestmark
    (cases,) = [mark.args[1] for mark in marks if mark.name == "parametrize"]
    broken = {(name, claim) for name, claim, _ in cases}
    for name in EXPERIMENTS:
        assert {claim for each, claim in broken if each == name} == {
            claim.name for claim in experiment(name).claims
        }


@pytest.mark.parametrize(
    ("name", "changes", "claims"),
    [
        (
            "scheduler-swap",
            {"steps": [5, 8]},
            {"ode-solvers-approach", "stochastic-do-not", "multistep-saves",
             "first-and-second-order", "last-jump-dominates"},
        ),
        ("scheduler-swap", {"apart": {}}, {"same-pairs"}),
        (
            "scheduler-swap",
            {"guidance_scale": 3.0},
            {"multistep-saves", "first-and-second-order"},
        ),
        ("euler-equals-ddim", {"changed": {}}, {"kept", "broken", "start-costs-little"}),
        ("euler-equals-ddim", {"float32": False}, {"identical", "kept"}),
        ("euler-equals-ddim", {"steps": 30}, {"identical", "kept"}),
        ("missing-scale-model-input", {"bundled": False}, {"too-smooth"}),
        ("missing-scale-model-input", {"guidance_scale": 3.0}, {"adherence-falls"}),
        ("missing-scale-model-input", {"pictures": 4}, {"adherence-falls"}),
        (
            "timestep-spacing",
            {"guidance_scale": 3.0},
            {"trailing-at-few", "leading-at-more", "leading-is-flat"},
        ),
        (
            "timestep-spacing",
            {"bundled": False},
            {"trailing-at-few", "leading-at-more", "linspace-trips-ddim", "leading-is-flat"},
        ),
    ],
)  # fmt: skip
def test_claims_about_what_a_run_lacks_are_not_applicable(
    name: str, changes: dict[str, Any], claims: set[str]
) -> None:
    held = found(name, GOOD[name]() | changes)
    assert {claim for claim, holds in held.items() if holds is None} == claims


def test_outcomes_on_good_numbers() -> None:
    outcomes = {name: module(f"{EXPERIMENTS[name]}_claims").outcomes(GOOD[name]()) for name in GOOD}
    assert outcomes["scheduler-swap"] == {
        "approach": ["ddim", "euler", "heun", "pndm", "dpm++2m"],
        "keep_changing": ["euler-a", "ddpm"],
        "same_pairs": ["euler = ddim", "euler-a = ddpm"],
        "heun_calls": 39,
        "pndm_calls": 41,
        "multistep_ratio": pytest.approx(0.39, abs=0.01),
    }
    assert outcomes["euler-equals-ddim"]["keeps"] == [
        "both-end-at-ab0", "both-leading", "ddpm-and-euler-a",
    ]  # fmt: skip
    assert outcomes["euler-equals-ddim"]["largest"] == "clip-sample"
    assert outcomes["missing-scale-model-input"]["comes_out"] == "too smooth"
    assert outcomes["missing-scale-model-input"]["ddim_changes"] == "no"
    assert outcomes["timestep-spacing"]["nearest_at_fewest"] == "trailing"
    assert outcomes["timestep-spacing"]["nearest_at_most"] == "leading"
    assert outcomes["timestep-spacing"]["sees_the_noisy_end"] == ["linspace", "trailing"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_lab_yaml_agrees_with_the_code(name: str) -> None:
    info = find_experiment(read_labs(ROOT), name)
    made = experiment(name)
    assert info.params == made.params
    assert [(c.name, c.says) for c in info.claims] == [(c.name, c.says) for c in made.claims]
    assert (info.outcomes, info.seconds) == (made.outcomes, made.seconds)


# Starter and solvers against diffusers


@pytest.fixture(scope="module")
def starter() -> ModuleType:
    return load_module(LAB / "starter.py")


@pytest.mark.labs
@pytest.mark.parametrize("kind", ["leading", "linspace", "trailing"])
@pytest.mark.parametrize("steps", [3, 5, 20, 50])
def test_the_starters_timesteps_are_diffusers(starter: Any, kind: str, steps: int) -> None:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(**SD_BETAS, steps_offset=1, timestep_spacing=kind)
    scheduler.set_timesteps(steps)
    assert starter.timesteps(steps, kind).tolist() == scheduler.timesteps.tolist()


@pytest.mark.labs
@pytest.mark.parametrize(
    ("sampler", "cls"),
    [
        ("ddim", "DDIMScheduler"),
        ("euler", "EulerDiscreteScheduler"),
        ("heun", "HeunDiscreteScheduler"),
        ("dpm_solver_2m", "DPMSolverMultistepScheduler"),
    ],
)
def test_the_starters_samplers_are_diffusers(starter: Any, sampler: str, cls: str) -> None:
    import diffusers
    import torch

    config = {"clip_sample": False} if cls in ("DDIMScheduler", "HeunDiscreteScheduler") else {}
    scheduler = getattr(diffusers, cls)(**SD_BETAS, timestep_spacing="trailing", **config)
    scheduler.set_timesteps(20)
    noise = torch.randn(64, generator=torch.Generator().manual_seed(0))

    def model(x: Any, ab: Any) -> Any:
        return torch.tanh(x) * (1 - ab).sqrt()

    ts = starter.timesteps(20, "trailing")
    levels = torch.cat([starter.SIGMA[ts], torch.zeros(1)])
    where = ts if sampler == "ddim" else levels
    got = getattr(starter, sampler)(model, noise.double(), where)
    x = noise
    if float(scheduler.init_noise_sigma) != 1:
        x = noise * (float(scheduler.sigmas[0]) ** 2 + 1) ** 0.5
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t)
        eps = model(scaled.double(), starter.AB[int(t)])
        x = scheduler.step(eps.float(), t, x).prev_sample
    assert (got - x).abs().max() < 1e-4


@pytest.mark.labs
def test_a_solver_starts_all_schedulers_at_one_point(pipe: Any) -> None:
    import torch

    solvers = module("solvers")
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for name in solvers.SOLVERS:
        scheduler = solvers.make(pipe, name, 10)
        first = solvers.start(scheduler, noise)
        sigma = float(scheduler.sigmas[0]) if hasattr(scheduler, "sigmas") else 0
        scale = (sigma**2 + 1) ** 0.5 if solvers.scaled(scheduler) else 1
        assert torch.allclose(first / scale, noise, atol=1e-5), name
        assert solvers.scaled(scheduler) is (name in ("euler", "euler-a", "heun"))


@pytest.mark.labs
@pytest.mark.parametrize(("steps", "last"), [(5, 199), (10, 99), (40, 24), (3, 332), (20, 49)])
def test_the_last_timestep_of_trailing_spacing(pipe: Any, steps: int, last: int) -> None:
    solvers = module("solvers")
    assert solvers.last_timestep(steps) == last
    assert int(solvers.make(pipe, "ddim", steps).timesteps[-1]) == last


@pytest.mark.labs
def test_distance_is_relative_and_by_picture() -> None:
    import torch

    solvers = module("solvers")
    one = torch.ones(2, 4, 8, 8)
    other = one * torch.tensor([1.1, 1.3]).view(2, 1, 1, 1)
    assert solvers.distance(other, one) == pytest.approx(0.2)
    assert solvers.distance(one, one) == 0


@pytest.mark.labs
def test_counts_and_switches_of_a_watched_run(pipe: Any) -> None:
    import torch

    from drill.lab.sampling import initial_latents
    from drill.lab.trajectory import denoise, prepare_texts

    solvers = module("solvers")
    noise = initial_latents(pipe, [0, 1])
    for scale, rows in ((1.0, 6), (3.0, 12)):
        texts = prepare_texts(pipe, ["a red star", "a blue cross"], scale)
        scheduler = solvers.make(pipe, "euler", 6)
        first = solvers.start(scheduler, noise)
        made = denoise(pipe, scheduler, texts, first)
        assert (made.calls, made.evaluations) == (6, rows)
        assert len(made.input_std) == len(made.latent_std) == 6
        assert made.input_std[0] == pytest.approx(float(noise.std()), rel=1e-3)
        assert made.latent_std[0] == pytest.approx(float(first.std()), rel=1e-3)
    again = solvers.make(pipe, "euler", 6)
    unscaled = denoise(pipe, again, texts, first, scale_input=False)
    assert unscaled.input_std == unscaled.latent_std
    assert not torch.allclose(unscaled.latents, made.latents, atol=1e-2)


@pytest.mark.labs
def test_a_watched_run_is_the_pipelines(pipe: Any) -> None:
    import torch
    from diffusers import DDIMScheduler

    from drill.lab.sampling import initial_latents
    from drill.lab.trajectory import denoise, prepare_texts

    noise = initial_latents(pipe, [0, 1])
    prompts = ["a red star", "a blue cross"]
    for scale in (1.0, 5.0):
        scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
        scheduler.set_timesteps(5)
        made = denoise(pipe, scheduler, prepare_texts(pipe, prompts, scale), noise)
        wanted = pipe(
            prompts, latents=noise, num_inference_steps=5, guidance_scale=scale,
            output_type="latent",
        ).images  # fmt: skip
        assert torch.allclose(made.latents, wanted, atol=1e-4)


@pytest.mark.labs
@pytest.mark.slow
def test_the_reference_is_the_limit_of_ddim(tiny_models: Path, pipe: Any) -> None:
    from drill.lab.sampling import initial_latents
    from drill.lab.trajectory import prepare_texts

    solvers = module("solvers")
    texts = prepare_texts(pipe, ["a red star"], 1.0)
    noise = initial_latents(pipe, [0])
    fine = solvers.reference(pipe, texts, noise, 50, stops=(199, 24))
    exact = solvers.run(pipe, "ddim", 250, texts, noise).latents
    assert solvers.distance(fine.latents, exact) < 0.02
    assert set(fine.on_the_way) == {199, 24}
    coarse = solvers.run(pipe, "ddim", 10, texts, noise).latents
    assert solvers.distance(fine.latents, exact) < solvers.distance(coarse, exact) / 3


# The experiments on random weights


@pytest.mark.labs
def test_swap_runs(tiny_models: Path) -> None:
    names = ["ddim", "euler", "heun", "pndm", "euler-a", "ddpm", "lcm"]
    result, events = run("scheduler-swap", tiny_models, schedulers=names, steps=[2, 4], pictures=1)
    rows = result.metrics["schedulers"]
    assert rows["heun"]["calls"] == [1, 3] and rows["pndm"]["calls"] == [3, 5]
    assert all(rows[name]["calls"] == [2, 4] for name in ("ddim", "euler", "ddpm", "lcm"))
    assert result.outcomes["same_pairs"] == ["euler = ddim", "euler-a = ddpm"]
    held = {
        c.claim.name: c.finding.holds
        for c in check_claims(experiment("scheduler-swap").claims, result)
    }
    assert held["calls-as-counted"] is True and held["same-pairs"] is True
    assert {e.name for e in events if isinstance(e, Plot)} == {"distance", "way"}
    assert isinstance(events[0], Progress) and any(isinstance(e, Image) for e in events)
    assert not any(isinstance(e, Log) for e in events)


@pytest.mark.labs
def test_swap_warns_of_steps_that_do_not_divide(tiny_models: Path) -> None:
    _, events = run("scheduler-swap", tiny_models, schedulers=["ddim"], steps=[3], pictures=1)
    (said,) = [event.text for event in events if isinstance(event, Log)]
    assert "stride of 333" in said


@pytest.mark.labs
def test_identity_runs(tiny_models: Path) -> None:
    result, events = run("euler-equals-ddim", tiny_models, steps=5, uneven=6, pictures=1)
    assert result.outcomes["identical"] == "yes"
    assert {"both-end-at-ab0", "both-leading", "ddpm-and-euler-a"} <= {*result.outcomes["keeps"]}
    assert len(result.metrics["on_the_way"]) == 5
    assert sum(isinstance(event, Image) for event in events) == 1


@pytest.mark.labs
def test_ablation_runs(tiny_models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result, _ = run("missing-scale-model-input", tiny_models, steps=4, pictures=3)
    held = held_by("missing-scale-model-input", result)
    assert held["only-warnings"] is held["shown-wrong-scale"] is held["ddim-does-not-care"] is True
    assert held["adherence-falls"] is None
    assert "scale_model_input" not in capfd.readouterr().err


@pytest.mark.labs
def test_spacing_runs(tiny_models: Path) -> None:
    result, events = run("timestep-spacing", tiny_models, steps=[3, 10], pictures=2)
    metrics = result.metrics
    assert metrics["lists"]["ddim"]["leading"]["3"] == [667, 334, 1]
    assert metrics["lists"]["dpm++2m"]["leading"]["3"] == [751, 501, 251]
    held = held_by("timestep-spacing", result)
    assert held["leading-starts-late"] is held["one-word-many-lists"] is True
    assert len(metrics["runs"]) == 2 * 2 * 3
    assert {e.name for e in events if isinstance(e, Plot)} == {"distance, ddim", "distance, euler"}


@pytest.mark.labs
def test_an_own_model_is_not_judged(tiny_models: Path) -> None:
    made = experiment("missing-scale-model-input")
    context = Context(
        params=resolve(made.params, {"steps": 2, "pictures": 2}), pack=ROOT, models=tiny_models,
        model=str(tiny_models / "shapes"), emit=lambda event: None,
    )  # fmt: skip
    result = made.run(context)
    assert result.metrics["arms"]["right"]["adherence"] is None
    assert result.outcomes["harms"] is None

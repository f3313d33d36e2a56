"""Lab denoising_step: its starter against diffusers, its experiments in small, claims broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drill.lab import Result, Transfers
from drill.lab.experiment import Experiment
from drill.lab.loading import load_experiment, load_module
from drill.lab.models import ModelError
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding, run_here

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "denoising_step"
ONE_STEP, TARGETS = "one-step-x0", "prediction-targets"
FILES = {ONE_STEP: "one_step.py", TARGETS: "targets.py"}
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
Change = Callable[[dict[str, Any]], None]

pytestmark = pytest.mark.labs


def run(
    name: str, models: Path | None = None, model: str = "", **params: Any
) -> tuple[Experiment, Result, list[Event]]:
    experiment = load_experiment(LAB / FILES[name], name)
    return experiment, *run_here(experiment, models, model, **params)


def held(experiment: Experiment, result: Result) -> dict[str, bool | None]:
    return holding(experiment.claims, result)


def of_metrics(name: str, metrics: dict[str, Any]) -> dict[str, bool | None]:
    """What the claims of an experiment say of made-up metrics."""
    experiment = load_experiment(LAB / FILES[name], name)
    return held(experiment, Result(metrics, {}, "made up", Transfers("yes", "made up")))


# The starter


@pytest.fixture(scope="module")
def starter() -> Any:
    return load_module(LAB / "starter.py")


def _noised(count: int = 64) -> Any:
    import torch

    x0, eps, z = torch.randn(3, count, 1, generator=torch.Generator().manual_seed(0))
    return x0, eps, z


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_the_starter_reads_outputs_as_ddim_does(starter: Any, kind: str) -> None:
    import torch
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(
        **SD_BETAS, clip_sample=False, prediction_type=kind, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(20)
    x0, eps, z = _noised()
    for t in (949, 499, 99):
        ab, ab_prev = starter.AB[t], starter.AB[t - 50]
        x = scheduler.add_noise(x0, eps, torch.full((64,), t))
        output = starter.target(x0, eps, ab, kind)
        found = starter.x0_and_eps(output, x, ab, kind)
        assert torch.allclose(found[0], x0, atol=1e-4)
        assert torch.allclose(found[1], eps, atol=1e-4)
        for eta in (0.0, 1.0):
            theirs = scheduler.step(output, t, x, eta=eta, variance_noise=z).prev_sample
            ours = starter.ddim_step(*found, ab, ab_prev, z, eta)
            assert torch.allclose(ours, theirs, atol=1e-4)


def test_the_starters_ddpm_step_is_diffusers(starter: Any) -> None:
    import torch
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(**SD_BETAS, clip_sample=False, prediction_type="sample")
    x0, x, _ = _noised()
    for steps in (1000, 20):
        scheduler.set_timesteps(steps)
        t = int(scheduler.timesteps[steps // 2])
        before = int(scheduler.previous_timestep(t))
        theirs = scheduler.step(x0, t, x, generator=torch.Generator().manual_seed(1)).prev_sample
        z = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        ours = starter.ddpm_step(x0, x, starter.AB[t], starter.AB[before], z)
        assert torch.allclose(ours, theirs, atol=1e-5)


# Measures


def test_measures_on_known_values() -> None:
    import torch

    measures = load_module(LAB / "measures.py")
    truth = torch.zeros(4, 1, 2, 2)
    assert measures.rmse(truth + 2, truth) == pytest.approx(2)
    assert measures.gain(truth + 1, truth + 2, truth) == (pytest.approx(3), pytest.approx(0))
    assert measures.psnr(truth + 0.1, truth) == pytest.approx(20)
    step = torch.zeros(1, 3, 8, 8)
    step[..., 4:] = 1
    soft = step.clone()
    soft[..., 3:5] = torch.tensor([1 / 3, 2 / 3])
    assert measures.sharpness(step, step) == 1
    # One jump of 1 against three of a third: a third of the gradient energy.
    assert measures.sharpness(soft, step) == pytest.approx(1 / 3)
    assert measures.error_bars(torch.tensor([1.0, 2.0, 3.0])) == pytest.approx(2 * 3**0.5)


# one-step-x0


def test_a_small_run_measures_shows_and_counts(tiny_models: Path) -> None:
    experiment, result, events = run(
        ONE_STEP, tiny_models, pictures=4, steps=4, timesteps=[20, 999]
    )
    rows = result.metrics["rows"]
    assert [row["t"] for row in rows] == [20, 999]
    assert [row["many_steps"] for row in rows] == [1, 4]
    assert rows[0]["many_rmse"] == pytest.approx(rows[0]["one_rmse"])  # one step is one evaluation
    found = held(experiment, result)
    assert found["oracle-is-exact"] is True
    # Random weights do not know the data: what depends on training must not be reported as seen.
    assert found["ends-at-the-mean"] is False
    assert {event.name for event in events if isinstance(event, Plot)} == {"error", "sharpness"}
    assert [event.name for event in events if isinstance(event, Image)] == ["estimates"] * 2


def test_a_model_of_ones_own_draws_its_own_pictures(tiny_models: Path) -> None:
    experiment, result, events = run(
        ONE_STEP, model=str(tiny_models / "shapes"), pictures=4, steps=2, timesteps=[20, 999]
    )
    assert any("draws itself" in str(event) for event in events)
    found = held(experiment, result)
    assert found["oracle-is-exact"] is True
    assert found["ends-at-the-mean"] is None and found["prompt-counts-at-high-noise"] is None


def test_random_weights_are_refused() -> None:
    with pytest.raises(ModelError, match="random weights"):
        run(ONE_STEP, model="sd15-random", pictures=4)


def estimates() -> dict[str, Any]:
    """Metrics of a run as the bundled model gives them."""

    def row(t: int, **values: Any) -> dict[str, Any]:
        steps = max(1, round(20 * (t + 1) / 1000))
        return {"t": t, "oracle_rmse": 4e-7, "many_steps": steps, **values}

    return {
        "bundled": True,
        "float32": True,
        "pictures": 48,
        "mean_rmse": 0.953,
        "rows": [
            row(
                20, one_rmse=0.05, many_rmse=0.05, unprompted_rmse=0.053, one_sharpness=1.0,
                many_sharpness=1.0, prompt_gain=(2e-4, 4e-5), mean_gain=(0.0, 0.0),
            ),
            row(
                750, one_rmse=0.48, many_rmse=0.54, unprompted_rmse=0.66, one_sharpness=0.59,
                many_sharpness=0.95, prompt_gain=(0.2, 0.03), mean_gain=(0.06, 0.018),
            ),
            row(
                999, one_rmse=0.66, many_rmse=0.77, unprompted_rmse=0.948, one_sharpness=0.36,
                many_sharpness=0.93, prompt_gain=(0.46, 0.05), mean_gain=(0.157, 0.034),
            ),
        ],
    }  # fmt: skip


def test_all_claims_hold_on_good_estimates() -> None:
    assert set(of_metrics(ONE_STEP, estimates()).values()) == {True}


@pytest.mark.parametrize(
    ("claim", "row", "changed"),
    [
        ("oracle-is-exact", 2, {"oracle_rmse": 1e-2}),
        ("error-grows", 1, {"one_rmse": 0.7}),
        ("estimate-blurs", 2, {"one_sharpness": 0.9}),
        ("estimate-blurs", 0, {"one_sharpness": 0.7}),
        ("mean-is-closer", 2, {"mean_gain": (-0.1, 0.02)}),
        ("mean-is-closer", 2, {"mean_gain": (0.01, 0.02)}),
        ("steps-are-sharper", 2, {"many_sharpness": 0.5}),
        ("prompt-counts-at-high-noise", 2, {"prompt_gain": (0.01, 0.05)}),
        ("prompt-counts-at-high-noise", 0, {"unprompted_rmse": 0.2}),
        ("prompt-counts-at-high-noise", 2, {"unprompted_rmse": 0.7}),
        ("ends-at-the-mean", 2, {"unprompted_rmse": 0.7}),
    ],
)
def test_each_claim_on_estimates_can_fail(claim: str, row: int, changed: dict[str, Any]) -> None:
    metrics = copy.deepcopy(estimates())
    metrics["rows"][row].update(changed)
    assert of_metrics(ONE_STEP, metrics)[claim] is False


def test_claims_without_their_timesteps_are_not_applicable() -> None:
    metrics = estimates()
    metrics["rows"] = metrics["rows"][:1]
    found = of_metrics(ONE_STEP, metrics)
    assert {name for name, holds in found.items() if holds is None} == {
        "estimate-blurs",
        "mean-is-closer",
        "steps-are-sharper",
        "prompt-counts-at-high-noise",
        "ends-at-the-mean",
    }


def test_outcomes_of_good_estimates() -> None:
    outcomes = load_module(LAB / "one_step_claims.py").outcomes(estimates())
    assert outcomes["closer_at_last"] == "one evaluation"
    assert outcomes["sharper_at_last"] == "many steps"
    assert outcomes["blurred_from"] == 750
    assert outcomes["oracle_exact_at"] == [20, 750, 999]
    assert outcomes["prompt_helps_most_at"] == 999


# prediction-targets


def losses() -> dict[str, Any]:
    """Metrics of a run as the bundled models give them: the identities hold by construction."""

    def row(t: int, snr: float, rmse: tuple[float, float, float], worst: str) -> dict[str, Any]:
        kinds = ("epsilon", "sample", "v_prediction")
        squared = {kind: value**2 for kind, value in zip(kinds, rmse, strict=True)}
        return {
            "t": t,
            "snr": snr,
            "x0_rmse": dict(zip(kinds, rmse, strict=True)),
            "x0_mse": squared,
            "eps_mse": {kind: snr * value for kind, value in squared.items()},
            "v_mse": {kind: (snr + 1) * value for kind, value in squared.items()},
            "own_loss": dict.fromkeys(kinds, 0.1),
            "worse_by": {kind: 8.0 if kind == worst else -8.0 for kind in kinds},
        }

    return {
        "pictures": 128,
        "rows": [
            row(10, 103.0, (0.05, 0.14, 0.052), "sample"),
            row(500, 0.38, (0.25, 0.26, 0.24), "sample"),
            row(999, 0.0047, (1.5, 0.62, 0.63), "epsilon"),
        ],
    }


def test_all_claims_hold_on_good_losses() -> None:
    assert set(of_metrics(TARGETS, losses()).values()) == {True}
    outcomes = load_module(LAB / "targets_claims.py").outcomes(losses())
    assert outcomes["worst_at_first"] == "sample"
    assert outcomes["worst_at_last"] == "epsilon"
    assert outcomes["best_at_last"] == "sample"
    assert outcomes["v_over_best"] == pytest.approx(1.04)


@pytest.mark.parametrize(
    ("claim", "row", "name", "changed"),
    [
        ("losses-are-weighted-x0", 1, "eps_mse", {"sample": 0.1}),
        ("losses-are-weighted-x0", 2, "v_mse", {"epsilon": 2.25}),
        ("eps-worst-at-high-noise", 2, "worse_by", {"epsilon": 1.0}),
        ("sample-worst-at-low-noise", 0, "worse_by", {"sample": -3.0}),
        ("v-is-never-bad", 1, "x0_rmse", {"v_prediction": 0.5}),
    ],
)
def test_each_claim_on_losses_can_fail(
    claim: str, row: int, name: str, changed: dict[str, float]
) -> None:
    metrics = losses()
    metrics["rows"][row][name].update(changed)
    assert of_metrics(TARGETS, metrics)[claim] is False


def test_targets_takes_no_model_of_ones_own(tiny_models: Path) -> None:
    with pytest.raises(ModelError, match="run one-step-x0 with your model"):
        run(TARGETS, model=str(tiny_models / "shapes"))


TRAINED = (ROOT / "labs" / "models" / "targets" / "v-zero-snr").is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not TRAINED, reason="the models of the four targets are not there")
def test_a_small_run_on_the_trained_targets() -> None:
    experiment, result, events = run(TARGETS, pictures=64, timesteps=[10, 500, 999])
    assert set(held(experiment, result).values()) == {True}
    assert [event.name for event in events if isinstance(event, Image)] == ["estimates"]

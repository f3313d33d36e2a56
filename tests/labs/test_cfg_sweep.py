"""The guidance sweep from end to end on random weights, and its claims on made-up numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drill.lab import Result, Transfers
from drill.lab.experiment import Experiment, check_claims, check_outcomes
from drill.lab.loading import load_experiment, load_module
from drill.worker.protocol import Event, Image, Metric, Plot, Progress
from tests.labs.runs import holding, run_here

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "labs" / "cfg_reading" / "experiment.py"
TRANSFERS = Transfers("yes", "made up")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load_experiment(FILE, "cfg-sweep")


@pytest.fixture(scope="module")
def claims() -> Any:
    return load_module(FILE.with_name("claims.py"))


def run(
    experiment: Experiment, models: Path, model: str = "", **params: Any
) -> tuple[Result, list[Event]]:
    return run_here(experiment, models, model, **{"steps": 4, "seeds": 3, **params})


@pytest.mark.labs
def test_a_run_measures_shows_and_counts(experiment: Experiment, tiny_models: Path) -> None:
    result, events = run(experiment, tiny_models, scales=[0, 1, 5, 20])
    check_outcomes(experiment, result)
    metrics = result.metrics
    assert metrics["scales"] == [0, 1, 5, 20]
    for name in ("out_of_range", "saturation", "std_ratio", "denoiser_calls", "evaluations"):
        assert len(metrics[name]) == 4
        assert metrics[name][0] == metrics[name][1]  # guidance is off for both
    assert metrics["denoiser_calls"] == [4, 4, 4, 4]
    assert metrics["evaluations"] == [4, 4, 8, 8]
    # 3 pictures of prompts and 3 of the open prompt: one track without guidance, two with it.
    assert metrics["total_calls"] == 4
    assert metrics["total_evaluations"] == 4 * (6 + 2 * 12)
    assert set(metrics["adherence"]) == {"shape", "colour", "size", "background", "all"}
    assert set(metrics["effective"]) == {"colours", "backgrounds", "positions"}
    assert [e["calls"] for e in metrics["pipeline"]] == [4, 4, 4, 4]
    assert [e["evaluations"] for e in metrics["pipeline"]] == [4, 4, 8, 8]
    assert result.outcomes["off_scales"] == [0, 1]
    assert result.outcomes["evaluations_ratio"] == 2
    held = {each.claim.name: each.finding.holds for each in check_claims(experiment.claims, result)}
    assert held["off-at-or-under-1"] and held["same-calls"] and held["batch-equals-pipeline"]
    images = [event for event in events if isinstance(event, Image)]
    assert len(images) >= 3, "previews while denoising, and the grid"
    assert all(image.png.startswith(b"\x89PNG") for image in images)
    assert {e.name for e in events if isinstance(e, Plot)} == {"adherence", "variety", "spread"}
    assert {e.name for e in events if isinstance(e, Metric)} >= {"adherence", "out_of_range"}
    assert isinstance(events[0], Progress)


@pytest.mark.labs
def test_the_first_seed_picks_the_pictures(experiment: Experiment, tiny_models: Path) -> None:
    few, _ = run(experiment, tiny_models, scales=[3], seeds=2, check=False)
    again, _ = run(experiment, tiny_models, scales=[3], seeds=2, check=False)
    assert few.metrics["out_of_range"] == again.metrics["out_of_range"]
    assert few.metrics["pipeline"] == []


@pytest.mark.labs
def test_another_model_is_not_judged(experiment: Experiment, tiny_models: Path) -> None:
    model = str(tiny_models / "shapes")
    result, events = run(experiment, tiny_models, model=model, scales=[1, 5, 20])
    assert result.metrics["adherence"] is None
    assert result.metrics["effective"] is None
    assert result.outcomes["best_scale"] is None
    assert any("judge knows the bundled model" in str(event) for event in events)
    held = {each.claim.name: each.finding.holds for each in check_claims(experiment.claims, result)}
    assert held["adherence-rises"] is None
    assert held["adherence-peaks-between"] is None


@pytest.mark.labs
def test_own_prompts_without_attributes_are_not_judged(
    experiment: Experiment, tiny_models: Path
) -> None:
    result, _ = run(experiment, tiny_models, scales=[1, 5], prompts=["something else"])
    assert result.metrics["adherence"] is None
    assert result.metrics["effective"] is not None


@pytest.mark.labs
def test_own_prompts_are_judged_by_what_they_name(
    experiment: Experiment, tiny_models: Path
) -> None:
    result, _ = run(experiment, tiny_models, scales=[1, 5], prompts=["a red star"])
    shares = result.metrics["adherence"]
    assert shares["size"] == [None, None]
    assert None not in shares["colour"]


def made_up(claims: Any, **changed: Any) -> Result:
    metrics: dict[str, Any] = {
        "scales": [0, 1, 1.5, 3, 5, 7.5, 12, 20],
        "pictures": 32,
        "steps": 10,
        "adherence": {"all": [0.58, 0.58, 0.67, 0.79, 0.83, 0.88, 0.67, 0.38]},
        "out_of_range": [0.008, 0.008, 0.008, 0.010, 0.014, 0.021, 0.032, 0.106],
        "std_ratio": [1, 1, 1.01, 1.02, 1.03, 1.05, 1.1, 1.4],
        "denoiser_calls": [20] * 8,
        "evaluations": [20, 20] + [40] * 6,
        "bundled": True,
        "float32": True,
        "effective": {
            "colours": [6.4, 6.4, 6.3, 6.7, 7.0, 6.3, 4.1, 3.2],
            "backgrounds": [7.7, 7.7, 7.5, 7.2, 6.5, 6.7, 6.6, 6.5],
            "positions": [4.1, 4.1, 4.7, 3.2, 2.2, 1.7, 1.5, 1.5],
        },
        "mean_pixel_distance": [0.42, 0.42, 0.42, 0.42, 0.39, 0.39, 0.39, 0.37],
        "pipeline": [
            entry(0, 20, difference_from_last_off=1e-6),
            entry(1, 20, difference_from_last_off=0.0),
            entry(1.5, 40),
            entry(30, 40),
        ],
        **changed,
    }
    return Result(metrics, claims.outcomes(metrics), "It happened.", TRANSFERS)


def varieties(
    positions: float = 1.5, colours: float = 3.2, backgrounds: float = 6.5
) -> dict[str, list[float]]:
    """Effective numbers that end as given at the largest scale."""
    return {
        "colours": [6.4] * 7 + [colours],
        "backgrounds": [7.7] * 7 + [backgrounds],
        "positions": [4.1] * 7 + [positions],
    }


def entry(scale: float, evaluations: int, **more: float) -> dict[str, float]:
    return {
        "scale": scale,
        "calls": 20,
        "evaluations": evaluations,
        "difference_from_sweep": 1e-5,
        **more,
    }


def found(claims: Any, result: Result) -> dict[str, bool | None]:
    return holding(claims.CLAIMS, result)


def test_all_claims_hold_on_plausible_numbers(claims: Any) -> None:
    result = made_up(claims)
    assert set(found(claims, result).values()) == {True}
    assert result.outcomes == {
        "best_scale": 7.5,
        "grows": ["std of guided over conditional"],  # the share stands still from 1 to 1.5
        "narrows": ["colours", "positions"],
        "off_scales": [0, 1],
        "evaluations_ratio": 2.0,
        "out_of_range_ratio": pytest.approx(13.25),
    }


def test_many_steps_soften_large_scales_so_that_nothing_is_claimed(claims: Any) -> None:
    said = found(claims, made_up(claims, steps=20))
    softened = {"adherence-peaks-between", "falls-at-20"}
    assert {name for name, holds in said.items() if holds is None} == softened


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("adherence-rises", {"adherence": {"all": [0.8, 0.8, 0.8, 0.8, 0.83, 0.88, 0.6, 0.3]}}),
        ("adherence-peaks-between", {"adherence": {"all": [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1]}}),
        ("adherence-peaks-between", {"adherence": {"all": [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0]}}),
        ("falls-at-20", {"adherence": {"all": [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.5]}}),
        ("spread-grows", {"std_ratio": [1, 1, 1.01, 1.02, 1.03, 1.05, 1.01, 1.4]}),
        ("spread-grows", {"out_of_range": [0.05] * 8}),
        ("variety-narrows", {"effective": varieties(colours=5.9)}),
        ("variety-narrows", {"effective": varieties(colours=6.5)}),
        ("variety-narrows", {"effective": varieties(backgrounds=7.8)}),
        ("same-calls", {"pipeline": [entry(1.5, 40), {**entry(30, 80), "calls": 40}]}),
        ("same-calls", {"pipeline": [entry(1.5, 40), entry(30, 20)]}),
        (
            "off-at-or-under-1",
            {
                "pipeline": [
                    entry(0, 20, difference_from_last_off=0.3),
                    entry(1, 20, difference_from_last_off=0.0),
                ]
            },
        ),
        (
            "off-at-or-under-1",
            {
                "pipeline": [
                    entry(0, 40, difference_from_last_off=0.0),
                    entry(1, 20, difference_from_last_off=0.0),
                ]
            },
        ),
        ("batch-equals-pipeline", {"pipeline": [{**entry(5, 40), "difference_from_sweep": 0.02}]}),
    ],
)
def test_each_claim_can_fail(claims: Any, claim: str, changed: dict[str, Any]) -> None:
    assert found(claims, made_up(claims, **changed))[claim] is False


def test_claims_about_absent_scales_are_not_applicable(claims: Any) -> None:
    result = made_up(
        claims,
        scales=[3, 5],
        adherence={"all": [0.8, 0.9]},
        out_of_range=[0.01, 0.02],
        std_ratio=[1.1, 1.2],
        denoiser_calls=[20, 20],
        evaluations=[40, 40],
        effective=None,
        mean_pixel_distance=[0.4, 0.4],
        pipeline=[entry(3, 40)],
    )
    held = found(claims, result)
    assert held.pop("batch-equals-pipeline") is True
    assert set(held.values()) == {None}
    assert result.outcomes["off_scales"] == []


def test_grows_means_from_every_scale_to_the_next(claims: Any) -> None:
    result = made_up(
        claims,
        scales=[1, 5, 20],
        adherence={"all": [0.58, 0.83, 0.38]},
        out_of_range=[0.008, 0.014, 0.106],
        std_ratio=[1, 1.03, 1.4],
        denoiser_calls=[20, 20, 20],
        evaluations=[20, 40, 40],
        effective=None,
        mean_pixel_distance=[0.4, 0.4, 0.4],
        pipeline=[entry(1, 20), entry(5, 40), entry(30, 40)],
    )
    assert result.outcomes["grows"] == [
        "share of values out of range",
        "std of guided over conditional",
    ]
    assert result.outcomes["best_scale"] == 5


def test_equally_good_scales_are_all_best(claims: Any) -> None:
    tied = [0.9, 0.9, 0.7, 0.9, 0.5, 0.5, 0.5, 0.5]
    result = made_up(claims, adherence={"all": tied})
    assert result.outcomes["best_scale"] == [1, 3]


@pytest.mark.labs
def test_fixed_prompts_are_distinct_and_even() -> None:
    measures = load_module(FILE.with_name("measures.py"))
    attributes = load_module(FILE).ATTRIBUTES
    prompts = measures.fixed_prompts(attributes, 32)
    assert len(set(prompts)) == 32
    asked = [measures.wanted(prompt, attributes) for prompt in prompts]
    assert all(set(each) == set(attributes) for each in asked)
    assert all(each["colour"] != each["background"] for each in asked)
    for name, values in attributes.items():
        counts = [sum(each[name] == value for each in asked) for value in values]
        assert min(counts) >= 2 and max(counts) <= 2 * max(1, 32 // len(values)), (name, counts)


@pytest.mark.labs
def test_measures_on_known_pictures() -> None:
    import torch

    measures = load_module(FILE.with_name("measures.py"))
    grey = torch.full((2, 3, 4, 4), 0.5)
    red = torch.zeros(2, 3, 4, 4)
    red[:, 0] = 1
    assert measures.saturation(grey) == 0
    assert measures.saturation(red) == 1
    assert measures.out_of_range(torch.tensor([-1.5, -1.0, 0.0, 1.0, 1.1])) == pytest.approx(0.4)
    assert measures.pixel_distance(torch.stack([grey[0], grey[0] + 0.25])) == pytest.approx(0.25)
    assert measures.pixel_distance(grey[:1]) is None
    centres = torch.tensor([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9], [float("nan"), 0.5]])
    assert measures.cells(centres).tolist() == [0, 2, 7, 9]
    low, high = measures.interval(0.5, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-3), pytest.approx(0.5962, abs=1e-3))

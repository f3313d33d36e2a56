"""Lab forward_noise: its starter against diffusers, its experiments in small, its claims broken."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drill.lab import Context, Result, Transfers
from drill.lab.experiment import Experiment
from drill.lab.loading import load_experiment, load_module
from drill.lab.models import ModelError
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding, run_here

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "forward_noise"
CHAIN, SCHEDULES, ZERO = "forward-chain-vs-closed-form", "snr-schedules", "zero-terminal-snr"
FILES = {CHAIN: "chain.py", SCHEDULES: "schedules.py", ZERO: "zero_snr.py"}
Change = Callable[[dict[str, Any]], None]

pytestmark = pytest.mark.labs


def run(name: str, model: str = "", **params: Any) -> tuple[Experiment, Result, list[Event]]:
    experiment = load_experiment(LAB / FILES[name], name)
    return experiment, *run_here(experiment, None, model, **params)


def held(experiment: Experiment, result: Result) -> dict[str, bool | None]:
    return holding(experiment.claims, result)


def broken(experiment: Experiment, result: Result, change: Change) -> dict[str, bool | None]:
    """What the claims say of the same run with something changed in its metrics."""
    metrics = copy.deepcopy(dict(result.metrics))
    change(metrics)
    return held(experiment, Result(metrics, {}, "changed", Transfers("yes", "changed")))


def scheduler_folder(tmp_path: Path, **config: Any) -> str:
    """A model's folder that has a scheduler only."""
    folder = tmp_path / "scheduler"
    folder.mkdir()
    (folder / "scheduler_config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(tmp_path)


# The starter


@pytest.fixture(scope="module")
def starter() -> Any:
    return load_module(LAB / "starter.py")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("linear", {"beta_schedule": "linear"}),
        (
            "scaled_linear",
            {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        ),
        ("cosine", {"beta_schedule": "squaredcos_cap_v2"}),
    ],
)
def test_the_starter_agrees_with_diffusers(starter: Any, name: str, config: Any) -> None:
    import torch
    from diffusers import DDPMScheduler
    from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr
    from diffusers.training_utils import compute_snr

    scheduler = DDPMScheduler(**config)
    betas = starter.make_betas(name)
    ab = starter.alphas_cumprod(betas)
    assert torch.allclose(betas, scheduler.betas)
    assert torch.allclose(ab, scheduler.alphas_cumprod)
    theirs = rescale_zero_terminal_snr(scheduler.betas.clone())
    assert torch.allclose(starter.rescale_zero_terminal_snr(betas), theirs, atol=1e-6)
    t = torch.tensor([0, 500, 999])
    x0, eps = torch.randn(2, 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(starter.add_noise(x0, eps, t, ab), scheduler.add_noise(x0, eps, t))
    assert torch.allclose(starter.snr(ab)[t], compute_snr(scheduler, t), rtol=1e-3)


def test_the_starters_chain_ends_where_the_closed_form_says(starter: Any) -> None:
    import torch

    betas = starter.make_betas("scaled_linear")
    ab = starter.alphas_cumprod(betas)
    x0 = torch.full((20_000,), 2.0)
    x = starter.run_chain(x0, 300, betas, torch.Generator().manual_seed(0))
    assert abs(float(x.mean() - 2 * ab[300].sqrt())) < 0.03
    assert abs(float(x.var() - (1 - ab[300]))) < 0.03


# forward-chain-vs-closed-form


@pytest.fixture(scope="module")
def chain() -> tuple[Experiment, Result, list[Event]]:
    return run(CHAIN, samples=4000, timesteps=[0, 60, 400])


def test_a_small_chain_bears_out_every_claim(chain: Any) -> None:
    experiment, result, events = chain
    assert set(held(experiment, result).values()) == {True}
    assert result.outcomes["mean_formula"] == ["sqrt(ab_t) x0"]
    assert result.outcomes["variance_formula"] == ["1 - ab_t"]
    assert result.outcomes["draws_ratio"] == 401
    assert {event.name for event in events if isinstance(event, Plot)} == {"mean", "variance"}
    assert [event.name for event in events if isinstance(event, Image)] == ["noised"]


def _row(n: int, key: str, factor: float) -> Change:
    def change(metrics: dict[str, Any]) -> None:
        metrics["rows"][n][key] *= factor

    return change


def _path(key: str, value: float) -> Change:
    def change(metrics: dict[str, Any]) -> None:
        metrics["paths"][1][key] = value

    return change


def _sum_is_right(metrics: dict[str, Any]) -> None:
    for row in metrics["rows"]:
        row["chain_variance"] = row["beta_sum"]


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        ("mean-is-sqrt-ab", _row(1, "chain_mean", 0.99)),
        ("mean-is-sqrt-ab", _row(2, "closed_mean", 1.2)),
        ("variance-is-one-minus-ab", _row(2, "chain_variance", 1.2)),
        ("variance-is-one-minus-ab", _row(0, "closed_variance", 0.5)),
        ("not-beta-nor-its-sum", _sum_is_right),
        ("same-distribution", _row(1, "ks", 10)),
        ("paths-differ", _path("chain", 0.0)),
        ("paths-differ", _path("fresh", 0.5)),
    ],
)
def test_each_claim_of_the_chain_can_fail(chain: Any, claim: str, change: Change) -> None:
    experiment, result, _ = chain
    assert broken(experiment, result, change)[claim] is False


def test_a_chain_without_a_root_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claims are checks of the run, not of its formulas: noise of the wrong size fails them."""
    module = load_module(LAB / "chain.py")
    right = module.sample_both

    def without_root(context: Context, table: Any, timesteps: list[int]) -> Any:
        walked, drawn = right(context, table, timesteps)
        half = {t: x.mean() + (x - x.mean()) / 2 for t, x in walked.items()}
        return half, drawn

    monkeypatch.setattr(module, "sample_both", without_root)
    experiment, result, _ = run(CHAIN, samples=2000, timesteps=[60, 200])
    found = held(experiment, result)
    assert found["variance-is-one-minus-ab"] is False and found["same-distribution"] is False
    assert found["mean-is-sqrt-ab"] is True


def test_one_timestep_says_nothing_of_paths() -> None:
    experiment, result, _ = run(CHAIN, samples=1000, timesteps=[5, 5])
    found = held(experiment, result)
    assert found["paths-differ"] is None and found["not-beta-nor-its-sum"] is None
    assert result.outcomes["path_correlation"] is None


def test_distance_of_distributions() -> None:
    import torch

    module = load_module(LAB / "chain.py")
    values = torch.linspace(0, 1, 100)
    assert module.ks_distance(values, values) == 0
    assert module.ks_distance(values, values + 0.5) == pytest.approx(0.5, abs=0.02)
    assert module.ks_distance(values, values + 2) == 1


# snr-schedules


@pytest.fixture(scope="module")
def schedules() -> tuple[Experiment, Result, list[Event]]:
    return run(SCHEDULES, pictures=64, sides=[8, 64])


def test_a_small_comparison_of_tables_bears_out_every_claim(schedules: Any) -> None:
    experiment, result, events = schedules
    assert set(held(experiment, result).values()) == {True}
    assert result.outcomes["left_most_at_last"] == "scaled_linear"
    assert result.outcomes["snr_highest_in_middle"] == "squaredcos_cap_v2"
    assert result.outcomes["snr_below_one_from"] == 354
    assert result.outcomes["readable_at_last"] == ["scaled_linear"]
    assert [event.name for event in events if isinstance(event, Image)] == ["schedules"]


def _table(n: int, key: str, value: Any) -> Change:
    def change(metrics: dict[str, Any]) -> None:
        metrics["rows"][n][key] = value

    return change


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        ("snr-falls", _table(4, "falls", False)),
        ("one-number-three-names", _table(0, "snr_apart", 0.01)),
        ("one-number-three-names", _table(2, "sigma_apart", 0.01)),
        ("sd-leaks", _table(2, "signal_at_last", 0.0)),
        ("sd-leaks", _table(0, "signal_at_last", 0.068)),
        ("rescaled-ends-at-zero", _table(1, "signal_at_last", 1e-4)),
        ("rescaled-ends-at-zero", _table(5, "signal_at_first", 0.9)),
        ("rescaling-moves-the-middle", _table(3, "snr_in_middle", 0.38)),
        ("rescaling-moves-the-middle", _table(5, "snr_in_middle", 0.8)),
        ("brightness-leaks", _table(2, "readable", {"8": 0.1, "64": 0.2})),
        ("brightness-leaks", _table(3, "readable", {"8": 0.1, "64": 0.8})),
    ],
)
def test_each_claim_of_the_tables_can_fail(schedules: Any, claim: str, change: Change) -> None:
    experiment, result, _ = schedules
    assert broken(experiment, result, change)[claim] is False


def test_a_shorter_table_says_less() -> None:
    experiment, result, _ = run(SCHEDULES, pictures=32, sides=[8], train_steps=100)
    found = held(experiment, result)
    assert found["snr-falls"] is True and found["sd-leaks"] is None
    assert found["brightness-leaks"] is None and found["rescaling-moves-the-middle"] is None
    assert result.outcomes["signal_at_last"] == pytest.approx(0.764, abs=1e-3)


def test_a_model_of_ones_own_adds_its_table(tmp_path: Path) -> None:
    model = scheduler_folder(
        tmp_path, _class_name="DDIMScheduler", num_train_timesteps=500, beta_schedule="linear",
        beta_start=0.001, beta_end=0.02, steps_offset=1,
    )  # fmt: skip
    _, result, _ = run(SCHEDULES, model=model, pictures=32, sides=[8], schedules=["linear"])
    labels = [row["label"] for row in result.metrics["rows"]]
    assert labels == ["linear", "linear, zero terminal SNR", "your model"]
    _, chain, _ = run(CHAIN, model=model, samples=1000, timesteps=[10, 900])
    assert [row["t"] for row in chain.metrics["rows"]] == [10, 499]


def test_a_model_without_betas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        run(SCHEDULES, model=str(tmp_path / "none"), pictures=32, sides=[8])
    flow = scheduler_folder(
        tmp_path, _class_name="FlowMatchEulerDiscreteScheduler", num_train_timesteps=1000, shift=3.0
    )
    with pytest.raises(ModelError, match="no betas: a flow-matching model"):
        run(CHAIN, model=flow, samples=1000)


def test_explained_share() -> None:
    import torch

    explained = load_module(LAB / "schedules.py").explained
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(400, 4, generator=rng)
    target = features @ torch.tensor([1.0, -2.0, 0.0, 0.5]) + 3
    noise = torch.randn(400, generator=rng)
    assert explained(features, target) == pytest.approx(1)
    assert explained(features, noise) < 0.05
    half = target + target.std() * noise
    assert explained(features, half) == pytest.approx(0.5, abs=0.1)


# zero-terminal-snr


def grounds() -> dict[str, Any]:
    """Metrics of a run as trained models give them."""

    def row(label: str, share: float, moved: float) -> dict[str, Any]:
        black, white = 0.09, 0.09 + 0.86 * share
        return {
            "label": label,
            "black": {"mean": black, "std": 0.01, "bar": 0.002},
            "white": {"mean": white, "std": 0.01, "bar": 0.002},
            "range": white - black,
            "share_of_range": share,
            "empty_std": 0.22,
            "first_moved": (moved, 0.02),
            "signal_at_last": 0.06826 if "leaky" in label else 0.0,
            "run_moved": (0.25, 0.03),
        }

    return {
        "rows": [
            row("leaky epsilon", 0.9, 0.2),
            row("leaky v", 1.0, 0.17),
            row("zero-SNR v", 1.0, 0.01),
            row("zero-SNR v (leading)", 1.0, 0.05),
        ],
        "pictures": 24,
        "steps": 20,
        "guidance_scale": 1.0,
        "reference": {"black": {"mean": 0.09}, "white": {"mean": 0.95}, "range": 0.86},
        "leaked_amplitude": 0.068,
        "eps_not_finite": 1.0,
    }


def of_grounds(metrics: dict[str, Any]) -> dict[str, bool | None]:
    experiment = load_experiment(LAB / FILES[ZERO], ZERO)
    return held(experiment, Result(metrics, {}, "made up", Transfers("yes", "made up")))


def test_all_claims_hold_on_good_grounds() -> None:
    assert set(of_grounds(grounds()).values()) == {True}
    outcomes = load_module(LAB / "zero_snr_claims.py").outcomes(grounds())
    assert outcomes["widest_range"] == "neither"
    assert outcomes["first_follows"] == ["leaky epsilon", "leaky v"]
    assert outcomes["eps_at_zero_snr"] == "not finite"


@pytest.mark.parametrize(
    ("claim", "row", "changed"),
    [
        ("tables-end-as-named", 2, {"signal_at_last": 0.0683}),
        ("tables-end-as-named", 1, {"signal_at_last": 0.0}),
        ("leaky-reads-its-start", 1, {"first_moved": (0.01, 0.001)}),
        ("leaky-reads-its-start", 1, {"first_moved": (0.17, 0.1)}),
        ("leaky-reads-its-start", 2, {"first_moved": (0.15, 0.01)}),
        ("leaky-reads-its-start", 2, {"first_moved": (0.1, 0.01)}),
        ("noise-goes-along", 1, {"run_moved": (0.25, 0.1)}),
        ("noise-goes-along", 2, {"run_moved": (0.1, 0.01)}),
        ("range-is-kept", 1, {"share_of_range": 0.7}),
        ("range-is-kept", 2, {"share_of_range": 1.3}),
        ("eps-fails-at-zero-snr", None, {"eps_not_finite": 0.9}),
    ],
)
def test_each_claim_on_grounds_can_fail(claim: str, row: int | None, changed: Any) -> None:
    metrics = grounds()
    (metrics if row is None else metrics["rows"][row]).update(changed)
    assert of_grounds(metrics)[claim] is False


def test_a_wider_range_is_told() -> None:
    widest = load_module(LAB / "zero_snr_claims.py").widest
    metrics = grounds()
    metrics["rows"][1]["share_of_range"] = 0.6
    assert widest(metrics) == "zero-SNR v"
    metrics["rows"][2]["share_of_range"] = 0.4
    assert widest(metrics) == "leaky v"


def test_guided_grounds_are_not_judged_by_range() -> None:
    assert of_grounds({**grounds(), "guidance_scale": 5.0})["range-is-kept"] is None


def test_zero_snr_takes_no_model_of_ones_own(tiny_models: Path) -> None:
    with pytest.raises(ModelError, match="Run it without --model"):
        run(ZERO, model=str(tiny_models / "shapes"))


def test_brightness_of_known_pictures() -> None:
    import torch

    brightness = load_module(LAB / "brightness.py")
    decoded = torch.full((2, 3, 8, 8), -1.0)
    decoded[1] = 1
    decoded[:, :, 2:6, 2:6] = 0.5  # a shape that touches no border
    assert brightness.ground(decoded).tolist() == [0, 1]
    assert brightness.whole(decoded)[0] == pytest.approx(0.75 * 16 / 64)
    beyond = torch.full((1, 3, 8, 8), -1.2)
    assert brightness.ground(beyond).item() == pytest.approx(-0.1)  # nothing is clipped
    noise, shift = torch.zeros(3, 1, 1, 1), torch.full((1, 1, 1, 1), 0.4)
    moved = brightness.moved(lambda x: x.expand(-1, 3, 8, 8), noise, shift)
    assert moved.tolist() == pytest.approx([0.2] * 3)


TRAINED = (ROOT / "labs" / "models" / "targets" / "v-zero-snr").is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not TRAINED, reason="the models of the four targets are not there")
def test_a_small_run_on_the_trained_targets() -> None:
    experiment, result, events = run(ZERO, pictures=24, steps=8)
    assert set(held(experiment, result).values()) == {True}
    assert len(result.metrics["rows"]) == 4
    assert [event.name for event in events if isinstance(event, Image)] == ["grounds"] * 4

"""The lab vae_latents: its starter against diffusers, its measures on known pictures, its claims on
made-up numbers, its experiments on random weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drill.lab import Context, Result
from drill.lab.experiment import Experiment
from drill.lab.loading import load_experiment, load_module
from drill.lab.manifest import find_experiment, read_labs
from drill.lab.models import ModelError
from drill.lab.params import resolve
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding, put, result_of, run_here

# diffusers 0.42 hands tensors to numpy in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "vae_latents"
EXPERIMENTS = {
    "vae-round-trip": "round_trip",
    "vae-scaling-factor": "factor",
    "vae-tiling": "tiling",
}
EDITS = ("right", "forgotten on the way in", "turned round on the way in", "forgotten both ways")


def module(name: str) -> ModuleType:
    return load_module(LAB / f"{name}.py")


def experiment(name: str) -> Experiment:
    return load_experiment(LAB / f"{EXPERIMENTS[name]}.py", name)


def held_by(name: str, result: Result) -> dict[str, bool | None]:
    return holding(experiment(name).claims, result)


def found(name: str, metrics: dict[str, Any]) -> dict[str, bool | None]:
    outcomes = module(f"{EXPERIMENTS[name]}_claims").outcomes(metrics)
    return held_by(name, result_of(metrics, outcomes))


def run(name: str, models: Path, model: str = "", **params: Any) -> tuple[Result, list[Event]]:
    return run_here(experiment(name), models, model, **params)


# Made-up numbers, near to those of the bundled model


def round_trip() -> dict[str, Any]:
    small = {"circle": 32.8, "square": 32.9, "triangle": 32.3, "star": 30.9, "heart": 31.5,
             "cross": 30.0}  # fmt: skip
    large = {"circle": 31.0, "square": 31.6, "triangle": 31.0, "star": 28.0, "heart": 29.2,
             "cross": 28.5}  # fmt: skip
    return {
        "pictures": 96,
        "bundled": True,
        "psnr": 30.53,
        "psnr_worst": 25.4,
        "psnr_sampled": 30.49,
        "psnr_by_kind": {f"small {shape}": value for shape, value in small.items()}
        | {f"large {shape}": value for shape, value in large.items()},
        "error_near_edges": 0.78,
        "area_near_edges": 0.13,
        "latent_std": 5.37,
        "beyond_1": 0.84,
        "posterior_std": 0.28,
        "scaling_factor": 0.18215,
        "scaled_std": 0.978,
    }


def factor() -> dict[str, Any]:
    def decoded(std: float, share: float) -> dict[str, Any]:
        return {"decoder_std": std, "adherence": share}

    def edited(snr: float, follows: float, psnr: float) -> dict[str, Any]:
        return {"snr": snr, "follows": follows, "psnr_to_source": psnr}

    value = 0.18215
    rows = (
        edited(0.6, 1.0, 14.5),
        edited(0.6 / value**2, 0.0, 14.1),
        edited(0.6 / value**4, 0.0, 12.5),
        edited(0.6 / value**2, 0.0, 23.4),
    )
    return {
        "pictures": 12,
        "steps": 16,
        "strength": 0.5,
        "bundled": True,
        "scaling_factor": value,
        "from_noise": {
            "right": decoded(5.7, 1.0),
            "forgotten": decoded(5.7 * value, 0.0),
            "turned round": decoded(5.7 * value**2, 0.0),
        },
        "edits": dict(zip(EDITS, rows, strict=True)),
        "round_trip_psnr": dict(zip(EDITS, (30.6, 13.6, 12.5, 30.6), strict=True)),
    }


def tiling() -> dict[str, Any]:
    def row(tiles: int, mean: float, step: float, in_full: float) -> dict[str, Any]:
        return {
            "tiles": tiles,
            "by_formula": tiles,
            "mean": mean,
            "largest": 0.77,
            "step_at_seams": step,
            "step_there_in_full": in_full,
        }

    return {
        "side": 256,
        "tile": 8,
        "pictures": 3,
        "bundled": True,
        "by_overlap": {
            "0": row(16, 0.032, 5.2, 0.5),
            "0.25": row(36, 0.033, 1.1, 1.2),
            "0.5": row(64, 0.032, 1.25, 0.99),
        },
        "whole_map": {"mean": 0.0027, "largest": 0.36},
        "small": {"tiles": 1, "largest": 0.0},
        "slicing": {
            "batch": 3,
            "calls": 3,
            "largest": 0.0,
            "peak_ratio_batch": 0.36,
            "peak_ratio_one": 1.0,
        },
        "peak_bytes": {"full": 25_000_000, "tiled": 3_300_000},
        "stable_diffusion_peaks": {
            "full": {"512": 404_783_104, "1024": 1_612_840_960, "2048": 6_445_072_384},
            "tiled": {"512": 404_783_104, "1024": 410_419_200, "2048": 444_628_992},
        },
    }


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "vae-round-trip": round_trip,
    "vae-scaling-factor": factor,
    "vae-tiling": tiling,
}


@pytest.mark.parametrize("name", GOOD)
def test_all_claims_hold_on_good_numbers(name: str) -> None:
    held = found(name, GOOD[name]())
    assert set(held.values()) == {True}, held


@pytest.mark.parametrize(
    ("name", "claim", "changes"),
    [
        ("vae-round-trip", "lossy", {"psnr": math.inf}),
        ("vae-round-trip", "lossy", {"psnr": 12.0}),
        ("vae-round-trip", "pointed-is-worse", {"psnr_by_kind/small star": 32.85}),
        ("vae-round-trip", "pointed-is-worse", {"psnr_by_kind/large square": 28.3}),
        ("vae-round-trip", "errors-at-edges", {"error_near_edges": 0.3}),
        ("vae-round-trip", "narrow-posterior", {"posterior_std": 1.0}),
        ("vae-round-trip", "narrow-posterior", {"psnr_sampled": 28.0}),
        ("vae-round-trip", "spread-is-not-1", {"latent_std": 1.0}),
        ("vae-round-trip", "spread-is-not-1", {"beyond_1": 0.32}),
        ("vae-round-trip", "factor-is-inverse-std", {"scaled_std": 5.4}),
        ("vae-scaling-factor", "decoder-input", {"from_noise/forgotten/decoder_std": 5.7}),
        ("vae-scaling-factor", "decoder-input", {"from_noise/turned round/decoder_std": 1.0}),
        ("vae-scaling-factor", "decode-garbage", {"from_noise/turned round/adherence": 0.5}),
        ("vae-scaling-factor", "snr-too-high", {"edits/forgotten on the way in/snr": 3.3}),
        ("vae-scaling-factor", "edit-lost", {"edits/forgotten both ways/follows": 0.6}),
        ("vae-scaling-factor", "round-trip-hides-it", {"round_trip_psnr/forgotten both ways": 20}),
        (
            "vae-scaling-factor",
            "round-trip-hides-it",
            {"round_trip_psnr/forgotten on the way in": 30},
        ),
        (
            "vae-scaling-factor",
            "both-ways-keeps-the-source",
            {"edits/forgotten both ways/psnr_to_source": 15.0},
        ),
        ("vae-tiling", "tiles-by-formula", {"by_overlap/0.25/tiles": 25}),
        ("vae-tiling", "tiling-is-approximate", {"by_overlap/0.5/largest": 1e-6}),
        ("vae-tiling", "slicing-is-exact", {"slicing/largest": 0.01}),
        ("vae-tiling", "slicing-is-exact", {"slicing/calls": 1}),
        ("vae-tiling", "slicing-needs-a-batch", {"slicing/peak_ratio_batch": 1.0}),
        ("vae-tiling", "slicing-needs-a-batch", {"slicing/peak_ratio_one": 0.4}),
        ("vae-tiling", "overlap-hides-seams", {"by_overlap/0.5/step_at_seams": 5.0}),
        ("vae-tiling", "overlap-hides-seams", {"by_overlap/0.5/mean": 0.01}),
        ("vae-tiling", "whole-map-is-the-cause", {"whole_map/mean": 0.02}),
        ("vae-tiling", "small-is-not-tiled", {"small/tiles": 4}),
        ("vae-tiling", "small-is-not-tiled", {"small/largest": 0.01}),
        ("vae-tiling", "tiling-bounds-the-peak", {"stable_diffusion_peaks/tiled/2048": 1e9}),
        ("vae-tiling", "tiling-bounds-the-peak", {"stable_diffusion_peaks/full/2048": 3.2e9}),
    ],
)
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
        ("vae-round-trip", {"pictures": 12}, {"pointed-is-worse"}),
        ("vae-round-trip", {"bundled": False}, {"spread-is-not-1", "factor-is-inverse-std"}),
        (
            "vae-scaling-factor",
            {"bundled": False},
            {"decode-garbage", "edit-lost", "both-ways-keeps-the-source"},
        ),
        ("vae-scaling-factor", {"strength": 0.9}, {"edit-lost", "both-ways-keeps-the-source"}),
        ("vae-tiling", {"bundled": False}, {"overlap-hides-seams", "whole-map-is-the-cause"}),
        ("vae-tiling", {"stable_diffusion_peaks": None}, {"tiling-bounds-the-peak"}),
    ],
)
def test_claims_about_what_a_run_lacks_are_not_applicable(
    name: str, changes: dict[str, Any], claims: set[str]
) -> None:
    held = found(name, GOOD[name]() | changes)
    assert {claim for claim, holds in held.items() if holds is None} == claims


def test_outcomes_on_good_numbers() -> None:
    outcomes = {name: module(f"{EXPERIMENTS[name]}_claims").outcomes(GOOD[name]()) for name in GOOD}
    assert {*outcomes["vae-round-trip"]["worst_shapes"]} == {"cross", "star"}
    assert outcomes["vae-round-trip"]["drop_by_sampling"] == pytest.approx(0.04)
    assert outcomes["vae-scaling-factor"]["passes_the_round_trip"] == [
        "right", "forgotten both ways",
    ]  # fmt: skip
    assert outcomes["vae-scaling-factor"]["nearest_to_source"] == "forgotten both ways"
    assert outcomes["vae-scaling-factor"]["ignores_the_edit"] == [*EDITS[1:]]
    assert outcomes["vae-tiling"] == {
        "tiles": 36,
        "exact": ["slicing"],
        "seams_gone_at_half": "yes",
        "slicing_calls": 3,
        "cause": "norms and attention",
        "sd_peak_ratio_1024": pytest.approx(0.254, abs=0.001),
        "lower_peak_for_one": ["tiling"],
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_lab_yaml_agrees_with_the_code(name: str) -> None:
    info = find_experiment(read_labs(ROOT), name)
    made = experiment(name)
    assert info.params == made.params
    assert [(c.name, c.says) for c in info.claims] == [(c.name, c.says) for c in made.claims]
    assert (info.outcomes, info.seconds) == (made.outcomes, made.seconds)


# The starter against diffusers


@pytest.fixture(scope="module")
def starter() -> ModuleType:
    return load_module(LAB / "starter.py")


@pytest.mark.labs
def test_the_starters_posterior_is_diffusers(starter: Any) -> None:
    import torch
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    moments = 10 * torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    mean, std = starter.posterior(moments)
    library = DiagonalGaussianDistribution(moments)
    assert torch.equal(mean, library.mean) and torch.equal(std, library.std)
    seeds = [torch.Generator().manual_seed(3) for _ in range(2)]
    assert torch.equal(starter.draw(mean, std, seeds[0]), library.sample(seeds[1]))


@pytest.mark.labs
def test_the_starters_units_are_each_others_inverse(starter: Any) -> None:
    import torch

    z = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    x = starter.to_model(z, 0.3611, 0.1159)
    assert torch.allclose(x, (z - 0.1159) * 0.3611)
    assert torch.allclose(starter.to_decoder(x, 0.3611, 0.1159), z, atol=1e-5)
    pixels = torch.rand(2, 3, 4, 4)
    assert torch.allclose(starter.to_pixels(starter.to_encoder(pixels)), pixels, atol=1e-6)


@pytest.mark.labs
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_the_starters_tiles_are_diffusers(starter: Any, pipe: Any, overlap: float) -> None:
    import torch

    vae = copy.deepcopy(pipe.vae)
    vae.tile_overlap_factor = overlap
    latents = torch.randn(1, 4, 13, 20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = vae.tiled_decode(latents).sample
        got = starter.tiled(lambda part: vae.decode(part).sample, latents, 8, overlap)
    assert wanted.shape == got.shape
    assert torch.allclose(got, wanted, atol=1e-5)


# Measures on what is known


@pytest.mark.labs
def test_psnr_and_edges_on_known_pictures() -> None:
    import torch

    drawn = module("drawn")
    one = torch.full((2, 3, 16, 16), 0.5)
    assert drawn.psnr(one + 0.1, one) == pytest.approx(20.0, abs=1e-4)
    assert drawn.psnr(one, one) == math.inf
    halves = torch.zeros(1, 3, 16, 16)
    halves[..., 8:] = 1
    assert drawn.near_edges(halves, 2).sum() == 16 * 4
    assert not drawn.near_edges(one).any()


@pytest.mark.labs
def test_drawings_take_turns() -> None:
    drawn = module("drawn")
    context = Context(params={}, pack=ROOT, emit=lambda event: None)
    made = drawn.balanced(context, 24, 32)
    assert made.pixels.shape == (24, 3, 32, 32)
    assert float(made.pixels.min()) >= 0 and float(made.pixels.max()) <= 1
    kinds = {(each["size"], each["shape"]) for each in made.attributes}
    assert len(kinds) == 12
    assert all(each["colour"] != each["background"] for each in made.attributes)


@pytest.mark.labs
def test_counting_without_data_agrees_with_real_tensors(pipe: Any) -> None:
    import torch
    from diffusers import AutoencoderKL

    peak_of_decode = module("decoder_peaks").peak_of_decode
    real = peak_of_decode(pipe.vae, torch.zeros(1, 4, 16, 16))
    with torch.device("meta"):
        empty = AutoencoderKL.from_config(dict(pipe.vae.config)).eval()
        assert peak_of_decode(empty, torch.zeros(1, 4, 16, 16)) == pytest.approx(real, rel=0.02)


@pytest.mark.labs
def test_seams_show_as_a_step() -> None:
    import torch

    whole = module("whole_map")
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    even = (ramp + ramp.transpose(2, 3)) / 2
    assert whole.step_at_seams(even, [8, 16, 24]) == pytest.approx(1, abs=1e-3)
    broken = even.clone()
    broken[..., 16:] += 0.2
    broken[..., 16:, :] += 0.2
    assert whole.step_at_seams(broken, [16]) > 5


@pytest.mark.labs
def test_tiles_with_the_whole_map_are_the_full_decode_but_for_borders(pipe: Any) -> None:
    """One tile as large as the map gives the full decode itself; the module is left as it was."""
    import torch

    whole_code = module("whole_map")
    vae = copy.deepcopy(pipe.vae)
    latents = 3 * torch.randn(1, 4, 24, 24, generator=torch.Generator().manual_seed(0))
    whole = whole_code.WholeMap(vae)
    full = whole.full(latents)
    vae.tile_latent_min_size, vae.tile_sample_min_size = 24, 192
    vae.tile_overlap_factor = 0.0
    assert torch.allclose(whole.tiled(latents), full, atol=1e-5)
    vae.tile_latent_min_size, vae.tile_sample_min_size = 16, 128
    vae.tile_overlap_factor = 0.5
    with torch.no_grad():
        plain = vae.tiled_decode(latents).sample
    repaired = whole.tiled(latents)
    assert (repaired - full).abs().mean() < (plain - full).abs().mean() / 2
    with torch.no_grad():
        assert torch.equal(vae.decode(latents).sample, full)


# The experiments on random weights


@pytest.mark.labs
def test_round_trip_runs(tiny_models: Path) -> None:
    result, events = run("vae-round-trip", tiny_models, pictures=12, draws=1)
    metrics = result.metrics
    assert metrics["shape"] == [12, 4, 8, 8] and metrics["numbers_ratio"] == 48
    assert len(metrics["psnr_by_kind"]) == 12
    assert metrics["judged"] is not None
    assert any(isinstance(event, Image) for event in events)
    assert held_by("vae-round-trip", result)["pointed-is-worse"] is None


@pytest.mark.labs
def test_scaling_factor_runs(tiny_models: Path) -> None:
    result, _ = run("vae-scaling-factor", tiny_models, pictures=2, steps=4)
    held = held_by("vae-scaling-factor", result)
    assert held["decoder-input"] is held["snr-too-high"] is True
    trips = result.metrics["round_trip_psnr"]
    assert trips["forgotten both ways"] == pytest.approx(trips["right"], abs=0.05)


@pytest.mark.labs
def test_tiling_runs(tiny_models: Path) -> None:
    result, events = run("vae-tiling", tiny_models, side=128, pictures=2, count_memory=False)
    held = held_by("vae-tiling", result)
    for claim in ("tiles-by-formula", "tiling-is-approximate", "slicing-is-exact",
                  "slicing-needs-a-batch", "small-is-not-tiled"):  # fmt: skip
        assert held[claim] is True, claim
    assert held["tiling-bounds-the-peak"] is None
    assert not any(isinstance(event, Plot) for event in events)


@pytest.mark.labs
def test_tiling_leaves_the_shared_pipeline_alone(tiny_models: Path) -> None:
    made = experiment("vae-tiling")
    context = Context(
        params=resolve(made.params, {"side": 72, "pictures": 1, "count_memory": False}),
        pack=ROOT, models=tiny_models, emit=lambda event: None,
    )  # fmt: skip
    made.run(context)
    vae = context.pipeline().vae
    assert (vae.use_tiling, vae.use_slicing, vae.tile_overlap_factor) == (False, False, 0.25)
    assert not vae.decoder._forward_pre_hooks


@pytest.mark.labs
@pytest.mark.parametrize(("side", "says"), [(64, "fits into one tile"), (100, "multiple of 8")])
def test_tiling_refuses_sides_that_say_nothing(tiny_models: Path, side: int, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        run("vae-tiling", tiny_models, side=side)


@pytest.mark.labs
@pytest.mark.slow
def test_stable_diffusions_decoder_is_counted_at_its_size() -> None:
    peaks = module("decoder_peaks").stable_diffusion_peaks((512, 1024))
    assert peaks["full"]["512"] == peaks["tiled"]["512"]  # one tile
    assert 3.8 < peaks["full"]["1024"] / peaks["full"]["512"] < 4.2
    assert peaks["tiled"]["1024"] < peaks["full"]["1024"] / 3


@pytest.mark.labs
def test_an_own_model_is_not_judged(tiny_models: Path) -> None:
    model = str(tiny_models / "shapes")
    result, _ = run("vae-scaling-factor", tiny_models, model, pictures=2, steps=2)
    assert result.metrics["from_noise"]["right"]["adherence"] is None
    assert result.outcomes["garbage"] is None
    assert result.outcomes["snr_ratio"] == pytest.approx(0.18215**-2, rel=0.01)

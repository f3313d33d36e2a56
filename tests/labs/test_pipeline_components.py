"""The lab pipeline_components: its loop and starter against diffusers, its claims on made-up
numbers, its experiments on random weights. The cases of `diagnose` have tests of their own."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drill.lab import Result
from drill.lab.experiment import Experiment, check_claims
from drill.lab.loading import load_experiment, load_module
from drill.lab.manifest import disagreements, find_experiment, read_labs
from drill.lab.models import ModelError
from drill.worker.protocol import Event, Image, Log, Plot, Progress
from tests.labs.runs import holding, put, result_of, run_here

# diffusers 0.42 hands tensors to numpy in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "pipeline_components"
EXPERIMENTS = {"pipeline-stage-ledger": "stage_ledger", "mutant-arena": "mutant_arena"}
CLAIMS = {"pipeline-stage-ledger": "stage_ledger_claims", "mutant-arena": "mutant_claims"}


def module(name: str) -> ModuleType:
    return load_module(LAB / f"{name}.py")


BUGS: dict[str, Any] = {each.name: each for each in module("bugs").BUGS}


def found(name: str, metrics: dict[str, Any]) -> dict[str, bool | None]:
    claims = module(CLAIMS[name])
    return holding(claims.CLAIMS, result_of(metrics, claims.outcomes(metrics)))


def experiment(name: str) -> Experiment:
    return load_experiment(LAB / f"{EXPERIMENTS[name]}.py", name)


def run(name: str, models: Path, **params: Any) -> tuple[Result, list[Event]]:
    return run_here(experiment(name), models, **params)


# Made-up numbers, near to those of the bundled model


def ledger() -> dict[str, Any]:
    def kind(steps: int, count: int) -> dict[str, Any]:
        calls = {
            "tokenizer": 3, "text encoder": 2, "denoiser": steps, "scheduler": 2 * steps + 1,
            "VAE decode": 1, "post-process": 1,
        }  # fmt: skip
        share = {"denoiser": 0.91, "VAE decode": 0.04}
        return {
            "stages": {
                name: {
                    "calls": calls[name],
                    "rows": [2 * count if name == "denoiser" else count],
                    "bytes": [2048 * count],
                    "seconds": 0.04,
                    "share": share.get(name, 0.01),
                    "per_call": 0.06,
                    "peak": None,
                }
                for name in calls
            },
            "seconds": 1.0,
            "rest_share": 0.05,
            "least_rest": 0.001,
        }

    def held(count: int) -> dict[str, Any]:
        return {"class": "C", "module": count > 0, "parameters": count, "bytes": 4 * count}

    return {
        "steps": [4, 16],
        "batches": [1, 4],
        "guidance_scale": 5.0,
        "rounds": 4,
        "timesteps": {"few": 4, "many": 16, "batch": 4},
        "calls": {"few": kind(4, 1), "many": kind(16, 1), "batch": kind(4, 4)},
        "ratios": {
            "steps": {"denoiser": 3.97, "once a call": 1.06},
            "batch": {"denoiser": 1.84, "once a call": 3.0},
        },
        "halves": 1.05,
        "components": {
            "vae": held(2_725_623), "text_encoder": held(281_472), "tokenizer": held(0),
            "unet": held(4_237_956), "scheduler": held(0),
        },
        "used_bytes": {"vae": 6_809_436, "text_encoder": 1_125_888, "unet": 16_951_824},
        "apart": 0.0,
        "bundled": True,
    }  # fmt: skip


def within(bug: Any) -> dict[str, Any]:
    """Measures in the middle of the bug's bounds, and beside them those of the healthy loop."""
    usual: dict[str, Any] = {
        "adherence": 1.0, "adherence kept": 0.0, "shape": 1.0, "background": 1.0, "latent std": 1.0,
        "latent distance": 0.5, "out of range": 0.001, "roughness": 1.0, "contrast": 1.0,
        "agreement": 0.95, "largest difference": 0.5, "first input std": 1.0, "finite": True,
    }  # fmt: skip
    for bound in bug.signature:
        least = bound.most - 0.2 if bound.least is None else bound.least
        most = bound.least + 0.2 if bound.most is None else bound.most
        usual[bound.measure] = (least + most) / 2
    if bug.in_decoder:
        usual["latent distance"] = 0.0
    return usual


def arena() -> dict[str, Any]:
    return {
        "pictures": 8,
        "steps": 10,
        "guidance_scale": 5.0,
        "bundled": True,
        "float32": True,
        "cpu": True,
        "apart": {"ddim": 3.9e-6, "euler": 2.9e-6, "ddpm": 4e-6},
        "healthy": {},
        "bugs": {
            name: {"sampler": bug.sampler, "error": "", "measures": within(bug)}
            for name, bug in BUGS.items()
        },
    }


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "pipeline-stage-ledger": ledger,
    "mutant-arena": arena,
}


@pytest.mark.parametrize("name", GOOD)
def test_all_claims_hold_on_good_numbers(name: str) -> None:
    held = found(name, GOOD[name]())
    assert set(held.values()) == {True}, held


@pytest.mark.parametrize(
    ("name", "claim", "path", "value"),
    [
        ("pipeline-stage-ledger", *each)
        for each in (
            ("calls-by-steps", "calls/many/stages/denoiser/calls", 15),
            ("calls-by-steps", "calls/few/stages/scheduler/calls", 8),
            ("calls-by-steps", "calls/many/stages/text encoder/calls", 32),
            ("calls-by-steps", "calls/many/stages/VAE decode/calls", 16),
            ("calls-by-steps", "calls/many/stages/tokenizer/calls", 4),
            ("batch-adds-rows", "calls/batch/stages/denoiser/calls", 16),
            ("batch-adds-rows", "calls/batch/stages/denoiser/rows", [2]),
            ("batch-adds-rows", "calls/few/stages/denoiser/rows", [1]),
            ("time-follows-steps", "ratios/steps/denoiser", 1.5),
            ("time-follows-steps", "ratios/steps/denoiser", 9.0),
            ("time-follows-steps", "ratios/steps/once a call", 3.0),
            ("denoiser-takes-most", "calls/many/stages/denoiser/share", 0.4),
            ("steps-are-alike", "calls/many/stages/denoiser/bytes", [2048, 4096]),
            ("steps-are-alike", "halves", 2.5),
            ("batch-costs-less", "ratios/batch/denoiser", 4.2),
            ("some-hold-nothing", "components/scheduler/parameters", 7),
            ("some-hold-nothing", "components/vae/parameters", 0),
            ("vae-half-idle", "used_bytes/vae", 10_902_492),
            ("vae-half-idle", "used_bytes/unet", 8_000_000),
            ("books-close", "calls/few/rest_share", 0.5),
            ("books-close", "calls/many/least_rest", -0.01),
            ("same-picture", "apart", 0.01),
        )
    ]
    + [
        ("mutant-arena", "healthy-is-the-pipeline", "apart/euler", 1e-3),
        ("mutant-arena", "healthy-is-the-pipeline", "apart/ddpm", float("nan")),
        ("mutant-arena", "nothing-raises", "bugs/dt-sign/error", "IndexError: no such step"),
        (
            "mutant-arena",
            "comparison-finds-all",
            "bugs/counted-from-text/measures/largest difference",
            1e-3,
        ),
    ],
)
def test_each_claim_can_fail(name: str, claim: str, path: str, value: Any) -> None:
    metrics = copy.deepcopy(GOOD[name]())
    put(metrics, path, value)
    assert found(name, metrics)[claim] is False


@pytest.mark.parametrize(
    ("name", "measure", "end"),
    [
        (name, bound.measure, end)
        for name, bug in BUGS.items()
        for bound in bug.signature
        for end in ("least", "most")
        if getattr(bound, end) is not None
    ],
)
def test_each_end_of_each_signature_can_fail(name: str, measure: str, end: str) -> None:
    (bound,) = (each for each in BUGS[name].signature if each.measure == measure)
    metrics = arena()
    off = getattr(bound, end) + (0.01 if end == "most" else -0.01)
    metrics["bugs"][name]["measures"][measure] = off
    held = found("mutant-arena", metrics)
    assert held.pop(name) is False
    assert all(held[other] for other in BUGS if other != name)


def test_what_is_not_a_number_is_no_signature() -> None:
    metrics = arena()
    for each in metrics["bugs"].values():
        each["measures"] = dict.fromkeys(each["measures"], float("nan"))
    held = found("mutant-arena", metrics)
    assert {held[name] for name in BUGS} == {False}


def test_the_healthy_loop_has_no_bugs_signature() -> None:
    """A bug that did nothing would be found out by its claim."""
    metrics = arena()
    healthy = {
        "adherence": 1.0, "adherence kept": 0.0, "shape": 1.0, "background": 1.0, "latent std": 1.0,
        "latent distance": 0.0, "out of range": 0.001, "roughness": 1.0, "contrast": 1.0,
        "agreement": 1.0, "largest difference": 0.0, "first input std": 1.0, "finite": True,
    }  # fmt: skip
    for each in metrics["bugs"].values():
        each["measures"] = dict(healthy)
    held = found("mutant-arena", metrics)
    assert {held[name] for name in BUGS} == {False}
    assert held["comparison-finds-all"] is False


def test_every_claim_was_seen_to_fail() -> None:
    marks = test_each_claim_can_fail.pytestmark
    (cases,) = [mark.args[1] for mark in marks if mark.name == "parametrize"]
    broken = {(name, claim) for name, claim, *_ in cases}
    for name in EXPERIMENTS:
        claims = {each.name for each in experiment(name).claims}
        assert {claim for each, claim in broken if each == name} == claims - set(BUGS)


@pytest.mark.parametrize(
    ("name", "changes", "claims"),
    [
        (
            "pipeline-stage-ledger",
            {"timesteps": {"few": 4, "many": 8, "batch": 4}},
            {"time-follows-steps", "denoiser-takes-most"},
        ),
        ("pipeline-stage-ledger", {"bundled": False}, {"batch-costs-less", "same-picture"}),
        ("pipeline-stage-ledger", {"batches": [4, 4]}, {"batch-costs-less"}),
        ("mutant-arena", {"float32": False}, {"healthy-is-the-pipeline"}),
        ("mutant-arena", {"bundled": False}, set(BUGS)),
        ("mutant-arena", {"steps": 50}, set(BUGS)),
        ("mutant-arena", {"guidance_scale": 1.5}, set(BUGS)),
        ("mutant-arena", {"pictures": 4}, set(BUGS)),
    ],
)
def test_claims_about_what_a_run_lacks_are_not_applicable(
    name: str, changes: dict[str, Any], claims: set[str]
) -> None:
    held = found(name, GOOD[name]() | changes)
    assert {claim for claim, holds in held.items() if holds is None} == claims


def test_a_bug_that_was_not_chosen_is_not_applicable() -> None:
    metrics = arena()
    del metrics["bugs"]["dt-sign"]
    assert found("mutant-arena", metrics)["dt-sign"] is None


def test_outcomes_on_good_numbers() -> None:
    made = module("stage_ledger_claims").outcomes(ledger())
    assert made["grow_with_steps"] == ["denoiser", "scheduler"]
    assert (made["denoiser_calls"], made["denoiser_rows"]) == (16, 2)
    assert (made["text_encoder_calls"], made["tokenizer_calls"]) == (2, 3)
    assert made["no_weights"] == ["tokenizer", "scheduler"]
    assert (made["most_time"], made["most_bytes"]) == ("denoiser", "unet")
    assert made["vae_share_used"] == pytest.approx(0.625, abs=0.001)
    metrics = arena()
    metrics["bugs"]["dt-sign"] |= {"error": "IndexError: x", "measures": None}
    made = module("mutant_claims").outcomes(metrics)
    assert {"counted-from-text", "linear-betas", "input-unscaled"} <= set(made["adherence_stays"])
    assert "halves-swapped" not in made["adherence_stays"]
    assert made["same_latents"] == ["no-scaling-factor", "no-shift", "channels-reversed"]
    assert made["raised"] == ["dt-sign"]
    for each in metrics["bugs"].values():
        if each["measures"]:
            each["measures"]["adherence"] = None
    assert module("mutant_claims").outcomes(metrics)["adherence_stays"] is None


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_lab_yaml_agrees_with_the_code(name: str) -> None:
    assert disagreements(find_experiment(read_labs(ROOT), name), experiment(name)) == []


# Patches


def test_each_bug_changes_one_line_of_a_loop_that_compiles() -> None:
    bugs = module("bugs")
    source = bugs.LOOP.read_text(encoding="utf-8")
    for bug in BUGS.values():
        text, line = bugs.patched(source, bug)
        was, now = source.splitlines(), text.splitlines()
        differ = [n for n, (a, b) in enumerate(zip(was, now, strict=True), 1) if a != b]
        assert differ == [line] and bug.was != bug.now
        ast.parse(text)
    assert len({(bug.was, bug.now) for bug in BUGS.values()}) == len(BUGS)
    decoder = {name for name, bug in BUGS.items() if bug.in_decoder}
    assert decoder == {"no-scaling-factor", "no-shift", "channels-reversed"}


def test_a_patch_that_does_not_fit_is_refused() -> None:
    bugs = module("bugs")
    bug = BUGS["dt-sign"]
    with pytest.raises(bugs.PatchError, match=r"dt-sign: .* stands 0 times"):
        bugs.patched("x = 1\n", bug)
    with pytest.raises(bugs.PatchError, match="2 times"):
        bugs.patched(f"{bug.was}\n    {bug.was}\n", bug)


# Loop, measures and books against diffusers


@pytest.mark.labs
@pytest.mark.parametrize("sampler", ["ddim", "euler", "ddpm"])
def test_the_loops_samplers_are_diffusers(sampler: str) -> None:
    import diffusers
    import torch

    loop, arena_code = module("loop"), module("mutant_arena")
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    kind = getattr(diffusers, arena_code.CLASSES[sampler])
    base = diffusers.DDIMScheduler(
        **config, steps_offset=1, clip_sample=False, set_alpha_to_one=False
    )
    scheduler = kind.from_config(
        {**base.config, "_use_default_values": []}, timestep_spacing="leading"
    )
    scheduler.set_timesteps(10)
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    def network(x: Any, t: int, i: int) -> Any:
        return torch.tanh(x + t / 1000)

    drawing = torch.Generator().manual_seed(1)
    ab = loop.alphas_cumprod(0.00085, 0.012)
    ts = loop.timesteps(10, 1)
    assert ts == [int(t) for t in scheduler.timesteps]
    got = loop.SAMPLERS[sampler](
        network, noise, ts, ab, lambda i: torch.randn(noise.shape, generator=drawing)
    )
    x = noise * scheduler.init_noise_sigma
    extra = {} if sampler == "euler" else {"generator": torch.Generator().manual_seed(1)}
    for t in scheduler.timesteps:
        eps = network(scheduler.scale_model_input(x, t), int(t), 0)
        x = scheduler.step(eps, t, x, **extra).prev_sample
    assert (got - x).abs().max() < 1e-4


@pytest.mark.labs
def test_measures_of_pictures() -> None:
    import torch

    m = module("mutant_measures")
    ramp = torch.linspace(0, 1, 5).expand(1, 3, 5, 5)
    assert m.roughness(ramp) == pytest.approx(0.25)
    assert m.roughness(torch.full((1, 3, 4, 4), 0.3)) == 0
    assert m.contrast(ramp / 2) == pytest.approx(m.contrast(ramp) / 2)
    assert m.agreement(ramp, ramp) == pytest.approx(1.0)
    assert m.agreement(1 - ramp, ramp) == pytest.approx(-1.0)
    assert m.agreement(ramp.transpose(2, 3), ramp) == pytest.approx(0.0, abs=1e-6)
    assert m.distance(2 * ramp, ramp) == pytest.approx(1.0)
    assert m.distance(ramp, ramp) == 0
    assert m.out_of_range(torch.tensor([-1.5, -1.0, 0.0, 2.0])) == 0.5


@pytest.mark.labs
def test_books_are_kept_and_closed(pipe: Any) -> None:
    import torch

    stages = module("stages")
    book = stages.Ledger("cpu")
    before = dict(pipe.unet.__dict__), dict(pipe.text_encoder.__dict__), pipe.scheduler
    with stages.watched(pipe, book) as light:
        assert light is not pipe and light.unet is pipe.unet
        signature = inspect.signature(light.scheduler.step)
        assert "generator" in signature.parameters
        light("a star", num_inference_steps=3, guidance_scale=5, output_type="np",
              generator=torch.Generator().manual_seed(0))  # fmt: skip
    assert {name: each.calls for name, each in book.stages.items()} == {
        "tokenizer": 3, "text encoder": 2, "denoiser": 3, "scheduler": 7,
        "VAE decode": 1, "post-process": 1,
    }  # fmt: skip
    assert book.stages["denoiser"].rows == [2, 2, 2]
    assert book.stages["denoiser"].handed_on == [2 * 4 * 8 * 8 * 4] * 3
    assert book.stages["VAE decode"].handed_on == [3 * 64 * 64 * 4]
    assert (dict(pipe.unet.__dict__), dict(pipe.text_encoder.__dict__)) == before[:2]
    assert pipe.scheduler is before[2] and type(pipe.tokenizer).__name__ == "CLIPTokenizer"
    with stages.watched(pipe, book), pytest.raises(RuntimeError, match="stop"):
        raise RuntimeError("stop")
    assert "forward" not in pipe.unet.__dict__


@pytest.mark.labs
def test_touched_bytes_leave_out_the_encoder(pipe: Any) -> None:
    import torch

    stages = module("stages")
    with stages.touched(pipe) as used:
        pipe("a star", num_inference_steps=1, output_type="latent",
             generator=torch.Generator().manual_seed(0))  # fmt: skip
    held = {name: each["bytes"] for name, each in stages.parameter_table(pipe).items()}
    assert used["unet"] == held["unet"] and used["text_encoder"] == held["text_encoder"]
    assert used["vae"] == 0
    with stages.touched(pipe) as used:
        pipe.vae.decode(torch.zeros(1, 4, 8, 8))
    decoding = [pipe.vae.decoder, pipe.vae.post_quant_conv]
    assert used["vae"] == sum(4 * p.numel() for part in decoding for p in part.parameters())


# Experiments on random weights


@pytest.mark.labs
@pytest.mark.slow
def test_the_ledger_runs(tiny_models: Path) -> None:
    result, events = run("pipeline-stage-ledger", tiny_models, steps=[2, 10], rounds=3)
    held = {
        each.claim.name: each.finding.holds
        for each in check_claims(experiment("pipeline-stage-ledger").claims, result)
    }
    exact = {"calls-by-steps", "batch-adds-rows", "some-hold-nothing", "vae-half-idle",
             "same-picture"}  # fmt: skip
    assert all(held[name] for name in exact), held
    assert result.outcomes["grow_with_steps"] == ["denoiser", "scheduler"]
    assert any(isinstance(each, Plot) for each in events)
    assert any(isinstance(each, Log) and "denoiser" in each.text for each in events)


@pytest.mark.labs
@pytest.mark.slow
def test_the_arena_runs_every_bug(tiny_models: Path) -> None:
    result, events = run(
        "mutant-arena", tiny_models, bugs=list(BUGS), pictures=2, steps=4, guidance_scale=3.0
    )
    held = {
        each.claim.name: each.finding.holds
        for each in check_claims(experiment("mutant-arena").claims, result)
    }
    assert held["healthy-is-the-pipeline"] and held["nothing-raises"], held
    assert list(result.metrics["bugs"]) == list(BUGS)
    moved = {n: each["measures"]["latent distance"] for n, each in result.metrics["bugs"].items()}
    assert {name for name, value in moved.items() if value == 0} == {
        "no-scaling-factor", "no-shift", "channels-reversed",
    }  # fmt: skip
    images = [each for each in events if isinstance(each, Image)]
    assert len(images) == 3 + len(BUGS) and images[-1].caption.startswith("rows: healthy, ddim; ")
    assert any(isinstance(each, Progress) and each.label == "sampling" for each in events)
    assert any(isinstance(each, Log) and "+ x = x - eps" in each.text for each in events)


@pytest.mark.labs
@pytest.mark.parametrize(
    "changes",
    [{"prediction_type": "v_prediction"}, {"beta_schedule": "linear"}, {"set_alpha_to_one": True}],
)
def test_a_model_of_another_schedule_is_refused(changes: dict[str, Any]) -> None:
    good = {"prediction_type": "epsilon", "beta_schedule": "scaled_linear"}
    module("arena_parts").check_scheduler(good)
    with pytest.raises(ModelError, match=next(iter(changes))):
        module("arena_parts").check_scheduler(good | changes)


@pytest.mark.labs
@pytest.mark.slow
def test_the_starter_is_the_pipeline(pipe: Any) -> None:
    import torch

    starter = module("starter")
    prompts = ["a large red star on a blue background", "a star"]
    ours = starter.call(pipe.components, prompts, seeds=[0, 1], steps=3)
    theirs = pipe(
        prompts, num_inference_steps=3, guidance_scale=5.0, output_type="pt",
        generator=[torch.Generator().manual_seed(s) for s in (0, 1)],
    ).images  # fmt: skip
    assert (ours - theirs).abs().max() < 1e-5
    swapped = starter.swapped(pipe.scheduler)
    assert torch.allclose(swapped.alphas_cumprod, pipe.scheduler.alphas_cumprod)

"""The lab cfg_reading beside its sweep: experiments on random weights, and each claim broken."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.lab import ParamError, Result, Transfers
from drill.lab.experiment import Experiment, check_outcomes
from drill.lab.loading import load_experiment, load_module
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding, run_here

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "cfg_reading"
BATCHED, CORRECTIONS, NEGATIVE = (
    "cfg-batched-vs-two-calls", "cfg-rescale-and-interval", "negative-prompt",
)  # fmt: skip
FILES = {BATCHED: "batched", CORRECTIONS: "corrections", NEGATIVE: "negative"}
SMALL: dict[str, dict[str, Any]] = {
    BATCHED: {"batches": [1, 2], "pairs": 5, "steps": 3},
    CORRECTIONS: {"pictures": 3, "steps": 5, "windows": ["0-0.4", "0.4-1"]},
    NEGATIVE: {"pictures": 5, "steps": 3, "scales": [0, 1, 5]},
}


def run(name: str, models: Path, **params: Any) -> tuple[Experiment, Result, list[Event]]:
    experiment = load_experiment(LAB / f"{FILES[name]}.py", name)
    return experiment, *run_here(experiment, models, **{**SMALL[name], **params})


def found(name: str, result: Result) -> dict[str, bool | None]:
    return holding(load_module(LAB / f"{FILES[name]}_claims.py").CLAIMS, result)


def made_up(name: str, **changed: Any) -> Result:
    metrics = {**copy.deepcopy(GOOD[name]), **changed}
    claims = load_module(LAB / f"{FILES[name]}_claims.py")
    outcomes, sentence = claims.outcomes(metrics), claims.sentence(metrics)
    return Result(metrics, outcomes, sentence, Transfers("yes", "made up"))


@pytest.mark.labs
@pytest.mark.parametrize("name", FILES)
def test_a_small_run_measures_and_shows(name: str, tiny_models: Path) -> None:
    experiment, result, events = run(name, tiny_models)
    check_outcomes(experiment, result)
    assert any(isinstance(each, Image) for each in events)
    assert any(isinstance(each, Plot) for each in events)
    held = found(name, result)
    arithmetic = {
        BATCHED: ("calls-double", "same-predictions", "same-pictures"),
        CORRECTIONS: ("rescale-costs-nothing", "window-evaluations", "as-the-pipeline"),
        NEGATIVE: ("off-at-or-under-1", "acts-above-1", "costs-nothing", "same-text-is-scale-1"),
    }[name]
    assert {each: held[each] for each in arithmetic} == dict.fromkeys(arithmetic, True)


@pytest.mark.labs
def test_windows_and_rescale_are_the_pipelines(tiny_models: Path) -> None:
    _, result, _ = run(CORRECTIONS, tiny_models)
    compared = {each["label"]: each for each in result.metrics["library"]}
    assert set(compared) == {
        "scale 1", "rescale 0", "rescale 0.5", "rescale 1", "window 0-0.4",
    }  # fmt: skip
    assert compared["window 0-0.4"]["evaluations"] == 5 + 2
    assert max(each["difference"] for each in compared.values()) < 1e-3
    assert result.outcomes["std_at_1"] == pytest.approx(1, abs=1e-3)
    assert result.outcomes["window_evaluations"] == 7


@pytest.mark.labs
def test_a_window_that_is_none_is_refused(tiny_models: Path) -> None:
    for text in ("0.4", "0.6-0.2", "0-1.5", "a-b"):
        with pytest.raises(ParamError, match="shares of the run"):
            run(CORRECTIONS, tiny_models, windows=[text])


@pytest.mark.labs
def test_the_loop_is_the_pipeline_in_chunks_too(pipe: Any) -> None:
    import torch

    from drill.lab.guided import encode_texts, guided_sample
    from drill.lab.sampling import initial_latents

    noise = initial_latents(pipe, range(3))
    prompts = ["a red star", "a blue cross", "a heart"]
    text, empty = encode_texts(pipe, prompts), encode_texts(pipe, [""])
    made = guided_sample(pipe, text, empty, noise, 4, 6.0, keep=True)
    same = pipe(
        prompts, num_inference_steps=4, guidance_scale=6.0, latents=noise, output_type="latent"
    ).images
    assert torch.allclose(made.latents, same, atol=1e-4)
    assert (made.calls, made.evaluations) == (4, 8)
    pieces = guided_sample(pipe, text, empty, noise, 4, 6.0, rows=2)
    assert torch.allclose(pieces.latents, same, atol=1e-4)
    assert (pieces.calls, pieces.evaluations) == (12, 8)
    late = guided_sample(pipe, text, empty, made.before[2], 4, 6.0, start=2)
    assert torch.allclose(late.latents, same, atol=1e-4)
    off = guided_sample(pipe, text, empty, noise, 4, 1.0)
    assert (off.calls, off.evaluations, off.spread) == (4, 4, 1.0)
    assert not torch.allclose(off.latents, same, atol=1e-2)


@pytest.mark.labs
def test_both_ways_of_two_predictions(pipe: Any) -> None:
    import torch

    from drill.lab.guided import encode_texts
    from drill.lab.sampling import DenoiserSpy, initial_latents

    batched = load_module(LAB / "batched.py")
    x = initial_latents(pipe, range(2))
    text, empty = encode_texts(pipe, ["a red star"] * 2), encode_texts(pipe, [""] * 2)
    halves = batched.Halves(pipe.unet, text, empty)
    with torch.inference_mode(), DenoiserSpy(pipe.unet) as spy:
        doubled, apart = halves.doubled(x, 500), halves.apart(x, 500)
        assert spy.batches == [4, 2, 2]
    for one, other in zip(doubled, apart, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    # The unconditional one comes first, and the two differ.
    with torch.inference_mode():
        assert torch.allclose(doubled[0], pipe.unet(x, 500, empty).sample, atol=1e-5)
    assert not torch.allclose(doubled[0], doubled[1], atol=1e-3)


def setting(label: str, **more: Any) -> dict[str, Any]:
    kind = label.split()[0]
    return {
        "label": label,
        "kind": {"scale": "off"}.get(kind, kind),
        "rescale": float(label.split()[1]) if kind == "rescale" else 0.0,
        "window": None,
        "calls": 12,
        "evaluations": 24.0,
        "spread": 1.0,
        "latent_std": 1.0,
        "out_of_range": 0.01,
        "saturation": 0.6,
        "adherence": 0.8,
        **more,
    }


SETTINGS = [
    setting("scale 1", evaluations=12.0),
    setting("rescale 0", spread=1.445, out_of_range=0.017, adherence=0.625),
    setting("rescale 0.7", spread=1.092, out_of_range=0.004),
    setting("rescale 1", spread=1.0, out_of_range=0.003),
    setting("window 0-0.4", window=[0, 5], evaluations=17.0, adherence=0.69),
    setting("window 0.4-1", window=[5, 12], evaluations=19.0, adherence=0.44),
]
LIBRARY = [
    {"label": "rescale 0.7", "evaluations": 24.0, "difference": 1e-4},
    {"label": "window 0-0.4", "evaluations": 17.0, "difference": 1e-4},
]


def settings(label: str, **changed: Any) -> dict[str, Any]:
    return {"settings": [e | changed if e["label"] == label else e for e in SETTINGS]}


def timed(batch: int, apart: float, guided: float) -> dict[str, Any]:
    return {"batch": batch, "apart_over_doubled": apart, "doubled_over_single": guided}


def counted(calls: int, evaluations: float) -> dict[str, Any]:
    return {
        "doubled": {"calls": 10, "evaluations": 20.0},
        "apart": {"calls": calls, "evaluations": evaluations},
    }


def call(scale: float, difference: float, evaluations: float, texts: int) -> dict[str, Any]:
    return {
        "scale": scale,
        "difference": difference,
        "evaluations": [evaluations, evaluations],
        "texts": [texts, texts],
    }


def shown(
    scale: float, negative: str, large: float, white: float, subject: float = 0.9
) -> dict[str, Any]:
    return {
        "scale": scale,
        "negative": negative,
        "evaluations": 24.0,
        "shares": {"a large star": large, "a large shape": white},
        "subject": subject,
        "repeats": negative == "a large star",
    }


NEGATIVE_SETTINGS = [
    shown(1, "", 0.4, 0.1),
    shown(7.5, "", 0.38, 0.08),
    shown(7.5, "a large star", 0.0, 0.1, subject=0.3),
    shown(7.5, "a large shape", 0.4, 0.0),
]
CALLS = [call(1, 0.0, 12, 1), call(7.5, 0.9, 24, 2)]
GOOD: dict[str, dict[str, Any]] = {
    BATCHED: {
        "counted": counted(20, 20.0),
        "prediction_difference": 1e-6,
        "picture_difference": 1e-5,
        "float32": True,
        "bundled": True,
        "times": [timed(1, 1.37, 1.36), timed(16, 1.09, 1.79)],
    },
    CORRECTIONS: {
        "scale": 20.0,
        "steps": 12,
        "pictures": 32,
        "settings": SETTINGS,
        "library": LIBRARY,
        "bundled": True,
        "float32": True,
    },
    NEGATIVE: {
        "prompt": "a star",
        "pictures": 24,
        "steps": 12,
        "settings": NEGATIVE_SETTINGS,
        "calls": CALLS,
        "same_text": {"scale": 7.5, "difference": 0.0, "evaluations_ratio": 2.0},
        "bundled": True,
        "float32": True,
    },
}


@pytest.mark.parametrize("name", FILES)
def test_all_claims_hold_on_plausible_numbers(name: str) -> None:
    assert set(found(name, made_up(name)).values()) == {True}


def test_outcomes_of_plausible_numbers() -> None:
    assert made_up(BATCHED).outcomes == {
        "calls_ratio": 2.0,
        "evaluations_ratio": 1.0,
        "same_pictures": "yes",
        "faster": "one doubled batch",
        "guided_over_plain": 1.36,
    }
    assert made_up(CORRECTIONS).outcomes == {
        "falls": ["std of guided over conditional", "share of values out of range"],
        "std_at_1": 1.0,
        "least_out_of_range": 1.0,
        "window_evaluations": 17.0,
        "saved": pytest.approx(7 / 24),
        "best_window": "0-0.4",
    }
    assert made_up(NEGATIVE).outcomes == {
        "off_scales": [1],
        "share_plain": 0.38,
        "share_negative": 0.0,
        "evaluations_added": 0.0,
        "same_text": "scale 1",
        "keeps_subject": "a large shape",
    }


@pytest.mark.parametrize(
    ("name", "claim", "changed"),
    [
        (BATCHED, "calls-double", {"counted": counted(10, 20.0)}),
        (BATCHED, "calls-double", {"counted": counted(20, 40.0)}),
        (BATCHED, "same-predictions", {"prediction_difference": 1e-2}),
        (BATCHED, "same-pictures", {"picture_difference": 0.2}),
        (BATCHED, "two-calls-hardly-win", {"times": [timed(1, 0.6, 1.4), timed(16, 1, 1.8)]}),
        (BATCHED, "guidance-costs-about-twice", {"times": [timed(16, 1, 1.0)]}),
        (BATCHED, "guidance-costs-about-twice", {"times": [timed(16, 1, 4.0)]}),
        (CORRECTIONS, "spread-restored", settings("rescale 1", spread=1.05)),
        (CORRECTIONS, "spread-restored", settings("rescale 0.7", spread=1.5)),
        (CORRECTIONS, "fewer-out-of-range", settings("rescale 1", out_of_range=0.02)),
        (CORRECTIONS, "rescale-costs-nothing", settings("rescale 0.7", evaluations=12.0)),
        (CORRECTIONS, "window-evaluations", settings("window 0-0.4", evaluations=24.0)),
        (CORRECTIONS, "early-keeps-more", settings("window 0-0.4", adherence=0.44)),
        (CORRECTIONS, "as-the-pipeline", {"library": [{**LIBRARY[0], "difference": 0.3}]}),
        (CORRECTIONS, "as-the-pipeline", {"library": [{**LIBRARY[1], "evaluations": 18.0}]}),
        (NEGATIVE, "off-at-or-under-1", {"calls": [call(1, 0.01, 12, 1), CALLS[1]]}),
        (NEGATIVE, "off-at-or-under-1", {"calls": [call(1, 0.0, 12, 2), CALLS[1]]}),
        (NEGATIVE, "acts-above-1", {"calls": [CALLS[0], call(7.5, 0.0, 24, 2)]}),
        (NEGATIVE, "acts-above-1", {"calls": [CALLS[0], call(7.5, 0.9, 24, 1)]}),
        (
            NEGATIVE,
            "shows-less",
            {"settings": [*NEGATIVE_SETTINGS[:2], shown(7.5, "a large star", 0.36, 0.1)]},
        ),
        (
            NEGATIVE,
            "shows-less",
            {"settings": [*NEGATIVE_SETTINGS[:3], shown(7.5, "a large shape", 0.4, 0.2)]},
        ),
        (
            NEGATIVE,
            "repeating-costs-the-subject",
            {
                "settings": [
                    *NEGATIVE_SETTINGS[:2],
                    *({**each, "subject": 0.9} for each in NEGATIVE_SETTINGS[2:]),
                ]
            },
        ),
        (NEGATIVE, "costs-nothing", {"calls": [{**CALLS[1], "evaluations": [24, 36]}]}),
        (
            NEGATIVE,
            "same-text-is-scale-1",
            {"same_text": {"scale": 7.5, "difference": 0.4, "evaluations_ratio": 2.0}},
        ),
        (
            NEGATIVE,
            "same-text-is-scale-1",
            {"same_text": {"scale": 7.5, "difference": 0.0, "evaluations_ratio": 1.0}},
        ),
    ],
)
def test_each_claim_can_fail(name: str, claim: str, changed: dict[str, Any]) -> None:
    assert found(name, made_up(name, **changed))[claim] is False


def test_claims_without_what_they_speak_of_are_not_applicable() -> None:
    unjudged = [{**each, "adherence": None} for each in SETTINGS[:1]] + [
        {**SETTINGS[1], "adherence": None}
    ]
    held = found(CORRECTIONS, made_up(CORRECTIONS, settings=unjudged, library=[]))
    assert held.pop("rescale-costs-nothing") is True
    assert set(held.values()) == {None}
    bare = [{**each, "shares": None, "subject": None} for each in NEGATIVE_SETTINGS]
    held = found(NEGATIVE, made_up(NEGATIVE, settings=bare, calls=CALLS[:1], same_text=None))
    assert {name for name, holds in held.items() if holds is None} == {
        "shows-less", "acts-above-1", "same-text-is-scale-1", "repeating-costs-the-subject",
    }  # fmt: skip
    held = found(BATCHED, made_up(BATCHED, float32=False, times=[timed(1, 1.2, 1.4)]))
    assert {name for name, holds in held.items() if holds is None} == {
        "same-predictions", "same-pictures", "guidance-costs-about-twice",
    }  # fmt: skip


def test_times_within_a_tenth_are_no_difference() -> None:
    faster = load_module(LAB / "batched_claims.py").faster
    assert faster(1.05) == faster(0.95) == "no difference"
    assert faster(1.3) == "one doubled batch"
    assert faster(0.7) == "two calls"


def lines_of(text: str) -> list[str]:
    """Lines of code without comments and indentation, empty ones left out."""
    bare = [re.sub(r"\s+#.*$", "", line).strip() for line in text.splitlines()]
    return [line for line in bare if line]


def test_mutants_are_excerpts_of_the_starter() -> None:
    starter = set(lines_of((LAB / "starter.py").read_text(encoding="utf-8")))
    file = ROOT / "questions" / "cfg" / "cfg_reading" / "items.yaml"
    mutants = [e for e in yaml.safe_load(file.read_text("utf-8")) if e["type"] == "mutant"]
    assert len(mutants) >= 2
    for item in mutants:
        lines = item["code"].splitlines()
        lines[item["key"]["line"] - 1] = item["key"]["was"]
        # Signatures are shown without their types.
        body = [e for e in lines_of("\n".join(lines)) if not e.startswith(("def ", "import "))]
        assert set(body) <= starter, (item["id"], set(body) - starter)


@pytest.mark.labs
def test_the_starter_guides_as_it_says() -> None:
    import torch

    starter = load_module(LAB / "starter.py")
    count = 100
    noise = torch.randn(count, *starter.SHAPE, generator=torch.Generator().manual_seed(1))
    plus, minus, empty = (
        torch.full((count,), word) for word in (starter.PLUS, starter.MINUS, starter.EMPTY)
    )

    def along(text: Any, other: Any, s: float) -> Any:
        return (starter.sample(text, other, noise, s) * starter.D).sum(dim=(1, 2, 3))

    plain, strong = along(plus, empty, 1.0), along(plus, empty, 7.5)
    assert torch.equal(along(plus, empty, 0.0), plain)
    assert strong.mean() > plain.mean() + 1 and strong.std() < 0.7 * plain.std()
    assert along(plus, minus, 7.5).mean() > strong.mean() + 1
    assert torch.allclose(along(plus, plus, 7.5), plain, atol=1e-3)

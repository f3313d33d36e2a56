"""Broken services: every change fits, probes and items agree, each case runs, nothing leaks."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.lab import Context, Result
from drill.lab.loading import load_experiment, load_module
from drill.lab.params import ParamError
from drill.worker.protocol import Event, Image, Log, Plot
from tests.labs.runs import holding, result_of, run_here

pytestmark = [
    pytest.mark.labs,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.distributed.reduce_op:FutureWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "pipeline_components"
diagnose = load_module(LAB / "diagnose.py")
claims = load_module(LAB / "diagnose_claims.py")
patched = load_module(LAB / "cases" / "patched.py")
NAMES = sorted(diagnose.CASES)


def items() -> list[dict[str, Any]]:
    files = sorted((ROOT / "questions").glob("*/diagnose/items.yaml"))
    return [item for file in files for item in yaml.safe_load(file.read_text(encoding="utf-8"))]


def run(**params: Any) -> tuple[Result, list[Event], dict[str, bool | None]]:
    experiment = load_experiment(LAB / "diagnose.py", "diagnose")
    result, events = run_here(experiment, **params)
    return result, events, holding(experiment.claims, result)


# The services and their changes


@pytest.mark.parametrize("name", NAMES)
def test_the_mend_is_small_and_leads_to_the_healthy_text(name: str) -> None:
    service = diagnose.CASES[name].service
    assert service.bugs
    broken, healthy = service.text(patched.BROKEN), service.text(patched.HEALTHY)
    assert broken != healthy
    compile(broken, name, "exec")
    compile(healthy, name, "exec")
    lines = service.mend()
    assert 0 < sum(line[:1] in "+-" for line in lines) <= 7
    if not service.variant:
        assert healthy == (LAB / "cases" / service.file).read_text(encoding="utf-8")


def test_a_change_that_fits_twice_or_never_is_refused() -> None:
    for text in ("scheduler", "nowhere to be found"):
        service = patched.Service("loop_service.py", (patched.Change(text, ""),))
        with pytest.raises(ValueError, match="not exactly once"):
            service.text(patched.BROKEN)


def test_a_service_is_loaded_without_what_an_earlier_run_left() -> None:
    service = diagnose.CASES["cache-key"].service
    first = service.load(patched.BROKEN)
    first.STATES["left"] = 1
    assert "left" not in service.load(patched.BROKEN).STATES


def test_a_traceback_names_no_path_of_the_machine() -> None:
    try:
        patched.Service("loop_service.py", ()).load(patched.HEALTHY).generate(None, [], [])
    except AttributeError as error:
        lines = patched.traceback_lines(error)
    assert any('"loop_service.py"' in line for line in lines)
    assert "scheduler = pipe.scheduler" in "\n".join(lines)
    assert str(ROOT) not in "\n".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_has_four_to_seven_probes(name: str) -> None:
    assert 4 <= len(diagnose.CASES[name].probes()) <= 7


# Items


def test_every_case_has_one_item_and_every_item_a_case() -> None:
    assert sorted(item["experiment"]["params"]["case"] for item in items()) == NAMES


@pytest.mark.parametrize("item", items(), ids=lambda item: item["id"])
def test_item_and_case_agree(item: dict[str, Any]) -> None:
    case = diagnose.CASES[item["experiment"]["params"]["case"]]
    assert [cause["id"] for cause in item["causes"] if cause.get("right")] == [case.cause]
    assert {probe["id"] for probe in item["probes"]} <= set(case.probes())
    assert 1 <= sum(probe.get("decides", False) for probe in item["probes"]) <= 2
    assert all(cause.get("says") for cause in item["causes"] if not cause.get("right"))


def test_pairs_name_cases_and_their_probes() -> None:
    for pair in claims.PAIRS:
        for name in pair.cases:
            assert pair.probe in diagnose.CASES[name].probes()


# Parameters


@pytest.mark.parametrize(
    ("case", "look"), [("same-seed", "adapters"), ("all", "latent-std"), ("same-seed", "")]
)
def test_an_unknown_look_is_refused_with_those_there_are(case: str, look: str) -> None:
    with pytest.raises(ParamError, match="there are symptom"):
        run(case=case, look=look)


def test_all_cases_together_take_the_probes_that_tell_them_apart() -> None:
    assert diagnose.looks_of("same-seed", "all", every=False) == ["symptom", "random-state", "mend"]
    assert diagnose.looks_of("same-seed", "mend") == ["mend"]
    assert len(diagnose.looks_of("same-seed", "all")) == 8


# Claims on made-up numbers

CHECK = {"what": "share right", "bound": 0.75, "at_least": True, "broken": 0.0, "mended": 1.0}
LOW = {"what": "latency", "bound": 6, "at_least": False, "broken": 20.0, "mended": 1.5}
GOOD: dict[str, Any] = {
    "case": "all",
    "look": "all",
    "lines": [],
    "cases": {
        "same-seed": {
            "cause": "one-seed-for-all",
            "check": CHECK,
            "probes": {"random-state": {"noises": 1}},
        },
        "no-init-sigma": {
            "cause": "unscaled-start",
            "check": LOW,
            "probes": {"random-state": {"noises": 4}},
        },
    },
}


def holds(metrics: Any) -> dict[str, bool | None]:
    return holding(claims.CLAIMS, result_of(metrics))


def changed(path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(GOOD)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


def test_claims_hold_on_good_numbers() -> None:
    assert set(holds(GOOD).values()) == {True}
    assert claims.outcomes(GOOD) == {"cause": "", "mended": True}
    assert "2 of 2 broken services fail their check and 2 pass" in claims.sentence(GOOD)


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("symptom-is-there", ("cases", "same-seed", "check", "broken"), 0.75),
        ("symptom-is-there", ("cases", "no-init-sigma", "check", "broken"), 6),
        ("mend-removes-it", ("cases", "same-seed", "check", "mended"), 0.5),
        ("mend-removes-it", ("cases", "no-init-sigma", "check", "mended"), 7.0),
        (
            "probes-tell-apart",
            ("cases", "no-init-sigma", "probes", "random-state", "noises"),
            1,
        ),
        ("probes-tell-apart", ("cases", "same-seed", "probes", "random-state", "noises"), 4),
    ],
)
def test_each_claim_fails_on_wrong_numbers(claim: str, path: tuple[Any, ...], value: Any) -> None:
    found = holds(changed(path, value))
    assert found[claim] is False
    assert all(held for name, held in found.items() if name != claim)


def test_claims_do_not_speak_of_a_symptom_alone() -> None:
    metrics = changed(("cases",), {"same-seed": {"cause": "x", "check": None, "probes": {}}})
    assert set(holds(metrics).values()) == {None}
    assert claims.outcomes(metrics) == {"cause": "", "mended": None}


# Real runs


def test_a_symptom_tells_neither_cause_nor_mend() -> None:
    result, events, found = run(case="lock-held", look="symptom")
    assert set(found.values()) == {None}
    assert result.outcomes == {"cause": "", "mended": None}
    assert [event.text for event in events if isinstance(event, Log)] == result.metrics["lines"]
    assert any(isinstance(event, Plot) for event in events)


def test_a_mended_service_has_no_symptom() -> None:
    """The check can fail: of a service without its bug the claim does not hold."""
    case = diagnose.CASES["queue-unbounded"](Context(params={}, pack=ROOT, emit=lambda event: None))
    case.service = patched.Service(case.service.file, (), case.service.variant)
    assert case.bound.passes(case.measure(case.broken))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_case_breaks_is_measured_and_is_mended(name: str) -> None:
    result, events, found = run(case=name)
    assert found["symptom-is-there"] is True
    assert found["mend-removes-it"] is True
    assert result.outcomes == {"cause": diagnose.CASES[name].cause, "mended": True}
    assert any(isinstance(event, (Image, Plot, Log)) for event in events)
    for probe in diagnose.CASES[name].probes():
        assert f"== {probe}" in result.metrics["lines"]


@pytest.mark.slow
def test_a_picture_case_without_its_bug_shows_no_symptom() -> None:
    case = diagnose.CASES["swapped-halves"](Context(params={}, pack=ROOT, emit=lambda event: None))
    case.service = patched.Service(case.service.file, ())
    assert case.bound.passes(case.measure(case.broken))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["style-leaks", "from-pipe", "steps-once", "decode-dtype"])
def test_the_shared_pipeline_stays_as_it_is(name: str) -> None:
    context = Context(params={}, pack=ROOT, emit=lambda event: None)
    before = state_of(context.pipeline())
    run(case=name)
    assert state_of(context.pipeline()) == before


def state_of(pipe: Any) -> list[str]:
    """Weights, types, hooks and scheduler of a pipeline."""
    told = [f"{type(pipe.scheduler).__name__} {dict(pipe.scheduler.config)}"]
    told.append(str(sorted(vars(pipe.scheduler)["_internal_dict"])))
    for name in ("unet", "vae", "text_encoder"):
        part = getattr(pipe, name)
        digest = hashlib.sha256()
        for key, value in sorted(part.state_dict().items()):
            digest.update(f"{key} {value.dtype}".encode() + value.cpu().numpy().tobytes())
        hooks = [len(each._forward_hooks) + len(each._forward_pre_hooks) for each in part.modules()]
        told.append(f"{name} {digest.hexdigest()} {sum(hooks)} {part.training}")
    return told

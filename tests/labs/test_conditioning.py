"""The lab conditioning: each experiment on random weights, each claim broken, its measures."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.lab import ParamError, Result, Transfers
from drill.lab.experiment import Experiment, check_outcomes
from drill.lab.loading import load_experiment, load_module
from drill.lab.models import ModelError
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding, run_here

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "conditioning"
SWAP, TRUNCATION, BACKBONES = "prompt-token-swap", "truncation", "unet-vs-dit"
FILES = {SWAP: "swap", TRUNCATION: "truncation", BACKBONES: "backbones"}
SMALL: dict[str, dict[str, Any]] = {
    SWAP: {"swaps": ["red=orange"], "switches": [0.5], "pictures": 2, "steps": 4},
    TRUNCATION: {"limits": [12, 8], "pictures": 2, "steps": 3},
    BACKBONES: {"pictures": 2, "steps": 3, "sides": [8, 16], "rounds": 3},
}


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models with a DiT of random weights beside them."""
    import torch
    from diffusers import DDIMScheduler, PixArtTransformer2DModel

    folder = tmp_path_factory.mktemp("family") / "models"
    shutil.copytree(tiny_models, folder)
    torch.manual_seed(0)
    dit: Any = PixArtTransformer2DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4, num_layers=2,
        norm_num_groups=8, cross_attention_dim=32, caption_channels=32, sample_size=8, patch_size=2,
        use_additional_conditions=False,
    )  # fmt: skip
    dit.save_pretrained(folder / "dit" / "transformer")
    DDIMScheduler.from_pretrained(folder / "shapes" / "scheduler").save_pretrained(
        folder / "dit" / "scheduler"
    )
    return folder


def run(
    name: str, models: Path, model: str = "", **params: Any
) -> tuple[Experiment, Result, list[Event]]:
    experiment = load_experiment(LAB / f"{FILES[name]}.py", name)
    return experiment, *run_here(experiment, models, model, **{**SMALL[name], **params})


def found(name: str, result: Result) -> dict[str, bool | None]:
    return holding(load_module(LAB / f"{FILES[name]}_claims.py").CLAIMS, result)


def made_up(name: str, **changed: Any) -> Result:
    metrics = {**copy.deepcopy(GOOD[name]), **changed}
    claims = load_module(LAB / f"{FILES[name]}_claims.py")
    outcomes, sentence = claims.outcomes(metrics), claims.sentence(metrics)
    return Result(metrics, outcomes, sentence, Transfers("yes", "made up"))


@pytest.mark.labs
@pytest.mark.parametrize("name", FILES)
def test_a_small_run_measures_and_shows(name: str, models: Path) -> None:
    experiment, result, events = run(name, models)
    check_outcomes(experiment, result)
    assert any(isinstance(each, Image) for each in events)
    assert any(isinstance(each, Plot) for each in events)
    held = found(name, result)
    structural = {
        SWAP: ("states-before-are-equal",),
        TRUNCATION: (
            "cut-words-do-nothing", "end-is-kept", "cut-is-typing-less", "padding-is-not-zero",
            "words-blind-to-padding",
        ),
        BACKBONES: ("same-evaluations", "scores-take-over"),
    }[name]  # fmt: skip
    assert {each: held[each] for each in structural} == dict.fromkeys(structural, True)


@pytest.mark.labs
def test_another_model_is_swapped_and_cut_but_not_judged(tiny_models: Path) -> None:
    model = str(tiny_models / "shapes")
    for name in (SWAP, TRUNCATION):
        _, result, _ = run(name, tiny_models, model=model)
        held = found(name, result)
        assert False not in {held[each] for each in held if "differ" in each or "cut" in each}
        judged = {SWAP: "only-its-attribute", TRUNCATION: "attribute-lost"}[name]
        assert held[judged] is None
    with pytest.raises(ModelError, match="no such twin"):
        run(BACKBONES, tiny_models, model=model)


@pytest.mark.labs
def test_a_missing_dit_is_named(tiny_models: Path) -> None:
    with pytest.raises(ModelError, match="dit"):
        run(BACKBONES, tiny_models)


@pytest.mark.labs
def test_swaps_that_are_none_are_refused(pipe: Any) -> None:
    swapped = load_module(LAB / "swap.py").swapped
    prompt = "a small red star on a blue background"
    other, position = swapped(pipe.tokenizer, prompt, "red=orange")
    assert (other, position) == ("a small orange star on a blue background", 3)
    for swap in ("red", "red=", "a=an", "pink=red"):
        with pytest.raises(ParamError, match="old=new"):
            swapped(pipe.tokenizer, prompt, swap)
    with pytest.raises(ParamError, match="more than one token"):
        swapped(pipe.tokenizer, prompt, "red=crimson")


@pytest.mark.labs
def test_states_around_a_swapped_word() -> None:
    import torch

    swap = load_module(LAB / "swap.py")
    original = torch.zeros(1, 6, 4)
    other = original.clone()
    other[0, 2, 1], other[0, 3:, 0] = 2.0, torch.tensor([0.5, 0.25, 1.0])
    assert swap.differences(original, other, 2) == {
        "before_difference": 0.0,
        "own_difference": 2.0,
        "behind_difference": 0.25,
    }
    positions = list(range(6))
    where = swap.claims.WHERE
    assert [positions[swap.places(name, 2)] for name in where] == [positions, [2], [3, 4, 5]]


@pytest.mark.labs
def test_tokens_at_the_full_limit_are_the_pipelines(pipe: Any) -> None:
    import torch

    truncation = load_module(LAB / "truncation.py")
    prompt = "a small red star on a blue background"
    ids = truncation.tokens(pipe.tokenizer, prompt, 12)
    states, _ = pipe.encode_prompt([prompt], "cpu", 1, False)
    assert torch.equal(truncation.states_of(pipe, ids), states)
    cut = truncation.tokens(pipe.tokenizer, prompt, 5)
    assert len(cut) == 12 and cut[:4] == ids[:4]
    assert set(cut[4:]) == {pipe.tokenizer.eos_token_id}


@pytest.mark.labs
def test_masked_tokens_are_not_read(pipe: Any) -> None:
    import torch

    from drill.lab.guided import encode_texts, guided_sample
    from drill.lab.sampling import initial_latents

    noise = initial_latents(pipe, range(2))
    text, empty = encode_texts(pipe, ["a red star"]), encode_texts(pipe, [""])
    mask = torch.tensor([[1] * 5 + [0] * 7])
    other = text.clone()
    other[:, 5:] = 7.0

    def sampled(states: Any, given: Any) -> Any:
        return guided_sample(pipe, states, empty, noise, 3, 5.0, mask=given).latents

    assert torch.allclose(sampled(text, (mask, mask)), sampled(other, (mask, mask)), atol=1e-4)
    assert not torch.allclose(sampled(text, None), sampled(other, None), atol=1e-2)
    # The empty prompt has a mask of its own.
    ones = torch.ones_like(mask)
    assert not torch.allclose(sampled(text, (mask, mask)), sampled(text, (mask, ones)), atol=1e-4)


@pytest.mark.labs
def test_flops_are_those_of_the_products() -> None:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    flops = load_module(LAB / "backbones.py").flops
    q = torch.randn(1, 2, 8, 4)
    weight = torch.randn(4, 4)

    def attention() -> Any:
        return scaled_dot_product_attention(q @ weight, q, q)

    projection, products = 2 * 2 * 8 * 4 * 4, 2 * (2 * 2 * 8 * 8 * 4)
    total, share = flops(attention)
    assert total == projection + products
    # The matrix product of a batch is a `bmm` as well, if its weight is not a parameter of a layer.
    assert share == pytest.approx((projection + products) / total, abs=0.2)
    layer = torch.nn.Linear(4, 4)
    total, share = flops(lambda: scaled_dot_product_attention(layer(q), q, q))
    assert share == pytest.approx(products / total)


def swapped_word(word: str, to: str, attribute: str, late: list[float]) -> dict[str, Any]:
    def shares(new: float) -> dict[str, float]:
        return {"new": new, "old": 1 - new, "others": 0.9}

    return {
        "word": word,
        "to": to,
        "attribute": attribute,
        "position": 3,
        "before_difference": 0.0,
        "own_difference": 3.0,
        "behind_difference": 0.2,
        "where": {
            "all states": shares(1.0),
            "its own state": shares(0.0),
            "states behind it": shares(0.75),
        },
        "late": [shares(each) for each in late],
    }


def swaps(colour: list[float], size: list[float], **changed: Any) -> dict[str, Any]:
    words = [
        swapped_word("red", "green", "colour", colour),
        swapped_word("small", "large", "size", size),
    ]
    return {"swaps": [word | changed for word in words]}


def cut(limit: int, kept: bool, shown: float, **changed: Any) -> dict[str, Any]:
    return {
        "limit": limit,
        "read": "a small red star on a",
        "kept": kept,
        "typed": True,
        "ends": True,
        "twin_difference": 0.9 if kept else 0.0,
        "shares": {"blue": shown},
        "shown": shown,
        **changed,
    }


PADDING = {
    "positions": 7,
    "norm_ratio": 1.01,
    "mask_moves_words": 0.0,
    "mask_moves_padding": 7.9,
    "mask_moves_pixels": 0.37,
}
SAMPLED = [
    {"name": name, "scale": scale, "evaluations": evaluations, "adherence": share}
    for name in ("UNet", "DiT")
    for scale, evaluations, share in ((1.0, 12.0, 0.7), (5.0, 24.0, 0.9))
]


def cost(side: int, unet: float, dit: float, share: float) -> dict[str, Any]:
    return {
        "side": side,
        "tokens": {"UNet": side**2, "DiT": side**2 // 4},
        "flops": {"UNet": unet, "DiT": dit},
        "attention": {"UNet": share, "DiT": share / 2},
        "dit_over_unet": 0.7,
    }


COSTS = [cost(8, 1.0, 1.0, 0.01), cost(32, 17.0, 18.0, 0.1)]
GOOD: dict[str, dict[str, Any]] = {
    SWAP: {
        "prompt": "a small red star",
        "switches": [0.5, 0.75],
        "pictures": 8,
        "usual": 1.0,
        "float32": True,
        "bundled": True,
        **swaps([1.0, 0.9], [0.0, 0.0]),
    },
    TRUNCATION: {
        "word": "blue",
        "twin": "yellow",
        "positions": 12,
        "room": 10,
        "cuts": [cut(12, True, 1.0), cut(9, True, 1.0), cut(8, False, 0.3), cut(5, False, 0.3)],
        "padding": PADDING,
        "float32": True,
        "bundled": True,
    },
    BACKBONES: {
        "parameters": {"UNet": 4_200_000, "DiT": 4_100_000},
        "sampled": SAMPLED,
        "costs": COSTS,
    },
}


@pytest.mark.parametrize("name", FILES)
def test_all_claims_hold_on_plausible_numbers(name: str) -> None:
    assert set(found(name, made_up(name)).values()) == {True}


def test_outcomes_of_plausible_numbers() -> None:
    assert made_up(SWAP).outcomes == {
        "new_by_where": {"all states": 1.0, "its own state": 0.0, "states behind it": 0.75},
        "enough": ["all states", "states behind it"],
        "still_shown": ["green"],
        "changed_states": ["its own", "behind it"],
        "others_kept": pytest.approx(0.9),
    }
    assert made_up(TRUNCATION).outcomes == {
        "room": 10,
        "first_lost": 8,
        "cut_twins": "identical",
        "mask_changes": [
            "padding states by a mask in the encoder",
            "pictures by a mask in cross-attention",
        ],
        "shown_when_cut": 0.3,
    }
    assert made_up(BACKBONES).outcomes == {
        "evaluations_ratio": 1.0,
        "dit_growth": 18.0,
        "unet_growth": 17.0,
        "grows_more": "DiT",
        "faster": "DiT",
        "follow": ["UNet", "DiT"],
    }


def padded(**changed: float) -> dict[str, Any]:
    return {"padding": PADDING | changed}


def cuts(place: int, **changed: Any) -> dict[str, Any]:
    rows = copy.deepcopy(GOOD[TRUNCATION]["cuts"])
    rows[place] |= changed
    return {"cuts": rows}


def sampled(place: int, **changed: Any) -> dict[str, Any]:
    rows = copy.deepcopy(SAMPLED)
    rows[place] |= changed
    return {"sampled": rows}


NEVER = {
    name: {"new": 0.2, "old": 0.8, "others": 0.9}
    for name in ("all states", "its own state", "states behind it")
}
SPILLED = {name: {**each, "new": 1.0, "others": 0.3} for name, each in NEVER.items()}


@pytest.mark.parametrize(
    ("name", "claim", "changed"),
    [
        (SWAP, "only-its-attribute", swaps([1, 1], [0, 0], where=NEVER)),
        (SWAP, "only-its-attribute", swaps([1, 1], [0, 0], where=SPILLED)),
        (SWAP, "states-before-are-equal", swaps([1, 1], [0, 0], before_difference=0.3)),
        (SWAP, "states-before-are-equal", swaps([1, 1], [0, 0], own_difference=0.0)),
        (SWAP, "states-behind-carry-it", swaps([1, 1], [0, 0], behind_difference=0.0)),
        (SWAP, "late-swaps-do-less", swaps([1, 1], [1, 1])),
        (SWAP, "size-settles-first", swaps([1, 1], [0.6, 0])),
        (SWAP, "size-settles-first", swaps([0.2, 0], [0, 0])),
        (TRUNCATION, "cut-words-do-nothing", cuts(2, twin_difference=0.01)),
        (TRUNCATION, "kept-words-do-something", cuts(0, twin_difference=0.0)),
        (TRUNCATION, "attribute-lost", cuts(2, shown=0.9)),
        (TRUNCATION, "end-is-kept", cuts(3, ends=False)),
        (TRUNCATION, "cut-is-typing-less", cuts(3, typed=False)),
        (TRUNCATION, "padding-is-not-zero", padded(norm_ratio=0.0)),
        (TRUNCATION, "words-blind-to-padding", padded(mask_moves_words=0.1)),
        (TRUNCATION, "words-blind-to-padding", padded(mask_moves_padding=0.0)),
        (TRUNCATION, "padding-is-read", padded(mask_moves_pixels=0.0)),
        (BACKBONES, "similar-size", {"parameters": {"UNet": 4e6, "DiT": 1e6}}),
        (BACKBONES, "same-evaluations", sampled(3, evaluations=48.0)),
        (BACKBONES, "both-follow", sampled(3, adherence=0.1)),
        (BACKBONES, "far-from-quadratic", {"costs": [COSTS[0], cost(32, 17, 200, 0.1)]}),
        (BACKBONES, "far-from-quadratic", {"costs": [COSTS[0], cost(32, 4, 18, 0.1)]}),
        (BACKBONES, "scores-take-over", {"costs": [COSTS[0], cost(32, 17, 18, 0.01)]}),
    ],
)
def test_each_claim_can_fail(name: str, claim: str, changed: dict[str, Any]) -> None:
    assert found(name, made_up(name, **changed))[claim] is False


def test_claims_without_what_they_speak_of_are_not_applicable() -> None:
    unjudged = {name: dict.fromkeys(each) for name, each in NEVER.items()}
    bare = swaps([0, 0], [0, 0], where=unjudged, attribute=None, late=[dict.fromkeys(NEVER)] * 2)
    for each in bare["swaps"]:
        each["late"] = [{"new": None, "old": None, "others": None}] * 2
    held = found(SWAP, made_up(SWAP, usual=None, **bare))
    assert {name for name, holds in held.items() if holds is None} == {
        "only-its-attribute", "late-swaps-do-less", "size-settles-first",
    }  # fmt: skip
    held = found(TRUNCATION, made_up(TRUNCATION, cuts=[cut(12, True, 1.0)]))
    assert {name for name, holds in held.items() if holds is None} == {
        "cut-words-do-nothing", "attribute-lost",
    }  # fmt: skip
    held = found(BACKBONES, made_up(BACKBONES, costs=COSTS[:1]))
    assert {name for name, holds in held.items() if holds is None} == {
        "far-from-quadratic", "scores-take-over",
    }  # fmt: skip


def lines_of(text: str) -> list[str]:
    """Lines of code without comments and indentation, empty ones left out."""
    bare = [re.sub(r"\s+#.*$", "", line).strip() for line in text.splitlines()]
    return [line for line in bare if line]


def test_mutants_are_excerpts_of_the_starter() -> None:
    starter = set(lines_of((LAB / "starter.py").read_text(encoding="utf-8")))
    mutants = []
    for topic in ("conditioning", "backbone"):
        file = ROOT / "questions" / topic / "conditioning" / "items.yaml"
        mutants += [e for e in yaml.safe_load(file.read_text("utf-8")) if e["type"] == "mutant"]
    assert len(mutants) >= 3
    for item in mutants:
        lines = item["code"].splitlines()
        lines[item["key"]["line"] - 1] = item["key"]["was"]
        # Signatures are shown without their types, docstrings may be shorter.
        skipped = ("def ", "import ", "from ", '"""')
        body = [e for e in lines_of("\n".join(lines)) if not e.startswith(skipped)]
        assert set(body) <= starter, (item["id"], set(body) - starter)


@pytest.mark.labs
def test_the_starter_is_the_library(pipe: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    starter = load_module(LAB / "starter.py")
    starter.compare()
    told = re.findall(r"(?:: |, )(\d)e([+-]\d\d)", capsys.readouterr().out)
    assert len(told) == 4 and all(int(digit) * 10.0 ** int(power) < 1e-5 for digit, power in told)
    x, text = torch.randn(2, 4, 8, 8), torch.randn(2, 12, 32)
    with torch.no_grad():
        ours = starter.unet_forward(pipe.unet, x, 300, text)
        assert torch.allclose(ours, pipe.unet(x, 300, text).sample, atol=1e-5)

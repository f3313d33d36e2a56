"""The lab controlnet: each experiment on random weights, each claim broken, its measures."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from drill.lab import Context, Result, Transfers
from drill.lab.experiment import Experiment, check_outcomes
from drill.lab.loading import load_experiment, load_module
from drill.lab.models import ModelError
from drill.lab.params import resolve
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import holding

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "controlnet"
SCALE, WINDOW, IP = "controlnet-no-op-and-scale", "control-window", "ip-adapter-scale"
FILES = {SCALE: "scale", WINDOW: "window", IP: "ip"}
SMALL: dict[str, dict[str, Any]] = {
    SCALE: {"scales": [0.0, 1.0], "pictures": 6, "steps": 4},
    WINDOW: {"pictures": 6, "steps": 4, "rounds": 3},
    IP: {"scales": [0.0, 1.0], "pictures": 6, "steps": 4},
}


def save_controlnet(folder: Path, unet: Any) -> None:
    """A ControlNet of the UNet, its zero layers filled with random numbers."""
    import torch
    from diffusers import ControlNetModel

    made: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    torch.manual_seed(2)
    zero = (made.controlnet_down_blocks, made.controlnet_mid_block)
    for part in (*zero, made.controlnet_cond_embedding.conv_out):
        for weight in part.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    made.save_pretrained(folder)


def save_ip_adapter(folder: Path, unet: Any) -> None:
    """An IP-Adapter of random weights for the UNet, and its image encoder."""
    import torch
    from safetensors.torch import save_file
    from torch import nn
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(3)
    width, text = 16, unet.config.cross_attention_dim
    parts = {"proj": nn.Linear(width, 4 * text), "norm": nn.LayerNorm(text)}
    state = {
        f"image_proj.{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    crossing = [name for name in unet.attn_processors if "attn2" in name]
    for index, name in enumerate(crossing):
        attention = unet.get_submodule(name.removesuffix(".processor"))
        for key in ("k", "v"):
            weight = getattr(attention, f"to_{key}").weight
            state[f"ip_adapter.{2 * index + 1}.to_{key}_ip.weight"] = torch.randn(weight.shape)
    folder.mkdir(parents=True)
    save_file(state, folder / "ip_adapter.safetensors")
    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, projection_dim=width, num_hidden_layers=1,
        num_attention_heads=2, image_size=64, patch_size=16,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder / "image_encoder")


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory, pipe: Any) -> Path:
    """The tiny models with both adapters beside them."""
    folder = tmp_path_factory.mktemp("adapters") / "models"
    shutil.copytree(tiny_models, folder)
    save_controlnet(folder / "controlnet", pipe.unet)
    save_ip_adapter(folder / "ip_adapter", pipe.unet)
    return folder


def context_of(name: str, models: Path, model: str = "", **params: Any) -> tuple[Any, Any, Any]:
    experiment = load_experiment(LAB / f"{FILES[name]}.py", name)
    events: list[Event] = []
    context = Context(
        params=resolve(experiment.params, {**SMALL[name], **params}),
        pack=ROOT,
        models=models,
        model=model,
        emit=events.append,
    )
    return experiment, context, events


def run(
    name: str, models: Path, model: str = "", **params: Any
) -> tuple[Experiment, Result, list[Event]]:
    experiment, context, events = context_of(name, models, model, **params)
    return experiment, experiment.run(context), events


def found(name: str, result: Result) -> dict[str, bool | None]:
    return holding(load_module(LAB / f"{FILES[name]}_claims.py").CLAIMS, result)


def made_up(name: str, **changed: Any) -> Result:
    metrics = {**copy.deepcopy(GOOD[name]), **changed}
    claims = load_module(LAB / f"{FILES[name]}_claims.py")
    outcomes, sentence = claims.outcomes(metrics), claims.sentence(metrics)
    return Result(metrics, outcomes, sentence, Transfers("yes", "made up"))


STRUCTURAL = {
    SCALE: (
        "fresh-changes-nothing", "zero-convs-learn-first", "residual-for-each-skip",
        "scale-zero-is-the-base",
    ),
    WINDOW: ("window-saves-no-call", "guess-mode-halves-rows", "guidance-misses-control"),
    IP: ("scale-zero-is-the-base", "all-pictures-to-each-prompt", "no-picture-is-not-zero"),
}  # fmt: skip


@pytest.mark.labs
@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_small_run_measures_and_shows(name: str, models: Path) -> None:
    experiment, result, events = run(name, models)
    check_outcomes(experiment, result)
    assert any(isinstance(each, Image) for each in events)
    assert any(isinstance(each, Plot) for each in events)
    held = found(name, result)
    assert {each: held[each] for each in STRUCTURAL[name]} == dict.fromkeys(STRUCTURAL[name], True)


@pytest.mark.labs
def test_a_model_of_ones_own_is_refused(tiny_models: Path) -> None:
    for name in FILES:
        with pytest.raises(ModelError, match="belongs to the base"):
            run(name, tiny_models, model=str(tiny_models / "shapes"))


@pytest.mark.labs
def test_missing_adapters_are_named(tiny_models: Path) -> None:
    for name, folder in ((SCALE, "controlnet"), (WINDOW, "controlnet"), (IP, "ip_adapter")):
        with pytest.raises(ModelError, match=folder):
            run(name, tiny_models)


@pytest.mark.labs
def test_an_adapter_that_is_not_zero_is_seen(models: Path) -> None:
    """The measures of a fresh ControlNet see one whose zero convolutions are filled."""
    from diffusers import ControlNetModel

    from drill.lab.family import controlnet_pipeline

    scale = load_module(LAB / "scale.py")
    _, context, _ = context_of(SCALE, models)
    pipe = controlnet_pipeline(context)
    filled: Any = ControlNetModel.from_pretrained(models / "controlnet", local_files_only=True)
    assert scale.tried(context, pipe, filled, ["a red star"])["fresh"]["moved"] > 0
    first = scale.first_gradients(context, pipe.unet, filled, ["a red star"], steps=1)
    assert set(first.values()) == {1}


@pytest.mark.labs
def test_one_picture_by_hand_is_the_pipelines(models: Path) -> None:
    """The loop that gives each prompt a picture of its own is the pipeline's call for one."""
    import torch

    from drill.lab.family import drawing_latents, ip_adapter_pipeline

    ip = load_module(LAB / "ip.py")
    _, context, _ = context_of(IP, models)
    pipe = ip_adapter_pipeline(context, 0.7)
    images = ip.as_images(drawing_latents(context, 2).pixels)
    both = ip.sample(context, pipe, ["a red star", "a green heart"], images)
    for k, prompt in enumerate(("a red star", "a green heart")):
        with torch.inference_mode():
            one = pipe(
                prompt,
                ip_adapter_image=[images[k]],
                num_inference_steps=4,
                guidance_scale=5.0,
                generator=torch.Generator().manual_seed(k),
                output_type="pt",
            ).images
        assert torch.allclose(both[k], one[0], atol=1e-3)


@pytest.mark.labs
def test_other_shapes_and_colours_are_other(models: Path) -> None:
    _, context, _ = context_of(SCALE, models)
    scale, ip, shared = (load_module(LAB / f"{each}.py") for each in ("scale", "ip", "shared"))
    asked = shared.descriptions(context, 30)
    others = scale.other_shapes(context, asked)
    pairs = {(a["shape"], b["shape"]) for a, b in zip(asked, others, strict=True)}
    assert len(pairs) == 30 and all(a != b for a, b in pairs)
    for k, each in enumerate(asked):
        assert ip.other_colour(context, each, k) not in (each["colour"], each["background"])


def conflicted(scale: float, iou: float, prompt: float, shape: float, colours: float) -> Any:
    fitting = {"iou": iou, "colours": colours, "shape_of_prompt": 1.0, "shape_of_map": 0.0}
    conflict = {**fitting, "shape_of_prompt": prompt, "shape_of_map": shape}
    return {"scale": scale, "fitting": fitting, "conflict": conflict}


def swept(place: int, kind: str, **changed: Any) -> dict[str, Any]:
    rows = copy.deepcopy(GOOD[SCALE]["by_scale"])
    rows[place][kind] |= changed
    return {"by_scale": rows}


def tried(part: str, **changed: Any) -> dict[str, Any]:
    fresh = copy.deepcopy(GOOD[SCALE]["fresh"])
    if part:
        fresh[part] |= changed
    else:
        fresh |= changed
    return {"fresh": fresh}


def window(place: int, **changed: Any) -> dict[str, Any]:
    rows = copy.deepcopy(GOOD[WINDOW]["windows"])
    rows[place] |= changed
    return {"windows": rows}


def empty(name: str, **changed: Any) -> dict[str, Any]:
    both = copy.deepcopy(GOOD[WINDOW]["empty"])
    both[name] |= changed
    return {"empty": both}


def shown(scale: float, over: float, shape: float, prompt: float, ground: float) -> Any:
    taken = {"shape": shape, "colour": over, "size": over, "background": over}
    return {
        "scale": scale,
        "open": {"taken_over": taken},
        "conflict": {"taken_over": {**taken, "background": ground}, "colour_of_prompt": prompt},
    }


def pictured(place: int, **changed: Any) -> dict[str, Any]:
    rows = copy.deepcopy(GOOD[IP]["by_scale"])
    rows[place] |= changed
    return {"by_scale": rows}


SKIPS = [[64, 8, 8], [64, 8, 8], [64, 4, 4], [128, 4, 4]]
GOOD: dict[str, dict[str, Any]] = {
    SCALE: {
        "parameters": {"unet": 4_000_000, "controlnet": 2_000_000},
        "fresh": {
            "fresh": {"largest_residual": 0.0, "moved": 0.0},
            "trained": {"largest_residual": 18.0, "moved": 2.3},
            "down": SKIPS,
            "middle": [128, 4, 4],
            "skips": SKIPS,
            "bottom": [128, 4, 4],
        },
        "first_step": {
            "zero convolutions": 1,
            "copied blocks": 2,
            "last layer of the hint encoder": 2,
            "first layer of the hint encoder": 3,
        },
        "at_zero": 0.0,
        "by_scale": [
            conflicted(0.0, 0.24, 1.0, 0.0, 1.0),
            conflicted(1.0, 0.87, 0.5, 0.4, 1.0),
            conflicted(2.0, 0.90, 0.3, 0.6, 1.0),
            conflicted(8.0, 0.74, 0.0, 0.8, 0.5),
        ],
        "pictures": 12,
    },
    WINDOW: {
        "steps": 8,
        "share": 0.25,
        "pictures": 12,
        "windows": [
            {"name": name, "iou": iou, "right": right, "controlnet_calls": 8, "unet_calls": 8}
            for name, iou, right in (
                ("no step", 0.24, 1.0),
                ("the first steps", 0.68, 1.0),
                ("the last steps", 0.63, 0.7),
                ("all steps", 0.87, 1.0),
            )
        ],
        "empty": {
            "both halves": {"moved": 0.0, "controlnet_rows": 2.0, "unet_rows": 2.0},
            "guess mode": {"moved": 0.44, "controlnet_rows": 1.0, "unet_rows": 2.0},
        },
        "guidance": 5.0,
        "time_ratio": 1.5,
    },
    IP: {
        "at_zero": 0.0,
        "tokens": {"1": 4, "3": 12},
        "text_tokens": 12,
        "empty": {"embedding": 0.0, "length_ratio": 0.99},
        "readout": {"shape": 0.4, "colour": 1.0, "size": 1.0, "background": 1.0},
        "by_scale": [
            shown(0.0, 0.1, 0.1, 1.0, 0.0),
            shown(1.0, 1.0, 0.2, 0.9, 0.9),
            shown(3.0, 0.9, 0.2, 0.0, 1.0),
        ],
        "pictures": 12,
    },
}


@pytest.mark.parametrize("name", FILES)
def test_all_claims_hold_on_plausible_numbers(name: str) -> None:
    assert set(found(name, made_up(name)).values()) == {True}


def test_outcomes_of_plausible_numbers() -> None:
    assert made_up(SCALE).outcomes == {
        "fresh": "nothing",
        "first_step": 2,
        "residuals": 5,
        "wins": "the map's shape",
        "iou_at_most": 0.9,
        "parameter_share": 0.5,
    }
    rows = GOOD[SCALE]["by_scale"]
    assert made_up(SCALE, by_scale=rows[:1]).outcomes["wins"] == "the prompt's shape"
    assert made_up(WINDOW).outcomes == {
        "calls": 8,
        "better_window": "the first steps",
        "fewest_right": "the last steps",
        "guess_rows": 1.0,
        "guided_control": ["guess mode"],
        "time_ratio": 1.5,
    }
    assert made_up(IP).outcomes == {
        "at_zero": "identical",
        "tokens": 4,
        "tokens_of_several": 12,
        "taken_over": ["colour", "size", "background"],
        "wins": "another colour",
        "empty_is_zero": "not zero",
    }
    assert made_up(IP, by_scale=GOOD[IP]["by_scale"][:2]).outcomes["wins"] == "the prompt's colour"


@pytest.mark.parametrize(
    ("name", "claim", "changed"),
    [
        (SCALE, "fresh-changes-nothing", tried("fresh", moved=1e-6)),
        (SCALE, "fresh-changes-nothing", tried("fresh", largest_residual=1e-6)),
        (SCALE, "fresh-changes-nothing", tried("trained", moved=0.0)),
        (SCALE, "zero-convs-learn-first",
         {"first_step": {**GOOD[SCALE]["first_step"], "copied blocks": 1}}),
        (SCALE, "zero-convs-learn-first",
         {"first_step": dict.fromkeys(GOOD[SCALE]["first_step"])}),
        (SCALE, "residual-for-each-skip", tried("", down=SKIPS[:3])),
        (SCALE, "residual-for-each-skip", tried("", middle=[64, 4, 4])),
        (SCALE, "scale-zero-is-the-base", {"at_zero": 1e-6}),
        (SCALE, "scale-fits-the-map", swept(2, "fitting", iou=0.5)),
        (SCALE, "scale-fits-the-map", swept(0, "fitting", iou=0.7)),
        (SCALE, "colours-stay", swept(1, "fitting", colours=0.5)),
        (SCALE, "colours-stay", swept(2, "conflict", colours=0.5)),
        (SCALE, "map-takes-the-shape", swept(2, "conflict", shape_of_prompt=0.9)),
        (SCALE, "map-takes-the-shape", swept(2, "conflict", shape_of_map=0.0)),
        (SCALE, "too-much-spoils-colours", swept(3, "conflict", colours=1.0)),
        (WINDOW, "window-saves-no-call", window(1, controlnet_calls=2)),
        (WINDOW, "first-steps-do-more", window(2, iou=0.7)),
        (WINDOW, "late-control-smears", window(2, right=1.0)),
        (WINDOW, "first-steps-place-it", window(1, iou=0.4)),
        (WINDOW, "first-steps-place-it", window(3, iou=0.2)),
        (WINDOW, "guess-mode-halves-rows", empty("guess mode", controlnet_rows=2.0)),
        (WINDOW, "guess-mode-halves-rows", empty("guess mode", unet_rows=1.0)),
        (WINDOW, "guidance-misses-control", empty("both halves", moved=0.3)),
        (WINDOW, "guess-mode-guides-control", empty("guess mode", moved=0.0)),
        (WINDOW, "less-than-a-second-unet", {"time_ratio": 2.3}),
        (WINDOW, "less-than-a-second-unet", {"time_ratio": 1.0}),
        (IP, "scale-zero-is-the-base", {"at_zero": 1e-6}),
        (IP, "all-pictures-to-each-prompt", {"tokens": {"1": 4, "3": 4}}),
        (IP, "no-picture-is-not-zero", {"empty": {"embedding": 0.0, "length_ratio": 0.0}}),
        (IP, "no-picture-is-not-zero", {"empty": {"embedding": 0.5, "length_ratio": 1.0}}),
        (IP, "attributes-come-over", pictured(1, open={"taken_over": dict.fromkeys(
            ("shape", "colour", "size", "background"), 0.2)})),
        (IP, "only-what-the-embedding-holds",
         {"readout": {**GOOD[IP]["readout"], "shape": 1.0}}),
        (IP, "only-what-the-embedding-holds",
         {"readout": {**GOOD[IP]["readout"], "colour": 0.3}}),
        (IP, "prompt-keeps-what-it-names", {"by_scale": [
            GOOD[IP]["by_scale"][0], shown(1.0, 1.0, 0.2, 0.3, 0.9)]}),
        (IP, "prompt-keeps-what-it-names", {"by_scale": [
            GOOD[IP]["by_scale"][0], shown(1.0, 1.0, 0.2, 0.9, 0.1)]}),
        (IP, "too-much-drowns-the-prompt", {"by_scale": [
            *GOOD[IP]["by_scale"][:2], shown(3.0, 1.0, 0.2, 0.9, 0.9)]}),
    ],
)  # fmt: skip
def test_each_claim_can_fail(name: str, claim: str, changed: dict[str, Any]) -> None:
    assert found(name, made_up(name, **changed))[claim] is False


def test_claims_without_what_they_speak_of_are_not_applicable() -> None:
    held = found(SCALE, made_up(SCALE, by_scale=GOOD[SCALE]["by_scale"][3:]))
    assert {name for name, holds in held.items() if holds is None} == {
        "scale-fits-the-map", "colours-stay", "map-takes-the-shape", "too-much-spoils-colours",
    }  # fmt: skip
    held = found(IP, made_up(IP, by_scale=GOOD[IP]["by_scale"][:1]))
    assert {name for name, holds in held.items() if holds is None} == {
        "attributes-come-over", "only-what-the-embedding-holds", "prompt-keeps-what-it-names",
        "too-much-drowns-the-prompt",
    }  # fmt: skip


def lines_of(text: str) -> list[str]:
    """Lines of code without comments and indentation, empty ones left out."""
    bare = [re.sub(r"\s+#.*$", "", line).strip() for line in text.splitlines()]
    return [line for line in bare if line]


def test_mutants_are_excerpts_of_the_starter() -> None:
    starter = set(lines_of((LAB / "starter.py").read_text(encoding="utf-8")))
    file = ROOT / "questions" / "adapters" / "controlnet" / "items.yaml"
    mutants = [e for e in yaml.safe_load(file.read_text("utf-8")) if e["type"] == "mutant"]
    assert len(mutants) >= 2
    for item in mutants:
        lines = item["code"].splitlines()
        lines[item["key"]["line"] - 1] = item["key"]["was"]
        # Signatures are shown without their types, docstrings may be shorter.
        skipped = ("def ", "import ", "from ", '"""')
        body = [e for e in lines_of("\n".join(lines)) if not e.startswith(skipped)]
        assert set(body) <= starter, (item["id"], set(body) - starter)


@pytest.mark.labs
def test_the_starter_is_the_library(pipe: Any, models: Path) -> None:
    import torch
    from diffusers import ControlNetModel

    starter = load_module(LAB / "starter.py")
    trained: Any = ControlNetModel.from_pretrained(models / "controlnet", local_files_only=True)
    trained.eval().requires_grad_(False)
    ours = starter.ControlNet(trained, trained.controlnet_cond_embedding)
    ours.zero_convs.load_state_dict(trained.controlnet_down_blocks.state_dict())
    ours.zero_mid.load_state_dict(trained.controlnet_mid_block.state_dict())
    torch.manual_seed(0)
    x, t, text = torch.randn(2, 4, 8, 8), torch.tensor([300, 300]), torch.randn(2, 12, 32)
    hint = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        down, middle = ours(x, t, text, hint, 0.7)
        theirs = trained(x, t, text, hint, 0.7, return_dict=False)
        for a, b in zip([*down, middle], [*theirs[0], theirs[1]], strict=True):
            assert torch.allclose(a, b, atol=1e-6)
        made = starter.controlled_unet(pipe.unet, x, t, text, down, middle)
        expected = pipe.unet(
            x, t, text,
            down_block_additional_residuals=down, mid_block_additional_residual=middle,
        ).sample  # fmt: skip
        assert torch.allclose(made, expected, atol=1e-5)


@pytest.mark.labs
def test_the_starters_second_attention_is_the_librarys() -> None:
    import types

    import torch
    from diffusers.models.attention_processor import Attention, IPAdapterAttnProcessor2_0

    starter = load_module(LAB / "starter.py")
    torch.manual_seed(0)
    attn = Attention(32, cross_attention_dim=48, heads=4, dim_head=8)
    processor = IPAdapterAttnProcessor2_0(32, 48, num_tokens=(4,), scale=0.6)
    ip = types.SimpleNamespace(to_k=processor.to_k_ip[0], to_v=processor.to_v_ip[0])
    x, text, image = torch.randn(2, 16, 32), torch.randn(2, 7, 48), torch.randn(2, 4, 48)
    with torch.no_grad():
        ours = starter.decoupled_attention(x, text, image, attn, ip, 0.6)
        theirs = processor(attn, x, (text, [image[:, None]]))
    assert torch.allclose(ours, theirs, atol=1e-5)

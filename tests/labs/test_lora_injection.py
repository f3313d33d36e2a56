"""The lab lora_injection: its starter against peft, its arithmetic on known updates, its claims on
made-up numbers, its experiment on random weights."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drill.lab import Result
from drill.lab.experiment import Experiment
from drill.lab.loading import load_experiment, load_module
from drill.lab.manifest import find_experiment, read_labs
from drill.lab.models import ModelError
from drill.worker.protocol import Event, Image
from tests.labs.runs import holding, put, result_of, run_here

from .tiny import tiny_pipeline

# diffusers 0.42 hands tensors to numpy in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "lora_injection"
NAME = "lora-rank-and-fuse"
FILE = "pytorch_lora_weights.safetensors"
MODULES = ["to_q", "to_k", "to_v", "to_out.0"]


def module(name: str) -> ModuleType:
    return load_module(LAB / f"{name}.py")


def experiment() -> Experiment:
    return load_experiment(LAB / "rank_fuse.py", NAME)


def held_by(result: Result) -> dict[str, bool | None]:
    return holding(experiment().claims, result)


def found(metrics: dict[str, Any]) -> dict[str, bool | None]:
    return held_by(result_of(metrics, module("rank_fuse_claims").outcomes(metrics)))


def run(models: Path, model: str = "", **params: Any) -> tuple[Result, list[Event]]:
    return run_here(experiment(), models, model, **params)


# Made-up numbers, near to those of the bundled LoRA


def row(hollow: float, right: float, **more: Any) -> dict[str, Any]:
    return {
        "hollowness": 0.2 * hollow,
        "hollow": hollow,
        "right": right,
        "both": min(hollow, right),
        "others_hollow": 0.0,
        "others_right": 1.0,
        "distance": 0.1,
        **more,
    }


def good() -> dict[str, Any]:
    return {
        "pictures": 12,
        "steps": 10,
        "guidance_scale": 5.0,
        "pairs": 15,
        "float32": True,
        "bundled": True,
        "facts": {
            "layers": 70,
            "targets": {"to_q": 14},
            "rank": 8,
            "alpha": 8.0,
            "alpha_over_rank": 1.0,
            "parameters": 168_448,
            "parameters_by_formula": 168_448,
            "base_parameters": 4_237_956,
            "adapted_parameters": 1_003_520,
            "share": 0.0397,
        },
        "zero_difference": 0.0,
        "usual": row(0.0, 1.0),
        "scales": [
            row(0.0, 1.0, scale=0.0),
            row(0.0, 1.0, scale=0.5),
            row(0.92, 0.92, scale=1.0),
            row(0.5, 0.6, scale=2.0),
        ],
        "moved": 0.1,
        "ranks": [
            row(0.58, 1.0, rank=1, energy=0.45),
            row(0.92, 0.92, rank=2, energy=0.66),
            row(0.92, 0.92, rank=4, energy=0.87),
            row(0.92, 0.92, rank=8, energy=1.0),
        ],
        "products": {"beside": 220, "fused": 80},
        "fused_difference": 2e-7,
        "fused_picture_difference": 1e-5,
        "after_mix_up": row(0.92, 0.92),
        "times": [
            {"rows": 2, "beside_over_fused": 1.2, "fused_over_base": 1.0},
            {"rows": 8, "beside_over_fused": 1.2, "fused_over_base": 1.0},
        ],
        "misuse": {
            "second_fuse": 0.0,
            "second_fuse_warns": True,
            "set_while_fused": 0.0,
            "left_by_unfuse": 1.0,
            "left_is_the_delta": 0.0,
            "scaling_after_lora_scale": [0.5, 0.25],
            "restored_after_lora_scale": 7e-8,
            "left_by_unload": 1.0,
        },
        "drift": {
            "float32": {"once": 1.5e-8, "after_all": 1.5e-8, "changed": 0.07},
            "bfloat16": {"once": 2e-3, "after_all": 2e-3, "changed": 0.2},
            "float16": {"once": 2.4e-4, "after_all": 2.4e-4, "changed": 0.2},
        },
    }


def test_all_claims_hold_on_good_numbers() -> None:
    held = found(good())
    assert set(held.values()) == {True}, held


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("zero-is-the-base", "zero_difference", 1e-7),
        ("style-comes-with-the-scale", "scales/0/hollow", 0.1),
        ("style-comes-with-the-scale", "scales/1/hollow", 0.6),
        ("style-comes-with-the-scale", "scales/2/hollow", 0.4),
        ("too-much-costs-adherence", "scales/3/right", 0.9),
        ("leaves-others-alone", "scales/2/others_hollow", 0.5),
        ("leaves-others-alone", "scales/2/others_right", 0.5),
        ("little-beside-the-base", "facts/parameters_by_formula", 168_000),
        ("little-beside-the-base", "facts/share", 0.2),
        ("energy-in-few-directions", "ranks/1/energy", 0.4),
        ("energy-in-few-directions", "ranks/0/energy", 0.13),
        ("energy-in-few-directions", "ranks/3/energy", 0.9),
        ("half-the-rank-suffices", "ranks/0/hollow", 0.9),
        ("half-the-rank-suffices", "ranks/2/hollow", 0.5),
        ("fused-is-beside", "fused_difference", 1e-3),
        ("fused-is-beside", "fused_picture_difference", 0.1),
        ("fused-costs-nothing", "products/fused", 150),
        ("beside-takes-time", "times", [{"rows": 2, "beside_over_fused": 1, "fused_over_base": 1}]),
        ("fusing-twice-is-once", "misuse/second_fuse", 1.0),
        ("fusing-twice-is-once", "misuse/second_fuse_warns", False),
        ("half-precision-keeps-a-trace", "drift/bfloat16/once", 1e-8),
        ("half-precision-keeps-a-trace", "drift/float32/once", 1e-4),
        ("half-precision-keeps-a-trace", "drift/float16/once", 1e-2),
        ("trace-does-not-grow", "drift/bfloat16/after_all", 1e-2),
        ("set-while-fused-corrupts", "misuse/set_while_fused", 1.0),
        ("set-while-fused-corrupts", "misuse/left_by_unfuse", 0.0),
        ("set-while-fused-corrupts", "misuse/left_is_the_delta", 0.5),
        ("shows-in-the-next-pictures", "after_mix_up/hollow", 0.0),
        ("lora-scale-stays", "misuse/scaling_after_lora_scale", [1.0, 1.0]),
        ("lora-scale-stays", "misuse/restored_after_lora_scale", 0.5),
        ("unloading-keeps-fused-weights", "misuse/left_by_unload", 0.0),
    ],
)
def test_each_claim_can_fail(claim: str, path: str, value: Any) -> None:
    metrics = good()
    put(metrics, path, value)
    assert found(metrics)[claim] is False


def test_every_claim_was_seen_to_fail() -> None:
    (cases,) = [
        mark.args[1] for mark in test_each_claim_can_fail.pytestmark if mark.name == "parametrize"
    ]
    assert {claim for claim, _, _ in cases} == {claim.name for claim in experiment().claims}


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        ({"scales": [row(0.92, 0.92, scale=1.0)]},
         {"style-comes-with-the-scale", "too-much-costs-adherence"}),
        ({"ranks": [row(0.92, 0.92, rank=8, energy=1.0)]},
         {"energy-in-few-directions", "half-the-rank-suffices"}),
        ({"bundled": False}, {"little-beside-the-base", "fused-is-beside", "beside-takes-time"}),
        ({"float32": False}, {"fused-is-beside"}),
        ({"pairs": 5}, {"beside-takes-time"}),
    ],
)  # fmt: skip
def test_claims_about_what_a_run_lacks_are_not_applicable(
    changes: dict[str, Any], claims: set[str]
) -> None:
    held = found(good() | changes)
    assert {claim for claim, holds in held.items() if holds is None} == claims


def test_outcomes_on_good_numbers() -> None:
    assert module("rank_fuse_claims").outcomes(good()) == {
        "best_scale": [1.0],
        "half_over_full": 0.0,
        "least_rank": 2,
        "exact": ["weight 0 against the base", "fused twice against once"],
        "left_by_mix_up": "the whole update",
        "products_ratio": 2.75,
        "parameter_share": 0.0397,
    }
    sentence = module("rank_fuse_claims").sentence(good())
    assert "4.0% of the base" in sentence and "92% at 8" in sentence


def test_lab_yaml_agrees_with_the_code() -> None:
    info = find_experiment(read_labs(ROOT), NAME)
    made = experiment()
    assert info.params == made.params
    assert [(c.name, c.says) for c in info.claims] == [(c.name, c.says) for c in made.claims]
    assert (info.outcomes, info.seconds) == (made.outcomes, made.seconds)


# The starter against peft


@pytest.fixture(scope="module")
def starter() -> Any:
    return load_module(LAB / "starter.py")


def with_peft(layer: Any, rank: int, alpha: float) -> Any:
    """peft's layer with the base and the factors of the starter's."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    model = torch.nn.ModuleDict({"proj": copy.deepcopy(layer.base)})
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["proj"])
    inject_adapter_in_model(config, model)
    proj: Any = model["proj"]
    with torch.no_grad():
        proj.lora_A["default"].weight.copy_(layer.A)
        proj.lora_B["default"].weight.copy_(layer.B)
    return proj


@pytest.mark.labs
@pytest.mark.parametrize(("rank", "alpha", "weight"), [(2, 2.0, 1.0), (4, 8.0, 0.5), (3, 1.0, -1)])
def test_the_starters_layer_is_pefts(starter: Any, rank: int, alpha: float, weight: float) -> None:
    import torch

    torch.manual_seed(0)
    layer = starter.LoraLinear(torch.nn.Linear(12, 20), rank, alpha)
    x = torch.randn(5, 12)
    assert torch.equal(layer(x), layer.base(x))  # a fresh adapter changes nothing
    with torch.no_grad():
        layer.B.copy_(torch.randn(20, rank))
    layer.weight = weight
    theirs = with_peft(layer, rank, alpha)
    theirs.set_scale("default", weight)
    assert torch.allclose(layer(x), theirs(x), atol=1e-5)
    before, beside = layer.base.weight.clone(), layer(x)
    layer.fuse()
    layer.fuse()
    theirs.merge()
    assert torch.allclose(layer.base.weight, theirs.base_layer.weight, atol=1e-5)
    assert torch.allclose(layer(x), beside, atol=1e-4)
    layer.unfuse()
    assert torch.allclose(layer.base.weight, before, atol=1e-5)


@pytest.mark.labs
def test_the_starter_injects_where_peft_does(starter: Any, pipe: Any) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    ours, theirs = copy.deepcopy(pipe.unet), copy.deepcopy(pipe.unet)
    names = starter.inject(ours, tuple(MODULES), 2, 2)
    inject_adapter_in_model(LoraConfig(r=2, target_modules=MODULES), theirs)
    assert set(names) == set(module("updates").lora_layers(theirs, "default"))
    trained = [name for name, value in ours.named_parameters() if value.requires_grad]
    assert len(trained) == 2 * len(names) and all(n.endswith((".A", ".B")) for n in trained)


# Arithmetic on known updates


def adapted_unet(rank: int = 4, alpha: int = 4) -> Any:
    """A small UNet with an adapter `style` whose update is not zero."""
    import torch
    from peft import LoraConfig

    unet = tiny_pipeline().unet
    torch.manual_seed(3)
    unet.add_adapter(
        LoraConfig(r=rank, lora_alpha=alpha, target_modules=MODULES, init_lora_weights=False),
        adapter_name="style",
    )
    unet.set_adapters(["style"], [1.0])
    return unet.eval()


@pytest.mark.labs
def test_decomposition_and_truncation_are_those_of_the_product() -> None:
    import torch

    updates = module("updates")
    unet = adapted_unet()
    layers = updates.lora_layers(unet, "style")
    found = {name: updates.decomposed(layer, "style") for name, layer in layers.items()}
    name, layer = next(iter(layers.items()))
    product = layer.lora_B["style"].weight @ layer.lora_A["style"].weight
    u, s, vh = torch.linalg.svd(product.detach())
    assert torch.allclose(found[name].s, s[:4], atol=1e-4)
    assert updates.energy_kept(found, 4) == pytest.approx(1)
    assert 0 < updates.energy_kept(found, 1) < updates.energy_kept(found, 2) < 1
    updates.truncate(layers, found, "style", 2)
    cut = (layer.lora_B["style"].weight @ layer.lora_A["style"].weight).detach()
    assert torch.linalg.matrix_rank(cut, atol=1e-4) == 2
    assert torch.allclose(cut, u[:, :2] * s[:2] @ vh[:2], atol=1e-4)
    updates.truncate(layers, found, "style", 4)
    whole = (layer.lora_B["style"].weight @ layer.lora_A["style"].weight).detach()
    assert torch.allclose(whole, product.detach(), atol=1e-4)


@pytest.mark.labs
def test_facts_count_what_is_there() -> None:
    updates = module("updates")
    unet = adapted_unet(rank=4, alpha=8)
    plain = sum(p.numel() for p in tiny_pipeline().unet.parameters())
    facts = updates.facts(unet, "style")
    assert facts["base_parameters"] == plain
    assert facts["parameters"] == facts["parameters_by_formula"]
    assert set(facts["targets"]) == set(MODULES)
    assert sum(facts["targets"].values()) == facts["layers"]
    assert (facts["rank"], facts["alpha"], facts["alpha_over_rank"]) == (4, 8, 2)


@pytest.mark.labs
def test_misuse_and_drift_leave_the_model_as_it_was() -> None:
    import torch

    updates = module("updates")
    unet = adapted_unet()
    before = {name: value.clone() for name, value in unet.state_dict().items()}
    misuse = updates.misuse(unet, "style")
    assert misuse["second_fuse"] == 0 and misuse["second_fuse_warns"]
    assert misuse["left_by_unfuse"] == pytest.approx(1)
    assert misuse["left_by_unload"] == pytest.approx(1)
    assert misuse["scaling_after_lora_scale"] == [0.5, 0.25]
    drift = updates.drift(unet, "style", torch.bfloat16, 3)
    assert drift["once"] > 1e-4 and 0 < drift["changed"] < 1
    assert updates.drift(unet, "style", torch.float32, 1)["once"] < 1e-6
    for name, value in unet.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.labs
def test_products_are_counted() -> None:
    import torch

    updates = module("updates")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    with updates.counted_products(model) as products:
        model(torch.zeros(1, 2))
        model(torch.zeros(1, 2))
    model(torch.zeros(1, 2))
    assert products() == 4


# The experiment on random weights


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random models beside a LoRA with random weights."""
    folder = tmp_path_factory.mktemp("with-lora")
    for part in tiny_models.iterdir():
        (folder / part.name).symlink_to(part)
    save_lora(folder / "lora")
    return folder


def save_lora(folder: Path) -> None:
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict

    unet = adapted_unet()
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=get_peft_model_state_dict(unet, adapter_name="style"),
        unet_lora_adapter_metadata=unet.peft_config["style"].to_dict(),
    )


SMALL: dict[str, Any] = {"pictures": 4, "steps": 2, "pairs": 5, "rounds": 2, "scales": [0, 1],
                         "ranks": [1, 2, 4]}  # fmt: skip


@pytest.mark.labs
@pytest.mark.slow
def test_it_runs_and_leaves_the_shared_pipeline_alone(models: Path) -> None:
    from drill.lab.models import load_pipeline

    result, events = run(models, **SMALL)
    held = held_by(result)
    for claim in ("zero-is-the-base", "fused-is-beside", "fused-costs-nothing",
                  "fusing-twice-is-once", "half-precision-keeps-a-trace",
                  "set-while-fused-corrupts", "lora-scale-stays",
                  "unloading-keeps-fused-weights"):  # fmt: skip
        assert held[claim] is True, claim
    assert [each["rank"] for each in result.metrics["ranks"]] == [1, 2, 4]
    assert result.metrics["ranks"][-1]["energy"] == pytest.approx(1)
    names = {event.name for event in events if isinstance(event, Image)}
    assert names == {"scales", "ranks", "fused"}
    shared = load_pipeline(str(models / "shapes"), "cpu", True)
    assert not module("updates").lora_layers(shared.unet, "style")


@pytest.mark.labs
@pytest.mark.slow
def test_an_own_model_runs_with_an_own_lora(models: Path) -> None:
    own = str(models / "shapes")
    for given in (models / "lora", models / "lora" / FILE):
        result, _ = run(models, own, **SMALL, lora=str(given), prompt="a star")
        assert result.outcomes["best_scale"] is None and result.outcomes["least_rank"] is None
        assert held_by(result)["set-while-fused-corrupts"] is True
        assert "hollow" not in result.sentence


@pytest.mark.labs
def test_an_own_model_needs_a_lora_that_fits(models: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    own = str(models / "shapes")
    with pytest.raises(ModelError, match="give a LoRA of your model"):
        run(models, own, **SMALL)
    with pytest.raises(ModelError, match="there is no LoRA"):
        run(models, own, **SMALL, lora=str(tmp_path / "none"))
    state = load_file(models / "lora" / FILE)
    save_file(
        {name: torch.cat([v, v], dim=1) for name, v in state.items()}, tmp_path / "wide.safetensors"
    )
    with pytest.raises(ModelError, match="does not load into this model"):
        run(models, own, **SMALL, lora=str(tmp_path / "wide.safetensors"))
    save_file({f"other.{name}": v for name, v in state.items()}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="adapters fit the architecture"):
        run(models, own, **SMALL, lora=str(tmp_path / "other.safetensors"))

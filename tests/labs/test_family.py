"""The models beside the base: each loads through its loader, is what the table says of it, and does
what it was trained for by a margin that an untrained one would not reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "labs" / "models"
MEMBERS = (
    "targets/epsilon",
    "targets/sample",
    "targets/v",
    "targets/v-zero-snr",
    "dit",
    "flow",
    "controlnet",
    "lora",
    "ip_adapter",
)

REPORT: dict[str, Any] = json.loads((MODELS / "family.json").read_text(encoding="utf-8"))


def entry(name: str) -> dict[str, Any]:
    found: dict[str, Any] = REPORT["denoisers"].get(name) or REPORT[name]
    return found


def bytes_of(name: str) -> int:
    return sum(path.stat().st_size for path in (MODELS / name).rglob("*.safetensors"))


@pytest.mark.parametrize("name", MEMBERS)
def test_the_report_was_made_with_the_files_that_are_here(name: str) -> None:
    assert entry(name)["bytes"] == bytes_of(name) > 0


def test_the_whole_family_fits() -> None:
    total = sum(path.stat().st_size for path in MODELS.rglob("*.safetensors"))
    assert REPORT["all_weights_bytes"] == total < 40e6


def test_the_readme_shows_the_report() -> None:
    readme = (MODELS / "README.md").read_text(encoding="utf-8")
    for name in MEMBERS:
        parameters = f"{entry(name)['parameters']:,}"
        assert any(
            line.startswith(f"| `{name}` |") and parameters in line for line in readme.splitlines()
        ), name


@pytest.mark.parametrize("name", ["dit", "flow", "targets/epsilon", "targets/sample", "targets/v"])
def test_every_denoiser_draws_what_is_asked_for(name: str) -> None:
    # By chance all four attributes come right in 1 of 768 pictures.
    assert entry(name)["right"]["scale 5"]["all"] >= 0.4


def test_the_dit_costs_about_what_the_unet_does() -> None:
    unet, dit = entry("shapes"), entry("dit")
    assert 2 / 3 <= unet["parameters"] / dit["parameters"] <= 3 / 2


def test_the_controlnet_draws_into_its_map() -> None:
    by_scale = {row["scale"]: row for row in entry("controlnet")["by_scale"]}
    assert by_scale[1.0]["iou"] >= by_scale[0.0]["iou"] + 0.3
    assert by_scale[1.0]["right"]["background"] >= 0.9


def test_the_image_adapter_takes_over_colours() -> None:
    by_scale = {row["scale"]: row["from_image"] for row in entry("ip_adapter")["by_scale"]}
    for attribute in ("colour", "background"):
        assert by_scale[1.0][attribute] >= by_scale[0.0][attribute] + 0.5


def test_no_signal_is_left_at_the_last_step_of_the_mended_table() -> None:
    from diffusers import DDIMScheduler

    folder = MODELS / "targets"
    for name, signal in (("v", 0.0683), ("v-zero-snr", 0.0)):
        scheduler = DDIMScheduler.from_pretrained(folder / name, subfolder="scheduler")
        left = float(scheduler.alphas_cumprod[-1]) ** 0.5
        assert left == pytest.approx(signal, abs=1e-4), name
        assert scheduler.config.prediction_type == "v_prediction"

"""Export of the family: each member in the layout that its standard loader reads, in float16."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from export import drop_local_paths, readable_by_all, swap_in
from family_models import flow_scheduler, target_scheduler
from peft import get_peft_model_state_dict
from safetensors.torch import save_file
from train_adapters import ip_state
from train_family import Sources, trained
from train_unet import new_scheduler

IP_WEIGHTS = "ip_adapter.safetensors"


def half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().half().contiguous() for name, value in state.items()}


def write_targets(name: str, sources: Sources, folder: Path) -> None:
    target = name.removeprefix("targets-")
    trained(name, sources).half().save_pretrained(folder / "unet")
    target_scheduler(target).save_pretrained(folder / "scheduler")


def write_dit(name: str, sources: Sources, folder: Path) -> None:
    trained(name, sources).half().save_pretrained(folder / "transformer")
    new_scheduler().save_pretrained(folder / "scheduler")


def write_flow(name: str, sources: Sources, folder: Path) -> None:
    trained(name, sources).half().save_pretrained(folder / "transformer")
    flow_scheduler().save_pretrained(folder / "scheduler")


def write_controlnet(name: str, sources: Sources, folder: Path) -> None:
    trained(name, sources).half().save_pretrained(folder)


def write_lora(name: str, sources: Sources, folder: Path) -> None:
    unet = trained(name, sources)
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=half(get_peft_model_state_dict(unet)),
        unet_lora_adapter_metadata=unet.peft_config["default"].to_dict(),
    )


def write_ip_adapter(name: str, sources: Sources, folder: Path) -> None:
    """The adapter's file and, in ``image_encoder``, the encoder that ``load_ip_adapter`` wants."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(half(ip_state(trained(name, sources))), folder / IP_WEIGHTS)
    encoder = trained("image-encoder", sources).encoder.half()
    encoder.save_pretrained(folder / "image_encoder")
    config_path = folder / "image_encoder" / "config.json"
    config: dict[str, Any] = json.loads(config_path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


WRITERS = {
    "controlnet": write_controlnet,
    "lora": write_lora,
    "flow": write_flow,
    "dit": write_dit,
    "ip-adapter": write_ip_adapter,
}


def folder_of(name: str) -> str:
    """The folder of a member in ``labs/models``."""
    return name.replace("targets-", "targets/").replace("ip-adapter", "ip_adapter")


def export_member(name: str, sources: Sources, out: Path) -> Path | None:
    """Write a trained member aside and rename it into place; the image encoder goes out with the
    IP-Adapter and has no folder of its own (None)."""
    if name == "image-encoder":
        return None
    target = out / folder_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    WRITERS.get(name, write_targets)(name, sources, fresh)
    for path in fresh.rglob("*config.json"):
        drop_local_paths(path)
    readable_by_all(fresh)
    swap_in(fresh, target)
    print(f"{name}: {target}", flush=True)
    return target

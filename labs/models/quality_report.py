"""How the evaluation is shown: the bars that the model is held to, the README's table, a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

TABLE_START, TABLE_END = "<!-- measured: start -->", "<!-- measured: end -->"
ATTRIBUTE_ORDER = ("all", "shape", "colour", "size", "background")


def bars(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What the model must reach, what it reached, and whether that holds."""
    autoencoder = report["autoencoder"]
    right = {row["guidance_scale"]: row["right"]["all"] for row in report["guidance"]["by_scale"]}
    best_scale = max(right, key=lambda scale: right[scale])
    best = right[best_scale]

    def least(values: dict[str, float]) -> float:
        return min(value for name, value in values.items() if name != "all")

    checks = [
        ("round trip, dB", autoencoder["psnr_db"], 30.0),
        ("judge on drawings, worst attribute", least(autoencoder["judge_on_drawings"]), 0.98),
        ("judge after round trip, worst", least(autoencoder["judge_after_round_trip"]), 0.97),
        (f"all four right at the best scale ({best_scale:g})", best, 0.95),
        ("all four right, best scale less scale 1", best - right[1.0], 0.15),
        ("all four right, best scale less scale 20", best - right[20.0], 0.30),
    ]
    return [
        {"name": name, "measured": round(value, 4), "at_least": bar, "holds": value >= bar}
        for name, value, bar in checks
    ]


def markdown(report: dict[str, Any]) -> str:
    """The measured part of the README."""
    lines = ["| bar | at least | measured | holds |", "|---|---|---|---|"]
    for bar in report["bars"]:
        holds = "yes" if bar["holds"] else "**no**"
        lines.append(f"| {bar['name']} | {bar['at_least']:g} | {bar['measured']:.3f} | {holds} |")
    guidance = report["guidance"]
    rows = guidance["by_scale"]
    lines += [
        "",
        f"{guidance['prompts']} prompts that name all four attributes, one seed each, "
        f"{guidance['steps']} DDIM steps:",
        "",
        "| guidance scale | " + " | ".join(f"{row['guidance_scale']:g}" for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for name in ATTRIBUTE_ORDER:
        shown = "all four right" if name == "all" else f"{name} right"
        lines.append(f"| {shown} | " + " | ".join(f"{r['right'][name]:.2f}" for r in rows) + " |")
    for key, shown in (
        ("out_of_range", "values out of range before clipping"),
        ("std_guided_over_conditional", "std guided / conditional"),
    ):
        lines.append(f"| {shown} | " + " | ".join(f"{row[key]:.3f}" for row in rows) + " |")
    by_steps = report["guidance_by_steps"]
    scales = list(by_steps["by_steps"][0]["all_four_right_by_scale"])
    lines += [
        "",
        f"All four right by number of steps, {by_steps['prompts']} prompts. Few steps are what "
        "burns a large scale: each goes further along a prediction that overshoots.",
        "",
        "| steps | " + " | ".join(f"scale {scale}" for scale in scales) + " |",
        "|---" * (len(scales) + 1) + "|",
    ]
    for row in by_steps["by_steps"]:
        right = row["all_four_right_by_scale"]
        lines.append(f"| {row['steps']} | " + " | ".join(f"{right[s]:.2f}" for s in scales) + " |")
    for prompt in ("a star", "a red shape"):
        spread = report["diversity"][prompt]
        lines += [
            "",
            f"Effective numbers for `{prompt}`, {report['diversity']['samples']} seeds:",
            "",
        ]
        names = list(spread["drawings"])
        lines.append("| | " + " | ".join(n.removeprefix("effective_") for n in names) + " |")
        lines.append("|---" * (len(names) + 1) + "|")
        for row, values in spread.items():
            lines.append(f"| {row} | " + " | ".join(f"{values[n]:.1f}" for n in names) + " |")
    psnr = report["autoencoder"]["psnr_db_by_size_and_shape"]
    lines += [
        "",
        "Round trip in dB, small / large: "
        + ", ".join(
            f"{name.removeprefix('small ')} {psnr[name]:.1f} / "
            f"{psnr[name.replace('small', 'large')]:.1f}"
            for name in psnr
            if name.startswith("small ")
        )
        + ".",
        "",
        "Parameters: "
        + ", ".join(f"{name} {count:,}" for name, count in report["parameters"].items())
        + ".",
        "",
        "Wall time of training: "
        + ", ".join(
            f"{stage} {report['training_seconds'][stage] / 60:.1f} min"
            for stage in ("drawings", "vae", "judge", "unet")
            if stage in report["training_seconds"]
        )
        + ".",
    ]
    return "\n".join(lines) + "\n"


def update_readme(readme: Path, report: dict[str, Any]) -> None:
    """Put the measured part between the two marks of ``readme``; raises where they are missing."""
    text = readme.read_text(encoding="utf-8")
    before, start, rest = text.partition(TABLE_START)
    _, end, after = rest.partition(TABLE_END)
    if not start or not end:
        raise ValueError(f"{readme} lacks the lines {TABLE_START} and {TABLE_END}")
    readme.write_text(f"{before}{start}\n{markdown(report)}{end}{after}", encoding="utf-8")


def save_grid(rows: list[torch.Tensor], path: Path) -> None:
    """One PNG of equally many pictures a row; each row is (N, 3, 64, 64) in [0, 1]."""
    grid = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = (grid.permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, optimize=True)

"""The family's measured part of the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TABLE_START, TABLE_END = "<!-- family: start -->", "<!-- family: end -->"


def trained_for(part: dict[str, Any]) -> str:
    """The cells of steps and minutes; empty for the base, whose training stands above."""
    training = part.get("training")
    if training is None:
        return " | "
    return f"{training['steps']:,} x {training['batch']} | {training['minutes']:g}"


def denoiser_table(report: dict[str, Any]) -> list[str]:
    lines = [
        f"Denoisers: all four attributes right of {report['prompts']} prompts at guidance scale 1 "
        f"and 5, one seed each, {report['steps']} steps; the cost of a call on one latent.",
        "",
        "| model | class | target | parameters | bytes | steps x batch | minutes | scale 1 "
        "| scale 5 | Mflop | ms |",
        "|---" * 11 + "|",
    ]
    for name, part in report["denoisers"].items():
        size = f"{part['bytes']:,}" if "bytes" in part else ""
        right = [part["right"][f"scale {scale}"]["all"] for scale in (1, 5)]
        lines.append(
            f"| `{name}` | `{part['class']}` | {part['target']} | {part['parameters']:,} | {size} "
            f"| {trained_for(part)} | {right[0]:.2f} | {right[1]:.2f} "
            f"| {part['megaflops_a_call']:.0f} | {part['milliseconds_a_latent']:.2f} |"
        )
    return lines


def adapter_table(report: dict[str, Any]) -> list[str]:
    lines = [
        "Adapters of the base:",
        "",
        "| model | class | parameters | bytes | steps x batch | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("controlnet", "lora", "ip_adapter"):
        part = report[name]
        lines.append(
            f"| `{name}` | {part['class']} | {part['parameters']:,} | {part['bytes']:,} "
            f"| {trained_for(part)} |"
        )
    encoder = report["ip_adapter"]["training_of_image_encoder"]
    lines += [
        "",
        f"The image encoder of the IP-Adapter was trained before it: {encoder['steps']:,} steps of "
        f"{encoder['batch']}, {encoder['minutes']:g} min.",
    ]
    return lines


def scale_table(title: str, rows: list[dict[str, Any]], columns: dict[str, str]) -> list[str]:
    """A row a measure, a column a scale; ``columns`` maps what is shown to dotted paths."""

    def value(row: dict[str, Any], path: str) -> float:
        found: Any = row
        for key in path.split("."):
            found = found[key]
        return float(found)

    lines = [
        title,
        "",
        "| scale | " + " | ".join(f"{row['scale']:g}" for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]
    for shown, path in columns.items():
        lines.append(f"| {shown} | " + " | ".join(f"{value(r, path):.2f}" for r in rows) + " |")
    return lines


def family_markdown(report: dict[str, Any]) -> str:
    lines = [*denoiser_table(report), "", *adapter_table(report), ""]
    count = report["controlnet"]["pictures"]
    guidance = report["controlnet"]["guidance_scale"]
    lines += scale_table(
        f"ControlNet, by `controlnet_conditioning_scale` ({count} pictures, guidance "
        f"{guidance:g}); a conflict is a map of another shape than the prompt's:",
        report["controlnet"]["by_scale"],
        {
            "IoU of the shape and its map": "iou",
            "all four right": "right.all",
            "conflict: IoU": "conflict.iou",
            "conflict: the map's shape": "conflict.shape_of_map",
            "conflict: the prompt's shape": "conflict.shape_of_prompt",
        },
    )
    lines += [""]
    lines += scale_table(
        f"LoRA of hollow circles and squares, by its scale ({count} prompts for large ones):",
        report["lora"]["by_scale"],
        {
            "hole, share of the filled shape": "hollowness",
            "hollow shapes": "hollow",
            "all four right": "right.all",
        },
    )
    ends = {row["scale"]: row for row in report["lora"]["by_scale"] if row["scale"] in (0.0, 1.0)}
    without, with_it = (
        [f"{ends[scale][name]['all']:.2f}" for name in ("right_of_all_shapes", "right_when_small")]
        for scale in (0.0, 1.0)
    )
    lines += [
        "",
        f"Large shapes of all six kinds: all four right {without[0]} without the LoRA, "
        f"{with_it[0]} with it. Small ones, which stay solid: {without[1]} and {with_it[1]}.",
        "",
    ]
    lines += scale_table(
        f"IP-Adapter, by its scale ({count} images), the prompt being `a shape`, and then one that "
        "names only a shape, which is mostly not the image's:",
        report["ip_adapter"]["by_scale"],
        {
            "shape of the image": "from_image.shape",
            "colour of the image": "from_image.colour",
            "size of the image": "from_image.size",
            "background of the image": "from_image.background",
            "named: the prompt's shape": "with_a_shape_asked_for.shape_of_prompt",
            "named: shape of the image": "with_a_shape_asked_for.from_image.shape",
            "named: colour of the image": "with_a_shape_asked_for.from_image.colour",
            "named: background of the image": "with_a_shape_asked_for.from_image.background",
        },
    )
    range_rows = {k: v for k, v in report["brightness"].items() if isinstance(v, dict)}
    lines += [
        "",
        f"Mean brightness in [0, 1] before clipping, {report['brightness']['pictures']} pictures, "
        "no guidance, and its standard deviation for the empty prompt:",
        "",
        "| | on black | on white | white less black | std, empty prompt |",
        "|---|---|---|---|---|",
    ]
    for name, row in range_rows.items():
        lines.append(
            f"| {name} | {row['black']:.3f} | {row['white']:.3f} "
            f"| {row['white'] - row['black']:.3f} | {row['open_std']:.3f} |"
        )
    lines += ["", f"All weights in this folder: {report['all_weights_bytes'] / 1e6:.1f} MB."]
    return "\n".join(lines) + "\n"


def update_family_table(readme: Path, report: dict[str, Any]) -> None:
    """Put the family's part between its two marks; raises ValueError where they are missing."""
    text = readme.read_text(encoding="utf-8")
    before, start, rest = text.partition(TABLE_START)
    _, end, after = rest.partition(TABLE_END)
    if not start or not end:
        raise ValueError(f"{readme} lacks the lines {TABLE_START} and {TABLE_END}")
    readme.write_text(f"{before}{start}\n{family_markdown(report)}{end}{after}", encoding="utf-8")

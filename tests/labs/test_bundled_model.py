"""What is claimed of the bundled model is so: its claims on a full run, its size, its ledger."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "labs" / "models"


def test_all_weights_fit() -> None:
    files = list(MODELS.rglob("*.safetensors"))
    assert files and sum(f.stat().st_size for f in files) < 40e6


def test_weights_are_half_precision() -> None:
    for file in MODELS.rglob("*.safetensors"):
        raw = file.read_bytes()
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        kinds = {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
        assert kinds <= {"F16", "I64", "I32"}, (file, kinds)


def test_its_quality_is_recorded_as_measured() -> None:
    quality = json.loads((MODELS / "quality.json").read_text(encoding="utf-8"))
    bars = {bar["name"]: bar for bar in quality["bars"]}
    assert len(bars) == 6
    readme = (MODELS / "README.md").read_text(encoding="utf-8")
    for name, bar in bars.items():
        assert bar["holds"] == (bar["measured"] >= bar["at_least"]), name
        word = "yes" if bar["holds"] else "**no**"
        assert f"| {name} | {bar['at_least']:g} | {bar['measured']:.3f} | {word} |" in readme
    assert [name for name, bar in bars.items() if not bar["holds"]] == []


def test_the_recorded_run_was_made_with_these_weights() -> None:
    from drill.services.recorded import recorded_run

    found = recorded_run(ROOT, "cfg-sweep")
    assert found is not None and found.event.recorded
    assert found.event.sentence and found.picture is not None

"""Recorded runs: written from live ones, found by name and parameters, never without a date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drill.services.recorded import (
    FOLDER,
    asked_params,
    recorded_run,
    recorded_runs,
    variant_of,
    write_recording,
)
from drill.worker.protocol import Done


def live(tmp_path: Path, scales: list[float]) -> Done:
    picture = tmp_path / "live.png"
    picture.write_bytes(b"\x89PNG")
    return Done(
        {"x": 0.123456789}, [{"name": "c", "holds": True}], {"best": 5}, "It happened.",
        {"answer": "yes", "reason": "r"}, "cpu", {"torch": "2"}, 0, 1.0, "cfg-sweep",
        {"scales": scales, "seeds": 8}, "", [str(picture)], "20260101-run",
    )  # fmt: skip


def test_a_recording_is_written_and_found(tmp_path: Path) -> None:
    write_recording(live(tmp_path, [0, 1, 5]), tmp_path / FOLDER)
    write_recording(live(tmp_path, [1, 5, 20]), tmp_path / FOLDER, "few")
    every = recorded_runs(tmp_path, "cfg-sweep")
    assert [each.file.name for each in every] == ["cfg-sweep.json", "cfg-sweep@few.json"]
    found = recorded_run(tmp_path, "cfg-sweep", {"scales": (1, 5, 20)})
    assert found is not None and found.file.name == "cfg-sweep@few.json"
    assert found.event.recorded and found.event.metrics == {"x": 0.123457}
    assert found.picture is not None and found.picture.read_bytes() == b"\x89PNG"
    assert found.event.artefacts == [str(found.picture)]
    assert recorded_run(tmp_path, "cfg-sweep") == every[0]
    assert recorded_run(tmp_path, "cfg-sweep", {"seeds": 9}) is None
    # What is not asked for has its default: here the scales of the recording without a variant.
    assert recorded_run(tmp_path, "cfg-sweep", {"seeds": 8}) == every[0]
    found.file.write_text(found.file.read_text().replace('"seeds": 8', '"seeds": 9'))
    assert recorded_run(tmp_path, "cfg-sweep", {"scales": [1, 5, 20]}) is None
    assert recorded_run(tmp_path, "cfg-sweep", {"scales": [1, 5, 20], "seeds": 9}) is not None
    assert recorded_run(tmp_path, "cfg") is None
    # No path of the machine that recorded it is kept.
    assert str(tmp_path) not in found.file.read_text(encoding="utf-8")


def test_a_recording_without_a_date_is_none(tmp_path: Path) -> None:
    path = write_recording(live(tmp_path, [1]), tmp_path / FOLDER)
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "recorded": ""}), encoding="utf-8")
    assert recorded_runs(tmp_path, "cfg-sweep") == ()
    path.write_text("{", encoding="utf-8")
    assert recorded_runs(tmp_path, "cfg-sweep") == ()


def test_a_recording_is_not_recorded_again(tmp_path: Path) -> None:
    write_recording(live(tmp_path, [1]), tmp_path / FOLDER)
    found = recorded_run(tmp_path, "cfg-sweep")
    assert found is not None
    with pytest.raises(ValueError, match="recording of a recording"):
        write_recording(found.event, tmp_path / FOLDER)


def test_variants_are_named_by_their_parameters() -> None:
    assert variant_of({}) == ""
    assert variant_of({"seeds": 8, "scales": [1.0, 7.5]}) == "scales-1-7.5_seeds-8"
    assert variant_of({"open_prompt": "a star/../x"}) == "open_prompt-a-star-..-x"


def test_the_items_parameters_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRILL_HOME", str(tmp_path))
    root = Path(__file__).resolve().parents[2]
    asked = asked_params(root, "cfg-sweep")
    assert {"scales": [1, 5, 20], "seeds": 32} in asked
    assert len(asked) == len({variant_of(each) for each in asked})
    assert asked_params(root, "no-such-experiment") == []

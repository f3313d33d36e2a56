"""Recorded runs: written from live ones, found by name and parameters, never without a date."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from drill.services.recorded import (
    FOLDER,
    asked_params,
    main,
    recorded_run,
    recorded_runs,
    variant_of,
    write_recording,
)
from drill.worker.protocol import Done
from tests.conftest import SAMPLE
from tests.worker.packs import make_stubs


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


def test_one_of_an_accelerator_stands_beside_that_of_the_cpu(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    cuda = dataclasses.replace(live(tmp_path, [1]), device="cuda:0 (NVIDIA H100 80GB HBM3)")
    write_recording(live(tmp_path, [1]), folder)
    write_recording(cuda, folder)
    write_recording(cuda, folder, "few")
    write_recording(dataclasses.replace(cuda, experiment="cfg-sweeper"), folder)
    every = recorded_runs(tmp_path, "cfg-sweep")
    assert [each.file.name for each in every] == [
        "cfg-sweep+cuda.json", "cfg-sweep.json", "cfg-sweep@few+cuda.json",
    ]  # fmt: skip
    assert [each.accelerator for each in every] == ["cuda", "", "cuda"]
    found = recorded_run(tmp_path, "cfg-sweep")
    assert found is not None and found.event.device.startswith("cuda:0 (NVIDIA")


def test_all_pictures_and_plots_are_kept_and_old_ones_go(tmp_path: Path) -> None:
    other = tmp_path / "grid.png"
    other.write_bytes(b"\x89PNG 2")
    done = live(tmp_path, [1])
    two = dataclasses.replace(done, artefacts=[*done.artefacts, str(other)])
    plots = {"error": {"series": {"a": [[1.0, 0.123456789]]}, "x_label": "n", "y_label": ""}}
    write_recording(two, tmp_path / FOLDER, plots=plots)
    (found,) = recorded_runs(tmp_path, "cfg-sweep")
    assert [path.name for path in found.pictures] == ["cfg-sweep.png", "cfg-sweep--grid.png"]
    assert found.event.artefacts == [str(path) for path in found.pictures]
    assert found.plots["error"]["series"]["a"] == [[1.0, 0.123457]]
    write_recording(done, tmp_path / FOLDER)
    (found,) = recorded_runs(tmp_path, "cfg-sweep")
    assert [path.name for path in found.pictures] == ["cfg-sweep.png"]


def test_the_command_records_every_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    pack = tmp_path / "pack"
    shutil.copytree(SAMPLE, pack)
    assert main(["--all", "--asked", "--pack", str(pack), "--device", "cpu"]) == 0
    names = sorted(path.name for path in (pack / FOLDER).iterdir())
    assert [name for name in names if name.startswith("step")] == [
        "step-size.json", "step-size@steps-5-10-20.json",
    ]  # fmt: skip
    looks = sorted(path.name for path in (pack / FOLDER / "broken-walk").glob("*.json"))
    assert looks == [
        f"broken-walk@case-sign_look-{look}.json"
        for look in ("first-step", "libraries", "mend", "symptom", "values")
    ]
    found = recorded_run(pack, "step-size")
    assert found is not None and found.plots["error"]["series"]["error"][0][0] == 5
    assert found.event.device.startswith("cpu (") and found.event.versions["drill"]
    assert "8 recorded, 0 left out, 0 failed" in capsys.readouterr().out
    # A claim that does not hold is told and not written; what needs an accelerator is left out.
    code = pack / "labs" / "step_size" / "experiment.py"
    text = code.read_text()
    code.write_text(text.replace("later < earlier", "later > earlier"))
    file = pack / FOLDER / "step-size.json"
    file.unlink()
    assert main(["step-size", "--pack", str(pack)]) == 1
    assert not file.exists()
    assert "not so here: error-falls-with-steps" in capsys.readouterr().out
    code.write_text(
        text.replace("    seconds = 20", '    seconds = 20\n    needs = ("accelerator",)')
    )
    assert main(["--all", "--pack", str(pack), "--device", "cpu"]) == 0
    assert not file.exists() and "1 recorded, 1 left out" in capsys.readouterr().out
    for wrong in ([], ["step-size", "--all"], ["--all", "--set", "steps=1"], ["step-siez"]):
        with pytest.raises(SystemExit):
            main([*wrong, "--pack", str(pack)])
    assert "did you mean step-size" in capsys.readouterr().err

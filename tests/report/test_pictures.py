"""Pictures and curves of runs: small enough, and nothing but what lies in the folder of runs."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from drill.services.app import Drill
from drill.services.report.experiments import MOST_POINTS, MOST_RUNS, MOST_SERIES, runs
from drill.services.report.pictures import HIGHEST, WIDEST, picture
from drill.store.runs import Run


def _png(path: Path, width: int, height: int, noisy: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.effect_noise((width, height), 90) if noisy else Image.new("RGB", (width, height))
    image.save(path, "PNG")
    return path


def test_a_small_picture_is_taken_as_it_is_and_a_large_one_is_made_small(tmp_path: Path) -> None:
    small = _png(tmp_path / "runs" / "a.png", 64, 32)
    made = picture(small, tmp_path / "runs", "alt")
    assert made is not None and (made.width, made.height) == (64, 32)
    head, _, data = made.uri.partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(data) == small.read_bytes()
    large = _png(tmp_path / "runs" / "b.png", 3000, 1500, noisy=True)
    made = picture(large, tmp_path / "runs", "alt")
    assert made is not None and made.width <= WIDEST and made.height <= HIGHEST
    head, _, data = made.uri.partition(",")
    assert head == "data:image/webp;base64"
    raw = base64.b64decode(data)
    assert len(raw) < large.stat().st_size / 4
    with Image.open(BytesIO(raw)) as opened:
        assert opened.size == (made.width, made.height)


def test_only_pictures_below_the_runs_are_read(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    inside = _png(root / "a.png", 8, 8)
    outside = _png(tmp_path / "secret.png", 8, 8)
    (root / "link.png").symlink_to(outside)
    (root / "text.png").write_text("no picture")
    (root / "cut.png").write_bytes(inside.read_bytes()[:40])
    for path in (
        outside, root / "../secret.png", root / "link.png", root / "text.png", root / "cut.png",
        root / "missing.png",
    ):  # fmt: skip
        assert picture(path, root, "alt") is None, path
    assert picture(inside, root, "alt") is not None


def _run(drill: Drill, name: str, number: int, **more: Any) -> None:
    given: dict[str, Any] = {
        "id": f"{name}-{number}", "name": name, "started": f"2026-11-{number:02d}T10:00:00+00:00",
        "seconds": 1.0, "params": {}, "metrics": {}, "claims": [], "outcomes": {}, "device": "cpu",
        "versions": {}, "seed": 0, "extra": {"sentence": "It was so."},
    }  # fmt: skip
    drill.store.runs.save(Run(**{**given, **more}))


def test_the_newest_run_of_each_experiment_comes_before_a_second_one(drill: Drill) -> None:
    assert runs(drill, None) is None
    for number in range(1, 19):
        _run(drill, "often", number)
    _run(drill, "once", 1)
    _run(drill, "broken", 20, extra={"error": "cancelled", "message": "stopped", "stage": "x"})
    found = runs(drill, None)
    assert found is not None and found.count == 20 and found.experiments == 3
    assert len(found.shown) == MOST_RUNS
    assert [run.name for run in found.shown].count("often") == MOST_RUNS - 1
    assert found.shown[0].id == "often-18" and found.shown[-1].name == "once"
    assert all(run.name != "broken" for run in found.shown), "finished ones come first"


@pytest.mark.parametrize("plots", [
    None, 3, [], {"a": 3}, {"a": {}}, {"a": {"series": 3}}, {"a": {"series": {"s": 3}}},
    {"a": {"series": {"s": [[1], [1, "x"], [None, 2], "ab", [1, 2, 3]]}}},
])  # fmt: skip
def test_curves_that_are_none_are_left_out(drill: Drill, tmp_path: Path, plots: object) -> None:
    folder = tmp_path / "home" / "runs" / "r-1"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"state": "done", "plots": plots}))
    _run(drill, "r", 1)
    found = runs(drill, None)
    assert found is not None and found.shown[0].plots == ()


def test_long_curves_are_thinned_and_their_ends_stay(drill: Drill, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "runs" / "r-1"
    folder.mkdir(parents=True)
    points = [[n, n * n] for n in range(1000)] + [[5, float("nan")], [6, float("inf")]]
    series = {f"s{n}": points for n in range(20)}
    (folder / "result.json").write_text(json.dumps({"plots": {"some_curve": {"series": series}}}))
    _run(drill, "r", 1)
    found = runs(drill, None)
    assert found is not None
    (curve,) = found.shown[0].plots
    assert curve.name == "some curve" and len(curve.series) == MOST_SERIES
    for kept in curve.series.values():
        assert len(kept) == MOST_POINTS
        assert kept[0] == (0, 0) and kept[-1] == (999, 998001)


def test_a_run_that_names_a_folder_elsewhere_shows_nothing_of_it(
    drill: Drill, tmp_path: Path
) -> None:
    _png(tmp_path / "else.png", 8, 8)
    (tmp_path / "elsewhere").mkdir()
    plots = {"plots": {"a": {"series": {"s": [[1, 2]]}}}}
    (tmp_path / "elsewhere" / "result.json").write_text(json.dumps(plots))
    (tmp_path / "home" / "runs").mkdir()
    _run(drill, "r", 1, id="../../elsewhere", artefacts=[str(tmp_path / "else.png")])
    found = runs(drill, None)
    assert found is not None
    assert found.shown[0].pictures == () and found.shown[0].plots == ()

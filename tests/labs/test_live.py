"""The guidance sweep on the bundled model, through service and child, as the app runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.lab.manifest import find_experiment, read_labs
from drill.services.experiments import RunSpec, run_experiment
from drill.worker.protocol import Done, Image, Progress

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.labs
def test_a_small_sweep_runs_live(tmp_path: Path) -> None:
    info = find_experiment(read_labs(ROOT), "cfg-sweep")
    spec = RunSpec(
        info.name, info.file, params={"scales": [0, 1, 7.5], "seeds": 4, "steps": 10}, device="cpu"
    )
    events = list(run_experiment(spec, runs=tmp_path / "runs", logs=tmp_path))
    done = events[-1]
    assert isinstance(done, Done), done
    assert {claim["name"] for claim in done.claims} == {claim.name for claim in info.claims}
    held = {claim["name"]: claim["holds"] for claim in done.claims}
    assert held["off-at-or-under-1"] is True and held["batch-equals-pipeline"] is True
    assert held["falls-at-20"] is None
    assert set(done.outcomes) == set(info.outcomes)
    # A trained model gets some attribute of four prompts right; noise would get next to none.
    assert sum(done.metrics["adherence"]["background"]) > 0
    assert any(isinstance(event, Image) for event in events)
    assert any(isinstance(event, Progress) and event.eta for event in events)
    assert Path(done.artefacts[0]).read_bytes().startswith(b"\x89PNG")

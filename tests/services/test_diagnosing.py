"""Looks at something broken: what is kept, what is paid, what is shown where nothing runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.config import Config
from drill.domain.questions import DiagnoseBody
from drill.domain.verdict import MalformedAnswerError
from drill.services import diagnosing
from drill.services.app import Drill
from drill.services.diagnosing import NoFindingError, look_in
from drill.services.experiments import RunSpec
from drill.services.finding import SYMPTOM, Finding, from_json, picture_file, to_json
from drill.services.practice import practise
from drill.services.recorded import folder_of, variant_of, write_recording
from drill.services.session import Session, resume
from drill.worker.protocol import Done, Error, Event, Image, Log, Plot, Progress
from tests.conftest import SAMPLE, Clock

ITEM = "sample:sc.sample-diagnose"
PNG = b"\x89PNG"
HOSTILE = ["[/red] [bold]list[int][/", "a\tb\x1b[31m", "one\ntwo"]


@pytest.fixture
def drill(tmp_path: Path, clock: Clock) -> Iterator[Drill]:
    pack = Path(shutil.copytree(SAMPLE, tmp_path / "pack"))
    opened = Drill(home=tmp_path / "home", packs=[pack], clock=clock, config=Config())
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    with opened:
        yield opened


@pytest.fixture
def session(drill: Drill) -> Session:
    return practise(drill, [ITEM])


def done(look: str, **changes: object) -> Done:
    values: dict[str, object] = {
        "metrics": {"case": "sign", "look": look, "lines": HOSTILE},
        "claims": [], "outcomes": {"cause": "", "mended": None}, "sentence": f"{look}: 2.57 ",
        "transfers": {}, "device": "cpu (a machine)", "versions": {}, "seed": 0, "seconds": 1.25,
        "experiment": "broken-walk", "params": {"case": "sign", "look": look},
        "artefacts": ["/somewhere/runs/r1/one.png"], "run": "r1",
    }  # fmt: skip
    return Done(**{**values, **changes})  # type: ignore[arg-type]


def quiet(doing: str) -> None:
    """Nobody is told what a run does."""


def seen(look: str, run: str = "r1") -> Finding:
    return Finding(look, f"{look} seen", run_id=run)


def events(look: str) -> list[Event]:
    series = {"x": [[0, 1.0], [1, 2.0]]}
    return [
        Progress(0, 8, "walking"), Log("a word"), Image("one", PNG, "x [over] steps"),
        Plot("x", series, "step"), done(look),
    ]  # fmt: skip


def test_a_finding_is_made_of_the_events_and_kept_as_json(drill: Drill, session: Session) -> None:
    assert session.asked is not None
    asked_for: list[RunSpec] = []
    told: list[str] = []

    def run(spec: RunSpec) -> Iterator[Event]:
        asked_for.append(spec)
        yield from events("values")

    found = look_in(drill, run, session.asked.question, "values", told.append)
    assert dict(asked_for[0].params) == {"case": "sign", "look": "values"}
    assert told == ["walking", "a word"]
    assert found.sentence == "values: 2.57" and found.stamp == "live · cpu · 1.2 s"
    # Nothing of it is markup, and nothing of it steers a terminal.
    assert found.lines == ("[/red] [bold]list[int][/", "a   b�[31m", "one", "two")
    assert found.pictures[0].path == "r1/one.png" and found.pictures[0].caption == "x [over] steps"
    assert dict(found.plots[0].series) == {"x": [(0.0, 1.0), (1.0, 2.0)]}
    assert from_json(to_json(found)) == found
    assert from_json({"look": 3}) is None and from_json(None) is None


def test_what_was_bought_is_paid_once_and_survives_quitting(drill: Drill, session: Session) -> None:
    session.keep_finding(seen(SYMPTOM))
    session.keep_finding(seen("libraries"))
    session.keep_finding(seen("values"))
    session.keep_finding(seen("values", "again"))
    session.keep_draft("cause=half")
    again = resume(drill, drill.store.sessions.get(session.id))
    asked = again.asked
    assert asked is not None and again.phase == "asking"
    assert asked.bought == ("values", "libraries") and asked.price == 7
    assert asked.draft == "cause=half"
    values = asked.finding("values")
    assert values is not None and values.run_id == "again"


def test_the_answer_names_what_was_bought_whatever_it_says(drill: Drill, session: Session) -> None:
    session.keep_finding(seen(SYMPTOM))
    session.keep_finding(seen("libraries"))
    with pytest.raises(MalformedAnswerError):
        session.submit("cause=nothing-of-it", 3)
    assert session.phase == "asking"
    assert session.submit("cause=sign; probes=first-step", 3) is None
    again = resume(drill, drill.store.sessions.get(session.id))
    assert again.phase == "locked" and again.asked is not None
    assert again.asked.draft == "cause=sign; probes=libraries" and again.asked.confidence == 3
    feedback = again.settle({}, "mend-run")
    assert feedback.verdict.score == pytest.approx(0.7) and feedback.asked.bought == ("libraries",)
    (stored,) = drill.store.answers()
    assert stored.answer == "cause=sign; probes=libraries"
    assert stored.auto_score == pytest.approx(0.7)


def test_a_question_that_is_put_off_keeps_what_was_bought(drill: Drill) -> None:
    session = practise(drill, [ITEM, "sample:sc.sample-number"])
    session.keep_finding(seen("values"))
    session.skip()
    assert session.asked is not None and session.asked.findings == ()
    again = resume(drill, drill.store.sessions.get(session.id))
    again.skip()
    assert again.asked is not None and again.asked.bought == ("values",)


def test_a_probe_that_fails_costs_nothing(drill: Drill, session: Session) -> None:
    asked = session.asked
    assert asked is not None
    for error, words in (
        (Error("crash", "died by signal 9"), "the experiment's process died: died by signal 9"),
        (Error("oom", ""), "it ran out of memory"),
        (Error("params", "look: 'x' is none"), "the experiment does not know it"),
    ):
        with pytest.raises(NoFindingError, match=words):
            look_in(drill, lambda spec, e=error: iter([e]), asked.question, "values", quiet)  # type: ignore[misc]
    assert session.asked is not None and session.asked.price == 0


def record(drill: Drill, tmp_path: Path, look: str) -> None:
    picture = tmp_path / "one.png"
    picture.write_bytes(PNG)
    params = {"case": "sign", "look": look}
    folder = folder_of(drill.bank.roots["sample"], "broken-walk", params)
    made = done(look, params=params, artefacts=[str(picture)])
    write_recording(made, folder, variant_of(params), None, ["a caption"])


def test_without_packages_the_recording_is_shown_and_stamped(
    drill: Drill, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = session.asked
    assert asked is not None
    record(drill, tmp_path, "values")
    monkeypatch.setattr(diagnosing, "can_run", lambda drill: False)

    def never(spec: RunSpec) -> Iterator[Event]:
        raise AssertionError("a run where nothing can run")

    found = look_in(drill, never, asked.question, "values", quiet)
    assert found.recorded and "not live" in found.stamp and "cannot run here" in found.note
    assert found.pictures[0].caption == "a caption"
    file = picture_file(drill, found.pictures[0])
    assert file is not None and file.read_bytes() == PNG
    assert str(tmp_path) not in str(to_json(found))
    with pytest.raises(NoFindingError, match="cannot run here"):
        look_in(drill, never, asked.question, "first-step", quiet)


def test_a_crash_is_tried_again_before_a_recording_is_taken(
    drill: Drill, session: Session, tmp_path: Path
) -> None:
    asked = session.asked
    assert asked is not None
    record(drill, tmp_path, "values")

    def dies(spec: RunSpec) -> Iterator[Event]:
        yield Error("crash", "died")

    def stops(spec: RunSpec) -> Iterator[Event]:
        yield Error("cancelled", "stopped")

    with pytest.raises(NoFindingError):
        look_in(drill, dies, asked.question, "values", quiet)
    again = look_in(drill, dies, asked.question, "values", quiet, else_recorded=True)
    assert again.recorded and again.note == "the experiment's process died: died"
    with pytest.raises(NoFindingError):
        look_in(drill, stops, asked.question, "values", quiet, else_recorded=True)


def test_a_recording_of_another_case_is_not_taken(
    drill: Drill, session: Session, tmp_path: Path
) -> None:
    asked = session.asked
    assert asked is not None and asked.question.experiment is not None
    record(drill, tmp_path, "values")
    other = replace(asked.question.experiment, params={"case": "half"})
    assert diagnosing.shipped(drill, asked.question, "values") is not None
    assert diagnosing.shipped(drill, replace(asked.question, experiment=other), "values") is None


def test_the_item_of_the_sample_pack_is_one(session: Session) -> None:
    assert session.asked is not None and isinstance(session.asked.question.body, DiagnoseBody)

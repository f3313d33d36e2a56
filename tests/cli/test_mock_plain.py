"""What runs, what is judged outside and what is not said, in an interview line by line."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.cli.mock_plain import PlainMock
from drill.config_judge import JudgeConfig
from drill.domain.interview.rounds import Mode
from drill.domain.interview.state import Judged
from drill.domain.questions import Question
from drill.services.app import Drill
from drill.services.code_judge import JudgeUnavailableError
from drill.services.mock import Mock
from drill.services.outside_judge import asking as outside
from tests.conftest import Clock
from tests.services.interviews import (
    CODE,
    DIAGNOSE,
    GUIDANCE,
    NUMBER,
    RUN,
    Timer,
    again,
    hold,
    open_drill,
)
from tests.services.reserve_pack import make_pack
from tests.terminal.mock_player import CODE as SOURCE
from tests.worker.packs import make_stubs


@pytest.fixture
def drill(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    with open_drill(tmp_path / "home", make_pack(tmp_path / "pack"), clock) as opened:
        yield opened


def told(drill: Drill, mock: Mock, *typed: str, code: int = 0) -> str:
    """What is said when these lines are typed, and then nothing more."""
    out = io.StringIO()
    lines = io.StringIO("".join(f"{line}\n" for line in typed))
    assert PlainMock(drill, mock, lines, out).run() == code, out.getvalue()
    return out.getvalue()


@pytest.mark.parametrize("mode", ["real", "study"])
def test_a_prediction_is_locked_run_and_told(drill: Drill, mode: Mode) -> None:
    mock = hold(drill, RUN, mode=mode)
    said = told(
        drill, mock, "best=5", *[""] * (mode == "study"), ":pass", *[""] * (mode == "study")
    )
    before = said.partition("--- Debrief")[0]
    assert before.index("Locked: best=5.") < before.index("the clock stands still")
    record = mock.interview.records[0]
    assert record.run_id and drill.store.runs.get(record.run_id).outcomes["best_steps"] == 20
    assert ("More steps come nearer" in before) is (mode == "study")
    assert ("Key: best" in before or "0%" in before) is (mode == "study")


@pytest.mark.parametrize("mode", ["real", "study"])
def test_a_real_interview_does_not_show_the_mend(drill: Drill, mode: Mode) -> None:
    mock = hold(drill, DIAGNOSE, mode=mode)
    typed = ("probe values", "probe nothing", "cause=half", *[""] * (mode == "study"))
    said = told(drill, mock, *typed)
    before = said.partition("--- Debrief")[0]
    assert "Spent 1 min; par is 3." in before and "There is no probe `nothing`" in before
    assert "Locked: The slope is halved. (measured: values)" in before
    assert ("Mended:" in before) is (mode == "study")
    assert mock.interview.records[0].turns[0].judged.score == pytest.approx(0.3)  # type: ignore[union-attr]


def test_looking_costs_no_time(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    from drill.services.diagnosing import look_in

    timer = Timer()
    mock = hold(drill, DIAGNOSE, timer=timer)

    def slow(*arguments: object, **more: object) -> object:
        timer.forward(100)
        return look_in(*arguments, **more)  # type: ignore[arg-type]

    mock.stop_clock()
    monkeypatch.setattr("drill.cli.plain_case.look_in", slow)
    told(drill, mock, "probe values", "probe libraries", "cause=sign")
    assert mock.interview.seconds == 0 and timer.now == 400


def test_code_is_tested_and_nothing_of_it_is_said(drill: Drill) -> None:
    mock = hold(drill, CODE)
    said = told(drill, mock, *SOURCE.replace("0.5 *", "0.4 *").split("\n"), ".")
    before, _, after = said.partition("--- Debrief")
    assert before.rstrip().endswith("Running the property tests; the clock stands still.")
    assert "0%" in after and "**" in after


def test_code_that_cannot_be_tested_here_is_not_scored(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Mock) -> None:
        raise JudgeUnavailableError("the child does not start")

    monkeypatch.setattr(Mock, "run_properties", fails)
    mock = hold(drill, CODE, NUMBER)
    said = told(drill, mock, *SOURCE.split("\n"), ".", "40")
    assert "Not judged and not scored: the child does not start" in said
    assert "(not judged, not scored)" in said and "100%. Right" in said


def test_what_cannot_be_read_is_asked_again_with_its_lines(drill: Drill) -> None:
    mock = hold(drill, CODE)
    broken = ("def x0_from_eps(x_t, eps, ab):", "    return (", ".", ":clear", ":quit")
    said = told(drill, mock, *broken, code=1)
    assert "not counted: Line 2" in said and "your lines still stand" in said
    assert again(drill, mock).view.draft == ""


def test_markup_and_escapes_of_the_learner_stay_what_they_are(drill: Drill) -> None:
    mock = hold(drill, GUIDANCE)
    text = "[bold red]two predictions[/] are made, {0} %s \\n <b>"
    said = told(drill, mock, text, ".", ":pass")
    assert text in " ".join(said.split())


class _Asked:
    """An outside judge that takes a while."""

    def __init__(self, timer: Timer) -> None:
        self.timer = timer

    def run(self) -> None:
        self.timer.forward(9)

    def settled(self, question: Question, text: str, judged: Judged) -> tuple[Judged, str]:
        return replace(judged, points={"two": "credited", "cost": "credited"}), "judge"


def test_the_outside_judge_is_asked_off_the_clock_with_the_answer_stored(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer = Timer()
    mock = hold(drill, GUIDANCE, timer=timer)
    drill.config = replace(drill.config, judge=JudgeConfig(url="http://localhost:1", model="m"))
    stored = []

    def begin(drill: Drill, question: Question, text: str, *, reply: bool) -> _Asked:
        asked = _Asked(timer)
        run = asked.run

        def look() -> None:
            stored.append(again(drill, mock).view.draft)
            run()

        asked.run = look  # type: ignore[method-assign]
        return asked

    monkeypatch.setattr(outside, "begin", begin)
    said = told(drill, mock, "I would have to look it up.", ".")
    assert "(asking the judge, " in said and stored == ["I would have to look it up."]
    assert mock.interview.seconds == 0 and mock.interview.records[0].turns[0].by == "judge"
    assert len(mock.interview.records[0].turns) == 1
    assert "(judge)" in said


def test_code_may_stand_in_a_file(drill: Drill, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SOURCE)
    mock = hold(drill, CODE)
    said = told(drill, mock, f"@{tmp_path / 'none.py'}", ".", ":clear", f"@{file}", ".")
    assert f"not counted: {tmp_path / 'none.py'}: " in " ".join(said.split())
    assert mock.interview.records[0].turns[0].text.strip() == SOURCE.strip()
    assert mock.interview.records[0].turns[0].judged.score == 1.0  # type: ignore[union-attr]


def test_the_debrief_shows_the_key_of_what_was_not_right(drill: Drill) -> None:
    said = told(drill, hold(drill, NUMBER, GUIDANCE), "39", "Nothing much.", ".", ":said", ":pass")
    debrief = said.partition("--- Debrief")[2]
    assert "Key:\n    40" in debrief
    right = told(drill, hold(drill, NUMBER), "40")
    assert "Key:" not in right.partition("--- Debrief")[2]


def test_a_mark_follows_the_learners_tick(drill: Drill) -> None:
    answer = "Guidance needs two predictions at each step."
    typed = (answer, ".", ":said", ":pass", "t 1", "t 2", "t 2")
    debrief = told(drill, hold(drill, GUIDANCE), *typed).partition("--- Debrief")[2]
    marks = re.findall(r"^ +([12]) \[(.)\]", debrief, re.M)
    assert marks == [("1", "x"), ("2", "?"), ("1", " "), ("2", "x"), ("2", "?")]

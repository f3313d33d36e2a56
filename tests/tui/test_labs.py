"""Labs in the app: read beside the code, run, compare, and answer, at every size."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Log

from drill.config import Config
from drill.lab.reading import parse_reading
from drill.services.app import Drill
from drill.tui.app import DrillApp
from drill.tui.screens.browse import ItemScreen
from drill.tui.screens.experiment import ExperimentScreen
from drill.tui.screens.lab import LabScreen
from drill.tui.screens.lab_questions import LabQuestionsScreen
from drill.tui.screens.labs import LabsScreen
from drill.tui.screens.past_run import PastRunScreen
from drill.tui.screens.run import RunScreen
from drill.tui.screens.session import SessionScreen
from drill.tui.screens.source import SourceScreen
from drill.tui.screens.starter import StarterScreen
from drill.tui.widgets.keys_line import KeysLine
from drill.tui.widgets.param_form import ParamField
from drill.tui.widgets.reading_view import ReadingView
from drill.tui.widgets.source_view import SourceView
from tests.conftest import SAMPLE, Clock
from tests.tui.drive import text_of
from tests.worker.packs import make_stubs

SIZES = [
    pytest.param((60, 18), marks=pytest.mark.slow),
    (80, 24),
    (120, 36),
    pytest.param((200, 60), marks=pytest.mark.slow),
]
LAB = Path("labs") / "step_size"


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample pack, and stand-ins for torch that load at once."""
    monkeypatch.setenv("PYTHONPATH", str(make_stubs(tmp_path / "stubs")))
    root = Path(shutil.copytree(SAMPLE, tmp_path / "pack"))
    (items,) = (root / "questions").glob("*/one_of_each.yaml")
    named = "- id: sc.sample-choice\n"
    text = items.read_text()
    assert named in text
    items.write_text(text.replace(named, f"{named}  lab: step_size\n"))
    return root


@pytest.fixture
def drill(pack: Path, tmp_path: Path, clock: Clock) -> Iterator[Drill]:
    opened = Drill(home=tmp_path / "home", packs=[pack], clock=clock, config=Config())
    opened._standings = dict.fromkeys(opened.bank.heads, "proven")
    opened.keep_profile(replace(opened.profile, done=True))
    with opened:
        yield opened


@pytest.fixture
def app(drill: Drill) -> DrillApp:
    return DrillApp(drill)


async def settle(pilot: Pilot[int], app: DrillApp) -> None:
    """Wait for messages and short workers; a run or a starter goes on."""
    await pilot.pause()
    short = [w for w in app.workers if w.group in ("default", "past", "highlight")]
    if short:  # of an empty list Textual takes all
        await app.workers.wait_for_complete(short)
    await pilot.pause()


async def until(pilot: Pilot[int], met: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that a child process brings about."""
    for _ in range(int(seconds / 0.05)):
        await pilot.pause(0.05)
        if met():
            return
    raise AssertionError(f"{met} is not met:\n{text_of(pilot.app)}")  # type: ignore[arg-type]


async def keys(pilot: Pilot[int], app: DrillApp, *pressed: str) -> None:
    for key in pressed:
        await pilot.press(key)
        await settle(pilot, app)


async def into_lab(pilot: Pilot[int], app: DrillApp) -> LabScreen:
    await settle(pilot, app)
    await keys(pilot, app, "l")
    assert isinstance(app.screen, LabsScreen)
    assert "enter open" in text_of(app).splitlines()[-1]
    await keys(pilot, app, "enter")
    assert isinstance(app.screen, LabScreen)
    return app.screen


def pane(app: DrillApp) -> list[str]:
    """Rows of the code pane."""
    view = app.screen.query_one(SourceView)
    area = view.scrollable_content_region
    return [row[area.x : area.right] for row in text_of(app).splitlines()[area.y : area.bottom]]


def barred(app: DrillApp) -> list[str]:
    """Rows of the code pane that are spoken of, without their bar."""
    return [row[1:].strip() for row in pane(app) if row.startswith("▌")]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_code_follows_the_section(app: DrillApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await into_lab(pilot, app)
        reading, code = screen.query_one(ReadingView), screen.query_one(SourceView)
        wide = size[0] >= 120
        # The motive speaks of no code: on a narrow terminal the text has all the room.
        assert code.display is wide
        await keys(pilot, app, "n")
        assert reading.section == 1
        told = text_of(app)
        assert "The walk" in told and "def walk(steps: int)" in told and "2 of 5" in told
        assert barred(app)[0] == "8 def walk(steps: int) -> float:"
        assert [row.split()[0] for row in barred(app)] == ["8", "9", "10", "11", "12"]
        if wide:
            assert code.region.x >= reading.region.right
        else:
            assert code.region.y >= reading.region.bottom
        assert code.region.right <= size[0] and code.region.bottom < size[1]
        await keys(pilot, app, "n")
        assert "package no_such_pkg is not" in " ".join(" ".join(pane(app)).split())
        assert "pip install" in text_of(app) and barred(app) == []
        await keys(pilot, app, "p", "p")
        assert reading.section == 0


@pytest.mark.labs
async def test_a_symbol_is_shown_at_its_line(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_lab(pilot, app)
        await keys(pilot, app, "n", "n", "n")
        (line,) = barred(app)
        assert "prev_sample = sample + derivative * dt" in line
        assert "EulerDiscreteScheduler.step" in text_of(app)
        await keys(pilot, app, "z")
        assert isinstance(app.screen, SourceScreen)
        assert "prev_sample = sample" in barred(app)[0]
        assert "scheduling_euler_discrete.py:" in text_of(app).splitlines()[0]
        await keys(pilot, app, "escape")
        assert isinstance(app.screen, LabScreen)


@pytest.mark.parametrize(
    "size",
    [
        (80, 24),
        *(pytest.param(s, marks=pytest.mark.slow) for s in ((60, 18), (120, 36), (200, 60))),
    ],
    ids=str,
)
async def test_no_word_of_the_reading_is_lost(
    app: DrillApp, pack: Path, size: tuple[int, int]
) -> None:
    file = pack / LAB / "reading.md"
    long = " ".join(f"word{n:03d}" for n in range(300))
    text = file.read_text().replace("Small steps.", f"{long}\n\n- [/x] {long}\n- `a[0]` end")
    file.write_text(text)
    async with app.run_test(size=size) as pilot:
        screen = await into_lab(pilot, app)
        view = screen.query_one(ReadingView)
        seen: set[str] = set()
        for _ in range(200):
            region = view.region
            rows = text_of(app).splitlines()[region.y : region.bottom]
            seen |= {w for row in rows for w in row[region.x : region.right].split()}
            at = view.scroll_y
            await keys(pilot, app, "j")
            if view.scroll_y == at and view.section == view.count - 1:
                break
        wanted = {f"word{n:03d}" for n in range(300)} | {"[/x]", "a[0]", "[brackets],"}
        assert wanted <= seen, sorted(wanted - seen)[:5]
        assert view.section == view.count - 1  # the last section can be read at the top


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_section_can_be_reached(app: DrillApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await into_lab(pilot, app)
        view = screen.query_one(ReadingView)
        assert screen.text is not None
        titles = [part.section.title for part in screen.text.parts]
        for n, title in enumerate(titles):
            assert (view.section, title in text_of(app)) == (n, True)
            assert f"section {n + 1} of {len(titles)}" in text_of(app)
            await keys(pilot, app, "n")
        await keys(pilot, app, "home")
        assert view.section == 0
        await keys(pilot, app, "end")
        assert view.section == len(titles) - 1
        await pilot.resize_terminal(size[0] - 1 if size[0] > 60 else 70, size[1])
        await settle(pilot, app)
        assert view.section == len(titles) - 1 and titles[-1] in text_of(app)


async def test_a_lab_without_a_reading(app: DrillApp, pack: Path) -> None:
    (pack / LAB / "reading.md").unlink()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_lab(pilot, app)
        assert "no reading yet" in text_of(app) and "def walk" in text_of(app)
        assert screen.query_one(SourceView).display
        (pack / LAB / "starter.py").unlink()
        await keys(pilot, app, "escape", "enter", "n")
        assert "no reading yet" in text_of(app)
        shown = app.screen.query_one(KeysLine).keys()
        names = {word: works for _, word, works in shown}
        assert names["starter"] is False and names["experiments"] is True


async def test_a_faulty_reading_is_shown_as_far_as_it_goes(app: DrillApp, pack: Path) -> None:
    file = pack / LAB / "reading.md"
    file.write_text(file.read_text().replace("starter#walk", "starter#wlak"))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await into_lab(pilot, app)
        told = " ".join(text_of(app).split())
        assert "reading.md:6" in told.replace(" ", "")
        await keys(pilot, app, "n")
        assert "did you mean `walk`?" in " ".join(text_of(app).split())


async def test_the_panes_change_by_tab(app: DrillApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await into_lab(pilot, app)
        code = screen.query_one(SourceView)
        await keys(pilot, app, "n", "tab")
        assert code.has_focus
        await keys(pilot, app, "down", "right", "end", "home", "left")
        await keys(pilot, app, "n")
        assert screen.query_one(ReadingView).section == 2
        await keys(pilot, app, "tab")
        assert screen.query_one(ReadingView).has_focus


async def test_the_starter_runs(app: DrillApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await into_lab(pilot, app)
        await keys(pilot, app, "s")
        screen = app.screen
        assert isinstance(screen, StarterScreen)
        await until(pilot, lambda: screen.end is not None)
        await settle(pilot, app)
        told = text_of(app)
        assert "  8 steps: 0.3436" in told and "coloured [bold]no markup[/bold]" in told
        assert "✓ done after" in told and "r again" in told.splitlines()[-1]
        await keys(pilot, app, "r")
        await until(pilot, lambda: screen.end is not None)
        assert list(screen.query_one(Log).lines).count("  8 steps: 0.3436") == 1
        await keys(pilot, app, "escape")
        assert isinstance(app.screen, LabScreen)


async def test_a_starter_can_be_stopped(app: DrillApp, pack: Path) -> None:
    text = "import time\nprint('here', flush=True)\ntime.sleep(60)\n"
    (pack / LAB / "starter.py").write_text(text)
    async with app.run_test(size=(80, 24)) as pilot:
        await into_lab(pilot, app)
        await keys(pilot, app, "s")
        screen = app.screen
        assert isinstance(screen, StarterScreen)
        await until(pilot, lambda: "here" in text_of(app))
        assert "c stop" in text_of(app).splitlines()[-1]
        await keys(pilot, app, "c")
        await until(pilot, lambda: screen.end is not None)
        await settle(pilot, app)
        assert "stopped after" in text_of(app) and "here" in text_of(app)
        run = screen.run
        await keys(pilot, app, "r")
        await until(pilot, lambda: run is not screen.run and "here" in text_of(app))
        assert screen.run is not None and screen.run._process is not None
        process = screen.run._process
        await keys(pilot, app, "escape")
        await until(pilot, lambda: process.returncode is not None)


async def test_a_failing_starter_says_so(app: DrillApp, pack: Path) -> None:
    (pack / LAB / "starter.py").write_text("raise ValueError('[/odd]')\n")
    async with app.run_test(size=(80, 24)) as pilot:
        await into_lab(pilot, app)
        await keys(pilot, app, "s")
        screen = app.screen
        assert isinstance(screen, StarterScreen)
        await until(pilot, lambda: screen.end is not None)
        await settle(pilot, app)
        assert "✗ failed" in text_of(app) and "ValueError: [/odd]" in text_of(app)


async def into_experiment(pilot: Pilot[int], app: DrillApp) -> ExperimentScreen:
    await into_lab(pilot, app)
    await keys(pilot, app, "e")
    assert isinstance(app.screen, ExperimentScreen)
    return app.screen


async def done(pilot: Pilot[int], app: DrillApp) -> RunScreen:
    screen = app.screen
    assert isinstance(screen, RunScreen)
    await until(pilot, lambda: screen.over)
    await settle(pilot, app)
    return screen


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_parameters_are_checked_as_they_are_typed(
    app: DrillApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await into_experiment(pilot, app)
        field = screen.query(ParamField).first()
        assert field.text == "5,10,20" and field.input.has_focus
        told = text_of(app)
        assert "step counts to compare" in told and "5,10,20" in told
        field.input.value = "5,zwei"
        await settle(pilot, app)
        told = " ".join(text_of(app).split())
        assert "✗ steps" in told and "'zwei' is not taken" in told
        await keys(pilot, app, "ctrl+r")
        assert app.screen is screen, "a value that is not taken was run"
        field.input.value = "4,8"
        await settle(pilot, app)
        assert "● steps" in text_of(app)
        await keys(pilot, app, "f9")
        assert field.text == "5,10,20" and "●" not in text_of(app)


async def test_a_run_is_put_beside_former_ones(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        screen = await into_experiment(pilot, app)
        assert "none yet" in text_of(app)
        await keys(pilot, app, "enter")
        run = await done(pilot, app)
        assert "the error went from 0.0402 to 0.0094" in " ".join(text_of(app).split())
        assert "f former runs" in text_of(app).splitlines()[-1]
        await keys(pilot, app, "f")
        assert isinstance(app.screen, PastRunScreen)
        assert "no other run to put beside it yet" in text_of(app)
        await keys(pilot, app, "escape", "escape")
        back: object = app.screen
        assert back is screen and "1 of 1 claims hold" in text_of(app)
        screen.query(ParamField).first().input.value = "10"
        await keys(pilot, app, "enter")
        run = await done(pilot, app)
        assert dict(run.params) == {"steps": (10,)}
        await keys(pilot, app, "f")
        told = " ".join(text_of(app).split())
        assert "run 1 of 2 beside 2" in told
        assert "≠ 10 before 5, 10, 20" in told
        assert "this – not applicable" in told and "before ✓ holds: 0.0402" in told
        assert "slope ≠ not measured before -1.0487" in told
        await keys(pilot, app, "escape", "escape")
        for _ in range(12):
            if app.focused is not None and app.focused.id == "runs":
                break
            await keys(pilot, app, "tab")
        assert "enter compare" in text_of(app).splitlines()[-1]
        await keys(pilot, app, "down", "enter")
        assert "run 2 of 2 beside 1" in text_of(app)
        kept = drill.store.runs.list("step-size")
        assert [r.params["steps"] for r in kept] == [[10], [5, 10, 20]]


async def test_the_seed_is_a_field_too(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await into_experiment(pilot, app)
        fields = {field.param.name: field for field in screen.query(ParamField)}
        assert list(fields) == ["steps", "seed", "device", "model"]
        fields["seed"].input.value = "7"
        fields["device"].input.value = "cpu"
        await keys(pilot, app, "ctrl+r")
        await done(pilot, app)
        assert drill.store.runs.list("step-size")[0].seed == 7


async def test_a_run_that_fails_is_kept_and_shown(app: DrillApp, drill: Drill, pack: Path) -> None:
    code = pack / LAB / "experiment.py"
    text = code.read_text()
    code.write_text(
        text.replace("        ends =", "        raise MemoryError('x')\n        ends =")
    )
    async with app.run_test(size=(80, 40)) as pilot:
        await into_experiment(pilot, app)
        await keys(pilot, app, "enter")
        await done(pilot, app)
        told = " ".join(text_of(app).split())
        assert "✗ It ran out of memory." in told and "Log: " in told
        await keys(pilot, app, "f")
        told = " ".join(text_of(app).split())
        assert "did not finish: oom while walking" in told
        assert "Measured until then error 0.04" in told and "at 20" in told
        kept = drill.store.runs.list("step-size")
        assert kept[0].extra["error"] == "oom" and kept[0].metrics["error"][0][0] == 5
        # The app lives, and the next run works.
        code.write_text(text)
        await keys(pilot, app, "escape", "escape", "enter")
        run = await done(pilot, app)
        assert run.record is not None
        await keys(pilot, app, "f")
        assert "Before" in text_of(app) and "did not finish" in text_of(app)


async def test_a_cancelled_run_is_kept(app: DrillApp, drill: Drill, pack: Path) -> None:
    code = pack / LAB / "experiment.py"
    slow = "            time.sleep(0.05)\n            context.check()\n"
    text = code.read_text().replace("            x = 1.0\n", slow * 200 + "            x = 1.0\n")
    code.write_text(text.replace("import math\n", "import math\nimport time\n"))
    async with app.run_test(size=(80, 24)) as pilot:
        await into_experiment(pilot, app)
        await keys(pilot, app, "enter")
        await until(pilot, lambda: "walking" in text_of(app))
        await keys(pilot, app, "escape")
        assert isinstance(app.screen, RunScreen), "a running experiment was left"
        await keys(pilot, app, "c")
        await done(pilot, app)
        assert "Cancelled." in text_of(app)
        assert drill.store.runs.list("step-size")[0].extra["error"] == "cancelled"


async def test_the_questions_of_a_lab_are_answered(app: DrillApp, drill: Drill) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await into_lab(pilot, app)
        await keys(pilot, app, "a")
        screen = app.screen
        assert isinstance(screen, LabQuestionsScreen)
        mine = {item for item, name in drill.bank.experiments.items() if name == "step-size"}
        assert set(screen.items) == mine | {*drill.bank.labs}
        types = [drill.bank.heads[item].type for item in screen.items]
        await keys(pilot, app, *["down"] * types.index("choice"), "v")
        assert isinstance(app.screen, ItemScreen)
        await keys(pilot, app, "escape", "enter")
        asking = app.screen
        assert isinstance(asking, SessionScreen)
        assert "you chose it" in text_of(app)
        asked = asking.session.asked
        assert asked is not None and asked.question.head.id == screen.items[types.index("choice")]
        await keys(pilot, app, "a", "2", "enter")
        assert [a.item_id for a in drill.store.answers()] == [asked.question.head.id]
        assert "you chose it" not in text_of(app)
        for _ in range(4):  # a miss comes back once more, then the summary
            if app.screen is screen:
                break
            await keys(pilot, app, "escape")
        assert app.screen is screen
        assert text_of(app).count("new ") < len(screen.items)


async def test_labs_left_out_are_told(app: DrillApp, pack: Path) -> None:
    (pack / "labs" / "broken").mkdir()
    (pack / "labs" / "broken" / "lab.yaml").write_text("title: [")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot, app)
        await keys(pilot, app, "l")
        assert "lab.yaml" in text_of(app) and "Step size" in text_of(app)


async def test_a_pack_without_labs(app: DrillApp, pack: Path) -> None:
    shutil.rmtree(pack / "labs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        await keys(pilot, app, "l", "enter", "down")
        assert isinstance(app.screen, LabsScreen) and "No pack here has labs" in text_of(app)


def test_the_sample_reading_is_the_one_that_is_tested() -> None:
    reading = parse_reading((SAMPLE / LAB / "reading.md").read_text())
    assert len(reading.sections) == 5 and reading.problems == ()

"""`drill report`: where it writes, what it never replaces, templates of one's own, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drill.cli.report import report
from drill.config import Config
from drill.services.app import Drill
from drill.services.report.rendering import ReportTemplateError
from drill.services.report.scope import MOST_DAYS, Wanted
from drill.services.report.writing import WriteError, make, write, write_into_home
from tests.conftest import SAMPLE, Clock

NAME = "drill-report-2026-11-23"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Path:
    """An empty folder to stand in; the command opens the sample pack in the test's data folder."""

    def sample() -> Drill:
        opened = Drill(home=tmp_path / "home", packs=[SAMPLE], clock=clock, config=Config())
        opened._standings = dict.fromkeys(opened.bank.heads, "proven")
        return opened

    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("drill.services.app.Drill", sample)
    return folder


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(report, arguments)
    assert done.exit_code == code, (done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_each_report_gets_a_name_of_its_own(here: Path) -> None:
    for name in (NAME, f"{NAME}-2", f"{NAME}-3"):
        done = run()
        assert done.stdout == "" and f"{name}.html" in done.stderr and "kB" in done.stderr
        assert (here / f"{name}.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(p.name for p in here.iterdir()) == [
        f"{NAME}-2.html", f"{NAME}-3.html", f"{NAME}.html",
    ]  # fmt: skip


def test_a_file_that_is_there_is_only_replaced_by_force(here: Path) -> None:
    mine = here / "mine.html"
    mine.write_text("my notes")
    done = run("--out", "mine.html", code=2)
    assert "mine.html is there already: --force replaces it" in done.stderr
    assert mine.read_text() == "my notes"
    run("--out", "mine.html", "--force")
    assert mine.read_text().startswith("<!DOCTYPE html>")
    assert list(here.iterdir()) == [mine], "nothing half written is left"


def test_the_format_is_asked_for_or_told_by_the_ending(here: Path) -> None:
    run("--out", "a.md")
    assert (here / "a.md").read_text().startswith("# Study report")
    run("--out", "a.json")
    assert json.loads((here / "a.json").read_text())["format"] == "drill-report/1"
    run("--format", "md", "--out", "b.txt")
    assert (here / "b.txt").read_text().startswith("# ")
    run("--format", "md")
    assert (here / f"{NAME}.md").is_file()


def test_a_folder_is_taken_as_one(here: Path) -> None:
    (here / "sub").mkdir()
    run("--out", "sub")
    assert (here / "sub" / f"{NAME}.html").is_file()
    done = run("--out", "missing/x.html", code=2)
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_stdout_holds_the_document_and_nothing_else(here: Path) -> None:
    assert run("--out", "-").stdout.startswith("<!DOCTYPE html>")
    assert json.loads(run("--json").stdout)["scope"]["kind"] == "all"
    assert list(here.iterdir()) == []
    run("--json", "--out", "x.json", code=2)
    run("--json", "--format", "md", code=2)
    run("--out", "-", "--open", code=2)


def test_scopes_that_cannot_be_say_so(here: Path) -> None:
    done = run("--mock", "last", code=1)
    assert "no interview" in done.stderr
    for wrong in (
        ("--days", "3", "--mock", "last"), ("--since", "soon"), ("--copy",),
        ("--since", "2027-01-01"),
    ):  # fmt: skip
        assert run(*wrong, code=2).stderr.startswith("drill: ")
    for days in ("-1", "0", f"{MOST_DAYS + 1}"):
        assert "1<=x<=36500" in run("--days", days, code=2).stderr
    assert run("--days", f"{MOST_DAYS}", "--out", "-").stdout
    assert list(here.iterdir()) == []


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.html"
    assert write("é" * 10, target).size == 20
    with pytest.raises(WriteError, match="there already"):
        write("b", target)
    assert write("b", target, numbered=True).path.name == "a-2.html"

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left"):
        write("c", target, force=True)
    assert target.read_text() == "é" * 10
    assert sorted(p.name for p in tmp_path.glob("*.*")) == ["a-2.html", "a.html"]


def test_without_hard_links_a_file_is_not_replaced_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    target = tmp_path / "a.html"
    write("first", target)
    with pytest.raises(WriteError, match="there already"):
        write("second", target)
    assert target.read_text() == "first"


def test_the_app_writes_into_the_data_folder(drill: Drill, tmp_path: Path) -> None:
    first = write_into_home(drill, Wanted())
    second = write_into_home(drill, Wanted())
    assert first.path == tmp_path / "home" / "reports" / f"{NAME}.html"
    assert second.path.name == f"{NAME}-2.html"
    assert first.size == first.path.stat().st_size


# -- templates ------------------------------------------------------------------------------


def test_templates_are_named_and_copied_but_never_over_ones_own(here: Path, tmp_path: Path) -> None:
    own = tmp_path / "home" / "templates" / "report"
    told = run("--templates").stdout
    assert str(own) in told and "report.html" in told and not own.exists()
    own.mkdir(parents=True)
    (own / "style.css").write_text("body { color: red }")
    run("--templates", "--copy")
    assert (own / "style.css").read_text() == "body { color: red }"
    assert {p.name for p in own.iterdir()} == {
        "report.html", "report.md", "style.css", "plots.html", "interview.html",
    }  # fmt: skip
    assert "body { color: red }" in run("--out", "-").stdout


def test_a_template_of_ones_own_may_extend_the_built_in_one(drill: Drill, tmp_path: Path) -> None:
    own = tmp_path / "home" / "templates" / "report"
    own.mkdir(parents=True)
    (own / "report.html").write_text(
        '{% extends "builtin/report.html" %}{% block footer %}by {{ "<me>" }}{% endblock %}'
    )
    made = make(drill, Wanted(), "html")
    assert "by &lt;me&gt;" in made and "Made on the learner" not in made and "Summary" in made


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a\n{% if %}", "report.html:2", "Expected an expression"),
        ("a\nb\n{{ report.nothing }}", "report.html:3", "nothing"),
        ("{{ missing }}", "report.html:1", "'missing' is undefined"),
        ("\n{{ 1 / 0 }}", "report.html:2", "division"),
        ("\n{{ report.title|nofilter }}", "report.html:2", "nofilter"),
        ('{% include "gone.html" %}', "report.html:1", "gone.html"),
        ("{{ ''.__class__.__mro__ }}", "report.html:1", "unsafe"),
        ("\n{{ report.facts + 1 }}", "report.html:2", "tuple"),
    ],
)
def test_a_broken_template_names_its_line_and_the_way_out(
    here: Path, drill: Drill, tmp_path: Path, text: str, place: str, says: str
) -> None:
    own = tmp_path / "home" / "templates" / "report"
    own.mkdir(parents=True)
    (own / "report.html").write_text(text)
    with pytest.raises(ReportTemplateError) as error:
        make(drill, Wanted(), "html")
    message = str(error.value)
    assert f"{own}/{place}: " in message and says in message
    assert "without it drill's own is used" in message
    done = run(code=2)
    assert place in done.stderr and "Traceback" not in done.stderr and list(here.iterdir()) == []


def test_a_template_that_is_no_text(drill: Drill, tmp_path: Path) -> None:
    own = tmp_path / "home" / "templates" / "report"
    own.mkdir(parents=True)
    (own / "report.html").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(ReportTemplateError, match="drill"):
        make(drill, Wanted(), "html")

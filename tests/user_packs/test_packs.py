"""Packs are checked, copied or linked, listed and taken away; hostile ones are refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from drill import paths
from drill.packs.survey import MAX_TEXT, PackFolderError, survey
from drill.packs.yaml_source import parse
from drill.services import user_packs
from drill.services.app import Drill
from drill.services.pack_adding import add
from drill.services.user_packs import FaultyPackError, PackError
from tests.user_packs.test_untrusted import run


def home() -> Path:
    return Path(os.environ["DRILL_HOME"])


def packs() -> list[str]:
    folder = home() / "packs"
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def added(*arguments: str) -> dict[str, object]:
    made: dict[str, object] = json.loads(run("pack", "add", *arguments, "--json").stdout)
    return made


def test_a_pack_is_copied_and_told(source: Path) -> None:
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("secret")
    (source / "labs" / "__pycache__").mkdir()
    made = added(str(source))
    assert (made["name"], made["title"], made["items"]) == ("marked", "Leaves marks", 15)
    assert made["labs"] == ["step_size", "broken_walk"] and made["standing"] == "not trusted"
    code = {each["file"]: each["bytes"] for each in made["code"]}  # type: ignore[attr-defined]
    proofs = source / "questions" / "scheduler" / "proofs.py"
    assert code["questions/scheduler/proofs.py"] == proofs.stat().st_size
    assert made["snippets"] == 4
    copy = home() / "packs" / "marked"
    assert (copy / "pack.yaml").read_text() == (source / "pack.yaml").read_text()
    assert not (copy / ".git").exists() and not (copy / "labs" / "__pycache__").exists()
    shutil.rmtree(source)
    with Drill() as drill:
        assert "marked:sc.sample-choice" in drill.bank.heads


def test_a_link_shows_what_the_author_writes(source: Path) -> None:
    made = added(str(source), "--link")
    assert made["linked"] == str(source)
    file = source / "questions" / "scheduler" / "one_of_each.yaml"
    file.write_text(file.read_text().replace("sc.sample-short", "sc.sample-renamed"))
    with Drill() as drill:
        assert "marked:sc.sample-renamed" in drill.bank.heads
    run("pack", "remove", "marked")
    assert file.is_file() and packs() == []


@pytest.mark.parametrize("text", ["", "name: [", "name: Not A Name\n", None])
def test_a_linked_pack_keeps_its_name_while_its_manifest_is_broken(
    source: Path, text: str | None
) -> None:
    (source / "pack.yaml").write_text("name: ours\n", encoding="utf-8")
    added(str(source), "--link")
    if text is None:
        (source / "pack.yaml").unlink()
    else:
        (source / "pack.yaml").write_text(text, encoding="utf-8")
    with Drill() as drill:
        assert "ours:sc.sample-choice" in drill.bank.heads
        assert set(drill.bank.roots) == {"drill", "ours"}
        assert (text is None) == (not drill.bank.problems)
    run("pack", "remove", "ours")
    assert packs() == []


@pytest.mark.parametrize("link", [True, False])
def test_a_pack_that_calls_itself_otherwise_later_is_not_asked(source: Path, link: bool) -> None:
    added(str(source), *(["--link"] if link else []))
    file = home() / "packs" / "marked" / "pack.yaml"
    before = file.read_text()
    file.write_text("# ours\nname: others\n", encoding="utf-8")
    with Drill() as drill:
        assert not [item for item in drill.bank.heads if not item.startswith("drill:")]
        (problem,) = drill.bank.problems
    assert (problem.file, problem.line) == (str(file), 2)
    told = run("pack", "list", code=None).output
    assert f"{file}:2:" in told and "added as `marked`" in told and "`name: marked`" in told
    assert "calls itself `others`" in re.sub(r"\s+", " ", run("doctor", code=None).output)
    file.write_text(before, encoding="utf-8")
    with Drill() as drill:
        assert "marked:sc.sample-choice" in drill.bank.heads
    run("pack", "remove", "marked")


def test_a_link_that_leads_nowhere_is_not_said_to_have_files(source: Path) -> None:
    added(str(source), "--link")
    source.rename(source.with_name("elsewhere"))
    told = run("pack", "remove", "marked").output
    assert "a folder that is gone" in told and str(source) not in told
    assert packs() == []


def test_a_home_that_takes_no_pack(source: Path) -> None:
    home().mkdir(exist_ok=True)
    (home() / "packs").write_text("a file in the way", encoding="utf-8")
    told = run("pack", "add", str(source), code=2).output
    assert "cannot be written" in told and str(home() / "packs") in told


def test_the_built_in_pack_says_nothing_on_stdout_when_trusted() -> None:
    done = run("pack", "trust", "drill", code=2)
    assert done.stdout == "" and "needs no trust" in done.stderr


def test_a_name_of_ones_own(source: Path) -> None:
    made = added(str(source), "--name", "team-2")
    assert made["name"] == "team-2" and made["title"] == "Leaves marks"
    with Drill() as drill:
        assert "team-2:sc.sample-choice" in drill.bank.heads
    assert "marked" in (source / "pack.yaml").read_text(), "the author's file stays"
    (source / "pack.yaml").unlink()
    assert "name: team-questions" in run("pack", "add", str(source), code=2).output


def test_clashes_are_refused(source: Path) -> None:
    added(str(source))
    told = run("pack", "add", str(source), code=2).output
    assert "there is a pack `marked` already" in told and "pack remove marked" in told
    told = run("pack", "add", str(source), "--name", "other", code=2).output
    assert "the lab `broken_walk` is in the pack" in told
    assert packs() == ["marked"]
    run("pack", "add", str(source), "--name", "drill", code=2)
    inside = str(home() / "packs" / "marked")
    assert "already" in run("pack", "add", inside, code=2).output
    assert "already" in run("pack", "add", str(paths.builtin_pack()), code=2).output


def test_faults_are_told_with_their_place_and_nothing_is_added(source: Path) -> None:
    file = source / "questions" / "scheduler" / "one_of_each.yaml"
    file.write_text(file.read_text().replace("level: mid", "level: middling", 1))
    told = run("pack", "add", str(source), code=1)
    assert re.search(rf"{re.escape(str(file))}:\d+:\d+: ", told.output)
    assert packs() == []
    with pytest.raises(FaultyPackError) as error:
        add(source)
    assert error.value.problems


def test_listing_tells_each_pack_and_what_is_wrong(source: Path, tmp_path: Path) -> None:
    added(str(source), "--link")
    shutil.rmtree(source)
    (home() / "packs" / "empty").mkdir()
    found = {
        e["name"]: e for e in json.loads(run("pack", "list", "--json", code=1).stdout)["packs"]
    }
    assert found["drill"]["standing"] == "built-in"
    assert "which is gone" in found["marked"]["problems"][0]
    assert "has no questions/" in found["empty"]["problems"][0]
    assert "pack-refused" in run("doctor", "--json").stdout
    run("pack", "remove", "marked")
    assert packs() == ["empty"]


def test_removing_keeps_the_files_and_the_history(source: Path) -> None:
    added(str(source))
    run("pack", "trust", "marked")
    where = Path(json.loads(run("pack", "remove", "marked", "--json").stdout)["files"])
    assert (where / "pack.yaml").is_file() and packs() == []
    assert json.loads((home() / "trust.json").read_text()) == {"packs": {}}
    assert "there is no pack `marked`" in run("pack", "remove", "marked", code=2).output
    assert "stays" in run("pack", "remove", "drill", code=2).output


@pytest.mark.parametrize(
    "name",
    ["../escape", "/etc", "a/b", "..", ".", "UPPER", "a b", "tëst", "a\x1b[2J", "[red]x", "-rf",
     "x" * 41, "a--b", "con\n", "a\u202eb"],
)  # fmt: skip
def test_hostile_names_are_refused_and_shown_harmless(source: Path, name: str) -> None:
    if name:
        with pytest.raises(PackError, match="is no name for a pack") as error:
            user_packs.checked_name(name)
        assert "\x1b" not in str(error.value) and "\u202e" not in str(error.value)
    for words in (("trust", "--", name), ("remove", "--", name)):
        done = run("pack", *words, code=2)
        assert "\x1b" not in done.output
    if name != "-rf":
        run("pack", "add", str(source), "--name", name, code=2)
    (source / "pack.yaml").write_text(f"name: {json.dumps(name)}\n", encoding="utf-8")
    done = run("pack", "add", str(source), code=None)
    assert done.exit_code in (1, 2) and "\x1b" not in done.output
    assert packs() == []


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
"""Unfolds to 2^40 values."""


def _link(target: str) -> Callable[[Path], object]:
    return lambda root: (root / "questions" / "x.yaml").symlink_to(target)


@pytest.mark.skipif(sys.platform == "win32", reason="makes links, pipes and odd names")
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_link("/etc/passwd"), "a symbolic link"),
        (_link("../pack.yaml"), "a symbolic link"),
        (lambda root: (root / "labs" / "up").symlink_to("../.."), "a symbolic link"),
        (lambda root: os.mkfifo(root / "questions" / "pipe.yaml"), "neither a file nor a folder"),
        (lambda root: (root / "a\x1b[2Jb.md").write_text(""), "control characters"),
        (lambda root: (root / "a\u202eb.md").write_text(""), "control characters"),
        (lambda root: (root / "a\\b.md").write_text(""), "a name with"),
        (lambda root: (root / "read.md").write_text("a\n\x1b]0;x\x07"), "line 2: a control char"),
        (lambda root: (root / "x.py").write_text("# \u202e evil\n"), "control character (U+202E)"),
        (lambda root: (root / "x.yaml").write_bytes(b"\xff\xfe"), "not UTF-8"),
        (
            lambda root: (root / "reference" / "x.json").write_text('{"sentence": "\\u001b[2J"}'),
            "line 1: a control character (\\u001b)",
        ),
        (lambda root: (root / "x.md").write_bytes(b"x" * (MAX_TEXT + 1)), "at most 4 MiB"),
        (lambda root: (root / "/".join("d" * 14)).mkdir(parents=True), "deeper than"),
    ],
)  # fmt: skip
def test_hostile_folders_are_refused_with_the_place(
    source: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(source)
    for more in ((), ("--link",)):
        done = run("pack", "add", str(source), *more, code=2)
        assert says in done.output and "\x1b" not in done.output, done.output
    assert packs() == []


@pytest.mark.skipif(sys.platform == "win32", reason="makes a link")
def test_a_trusted_pack_that_turns_hostile_does_not_run(source: Path) -> None:
    added(str(source))
    run("pack", "trust", "marked")
    with Drill() as drill:
        assert drill.why_not_run("marked") == ""
        (home() / "packs/marked/labs/step_size/more.py").symlink_to("/etc/hosts")
        assert "holds what no pack may" in drill.why_not_run("marked")
    assert "a symbolic link" in run("pack", "list", code=1).output
    assert "symbolic link" in run("pack", "trust", "marked", code=2).output


def test_too_many_files(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drill.packs.survey.MAX_FILES", 10)
    with pytest.raises(PackFolderError, match="more than 10 files"):
        survey(source)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 200_000 + "]" * 200_000,
        "- " * 100_000 + "x",
        "{a: " * 100_000,
        "? " * 100_000,
        LAUGHS,
        "a: &a {b: *a}",
        "!!python/object/apply:os.system [touch /tmp/x]",
        "x: !!python/name:os.system ''",
    ],
    ids=["open", "flow", "block", "map", "key", "laughs", "self", "apply", "name"],
)  # fmt: skip
def test_yaml_that_would_fill_the_memory_or_the_stack(source: Path, text: str) -> None:
    document = parse(text, "x.yaml")
    assert document.problems
    (source / "questions" / "scheduler" / "bomb.yaml").write_text(text, encoding="utf-8")
    assert "bomb.yaml" in run("pack", "add", str(source), code=1).output
    assert packs() == []


def test_control_characters_written_as_escapes_are_refused(source: Path) -> None:
    lab = source / "labs" / "step_size" / "lab.yaml"
    text = lab.read_text()
    lab.write_text(re.sub("(?m)^title:.*$", 'title: "\\\\e[2J clear"', text, count=1))
    assert "control character (U+001B)" in run("pack", "add", str(source), code=1).output
    lab.write_text(text)
    (source / "pack.yaml").write_text('name: marked\ntitle: "\\e]0;x\\a"\n')
    assert "control character" in run("pack", "add", str(source), code=1).output


@pytest.mark.parametrize("file", ["../step_size/experiment.py", "/etc/hosts", "a/b.py", ".py", "x"])
def test_an_experiment_lies_in_its_lab(source: Path, file: str) -> None:
    lab = source / "labs" / "broken_walk" / "lab.yaml"
    text = lab.read_text().replace("file: experiment.py", f"file: {file}")
    assert file in text
    lab.write_text(text)
    assert "is no name such as experiment.py" in run("pack", "add", str(source), code=1).output


def test_markup_in_titles_is_shown_as_text(source: Path) -> None:
    (source / "pack.yaml").write_text('name: marked\ntitle: "[red]x[/red] {bold} **y**"\n')
    assert "[red]x[/red] {bold} **y**" in run("pack", "add", str(source)).output


def test_a_copy_that_fails_leaves_nothing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    assert "No space left" in run("pack", "add", str(source), code=2).output
    assert packs() == []


def test_the_first_pack_keeps_its_experiment(source: Path) -> None:
    """A pack that takes the name of a built-in experiment later cannot stand in for it."""
    from drill.services.labs import experiment

    added(str(source))
    lab = home() / "packs" / "marked" / "labs" / "step_size" / "lab.yaml"
    builtin = paths.builtin_pack() / "labs" / "forward_noise" / "lab.yaml"
    name = re.search(r"name: ([a-z0-9-]+)", builtin.read_text())
    assert name is not None
    lab.write_text(lab.read_text().replace("name: step-size", f"name: {name[1]}"))
    with Drill() as drill:
        assert experiment(drill, name[1]).lab == "forward_noise"

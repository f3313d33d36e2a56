"""The guide for authors, done word by word; and the list of what a pack may import."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

import drill.lab
from drill.lab import PUBLIC
from tests.user_packs.test_untrusted import run

GUIDE = Path(__file__).parents[2] / "docs" / "authoring.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    start = TEXT.index("## A pack in fifteen minutes")
    part = TEXT[start : TEXT.index("## Packs and trust")]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


@pytest.mark.labs
def test_the_guide_word_by_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = []
    for block in [b for language in ("yaml", "python", "markdown") for b in blocks(language)]:
        first, _, rest = block.partition("\n")
        file = Path(re.sub(r"^(# |<!-- )| -->$", "", first))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rest, encoding="utf-8")
        written.append(file.as_posix())
    assert len(written) == len(set(written)) == 7
    (console,) = blocks("console")
    told: dict[str, str] = {}
    for line in console.splitlines():
        words = line.removeprefix("$ drill ").split()
        if words[0] == "session":
            words += ["--plain"]
        told[" ".join(words[:2])] = run(*words, code=None).output
    assert "0 errors, 0 warnings" in told["bank check"], told["bank check"]
    assert "linked: first-steps" in told["pack add"]
    assert "trusted until its code changes" in told["pack trust"]
    assert "1 proven, 0 failed" in told["bank verify"]
    assert "holds" in told["lab run"] or "0.0" in told["lab run"]
    assert json.loads(Path("first-steps/reference/proofs.json").read_text())
    done = run("lab", "run", "leftover").output
    assert "6.8% of the amplitude" in done and "holds" in done, done


def test_every_public_name_is_there_and_documented() -> None:
    start = TEXT.index("## `drill.lab`")
    table = TEXT[start : TEXT.index("\n## ", start + 5)]
    part = ""
    told: dict[str, set[str]] = {}
    for row in table.splitlines():
        if not row.startswith("| "):
            continue
        cell = row.split("|")[1]
        if "**" in cell:
            part = cell.strip().strip("*`")
            told[part] = set()
        elif part:
            told[part].update(re.findall(r"`(\w+)`", cell))
    assert told == {module: set(names) for module, names in PUBLIC.items()}
    assert set(PUBLIC["drill.lab"]) | {"PUBLIC"} == set(drill.lab.__all__)


@pytest.mark.labs
@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_can_be_imported(module: str) -> None:
    made = importlib.import_module(module)
    for name in PUBLIC[module]:
        found = getattr(made, name)
        assert inspect.getdoc(found), f"{module}.{name}"


def test_names_of_the_file_formats_are_those_of_the_code() -> None:
    from drill.packs.survey import INERT, MAX_BYTES, MAX_FILES, MAX_TEXT

    part = TEXT[TEXT.index("## Packs and trust") : TEXT.index("## `drill.lab`")]
    assert {
        f"`{e}`" for e in INERT if e not in (".png", ".jpg", ".jpeg", ".gif", ".svg", ".yml")
    } <= {*re.findall(r"`\.\w+`", part)}
    assert f"{MAX_FILES:,} files" in part and f"{MAX_BYTES >> 30} GiB" in part
    assert f"{MAX_TEXT >> 20} MiB" in part

"""Readings: sections and their places, the starter's marks, and what is told of faulty ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drill.lab.manifest import Lab
from drill.lab.places import PlaceError, find, starter
from drill.lab.reading import Place, blocks, parse_reading, place_of
from drill.lab.reading_check import lab_faults
from drill.packs.check import check

STARTER = """\
\"\"\"A starter.\"\"\"

# @first-block
a = 1


b = 2

# @second
def f(x):
    # @inner-one
    return x


"""
READING = """\
# Noise on purpose

Why it matters.

## The line that adds noise
<!-- at: starter#first-block -->

It is one `line`:

```python
## not a heading
x = a * b
```

### A smaller heading
stays in the text.

## In the library

<!-- at: demo_pkg.Scheduler.add /noisy = / -->
There it is again.

## Sources
arXiv:2006.11239, equation 4.
"""


def test_sections_and_places() -> None:
    reading = parse_reading(READING)
    assert reading.problems == ()
    assert reading.title == "Noise on purpose"
    motive, first, second, last = reading.sections
    assert (motive.title, motive.text, motive.line) == ("Noise on purpose", "Why it matters.", 1)
    assert first.title == "The line that adds noise" and first.line == 5
    assert first.place == Place(mark="first-block", line=6)
    assert first.text.startswith("It is one `line`:") and "## not a heading" in first.text
    assert first.text.endswith("stays in the text.")
    assert second.place == Place(symbol="demo_pkg.Scheduler.add", pattern="noisy = ", line=20)
    assert last.place is None and last.text == "arXiv:2006.11239, equation 4."


def test_places_as_written() -> None:
    assert str(place_of("starter#x")) == "starter#x"
    assert str(place_of("a.b.c /x(y)/")) == "a.b.c /x(y)/"
    for wrong in ("", "starter", "a", "a.b /x", "a.b /(/", "a.b x/", "starter#a b", "a..b"):
        assert place_of(wrong) is None, wrong


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("# Noise on purpose\n", "", 1, "no title"),
        ("# Noise on purpose", "Hello\n# Noise", 1, "above the title"),
        ("## Sources", "# Sources", 23, "a second title"),
        ("## Sources", "##", 23, "without words"),
        ("starter#first-block", "starters#first", 6, "names no place"),
        ("/noisy = /", "/(/", 20, "names no place"),
        ("There it is again.", "<!-- at: a.b -->\nIt is.", 21, "not the first line"),
        ("It is one `line`:", "<!-- at: a.b -->", 8, "not the first line"),
        ("arXiv:2006.11239, equation 4.\n", "", 23, "has no text"),
    ],
)
def test_faults_of_the_text_name_the_line(old: str, new: str, line: int, says: str) -> None:
    assert old in READING
    problems = parse_reading(READING.replace(old, new, 1)).problems
    assert len(problems) == 1 and problems[0][0] == line and says in problems[0][1], problems


def test_a_reading_without_sections() -> None:
    for text in ("", "# Only a title\n", "# Title\n\nAnd text.\n"):
        assert any("no section" in says for _, says in parse_reading(text).problems)
    assert [s.title for s in parse_reading("no title\n## A\ntext").sections] == ["A"]


def test_blocks_end_at_the_next_mark_without_trailing_blank_lines() -> None:
    found, problems = blocks(STARTER)
    assert problems == []
    assert {name: (b.first, b.last) for name, b in found.items()} == {
        "first-block": (4, 7), "second": (10, 10), "inner-one": (12, 12),
    }  # fmt: skip
    lines = STARTER.split("\n")
    assert lines[3] == "a = 1" and lines[6] == "b = 2" and lines[11] == "    return x"


def test_faults_of_marks() -> None:
    source = "# @a\nx = 1\n# @a\ny = 2\n# @Bad Name\nz = 3\n# @empty\n\n# @last\n"
    _, problems = blocks(source)
    assert [line for line, _ in problems] == [3, 5, 7, 9]
    assert "in line 1 already" in problems[0][1]
    assert "joined by hyphens" in problems[1][1]
    assert "no code under it" in problems[2][1]


LIBRARY = """\
class Scheduler:
    @staticmethod
    def add(x, eps, ab):
        # the closed form
        noisy = ab * x
        return noisy + eps
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab with reading and starter, and a package that its reading shows."""
    package = tmp_path / "site" / "demo_pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .core import Scheduler\n")
    (package / "core.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(package.parent))
    folder = tmp_path / "pack" / "labs" / "demo"
    folder.mkdir(parents=True)
    (folder / "starter.py").write_text(STARTER)
    (folder / "reading.md").write_text(READING)
    return Lab("demo", "Demo", "cfg", 1, folder, ())


def test_the_code_of_a_place(lab: Lab, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    block = find(Place(mark="first-block"), lab.folder)
    assert block.lines == (4, 7) and block.code.origin == "starter.py" and block.first == 1
    assert block.code.text.split("\n")[3] == "a = 1"
    line = find(
        Place(symbol="demo_pkg.Scheduler.add", pattern=r"noisy\s*=\s*ab"), lab.folder, cache
    )
    assert line.first == 2  # the decorator is part of it
    shown = line.code.text.split("\n")
    assert shown[line.lines[0] - 1] == "    noisy = ab * x"  # dedented
    assert line.lines == (4, 4) and line.code.origin.endswith("Scheduler.add")
    assert (line.file.name, line.first + line.lines[0] - 1) == ("core.py", 5)
    whole = find(Place(symbol="demo_pkg.Scheduler"), lab.folder, cache)
    assert whole.lines == (0, 0) and whole.code.text == LIBRARY.rstrip()
    assert starter(lab.folder) is not None
    assert "demo_pkg" not in sys.modules


@pytest.mark.parametrize(
    ("place", "kind", "says"),
    [
        (Place(mark="frist-block"), "missing-mark", "did you mean `first-block`"),
        (Place(symbol="no_such_pkg.X"), "missing-package", "not installed"),
        (Place(symbol="demo_pkg.Scheduler.ad"), "missing-symbol", "no source"),
        (Place(symbol="demo_pkg.Scheduler.add", pattern="zzz"), "pattern", "found in no line"),
        (Place(symbol="demo_pkg.Scheduler.add", pattern="noisy"), "pattern", "2 lines (5, 6)"),
    ],
)
def test_a_place_that_is_not_there(lab: Lab, place: Place, kind: str, says: str) -> None:
    with pytest.raises(PlaceError) as raised:
        find(place, lab.folder)
    assert raised.value.kind == kind and says in str(raised.value)


def test_faults_of_a_lab_name_file_and_line(lab: Lab) -> None:
    def faults(reading: str, starter: str = STARTER) -> list[tuple[str, int, str]]:
        (lab.folder / "reading.md").write_text(reading)
        (lab.folder / "starter.py").write_text(starter)
        told = lab_faults(lab, {"cfg.scale0_uncond"}, {"cfg", "fr"})
        return [(file.name, line, says) for file, line, says in told]

    assert faults(READING) == []
    ((file, line, says),) = faults(READING.replace("#first-block", "#frist-block"))
    assert (file, line) == ("reading.md", 6) and "first-block" in says
    ((file, line, says),) = faults(READING.replace("noisy = ", "noise = "))
    assert (file, line) == ("reading.md", 20) and "no line" in says
    ((_, line, says),) = faults(READING.replace("Scheduler.add", "Schedule.add"))
    assert line == 20 and "no source" in says
    # A package that is not installed is nobody's fault.
    assert faults(READING.replace("demo_pkg.Scheduler.add", "no_such_pkg.Scheduler.add")) == []
    ((_, line, says),) = faults(READING.replace("There it is", "`cfg.scale0_uncnod`"))
    assert line == 21 and "cfg.scale0_uncond" in says
    assert faults(READING.replace("There it is", "`cfg.scale0_uncond` `np.random_x`")) == []
    told = faults(READING, STARTER.replace("# @second", "# @first-block"))
    assert [(name, number) for name, number, _ in told] == [("starter.py", 9)]
    told = faults(READING.replace("#first-block", "#x"), "def broken(:\n")
    assert [(name, number) for name, number, _ in told] == [("starter.py", 1), ("reading.md", 6)]


def test_bank_check_reports_labs(lab: Lab) -> None:
    pack = lab.folder.parents[1]
    (pack / "questions" / "cfg").mkdir(parents=True)
    assert [p.line for p in check([pack])] != []  # no question file yet: that problem only
    assert not [p for p in check([pack]) if "labs/" in p.file]
    (lab.folder / "lab.yaml").write_text("title: Demo\ntopic: cfg\norder: 1\nexperiments: []\n")
    found = [p for p in check([pack]) if p.file.endswith("lab.yaml")]
    assert [(p.line, p.severity) for p in found] == [(4, "error")]
    text = "title: Demo\ntopic: cfg\norder: 1\nexperiments:\n  - {name: e, title: t, "
    text += "file: experiment.py, summary: s, seconds: 9}\n"
    (lab.folder / "lab.yaml").write_text(text)
    (lab.folder / "experiment.py").write_text("")
    (lab.folder / "reading.md").write_text(READING.replace("#first-block", "#other"))
    found = [p for p in check([pack]) if "labs/" in p.file]
    assert [str(p).partition(": ")[0] for p in found] == [f"{lab.folder}/reading.md:6:1"]


def test_reading_a_lab_imports_neither_torch_nor_yaml() -> None:
    code = (
        "import sys; import drill.lab.reading, drill.lab.places;"
        "print([m for m in ('torch','diffusers','numpy','yaml','textual') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

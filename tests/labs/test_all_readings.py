"""Every lab of this repository: its reading leads to code that is there, in the agreed parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill.lab.manifest import Lab, read_labs
from drill.lab.places import find
from drill.lab.reading import blocks, parse_reading
from drill.lab.reading_check import lab_faults
from drill.packs.beliefs import Misconception
from drill.packs.fields import PREFIXES
from drill.packs.registry import read_registry

ROOT = Path(__file__).resolve().parents[2]
LABS = [lab for lab in read_labs(ROOT).labs if lab.reading is not None]
LAST = (
    "What to notice", "Common misunderstandings", "Say it in 30 seconds", "Say it in 2 minutes",
    "Sources",
)  # fmt: skip


@pytest.fixture(scope="module")
def beliefs() -> dict[str, Misconception]:
    file = ROOT / "reference" / "misconceptions.yaml"
    return read_registry(file.read_bytes(), file.name)[0]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_a_reading_has_no_faults(
    lab: Lab, beliefs: dict[str, Misconception], tmp_path: Path
) -> None:
    assert list(lab_faults(lab, beliefs, PREFIXES.values(), tmp_path)) == []


@pytest.mark.labs
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_section_shows_its_code(lab: Lab, tmp_path: Path) -> None:
    """Here the packages are there, so that a symbol that is missing cannot pass unseen."""
    assert lab.reading is not None
    reading = parse_reading(lab.reading.read_text(encoding="utf-8"))
    for section in reading.sections:
        if section.place is not None:
            shown = find(section.place, lab.folder, tmp_path)
            assert shown.code.text.strip(), section.title


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_a_reading_has_its_parts(lab: Lab) -> None:
    assert lab.reading is not None
    text = lab.reading.read_text(encoding="utf-8")
    reading = parse_reading(text)
    titles = [section.title for section in reading.sections]
    assert tuple(titles[-len(LAST) :]) == LAST
    assert sum(section.place is not None for section in reading.sections) >= 4
    for experiment in lab.experiments:
        assert f"`{experiment.name}`" in text, f"{experiment.name} is not named"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.id)
def test_every_mark_of_a_starter_is_read(lab: Lab) -> None:
    assert lab.reading is not None and lab.starter is not None
    reading = parse_reading(lab.reading.read_text(encoding="utf-8"))
    used = {section.place.mark for section in reading.sections if section.place is not None}
    marks = blocks(lab.starter.read_text(encoding="utf-8"))[0]
    # `look` is the printing at the end, which speaks for itself.
    assert set(marks) - {"look"} <= used, "a mark that no section shows"

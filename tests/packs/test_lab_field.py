"""`lab:` of an item: where it leads, where it is kept, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from drill.packs.bank import open_bank
from drill.packs.check import check
from tests.packs.conftest import CHOICE, NUMBER, MakePack

LINE = "  lab: {}\n"


def test_the_bank_knows_the_lab_of_an_item(make_pack: MakePack, tmp_path: Path) -> None:
    root = make_pack(CHOICE + LINE.format("walks") + NUMBER)
    for _ in range(2):  # compiled, then from the cache
        bank = open_bank([root], tmp_path / "cache")
        assert bank.problems == ()
        assert bank.labs == {"pack:sc.one": "walks"}


def test_a_lab_that_is_not_there_is_placed(make_pack: MakePack) -> None:
    folder = next(f for f in make_pack().joinpath("labs").iterdir() if f.is_dir()).name
    root = make_pack(CHOICE + LINE.format(folder[:-1] + "_"))
    (problem,) = [p for p in check([root]) if "lab" in p.field]
    assert f"did you mean `{folder}`" in problem.message
    line = CHOICE.count("\n") + 1
    assert (problem.line, problem.column, problem.item) == (line, 8, "sc.one")
    root = make_pack(CHOICE + LINE.format(folder))
    assert [p for p in check([root]) if p.severity == "error"] == []
    root = make_pack(CHOICE + LINE.format("No-Lab"))
    (problem,) = [p for p in check([root]) if p.severity == "error"]
    assert "the folder of a lab" in problem.expected


def test_naming_a_lab_leaves_the_content_as_it_was(make_pack: MakePack, tmp_path: Path) -> None:
    """Else every proof of the item would have to be made again."""
    hashes = {
        open_bank([make_pack(text)], tmp_path / "cache").heads["pack:sc.two"].content_hash
        for text in (NUMBER, NUMBER + LINE.format("walks"), NUMBER + LINE.format("other"))
    }
    assert len(hashes) == 1

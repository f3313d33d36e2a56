"""Opening the bank: the cache is fresh by content alone, and its damage is never seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import drill
from drill.packs import bank as bank_module
from drill.packs import files
from drill.packs.bank import Bank, open_bank
from tests.packs.conftest import CHOICE, EXAMPLES, NUMBER, VALID, MakePack


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that packs are compiled."""
    calls: list[int] = []
    real = bank_module._compiled

    def counting(*args: object) -> Bank:
        calls.append(1)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bank_module, "_compiled", counting)
    return calls


def cache_file(folder: Path) -> Path:
    (file,) = folder.glob("bank-*.cache")
    return file


def test_a_second_opening_compiles_nothing(
    valid: Path, tmp_path: Path, compiled: list[int]
) -> None:
    first = open_bank([valid], tmp_path / "c")
    second = open_bank([valid], tmp_path / "c")
    assert len(compiled) == 1
    assert first.heads == second.heads
    assert list(first.heads) == list(second.heads)
    assert first.misconceptions == second.misconceptions
    assert first.sites == second.sites


def test_an_edit_that_keeps_time_and_size_is_seen(
    valid: Path, tmp_path: Path, compiled: list[int]
) -> None:
    file = valid / EXAMPLES
    before = file.stat()
    old = open_bank([valid], tmp_path / "c").question("sc.sample-short", 0)
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"says how large the", b"says how small the"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    new = open_bank([valid], tmp_path / "c").question("sc.sample-short", 0)
    assert len(compiled) == 2
    assert "how small" in new.prompt
    assert new.head.id == old.head.id
    assert new.head.content_hash != old.head.content_hash


def test_a_file_touched_without_an_edit_compiles_nothing(
    valid: Path, tmp_path: Path, compiled: list[int]
) -> None:
    open_bank([valid], tmp_path / "c")
    (valid / EXAMPLES).touch()
    open_bank([valid], tmp_path / "c")
    assert len(compiled) == 1


@pytest.mark.parametrize(
    "change", ["registry", "manifest", "new file", "gone", "version", "compiler"]
)
def test_whatever_the_bank_is_made_of_makes_it_anew(
    valid: Path,
    tmp_path: Path,
    compiled: list[int],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    open_bank([valid], tmp_path / "c")
    if change == "registry":
        with (valid / "reference/misconceptions.yaml").open("a", encoding="utf-8") as file:
            file.write("- {id: sc.new, topic: scheduler, belief: A., correction: B.}\n")
    elif change == "manifest":
        (valid / "pack.yaml").write_text("name: renamed\n", encoding="utf-8")
    elif change == "new file":
        (valid / "questions/scheduler/more.yaml").write_text(CHOICE, encoding="utf-8")
    elif change == "gone":
        (valid / EXAMPLES).unlink()
    elif change == "version":
        monkeypatch.setattr(files, "__version__", "99")
    else:
        monkeypatch.setattr(files, "_compiler", lambda: [b"edited"])
    bank = open_bank([valid], tmp_path / "c")
    assert len(compiled) == 2
    assert ("sc.new" in bank.misconceptions) == (change == "registry")
    assert bool(bank.heads) == (change != "gone")


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "header", "index", "longer"])
def test_a_damaged_cache_is_made_again(
    valid: Path, tmp_path: Path, compiled: list[int], damage: str
) -> None:
    first = open_bank([valid], tmp_path / "c")
    file = cache_file(tmp_path / "c")
    raw = file.read_bytes()
    where = raw.index(b"\n") + 60
    file.write_bytes(
        {
            "empty": b"",
            "cut": raw[:-10],
            "noise": bytes(range(256)) * 40,
            "header": b"drill-bank-1 x y z\n" + raw,
            "index": raw[:where] + b"#" + raw[where + 1 :],
            "longer": raw + b"{}",
        }[damage]
    )
    second = open_bank([valid], tmp_path / "c")
    assert len(compiled) == 2
    assert second.heads == first.heads
    assert file.read_bytes() == raw


def test_a_damaged_variant_is_made_again_while_the_bank_is_open(
    valid: Path, tmp_path: Path, compiled: list[int]
) -> None:
    wanted = open_bank([valid], tmp_path / "c").question("sc.sample-order", 0)
    bank = open_bank([valid], tmp_path / "c")
    file = cache_file(tmp_path / "c")
    file.write_bytes(file.read_bytes().replace(b"Put the lines", b"Cut the lines"))
    assert bank.question("sc.sample-order", 0) == wanted
    assert len(compiled) == 2


def test_a_cache_that_goes_away_under_an_open_bank_is_made_again(
    valid: Path, tmp_path: Path, compiled: list[int]
) -> None:
    open_bank([valid], tmp_path / "c")
    bank = open_bank([valid], tmp_path / "c")
    cache_file(tmp_path / "c").unlink()
    assert bank.question("sc.sample-order", 0).prompt == "Put the lines of one step in order."
    assert len(compiled) == 2


def test_a_changed_item_is_not_mixed_with_the_open_bank(valid: Path, tmp_path: Path) -> None:
    open_bank([valid], tmp_path / "c")
    bank = open_bank([valid], tmp_path / "c")
    cache_file(tmp_path / "c").unlink()
    file = valid / EXAMPLES
    file.write_bytes(file.read_bytes().replace(b"Put the lines", b"Cut the lines"))
    with pytest.raises(KeyError, match="start again"):
        bank.question("sc.sample-order", 0)


def test_a_cache_that_cannot_be_written_costs_only_time(valid: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("", encoding="utf-8")
    for _ in range(2):
        bank = open_bank([valid], blocked / "below")
        assert len(bank.heads) == 15
        assert bank.question("sc.sample-short", 0).prompt


def test_old_caches_are_dropped(valid: Path, tmp_path: Path) -> None:
    for n in range(7):
        (valid / "pack.yaml").write_text(f"name: sample-{n}\n", encoding="utf-8")
        open_bank([valid], tmp_path / "c")
    assert len(list((tmp_path / "c").iterdir())) == 4


def test_several_packs_qualify_their_ids(make_pack: MakePack, tmp_path: Path) -> None:
    packs = [make_pack(CHOICE + NUMBER, name="first"), make_pack(CHOICE, name="second")]
    bank = open_bank(packs, tmp_path / "c")
    assert list(bank.heads) == ["first:sc.one", "first:sc.two", "second:sc.one"]
    assert bank.roots == {"first": packs[0], "second": packs[1]}
    assert bank.resolve("sc.two") == "first:sc.two"
    assert bank.resolve("second:sc.one") == "second:sc.one"
    with pytest.raises(KeyError, match="several packs"):
        bank.resolve("sc.one")
    with pytest.raises(KeyError, match=r"did you mean `sc\.two`"):
        bank.resolve("sc.tow")
    with pytest.raises(KeyError, match=r"did you mean `first:sc\.two`"):
        bank.resolve("first:sc.tow")


def test_two_packs_of_one_name_are_told_apart(make_pack: MakePack, tmp_path: Path) -> None:
    first, second = make_pack(CHOICE, name="first"), make_pack(NUMBER, name="second")
    (second / "pack.yaml").write_text("name: first\n", encoding="utf-8")
    bank = open_bank([first, second], tmp_path / "c")
    assert list(bank.heads) == ["first:sc.one"]
    (problem,) = bank.problems
    assert problem.file == str(second / "pack.yaml")
    assert "taken" in problem.message


def test_a_pack_without_a_manifest_is_called_after_its_folder(
    make_pack: MakePack, tmp_path: Path
) -> None:
    root = make_pack(CHOICE, name="My Pack_2")
    (root / "pack.yaml").unlink()
    assert list(open_bank([root], tmp_path / "c").heads) == ["my-pack-2:sc.one"]


def test_the_built_in_pack_is_called_drill() -> None:
    assert files.pack_name(Path(drill.__file__).parents[1]) == "drill"


def test_a_pack_without_questions_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    bank = open_bank([tmp_path / "empty"], tmp_path / "c")
    (problem,) = bank.problems
    assert "no question file" in problem.message


def test_successive_seeds_walk_through_all_variants(valid: Path, tmp_path: Path) -> None:
    bank = open_bank([valid], tmp_path / "c")
    seen = [bank.question("sc.sample-number", 1000 + n).variant for n in range(4)]
    assert sorted(seen) == [0, 1, 2, 3]
    assert bank.question("sc.sample-number", 1000).variant == seen[0]


@pytest.mark.labs
def test_installed_source_is_cut_when_the_question_is_asked(valid: Path, tmp_path: Path) -> None:
    question = open_bank([valid], tmp_path / "c").question("sc.sample-source", 0)
    assert question.code is not None
    assert "DDIMScheduler.step" in question.code.origin
    shown = question.code.text.split("\n")
    line = question.body.lines[0]  # type: ignore[union-attr]
    assert "pred_sample_direction = (1" in shown[line - 1]
    assert "prev_sample =" in shown[question.body.faults[0].line - 1]  # type: ignore[union-attr]


PROBE = """
import sys, time
from pathlib import Path
from drill.packs.bank import open_bank
begin = time.perf_counter()
bank = open_bank([Path(sys.argv[1])], Path(sys.argv[2]))
opened = time.perf_counter() - begin
question = bank.question(next(iter(bank.heads)), 7)
best = opened  # below in time of the processor, so that a busy machine does not fail the test
for _ in range(8):
    begin = time.process_time()
    open_bank([Path(sys.argv[1])], Path(sys.argv[2]))
    best = min(best, time.process_time() - begin)
loaded = {name.partition(".")[0] for name in sys.modules}
heavy = {"pydantic", "yaml", "torch", "diffusers", "numpy", "simpleeval", "rich"}
print(len(bank.heads), opened, best, ",".join(sorted(loaded & heavy)) or "-")
"""


def probe(root: Path, cache: Path) -> tuple[int, float, float, str]:
    """Open a bank in a fresh process: items, first and best time in s, heavy modules loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(root), str(cache)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(drill.__file__).parents[1],
    )
    count, opened, best, heavy = done.stdout.split()
    return int(count), float(opened), float(best), heavy


def test_the_fingerprint_covers_every_module_that_compiles() -> None:
    code = "import sys, drill.packs.compile; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(drill.__file__).parents[1],
    )
    loaded = {name for name in done.stdout.split() if name.startswith("drill.")}
    listed = {f"drill.packs.{name}" for name in files._COMPILER}
    listed |= {f"drill.domain.{name}" for name in files._DOMAIN}
    apart = {"drill.packs", "drill.domain", "drill.paths", "drill.packs.cache", "drill.packs.codec"}
    assert loaded - apart == listed - apart


def test_a_warm_opening_loads_neither_pydantic_nor_yaml_nor_torch(tmp_path: Path) -> None:
    open_bank([VALID], tmp_path)
    assert probe(VALID, tmp_path)[3] == "-"


def big_pack(make_pack: MakePack, count: int) -> Path:
    """`count` items of all types and of the length that real ones have."""
    items = ("\n" + (VALID / EXAMPLES).read_text(encoding="utf-8")).split("\n- id: ")[1:]
    words = "The loop makes one call for each entry of the list, and the cost follows from that. "
    made: dict[str, list[str]] = {}
    for n in range(count):
        name, _, rest = items[n % len(items)].partition("\n")
        rest = rest.replace("  siblings: [sc.sample-choice]\n", "")
        rest = rest.replace("  confusable: [loop, sc.sample-choices]\n", "")
        text = f"- id: {name}-{n}\n{rest.rstrip()}\n  follow_up: {words * 8}\n"
        made.setdefault(f"scheduler/file{n // 12}", []).append(
            text if "follow_up" not in rest else f"- id: {name}-{n}\n{rest.rstrip()}\n"
        )
    return make_pack(**{name: "\n".join(texts) for name, texts in made.items()})


def test_600_items_of_real_size_open_in_a_few_milliseconds(
    make_pack: MakePack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = big_pack(make_pack, 650)
    begin = time.perf_counter()
    bank = open_bank([root], tmp_path / "c")
    cold = time.perf_counter() - begin
    assert bank.problems == ()
    count, opened, best, _ = probe(root, tmp_path / "c")
    assert count == 650
    size = sum(f.stat().st_size for f in root.glob("questions/**/*.yaml"))
    with capsys.disabled():
        print(
            f"\n{count} items, {size / 1e6:.2f} MB of YAML: compiled {cold * 1e3:.0f} ms, opened "
            f"{opened * 1e3:.1f} ms in a fresh process, {best * 1e3:.1f} ms at best"
        )
    assert best < 0.015

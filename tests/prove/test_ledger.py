"""What a proof is worth: proven, stamped, stale, unproven, hidden or not applicable."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from drill.domain.questions import Head
from drill.packs import ledger
from drill.packs.ledger import Entry, standing
from drill.packs.proof_site import ProofSite
from drill.packs.verify import reprove

from .conftest import Pack

HERE = {"torch": "2.13.0", "diffusers": "0.42.1", "transformers": "5.23.0", "numpy": "2.4.6"}
HEAD = Head("p:sc.x", "scheduler", "mid", "core", ("serving",), "number", 30.0, "item1")
SITE = {"p:sc.x": ProofSite("proofs.py", "calls", "")}
ENTRY = Entry("item1", "proof1", ("19",), {"torch": "2.13.0", "diffusers": "0.42.1"}, 1.0)


@pytest.mark.parametrize(
    ("entry", "installed", "expected"),
    [
        (ENTRY, HERE, "proven"),
        (ENTRY, {**HERE, "numpy": "9.9"}, "proven"),  # the proof does not depend on it
        (ENTRY, {**HERE, "diffusers": "0.42.2"}, "stale"),
        (ENTRY, {}, "stamped"),
        (ENTRY, {"numpy": "2.4.6"}, "stamped"),
        (ENTRY, {"torch": "2.13.0"}, "stamped"),
        (ENTRY, {"torch": "2.14.0"}, "stale"),
        (replace(ENTRY, item="other"), HERE, "stale"),
        (replace(ENTRY, proof="other"), HERE, "stale"),
        (replace(ENTRY, item="other"), {}, "stale"),
        (replace(ENTRY, error="the key is 1"), HERE, "stale"),
        (replace(ENTRY, versions={}), {}, "proven"),  # plain Python
        (None, HERE, "unproven"),
        (None, {}, "unproven"),
    ],
)
def test_standing(entry: Entry | None, installed: dict[str, str], expected: str) -> None:
    entries = {} if entry is None else {HEAD.id: entry}
    found = standing([HEAD], SITE, {HEAD.id: "proof1"}, [entries], installed)
    assert found == {HEAD.id: expected}


def test_items_that_execute_nothing_or_need_the_libraries() -> None:
    source = replace(HEAD, id="p:sc.source", needs_labs=True)
    sites = {source.id: ProofSite("", "source", "")}
    entries = {source.id: replace(ENTRY, proof="source")}
    for installed, expected in ((HERE, "proven"), ({}, "hidden"), ({"torch": "1"}, "hidden")):
        found = standing([HEAD, source], sites, {source.id: "source"}, [entries], installed)
        assert found == {HEAD.id: "n/a", source.id: expected}


def test_a_proof_that_went_away_is_stale() -> None:
    entries = {HEAD.id: replace(ENTRY, proof="")}
    assert standing([HEAD], SITE, {HEAD.id: ""}, [entries], HERE) == {HEAD.id: "stale"}


def test_the_local_ledger_speaks_for_other_versions() -> None:
    newer = {**HERE, "diffusers": "0.43.0"}
    local = {HEAD.id: replace(ENTRY, versions={"torch": "2.13.0", "diffusers": "0.43.0"})}
    failed = {HEAD.id: replace(local[HEAD.id], error="the key is 19 but the proof gives 20")}
    pack = {HEAD.id: ENTRY}
    hashes = {HEAD.id: "proof1"}
    assert standing([HEAD], SITE, hashes, [local, pack], newer) == {HEAD.id: "proven"}
    assert standing([HEAD], SITE, hashes, [failed, pack], newer) == {HEAD.id: "stale"}
    # Back on the old versions the local entry says nothing, and the committed one holds.
    assert standing([HEAD], SITE, hashes, [failed, pack], HERE) == {HEAD.id: "proven"}


def standings(pack: Pack) -> dict[str, str]:
    found = ledger.standings(pack.bank(), pack.cache)
    return {name.partition(":")[2]: state for name, state in found.items()}


def prove_and_record(pack: Pack, *ids: str) -> None:
    from drill.packs.verify import verify

    bank = pack.bank()
    ledger.record(bank, verify(bank, ids or None, jobs=2, trusted=[pack.root]), pack.cache)


def test_what_an_edit_sets_aside(pack: Pack) -> None:
    assert set(standings(pack).values()) == {"unproven"}
    prove_and_record(pack)
    assert set(standings(pack).values()) == {"proven"}

    # A docstring, a comment and a new function change no proof.
    pack.edit('"""Mean of the squares of 1 to 10."""', '"""A mean."""  # plainer', pack.proofs)
    pack.edit("def symbolic(", "def unused() -> int:\n    return 1\n\n\ndef symbolic(", pack.proofs)
    assert set(standings(pack).values()) == {"proven"}

    # A helper reaches the proofs that call it, directly or not, and no others.
    pack.edit("        count += 2 if", "        count += 1 + 1 if", pack.proofs)
    stale = {name for name, state in standings(pack).items() if state == "stale"}
    assert stale == {"sc.calls", "sc.choice", "sc.choices", "sc.short"}

    pack.edit("explanation: The squares of 1 to 10 sum to 385.", "explanation: They sum to 385.")
    assert standings(pack)["sc.mean"] == "stale"
    prove_and_record(pack)
    assert set(standings(pack).values()) == {"proven"}


def test_a_failed_item_loses_its_entry(pack: Pack) -> None:
    prove_and_record(pack, "sc.mean", "sc.short")
    pack.edit("key: 38.5", "key: 39.5")
    prove_and_record(pack, "sc.mean")
    states = standings(pack)
    assert states["sc.mean"] == "unproven" and states["sc.short"] == "proven"


def test_the_committed_file_is_stable_and_one_item_a_line(pack: Pack) -> None:
    prove_and_record(pack)
    file = pack.root / ledger.COMMITTED
    first = file.read_text(encoding="utf-8")
    rows = json.loads(first)
    assert list(rows) == sorted(rows) and len(rows) == 13
    assert len(first.splitlines()) == len(rows) + 2
    assert rows["sc.calls"]["value"] == ["10", "20", "19", "39"]
    # Only the time differs: not a byte changes.
    entries = ledger.read(file)
    slower = {name: replace(entry, seconds=9.0) for name, entry in entries.items()}
    assert {name: ledger.merged(entries[name], slower[name]) for name in entries} == entries
    prove_and_record(pack, "sc.mean")
    assert file.read_text(encoding="utf-8") == first


def test_an_item_that_left_the_pack_leaves_the_ledger(pack: Pack) -> None:
    prove_and_record(pack, "sc.mean", "sc.short")
    pack.edit("- id: sc.short", "- id: sc.named")
    prove_and_record(pack, "sc.mean")
    assert list(ledger.read(pack.root / ledger.COMMITTED)) == ["sc.mean"]


def test_reproving_writes_the_local_ledger_only(pack: Pack, tmp_path: Path) -> None:
    prove_and_record(pack, "sc.mean")
    committed = (pack.root / ledger.COMMITTED).read_bytes()
    pack.edit("key: 38.5", "key: 38.51")
    pack.edit('"[3, 5]"', '"[5, 3]"')
    local = tmp_path / "state" / ledger.LOCAL
    bank = pack.bank()
    reprove(bank, ["sc.mean", "sc.latent-shape"], local, pack.cache, trusted=[pack.root])
    found = ledger.standings(bank, pack.cache, local)
    assert found["pack:sc.mean"] == "proven" and found["pack:sc.latent-shape"] == "stale"
    assert "[5, 3]" in ledger.read(local)["pack:sc.latent-shape"].error
    assert (pack.root / ledger.COMMITTED).read_bytes() == committed


def test_a_damaged_ledger_or_cache_proves_nothing(pack: Pack) -> None:
    prove_and_record(pack, "sc.mean")
    (pack.cache / "proof-hashes.json").write_text("[1,", encoding="utf-8")
    assert standings(pack)["sc.mean"] == "proven"
    file = pack.root / ledger.COMMITTED
    file.write_text(file.read_text(encoding="utf-8")[:60], encoding="utf-8")
    assert standings(pack)["sc.mean"] == "unproven"
    file.write_text('{"sc.mean": {"item": 1}}', encoding="utf-8")
    assert standings(pack)["sc.mean"] == "unproven"


def test_a_changed_proof_is_seen_even_with_the_same_time_and_size(pack: Pack) -> None:
    prove_and_record(pack, "sc.mean")
    assert standings(pack)["sc.mean"] == "proven"
    proofs = Path(pack.bank().sites["pack:sc.mean"].file)
    before = proofs.stat()
    text = proofs.read_text(encoding="utf-8")
    proofs.write_text(text.replace("range(1, 11)", "range(2, 11)"), encoding="utf-8")
    os.utime(proofs, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert proofs.stat().st_size == before.st_size
    assert standings(pack)["sc.mean"] == "stale"

"""What has been proven, with which versions, and what that is worth here and now.

Each pack commits `reference/proofs.json`, one item a line. Beside it the learner's own folder keeps
a local ledger of proofs that were run again on this machine with other versions; a pack's folder is
never written by the app.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from drill.domain.questions import Head
from drill.packs.proof_site import ProofSite

if TYPE_CHECKING:
    from drill.packs.bank import Bank
    from drill.packs.outcome import ProofOutcome

Standing = Literal["proven", "stamped", "stale", "unproven", "hidden", "n/a"]
"""`proven`: key, proof and versions are those of a run that held. `stamped`: proven, with library
versions that cannot be compared because the libraries are not installed. `stale`: the item, its
proof or a version is another one, or the proof failed here. `unproven`: never run. `hidden`: cannot
be shown without the libraries. `n/a`: nothing is executed for this item."""

COMMITTED = "reference/proofs.json"
LOCAL = "proofs.json"
_VALUE_LENGTH = 120


class Entry(Struct, frozen=True):
    """One item's proof, as it ran."""

    item: str
    """`content_hash` of the item."""
    proof: str
    """Hash of the proof's source."""
    values: tuple[str, ...] = ()
    """Recomputed key of each variant; one text when all are alike."""
    versions: Mapping[str, str] = {}
    """Versions of the libraries that the proof depends on."""
    seconds: float = 0.0
    error: str = ""
    """Why it failed; only a local ledger keeps failures."""


def standing(
    heads: Iterable[Head],
    sites: Mapping[str, ProofSite],
    hashes: Mapping[str, str],
    ledgers: Sequence[Mapping[str, Entry]],
    installed: Mapping[str, str],
) -> dict[str, Standing]:
    """What each item's proof is worth with the libraries that are installed.

    `hashes` are of the proofs as they are now (`proof_hashes`); of several `ledgers` the first that
    knows this very item, proof and versions speaks (the local one comes first).
    """
    from drill.packs.installed import has_labs

    labs = has_labs(installed)
    found: dict[str, Standing] = {}
    for head in heads:
        if head.id not in sites:
            found[head.id] = "n/a"
        elif head.needs_labs and not labs:
            found[head.id] = "hidden"
        else:
            entries = [ledger[head.id] for ledger in ledgers if head.id in ledger]
            states = [
                _state(e, head.content_hash, hashes.get(head.id, ""), installed) for e in entries
            ]
            decided = [state for state in states if state is not None]
            found[head.id] = decided[0] if decided else ("stale" if entries else "unproven")
    return found


def _state(entry: Entry, item: str, proof: str, installed: Mapping[str, str]) -> Standing | None:
    """What an entry says of an item; None when it is about another state of things."""
    if entry.item != item or entry.proof != proof or not proof:
        return None
    if any(installed.get(name, version) != version for name, version in entry.versions.items()):
        return None
    if entry.error:
        return "stale"
    return "proven" if all(name in installed for name in entry.versions) else "stamped"


def standings(bank: Bank, cache_dir: Path, local: Path | None = None) -> dict[str, Standing]:
    """`standing` of all items of a bank, with the libraries installed here."""
    from drill.packs.installed import versions

    ledgers = [committed(bank)] if local is None else [read(local), committed(bank)]
    hashes = proof_hashes(bank.sites, cache_dir)
    return standing(bank.heads.values(), bank.sites, hashes, ledgers, versions())


def proof_hashes(sites: Mapping[str, ProofSite], cache_dir: Path) -> dict[str, str]:
    """Hash of what proves each item; empty where the function does not exist.

    Parsing every proofs.py takes tenths of a second, so that hashes are kept in `cache_dir` for as
    long as a file's bytes stay.
    """
    cache = cache_dir / "proof-hashes.json"
    known = _read_json(cache)
    found = {name: site.proof for name, site in sites.items() if not site.functions()}
    asked: dict[str, dict[str, tuple[str, ...]]] = {}  # file: item: functions
    for name, site in sites.items():
        if name not in found:
            asked.setdefault(site.file, {})[name] = site.functions()
    fresh: dict[str, dict[str, Any]] = {}
    for file, items in asked.items():
        fresh[file] = _hashed(file, {" ".join(each): each for each in items.values()}, known)
        for name, functions in items.items():
            digest = fresh[file]["hashes"][" ".join(functions)]
            found[name] = f"{sites[name].proof}-{digest}" if digest else ""
    if any(known.get(file) != entry for file, entry in fresh.items()):
        with contextlib.suppress(OSError):  # a read-only cache only costs time
            _write_json(cache, json.dumps({**known, **fresh}))
    return found


def _hashed(
    file: str, wanted: Mapping[str, Sequence[str]], known: Mapping[str, Any]
) -> dict[str, Any]:
    """{content, hashes} of a file: those that are known of this very file, the others computed."""
    try:
        source = Path(file).read_bytes() if file else None
    except OSError:
        source = None
    if source is None:
        return {"content": "", "hashes": dict.fromkeys(wanted, "")}
    content = hashlib.blake2b(source, digest_size=16).hexdigest()
    old = known.get(file)
    hashes: dict[str, str] = {}
    if (
        isinstance(old, dict)
        and old.get("content") == content
        and isinstance(old.get("hashes"), dict)
    ):
        hashes = dict(old["hashes"])
    missing = {key: functions for key, functions in wanted.items() if key not in hashes}
    if missing:
        from drill.packs.proof_hash import ProofFile

        try:
            parsed = ProofFile(source.decode())
        except (SyntaxError, ValueError):
            return {"content": content, "hashes": {**hashes, **dict.fromkeys(missing, "")}}
        for key, functions in missing.items():
            reached = parsed.reach(functions)
            hashes[key] = "" if reached.missing else reached.digest
    return {"content": content, "hashes": hashes}


def committed(bank: Bank) -> dict[str, Entry]:
    """The entries of all packs of a bank, by qualified id."""
    return {
        f"{pack}:{name}": entry
        for pack, root in bank.roots.items()
        for name, entry in read(root / COMMITTED).items()
    }


def read(file: Path) -> dict[str, Entry]:
    """The entries of a ledger file; a missing or damaged file holds none."""
    found: dict[str, Entry] = {}
    for name, row in _read_json(file).items():
        try:
            values = row["value"]
            found[name] = Entry(
                row["item"],
                row["proof"],
                (values,) if isinstance(values, str) else tuple(values),
                row["versions"],
                row["seconds"],
                row.get("error", ""),
            )
        except (KeyError, TypeError):
            continue
    return found


def write(file: Path, entries: Mapping[str, Entry]) -> None:
    """Write a ledger atomically, one item a line, sorted."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(_row(entries[name]), ensure_ascii=False)}"
        for name in sorted(entries)
    ]
    _write_json(file, "{\n" + ",\n".join(rows) + "\n}\n")


def _row(entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item": entry.item,
        "proof": entry.proof,
        "value": entry.values[0] if len(entry.values) == 1 else list(entry.values),
        "versions": dict(sorted(entry.versions.items())),
        "seconds": entry.seconds,
    }
    if entry.error:
        row["error"] = entry.error
    return row


def entry_of(outcome: ProofOutcome, head: Head, proof_hash: str) -> Entry:
    """The ledger's entry for an outcome."""
    texts = [" ".join(value.split())[:_VALUE_LENGTH] for value in outcome.values]
    alike = len(set(texts)) == 1
    return Entry(
        head.content_hash,
        proof_hash,
        tuple(texts[:1] if alike else texts),
        dict(outcome.versions),
        round(outcome.seconds, 1),
        outcome.error,
    )


def merged(old: Entry | None, new: Entry) -> Entry:
    """`new`, or `old` where only the time differs, so that a diff shows what changed."""
    if old is None:
        return new
    same = (old.item, old.proof, old.values, dict(old.versions), old.error)
    return old if same == (new.item, new.proof, new.values, dict(new.versions), new.error) else new


def record(bank: Bank, outcomes: Iterable[ProofOutcome], cache_dir: Path) -> list[Path]:
    """Write outcomes into the committed ledgers of their packs; returns the files that changed.

    A failed item loses its entry, and so does one that the pack no longer holds. This is for those
    who write packs; the app records in the local ledger (`record_local`).
    """
    hashes = proof_hashes(bank.sites, cache_dir)
    outcomes = list(outcomes)
    changed: list[Path] = []
    for pack, root in bank.roots.items():
        file = root / COMMITTED
        old = read(file)
        new = {name: entry for name, entry in old.items() if f"{pack}:{name}" in bank.sites}
        for outcome in outcomes:
            owner, _, name = outcome.id.partition(":")
            if owner != pack or outcome.id not in bank.sites:
                continue
            if outcome.ok:
                entry = entry_of(outcome, bank.heads[outcome.id], hashes[outcome.id])
                new[name] = merged(old.get(name), entry)
            else:
                new.pop(name, None)
        if new != old:
            write(file, new)
            changed.append(file)
    return changed


def record_local(
    bank: Bank, outcomes: Iterable[ProofOutcome], local: Path, cache_dir: Path
) -> None:
    """Write outcomes, failures too, into the local ledger."""
    hashes = proof_hashes(bank.sites, cache_dir)
    entries = {name: entry for name, entry in read(local).items() if name in bank.sites}
    for outcome in outcomes:
        if outcome.id in bank.sites:
            head = bank.heads[outcome.id]
            entries[outcome.id] = entry_of(outcome, head, hashes[outcome.id])
    write(local, entries)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _write_json(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)

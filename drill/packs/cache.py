"""The compiled bank as one file: an index that is read at once, and a line for every variant.

Line 1 holds `MAGIC` and the length and checksum of line 2; line 2 is the index (heads, proof sites,
registry, problems, where the variants stand); each further line is one variant. A variant is read
and decoded when it is asked for, so opening costs the same for long and short items.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.domain.questions import Excerpt, Head
from drill.packs.beliefs import Misconception
from drill.packs.codec import head_from, head_row, question_record
from drill.packs.problems import Problem
from drill.packs.proof_site import ProofSite

if TYPE_CHECKING:
    from drill.packs.records import CompiledPack

MAGIC = b"drill-bank-1"
KEPT = 4
"""How many caches stay, so that a few checkouts or packs side by side do not evict each other."""


class CacheError(Exception):
    """The cache cannot be used; it is made again."""


@dataclass(slots=True)
class Index:
    """What is known of every item without reading a variant."""

    heads: dict[str, Head]
    sites: dict[str, ProofSite]
    """By item; `file` is relative to the pack's folder."""
    excerpts: dict[str, Excerpt]
    spans: dict[str, tuple[int, list[tuple[int, int]]]]
    """By item: where its first variant begins, and length and checksum of each."""
    experiments: dict[str, str]
    """By item: the name of the experiment that it links to."""
    titles: dict[str, str]
    """Pack name to title, in the order in which the packs were given."""
    misconceptions: dict[str, Misconception]
    problems: list[tuple[int, Problem]]
    """Number of the pack and the problem; files are relative to the pack's folder."""


def dumped(packs: Sequence[CompiledPack]) -> tuple[Index, int, bytes]:
    """Compiled packs, whose names are all different, as index, where the variants begin, and file.

    The index is read back from what is written, so that a bank just compiled and one from the cache
    cannot differ.
    """
    lines: list[bytes] = []
    heads: list[Any] = []
    sites: dict[str, Any] = {}
    excerpts: dict[str, Any] = {}
    spans: dict[str, Any] = {}
    links: dict[str, str] = {}
    at = 0
    for pack in packs:
        for item in pack.items:
            sizes: list[tuple[int, int]] = []
            begin = at
            for question in item.questions:
                line = _json(question_record(question)) + b"\n"
                lines.append(line)
                sizes.append((len(line), zlib.crc32(line)))
                at += len(line)
            name = item.head.id
            heads.append(head_row(item.head))
            spans[name] = (begin, sizes)
            if item.site.proof or item.site.property:
                sites[name] = [item.site.file, item.site.proof, item.site.property]
            if item.questions[0].experiment is not None:
                links[name] = item.questions[0].experiment.name
            if item.excerpt is not None:
                cut = item.excerpt
                excerpts[name] = [cut.symbol, cut.around, cut.before, cut.after]
    beliefs = {b.id: b for pack in reversed(packs) for b in pack.misconceptions.values()}
    index = {
        "heads": heads,
        "sites": sites,
        "excerpts": excerpts,
        "spans": spans,
        "experiments": links,
        "titles": {pack.name: pack.title for pack in packs},
        "misconceptions": [[b.id, b.belief, b.correction, b.topic] for b in beliefs.values()],
        "problems": [
            [n, p.file, p.line, p.column, p.field, p.message, p.expected, p.severity, p.item]
            for n, pack in enumerate(packs)
            for p in pack.problems
        ],
    }
    body = _json(index) + b"\n"
    first = b"%s %d %d %d\n" % (MAGIC, len(body), zlib.crc32(body), at)
    return _index(json.loads(body)), len(first) + len(body), b"".join([first, body, *lines])


def loaded(file: Path) -> tuple[Index, int]:
    """The index of a cache file, and where its variants begin.

    Raises:
        CacheError: no cache file, or one that is cut short or damaged.
    """
    try:
        with file.open("rb") as opened:
            first = opened.readline(200)
            magic, size, checksum, rest = first.split()
            body = opened.read(int(size))
            length = opened.seek(0, os.SEEK_END)
        data_at = len(first) + int(size)
        whole = length == data_at + int(rest)
        if magic != MAGIC or not whole or zlib.crc32(body) != int(checksum):
            raise CacheError(f"{file} is damaged")
        return _index(json.loads(body)), data_at
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CacheError(f"{file}: {error}") from error


def _index(made: dict[str, Any]) -> Index:
    heads = [head_from(row) for row in made["heads"]]
    return Index(
        heads={head.id: head for head in heads},
        sites={name: ProofSite(*row) for name, row in made["sites"].items()},
        excerpts={name: Excerpt(*row) for name, row in made["excerpts"].items()},
        spans=made["spans"],
        experiments=made["experiments"],
        titles=made["titles"],
        misconceptions={row[0]: Misconception(*row) for row in made["misconceptions"]},
        problems=[(row[0], Problem(*row[1:])) for row in made["problems"]],
    )


def variant_record(source: Path | bytes, data_at: int, span: Any, number: int) -> dict[str, Any]:
    """The record of one variant, from a cache file or from its bytes.

    Raises:
        CacheError: the file is gone or the line is damaged.
    """
    begin, sizes = span
    at = data_at + begin + sum(size for size, _ in sizes[:number])
    size, checksum = sizes[number]
    try:
        if isinstance(source, bytes):
            line = source[at : at + size]
        else:
            with source.open("rb") as opened:
                opened.seek(at)
                line = opened.read(size)
        if zlib.crc32(line) != checksum:
            raise CacheError(f"variant {number} is damaged")
        record: dict[str, Any] = json.loads(line)
        return record
    except (OSError, ValueError) as error:
        raise CacheError(str(error)) from error


def write(file: Path, raw: bytes) -> bool:
    """Put the cache file in place at once; False where the folder cannot be written."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(raw)
        temporary.replace(file)
    except OSError:
        return False
    _drop_old(file)
    return True


def _drop_old(file: Path) -> None:
    """Keep the newest few: a cache whose name no longer fits any content is never read again."""
    try:
        caches = sorted(file.parent.glob("bank-*.cache"), key=lambda p: p.stat().st_mtime_ns)
        for old in caches[:-KEPT]:
            if old != file:
                old.unlink(missing_ok=True)
    except OSError:  # another process tidies at the same time
        return


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

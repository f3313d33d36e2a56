"""The compiled bank as one file: an index that is read at once, and a line for every variant.

Line 1 holds `MAGIC` and the length and checksum of line 2; line 2 is the index (heads, proof sites,
registry, problems, where the variants stand); each further line is one variant. A variant is read
and decoded when it is asked for, so opening costs the same for long and short items.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from drill.domain.questions import Excerpt, Head
from drill.packs.beliefs import Misconception
from drill.packs.codec import to_line
from drill.packs.problems import Problem
from drill.packs.proof_site import ProofSite

if TYPE_CHECKING:
    from drill.packs.records import CompiledPack

MAGIC = b"drill-bank-1"
Span: TypeAlias = tuple[int, list[tuple[int, int]]]
"""Where an item's first variant begins, and length and checksum of each."""
KEPT = 4
"""How many caches stay, so that a few checkouts or packs side by side do not evict each other."""


class CacheError(Exception):
    """The cache cannot be used; it is made again."""


class Index(Struct):
    """What is known of every item without reading a variant."""

    titles: dict[str, str]
    """Pack name to title, in the order in which the packs were given."""
    misconceptions: dict[str, Misconception]
    problems: list[tuple[int, Problem]]
    """Number of the pack and the problem; files are relative to the pack's folder."""
    heads: dict[str, Head] = {}
    sites: dict[str, ProofSite] = {}
    """By item; `file` is relative to the pack's folder."""
    excerpts: dict[str, Excerpt] = {}
    spans: dict[str, Span] = {}
    experiments: dict[str, str] = {}
    """By item: the name of the experiment that it links to."""
    labs: dict[str, str] = {}
    """By item: the folder of the lab that it names."""


def dumped(packs: Sequence[CompiledPack]) -> tuple[Index, int, bytes]:
    """Compiled packs, whose names are all different, as index, where the variants begin, and file.

    The index is read back from what is written, so that a bank just compiled and one from the cache
    cannot differ.
    """
    beliefs = {b.id: b for pack in reversed(packs) for b in pack.misconceptions.values()}
    index = Index(
        titles={pack.name: pack.title for pack in packs},
        misconceptions=beliefs,
        problems=[(n, problem) for n, pack in enumerate(packs) for problem in pack.problems],
    )
    lines: list[bytes] = []
    at = 0
    for item in (item for pack in packs for item in pack.items):
        own = [to_line(question) for question in item.questions]
        name = item.head.id
        index.heads[name] = item.head
        index.spans[name] = (at, [(len(line), zlib.crc32(line)) for line in own])
        if item.site.proof or item.site.property:
            index.sites[name] = item.site
        if item.questions[0].experiment is not None:
            index.experiments[name] = item.questions[0].experiment.name
        if item.lab:
            index.labs[name] = item.lab
        if item.excerpt is not None:
            index.excerpts[name] = item.excerpt
        lines += own
        at += sum(map(len, own))
    body = msgspec.json.encode(index) + b"\n"
    first = b"%s %d %d %d\n" % (MAGIC, len(body), zlib.crc32(body), at)
    raw = b"".join([first, body, *lines])
    return msgspec.json.decode(body, type=Index), len(first) + len(body), raw


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
        return msgspec.json.decode(body, type=Index), data_at
    except (OSError, ValueError) as error:
        raise CacheError(f"{file}: {error}") from error


def variant_line(source: Path | bytes, data_at: int, span: Span, number: int) -> bytes:
    """The line of one variant, from a cache file or from its bytes.

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
    except OSError as error:
        raise CacheError(str(error)) from error
    if zlib.crc32(line) != checksum:
        raise CacheError(f"variant {number} is damaged")
    return line


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

"""What lies in the folder of a pack: its files, what of them is code, and what is not taken.

Nothing is parsed or run here. A link could show a file of the learner's as if it were the pack's, a
pipe would hold up every start, and a name or a text with control characters is obeyed by a terminal
instead of being shown by it: a folder with any of these is no pack.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from drill.packs.hidden import HIDDEN, HIDDEN_IN_JSON

MAX_FILES = 5_000
MAX_BYTES = 1 << 30
"""Of a whole pack: 1 GiB."""
MAX_TEXT = 4 << 20
"""Of one text file: 4 MiB; the largest of the built-in pack has a tenth of it."""
MAX_DEPTH = 12
NAMED = 8
"""Faults that are named; of more, their count."""

LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".DS_Store"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"}
)
"""Names that are neither copied nor looked at."""
TEXTS = frozenset({".yaml", ".yml", ".md", ".json", ".txt", ".csv", ".py"})
INERT = (TEXTS - {".py"}) | {".png", ".jpg", ".jpeg", ".gif", ".svg", ".safetensors"}
"""Endings of files that nothing executes. Whatever has another ending counts as code: a library, a
pickle and a file without an ending can all be run."""


class PackFolderError(Exception):
    """The folder is not taken as a pack; the message says why and the way out."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a pack."""

    name: str
    """Relative to the pack's folder, with `/`."""
    bytes: int

    @property
    def code(self) -> bool:
        """Whether it may be executed."""
        return os.path.splitext(self.name)[1].lower() not in INERT  # noqa: PTH122


@dataclass(frozen=True, slots=True)
class Survey:
    """The files of a pack in order."""

    root: Path
    files: tuple[File, ...]

    @property
    def code(self) -> tuple[File, ...]:
        """Those that may be executed."""
        return tuple(file for file in self.files if file.code)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def survey(root: Path, *, texts: bool = True) -> Survey:
    """Walk the folder of a pack; links are never followed below `root`.

    `texts`: look into the texts too, which takes long where there are many.

    Raises:
        PackFolderError: it holds what is not taken (every fault is named, up to a number), is too
            large, or cannot be read.
    """
    walk = _Walk(str(root), texts)
    try:
        walk.folder("", 0)
    except OSError as error:
        raise PackFolderError(f"{root} cannot be read: {error}") from error
    if walk.faults:
        more = len(walk.faults) - NAMED
        lines = [*walk.faults[:NAMED], *([f"and {more} more"] if more > 0 else [])]
        raise PackFolderError(f"{shown(str(root))} is not taken:\n  " + "\n  ".join(lines))
    return Survey(root, tuple(sorted(walk.files, key=lambda file: file.name)))


class _Walk:
    def __init__(self, root: str, texts: bool) -> None:
        self.root = root
        self.texts = texts
        self.files: list[File] = []
        self.faults: list[str] = []
        self.bytes = 0

    def folder(self, inside: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.faults.append(f"{shown(inside)}: folders deeper than {MAX_DEPTH} levels")
            return
        with os.scandir(f"{self.root}/{inside}") as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.name in LEFT_OUT:
                    continue
                if len(self.files) >= MAX_FILES or self.bytes > MAX_BYTES:
                    break
                self.entry(f"{inside}/{entry.name}" if inside else entry.name, entry, depth)
        if len(self.files) >= MAX_FILES:
            self.once(f"more than {MAX_FILES} files")
        if self.bytes > MAX_BYTES:
            self.once(f"more than {MAX_BYTES >> 20} MiB")

    def entry(self, name: str, entry: os.DirEntry[str], depth: int) -> None:
        why = name_fault(entry.name)
        if why:
            self.faults.append(f"{shown(name)}: {why}")
            return
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            self.faults.append(f"{shown(name)}: a symbolic link; put the file itself there")
        elif stat.S_ISDIR(status.st_mode):
            self.folder(name, depth + 1)
        elif not stat.S_ISREG(status.st_mode):
            self.faults.append(f"{shown(name)}: neither a file nor a folder")
        else:
            self.file(File(name, status.st_size))

    def file(self, file: File) -> None:
        self.files.append(file)
        self.bytes += file.bytes
        if not self.texts or os.path.splitext(file.name)[1].lower() not in TEXTS:  # noqa: PTH122
            return
        if file.bytes > MAX_TEXT:
            size = f"{file.bytes / (1 << 20):.1f} MiB"
            self.faults.append(f"{shown(file.name)}: {size}; at most {MAX_TEXT >> 20} MiB of text")
            return
        why = text_fault(Path(self.root, file.name).read_bytes(), file.name)
        if why:
            self.faults.append(f"{shown(file.name)}: {why}")

    def once(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


def name_fault(name: str) -> str:
    """Why a name of a file is not taken; empty where it is."""
    if any(unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp") for ch in name):
        return "a name with control characters, or one that is no text"
    if "\\" in name or ":" in name:
        return "a name with `\\` or `:`"
    return ""


def text_fault(raw: bytes, name: str) -> str:
    """Why a text file is not taken; empty where it is.

    JSON can hide such a character behind an escape; reading YAML finds those by itself.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start})"
    text = text.replace("\r\n", "\n").replace("\f", "\n")
    hidden = HIDDEN.search(text)
    if hidden is None and name.lower().endswith(".json"):
        hidden = HIDDEN_IN_JSON.search(text)
    if hidden is None:
        return ""
    line = text.count("\n", 0, hidden.start()) + 1
    said = hidden[0] if len(hidden[0]) > 1 else f"U+{ord(hidden[0]):04X}"
    return f"line {line}: a control character ({said})"


def shown(name: str) -> str:
    """A name as it can be printed: what a terminal would obey is written out."""
    return "".join(ch if ch.isprintable() else f"\\u{ord(ch):04x}" for ch in name)

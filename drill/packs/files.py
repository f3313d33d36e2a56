"""The files that a pack's bank is made of, their bytes, and one fingerprint of it all."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from drill import __version__, paths
from drill.domain.questions import TOPICS

QUESTIONS = "questions"
REGISTRY = "reference/misconceptions.yaml"
MANIFEST = "pack.yaml"
_SUFFIXES = (".yaml", ".yml")
_COMPILER = (
    "beliefs",
    "bodies",
    "cache",
    "codec",
    "cases",
    "compile",
    "fields",
    "files",
    "hidden",
    "parts",
    "problems",
    "proof_site",
    "records",
    "registry",
    "render",
    "renderer",
    "rules",
    "schema",
    "validate",
    "yaml_source",
)
"""Modules of this package whose change can change what is compiled."""
_DOMAIN = ("questions", "expressions")


class PackFiles(Struct, frozen=True):
    """A pack as found on disk."""

    root: Path
    name: str
    """What the pack is called where `pack.yaml` gives no name, and always where it is `own`."""
    files: dict[str, bytes]
    """POSIX path relative to `root`, and content: manifest, registry, question files in order."""
    own: bool = False
    """One of the learner's packs: it was added under `name`, and history is kept under it."""


def gather(root: Path) -> PackFiles:
    """Read the files of one pack. A file that cannot be read counts as absent."""
    found: dict[str, bytes] = {}
    for name in (MANIFEST, REGISTRY, *_question_files(root)):
        try:
            # Path objects cost more than the reads here, and this runs at every start.
            with open(f"{root}/{name}", "rb") as opened:  # noqa: PTH123
                found[name] = opened.read()
        except OSError:
            continue
    return PackFiles(root, pack_name(root), found, _is_own(root))


def pack_name(root: Path) -> str:
    """`drill` for the built-in pack, else a name made of the folder's.

    A learner's pack is called as it stands among the packs, wherever a link leads.
    """
    if root == paths.builtin_pack() or root.resolve() == paths.builtin_pack().resolve():
        return "drill"
    folder = root if _is_own(root) else root.resolve()
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "pack"


def _is_own(root: Path) -> bool:
    """Whether this is one of the learner's packs; one that is being added begins with a dot."""
    return root.parent == paths.user_packs_dir() and root.name[:1] != "."


def _question_files(root: Path) -> list[str]:
    """Relative paths, topics in the order of the handbook, then by name."""
    order = {topic: n for n, topic in enumerate(TOPICS)}
    base = f"{root}/{QUESTIONS}"
    found: list[tuple[int, str]] = []
    for folder, folders, names in os.walk(base):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        inside = folder[len(base) :].replace(os.sep, "/").strip("/")
        place = order.get(inside.partition("/")[0], len(order))
        prefix = f"{QUESTIONS}/{inside}/" if inside else f"{QUESTIONS}/"
        found += [(place, prefix + name) for name in names if name.endswith(_SUFFIXES)]
    return [name for _, name in sorted(found)]


def fingerprint(packs: Sequence[PackFiles]) -> str:
    """Hash of the packs' bytes and of the code that compiles them; never of times or sizes."""
    digest = hashlib.blake2b(digest_size=16)

    def add(parts: Iterable[bytes]) -> None:
        for part in parts:
            digest.update(b"%d:" % len(part))
            digest.update(part)

    add([__version__.encode()])
    add(_compiler())
    for pack in packs:
        add([b"own" if pack.own else b"pack", pack.name.encode()])
        for name, raw in pack.files.items():
            add([name.encode(), raw])
    return digest.hexdigest()


def _compiler() -> Iterable[bytes]:
    """The source of the compiling modules: an edit of theirs makes the cache anew by itself."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    domain = f"{os.path.dirname(here)}/domain"  # noqa: PTH120
    files = [*(f"{here}/{n}.py" for n in _COMPILER), *(f"{domain}/{n}.py" for n in _DOMAIN)]
    for file in files:
        try:
            with open(file, "rb") as opened:  # noqa: PTH123
                yield opened.read()
        except OSError:  # shipped without source: the version alone has to tell
            yield b""

"""A hash of the labs of a pack: whether a worker elsewhere runs the same experiments."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CONTENT = frozenset({".py", ".yaml", ".json", ".txt"})
_WEIGHTS = frozenset({".safetensors"})


def pack_hash(pack: Path) -> str:
    """16 hex digits over the code and settings under `labs/`, and names and sizes of weights.

    Empty where the pack has no labs. Weights are told by size: hashing them would hold up the
    start of every child.
    """
    root = pack / "labs"
    if not root.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if "__pycache__" in path.parts or not path.is_file():
            continue
        if path.suffix in _CONTENT:
            digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
        elif path.suffix in _WEIGHTS:
            name = path.relative_to(root).as_posix()
            digest.update(f"{name}\0{path.stat().st_size}".encode())
    return digest.hexdigest()[:16]

"""Pictures of experiment runs inside an export: one line each, as base64."""

from __future__ import annotations

import base64
import binascii
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from drill import paths
from drill.store.arriving import RefusedError, inside
from drill.store.store import Store
from drill.store.transfer import Record

PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 32 << 20
"""Bytes of a picture; a larger one is left out."""


def pictures(store: Store, runs: Iterator[Record]) -> Iterator[Record]:
    """Pass records through, with the pictures of each run after it, as far as they are there."""
    import json

    root = paths.runs_dir()
    for kind, body in runs:
        yield kind, body
        if kind != "run":
            continue
        for name in json.loads(body["artefacts"]):
            path = root / name
            if inside(name) and path.is_file() and path.stat().st_size <= LARGEST:
                raw = path.read_bytes()
                if raw.startswith(PNG):
                    yield "picture", {"path": name, "png": base64.b64encode(raw).decode()}


class Arriving:
    """Pictures on their way in: beside the folder of runs until the import is committed."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._found: list[str] = []
        self.new = 0
        self.known = 0

    def add(self, body: Mapping[str, Any]) -> None:
        """Keep one until `settle`. Raises RefusedError for what is no picture, and OSError."""
        name, text = body.get("path"), body.get("png")
        if not isinstance(name, str) or not inside(name) or not name.endswith(".png"):
            raise RefusedError("a picture lies outside the folder of runs")
        if (paths.runs_dir() / name).exists():
            self.known += 1
            return
        try:
            raw = base64.b64decode(str(text), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RefusedError("a picture cannot be read") from error
        if not raw.startswith(PNG):
            raise RefusedError("a picture is no PNG")
        if self._folder is None:
            paths.runs_dir().mkdir(parents=True, exist_ok=True)
            self._folder = Path(mkdtemp(prefix=".import-", dir=paths.runs_dir()))
        file = self._folder / str(len(self._found))
        file.write_bytes(raw)
        self._found.append(name)
        self.new += 1

    def settle(self) -> None:
        """Put every picture in its place; one that came there meanwhile stays. Raises OSError."""
        for number, name in enumerate(self._found):
            target = paths.runs_dir() / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._folder is not None and not target.exists():
                (self._folder / str(number)).replace(target)
        self.drop()

    def drop(self) -> None:
        """Forget what was not settled."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        self._found = []

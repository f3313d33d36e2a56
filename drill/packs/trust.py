"""Which packs' code may run: those whose digest a person has trusted, as it stands now.

Code is every file that is not plainly data, and every snippet in the questions that proving an item
would run. One changed byte of it, and the pack is not trusted any more.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from drill.packs.survey import PackFolderError, Survey, survey

if TYPE_CHECKING:
    from drill.packs.bank import Bank

Standing = Literal["built-in", "no code", "trusted", "changed", "not trusted", "refused"]
"""`refused`: the folder holds what no pack may, so that it is not even looked at."""
MAY_RUN: tuple[Standing, ...] = ("built-in", "trusted")


@dataclass(frozen=True, slots=True)
class Code:
    """All that running a pack may execute."""

    survey: Survey
    snippets: int
    """Items whose question holds code that is run to prove them."""
    digest: str
    """SHA-256 over the code files with their names, and over the snippets; empty without any."""


def code_of(bank: Bank, pack: str, *, texts: bool = True) -> Code:
    """The code of a pack of the bank; `texts` as for `survey`.

    Raises:
        KeyError: no such pack.
        PackFolderError: the folder holds what no pack may.
    """
    found = survey(bank.roots[pack].resolve(), texts=texts)
    digest = hashlib.sha256()
    for file in found.code:
        try:
            raw = (found.root / file.name).read_bytes()
        except OSError as error:
            raise PackFolderError(f"{found.root / file.name}: {error}") from error
        _add(digest, file.name.encode(), raw)
    snippets = 0
    for item in sorted(bank.sites):
        if item.partition(":")[0] != pack:
            continue
        run = _snippet(bank, item)
        if any(run):
            snippets += 1
            _add(digest, item.encode(), *(text.encode() for text in run))
    empty = not found.code and not snippets
    return Code(found, snippets, "" if empty else digest.hexdigest())


def _snippet(bank: Bank, item: str) -> list[str]:
    """The texts of an item's question that a proof would run."""
    return [text for each in bank.executed(item) for text in each]


def _add(digest: hashlib._Hash, *parts: bytes) -> None:
    digest.update(b"%d;" % len(parts))
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)


class Trust:
    """The file that says what is trusted on this machine."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def standing(self, bank: Bank, pack: str) -> Standing:
        """Whether the code of a pack may run, as it stands on the disk now."""
        from drill.paths import builtin_pack

        if bank.roots[pack].resolve() == builtin_pack().resolve():
            return "built-in"
        try:
            code = code_of(bank, pack, texts=False)
        except PackFolderError:
            return "refused"
        if not code.digest:
            return "no code"
        kept = self.digests().get(pack)
        if kept is None:
            return "not trusted"
        return "trusted" if kept == code.digest else "changed"

    def digests(self) -> dict[str, str]:
        """Pack name to the digest that was trusted; a damaged file trusts nothing."""
        try:
            document = json.loads(self.file.read_text(encoding="utf-8"))
            packs = document["packs"]
            return {str(name): str(digest) for name, digest in packs.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def keep(self, pack: str, digest: str) -> None:
        """Trust this code of a pack. OSError passes through."""
        self._write({**self.digests(), pack: digest})

    def revoke(self, pack: str) -> bool:
        """Trust a pack no more; whether it was. OSError passes through."""
        kept = self.digests()
        if pack not in kept:
            return False
        del kept[pack]
        self._write(kept)
        return True

    def _write(self, digests: Mapping[str, str]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_name(f".{self.file.name}.{os.getpid()}.part")
        try:
            with part.open("w", encoding="utf-8") as opened:
                json.dump({"packs": dict(sorted(digests.items()))}, opened, indent=1)
                opened.flush()
                os.fsync(opened.fileno())
            part.replace(self.file)
        finally:
            part.unlink(missing_ok=True)


def why_not(standing: Standing, pack: str) -> str:
    """Why the code of a pack does not run, with the way out; empty where it runs."""
    if standing in MAY_RUN or standing == "no code":
        return ""
    if standing == "refused":
        return (
            f"the folder of the pack `{pack}` holds what no pack may, so that nothing of it is "
            "run; `drill pack list` says what"
        )
    if standing == "changed":
        return (
            f"the code of the pack `{pack}` has changed since it was trusted, so that it is not "
            f"run; read it, then: drill pack trust {pack}"
        )
    return (
        f"the pack `{pack}` is not trusted, so that its code is not run; "
        f"read it, then: drill pack trust {pack}"
    )

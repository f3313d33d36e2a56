"""Where an item's proof stands. Read at every start: nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

SELF_PROVING = ("code", "source")
"""Words in place of a function's name: the code shown is run, or the excerpt's patterns found."""


class ProofSite(Struct, frozen=True, omit_defaults=True):
    """What is executed to prove an item."""

    file: str = ""
    """Path of the `proofs.py` beside the YAML file; empty when there is none."""
    proof: str = ""
    """A function's name, `code`, `source`, or empty."""
    property: str = ""
    """The property function of a `mutant` or `code` item, or empty."""

    def functions(self) -> tuple[str, ...]:
        """The functions of `file` that are called."""
        named = () if self.proof in SELF_PROVING else (self.proof,)
        return tuple(name for name in (*named, self.property) if name)


def top_level_names(file: Path) -> set[str]:
    """Functions that a `proofs.py` defines at module level. OSError or SyntaxError pass through."""
    import ast

    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}

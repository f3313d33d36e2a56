"""A hash of all that a proof depends on inside its file.

It covers the named functions and every module-level name of the same `proofs.py` that they reach,
without docstrings, comments or layout: mending one proof sets aside only the items that it proves.
The dump is our own because `ast.dump` differs between Python versions and the ledger is committed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_UNSTABLE_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_params"})


@dataclass(frozen=True, slots=True)
class Reach:
    """What a set of functions depends on."""

    digest: str
    packages: tuple[str, ...]
    """Top-level packages that the reached code imports, sorted."""
    missing: tuple[str, ...] = ()
    """Functions that the file does not define."""


def packages_of(tree: ast.AST) -> set[str]:
    """Top-level names of the packages that any import statement below `tree` imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


class ProofFile:
    """A parsed `proofs.py`; every function's reach is asked of one parse."""

    def __init__(self, source: str) -> None:
        """Parse `source`; SyntaxError passes through."""
        self._bound, self._always = _bindings(ast.parse(source))
        self._used = {
            name: {used for node in nodes for used in _names(node)} & self._bound.keys()
            for name, nodes in self._bound.items()
        }
        self._texts: dict[str, str] = {}

    def reach(self, functions: Sequence[str]) -> Reach:
        """Hash of `functions` and of all that they reach."""
        todo = [*functions, *(name for node in self._always for name in _names(node))]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name not in seen and name in self._bound:
                seen.add(name)
                todo.extend(self._used[name])
        texts = [self._text(name) for name in sorted(seen)]
        texts += [_dump(node) for node in self._always]
        reached = [node for name in seen for node in self._bound[name]] + self._always
        return Reach(
            hashlib.sha256("\n".join([*functions, *texts]).encode()).hexdigest()[:16],
            tuple(sorted(set().union(*(packages_of(node) for node in reached)))),
            tuple(name for name in functions if name not in self._bound),
        )

    def _text(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = f"{name}={'|'.join(map(_dump, self._bound[name]))}"
        return self._texts[name]


def reach(source: str, functions: Sequence[str]) -> Reach:
    """Hash of `functions` and of all that they reach in `source`. SyntaxError passes through."""
    return ProofFile(source).reach(functions)


def _bindings(tree: ast.Module) -> tuple[dict[str, list[ast.stmt]], list[ast.stmt]]:
    """Module-level name to the statements that bind it, and the statements that bind none."""
    bound: dict[str, list[ast.stmt]] = {}
    always: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:  # one statement an alias: a new import stales no other proof
                one: ast.stmt = (
                    ast.Import([alias])
                    if isinstance(node, ast.Import)
                    else ast.ImportFrom(node.module, [alias], node.level)
                )
                bound.setdefault(alias.asname or alias.name.partition(".")[0], []).append(one)
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        else:
            names = [
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            ]
        for name in names:
            bound.setdefault(name, []).append(node)
        if not names and not _is_docstring(node):
            always.append(node)
    return bound, always


def _names(node: ast.AST) -> Iterator[str]:
    return (n.id for n in ast.walk(node) if isinstance(n, ast.Name))


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _dump(node: object) -> str:
    """A text of the tree that is the same under every Python from 3.11 on."""
    if isinstance(node, ast.JoinedStr):  # 3.12 puts empty texts around nested format specs
        return f"JoinedStr({_dump([n for n in node.values if getattr(n, 'value', None) != ''])})"
    if isinstance(node, ast.AST):
        fields: Mapping[str, object] = {
            name: value
            for name, value in ast.iter_fields(node)
            if name not in _UNSTABLE_FIELDS and value is not None and value != []
        }
        return f"{type(node).__name__}({','.join(f'{k}={_dump(v)}' for k, v in fields.items())})"
    if isinstance(node, list):
        return f"[{','.join(_dump(n) for n in node if not _is_docstring(n))}]"
    return repr(node)

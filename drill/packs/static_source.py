"""Find where a dotted symbol of an installed package is written, without importing the package.

Re-exports are followed in the syntax tree: import statements at module level (those under
`if TYPE_CHECKING` too, which is where lazy packages list their names), `from .x import *`, the
`_import_structure` of a lazy package, and plain aliases `A = B`. Stand-ins for missing backends
(`utils.dummy_*_objects`) are passed over.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from drill.packs.installed import package_folder
from drill.packs.module_source import (
    Definition,
    Module,
    alias_of,
    defined_name,
    defines,
    dotted_name,
    flat,
    is_overload,
    module_file,
    named_imports,
    star_imports,
)

_DEPTH = 24
"""Longest chain of re-exports or base classes that is followed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a symbol is written."""

    file: Path
    first: int
    """1-based first line, decorators included."""
    last: int
    qualname: str
    """`StableDiffusionPipeline.__call__`: the path inside its module, of the defining class."""
    package: str
    """Top-level package of the defining module: a base class may come from another one."""


class NotFoundError(LookupError):
    """The symbol cannot be found in the source; the message says where the search ended."""


@dataclass(frozen=True, slots=True)
class _Found:
    module: Module
    node: Definition
    owner: str = ""

    @property
    def qualname(self) -> str:
        return f"{self.owner}.{defined_name(self.node)}" if self.owner else defined_name(self.node)


class Finder:
    """Finds symbols; keeps the modules that it has read."""

    def __init__(self) -> None:
        self._modules: dict[str, Module | None] = {}

    def find(self, symbol: str) -> Place:
        """Where `symbol`, such as `diffusers.DDIMScheduler.step`, is written.

        Raises:
            ModuleNotFoundError: the package is not installed.
            NotFoundError: the package holds no such symbol in Python source.
        """
        parts = symbol.split(".")
        if package_folder(parts[0]) is None:
            raise ModuleNotFoundError(parts[0], name=parts[0])
        # The longest prefix that is a module comes first; a name may also hide a submodule.
        deepest = 1
        while deepest < len(parts) and self._module(".".join(parts[: deepest + 1])):
            deepest += 1
        if deepest == len(parts) and len(parts) > 1:
            deepest -= 1
        for count in range(deepest, 0, -1):
            module = self._module(".".join(parts[:count]))
            if module is None or count == len(parts):
                continue
            found = self._in_module(module, parts[count], 0, set())
            if found is None:
                continue
            for member in parts[count + 1 :]:
                found = self._member(found, member)
            return _place(found)
        raise NotFoundError(
            f"neither a definition nor a re-export of `{'.'.join(parts[deepest:])}` stands in "
            f"`{'.'.join(parts[:deepest])}`"
        )

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            file = module_file(name)
            try:
                self._modules[name] = Module(name, file) if file else None
            except UnicodeDecodeError:
                self._modules[name] = None
        return self._modules[name]

    def _in_module(
        self, module: Module, name: str, depth: int, seen: set[tuple[str, str]]
    ) -> _Found | None:
        """The definition that `name` means at the level of `module`, re-exports followed."""
        if depth > _DEPTH or (module.name, name) in seen:
            return None
        seen.add((module.name, name))
        if name not in module.text and "import *" not in module.text:
            return None
        defined: _Found | None = None
        for node in module.statements:
            if defines(node, name) and not is_overload(node):
                assert isinstance(node, Definition)
                defined = _Found(module, node)
        if defined is not None:
            alias = alias_of(defined.node)
            if alias:
                target = self._dotted(module, alias, depth + 1, seen)
                return target or defined
            return defined
        for source, original in named_imports(module, name):
            target_module = self._module(source)
            if target_module is not None:
                found = self._in_module(target_module, original, depth + 1, seen)
                if found is not None:
                    return found
        for source in star_imports(module):
            target_module = self._module(source)
            if target_module is not None:
                found = self._in_module(target_module, name, depth + 1, seen)
                if found is not None:
                    return found
        return None

    def _dotted(
        self, module: Module, dotted: str, depth: int, seen: set[tuple[str, str]]
    ) -> _Found | None:
        """What a name or an attribute chain (`a.B`) means in `module`."""
        head, _, rest = dotted.partition(".")
        if not rest:
            return self._in_module(module, head, depth, seen)
        for source, original in named_imports(module, head):  # a module that was imported by name
            inner = self._module(f"{source}.{original}") or (
                self._module(source) if not original else None
            )
            if inner is not None:
                return self._dotted(inner, rest, depth + 1, seen)
        return None

    def _member(self, found: _Found, name: str) -> _Found:
        """Method or attribute `name` of a class, looked for in its bases too, depth first."""
        if not isinstance(found.node, ast.ClassDef):
            raise NotFoundError(f"`{found.qualname}` is no class, so it has no `{name}`")
        unread: list[str] = []
        todo = [found]
        seen: set[str] = set()
        while todo and len(seen) < _DEPTH:
            one = todo.pop(0)
            assert isinstance(one.node, ast.ClassDef)
            key = f"{one.module.name}:{one.qualname}"
            if key in seen:
                continue
            seen.add(key)
            for node in flat(one.node.body):
                if defines(node, name) and not is_overload(node):
                    assert isinstance(node, Definition)
                    return _Found(one.module, node, one.qualname)
            bases: list[_Found] = []
            for base in one.node.bases:
                dotted = dotted_name(base)
                parent = self._dotted(one.module, dotted, 0, set()) if dotted else None
                if parent is not None and isinstance(parent.node, ast.ClassDef):
                    bases.append(parent)
                else:
                    unread.append(dotted or ast.unparse(base))
            todo = bases + todo
        where = f"`{found.qualname}` in {found.module.name} does not define `{name}`"
        if unread:
            where += f", nor do the bases that can be read; look in {', '.join(unread)}"
        raise NotFoundError(where)


def _place(found: _Found) -> Place:
    node = found.node
    decorators = [d.lineno for d in getattr(node, "decorator_list", ())]
    return Place(
        found.module.file,
        min([node.lineno, *decorators]),
        node.end_lineno or node.lineno,
        found.qualname,
        found.module.name.partition(".")[0],
    )

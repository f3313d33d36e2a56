"""Find where a dotted symbol of an installed package is written, without importing the package.

Re-exports are followed in the syntax tree: import statements at module level (those under
`if TYPE_CHECKING` too, which is where lazy packages list their names), `from .x import *`, the
`_import_structure` of a lazy package, and plain aliases `A = B`. Stand-ins for missing backends
(`utils.dummy_*_objects`) are passed over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drill.packs.installed import package_folder

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


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True, slots=True)
class _Found:
    module: _Module
    node: Definition
    owner: str = ""

    @property
    def qualname(self) -> str:
        return f"{self.owner}.{_name(self.node)}" if self.owner else _name(self.node)


class _Module:
    """One module file; parsed when first needed."""

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self.file = file
        self.text = file.read_text(encoding="utf-8")
        self._statements: list[ast.stmt] | None = None

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"

    @property
    def statements(self) -> list[ast.stmt]:
        """Statements at module level, those below if, try, with and for included."""
        if self._statements is None:
            self._statements = list(_flat(ast.parse(self.text, str(self.file)).body))
        return self._statements

    def absolute(self, module: str | None, level: int) -> str:
        """The dotted name that `from <level dots><module> import` means here."""
        if not level:
            return module or ""
        parts = self.name.split(".")
        drop = level - 1 if self.is_package else level
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, *([module] if module else [])])


class Finder:
    """Finds symbols; keeps the modules that it has read."""

    def __init__(self) -> None:
        self._modules: dict[str, _Module | None] = {}

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

    def _module(self, name: str) -> _Module | None:
        if name not in self._modules:
            file = _module_file(name)
            try:
                self._modules[name] = _Module(name, file) if file else None
            except UnicodeDecodeError:
                self._modules[name] = None
        return self._modules[name]

    def _in_module(
        self, module: _Module, name: str, depth: int, seen: set[tuple[str, str]]
    ) -> _Found | None:
        """The definition that `name` means at the level of `module`, re-exports followed."""
        if depth > _DEPTH or (module.name, name) in seen:
            return None
        seen.add((module.name, name))
        if name not in module.text and "import *" not in module.text:
            return None
        defined: _Found | None = None
        for node in module.statements:
            if _defines(node, name) and not _is_overload(node):
                assert isinstance(node, Definition)
                defined = _Found(module, node)
        if defined is not None:
            alias = _alias_of(defined.node)
            if alias:
                target = self._dotted(module, alias, depth + 1, seen)
                return target or defined
            return defined
        for source, original in _named_imports(module, name):
            target_module = self._module(source)
            if target_module is not None:
                found = self._in_module(target_module, original, depth + 1, seen)
                if found is not None:
                    return found
        for source in _star_imports(module):
            target_module = self._module(source)
            if target_module is not None:
                found = self._in_module(target_module, name, depth + 1, seen)
                if found is not None:
                    return found
        return None

    def _dotted(
        self, module: _Module, dotted: str, depth: int, seen: set[tuple[str, str]]
    ) -> _Found | None:
        """What a name or an attribute chain (`a.B`) means in `module`."""
        head, _, rest = dotted.partition(".")
        if not rest:
            return self._in_module(module, head, depth, seen)
        for source, original in _named_imports(module, head):  # a module that was imported by name
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
            for node in _flat(one.node.body):
                if _defines(node, name) and not _is_overload(node):
                    assert isinstance(node, Definition)
                    return _Found(one.module, node, one.qualname)
            bases: list[_Found] = []
            for base in one.node.bases:
                dotted = _dotted_name(base)
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


def _module_file(name: str) -> Path | None:
    top, *inner = name.split(".")
    root = package_folder(top)
    if root is None:
        return None
    if root.is_file():
        return None if inner else root
    path = root.joinpath(*inner)
    for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
        if file.is_file() and (file.name == "__init__.py" or inner):
            return file
    return None


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.For | ast.While):
            yield from _flat(node.body)
            yield from _flat(node.orelse)
        elif isinstance(node, ast.With):
            yield from _flat(node.body)
        elif isinstance(node, ast.Try):
            yield from _flat(node.body)
            for handler in node.handlers:
                yield from _flat(handler.body)
            yield from _flat(node.orelse)
            yield from _flat(node.finalbody)


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, Definition) and _name(node) == name


def _is_overload(node: ast.stmt) -> bool:
    """Whether this is a typing overload or a property's setter, which hides the real definition."""
    return any(
        _dotted_name(d).rpartition(".")[2] in ("overload", "setter", "deleter")
        for d in getattr(node, "decorator_list", ())
    )


def _dotted_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted_name(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Subscript):  # Generic[T]
        return _dotted_name(node.value)
    return ""


def _alias_of(node: Definition) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
        return _dotted_name(node.value)
    return ""


def _is_stand_in(module: str) -> bool:
    return module.rpartition(".")[2].startswith("dummy_")


def _named_imports(module: _Module, name: str) -> Iterator[tuple[str, str]]:
    """(module, original name) for each statement that binds `name`; original "" for a module."""
    for node in module.statements:
        if isinstance(node, ast.ImportFrom):
            source = module.absolute(node.module, node.level)
            if not _is_stand_in(source):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        yield source, alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname == name or (not alias.asname and alias.name == name):
                    yield alias.name, ""
    for submodule, names in _lazy_names(module):
        if name in names and not _is_stand_in(submodule):
            yield f"{module.name}.{submodule}", name


def _star_imports(module: _Module) -> Iterator[str]:
    for node in module.statements:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            source = module.absolute(node.module, node.level)
            if not _is_stand_in(source):
                yield source


_LAZY = re.compile(r"_import_structure\b")


def _lazy_names(module: _Module) -> Iterator[tuple[str, set[str]]]:
    """(submodule, names) of a lazy package's `_import_structure`, as far as it is literal."""
    if not module.is_package or not _LAZY.search(module.text):
        return
    for node in module.statements:
        value: ast.expr | None = None
        key: ast.expr | None = None
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Subscript) and _is_structure(target.value):
                key, value = target.slice, node.value
            elif _is_structure(target) and isinstance(node.value, ast.Dict):
                for each, names in zip(node.value.keys, node.value.values, strict=True):
                    if isinstance(each, ast.Constant):
                        yield str(each.value), _strings(names)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func  # _import_structure["x"].append("Y") or .extend([...])
            if (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Subscript)
                and _is_structure(function.value.value)
                and node.value.args
            ):
                key, value = function.value.slice, node.value.args[0]
        if isinstance(key, ast.Constant) and value is not None:
            yield str(key.value), _strings(value)


def _is_structure(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "_import_structure"


def _strings(node: ast.expr) -> set[str]:
    return {
        n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


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

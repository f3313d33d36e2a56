"""One module of an installed package as a syntax tree: what it defines, imports and re-exports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from drill.packs.installed import package_folder

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


class Module:
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
            self._statements = list(flat(ast.parse(self.text, str(self.file)).body))
        return self._statements

    def absolute(self, module: str | None, level: int) -> str:
        """The dotted name that `from <level dots><module> import` means here."""
        if not level:
            return module or ""
        parts = self.name.split(".")
        drop = level - 1 if self.is_package else level
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, *([module] if module else [])])


def module_file(name: str) -> Path | None:
    """File of a dotted module; None when there is none. Nothing is executed."""
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


def flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements in order, those below if, for, while, with and try included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.For | ast.While):
            yield from flat(node.body)
            yield from flat(node.orelse)
        elif isinstance(node, ast.With):
            yield from flat(node.body)
        elif isinstance(node, ast.Try):
            yield from flat(node.body)
            for handler in node.handlers:
                yield from flat(handler.body)
            yield from flat(node.orelse)
            yield from flat(node.finalbody)


def defined_name(node: ast.stmt) -> str:
    """The name that a definition or an assignment binds; empty for other statements."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def defines(node: ast.stmt, name: str) -> bool:
    """Whether a statement defines `name`."""
    return isinstance(node, Definition) and defined_name(node) == name


def is_overload(node: ast.stmt) -> bool:
    """Whether this is a typing overload or a property's setter, which hides the real definition."""
    return any(
        dotted_name(d).rpartition(".")[2] in ("overload", "setter", "deleter")
        for d in getattr(node, "decorator_list", ())
    )


def dotted_name(node: ast.expr) -> str:
    """`a.b.C` of a name or an attribute chain, subscripts left out; else empty."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted_name(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    if isinstance(node, ast.Subscript):  # Generic[T]
        return dotted_name(node.value)
    return ""


def alias_of(node: Definition) -> str:
    """What `A = B` stands for; empty for other definitions."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
        return dotted_name(node.value)
    return ""


def _is_stand_in(module: str) -> bool:
    return module.rpartition(".")[2].startswith("dummy_")


def named_imports(module: Module, name: str) -> Iterator[tuple[str, str]]:
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


def star_imports(module: Module) -> Iterator[str]:
    """Modules of which everything is imported."""
    for node in module.statements:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            source = module.absolute(node.module, node.level)
            if not _is_stand_in(source):
                yield source


_LAZY = re.compile(r"_import_structure\b")


def _lazy_names(module: Module) -> Iterator[tuple[str, set[str]]]:
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

"""Runs a lab's starter, the file in `sys.argv[1]`, from its source.

As `python FILE` would, except that bytecode beside the file is not read: neither the starter nor
what it imports from its folder may be anything but what a person read before trusting the pack.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import FileFinder
from pathlib import Path
from types import ModuleType, TracebackType

from drill.lab.loading import SourceOnly


def main() -> None:
    """Run it as `__main__`; what it raises passes through, to a traceback that begins in it."""
    file = Path(sys.argv[1]).resolve()
    sys.path_hooks.insert(0, _sources_of(file.parent))
    sys.path.insert(0, str(file.parent))
    sys.argv[:] = [str(file)]
    module = ModuleType("__main__")
    module.__file__ = str(file)
    sys.modules["__main__"] = module
    sys.excepthook = _from(str(file))
    exec(compile(file.read_bytes(), str(file), "exec"), vars(module))  # noqa: S102


def _sources_of(folder: Path) -> Callable[[str], FileFinder]:
    """A path hook for this folder and those in it."""

    def hook(path: str) -> FileFinder:
        if not Path(path).resolve().is_relative_to(folder):
            raise ImportError("not of the starter", path=path)
        return FileFinder(path, (SourceOnly, [".py"]))

    return hook


def _from(file: str) -> Callable[..., None]:
    """An excepthook that shows nothing of what led to this file."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        start = trace
        while start is not None and start.tb_frame.f_code.co_filename != file:
            start = start.tb_next
        sys.__excepthook__(kind, error.with_traceback(start), start)

    return hook

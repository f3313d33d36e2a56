"""Python files of a pack, loaded by path: `labs` and `questions` are no packages on `sys.path`."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from drill.lab.experiment import Experiment


class SourceOnly(SourceFileLoader):
    """Compiles what stands in the file.

    Bytecode of `__pycache__` is neither read nor written: what a person read before trusting a
    pack must be what runs.
    """

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class LoadError(Exception):
    """A file of a pack that is missing or does not hold what it must."""


def load_module(path: Path) -> ModuleType:
    """The module of a file, under a name made of its path and content.

    A file that has changed is loaded anew; an unchanged one is loaded once a process. What the
    file itself raises passes through.
    """
    path = path.resolve()
    try:
        source = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror or error}") from None
    digest = hashlib.sha256(str(path).encode() + b"\0" + source).hexdigest()[:16]
    name = f"_drill_pack_{digest}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        name, path, loader=SourceOnly(name, str(path)) if path.suffix == ".py" else None
    )
    if spec is None or spec.loader is None:
        raise LoadError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up while it loads
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def load_experiments(path: Path) -> dict[str, Experiment]:
    """The experiments that a file lists in `EXPERIMENTS`, by name; raises LoadError."""
    module = load_module(path)
    listed = getattr(module, "EXPERIMENTS", None)
    if not isinstance(listed, (list, tuple)) or not listed:
        raise LoadError(f"{path}: EXPERIMENTS must be a tuple of Experiment instances")
    experiments: dict[str, Experiment] = {}
    for each in listed:
        if not isinstance(each, Experiment):
            raise LoadError(f"{path}: {each!r} in EXPERIMENTS is no instance of Experiment")
        if each.name in experiments:
            raise LoadError(f"{path}: two experiments are called {each.name}")
        experiments[each.name] = each
    return experiments


def load_experiment(path: Path, name: str) -> Experiment:
    """One experiment of a file; raises LoadError naming those that the file has."""
    experiments = load_experiments(path)
    if name not in experiments:
        raise LoadError(f"{path}: no experiment {name!r}; it has {', '.join(experiments)}")
    return experiments[name]

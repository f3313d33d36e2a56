"""Which of the lab libraries are installed, read from their metadata without importing them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

LIBRARIES: tuple[str, ...] = ("torch", "diffusers", "transformers", "peft", "numpy")
"""What keys depend on, in the order in which a stamp names them."""
LABS: tuple[str, ...] = ("torch", "diffusers", "transformers")
"""Without these neither a lab nor a proof runs."""

_METADATA = ".dist-info"
_DEPENDS: dict[str, tuple[str, ...]] = {
    "torch": ("torch", "numpy"),
    "numpy": ("numpy",),
    "diffusers": ("torch", "diffusers", "transformers", "numpy"),
    "transformers": ("torch", "transformers", "numpy"),
    "peft": ("torch", "transformers", "peft", "numpy"),
    "accelerate": ("torch", "numpy"),
    "safetensors": ("torch",),
    "drill": LIBRARIES,
}


def public(version: str) -> str:
    """A version without its local part: `2.13.0+cpu` and `2.13.0+cu130` give the same keys."""
    return version.partition("+")[0]


def package_folder(name: str) -> Path | None:
    """Folder (or the single file) of a top-level package; nothing of it is executed."""
    from importlib.util import find_spec

    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    file = Path(spec.origin)
    return file.parent if file.name == "__init__.py" else file


def version_of(name: str) -> str:
    """Public version of an installed package by its metadata; empty when there is none."""
    return _version(name, _metadata())


def versions() -> dict[str, str]:
    """Public version of each installed lab library, by name; one that is absent is left out."""
    folders = _metadata()
    return {name: found for name in LIBRARIES if (found := _version(name, folders))}


def _metadata() -> list[str]:
    """Names of the metadata folders of what is installed, such as `torch-2.13.0.dist-info`.

    They tell in 0.3 ms what costs 35 ms with the import of `importlib.metadata`.
    """
    found: list[str] = []
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - names only: a Path each is slow
        except OSError:
            continue
        found += [entry for entry in entries if entry.endswith(_METADATA)]
    return found


def _version(name: str, folders: Iterable[str]) -> str:
    for folder in folders:
        if folder.startswith(f"{name}-"):
            return public(folder[len(name) + 1 : -len(_METADATA)])
    if package_folder(name) is None:
        return ""
    from importlib.metadata import PackageNotFoundError, version  # an editable install, a zip

    try:
        return public(version(name))
    except PackageNotFoundError:
        return ""


def has_labs(installed: Mapping[str, str] | None = None) -> bool:
    """Whether the libraries that proofs, labs and excerpts need are installed."""
    present = versions() if installed is None else installed
    return all(name in present for name in LABS)


def needed_by(packages: Iterable[str]) -> tuple[str, ...]:
    """The libraries whose versions a result depends on, given the top-level packages it imports.

    A proof in plain Python depends on none, so that a new torch does not set it aside.
    """
    wanted = {name for package in packages for name in _DEPENDS.get(package, ())}
    return tuple(name for name in LIBRARIES if name in wanted)


def stamp(of: Mapping[str, str]) -> str:
    """`torch 2.13.0, diffusers 0.42.1`: versions as a learner reads them."""
    return ", ".join(f"{name} {of[name]}" for name in LIBRARIES if name in of)

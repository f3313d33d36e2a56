"""Whether a child on another machine runs the same experiments with libraries that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drill.worker.protocol import Hello

NEEDED: Mapping[str, tuple[str, str]] = {
    "torch": ("2.6", ""),
    "diffusers": ("0.42.1", "0.43"),
    "transformers": ("5.6", "6"),
}
"""Package to the versions that experiments take: from the first on, below the second."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same on both machines and matters."""

    says: str
    stops: bool = False
    """Whether nothing can run because of it."""


def differences(own: Hello, there: Hello, host: str) -> list[Difference]:
    """What matters among the differences between this machine and a child's, worst first.

    Another version of Python, of numpy or a later torch of the same interface does not matter;
    the versions of a run stand with its result.
    """
    found: list[Difference] = []
    for name, (first, below) in NEEDED.items():
        version = there.versions.get(name)
        if version is None:
            says = f"{name} is not installed on {host}; get it there: {_INSTALL}"
            found.append(Difference(says, stops=True))
        elif not _fits(version, first, below):
            wanted = f"{first} or later" + (f", below {below}" if below else "")
            says = f"{host} has {name} {version}, and the experiments are written for {wanted}"
            found.append(Difference(says))
    mine, theirs = own.versions.get("drill", ""), there.versions.get("drill", "")
    if own.pack_hash != there.pack_hash:
        versions = f" ({mine} here, {theirs} there)" if mine != theirs else ""
        says = (
            f"{host} has other labs than this drill{versions}: what comes out may differ from what "
            "the questions expect. Bring both to the same version"
        )
        found.append(Difference(says))
    return sorted(found, key=lambda each: not each.stops)


_INSTALL = "pip install 'diffusion-drill[labs]'"


def _fits(version: str, first: str, below: str) -> bool:
    numbers = _numbers(version)
    return _numbers(first) <= numbers and (not below or numbers < _numbers(below))


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: `2.13.0+cu130` as (2, 13, 0)."""
    found: list[int] = []
    for part in version.partition("+")[0].split("."):
        digits = ""
        for ch in part:
            if not ch.isdigit():
                break
            digits += ch
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)

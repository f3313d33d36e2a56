"""The optional package that fits: absent, or needed."""

from __future__ import annotations

import builtins
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from drill.services import tuning_fit

needs_package = pytest.mark.skipif(
    find_spec(tuning_fit.PACKAGE) is None, reason=f"needs {tuning_fit.INSTALL}"
)


def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if `fsrs-rs-python` were not installed."""
    real = builtins.__import__

    def imported(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] == tuning_fit.PACKAGE:
            raise ModuleNotFoundError(name)
        return real(name, *rest, **named)

    monkeypatch.delitem(sys.modules, tuning_fit.PACKAGE, raising=False)
    monkeypatch.setattr(builtins, "__import__", imported)
    monkeypatch.setattr(tuning_fit, "find_spec", lambda name: None)

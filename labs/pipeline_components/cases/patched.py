"""A service's source with lines replaced: the broken text, the mended one, and both as code."""

from __future__ import annotations

import difflib
import linecache
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

FOLDER = Path(__file__).parent
WRAPPERS = ("decorate_context", "_wrapped_call_impl", "_call_impl", "inner", "stepped")
"""Functions that only call another one: torch's, and this lab's own instruments."""
HEALTHY, BROKEN = "healthy", "broken"


@dataclass(frozen=True)
class Change:
    """A piece of a service's text and what stands in its place."""

    healthy: str
    broken: str


@dataclass(frozen=True)
class Service:
    """A service in two states that differ by `bugs`; `variant` is changed in both."""

    file: str
    bugs: tuple[Change, ...]
    variant: tuple[Change, ...] = ()

    def text(self, state: str) -> str:
        """The source in a state. Raises ValueError where a change does not fit exactly once."""
        text = (FOLDER / self.file).read_text(encoding="utf-8")
        changes = (*self.variant, *(self.bugs if state == BROKEN else ()))
        for change in changes:
            if text.count(change.healthy) != 1:
                raise ValueError(f"{self.file}: not exactly once: {change.healthy!r}")
            text = text.replace(change.healthy, change.broken)
        return text

    def load(self, state: str) -> Any:
        """The service as a module, fresh: nothing that an earlier run left in it."""
        text, name = self.text(state), f"<{state} {self.file}>"
        code: CodeType = compile(text, name, "exec")
        # Tracebacks show the lines that ran, and inspect finds them.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        module = ModuleType(f"_drill_case_{state}_{self.file.removesuffix('.py')}")
        sys.modules[module.__name__] = module  # dataclasses look their module up
        exec(code, module.__dict__)
        return module

    def mend(self) -> list[str]:
        """The lines that the mend changes, as a unified diff shows them, without its head."""
        broken, healthy = self.text(BROKEN).splitlines(), self.text(HEALTHY).splitlines()
        return list(difflib.unified_diff(broken, healthy, lineterm="", n=1))[2:]


def traceback_lines(error: BaseException, most: int = 6) -> list[str]:
    """The last frames of a traceback with library paths cut at the package, as a log shows it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = next((n for n, frame in enumerate(frames) if frame.filename.startswith("<")), 0)
    frames = traceback.StackSummary.from_list(_outer_and_inner(frames[own:], most))
    lines = ["Traceback (most recent call last):"]
    for frame in frames:
        lines.append(f'  File "{_short(frame.filename)}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            lines.append(f"    {frame.line}")
    return [*lines, f"{type(error).__name__}: {error}"]


def _outer_and_inner(frames: Sequence[Any], most: int) -> list[Any]:
    """The service's own frames and the innermost ones; wrappers of calls say nothing."""
    told = [each for each in frames if each.name not in WRAPPERS]
    return told if len(told) <= most else [told[0], *told[-(most - 1) :]]


def _short(filename: str) -> str:
    if filename.startswith("<"):
        return filename.strip("<>").split()[-1]
    parts = Path(filename).parts
    if "site-packages" in parts:
        return "/".join(parts[parts.index("site-packages") + 1 :])
    return parts[-1]

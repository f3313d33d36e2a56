"""How a worker child is started: its command and its environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND_VARIABLE = "DRILL_WORKER"
MODULE = "drill.worker.child"

# Finds this very package, whatever is installed for the interpreter, and nothing else beside it:
# PYTHONPATH would put all of another interpreter's site-packages in front of its own.
_BOOT = """\
import importlib, importlib.util, sys
root, module = sys.argv[1:3]
del sys.argv[1:3]
spec = importlib.util.spec_from_file_location(
    "drill", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["drill"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["drill"])
importlib.import_module(module).main()
"""


def module_command(interpreter: str, module: str = MODULE) -> list[str]:
    """The command that runs `main()` of a module of this package under an interpreter.

    The interpreter needs the standard library only; `-P` keeps files of the working directory
    from passing for modules.
    """
    package = Path(__file__).resolve().parents[1]
    return [interpreter, "-P", "-u", "-c", _BOOT, str(package), module]


def worker_command(configured: str | Sequence[str] = "", module: str = MODULE) -> list[str]:
    """The command of a child: `DRILL_WORKER`, else the configured one, else this interpreter.

    A string is split as a shell would, without running one: `ssh gpubox drill worker`. A single
    word whose file name starts with `python` is an interpreter, which then runs this package.
    """
    chosen: str | Sequence[str] = os.environ.get(COMMAND_VARIABLE, "") or configured
    words = shlex.split(chosen) if isinstance(chosen, str) else list(chosen)
    if not words:
        return module_command(sys.executable, module)
    if len(words) == 1 and Path(words[0]).name.lower().startswith("python"):
        return module_command(words[0], module)
    return words


def worker_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The child's environment: UTF-8 throughout, and no progress bars in the log."""
    environment = dict(os.environ if base is None else base)
    environment["PYTHONIOENCODING"] = "utf-8"
    environment.setdefault("TQDM_DISABLE", "1")
    return environment

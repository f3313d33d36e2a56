"""The experiments' packages (torch above all): whether they are here, on their way, or missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from drill import paths

State = Literal["ready", "installing", "missing", "failed"]
ENV_AUTO = "DRILL_INSTALL_LABS"
_NEEDED = ("torch", "diffusers", "transformers", "peft", "safetensors", "PIL", "numpy")


@dataclass(frozen=True, slots=True)
class LabsPackages:
    """Standing of the packages, to be shown on the home screen."""

    state: State
    doing: str = ""
    packages: int = 0
    """How many packages pip has found so far."""
    seconds: float = 0.0
    log: str = ""

    def line(self) -> str:
        """One line for a person."""
        if self.state == "ready":
            return "experiments ready"
        if self.state == "installing":
            spent = f"{int(self.seconds) // 60}:{int(self.seconds) % 60:02d}"
            return f"installing the experiments' packages: {self.doing} ({spent})"
        if self.state == "failed":
            return f"the experiments' packages did not install: {self.doing}; see {self.log}"
        return "experiments need torch and diffusers: pip install 'diffusion-drill[labs]'"


def present() -> bool:
    """Whether every package can be imported here; nothing is imported to find out."""
    return all(find_spec(name) is not None for name in _NEEDED)


def standing() -> LabsPackages:
    """The state now; reads one small file and asks no package to load."""
    state_file = _state_file()
    document: dict[str, object] = {}
    try:
        document = json.loads(state_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = {}
    if document.get("prefix") == sys.prefix and document.get("state") == "installing":
        if _alive(int(str(document.get("pid", 0)))):
            return LabsPackages(
                "installing",
                str(document.get("doing", "")),
                int(str(document.get("packages", 0))),
                max(0.0, time.time() - float(str(document.get("begun", 0)))),
                str(document.get("log", "")),
            )
        document = {**document, "state": "failed", "doing": "it was interrupted"}
    if present():
        return LabsPackages("ready")
    if document.get("prefix") == sys.prefix and document.get("state") == "failed":
        return LabsPackages(
            "failed", str(document.get("doing", "")), log=str(document.get("log", ""))
        )
    return LabsPackages("missing")


def wanted() -> bool:
    """Whether `make drill` asked for the installation to start by itself."""
    return os.environ.get(ENV_AUTO) == "auto"


def install() -> LabsPackages:
    """Start the installation in the background, once; returns the standing after it.

    From a checkout the checkout's own `labs` extra and its `constraints.txt` are used.
    """
    now = standing()
    if now.state in ("ready", "installing"):
        return now
    root = Path(__file__).resolve().parents[2]
    checkout = (root / "pyproject.toml").is_file() and (root / "constraints.txt").is_file()
    requirement = f"{root}[labs]" if checkout else "diffusion-drill[labs]"
    constraints = str(root / "constraints.txt") if checkout else ""
    log = paths.log_dir() / "install-labs.log"
    state_file = _state_file()
    state_file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "drill.worker.install_labs"]
    subprocess.Popen(
        [*command, str(state_file), str(log), requirement, constraints],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the person may quit the app before pip is done
    )
    return LabsPackages("installing", "starting pip", log=str(log))


def _state_file() -> Path:
    return paths.home() / "install-labs.json"


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""Writing an answer in the learner's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from textual.app import App, SuspendNotSupported


def edit(app: App[int], text: str, suffix: str, configured: Sequence[str]) -> str | None:
    """Open `text` in an editor and return what was saved; None (with a notice) if none opens."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    command = list(configured) or shlex.split(named) or ["nano"]
    if shutil.which(command[0]) is None:
        app.notify(
            f"{command[0]} is not there; set `editor` in config.toml or $EDITOR.",
            severity="error",
            markup=False,
        )
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answer{suffix}"
        path.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                done = subprocess.run([*command, str(path)], check=False)
        except SuspendNotSupported:
            app.notify("This terminal cannot hand over to an editor.", severity="error")
            return None
        if done.returncode != 0:
            app.notify(f"The editor ended with {done.returncode}.", severity="warning")
        return path.read_text(encoding="utf-8")

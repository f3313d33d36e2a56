"""Installs the experiments' packages beside the running app: `python -m drill.worker.install_labs`.

It outlives the app that started it, writes its standing to a small JSON file and everything that
pip says to a log. Only one runs at a time for an environment.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

_DOING = re.compile(r"^\s*(Collecting|Downloading|Installing collected packages:?)\s+(\S+)")


def main(argv: list[str]) -> int:
    """Run pip and report; `argv` is [state file, log file, requirement, constraints or ""]."""
    state_file, log_file, requirement, constraints = (Path(a) if a else None for a in argv)
    assert state_file is not None and log_file is not None and requirement is not None
    state_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with state_file.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0  # another one is at it
        return _install(state_file, log_file, str(argv[2]), constraints)


def _install(state_file: Path, log_file: Path, requirement: str, constraints: Path | None) -> int:
    begun = time.time()
    seen: list[str] = []

    def tell(state: str, doing: str) -> None:
        document = {
            "state": state,
            "doing": doing,
            "packages": len(seen),
            "begun": begun,
            "pid": os.getpid(),
            "prefix": sys.prefix,
            "log": str(log_file),
        }
        temporary = state_file.with_suffix(".new")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        temporary.replace(state_file)

    command = [sys.executable, "-P", "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off"]
    if constraints is not None:
        command += ["-c", str(constraints)]
    editable = Path(requirement.split("[")[0]).is_dir()
    command += ["-e", requirement] if editable else [requirement]
    tell("installing", "starting pip")
    with log_file.open("w", encoding="utf-8") as log:
        pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            log.flush()
            if found := _DOING.match(line):
                verb, what = found.groups()
                if verb == "Collecting":
                    seen.append(what)
                if verb.startswith("Installing"):
                    tell("installing", f"installing {len(line.split(', '))} packages")
                else:
                    tell("installing", f"{verb.lower()} {what}")
        code = pip.wait()
    tell("ready" if code == 0 else "failed", "" if code == 0 else f"pip ended with {code}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

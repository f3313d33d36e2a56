"""Builds the wheel, installs it in an empty environment, and asks it for its content.

Run by `make wheel`; it needs the package index for drill's own dependencies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path, home: Path) -> str:
    """Run a command and return its stdout; a failure ends the script with what it said."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    env["DRILL_HOME"] = str(home)
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        home = here / "home"
        run(
            sys.executable, "-m", "build", "--wheel", "-o", here / "dist", ROOT, cwd=here, home=home
        )
        (wheel,) = (here / "dist").glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        top = {name.split("/")[0] for name in names}
        stray = {name for name in top if name != "drill" and not name.endswith(".dist-info")}
        assert not stray, f"the wheel puts {stray} on the user's path"
        run(sys.executable, "-m", "venv", here / "env", cwd=here, home=home)
        python = here / "env" / "bin" / "python"
        run(
            python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
            "-c", ROOT / "constraints.txt", wheel, cwd=here, home=home,
        )  # fmt: skip
        elsewhere = here / "elsewhere"
        elsewhere.mkdir()
        drill = here / "env" / "bin" / "drill"
        stats = json.loads(run(drill, "bank", "stats", "--json", cwd=elsewhere, home=home))
        ours = json.loads(
            run(
                sys.executable,
                "-m",
                "drill",
                "bank",
                "stats",
                "--json",
                cwd=ROOT,
                home=here / "own",
            )
        )
        assert stats["total"] == ours["total"] > 0, (stats["total"], ours["total"])
        assert stats["topics"] == ours["topics"]
        labs = json.loads(run(drill, "lab", "list", "--json", cwd=elsewhere, home=home))
        assert labs["labs"], "no labs in the wheel"
        found = run(
            python, "-c", "import importlib.util as u; print(u.find_spec('labs'))",
            cwd=elsewhere, home=home,
        )  # fmt: skip
        assert found.strip() == "None", f"`labs` is importable: {found}"
        run(drill, "--help", cwd=elsewhere, home=home)
        run(here / "env" / "bin" / "diffusion-drill", "--version", cwd=elsewhere, home=home)
        size = wheel.stat().st_size / 1e6
        sys.stdout.write(f"wheel: {stats['total']} items, {size:.1f} MB, nothing stray\n")


if __name__ == "__main__":
    main()

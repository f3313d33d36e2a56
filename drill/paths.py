"""Every folder and file of drill's own, in one place. `DRILL_HOME` moves all of it."""

from __future__ import annotations

import os
from pathlib import Path

ENV_HOME = "DRILL_HOME"


def home() -> Path:
    """The folder of all state; `DRILL_HOME`, else the platform's user data folder."""
    given = os.environ.get(ENV_HOME)
    if given:
        return Path(given).expanduser()
    import platformdirs  # 5 ms; not needed where DRILL_HOME is set

    return Path(platformdirs.user_data_dir("drill", appauthor=False))


def database() -> Path:
    """The one SQLite file with reviews, states, sessions and runs."""
    return home() / "drill.db"


def config_file() -> Path:
    """Settings that a person edits by hand, as TOML."""
    return home() / "config.toml"


def cache_dir() -> Path:
    """What can be made again: the compiled bank and the index of installed source."""
    return home() / "cache"


def log_dir() -> Path:
    """Logs of the experiment child, of crashes and of the background installation."""
    return home() / "logs"


def runs_dir() -> Path:
    """Pictures and results of experiment runs, one folder a run."""
    return home() / "runs"


def backup_dir() -> Path:
    """Verified copies of the database."""
    return home() / "backups"


def user_packs_dir() -> Path:
    """Packs that the learner added."""
    return home() / "packs"


def trust_file() -> Path:
    """Which packs' code may run, and the digest of it. Of this machine: it never travels."""
    return home() / "trust.json"


def builtin_pack() -> Path:
    """The pack that ships with drill: inside the wheel, else the root of the repository."""
    package = Path(__file__).parent
    inside = package / "_pack"
    return inside if inside.is_dir() else package.parent


def packs() -> list[Path]:
    """All packs that are opened, the built-in one first."""
    folder = user_packs_dir()
    if not folder.is_dir():
        return [builtin_pack()]
    # What begins with a dot is a pack that is being copied.
    own = [p for p in sorted(folder.iterdir()) if p.name[:1] != "." and (p / "questions").is_dir()]
    return [builtin_pack(), *own]

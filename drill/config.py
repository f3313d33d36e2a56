"""Settings from `config.toml`: few, typed, with clear errors; a missing file means defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct

from drill.config_judge import JudgeConfig
from drill.config_judge import read as read_judge

Images = Literal["auto", "halfblock", "sharp", "off"]


class ConfigError(ValueError):
    """The file cannot be used; the message names the file, the key and the way out."""


class Config(Struct, frozen=True):
    """What a person may set in `config.toml`."""

    roll_over_hour: int = 4
    """Local hour at which a study day begins."""
    new_per_day: int = 12
    """New questions a day of plain FSRS; on the way to an interview date the minutes limit them."""
    desired_retention: float = 0.9
    images: Images = "auto"
    theme: str = ""
    """Name of a Textual theme; empty: the one chosen last in the app."""
    worker: tuple[str, ...] = ()
    """Command that starts the experiment child, such as `/opt/torch/bin/python`."""
    host: str = ""
    """Machine that experiments run on, as ssh takes it: `user@gpubox`; empty: this one."""
    ssh: tuple[str, ...] = ()
    """How `host` is reached; empty: `drill.services.remote.SSH`."""
    remote: tuple[str, ...] = ()
    """drill's command on `host`; empty: `drill`. A full path where ssh finds no `drill`."""
    device: str = ""
    """`cpu`, `cuda`, `mps`; empty: the best that is there."""
    editor: tuple[str, ...] = ()
    """Editor for `code` answers; empty: `$VISUAL`, `$EDITOR`, else the app's own."""
    keys: dict[str, str] = {}
    """Action id to keys, such as `{"session.hint": "h,f2"}`."""
    judge: JudgeConfig = JudgeConfig()
    """Outside judge of free text in mock interviews; off by default."""


_RANGES: dict[str, tuple[float, float]] = {
    "roll_over_hour": (0, 23),
    "new_per_day": (0, 200),
    "desired_retention": (0.7, 0.97),
}


def load(path: Path) -> Config:
    """Read the settings.

    Raises:
        ConfigError: not TOML, an unknown key (the nearest one is named), a wrong type or range.
    """
    try:
        given = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: {error}. Mend or remove the file.") from error
    import tomllib

    try:
        raw = tomllib.loads(given)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}. Mend or remove the file.") from error
    fields = Config.__struct_fields__
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in fields:
            import difflib

            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(fields)}"
            raise ConfigError(f"{path}: unknown key `{key}`{hint}")
        values[key] = _checked(path, key, value)
    return Config(**values)


def _checked(path: Path, key: str, value: Any) -> Any:
    def wrong(expected: str) -> ConfigError:
        return ConfigError(f"{path}: `{key}` is {value!r}; expected {expected}")

    if key in _RANGES:
        low, high = _RANGES[key]
        whole = key != "desired_retention"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high or (whole and not isinstance(value, int)):
            raise wrong(f"a {'whole ' if whole else ''}number from {low:g} to {high:g}")
        return value
    if key in ("worker", "editor", "ssh", "remote"):
        if isinstance(value, str):
            import shlex

            return tuple(shlex.split(value))
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return tuple(value)
        raise wrong("a command: a string or a list of strings")
    if key == "judge":
        try:
            return read_judge(value)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from error
    if key == "keys":
        if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
            return dict(value)
        raise wrong("a table of action id = keys")
    if key == "images" and value not in get_args(Images):
        raise wrong(" or ".join(f"`{v}`" for v in get_args(Images)))
    if not isinstance(value, str):
        raise wrong("a string")
    if key == "host" and (value.startswith("-") or any(ch.isspace() for ch in value)):
        raise wrong("a host as ssh takes it, such as `gpubox` or `user@gpubox`")
    return value

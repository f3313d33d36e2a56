"""The `[judge]` table of `config.toml`: an outside judge of free text, off where it is missing.

Messages name keys and never values, since a value may be a secret that was put in the wrong place.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

LEAST_SECONDS, MOST_SECONDS = 1.0, 60.0
_WAY_OUT = "`drill mock --help` shows a `[judge]` table; without the table the judge is off"


class JudgeConfig(Struct, frozen=True):
    """Where a judge is reached; off where `url` is empty."""

    url: str = ""
    """Base address of an OpenAI-compatible endpoint, such as `http://localhost:8000/v1`."""
    model: str = ""
    key_env: str = ""
    """Name of the environment variable that holds the key; empty: no key is sent."""
    seconds: float = 10.0
    """Limit of one whole request."""

    @property
    def on(self) -> bool:
        """Whether answers are sent anywhere."""
        return bool(self.url)


def read(table: Any) -> JudgeConfig:
    """The table as given in TOML.

    Raises:
        ValueError: what is wrong with which key, and the way out; it quotes no value.
    """
    if not isinstance(table, dict):
        raise ValueError(f"`judge` must be a table; {_WAY_OUT}")
    known = JudgeConfig.__struct_fields__
    for key in table:
        if key in ("key", "api_key", "token"):
            raise ValueError(
                f"`judge.{key}`: a key does not belong into this file. Put it into an environment "
                "variable and name that one: key_env = 'MY_JUDGE_KEY'"
            )
        if key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
            raise ValueError(f"unknown key `judge.{key}`; {hint}")
    given = JudgeConfig(
        _url(table.get("url", "")),
        _line(table, "model"),
        _variable(_line(table, "key_env")),
        _seconds(table.get("seconds", 10.0)),
    )
    for key in ("url", "model"):
        if not getattr(given, key):
            raise ValueError(f"`judge.{key}` is missing; {_WAY_OUT}")
    _not_in_the_clear(given)
    return given


def _line(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > 200 or any(not c.isprintable() for c in value):
        raise ValueError(f"`judge.{key}` must be one line of text")
    return value.strip()


def _url(value: Any) -> str:
    from urllib.parse import urlsplit

    wanted = "an address such as `http://localhost:8000/v1` or `https://host.example/v1`"
    if not isinstance(value, str) or any(not "!" <= char <= "~" for char in value):
        raise ValueError(f"`judge.url` must be {wanted}, without spaces")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"`judge.url` is no address; expected {wanted}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"`judge.url` must be {wanted}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            "`judge.url` must hold no user, password, `?` or `#`; a key goes into the environment "
            "variable that `judge.key_env` names"
        )
    return value.rstrip("/").removesuffix("/chat/completions")


def _variable(value: str) -> str:
    from string import ascii_uppercase, digits

    if value and (value[0] in digits or not set(value) <= set(ascii_uppercase + digits + "_")):
        raise ValueError(
            "`judge.key_env` must be the name of an environment variable in capital letters, such "
            "as `MY_JUDGE_KEY`, not the key itself"
        )
    return value


def _seconds(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not LEAST_SECONDS <= value <= MOST_SECONDS:
        raise ValueError(
            f"`judge.seconds` must be a number from {LEAST_SECONDS:g} to {MOST_SECONDS:g}"
        )
    return float(value)


def _not_in_the_clear(given: JudgeConfig) -> None:
    """Refuse to send a key to another machine without TLS."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    parts = urlsplit(given.url)
    host = parts.hostname or ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    if parts.scheme == "http" and given.key_env and not local:
        raise ValueError(
            "`judge.url` is plain http to another machine, where anybody on the way could read "
            "the key of `judge.key_env`; use https, or a tunnel to localhost"
        )

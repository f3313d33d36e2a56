"""Data on stdout, narration on stderr, and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click
import msgspec

if TYPE_CHECKING:
    from drill.services.app import Drill

OK, NO, USAGE = 0, 1, 2


def emit(document: Any) -> None:
    """Print one JSON document."""
    plain = msgspec.to_builtins(document, enc_hook=_plain)
    print(json.dumps(plain, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def say(text: str) -> None:
    """Narration, for a person."""
    print(text, file=sys.stderr)


def stop(text: str, code: int = USAGE) -> NoReturn:
    """End with a message on stderr."""
    print(f"drill: {text}", file=sys.stderr)
    sys.exit(code)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@contextmanager
def opened() -> Iterator[Drill]:
    """The services, with errors told in one line."""
    from drill.config import ConfigError
    from drill.services.app import Drill, OpenError

    try:
        drill = Drill()
    except (ConfigError, OpenError) as error:
        stop(str(error))
    with drill:
        yield drill

"""Data on stdout, narration on stderr, and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click
import msgspec

if TYPE_CHECKING:
    from drill.services.app import Drill

OK, NO, USAGE = 0, 1, 2


def emit(document: Any) -> None:
    """Print one JSON document; ends the command where standard output takes none."""
    plain = msgspec.to_builtins(document, enc_hook=_plain)
    try:
        print(json.dumps(plain, ensure_ascii=False, indent=2), flush=True)
    except BrokenPipeError:
        raise  # a reader that has enough: click ends it quietly
    except OSError as error:
        _drop_output()
        stop(f"standard output: {error.strerror or error}")


def _drop_output() -> None:
    """Let what is left in the buffer go nowhere, or Python tells of it again at its end."""
    import os

    with suppress(OSError, ValueError):
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, sys.stdout.fileno())
        os.close(handle)


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
    """The services; errors of the settings and of the data are told in one line."""
    from drill.config import ConfigError
    from drill.services.app import Drill, OpenError

    try:
        with Drill() as drill:
            yield drill
    except (ConfigError, OpenError) as error:
        stop(str(error))
    except Exception as error:
        from drill.services.data_trouble import trouble

        told = trouble(error)
        if not told:
            raise
        stop(told)

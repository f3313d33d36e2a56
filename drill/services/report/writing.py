"""Writing a report to a file: its name, and never over another file."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from drill.services.report.rendering import BUILTIN, Format, user_templates

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.report.scope import Wanted

FOLDER = "reports"
"""Of the data folder: where the app puts its reports."""


class WriteError(Exception):
    """A report was not written; the message says why and the way out."""


class Written(Struct, frozen=True):
    """A report that lies in a file."""

    path: Path
    size: int
    """Bytes."""


def home_of(drill: Drill) -> Path:
    """The data folder of an opened drill."""
    return drill.store.path.parent


def make(drill: Drill, wanted: Wanted, form: Format) -> str:
    """The text of a report; raises what `gather` and `rendered` raise."""
    from drill.services.report.gather import gather
    from drill.services.report.rendering import rendered

    return rendered(gather(drill, wanted), form, home_of(drill))


def write_into_home(drill: Drill, wanted: Wanted, form: Format = "html") -> Written:
    """Write a report into the data folder's `reports/`; raises as `make` and `write` do."""
    from drill.domain.memory.study_day import date_of_day

    text = make(drill, wanted, form)
    folder = home_of(drill) / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror or error}") from error
    return write(text, folder / default_name(date_of_day(drill.store.today()), form), numbered=True)


def default_name(day: date, form: Format) -> str:
    """`drill-report-2026-11-23.html`."""
    return f"drill-report-{day.isoformat()}.{form}"


def write(text: str, path: Path, *, numbered: bool = False, force: bool = False) -> Written:
    """Write a report whole or not at all.

    Args:
        numbered: take the next free `NAME-2` where there is such a file already.
        force: replace a file that is there.

    Raises:
        WriteError: there is such a file, or the place cannot be written.
    """
    raw = text.encode("utf-8")
    # Beside the target, so that it takes its name in one step.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(raw)
        try:
            taken = _take_name(partial, path, numbered=numbered, force=force)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        raise WriteError(f"{path} is there already: --force replaces it") from None
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from error
    return Written(taken, len(raw))


def _take_name(partial: Path, path: Path, *, numbered: bool, force: bool) -> Path:
    if force:
        return partial.replace(path)
    for number in range(1, 10_000):
        wanted = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        try:
            _link(partial, wanted)
        except FileExistsError:
            if not numbered:
                raise
            continue
        return wanted
    raise OSError(f"there are too many files like {path.name}")


def _link(partial: Path, wanted: Path) -> None:
    """Give a file another name that must be free; copies where there are no hard links."""
    try:
        os.link(partial, wanted)
    except FileExistsError:
        raise
    except OSError:
        with wanted.open("xb") as file:
            file.write(partial.read_bytes())


# -- templates ------------------------------------------------------------------------


class Templates(Struct, frozen=True):
    """Where templates are looked for."""

    own: Path
    builtin: Path
    names: tuple[str, ...]
    """Of drill's own."""
    replaced: tuple[str, ...]
    """Those that the user has a file for."""


def templates(home: Path) -> Templates:
    """Which templates there are and which of them the user replaced."""
    own = user_templates(home)
    names = tuple(sorted(path.name for path in BUILTIN.iterdir() if path.is_file()))
    replaced = tuple(name for name in names if (own / name).is_file())
    return Templates(own, BUILTIN, names, replaced)


def copy_templates(home: Path) -> list[Path]:
    """Copy drill's own templates into the user's folder; a file that is there stays as it is.

    Raises:
        WriteError: the folder cannot be written.
    """
    found = templates(home)
    copied = []
    try:
        found.own.mkdir(parents=True, exist_ok=True)
        for name in found.names:
            target = found.own / name
            if not target.exists():
                shutil.copyfile(found.builtin / name, target)
                copied.append(target)
    except OSError as error:
        raise WriteError(f"{found.own} cannot be written: {error.strerror or error}") from error
    return copied

"""`drill report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill.cli.output import NO, opened, say, stop

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.report.rendering import Format
    from drill.services.report.scope import Wanted


@click.command(
    epilog="Exit codes: 0 written, 1 there is no such interview, 2 usage or environment: a file "
    "that is there already, a place that cannot be written, a template that is broken."
)
@click.option(
    "--format", "form", type=click.Choice(["html", "md", "json"]), default=None,
    help="html (the default), md or json; else by the ending of --out.",
)  # fmt: skip
@click.option("--out", default="", metavar="FILE", help="A file or a folder; `-` is stdout.")
@click.option(
    "--days", type=click.IntRange(1, 36_500), default=None, metavar="N",
    help="The last N days, with today.",
)  # fmt: skip
@click.option("--since", default="", metavar="DATE", help="From a day on, such as 2026-11-01.")
@click.option("--mock", default="", metavar="ID", help="One interview: its id, or `last`.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option("--force", is_flag=True, help="Replace the file of --out where there is one.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json --out -.")
@click.option("--templates", is_flag=True, help="Where templates of your own go; writes nothing.")
@click.option("--copy", is_flag=True, help="With --templates: put drill's own there to be changed.")
def report(
    form: Format | None,
    out: str,
    days: int | None,
    since: str,
    mock: str,
    opens: bool,
    force: bool,
    as_json: bool,
    templates: bool,
    copy: bool,
) -> None:
    """Write the study report: one file to read, to print or to send.

    It is about everything, or about --days, --since or --mock. Without --out the file is called
    drill-report-DATE.html in the present folder, or -2, -3 where there is one: nothing is replaced
    but by --force. The HTML needs no network, no script and nothing beside it.
    """
    from drill.services.report.scope import Wanted

    if as_json:
        if form not in (None, "json") or out not in ("", "-"):
            stop("--json is --format json --out -: give one of the two")
        form, out = "json", "-"
    if copy and not templates:
        stop("--copy goes with --templates")
    with opened() as drill:
        if templates:
            _templates(drill, copy)
            return
        _write(drill, Wanted(days or 0, since, mock), form or _by_ending(out), out, opens, force)


def _by_ending(out: str) -> Format:
    endings: dict[str, Format] = {".md": "md", ".markdown": "md", ".json": "json"}
    return endings.get(Path(out).suffix.lower(), "html")


def _write(drill: Drill, wanted: Wanted, form: Format, out: str, opens: bool, force: bool) -> None:
    from drill.domain.memory.study_day import date_of_day
    from drill.services.report.mocks import NoInterviewError
    from drill.services.report.rendering import ReportTemplateError
    from drill.services.report.scope import ScopeError
    from drill.services.report.writing import WriteError, default_name, make, write

    if out == "-" and opens:
        stop("--open needs a file: leave --out - out")
    try:
        text = make(drill, wanted, form)
    except NoInterviewError as error:
        stop(str(error), NO)
    except (ScopeError, ReportTemplateError) as error:
        stop(str(error))
    if out == "-":
        sys.stdout.buffer.write(text.encode("utf-8"))
        return
    path = Path(out).expanduser() if out else Path()
    named = bool(out) and not path.is_dir()
    if not named:
        path = path / default_name(date_of_day(drill.store.today()), form)
    try:
        written = write(text, path, numbered=not named, force=force and named)
    except WriteError as error:
        stop(str(error))
    say(f"{written.path.resolve()}  {_size(written.size)}")
    if opens and click.launch(str(written.path.resolve())):
        say("drill: no program opened it; open the file by hand")


def _size(count: int) -> str:
    return f"{count / 1000:,.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def _templates(drill: Drill, copy: bool) -> None:
    from drill.services.report.writing import WriteError, copy_templates, home_of, templates

    home = home_of(drill)
    if copy:
        try:
            copied = copy_templates(home)
        except WriteError as error:
            stop(str(error))
        say(f"copied {len(copied)}; what was there already stays as it is")
    found = templates(home)
    print(f"yours      {found.own}")
    print(f"drill's    {found.builtin}")
    for name in found.names:
        print(f"  {name:<16} {'yours' if name in found.replaced else 'drill'}")

"""From the document to HTML, Markdown or JSON, by templates that a user may replace.

Templates are looked for in `templates/report` of the data folder, then in drill's own folder, and
`builtin/NAME` always means drill's own, so that a user's template can extend it. They run in
Jinja's sandbox: they see the document and write text.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from drill.domain.counted import counted
from drill.services.report import markup, plots, words
from drill.services.report.answers import quoted
from drill.services.report.document import Report
from drill.services.report.scope import long_date, short_date

Format = Literal["html", "md", "json"]
FORMATS: tuple[Format, ...] = ("html", "md", "json")
BUILTIN = Path(__file__).parents[2] / "templates" / "report"
_WRONG = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a template can raise by what it says."""
MAIN: dict[str, str] = {"html": "report.html", "md": "report.md"}


class ReportTemplateError(Exception):
    """A template cannot be used; the message names its file and line and the way out."""


def user_templates(home: Path) -> Path:
    """Where a user's own templates lie."""
    return home / "templates" / "report"


def rendered(report: Report, form: Format, home: Path) -> str:
    """The report as text in a format.

    Raises:
        ReportTemplateError: a template is missing, broken or asks for what is not there.
    """
    if form == "json":
        return json.dumps(msgspec.to_builtins(report), ensure_ascii=False, indent=1) + "\n"
    environment = _environment(form, user_templates(home))
    try:
        text = environment.get_template(MAIN[form]).render(report=report)
    except _WRONG as error:
        raise ReportTemplateError(_told(error, user_templates(home))) from error
    return _tidied(text) if form == "md" else text


@lru_cache(maxsize=4)
def _environment(form: Format, own: Path) -> Environment:
    """Templates that change are read again."""
    builtin = FileSystemLoader(BUILTIN)
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(own), PrefixLoader({"builtin": builtin}), builtin]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=markup.markdown if form == "md" else None,
    )
    made.globals.update(
        activity_plot=plots.activity,
        calibration_plot=plots.calibration,
        curves_plot=plots.curves,
        topic_bar=plots.topic_bar,
        mock_words=_mock_words(),
    )
    made.filters.update(
        percent=words.percent,
        duration=words.duration,
        counted=counted,
        times=words.times,
        long_date=long_date,
        short_date=short_date,
        sentence=words.sentence,
        quoted=quoted,
        topic_name=words.of,
        prose=markup.prose if form == "html" else markup.markdown_prose,
        block=markup.block if form == "html" else markup.markdown_block,
        reading=markup.reading,
        code=markup.inside_code,
    )
    return made


def _mock_words() -> dict[str, Any]:
    from drill.services import mock_words

    return {
        "how": mock_words.HOW,
        "band": mock_words.band_words,
        "interval": mock_words.interval,
        "clock": mock_words.clock,
        "facts": mock_words.facts_words,
    }


def _tidied(text: str) -> str:
    """Markdown with at most one blank line between two lines, outside of fences."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif not line.strip():
            if not lines or not lines[-1]:
                continue
            line = ""
        lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"


# -- errors ---------------------------------------------------------------------------


def _told(error: Exception, own: Path) -> str:
    """What is wrong with which line of which template, and the way out."""
    if isinstance(error, TemplateSyntaxError):
        file, line = error.filename or error.name or "a template", error.lineno
        said = error.message or "not a template"
    else:
        file, line = _place(error)
        said = str(error).strip() or type(error).__name__
    place = f"{file}:{line}" if line else file
    way = (
        "Mend the file or remove it: without it drill's own is used"
        if _within(file, own)
        else "`drill report --templates` names the folder of your own templates"
    )
    return f"{place}: {said}. {way}."


def _place(error: Exception) -> tuple[str, int]:
    """The innermost line of a template in a traceback; Jinja gives it the template's numbers."""
    found = ("the report's templates", 0)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".html", ".md", ".css")):
            found = file, trace.tb_lineno
        trace = trace.tb_next
    return found


def _within(file: str, folder: Path) -> bool:
    return Path(file).is_relative_to(folder)

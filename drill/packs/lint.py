"""What is valid but poor, or cannot work, in one item: tells, missing feedback, broken code."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator, Sequence

from drill.domain import questions as run
from drill.packs import schema
from drill.packs.compile import Entry
from drill.packs.problems import Loc, Problem

WIDTH, MAX_WIDTH = 80, 88
"""Columns of code: beyond the first a warning, beyond the second an error, as it never wraps."""
TELL = 1.6
"""A right option that is this many times as long as the others are on average gives itself away."""
TO_PROVE = ("number", "shape", "output", "formula")
"""Types whose key can always be recomputed."""


def lint(entry: Entry) -> Iterator[Problem]:
    """Every lint of one item."""
    yield from _topic_folder(entry)
    yield from _feedback(entry)
    yield from _tell(entry)
    yield from _code(entry)
    yield from _proof(entry)
    yield from _rubric(entry)


def _topic_folder(entry: Entry) -> Iterator[Problem]:
    folder = entry.report.file.split("/")[1]
    if folder != entry.item.topic:
        said = f"the item is of {entry.item.topic} and stands in questions/{folder}"
        yield entry.report.problem(("topic",), said, f"it in questions/{entry.item.topic}")


def _feedback(entry: Entry) -> Iterator[Problem]:
    item, report = entry.item, entry.report
    for name in ("options", "effects", "causes"):
        for n, option in enumerate(getattr(item, name, ())):
            if option.right or option.says:
                continue
            bare = not option.misconception
            said = "a wrong option without feedback"
            yield report.problem((name, n), said, "`says`", warning=not bare)
    for name in ("faults", "others"):
        for n, fault in enumerate(getattr(item, name, ())):
            if not fault.says and not fault.misconception:
                said = "a wrong answer that is known, but nothing is said about it"
                yield report.problem((name, n), said, "`says` or `misconception`")


def _tell(entry: Entry) -> Iterator[Problem]:
    body = entry.compiled.questions[0].body
    options: Sequence[run.Option | run.Cause] = ()
    if isinstance(body, run.ChoiceBody) and not body.many:
        options, name = body.options, "options"
    elif isinstance(body, run.MutantBody):
        options, name = body.effects, "effects"
    elif isinstance(body, run.DiagnoseBody):
        options, name = body.causes, "causes"
    if not options:
        return
    place = next(n for n, option in enumerate(options) if option.right)
    right = len(options[place].text)
    others = [len(option.text) for option in options if not option.right]
    mean = statistics.mean(others)
    if right > TELL * mean and right > max(others) + 8:
        yield entry.report.problem(
            (name, place, "text"),
            f"the right option is {right / mean:.1f} times as long as the others: that tells it",
            "options of about the same length",
            warning=True,
        )


def _code(entry: Entry) -> Iterator[Problem]:
    item, report = entry.item, entry.report
    for name in ("code", "starter", "solution"):
        text = getattr(item, name, None)
        shown = [q.code.text for q in entry.compiled.questions if q.code is not None]
        texts = shown if name == "code" else [text] if text else []
        widest = max((len(line) for t in texts for line in t.split("\n")), default=0)
        if text and widest > WIDTH:
            yield report.problem(
                (name,),
                f"the widest line has {widest} columns",
                f"at most {WIDTH}, as code is never wrapped",
                warning=widest <= MAX_WIDTH,
            )
    for question in entry.compiled.questions:
        found = list(_python(entry, question))
        if found:
            yield from found
            return


def _python(entry: Entry, question: run.Question) -> Iterator[Problem]:
    """Code that is executed must be Python."""
    if question.code is None or question.code.lang != "python":
        return
    executed = entry.compiled.site.proof == "code" or entry.compiled.site.property
    if not executed:
        return
    lines = question.code.text.split("\n")
    versions: list[tuple[Loc, str]] = [(("code",), question.code.text)]
    if isinstance(question.body, run.MutantBody):
        at = question.body.line - 1
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        original = [*lines[:at], indent + question.body.was, *lines[at + 1 :]]
        versions.append((("key", "was"), "\n".join(original)))
    for loc, text in versions:
        try:
            ast.parse(text)
        except SyntaxError as error:
            said = f"the code is not Python: {error.msg} (its line {error.lineno})"
            yield entry.report.problem(loc, said, "code that runs")


def _proof(entry: Entry) -> Iterator[Problem]:
    site = entry.compiled.site
    if entry.item.type in TO_PROVE and not site.proof:
        said = "nothing recomputes this key"
        yield entry.report.problem((), said, "`proof`: a function in proofs.py", warning=True)


def _rubric(entry: Entry) -> Iterator[Problem]:
    if not isinstance(entry.item, schema.ExplainItem):
        return
    from drill.domain.rubric.lint import lint_item

    seen: set[str] = set()
    for question in entry.compiled.questions:
        assert isinstance(question.body, run.ExplainBody)
        for said in lint_item(question.body):
            if said not in seen:
                seen.add(said)
                yield entry.report.problem(_rubric_place(entry.item, said), said)


def _rubric_place(item: schema.ExplainItem, said: str) -> Loc:
    """The field that a sentence of the rubric's lint begins with: `point ID: ...`."""
    kind, _, name = said.partition(":")[0].partition(" ")
    if kind == "point":
        return next((("points", n) for n, p in enumerate(item.points) if p.id == name), ("points",))
    if kind == "misconception":
        found = (("misconceptions", n) for n, b in enumerate(item.misconceptions) if b.id == name)
        return next(found, ("misconceptions",))
    return ("model_answer",) if kind == "model_answer" else ("points",)

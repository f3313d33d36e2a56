"""An item put to its own graders: the key must be right, each known fault wrong and named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from drill.domain import questions as run
from drill.domain.grading import grade
from drill.domain.verdict import MalformedAnswerError, Verdict
from drill.packs.compile import Entry
from drill.packs.problems import Loc, Problem
from drill.packs.render import shown_number


class Trial(NamedTuple):
    """An answer, and what its grade must be."""

    loc: Loc
    """The field of the item that the answer is taken from."""
    answer: str
    right: bool
    misconception: str = ""


def self_grade(entry: Entry) -> Iterator[Problem]:
    """What the graders make of the item's own answers; each field once, for its first variant."""
    told: set[Loc] = set()
    for question in entry.compiled.questions:
        for trial in trials(question):
            if trial.loc in told:
                continue
            said = _said(question, trial)
            if said:
                told.add(trial.loc)
                given = ", ".join(f"{k}={v}" for k, v in question.params.items())
                where = f" (variant {given})" if given else ""
                wanted = "the key to be right" if trial.right else "a known fault to be wrong"
                yield entry.report.problem(trial.loc, said + where, wanted)


def _said(question: run.Question, trial: Trial) -> str:
    shown = " ".join(trial.answer.split())
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    try:
        verdict = grade(question, trial.answer)
    except MalformedAnswerError as error:
        return f"the grader cannot read `{shown}`: {error}"
    except ValueError as error:
        return f"the grader cannot use this key: {error}"
    return _judged(verdict, trial, shown)


def _judged(verdict: Verdict, trial: Trial, shown: str) -> str:
    if trial.right and verdict.score < 1:
        return f"the grader gives {verdict.score:.2f} for the key `{shown}`"
    if not trial.right and verdict.right:
        return f"the grader takes `{shown}` as right"
    if trial.misconception and trial.misconception not in verdict.misconceptions:
        return f"the grader does not name {trial.misconception} for `{shown}`"
    return ""


def trials(question: run.Question) -> Iterator[Trial]:
    """The answers that an item itself knows to be right or wrong.

    Empty for `explain` (the rubric's own lint), for `code` and `predict` (which need a run), and
    for a `line` item whose lines are only known when installed source is cut.
    """
    body = question.body
    if isinstance(body, run.ChoiceBody):
        yield from _options(body)
    elif isinstance(body, run.NumberBody):
        unit = f" {body.unit}" if body.unit else ""
        yield Trial(("key",), shown_number(body.key) + unit, right=True)
        for fault in body.faults:
            # Its place in the file is unknown: `when` may have left faults out.
            yield Trial(("faults",), fault.value + unit, False, fault.misconception)
    elif isinstance(body, run.ShapeBody | run.FormulaBody | run.OutputBody):
        yield Trial(("key",), body.key, right=True)
        yield from _faults(body.faults, "faults")
    elif isinstance(body, run.ShortBody):
        for n, term in enumerate(body.accept):
            yield Trial(("accept", n), term, right=True)
        yield from _faults(body.others, "others")
    elif isinstance(body, run.OrderBody):
        yield Trial(("steps",), " ".join(body.key), right=True)
    elif isinstance(body, run.LineBody) and body.lines:
        yield Trial(("key",), ", ".join(map(str, body.lines)), right=True)
        for n, line in enumerate(body.faults):
            yield Trial(("faults", n), str(line.line), False, line.misconception)
    elif isinstance(body, run.DiagnoseBody):
        yield from _causes(body)
    elif isinstance(body, run.MutantBody):
        for n, effect in enumerate(body.effects):
            answer = f"{body.line}; {effect.id}"
            yield Trial(("effects", n), answer, effect.right, effect.misconception)


def _causes(body: run.DiagnoseBody) -> Iterator[Trial]:
    decided = f"; probes={body.deciding[0].id}" if body.deciding else ""
    for n, cause in enumerate(body.causes):
        belief = "" if cause.right else cause.misconception
        yield Trial(("causes", n), f"cause={cause.id}{decided}", cause.right, belief)


def _options(body: run.ChoiceBody) -> Iterator[Trial]:
    if body.many:
        right = ", ".join(option.id for option in body.options if option.right)
        yield Trial(("options",), right, right=True)
        return
    for n, option in enumerate(body.options):
        belief = "" if option.right else option.misconception
        yield Trial(("options", n), option.id, option.right, belief)


def _faults(faults: tuple[run.ValueFault, ...], name: str) -> Iterator[Trial]:
    for n, fault in enumerate(faults):
        yield Trial((name, n), fault.value, False, fault.misconception)

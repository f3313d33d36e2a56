"""Heads and questions to JSON and back: plain constructors, as this runs at every start."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from drill.domain import questions as run

_HEAD_FIELDS = tuple(f.name for f in dataclasses.fields(run.Head))
_HEAD_TUPLES = tuple(
    _HEAD_FIELDS.index(name) for name in ("roles", "siblings", "confusable", "misconceptions")
)


def head_row(head: run.Head) -> list[Any]:
    """A head as a list, in the order of the fields."""
    return [getattr(head, name) for name in _HEAD_FIELDS]


def head_from(row: list[Any]) -> run.Head:
    """The head of a row; the row is used up."""
    for n in _HEAD_TUPLES:
        row[n] = tuple(row[n])
    return run.Head(*row)


def question_record(question: run.Question) -> dict[str, Any]:
    """A question without its head, as JSON values."""
    made = dataclasses.asdict(dataclasses.replace(question, stamp=""))
    del made["head"], made["stamp"]
    made["body"] = {k: v for k, v in made["body"].items() if v != ()}
    return {k: v for k, v in made.items() if v not in ((), None, {})}


def question_from(record: dict[str, Any], head: run.Head) -> run.Question:
    """The question of a record.

    Raises:
        KeyError, TypeError, ValueError: the record is not one of `question_record`.
    """
    code = record.get("code")
    link = record.get("experiment")
    return run.Question(
        head=head,
        variant=record["variant"],
        params=record.get("params", {}),
        prompt=record["prompt"],
        body=_BODIES[head.type](record["body"]),
        explanation=record["explanation"],
        code=None if code is None else run.Code(**code),
        hints=tuple(record.get("hints", ())),
        sources=tuple(run.Source(**source) for source in record.get("sources", ())),
        experiment=None if link is None else run.ExperimentLink(**link),
        follow_up=tuple(record.get("follow_up", ())),
    )


def _options(rows: list[dict[str, Any]]) -> tuple[run.Option, ...]:
    return tuple(run.Option(**row) for row in rows)


def _values(rows: list[dict[str, Any]]) -> tuple[run.ValueFault, ...]:
    return tuple(run.ValueFault(**row) for row in rows)


def _lines(rows: list[dict[str, Any]]) -> tuple[run.LineFault, ...]:
    return tuple(run.LineFault(**row) for row in rows)


def _point(row: dict[str, Any]) -> run.Point:
    return run.Point(
        **{**row, "accept": tuple(row["accept"]), "unless": tuple(row.get("unless", ()))}
    )


def _belief(row: dict[str, Any]) -> run.Belief:
    return run.Belief(**{**row, "accept": tuple(row["accept"])})


def _step(row: dict[str, Any]) -> run.Step:
    after = row["after"]
    return run.Step(**{**row, "after": None if after is None else tuple(after)})


def _field(row: dict[str, Any]) -> run.Choose:
    return run.Choose(
        **{**row, "options": tuple(row["options"]), "expected": tuple(row["expected"])}
    )


def _faulty(made: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """Bodies whose only nested field is `faults`, a list of wrong values."""
    return lambda b: made(**{**b, "faults": _values(b.get("faults", []))})


def _formula(b: dict[str, Any]) -> run.FormulaBody:
    ranges = {name: (low, high) for name, (low, high) in b["variables"].items()}
    return run.FormulaBody(b["key"], ranges, _values(b.get("faults", [])))


def _line(b: dict[str, Any]) -> run.LineBody:
    return run.LineBody(
        tuple(b.get("lines", ())), _lines(b.get("faults", [])), tuple(b.get("patterns", ()))
    )


def _explain(b: dict[str, Any]) -> run.ExplainBody:
    return run.ExplainBody(
        tuple(_point(row) for row in b["points"]),
        tuple(_belief(row) for row in b.get("misconceptions", ())),
        b["model_answer"],
        tuple(run.Probe(**row) for row in b.get("probes", ())),
    )


def _choice(b: dict[str, Any]) -> run.ChoiceBody:
    return run.ChoiceBody(_options(b["options"]), b["many"])


_BODIES: dict[str, Callable[[dict[str, Any]], run.Body]] = {
    "choice": _choice,
    "choices": _choice,
    "number": _faulty(run.NumberBody),
    "shape": _faulty(run.ShapeBody),
    "short": lambda b: run.ShortBody(tuple(b["accept"]), _values(b.get("others", []))),
    "formula": _formula,
    "explain": _explain,
    "order": lambda b: run.OrderBody(tuple(_step(row) for row in b["steps"]), tuple(b["key"])),
    "line": _line,
    "mutant": lambda b: run.MutantBody(
        b["line"], b["was"], _options(b["effects"]), _lines(b.get("faults", []))
    ),
    "output": _faulty(run.OutputBody),
    "code": lambda b: run.CodeBody(**b),
    "predict": lambda b: run.PredictBody(
        tuple(_field(row) for row in b["fields"]), b["claim"], b["transfers"]
    ),
}

"""Type `predict`: commit to the outcome of an experiment, judged by what came out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TypeAlias

from drill.domain.grading.picking import same_text
from drill.domain.grading.quantity import QuantityError, number_text, read_quantity
from drill.domain.grading.result import capped, judged, malformed
from drill.domain.presentation import letter
from drill.domain.questions import Choose, PredictBody, Question
from drill.domain.verdict import Fault, Verdict

Predicted: TypeAlias = float | str | tuple[str, ...]
"""A number, an option's text, or the texts of several options."""

_NONE = {"none", "nothing", "-", "∅"}
_EXACT = 1e-9
_NAME = re.compile(r"^\s*([^=:]+?)\s*[=:]\s*(.*)$", re.DOTALL)


def parse_prediction(question: Question, answer: str) -> dict[str, Predicted]:
    """Read a prediction so that it can be locked before the experiment runs.

    Returns a value for each field of the question, by its id: a number, the text of an option,
    or a tuple of texts in the options' order.

    Raises:
        MalformedAnswerError: a field is missing, unknown or given twice, or a value is none of
            its options.
    """
    body = question.body
    assert isinstance(body, PredictBody)
    if not answer.strip():
        raise malformed("The answer is empty.", "predict")
    given: dict[str, Predicted] = {}
    for part in (p for p in re.split(r"[;\n]", answer) if p.strip()):
        field, value = _field_of(part, body)
        if field.id in given:
            raise malformed(f"`{field.id}` is given twice.", "predict")
        given[field.id] = _read(field, value)
    missing = [f.id for f in body.fields if f.id not in given]
    if missing:
        raise malformed(f"No value for {_quoted(missing)}.", "predict")
    return {f.id: given[f.id] for f in body.fields}


def grade_predict(
    question: Question, answer: str, outcomes: Mapping[str, object] | None
) -> Verdict:
    """Judge a prediction by the outcomes of the run, never by what the pack expected.

    Every field counts the same: one choice and a number are right or not, several choices earn
    |both| / |either| (Jaccard; both empty is right). An outcome that is a list makes each of its
    members a right choice (a tie). Only a prediction right in every field earns more than
    `PARTIAL_CAP`.

    Raises:
        MalformedAnswerError: see `parse_prediction`.
        ValueError: `outcomes` is missing, or lacks what a field is judged by.
    """
    body = question.body
    assert isinstance(body, PredictBody)
    predicted = parse_prediction(question, answer)
    if outcomes is None:
        raise ValueError("a prediction is judged by the outcomes of its experiment; none given")
    scores = []
    good = []
    faults = []
    came_out = []
    for field in body.fields:
        if field.outcome not in outcomes:
            raise ValueError(
                f"the experiment gives no outcome `{field.outcome}`; it gives: "
                f"{', '.join(outcomes) or 'none'}"
            )
        measured = outcomes[field.outcome]
        score, said = _judge(field, predicted[field.id], measured)
        scores.append(score)
        came_out.append(f"{field.id} = {said}")
        if score >= 1:
            good.append(f"{field.label or field.id}: {said}.")
        else:
            faults.append(
                Fault(
                    f"{field.label or field.id}: predicted {_said(predicted[field.id])}, "
                    f"came out {said}."
                )
            )
    total = sum(scores) / len(scores)
    return judged(
        capped(total) if faults else 1.0,
        expected="; ".join(came_out),
        understood="; ".join(f"{name} = {_said(value)}" for name, value in predicted.items()),
        summary="Right: it came out as predicted."
        if not faults
        else f"{len(good)} of {len(body.fields)} predictions came out.",
        good=good,
        faults=faults,
    )


def expected_prediction(question: Question) -> str:
    """Return what the claim of the experiment says must come out."""
    body = question.body
    assert isinstance(body, PredictBody)
    said = [f"{f.id} = {', '.join(f.expected) or 'as measured'}" for f in body.fields]
    return "; ".join(said) + f"\n(the run judges; the claim is `{body.claim}`)"


def _field_of(part: str, body: PredictBody) -> tuple[Choose, str]:
    named = _NAME.match(part)
    if named:
        wanted = same_text(named.group(1))
        for field in body.fields:
            if wanted in (same_text(field.id), same_text(field.label)):
                return field, named.group(2).strip()
    if len(body.fields) == 1:
        return body.fields[0], part.strip()
    ids = _quoted(f.id for f in body.fields)
    reason = f"`{named.group(1)}` is no field" if named else f"`{part.strip()}` names no field"
    raise malformed(f"{reason}; they are {ids}.", "predict")


def _read(field: Choose, value: str) -> Predicted:
    if not value:
        raise malformed(f"No value for `{field.id}`.", "predict")
    if not field.options:
        try:
            return read_quantity(value, "").value
        except QuantityError as error:
            raise malformed(f"`{field.id}`: {error}", "predict") from None
    if not field.many:
        return _option(field, value)
    if value.casefold() in _NONE and not _matching(field, value):
        return ()
    if _matching(field, value):
        picked = [_option(field, value)]
    else:
        picked = [_option(field, v) for v in _split(field, value)]
    if len(set(picked)) < len(picked):
        raise malformed(f"`{field.id}` names an option twice.", "predict")
    return tuple(o for o in field.options if o in picked)


def _split(field: Choose, value: str) -> list[str]:
    """Split a list at its commas, or at blanks where it is letters; texts may hold blanks."""
    parts = [p.strip() for p in re.split(r"\s*(?:,|&|\+|\band\b)\s*", value) if p.strip()]
    if all(_matching(field, p) for p in parts):
        return parts
    words = value.replace(",", " ").split()
    if all(_matching(field, w) for w in words):
        return words
    # Options whose texts hold a comma.
    left = same_text(value)
    found = []
    for option in sorted(field.options, key=len, reverse=True):
        text = same_text(option)
        if text and text in left:
            found.append(option)
            left = left.replace(text, " ", 1)
    return found if not left.strip(" ,;&") else parts


def _matching(field: Choose, value: str) -> list[str]:
    """Return the options that a value names: by text, else by letter, else by number."""
    wanted = same_text(value)
    found = [o for o in field.options if same_text(o) == wanted]
    if not found:
        bare = wanted.strip("()")
        found = [o for i, o in enumerate(field.options) if letter(i) == bare]
    if not found:
        found = [o for o in field.options if _same_number(o, value)]
    return found


def _option(field: Choose, value: str) -> str:
    found = _matching(field, value)
    if len(found) != 1:
        options = "; ".join(f"{letter(i)}) {o}" for i, o in enumerate(field.options))
        raise malformed(f"`{value}` is no option of `{field.id}`: {options}.", "predict")
    return found[0]


def _judge(field: Choose, predicted: Predicted, measured: object) -> tuple[float, str]:
    """Return the score of one field and what came out, in words."""
    if not field.options:
        if isinstance(measured, bool) or not isinstance(measured, int | float):
            raise ValueError(f"the outcome `{field.outcome}` is {measured!r}, not a number")
        assert isinstance(predicted, float)
        if not isfinite(measured):
            return 0.0, str(measured)
        allowed = max(field.tolerance, _EXACT) * abs(measured)
        hit = abs(predicted - measured) <= allowed
        return float(hit), number_text(float(measured), allowed)
    members = list(measured) if isinstance(measured, list | tuple | set | frozenset) else [measured]
    came_out = [o for o in field.options if any(_is(o, m) for m in members)]
    if not field.many:
        said = " or ".join(came_out or map(str, members)) or "none"
        return float(predicted in came_out), said
    assert isinstance(predicted, tuple)
    both, either = set(predicted) & set(came_out), set(predicted) | set(came_out)
    return (len(both) / len(either) if either else 1.0), ", ".join(came_out) or "none"


def _is(option: str, member: object) -> bool:
    return same_text(option) == same_text(str(member)) or _same_number(option, str(member))


def _same_number(left: str, right: str) -> bool:
    try:
        a, b = float(left), float(right)
    except ValueError:
        return False
    return abs(a - b) <= _EXACT * max(abs(a), abs(b))


def _said(value: Predicted) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return number_text(value) if isinstance(value, float) else value


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

"""Questions and verdicts as plain text and as JSON; used by the commands and the plain session."""

from __future__ import annotations

import textwrap
from collections.abc import Container
from typing import Any

import msgspec

from drill.domain.grading.key_text import key_text
from drill.domain.questions import (
    ChoiceBody,
    CodeBody,
    DiagnoseBody,
    ExplainBody,
    MutantBody,
    NumberBody,
    OrderBody,
    PredictBody,
    Question,
    Source,
)
from drill.domain.verdict import Verdict

WIDTH = 80
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def wrapped(text: str, indent: str = "") -> str:
    """Paragraphs folded to 80 columns."""
    parts = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(
        textwrap.fill(
            p,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,  # a path or an id is copied whole
            break_long_words=False,
        )
        for p in parts
    )


def numbered(code: str) -> str:
    """Code with line numbers."""
    lines = code.rstrip("\n").split("\n")
    width = len(str(len(lines)))
    return "\n".join(f"{n:>{width}} | {line}" for n, line in enumerate(lines, start=1))


def _options(texts: list[str]) -> str:
    drawn = []
    for letter, text in zip(LETTERS, texts, strict=False):
        folded = textwrap.fill(
            text, WIDTH, initial_indent=f"  {letter}  ", subsequent_indent="     "
        )
        drawn.append(folded)
    return "\n".join(drawn)


def answer_frame(question: Question) -> str:
    """What there is to choose from or to fill in."""
    body = question.body
    if isinstance(body, ChoiceBody):
        return _options([o.text for o in body.options])
    if isinstance(body, OrderBody):
        return "\n".join(f"  {LETTERS[i]}  {s.text}" for i, s in enumerate(body.steps))
    if isinstance(body, MutantBody):
        return "What breaks?\n" + _options([o.text for o in body.effects])
    if isinstance(body, PredictBody):
        rows = []
        for field in body.fields:
            many = " (any number of them)" if field.many else ""
            rows.append(_row(f"{field.id}: {field.label}{many}", 2))
            rows += [_row(option, 6) for option in field.options]
        return "\n".join(rows)
    if isinstance(body, DiagnoseBody):
        return (
            f"{probes_text(body)}\n\nWhat is the cause?\n{_options([c.text for c in body.causes])}"
        )
    if isinstance(body, CodeBody):
        return body.starter.rstrip()
    if isinstance(body, NumberBody):
        parts = [
            f"given: {body.given}" if body.given else "",
            f"unit: {body.unit}" if body.unit else "",
        ]
        return "\n".join(wrapped(part) for part in parts if part)
    return ""


def _row(text: str, indent: int) -> str:
    """One thing of a list, folded under itself."""
    blank = " " * indent
    return textwrap.fill(text, WIDTH, initial_indent=blank, subsequent_indent=f"{blank}  ")


def probes_text(body: DiagnoseBody, bought: Container[str] = ()) -> str:
    """The probes of a case with their prices, and which of them were bought."""
    width = max(len(probe.id) for probe in body.probes)
    rows = [f"Measurements, in minutes of your time (par {body.par}):"]
    for probe in body.probes:
        mark = "bought" if probe.id in bought else f"{probe.price:>2} min"
        rows.append(_row(f"{probe.id:<{width}}  {mark:>6}  {probe.label}", 2))
    return "\n".join(rows)


def question_text(question: Question, *, reveal: bool = False) -> str:
    """A question for a person, without any markup."""
    parts = [wrapped(question.scenario)] if question.scenario else []
    parts.append(wrapped(question.prompt))
    if question.code is not None:
        origin = f"{question.code.origin}\n" if question.code.origin else ""
        parts.append(origin + numbered(question.code.text))
    frame = answer_frame(question)
    if frame:
        parts.append(frame)
    if reveal:
        parts.append(f"Key: {key_text(question)}")
        parts.append(wrapped(question.explanation))
        if isinstance(question.body, ExplainBody):
            parts.append(wrapped(question.body.model_answer))
        parts.append("Sources: " + " · ".join(source_text(s) for s in question.sources))
    return "\n\n".join(parts)


def source_text(source: Source) -> str:
    """One source on one line."""
    eq = f", eq. {source.eq}" if source.eq else ""
    section = f", section {source.section}" if source.section else ""
    return (source.paper or source.symbol or source.doc or source.text) + eq + section


def question_document(
    question: Question, *, reveal: bool, seed: int, standing: str
) -> dict[str, Any]:
    """A question as JSON; everything that gives the key away only with `reveal`."""
    head, body = question.head, question.body
    document: dict[str, Any] = {
        "id": head.id,
        "topic": head.topic,
        "level": head.level,
        "relevance": head.relevance,
        "roles": list(head.roles),
        "type": head.type,
        "seed": seed,
        "variant": question.variant,
        "params": dict(question.params),
        "scenario": question.scenario,
        "prompt": question.prompt,
        "code": question.code.text if question.code else None,
        "origin": question.code.origin if question.code else None,
        "hints": len(question.hints),
        "standing": standing,
        "experiment": question.experiment.name if question.experiment else None,
    }
    if isinstance(body, ChoiceBody):
        document["options"] = [
            {"letter": LETTERS[i], "id": o.id, "text": o.text} for i, o in enumerate(body.options)
        ]
    elif isinstance(body, OrderBody):
        document["steps"] = [
            {"letter": LETTERS[i], "id": s.id, "text": s.text} for i, s in enumerate(body.steps)
        ]
    elif isinstance(body, MutantBody):
        document["effects"] = [
            {"letter": LETTERS[i], "id": o.id, "text": o.text} for i, o in enumerate(body.effects)
        ]
    elif isinstance(body, PredictBody):
        document["fields"] = [
            {"id": f.id, "label": f.label, "options": list(f.options), "many": f.many}
            for f in body.fields
        ]
    elif isinstance(body, DiagnoseBody):
        document["probes"] = [{"id": p.id, "label": p.label, "price": p.price} for p in body.probes]
        document["par"] = body.par
        document["causes"] = [
            {"letter": LETTERS[i], "id": c.id, "text": c.text} for i, c in enumerate(body.causes)
        ]
    elif isinstance(body, NumberBody):
        document["unit"] = body.unit
        document["given"] = body.given
    elif isinstance(body, CodeBody):
        document["function"] = body.function
        document["starter"] = body.starter
    if reveal:
        document["key"] = key_text(question)
        document["explanation"] = question.explanation
        document["hint_texts"] = list(question.hints)
        document["sources"] = msgspec.to_builtins(question.sources)
        document["body"] = msgspec.to_builtins(body)
        document["file"] = head.file
        document["line"] = head.line
    return document


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    return {
        "score": verdict.score,
        "right": verdict.right,
        "feedback": "\n".join(
            part for part in (verdict.summary, *(f.says for f in verdict.faults)) if part
        ),
        "understood": verdict.understood,
        "expected": verdict.expected,
        "good": list(verdict.good),
        "faults": msgspec.to_builtins(verdict.faults),
        "points": [
            {
                "id": p.id,
                "statement": p.statement,
                "state": p.state,
                "matched": list(p.matched),
                "reason": p.reason,
                "essential": p.essential,
            }
            for p in verdict.points
        ],
        "misconceptions": list(verdict.misconceptions),
    }


_MARKS = {"credited": "[x]", "ask": "[?]", "missed": "[ ]"}


def verdict_text(verdict: Verdict) -> str:
    """A verdict for a person."""
    word = "RIGHT" if verdict.score >= 0.999 else "PARTLY RIGHT" if verdict.score > 0 else "WRONG"
    rows = [f"{word} ({verdict.score:.0%}). {verdict.summary}".rstrip()]
    for point in verdict.points:
        quoted = f'  "{" … ".join(point.matched)}"' if point.matched else ""
        reason = f"  ({point.reason})" if point.reason else ""
        rows.append(f"  {_MARKS[point.state]} {point.statement}{quoted}{reason}")
    if verdict.expected and not verdict.points:
        rows.append(f"Key: {verdict.expected}")
    rows += [f"  + {text}" for text in verdict.good if verdict.score < 0.999]
    rows += [wrapped(f"- {fault.says}", "  ") for fault in verdict.faults if fault.says]
    return "\n".join(rows)

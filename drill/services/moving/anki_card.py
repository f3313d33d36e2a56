"""One question as the fields of an Anki note."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from msgspec.structs import replace

from drill.domain.grading.key_text import key_text
from drill.domain.presentation import letter, shown
from drill.domain.questions import (
    TOPICS,
    Cause,
    ChoiceBody,
    CodeBody,
    DiagnoseBody,
    ExplainBody,
    FormulaBody,
    LineBody,
    MutantBody,
    NumberBody,
    Option,
    OrderBody,
    OutputBody,
    PredictBody,
    Question,
    ShapeBody,
    ShortBody,
    Source,
    ValueFault,
)
from drill.packs.beliefs import Misconception
from drill.services.moving.anki_html import code, guarded, inline, items, prose, titled

SEED = 0
"""Of the variant and of the order of options: a card is always the same."""
Beliefs = dict[str, Misconception]
"""Those that the card has not named yet; one that several wrong answers show is told once."""


def note_fields(question: Question, registry: Mapping[str, Misconception]) -> dict[str, str]:
    """The fields of a note, as HTML, by the names of `anki_style.FIELDS`."""
    beliefs = dict(registry)
    question = shown(question, SEED)
    head, body = question.head, question.body
    options, answer, wrong = _SIDES[type(body)](question, body, beliefs)
    lead = prose(question.scenario) if question.scenario else ""
    block = question.code
    numbered = isinstance(body, LineBody | MutantBody)
    shown_code = "" if block is None else code(block.text, block.lang, numbered=numbered)
    if block is not None and block.origin:
        shown_code = f'<div class="soft">{inline(block.origin)}</div>{shown_code}'
    return {
        "Id": escape(head.id),
        "Where": guarded(escape(f"{TOPICS.get(head.topic, head.topic)} · {head.level}")),
        "Prompt": lead + prose(question.prompt),
        "Code": shown_code,
        "Options": options,
        "Hints": items(map(inline, question.hints)),
        "Answer": answer,
        "Why": titled("Why", prose(question.explanation))
        + titled("What is wrong", wrong)
        + titled("Does it transfer?", prose(getattr(body, "transfers", ""))),
        "More": titled("An interviewer may go on", items(map(inline, question.follow_up)))
        + titled("Sources", items(map(_source, question.sources))),
    }


Sides = tuple[str, str, str]
"""What there is to choose from, the answer, and what is said about wrong answers."""


def _choice(question: Question, body: ChoiceBody, beliefs: Beliefs) -> Sides:
    lead = "Any number of these" if body.many else "One of these"
    return (
        titled(lead, _letters(o.text for o in body.options)),
        _right(body.options) or "<p>None of them.</p>",
        _wrong_options(body.options, beliefs),
    )


def _letters(texts: Iterable[str]) -> str:
    return items(map(inline, texts), "letters")


def _right(options: Sequence[Option | Cause]) -> str:
    return "".join(
        f'<p><span class="right">{letter(n)}</span> &nbsp;{inline(option.text)}</p>'
        for n, option in enumerate(options)
        if option.right
    )


def _wrong_options(options: Sequence[Option | Cause], beliefs: Beliefs) -> str:
    return items(
        f"<b>{letter(n)}</b> &nbsp;{said}"
        for n, option in enumerate(options)
        if not option.right and (said := _said(option.says, option.misconception, beliefs))
    )


def _said(says: str, misconception: str, beliefs: Beliefs) -> str:
    """What is said about a wrong answer, and the belief behind it."""
    parts = [inline(says)] if says else []
    belief = beliefs.pop(misconception, None)
    if belief is not None:
        parts.append(
            f'<span class="soft">Belief: {inline(belief.belief)}</span> {inline(belief.correction)}'
        )
    return "<br>".join(parts)


def _faults(faults: Iterable[ValueFault], beliefs: Beliefs, unit: str = "") -> str:
    return items(
        f"<code>{guarded(escape(f'{fault.value} {unit}'.strip()))}</code> &nbsp;{said}"
        for fault in faults
        if (said := _said(fault.says, fault.misconception, beliefs))
    )


def _key(question: Question) -> str:
    return f'<p class="right">{inline(key_text(question))}</p>'


def _number(question: Question, body: NumberBody, beliefs: Beliefs) -> Sides:
    given = f"<p>Given: {inline(body.given)}</p>" if body.given else ""
    unit = f'<p class="soft">in {inline(body.unit)}</p>' if body.unit else ""
    faults = [replace(fault, value=_rounded(fault.value)) for fault in body.faults]
    return given + unit, _key(question), _faults(faults, beliefs, body.unit)


def _rounded(value: str) -> str:
    """A number to five digits: a computed fault has seventeen."""
    try:
        number = float(value)
    except ValueError:
        return value
    return value if number.is_integer() else f"{number:.5g}"


def _value(question: Question, body: ShapeBody | FormulaBody, beliefs: Beliefs) -> Sides:
    names = ", ".join(body.variables) if isinstance(body, FormulaBody) else ""
    lead = f'<p class="soft">in {inline(names)}</p>' if names else ""
    key = f"<p><code>{guarded(escape(body.key))}</code></p>"
    return lead, key, _faults(body.faults, beliefs)


def _short(question: Question, body: ShortBody, beliefs: Beliefs) -> Sides:
    first, *others = body.accept
    also = f'<p class="soft">also: {inline(", ".join(others))}</p>' if others else ""
    return "", f'<p class="right">{inline(first)}</p>{also}', _faults(body.others, beliefs)


def _explain(question: Question, body: ExplainBody, beliefs: Beliefs) -> Sides:
    essential = items(inline(p.statement) for p in body.points if p.weight == "essential")
    bonus = items(inline(p.statement) for p in body.points if p.weight == "bonus")
    wrong = items(
        f'<span class="soft">Belief: {inline(b.statement)}</span> {inline(_correct(b, beliefs))}'
        for b in body.misconceptions
    )
    points = titled("A full answer says", essential) + titled("and, better still,", bonus)
    return "", points + titled("In a few sentences", prose(body.model_answer)), wrong


def _correct(belief: Any, beliefs: Beliefs) -> str:
    known = beliefs.get(belief.id)
    return belief.correction or (known.correction if known is not None else "")


def _order(question: Question, body: OrderBody, beliefs: Beliefs) -> Sides:
    place = {step.id: n for n, step in enumerate(body.steps)}
    rows = "".join(
        f"<li>{inline(body.steps[place[name]].text)} "
        f'<span class="soft">({letter(place[name])})</span></li>'
        for name in body.key
    )
    extra = items(
        f"<b>{letter(n)}</b> &nbsp;does not belong. {_said(s.says, s.misconception, beliefs)}"
        for n, s in enumerate(body.steps)
        if s.distractor
    )
    lead = "Put these in order"
    lead += "; some do not belong" if any(s.distractor for s in body.steps) else ""
    return titled(lead, _letters(s.text for s in body.steps)), f"<ol>{rows}</ol>", extra


def _line(question: Question, body: LineBody, beliefs: Beliefs) -> Sides:
    wrong = items(
        f"<b>line {f.line}</b> &nbsp;{said}"
        for f in body.faults
        if (said := _said(f.says, f.misconception, beliefs))
    )
    return "", "".join(_line_of(question, n) for n in body.lines), wrong


def _line_of(question: Question, number: int) -> str:
    lines = question.code.text.split("\n") if question.code else []
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f'<p><span class="right">line {number}</span> <code>{guarded(escape(text))}</code></p>'


def _mutant(question: Question, body: MutantBody, beliefs: Beliefs) -> Sides:
    wrong = _wrong_options(body.effects, beliefs) + items(
        f"<b>line {f.line}</b> &nbsp;{said}"
        for f in body.faults
        if (said := _said(f.says, f.misconception, beliefs))
    )
    was = f"<p>It was <code>{guarded(escape(body.was))}</code></p>"
    effects = titled(
        "Which line was changed, and what breaks?", _letters(e.text for e in body.effects)
    )
    return effects, _line_of(question, body.line) + was + _right(body.effects), wrong


def _output(question: Question, body: OutputBody, beliefs: Beliefs) -> Sides:
    key = f'<pre class="code">{guarded(escape(body.key.rstrip()))}</pre>'
    return "", key, _faults(body.faults, beliefs)


def _code(question: Question, body: CodeBody, beliefs: Beliefs) -> Sides:
    lead = titled(f"Write {body.function}", code(body.starter, "python"))
    return lead, titled("One solution", code(body.solution, "python")), ""


def _predict(question: Question, body: PredictBody, beliefs: Beliefs) -> Sides:
    fields = "".join(
        f"<p>{inline(f.label)}</p>" + (items(map(inline, f.options)) if f.options else "")
        for f in body.fields
    )
    expected = items(
        f'{inline(f.label)} &nbsp;<span class="right">{inline(", ".join(f.expected))}</span>'
        for f in body.fields
        if f.expected
    )
    seen = f"<p>See it run: <code>drill lab run {escape(_experiment(question))}</code></p>"
    return titled("Predict", fields), expected + seen, ""


def _experiment(question: Question) -> str:
    return question.experiment.name if question.experiment else ""


def _diagnose(question: Question, body: DiagnoseBody, beliefs: Beliefs) -> Sides:
    probes = items(
        f'{inline(p.label)} <span class="soft">{p.price} min</span>' for p in body.probes
    )
    deciding = items(
        f'{inline(p.label)} <span class="soft">{p.price} min</span>' for p in body.deciding
    )
    causes = titled("Measurements", probes) + titled(
        "Causes", _letters(c.text for c in body.causes)
    )
    answer = _right(body.causes) + titled("What decides it", deciding)
    return causes, answer, _wrong_options(body.causes, beliefs)


def _source(source: Source) -> str:
    eq = f", eq. {source.eq}" if source.eq else ""
    section = f", section {source.section}" if source.section else ""
    rest = guarded(escape(eq + section))
    kind, _, name = source.paper.partition(":")
    if name:
        site = "https://arxiv.org/abs/" if kind == "arXiv" else "https://doi.org/"
        return f'<a href="{site}{escape(name, quote=True)}">{escape(source.paper)}</a>{rest}'
    if source.symbol:
        return f"<code>{escape(source.symbol)}</code>{rest}"
    return inline(source.doc or source.text) + rest


_SIDES: dict[type[Any], Callable[[Question, Any, Beliefs], Sides]] = {
    ChoiceBody: _choice,
    NumberBody: _number,
    ShapeBody: _value,
    FormulaBody: _value,
    ShortBody: _short,
    ExplainBody: _explain,
    OrderBody: _order,
    LineBody: _line,
    MutantBody: _mutant,
    OutputBody: _output,
    CodeBody: _code,
    PredictBody: _predict,
    DiagnoseBody: _diagnose,
}

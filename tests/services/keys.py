"""A right and a wrong answer to any question, as a learner would write them."""

from __future__ import annotations

from drill.domain.questions import (
    ChoiceBody,
    CodeBody,
    DiagnoseBody,
    ExplainBody,
    FormulaBody,
    LineBody,
    MutantBody,
    NumberBody,
    OrderBody,
    OutputBody,
    PredictBody,
    Question,
    ShapeBody,
    ShortBody,
)


def right_answer(question: Question) -> str:
    """The key, spelled as an answer."""
    body = question.body
    if isinstance(body, ChoiceBody):
        return ", ".join(option.id for option in body.options if option.right)
    if isinstance(body, NumberBody):
        return repr(body.key)
    if isinstance(body, ShapeBody | FormulaBody | OutputBody):
        return body.key
    if isinstance(body, ShortBody):
        return body.accept[0]
    if isinstance(body, ExplainBody):
        return body.model_answer
    if isinstance(body, OrderBody):
        return " ".join(body.key)
    if isinstance(body, LineBody):
        return ",".join(map(str, body.lines))
    if isinstance(body, MutantBody):
        effect = next(o.id for o in body.effects if o.right)
        return f"{body.line}; {effect}"
    if isinstance(body, CodeBody):
        return body.solution
    if isinstance(body, DiagnoseBody):
        return f"cause={body.cause.id}"
    assert isinstance(body, PredictBody)
    return "; ".join(f"{f.id}={', '.join(f.expected) if f.options else 1}" for f in body.fields)


def wrong_answer(question: Question) -> str:
    """An answer that can be read and earns less than full marks."""
    body = question.body
    if isinstance(body, ChoiceBody):
        return next(option.id for option in body.options if not option.right)
    if isinstance(body, NumberBody):
        return repr(body.key * 3 + 17)
    if isinstance(body, ShapeBody):
        return "[9, 9]"
    if isinstance(body, FormulaBody):
        return f"({body.key}) * 2 + 1"
    if isinstance(body, ShortBody):
        return "something else"
    if isinstance(body, ExplainBody):
        return "I would look it up in the documentation of the scheduler first."
    if isinstance(body, OrderBody):
        return " ".join(reversed(body.key))
    if isinstance(body, LineBody):
        return str(next(n for n in range(1, 99) if n not in body.lines))
    if isinstance(body, MutantBody):
        effect = next(o.id for o in body.effects if not o.right)
        return f"{1 if body.line != 1 else 2}; {effect}"
    if isinstance(body, OutputBody):
        return "nothing of the kind"
    if isinstance(body, CodeBody):
        return body.starter + "\n    return None\n"
    if isinstance(body, DiagnoseBody):
        return f"cause={next(c.id for c in body.causes if not c.right)}"
    assert isinstance(body, PredictBody)
    return "; ".join(f"{f.id}={f.options[0] if f.options else 1}" for f in body.fields)

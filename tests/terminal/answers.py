"""Answers as keys: what a learner presses to give the key of a question, or miss it.

The keys of an answer are sent in one burst: the app takes them in order however fast they come.
"""

from __future__ import annotations

from drill.domain.presentation import letter
from drill.domain.questions import (
    ChoiceBody,
    CodeBody,
    DiagnoseBody,
    ExplainBody,
    LineBody,
    MutantBody,
    OrderBody,
    OutputBody,
    PredictBody,
    Question,
)
from tests.services.keys import right_answer, wrong_answer
from tests.terminal.screen import Screen


def several_lines(question: Question) -> bool:
    """Whether the answer is written in an editor, which ctrl+s submits."""
    body = question.body
    return isinstance(body, ExplainBody | CodeBody) or (
        isinstance(body, OutputBody) and "\n" in body.key.strip()
    )


def types(question: Question) -> bool:
    """Whether the answer is typed at all."""
    return not isinstance(
        question.body,
        ChoiceBody | OrderBody | LineBody | MutantBody | PredictBody | DiagnoseBody,
    )


def give(screen: Screen, question: Question, *, right: bool = True) -> None:
    """Give an answer up to where the confidence is asked."""
    body = question.body
    if isinstance(body, ChoiceBody):
        _choose(screen, body, right)
    elif isinstance(body, OrderBody):
        _order(screen, body, right)
    elif isinstance(body, LineBody):
        wrong = next(n for n in range(1, 99) if n not in body.lines)
        _lines(screen, body.lines if right else (wrong,))
    elif isinstance(body, MutantBody):
        _lines(screen, (body.line,) if right else (1 + (body.line == 1),))
        screen.press(letter(next(i for i, e in enumerate(body.effects) if e.right is right)))
    elif isinstance(body, PredictBody):
        _predict(screen, body)
    else:
        text = right_answer(question) if right else wrong_answer(question)
        if several_lines(question):
            # Whatever stands there, a draft or a starter, gives way.
            screen.press("f7", "backspace")
            screen.paste(text)
            screen.press("ctrl+s")
        else:
            screen.press("ctrl+u", *text, "enter")


def _choose(screen: Screen, body: ChoiceBody, right: bool) -> None:
    wanted = [i for i, option in enumerate(body.options) if option.right]
    if not right:
        wanted = [next(i for i in range(len(body.options)) if i not in wanted)]
    screen.press(*(letter(index) for index in wanted))
    if body.many:
        screen.press("enter")


def _lines(screen: Screen, lines: tuple[int, ...]) -> None:
    at = 1
    for line in lines:
        screen.press(*(["down"] * (line - at)))
        at = line
        if len(lines) > 1:
            screen.press("space")
    screen.press("enter")


def _order(screen: Screen, body: OrderBody, right: bool) -> None:
    """Bring the steps into the key's order; wrong: submit them as they were shown."""
    now = [step.id for step in body.steps]
    wanted = [*body.key, *(i for i in now if i not in body.key)] if right else now
    at = 0
    for place, step in enumerate(wanted):
        here = now.index(step)
        screen.press(*(["down"] * (here - at)), *(["up"] * (at - here)), *(["K"] * (here - place)))
        now.insert(place, now.pop(here))
        at = place if here > place else here
    if right:
        for place in range(len(body.key), len(wanted)):
            screen.press(*(["down"] * (place - at)), *(["up"] * (at - place)), "x")
            at = place
    screen.press("enter")


def _predict(screen: Screen, body: PredictBody) -> None:
    for field in body.fields:
        if field.options:
            screen.press(*(letter(field.options.index(option)) for option in field.expected))
            if field.many:
                screen.press("enter")
        else:
            screen.press("1", "enter")

"""Types `choice` (one right option) and `choices` (any number of them)."""

from __future__ import annotations

from drill.domain.grading.picking import labelled, pick, pick_many
from drill.domain.grading.result import capped, judged, malformed
from drill.domain.presentation import letter
from drill.domain.questions import ChoiceBody, Question
from drill.domain.verdict import Fault, Verdict

_NONE = {"none", "nothing", "none of them", "none of these", "no", "-", "∅", "[]", "{}"}
_ALL = {"all", "all of them", "everything"}


def grade_choice(question: Question, answer: str) -> Verdict:
    """Judge one option, named by letter as shown, id or text: all or nothing."""
    body = _body(question)
    place = pick(_filled(answer, "choice"), body.options, "choice")
    option = body.options[place]
    faults = []
    if not option.right:
        says = option.says or f"`{letter(place)}` is not the right option."
        faults.append(Fault(says, option.misconception))
    return judged(
        1.0 if option.right else 0.0,
        expected=expected_options(question),
        understood=labelled(place, option.text),
        faults=faults,
    )


def grade_choices(question: Question, answer: str) -> Verdict:
    """Judge a set of options.

    Every option is a decision, to take it or to leave it. The partial credit is Youden's
    informedness: the share of the right options that were taken, less the share of the wrong
    ones that were taken. Taking everything, taking nothing and guessing all earn 0; only the
    whole set earns more than `PARTIAL_CAP`. Where every option is right, the credit is the
    share taken.
    """
    body = _body(question)
    text = _filled(answer, "choices")
    if text.casefold().rstrip(".") in _NONE:
        taken: set[int] = set()
    elif text.casefold().rstrip(".") in _ALL:
        taken = set(range(len(body.options)))
    else:
        taken = set(pick_many(text, body.options, "choices"))
    faults = []
    good = []
    hits = alarms = 0
    for place, option in enumerate(body.options):
        was_taken = place in taken
        hits += was_taken and option.right
        alarms += was_taken and not option.right
        if was_taken != option.right:
            state = "does not belong" if was_taken else "belongs too"
            says = f"{labelled(place, option.text)}: {state}."
            faults.append(Fault(f"{says} {option.says}".strip(), option.misconception))
        elif option.right:
            good.append(labelled(place, option.text))
    n_right = sum(o.right for o in body.options)
    n_wrong = len(body.options) - n_right
    score = (hits / n_right if n_right else 1.0) - (alarms / n_wrong if n_wrong else 0.0)
    decided = len(body.options) - len(faults)
    return judged(
        capped(score) if faults else 1.0,
        expected=expected_options(question),
        understood=", ".join(letter(i) for i in sorted(taken)) or "none",
        summary="Right."
        if not faults
        else f"{'Partly' if score > 0 else 'Not'} right: {decided} of {len(body.options)} options "
        "decided rightly.",
        good=good,
        faults=faults,
    )


def expected_options(question: Question) -> str:
    """Return the right options as shown."""
    options = _body(question).options
    return "\n".join(labelled(i, o.text) for i, o in enumerate(options) if o.right) or "none"


def _body(question: Question) -> ChoiceBody:
    assert isinstance(question.body, ChoiceBody)
    return question.body


def _filled(answer: str, kind: str) -> str:
    if not answer.strip():
        raise malformed("The answer is empty.", "choices" if kind == "choices" else "choice")
    return answer.strip()

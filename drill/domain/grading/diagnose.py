"""Type `diagnose`: name the cause of a failure, having spent little on measurements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from drill.domain.grading.picking import labelled, pick
from drill.domain.grading.result import judged, malformed
from drill.domain.questions import Cause, DiagnoseBody, Measurement, Option, Question
from drill.domain.verdict import Fault, Verdict

LEAST_SHARE = 0.4
"""What is left of the credit when every probe was bought."""
FAMILY_CREDIT = 0.3
"""Of a wrong cause that lies in the right part of the system."""
_NONE = {"", "none", "nothing", "-", "∅"}
_NAMED = re.compile(r"^\s*(causes?|probes?)\s*[=:]\s*(.*)$", re.DOTALL | re.IGNORECASE)


class Diagnosis(Struct, frozen=True):
    """An answer as it was read."""

    cause: str
    """Id of the cause that was named."""
    probes: tuple[str, ...]
    """Ids of the probes that were bought, in the question's order."""

    def __str__(self) -> str:
        """The answer as one string, which can be read again."""
        probes = f"; probes={','.join(self.probes)}" if self.probes else ""
        return f"cause={self.cause}{probes}"


def parse_diagnosis(question: Question, answer: str) -> Diagnosis:
    """Read the cause and the probes: `cause=forgot-scaling; probes=latent-std, dtypes`.

    Raises:
        MalformedAnswerError: no cause is named or more than one, or a probe that there is not.
    """
    body = _body(question)
    if not answer.strip():
        raise malformed("The answer is empty.", "diagnose")
    given: dict[str, str] = {}
    for part in (p.strip() for p in re.split(r"[;\n]", answer) if p.strip()):
        named = _NAMED.match(part)
        name = named.group(1).casefold().rstrip("s") if named else "cause"
        if name in given:
            raise malformed(f"The answer says `{name}` twice.", "diagnose")
        given[name] = named.group(2) if named else part
    if not given.get("cause", "").strip():
        raise malformed("No cause is named.", "diagnose")
    place = pick(given["cause"], _options(body.causes), "diagnose")
    return Diagnosis(body.causes[place].id, _probes(body, given.get("probe", "")))


def grade_diagnose(question: Question, answer: str) -> Verdict:
    """Judge the cause, and what was spent to find it.

    The right cause earns everything as long as the probes cost at most the case's par. Beyond it
    the credit falls in a straight line, down to `LEAST_SHARE` where every probe was bought, so
    that one more probe never earns more. A wrong cause of the right family earns
    `FAMILY_CREDIT` of that.

    A right cause is right, however dearly it was found: it may earn more than the partial credit
    of answers that hold something wrong.
    """
    body = _body(question)
    read = parse_diagnosis(question, answer)
    spent = body.price_of(read.probes)
    place, named = next((n, c) for n, c in enumerate(body.causes) if c.id == read.cause)
    share = share_left(body, spent)
    faults = []
    score = share
    if not named.right:
        near = bool(named.family) and named.family == body.cause.family
        score = FAMILY_CREDIT * share if near else 0.0
        says = named.says or f"`{named.id}` is not the cause."
        faults.append(Fault(says, named.misconception))
    if score and spent > body.par:
        faults.append(Fault(_over(body, spent)))
    return judged(
        score,
        expected=expected_cause(question),
        understood=labelled(place, named.text),
        summary=_summary(body, named, read.probes, spent),
        good=_good(body, named, read.probes),
        faults=faults,
    )


def share_left(body: DiagnoseBody, spent: int) -> float:
    """The share of the credit that is left after `spent` minutes of probes."""
    total = body.price_of(probe.id for probe in body.probes)
    if spent <= body.par or total <= body.par:
        return 1.0
    return 1.0 - (1.0 - LEAST_SHARE) * (spent - body.par) / (total - body.par)


def expected_cause(question: Question) -> str:
    """Return the cause as shown."""
    body = _body(question)
    place = next(n for n, cause in enumerate(body.causes) if cause.right)
    return labelled(place, body.causes[place].text)


def told(probes: Iterable[Measurement]) -> str:
    """Probes with their prices: `latent-std` (1 min) or `dtypes` (2 min)."""
    return " or ".join(f"`{probe.id}` ({probe.price} min)" for probe in probes)


def _summary(body: DiagnoseBody, named: Cause, probes: Sequence[str], spent: int) -> str:
    near = bool(named.family) and named.family == body.cause.family
    if named.right:
        lead = "Right: " if spent <= body.par else "The cause, but dearly found: "
    else:
        lead = "Partly right: the part of the system, not the cause; " if near else "Not right: "
    if not probes:
        return f"{lead}nothing was measured, so nothing backs it."
    return f"{lead}{spent} min spent, par is {body.par}."


def _over(body: DiagnoseBody, spent: int) -> str:
    cheap = body.deciding[:1]
    enough = f" {told(cheap)} alone would have decided it." if cheap else ""
    return f"{spent} min were spent where par is {body.par}.{enough}"


def _good(body: DiagnoseBody, named: Cause, probes: Sequence[str]) -> list[str]:
    bought = [probe for probe in body.deciding if probe.id in probes]
    good = [f"{named.text.rstrip('.')}: that is the cause."] if named.right else []
    if bought:
        says = "decides it, and you had measured it" if not named.right else "decided it"
        good.append(f"{told(bought).replace(' or ', ' and ')} {says}.")
    return good


def _probes(body: DiagnoseBody, text: str) -> tuple[str, ...]:
    if text.strip().casefold() in _NONE:
        return ()
    known = {probe.id.casefold(): probe.id for probe in body.probes}
    found: list[str] = []
    for word in (w for w in re.split(r"[,\s&+]+", text.strip()) if w):
        name = known.get(word.strip("`'\"").casefold())
        if name is None:
            listed = ", ".join(f"`{each}`" for each in known.values())
            raise malformed(f"`{word}` is no probe; they are {listed}.", "diagnose")
        if name in found:
            raise malformed(f"`{name}` is named twice.", "diagnose")
        found.append(name)
    return tuple(probe.id for probe in body.probes if probe.id in found)


def _options(causes: Sequence[Cause]) -> list[Option]:
    return [Option(cause.id, cause.text, cause.right) for cause in causes]


def _body(question: Question) -> DiagnoseBody:
    assert isinstance(question.body, DiagnoseBody)
    return question.body

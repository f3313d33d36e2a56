"""Questions and turns for tests of the interview."""

from __future__ import annotations

from drill.domain.interview.judging import judged_text
from drill.domain.interview.state import ProbeStyle, Record, Turn, TurnKind
from drill.domain.questions import (
    Belief,
    ExplainBody,
    Head,
    NumberBody,
    Point,
    Probe,
    Question,
)

BODY = ExplainBody(
    points=(
        Point(
            "two", "Guidance needs two predictions.", "essential", ("two predictions",), bar="mid"
        ),
        Point(
            "cost",
            "The evaluations double.",
            "essential",
            ("evaluations .. double*", "doubl* .. evaluations"),
            axis="tradeoff",
            bar="senior",
        ),
        Point(
            "batch",
            "Both halves go through the network in one batch.",
            "essential",
            ("one batch",),
            axis="code",
            bar="staff",
        ),
        Point("skip", "It may be left out late.", "bonus", ("left out late",), bar="senior"),
    ),
    misconceptions=(
        Belief("cfg.steps", "The steps double.", ("steps double*",), probe="Which number doubles?"),
    ),
    probes=(
        Probe("two", "What goes into it?", "How often is the network asked?"),
        Probe("cost", "And the price?", "How many evaluations is that?"),
        Probe("batch", "How is it run?", "One call or two?"),
    ),
)


def head(item: str = "drill:cfg.why", kind: str = "explain", **more: object) -> Head:
    return Head(
        item,
        "cfg",
        "senior",
        "core",
        (),
        kind,  # type: ignore[arg-type]
        180,
        "hash",
        reserve=True,
        **more,  # type: ignore[arg-type]
    )


QUESTION = Question(head(), 0, {}, "Explain guidance.", BODY, "Because.")
NUMBER = Question(head("drill:cfg.n", "number"), 0, {}, "How many?", NumberBody(2.0), "Two.")


def turn(
    text: str,
    kind: TurnKind = "answer",
    target: str = "",
    style: ProbeStyle = "",
    body: ExplainBody = BODY,
) -> Turn:
    judged = (
        judged_text(body, text, reply=kind == "reply")
        if kind in ("answer", "reply", "cut") and text
        else None
    )
    return Turn(kind, 0.0, text, target, style, judged=judged)


def record(*turns: Turn, **more: object) -> Record:
    return Record("drill:cfg.why", 0, 0.0, tuple(turns), **more)  # type: ignore[arg-type]

"""How an answer of each type is given; every pane yields the one string that the graders read."""

from __future__ import annotations

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
from drill.tui.answers.pane import AnswerPane


def pane_for(question: Question) -> AnswerPane:
    """The pane that takes the answer to this question."""
    body = question.body
    if isinstance(body, ChoiceBody):
        from drill.tui.answers.choice import ChoicePane

        return ChoicePane(body)
    if isinstance(body, OrderBody):
        from drill.tui.answers.order import OrderPane

        return OrderPane(body)
    if isinstance(body, LineBody | MutantBody):
        from drill.tui.answers.lines import LinePane

        return LinePane(body)
    if isinstance(body, PredictBody):
        from drill.tui.answers.predict import PredictPane

        return PredictPane(body)
    if isinstance(body, DiagnoseBody):
        from drill.tui.answers.diagnose import DiagnosePane

        return DiagnosePane(body)
    if isinstance(body, CodeBody):
        from drill.tui.answers.prose import CodePane

        return CodePane(body)
    if isinstance(body, ExplainBody) or (isinstance(body, OutputBody) and "\n" in body.key.strip()):
        from drill.tui.answers.prose import ProsePane

        return ProsePane(question.head.type)
    from drill.tui.answers.entry import EntryPane

    return EntryPane(question)

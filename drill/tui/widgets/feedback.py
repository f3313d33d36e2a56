"""What is shown after an answer: verdict, what was right, the belief, the why, the source."""

from __future__ import annotations

from textual.content import Content

from drill.domain.presentation import letter
from drill.domain.questions import (
    ChoiceBody,
    DiagnoseBody,
    ExplainBody,
    LineBody,
    MutantBody,
    OrderBody,
    PredictBody,
    Question,
    Source,
)
from drill.domain.verdict import PointResult
from drill.services.asked import Feedback
from drill.services.finding import MEND, SYMPTOM
from drill.tui.text import prose, row, spans, styled
from drill.tui.widgets.paragraphs import Row

_STATES = {
    "credited": ("✓", "credited"),
    "ask": ("?", "did you say this?"),
    "missed": ("·", "not found"),
}
_MUTED = "$foreground 60%"
_LEADS = ("Right: ", "Not right: ", "Partly right: ", "Half right: ")


def verdict_line(feedback: Feedback) -> Content:
    """The verdict in one line, told by mark and word, not by colour alone."""
    verdict = feedback.verdict
    score = verdict.score if feedback.self_score is None else feedback.self_score
    if score >= 0.999:
        lead, style = "✓ Right", "bold $text-success"
    elif score > 0:
        lead, style = f"◐ Partly right, {score:.0%}", "bold $text-warning"
    else:
        lead, style = "✗ Wrong", "bold $text-error"
    own = (
        "" if feedback.self_score is None else f" (automatic {verdict.score:.0%}, with your ticks)"
    )
    said = "" if verdict.summary in ("Right.", "Not right.") else verdict.summary
    for words in _LEADS:
        said = said.removeprefix(words)
    return row(styled(lead, style), Content(own), spans(f"  {said}" if said else ""))


def _lettered(question: Question, text: str) -> Content:
    """An answer in words: the texts of options and steps are prose, what was typed is not."""
    kinds = ChoiceBody | OrderBody | LineBody | MutantBody | PredictBody | DiagnoseBody
    return spans(text) if isinstance(question.body, kinds) else Content(text)


def _spelled(feedback: Feedback) -> list[str]:
    """The answer, in words where it was given as letters; one text a line."""
    body = feedback.asked.question.body
    texts: list[str] = []
    if isinstance(body, OrderBody):
        texts = [step.text for step in body.steps]
    elif isinstance(body, ChoiceBody) and body.many:
        texts = [option.text for option in body.options]
    named = {letter(index): text for index, text in enumerate(texts)}
    answer = feedback.verdict.understood or feedback.answer
    letters = answer.replace(",", " ").split()
    if not letters or any(each not in named for each in letters):
        return [answer]
    return [f"{each}) {named[each]}" for each in letters]


def _answers(feedback: Feedback) -> list[Row]:
    """The answer as it was given (or read, where that differs), and the key beside it."""
    question, verdict = feedback.asked.question, feedback.verdict
    lead = styled("Your answer   ", _MUTED)
    if feedback.aloud:
        return [(lead, styled("said aloud", _MUTED))]
    rows = [(lead, _lettered(question, text)) for text in _spelled(feedback)]
    rows[1:] = [(Content(" " * lead.cell_length), text) for _, text in rows[1:]]
    if verdict.expected and verdict.score < 0.999 and not verdict.points:
        key = _lettered(question, verdict.expected)
        rows.append((styled("Right answer  ", _MUTED), key))
    return rows


def point_lead(index: int, cursor: int, mark: str) -> str:
    """What stands before a point of the rubric."""
    return f"{'›' if index == cursor else ' '}[{mark}] "


def points_list(points: tuple[PointResult, ...], ticked: tuple[str, ...], cursor: int) -> list[Row]:
    """The rubric as a checklist; ticks of the learner are told apart from automatic credit."""
    drawn: list[Row] = []
    for index, point in enumerate(points):
        mark, word = _STATES[point.state]
        style = {"credited": "$text-success", "ask": "$text-warning"}.get(point.state, "")
        if point.id in ticked:
            mark, word, style = ("✓", "you say so", "$text-accent")
        elif point.state == "credited" and f"-{point.id}" in ticked:
            mark, word, style = ("·", "you say no", "$text-accent")
        lead = styled(point_lead(index, cursor, mark), f"bold {style}".strip())
        quoted = f"“{' … '.join(point.matched)}”" if point.matched else ""
        bonus = "" if point.essential else "bonus"
        detail = "; ".join(part for part in (bonus, word, quoted, point.reason) if part)
        drawn.append((lead, row(spans(point.statement), styled(f"  {detail}", _MUTED))))
    return drawn


def source_text(source: Source) -> str:
    """One source on one line."""
    if source.paper:
        where = [
            f"eq. {source.eq}" if source.eq else "",
            f"§{source.section}" if source.section else "",
        ]
        return ", ".join(part for part in (source.paper, *where) if part)
    return source.symbol or source.doc or source.text


def experiment_line(question: Question, width: int) -> Content:
    """The experiment that shows it, offered on one line of at most `width` cells."""
    link = question.experiment
    assert link is not None
    again = " again" if isinstance(question.body, PredictBody | DiagnoseBody) else ""
    told = Content(f" runs {link.name}{again}: {link.claim.replace('-', ' ')}")
    return row(styled("e", "bold $text-accent"), told).truncate(width, ellipsis=True)


def body(feedback: Feedback, *, cursor: int = -1) -> list[list[Row]]:
    """Everything under the verdict, in the order in which it helps.

    What was right comes before what was wrong, then the belief behind it and the explanation.
    """
    question, verdict = feedback.asked.question, feedback.verdict
    blank = Content("")
    right = verdict.score >= 0.999
    good = [] if right or verdict.points else list(verdict.good)
    points = points_list(verdict.points, feedback.ticked, cursor)
    if any(point.state != "credited" for point in verdict.points):
        points.append((blank, styled("space ticks a point that you did make", _MUTED)))
    belief: list[Row] = []
    for note in feedback.beliefs:
        belief.append((styled("The belief    ", "bold"), spans(note.belief)))
        belief.append((styled("In fact       ", "bold"), spans(note.correction)))
    groups: list[list[Row]] = [
        _answers(feedback),
        points,
        [(styled("✓ ", "$text-success"), spans(text)) for text in good],
        [(styled("✗ ", "$text-error"), spans(f.says)) for f in verdict.faults if f.says],
        belief,
        _seen(feedback),
        [(blank, prose(question.explanation))] if question.explanation else [],
        _decided(feedback),
    ]
    if isinstance(question.body, ExplainBody) and question.body.model_answer:
        groups.append([(styled("A strong answer: ", "bold"), blank)])
        groups[-1].append((blank, prose(question.body.model_answer)))
    listed = " · ".join(source_text(source) for source in question.sources)
    closing = [f"Source: {listed}" if listed else "", question.stamp]
    groups.append([(blank, styled(text, _MUTED)) for text in closing if text])
    if question.follow_up:
        asks = prose(" ".join(question.follow_up))
        groups.append([(styled("They may ask next: ", "bold"), blank), (blank, asks)])
    return groups


def _seen(feedback: Feedback) -> list[Row]:
    """The broken thing and the mended one, in a sentence each."""
    rows: list[Row] = []
    for look, lead in ((SYMPTOM, "Broken        "), (MEND, "Mended        ")):
        found = feedback.asked.finding(look)
        if found is not None:
            told = row(prose(found.sentence), styled(f"  {found.stamp}", _MUTED))
            rows.append((styled(lead, "bold"), told))
    return rows


def _decided(feedback: Feedback) -> list[Row]:
    """Which probes would have decided the case, at which price, and which of them were bought."""
    body = feedback.asked.question.body
    if not isinstance(body, DiagnoseBody):
        return []
    bought = feedback.asked.bought
    rows: list[Row] = []
    for n, probe in enumerate(body.deciding):
        lead = styled("Decided by    ", "bold") if not n else Content(" " * 14)
        name = styled(probe.id, "$text-accent")
        price = f"  {probe.price} min{', bought' if probe.id in bought else ''}"
        rows.append((lead, row(name, styled(price, _MUTED), Content(f"  {probe.label}"))))
    return rows


def memory_line(feedback: Feedback) -> Content:
    """The grade among those that overrule it, and when the item comes back."""
    grades: list[Content] = [styled("Grade ", _MUTED)]
    for each in feedback.grades:
        chosen = each.grade == feedback.grade
        shown = f"[{each.name}]" if chosen else each.name
        grades.append(styled(f" {each.grade} ", "bold $text-accent"))
        grades.append(styled(shown, "bold" if chosen else _MUTED))
    own = " (yours)" if feedback.overruled else ""
    again = "in this session" if feedback.again_today else ""
    back = ", then ".join(part for part in (again, feedback.due) if part)
    return row(*grades, Content(own), styled(f"   back {back}", _MUTED))

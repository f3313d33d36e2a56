"""What is shown after an answer: verdict, what was right, the belief, the why, the source."""

from __future__ import annotations

from textual.content import Content

from drill.domain.questions import ExplainBody, Source
from drill.domain.verdict import PointResult
from drill.services.asked import Feedback
from drill.tui.text import prose, row, styled

_STATES = {
    "credited": ("✓", "credited"),
    "ask": ("?", "did you say this?"),
    "missed": ("·", "not found"),
}


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
    said = f"  {verdict.summary}" if verdict.summary else ""
    return row(styled(lead, style), Content(own), Content(said))


def learners_words(feedback: Feedback) -> Content:
    """The answer as it was given, and as it was read where that differs."""
    verdict = feedback.verdict
    if feedback.aloud:
        return styled("You said it aloud.", "$foreground 60%")
    given = verdict.understood or feedback.answer
    return row(styled("Your answer  ", "$foreground 60%"), Content(given))


def points_list(points: tuple[PointResult, ...], ticked: tuple[str, ...], cursor: int) -> Content:
    """The rubric as a checklist; ticks of the learner are told apart from automatic credit."""
    drawn: list[Content] = []
    for index, point in enumerate(points):
        mark, word = _STATES[point.state]
        style = {"credited": "$text-success", "ask": "$text-warning"}.get(point.state, "")
        if point.id in ticked:
            mark, word, style = ("✓", "you say so", "$text-accent")
        elif point.state == "credited" and f"-{point.id}" in ticked:
            mark, word, style = ("·", "you say no", "$text-accent")
        lead = "›" if index == cursor else " "
        bonus = "" if point.essential else " (bonus)"
        head = row(
            styled(f"{lead}[{mark}] ", f"bold {style}".strip()), Content(point.statement + bonus)
        )
        quoted = f"“{' … '.join(point.matched)}”" if point.matched else ""
        detail = "; ".join(part for part in (word, quoted, point.reason) if part)
        drawn.append(Content("\n").join([head, styled(f"      {detail}", "$foreground 60%")]))
    return Content("\n").join(drawn)


def source_text(source: Source) -> str:
    """One source on one line."""
    if source.paper:
        where = [
            f"eq. {source.eq}" if source.eq else "",
            f"§{source.section}" if source.section else "",
        ]
        return ", ".join(part for part in (source.paper, *where) if part)
    return source.symbol or source.doc or source.text


def body(feedback: Feedback, *, cursor: int = -1) -> Content:
    """Everything under the verdict, in the order in which it helps."""
    question, verdict = feedback.asked.question, feedback.verdict
    parts: list[Content] = [learners_words(feedback)]
    if verdict.points:
        parts.append(points_list(verdict.points, feedback.ticked, cursor))
    else:
        if verdict.expected and verdict.score < 0.999:
            parts.append(row(styled("Key          ", "$foreground 60%"), Content(verdict.expected)))
        if verdict.good and verdict.score < 0.999:
            good = [row(styled("✓ ", "$text-success"), Content(text)) for text in verdict.good]
            parts.append(Content("\n").join(good))
    faults = [
        row(styled("✗ ", "$text-error"), Content(fault.says))
        for fault in verdict.faults
        if fault.says
    ]
    if faults:
        parts.append(Content("\n").join(faults))
    for note in feedback.beliefs:
        parts.append(
            row(
                styled("A belief behind this: ", "bold"),
                Content(note.belief.rstrip(".") + ". "),
                styled("In fact: ", "bold"),
                Content(note.correction),
            )
        )
    if question.explanation:
        parts.append(prose(question.explanation))
    if isinstance(question.body, ExplainBody) and question.body.model_answer:
        parts.append(row(styled("A strong answer: ", "bold"), prose(question.body.model_answer)))
    if question.follow_up:
        parts.append(
            row(styled("They may ask next: ", "bold"), prose(" ".join(question.follow_up)))
        )
    if question.sources:
        listed = " · ".join(source_text(source) for source in question.sources)
        parts.append(styled(f"Source: {listed}", "$foreground 60%"))
    if question.stamp:
        parts.append(styled(question.stamp, "$foreground 60%"))
    return Content("\n\n").join(parts)


def memory_line(feedback: Feedback) -> Content:
    """How the answer is remembered and when the item comes back."""
    chosen = next((g.name for g in feedback.grades if g.grade == feedback.grade), "")
    own = ", your choice" if feedback.overruled else ""
    again = "; again later in this session" if feedback.again_today else ""
    return styled(f"Remembered as {chosen}{own}: back {feedback.due}{again}.", "$foreground 60%")

"""What was said about a question so far, as a dialogue."""

from __future__ import annotations

from textual.content import Content

from drill.domain.interview.dialogue import Move, next_move
from drill.domain.interview.state import Turn
from drill.domain.questions import Bar, Question
from drill.tui.text import plain, prose, row, styled
from drill.tui.widgets.paragraphs import Row

_MUTED = "$foreground 60%"
THEY, YOU = "They  ", "You   "


def they(text: str, *, now: bool = False) -> Row:
    """Words of the interviewer; bold where an answer to them is open."""
    said = prose(text)
    return styled(THEY, "$text-accent"), said.stylize("bold") if now else said


def you(text: str) -> Row:
    """Words of the learner, as they were typed."""
    return styled(YOU, _MUTED), plain(text.strip())


def given_row(statement: str) -> Row:
    """What the interviewer gives away before moving on."""
    lead = styled("What I was after: ", _MUTED)
    return styled(THEY, "$text-accent"), row(lead, prose(statement))


def turn_rows(turn: Turn) -> list[Row]:
    """A probe and what the learner made of it."""
    rows = [they(turn.probe)] if turn.probe else []
    if turn.text.strip():
        rows.append(you(turn.text))
    said = {"claim": "I said that.", "pass": "(passed)", "cut": "(time was up)"}.get(turn.kind)
    if said:
        rows.append((styled(YOU, _MUTED), styled(said, _MUTED)))
    return rows


def talk(question: Question, level: Bar, turns: tuple[Turn, ...], move: Move) -> list[list[Row]]:
    """Everything after the opening question, with the open probe last."""
    groups: list[list[Row]] = []
    for at, turn in enumerate(turns):
        rows = turn_rows(turn)
        given = next_move(question, level, turns[: at + 1]).given
        if given:
            rows.append(given_row(given))
        if turn.by:
            rows.append((Content(" " * len(YOU)), styled(turn.by, _MUTED)))
        groups.append(rows)
    if move.kind == "probe":
        groups.append([they(move.text, now=True)])
    return groups

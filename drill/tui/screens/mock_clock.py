"""The visible timer of an interview: calm, and said in words when little is left."""

from __future__ import annotations

from textual.content import Content

from drill.domain.interview.state import Interview
from drill.services.mock_words import clock
from drill.tui.text import styled

LITTLE = 120.0
"""Seconds that count as the last ones of the questions, and of a slot."""
_MUTED = "$foreground 60%"


def time_left(interview: Interview) -> str:
    """For the header: the whole interview, its debrief included."""
    return f"{clock(interview.seconds_left)} left"


def slot_used(interview: Interview) -> float:
    """Seconds since the first question of the present slot was shown."""
    items = interview.slots[interview.slot].items
    began = [r.began for r in interview.records if r.item_id in items]
    return max(0.0, interview.seconds - min(began)) if began else 0.0


def slot_line(interview: Interview) -> Content:
    """How the present question stands to its time; the end of all questions comes first."""
    minutes = interview.slots[interview.slot].minutes
    left = interview.asking_seconds_left
    if left <= LITTLE:
        return styled(f"The debrief begins in {clock(left)}.", "bold $text-warning")
    rest = 60 * minutes - slot_used(interview)
    planned = f"{minutes:g} min planned for this question"
    if rest < 0:
        return styled(f"{clock(-rest)} over the {planned}", "$foreground")
    # Two minutes before the end are no last minutes of a question that has but two.
    if rest <= min(LITTLE, 20 * minutes):
        return styled(f"{clock(rest)} left of the {planned}", "$foreground")
    return styled(planned, _MUTED)

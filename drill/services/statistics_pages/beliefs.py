"""Misconceptions that answers have shown, each with what is right instead."""

from __future__ import annotations

from drill.domain.counted import counted
from drill.domain.questions import TOPICS
from drill.domain.statistics.model import BeliefHistory, Statistics
from drill.services.statistics_pages.parts import Group, Tone, line, said, title

_MARKS: dict[str, tuple[str, Tone]] = {
    "held": ("✗ ", "bad"),
    "shaken": ("~ ", "accent"),
    "cleared": ("✓ ", "good"),
}
_TITLES = {
    "held": ("Held", "shown, and no right answer since"),
    "shaken": ("Shaken", "right on one day since; a second one clears it"),
    "cleared": ("Cleared", "right on two days or more since"),
}


MOST_CLEARED = 8


def beliefs(found: Statistics, width: int) -> list[Group]:
    """The groups of the page; they wrap by themselves."""
    told = found.beliefs
    if not told.beliefs:
        return [
            [
                title("Misconceptions"),
                said(
                    "Wrong answers that stand for a known misconception are listed here with what "
                    "is right instead, until right answers on two days clear them. None was shown."
                ),
            ]
        ]
    counts = f"{told.held} held, {told.shaken} shaken, {told.cleared} cleared"
    back = f"; {counted(told.returned, 'belief')} came back after that" if told.returned else ""
    groups: list[Group] = [[line((counts, "bold"), (back, ""))]]
    for status, (name, about) in _TITLES.items():
        of_status = [belief for belief in told.beliefs if belief.status == status]
        if of_status:
            groups.append([title(f"{name}: {len(of_status)}", about)])
            shown = of_status[:MOST_CLEARED] if status == "cleared" else of_status
            for belief in shown:
                groups[-1] += _belief(belief)
            if len(shown) < len(of_status):
                groups[-1].append(said(f"  and {len(of_status) - len(shown)} before these"))
    return groups


def _belief(belief: BeliefHistory) -> Group:
    facts = [TOPICS.get(belief.topic, belief.topic).split(":")[0]] if belief.topic else []
    facts.append(
        f"shown {_times(belief.shown)}, last {belief.last_date}{', while sure' * belief.sure}"
    )
    if belief.returned:
        facts.append(f"came back {_times(belief.returned)} after it was cleared")
    rows: Group = [((_MARKS[belief.status],), ((belief.belief, "prose"),))]
    if belief.correction and belief.status != "cleared":
        rows.append(((("  ", ""),), ((belief.correction, "dim"),)))
    rows.append(((("  ", ""),), ((" · ".join(facts), "muted"),)))
    return rows


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")

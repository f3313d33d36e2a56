"""Searching and filtering the bank, and the facts of one item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from drill.domain.memory.state import GRADE_NAMES, MemoryState
from drill.domain.questions import Head
from drill.services.app import ASKED
from drill.services.when import in_words

if TYPE_CHECKING:
    from drill.services.app import Drill

STATES = ("all", "due", "new", "seen", "leech", "suspended", "held")


@dataclass(frozen=True, slots=True)
class Row:
    """One item in the list."""

    id: str
    topic: str
    level: str
    type: str
    standing: str
    """`new`, `due`, a next time in words, `suspended`, `held back`."""
    prompt: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown; empty fields show everything."""

    words: str = ""
    topic: str = ""
    type: str = ""
    level: str = ""
    state: str = "all"


class Browser:
    """Holds what does not change while the learner types."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill
        self._today = drill.store.today()
        self.refresh()
        self._prompts: dict[str, str] = {}

    def refresh(self) -> None:
        """Read the states again."""
        self._states = self._drill.store.states()

    def prompt(self, item_id: str) -> str:
        """The prompt of an item on one line."""
        if item_id not in self._prompts:
            from drill.packs.excerpt import ExcerptError

            try:
                text = self._drill.bank.question(item_id, 0).prompt
            except ExcerptError as error:
                text = f"(cannot be shown: {error})"
            self._prompts[item_id] = " ".join(text.split())
        return self._prompts[item_id]

    def row(self, item_id: str) -> Row:
        """One item; raises KeyError for an id that the bank does not have."""
        head = self._drill.bank.heads[item_id]
        prompt = self.prompt(item_id)
        return Row(item_id, head.topic, head.level, head.type, self._standing(head), prompt)

    def rows(self, wanted: Filter) -> list[Row]:
        """Items that pass the filter, in the order of the bank."""
        words = wanted.words.lower().split()
        found = []
        withheld = self._drill.withheld()
        for item_id, head in self._drill.bank.heads.items():
            if item_id in withheld:
                continue
            if wanted.topic and head.topic != wanted.topic:
                continue
            if wanted.type and head.type != wanted.type:
                continue
            if wanted.level and head.level != wanted.level:
                continue
            if not self._in_state(head, wanted.state):
                continue
            row = self.row(item_id)
            text = f"{item_id} {head.topic} {head.type} {row.prompt}".lower()
            if all(word in text for word in words):
                found.append(row)
        return found

    def _in_state(self, head: Head, state: str) -> bool:
        memory = self._states.get(head.id)
        if state == "all":
            return True
        if state == "held":
            return self._drill.standings[head.id] not in ASKED
        if state == "new":
            return memory is None or memory.new
        if memory is None:
            return False
        return {
            "due": memory.is_due(self._today),
            "seen": memory.reps > 0,
            "leech": memory.leech,
            "suspended": memory.suspended,
        }[state]

    def _standing(self, head: Head) -> str:
        standing = self._drill.standings[head.id]
        if standing == "hidden":
            return "needs labs"
        if standing not in ASKED:
            return "held back"
        return state_words(self._states.get(head.id), self._today)


def state_words(state: MemoryState | None, today: int) -> str:
    """A memory state in a word or two."""
    if state is None or (state.new and state.due_day is None and not state.suspended):
        return "new"
    if state.suspended:
        return "suspended"
    if state.is_due(today):
        return "due"
    return in_words(state.due_day, today)


def history_lines(drill: Drill, item_id: str) -> list[str]:
    """Every event of an item, newest first, in words."""
    lines = []
    for event in reversed(drill.store.history(item_id)):
        at = datetime.fromisoformat(event.at.replace("Z", "+00:00"))
        local = (at + (drill.clock().utcoffset() or timedelta())).strftime("%Y-%m-%d %H:%M")
        what = event.kind
        if event.kind == "review":
            grade = GRADE_NAMES.get(event.grade, "")
            score = "" if event.auto_score is None else f" {event.auto_score:.0%}"
            sure = {1: ", a guess", 2: "", 3: ", sure"}.get(event.confidence or 0, "")
            what = f"{event.mode}{score}, {grade}{sure}: {' '.join(event.answer.split())[:60]}"
        elif event.kind == "overrule":
            what = f"grade changed to {GRADE_NAMES.get(event.grade, '?')}"
        lines.append(f"{local}  {what}{'' if event.active else '  (taken back)'}")
    return lines


def titles(drill: Drill, ids: Iterable[str], width: int = 72) -> list[str]:
    """Prompts of items, shortened."""
    browser = Browser(drill)
    texts = (browser.prompt(i) for i in ids if i in drill.bank.heads)
    return [text if len(text) <= width else text[: width - 1] + "…" for text in texts]

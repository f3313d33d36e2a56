"""What a real interview asked: kept, brought forward where the bank has it, drafted where not.

Each question and each choice is stored as it is made, so that a log that was left in the middle
goes on; `finish` may be repeated after a crash.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from drill.services.after_find import Finder, Match
from drill.services.after_kept import (
    KIND,
    Entry,
    Outcome,
    Plan,
    company_of,
    document,
    drafted_before,
    drafts_folder,
    logs,
    shown,
)

if TYPE_CHECKING:
    from drill.domain.memory.state import MemoryState
    from drill.services.app import Drill

__all__ = ["KIND", "Entry", "Log", "begin", "drafts_folder", "logs", "shown", "unfinished"]


class Log:
    """A log that is being written."""

    def __init__(self, drill: Drill, plan: Plan, log_id: str) -> None:
        """`log_id`: of its row; empty for a rehearsal, which stores and writes nothing."""
        self._drill = drill
        self.id = log_id
        self._plan = plan

    @property
    def date(self) -> str:
        """Day of the interview, ISO."""
        return self._plan.date

    @property
    def company(self) -> str:
        """As the learner wrote it."""
        return self._plan.company

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The questions so far."""
        return self._plan.entries

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self._drill)

    def add(self, text: str) -> int | None:
        """Keep a question and look for it; its place, or None where the log has it already."""
        if any(entry.text.casefold() == text.casefold() for entry in self.entries):
            return None
        self._keep((*self.entries, Entry(text)))
        at = len(self.entries) - 1
        self._set(at, self._looked_up(self.entries[at]))
        return at

    def choose(self, at: int, item: str) -> None:
        """Say which of the near items was meant; empty for none of them. Raises ValueError."""
        if item and item not in {match.item for match in self.entries[at].near}:
            raise ValueError(f"{item!r} is not one of the matches")
        self._set(at, replace(self.entries[at], item=item, decided=True))

    def finish(self) -> dict[str, Any]:
        """Bring forward what the bank has, draft what it lacks, and end the log.

        Undecided questions take their first `likely` match, if there is one. Raises OSError
        where the drafts cannot be written; the log stays unfinished then and nothing is lost.
        """
        self._keep(tuple(self._decided(entry) for entry in self.entries))
        self._draft_all()
        self._bring_forward()
        made = document(self.id, self._plan, drafts_folder(self._drill))
        if self.id:
            # After the events, as the first one of a new home names the device.
            device = self._drill.store.settings.get("device", "")
            self._drill.store.sessions.end(self.id, {**made, "device": device})
        return made

    def _decided(self, entry: Entry) -> Entry:
        if not entry.topic:  # it was stored, and then drill was killed
            entry = self._looked_up(entry)
        if entry.decided:
            return entry
        likely = [match for match in entry.near if match.confidence == "likely"]
        # One that can be brought forward helps more than a nearer one that cannot.
        best = min(likely, key=lambda match: match.kept, default=None)
        return replace(entry, decided=True, item="" if best is None else best.item)

    def _looked_up(self, entry: Entry) -> Entry:
        near = tuple(self._finder.matches(entry.text))
        return replace(entry, near=near, topic=self._finder.topic(entry.text))

    def _draft_all(self) -> None:
        from drill.packs.fields import PREFIXES
        from drill.services.after_draft import append, draft_id, drafted

        folder = drafts_folder(self._drill)
        there = drafted(folder)
        before = drafted_before(self._drill)
        taken = set(there)
        entries: list[Entry] = []
        for entry in self.entries:
            if not entry.item:
                name = entry.draft or before.get(entry.text.casefold(), "")
                if not entry.draft and name not in there:
                    name = draft_id(PREFIXES[entry.topic], entry.text, taken)
                taken.add(name)
                entry = replace(entry, draft=name, outcome="drafted")
            entries.append(entry)
        # The ids are stored first, so that finishing again after a crash does not append twice.
        self._keep(tuple(entries))
        if not self.id:
            return
        withheld = self._drill.withheld()
        level = self._drill.profile.level
        for entry in entries:
            if entry.draft and not entry.item and entry.draft not in there:
                near = [m.item for m in self._near(entry) if m.item not in withheld]
                append(folder, entry.draft, entry.topic, level, entry.text, near)

    @staticmethod
    def _near(entry: Entry) -> list[Match]:
        return [match for match in entry.near if match.confidence != "unlikely"]

    def _bring_forward(self) -> None:
        drill = self._drill
        withheld, askable, states = drill.withheld(), drill.askable(), drill.store.states()
        tomorrow = drill.store.today() + 1
        wanted: dict[str, int] = {}
        entries: list[Entry] = []
        for entry in self.entries:
            if entry.item:
                state = states.get(entry.item)
                outcome: Outcome = "due"
                if entry.item in withheld:
                    outcome = "kept"
                elif entry.item not in askable or (state is not None and state.suspended):
                    outcome = "waiting"
                if outcome != "kept" and not _due_by(state, tomorrow):
                    wanted[entry.item] = tomorrow
                entry = replace(entry, outcome=outcome)
            entries.append(entry)
        self._keep(tuple(entries))
        if wanted and self.id:
            drill.store.advance(wanted, self.id)

    def _set(self, at: int, entry: Entry) -> None:
        self._keep((*self.entries[:at], entry, *self.entries[at + 1 :]))

    def _keep(self, entries: tuple[Entry, ...]) -> None:
        self._plan = replace(self._plan, entries=entries)
        if self.id:
            plan = msgspec.to_builtins(self._plan)
            self._drill.store.sessions.save_plan(self.id, plan, len(entries))


def _due_by(state: MemoryState | None, day: int) -> bool:
    return state is not None and state.due_day is not None and state.due_day <= day


def begin(drill: Drill, day: str = "", company: str = "", *, rehearsal: bool = False) -> Log:
    """Begin a log; `day` is ISO, today by default. A rehearsal changes nothing."""
    plan = Plan(day or drill.clock().date().isoformat(), company_of(company))
    if rehearsal:
        return Log(drill, plan, "")
    stored = drill.store.sessions.start(KIND, msgspec.to_builtins(plan), drill.store.today(), 0)
    return Log(drill, plan, stored.id)


def unfinished(drill: Drill) -> Log | None:
    """A log that was left in the middle."""
    stored = drill.store.sessions.unfinished(KIND)
    if stored is None:
        return None
    return Log(drill, msgspec.convert(stored.plan, Plan), stored.id)

"""What a real interview asked: kept, brought forward where the bank has it, drafted where not.

A log is a row of `sessions` of kind `after`. Each question and each choice is stored as it is
made, so that a log that was left in the middle goes on; `finish` may be repeated after a crash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.services.after_find import Finder, Match

if TYPE_CHECKING:
    from drill.domain.memory.state import MemoryState
    from drill.services.app import Drill
    from drill.store.sessions import Session as StoredSession

KIND = "after"
Outcome: TypeAlias = Literal["", "due", "waiting", "kept", "drafted"]
"""`due`: by tomorrow; `waiting`: in the bank, but suspended or not to be shown here; `kept`: kept
for interviews; `drafted`: the bank lacks it."""
OUTCOMES: tuple[Outcome, ...] = ("due", "waiting", "kept", "drafted")


class Entry(Struct, frozen=True, omit_defaults=True):
    """One question that was asked."""

    text: str
    near: tuple[Match, ...] = ()
    decided: bool = False
    item: str = ""
    """The item that practises it; empty: none."""
    draft: str = ""
    """Id of the skeleton."""
    topic: str = ""
    outcome: Outcome = ""


class _Plan(Struct, frozen=True):
    date: str
    company: str
    entries: tuple[Entry, ...] = ()


class Log:
    """A log that is being written."""

    def __init__(self, drill: Drill, stored: StoredSession) -> None:
        self._drill = drill
        self.id = stored.id
        self._plan = msgspec.convert(stored.plan, _Plan)

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
        made = self.document()
        self._drill.store.sessions.end(self.id, made)
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
        before = _drafted_before(self._drill)
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
        if wanted:
            drill.store.advance(wanted, self.id)

    def document(self) -> dict[str, Any]:
        """The log as JSON. It names kept items: show it through `shown`."""
        drafts = drafts_folder(self._drill)
        return _document(self.id, self._plan, drafts)

    def _set(self, at: int, entry: Entry) -> None:
        self._keep((*self.entries[:at], entry, *self.entries[at + 1 :]))

    def _keep(self, entries: tuple[Entry, ...]) -> None:
        self._plan = replace(self._plan, entries=entries)
        plan = msgspec.to_builtins(self._plan)
        self._drill.store.sessions.save_plan(self.id, plan, len(entries))


def _due_by(state: MemoryState | None, day: int) -> bool:
    return state is not None and state.due_day is not None and state.due_day <= day


def _document(log_id: str, plan: _Plan, folder: Path) -> dict[str, Any]:
    from drill.services.after_draft import file_of

    files = {str(file_of(folder, e.topic)) for e in plan.entries if e.outcome == "drafted"}
    counts = Counter(entry.outcome for entry in plan.entries)
    return {
        "id": log_id,
        "date": plan.date,
        "company": plan.company,
        "counts": {
            "questions": len(plan.entries),
            **{name: counts[name] for name in OUTCOMES},
        },
        "files": sorted(files),
        "questions": [
            {
                "question": entry.text,
                "outcome": entry.outcome,
                "topic": entry.topic,
                "item": entry.item,
                "draft": entry.draft,
                "near": [msgspec.to_builtins(match) for match in entry.near],
            }
            for entry in plan.entries
        ],
    }


def shown(drill: Drill, document: Mapping[str, Any]) -> dict[str, Any]:
    """A log as it may be shown: items that are still kept for interviews have no name."""
    withheld = drill.withheld()

    def near(match: Mapping[str, Any]) -> dict[str, Any]:
        kept = match["item"] in withheld
        return {**match, "item": "" if kept else match["item"], "kept": kept}

    questions = [
        {
            **each,
            "item": "" if each["item"] in withheld else each["item"],
            "near": [near(match) for match in each["near"]],
        }
        for each in document["questions"]
    ]
    return {**document, "questions": questions}


def drafts_folder(drill: Drill) -> Path:
    """The folder of drafts, shaped like a pack."""
    from drill.services.after_draft import FOLDER

    return drill.store.path.parent / FOLDER


def begin(drill: Drill, day: str = "", company: str = "") -> Log:
    """Begin a log; `day` is ISO, today by default."""
    plan = _Plan(day or drill.clock().date().isoformat(), " ".join(company.split())[:200])
    stored = drill.store.sessions.start(KIND, msgspec.to_builtins(plan), drill.store.today(), 0)
    return Log(drill, stored)


def unfinished(drill: Drill) -> Log | None:
    """A log that was left in the middle."""
    stored = drill.store.sessions.unfinished(KIND)
    return None if stored is None else Log(drill, stored)


def logs(drill: Drill, limit: int = 1000) -> list[dict[str, Any]]:
    """Every log, newest first, ready to be shown; `finished`: not left in the middle."""
    folder = drafts_folder(drill)
    found = []
    for stored in drill.store.sessions.recent(limit, KIND):
        plan = msgspec.convert(stored.plan, _Plan)
        document = shown(drill, _document(stored.id, plan, folder))
        found.append({**document, "finished": stored.ended is not None})
    return found


def _drafted_before(drill: Drill) -> dict[str, str]:
    """Questions of former logs and their drafts."""
    found: dict[str, str] = {}
    for stored in drill.store.sessions.recent(1000, KIND):
        for entry in msgspec.convert(stored.plan, _Plan).entries:
            if entry.draft:
                found.setdefault(entry.text.casefold(), entry.draft)
    return found

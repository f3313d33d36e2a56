"""Whatever the learner does, the stored states are those of a history without the undone parts."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from drill.domain.memory import fsrs_memory
from drill.domain.memory.state import MemoryState, ParameterSet, as_grade
from drill.store import Recorded, Store
from drill.store.replay import replay_all
from tests.store.conftest import Clock, answer

ITEMS = ("drill:a", "drill:b", "drill:c")


@dataclass
class Deed:
    """One event, as the test understands it."""

    done: Recorded
    values: dict[str, Any] = field(default_factory=dict)


class Learner(RuleBasedStateMachine):
    """Random deeds on a real file, with a second, naive account of what holds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.deeds: dict[str, Deed] = {}
        self.sets = ParameterSet()

    @initialize()
    def start(self) -> None:
        self.path = Path(self.folder.name) / "d.sqlite3"
        self.store = Store.open(self.path, clock=self.clock)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def note(self, done: Recorded, **values: Any) -> None:
        self.deeds[done.uuid] = Deed(done, values)

    @rule(hours=st.integers(-60, 24 * 12), minutes=st.integers(0, 59))
    def time_passes(self, hours: int, minutes: int) -> None:
        self.clock.go(hours=hours, minutes=minutes)

    @rule(offset=st.sampled_from([-480, 0, 60, 540]))
    def travel(self, offset: int) -> None:
        self.clock.offset = offset

    @rule(
        item=st.sampled_from(ITEMS),
        grade=st.integers(1, 4),
        confidence=st.sampled_from([None, 1, 2, 3]),
        mode=st.sampled_from(["session", "session", "retry", "placement", "mock", "cram"]),
    )
    def answers(self, item: str, grade: int, confidence: int | None, mode: str) -> None:
        done = self.store.record(answer(item, grade, confidence=confidence, mode=mode))
        self.note(done, grade=grade, confidence=confidence, mode=mode, sets=self.sets)

    @rule(item=st.sampled_from(ITEMS), kind=st.sampled_from(["suspend", "unsuspend", "bury"]))
    def sets_aside(self, item: str, kind: str) -> None:
        until = self.store.today() + 3
        if kind == "bury":
            self.note(self.store.bury(item, until), until=until)
        else:
            self.note(getattr(self.store, kind)(item))

    @rule(item=st.sampled_from(ITEMS), days=st.integers(0, 9))
    def marks(self, item: str, days: int) -> None:
        until = self.store.today() + days
        (done,) = self.store.mark_known({item: until})
        self.note(done, until=until, sets=self.sets)
        (done,) = self.store.advance({item: until})
        self.note(done, until=until)

    @rule(retention=st.sampled_from([0.8, 0.9, 0.95]))
    def tunes(self, retention: float) -> None:
        self.sets = ParameterSet(desired_retention=retention)
        self.store.set_parameters(self.sets)

    @precondition(lambda self: any(d.done.kind == "review" for d in self.deeds.values()))
    @rule(data=st.data(), grade=st.integers(1, 4))
    def overrules(self, data: st.DataObject, grade: int) -> None:
        reviews = [u for u, d in self.deeds.items() if d.done.kind == "review"]
        target = data.draw(st.sampled_from(reviews))
        self.note(self.store.overrule(target, grade), target=target, grade=grade)

    def cancels(self, done: Recorded) -> None:
        self.note(done, target=done.target)

    @property
    def cancelled(self) -> set[str]:
        """What an undo that holds cancels; an undo is always later than its target."""
        gone: set[str] = set()
        for uuid, deed in reversed(self.deeds.items()):
            if deed.done.kind == "undo" and uuid not in gone:
                gone.add(deed.values["target"])
        return gone

    @rule()
    def undoes_the_last(self) -> None:
        kinds = ("review", "overrule", "suspend", "unsuspend", "bury")
        expected = [
            u for u, d in self.deeds.items() if d.done.kind in kinds and u not in self.cancelled
        ]
        done = self.store.undo()
        assert (done.target if done else None) == (expected[-1] if expected else None)
        if done:
            self.cancels(done)

    @precondition(lambda self: len(self.deeds) > len(self.cancelled))
    @rule(data=st.data())
    def undoes_any(self, data: st.DataObject) -> None:
        target = data.draw(st.sampled_from([u for u in self.deeds if u not in self.cancelled]))
        done = self.store.undo(target)
        assert done is not None
        self.cancels(done)

    @rule()
    def redoes(self) -> None:
        done = self.store.redo()
        if done:
            self.cancels(done)

    @rule()
    def comes_back_tomorrow(self) -> None:
        self.store.close()
        self.store = Store.open(self.path, clock=self.clock)

    @invariant()
    def the_states_are_those_of_what_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        stored = self.store.states()
        with self.store.access.read() as connection:
            states, amended = replay_all(connection)
            rows = connection.execute("SELECT uuid, active, overruled_by FROM amended").fetchall()
        assert stored == states
        assert {u: (a, o) for u, a, o in rows} == amended
        assert stored == self.naive()
        reviews = {u for u, d in self.deeds.items() if d.done.kind == "review"}
        assert {a.uuid for a in self.store.answers()} == reviews - self.cancelled

    def naive(self) -> dict[str, MemoryState]:
        """The history told again without what was undone, in the order of its times."""
        active = [d for u, d in self.deeds.items() if u not in self.cancelled]
        active.sort(key=lambda d: (d.done.at, d.done.uuid))
        grades = {
            d.values["target"]: d.values["grade"] for d in active if d.done.kind == "overrule"
        }
        found: dict[str, MemoryState] = {}
        for deed in active:
            done, values = deed.done, deed.values
            state = found.get(done.item_id, MemoryState(done.item_id))
            if done.kind == "review" and values["mode"] not in ("mock", "cram"):
                grade = as_grade(grades.get(done.uuid, values["grade"]))
                state = fsrs_memory.review(
                    state,
                    grade,
                    done.study_day,
                    values["sets"],
                    confident=grade == 1 and values["confidence"] == 3,
                    retry=values["mode"] == "retry",
                )
            elif done.kind in ("suspend", "unsuspend"):
                state = replace(state, suspended=done.kind == "suspend")
            elif done.kind == "bury":
                state = replace(state, buried_until=values["until"])
            elif done.kind == "known":
                state = fsrs_memory.known(state, done.study_day, values["until"], values["sets"])
            elif done.kind == "advance":
                days = [d for d in (state.due_day, values["until"]) if d is not None]
                state = replace(state, due_day=min(days))
            found[done.item_id] = state
        return {i: s for i, s in found.items() if s != MemoryState(i)}


EXAMPLES = int(os.environ.get("DRILL_REPLAY_EXAMPLES", "20"))
TestLearner = Learner.TestCase
TestLearner.settings = settings(max_examples=EXAMPLES, stateful_step_count=25, deadline=None)

"""Whatever was done on two or three machines, merging is a union: order and repetition are nothing.

The machines exchange exports in between, so that they share prefixes and then undo, overrule and
continue the same things differently; their clocks and time zones differ.
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.memory.state import ParameterSet
from drill.store.db import StoreError
from drill.store.runs import Run
from tests.moving.machines import Machine

ITEMS = ("drill:a", "drill:b", "other:c")
SKEWS = (timedelta(0), timedelta(hours=-7), timedelta(hours=30))
EXAMPLES = int(os.environ.get("DRILL_MERGE_EXAMPLES", "12"))

DEEDS = (
    *("answer", "answer", "answer", "undo", "redo", "overrule", "undo any", "mark", "tune"),
    *("session", "go on", "run", "exchange", "exchange"),
)
deeds = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(DEEDS),
        st.integers(0, 999),
        st.integers(1, 4),
    ),
    min_size=3,
    max_size=24,
)


def do(machines: list[Machine], who: int, deed: str, choice: int, grade: int) -> None:
    machine = machines[who % len(machines)]
    store = machine.store
    machine.now += timedelta(hours=choice % 31)
    machine.offset = (60, -480, 540)[choice % 3]
    item = ITEMS[choice % len(ITEMS)]
    events = [row[0] for row in store.access.rows("SELECT uuid FROM reviews ORDER BY uuid")]
    answers = sorted(answer.uuid for answer in store.answers())
    sessions = sorted(session.id for session in store.sessions.recent())
    if deed == "answer":
        modes = ("session", "session", "retry", "mock")
        machine.answer(item, grade, mode=modes[choice % 4], confidence=1 + choice % 3)
    elif deed == "undo":
        store.undo()
    elif deed == "redo":
        store.redo()
    elif deed == "overrule" and answers:
        store.overrule(answers[choice % len(answers)], grade, points={"a": "ticked"})
    elif deed == "undo any" and events:
        try:
            store.undo(events[choice % len(events)])
        except StoreError as error:
            assert "undone already" in str(error)
    elif deed == "mark":
        (store.suspend, store.unsuspend, store.bury)[grade % 3](item)
        store.mark_known({item: store.today() + grade})
    elif deed == "tune":
        store.set_parameters(ParameterSet(desired_retention=0.7 + 0.05 * grade))
    elif deed == "session":
        store.sessions.start("mock", {"seconds": 0.0}, store.today(), choice)
    elif deed == "go on" and sessions:
        chosen = sessions[choice % len(sessions)]
        store.sessions.save_plan(chosen, {"seconds": float(choice)}, grade)
        if grade == 4:
            store.sessions.end(chosen, {"band": choice})
        elif grade == 3:
            store.sessions.save_draft(chosen, {"text": "half", "seconds": choice + 0.5})
    elif deed == "run":
        store.runs.save(a_run(f"{machine.name}-{choice}"))
    elif deed == "exchange":
        machines[(who + 1 + choice) % len(machines)].take(machine.export())


def a_run(name: str) -> Run:
    return Run(
        id=name, name="cfg", started="2026-11-23T10:00:00+00:00", seconds=1.5, params={"n": 1},
        metrics={}, claims=(), outcomes={}, device="cpu", versions={}, seed=0,
    )  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(deeds=deeds, count=st.integers(2, 3))
def test_merging_is_a_union(deeds: list[Any], count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        machines = [Machine(root, f"m{n}", SKEWS[n]) for n in range(count)]
        fresh = [Machine(root, f"fresh{n}") for n in range(4)]
        try:
            for who, deed, choice, grade in deeds:
                do(machines, who, deed, choice, grade)
            _check(machines, fresh)
        finally:
            for machine in machines + fresh:
                machine.close()


def _check(machines: list[Machine], fresh: list[Machine]) -> None:
    files = [machine.export() for machine in machines]
    uuids = {row[0] for m in machines for row in m.store.access.rows("SELECT uuid FROM reviews")}
    together, backwards, nested, _ = fresh
    made = together.take(*files)
    assert made.events.conflicts == made.runs.conflicts == 0
    assert made.events.new == len(uuids), "nothing lost, nothing double"
    expected = together.holds()
    for file in reversed(files):
        backwards.take(file)
    assert backwards.holds() == expected, "commutative"
    for file in files[1:]:
        nested.take(file)
    machines[0].take(nested.export())
    assert machines[0].holds() == expected, "associative, and the same where it began"
    again = together.take(*files, machines[0].export())
    assert not again.changed and again.backup == "" and again.events.new == 0
    assert together.holds() == expected, "idempotent"
    machines[1].take(together.export())
    assert machines[1].holds() == expected

"""Sessions, settings, runs, and moving the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from drill.domain.memory.state import ParameterSet
from drill.store import Store
from drill.store.db import StoreError
from drill.store.doctor import examine
from drill.store.runs import Run
from drill.store.transfer import export_log, merge
from tests.store.conftest import Clock, answer

Opened = Callable[[], Store]


def test_a_session_is_resumed_where_it_was_left(store: Store, opened: Opened, clock: Clock) -> None:
    begun = store.sessions.start("session", {"upcoming": ["a", "b"]}, store.today(), 9, 15.0)
    store.record(answer(session_id=begun.id), position=1, plan={"upcoming": ["b"]})
    store.sessions.save_draft(begun.id, {"text": "[2, 4,", "cursor": 6})
    store.close()
    again = opened()
    found = again.sessions.unfinished()
    assert found is not None
    assert (found.id, found.position, found.plan) == (begun.id, 1, {"upcoming": ["b"]})
    assert found.draft == {"text": "[2, 4,", "cursor": 6}
    again.record(answer("drill:b", session_id=begun.id), position=2)
    found = again.sessions.get(begun.id)
    assert (found.draft, found.position, found.plan) == (None, 2, {"upcoming": ["b"]})
    again.undo(position=1, plan={"upcoming": ["b"]})
    assert again.sessions.get(begun.id).position == 1
    again.sessions.end(begun.id, {"right": 1})
    ended = again.sessions.get(begun.id)
    clock.go(hours=1)
    again.sessions.end(begun.id)
    assert again.sessions.get(begun.id) == ended
    assert again.sessions.unfinished() is None
    assert ended.summary == {"right": 1}


def test_kinds_of_session_do_not_mix(store: Store, clock: Clock) -> None:
    one = store.sessions.start("session", [], store.today(), 1)
    clock.go(minutes=1)
    two = store.sessions.start("mock", [], store.today(), 1)
    clock.go(minutes=1)
    three = store.sessions.start("session", [], store.today(), 1, session_id="chosen")
    assert three.id == "chosen"
    assert store.sessions.unfinished() == three
    assert store.sessions.unfinished("mock") == two
    assert store.sessions.unfinished("placement") is None
    assert [s.id for s in store.sessions.recent(kind="session")] == ["chosen", one.id]
    store.sessions.save_draft(one.id, {"x": 1})
    store.sessions.save_plan(one.id, ["new"], 3)
    changed = store.sessions.get(one.id)
    assert (changed.plan, changed.position, changed.draft) == (["new"], 3, None)
    for action in (
        lambda: store.sessions.get("none"),
        lambda: store.sessions.save_plan("none", [], 0),
    ):
        with pytest.raises(KeyError, match="none"):
            action()


def test_settings(store: Store, opened: Opened) -> None:
    assert store.settings.get("level", "mid") == "mid"
    store.settings.set("level", "senior")
    store.settings.set("roles", ["serving"])
    assert opened().settings.get("level") == "senior"
    store.settings.set("level", None)
    assert store.settings.get("level", "mid") is None
    store.settings.delete("level")
    assert store.settings.get("level", "mid") == "mid"
    assert store.settings.all() == {"roles": ["serving"]}
    with pytest.raises(TypeError):
        store.settings.set("bad", {1, 2})


def run(run_id: str, started: str = "2026-11-23T10:00:00.000000Z", name: str = "cfg") -> Run:
    return Run(
        id=run_id,
        name=name,
        started=started,
        seconds=1.5,
        params=MappingProxyType({"scales": [1, 7.5]}),
        metrics={"adherence": [0.58, 0.88]},
        claims=({"name": "c", "holds": True, "measured": 0.88, "expected": ">= .8"},),
        outcomes={"best": "7.5"},
        device="cpu",
        versions={"torch": "2.13.0"},
        seed=3,
        artefacts=("runs/1/grid.png",),
    )


def test_runs(store: Store) -> None:
    store.runs.save(run("abc1"))
    store.runs.save(run("abd2", started="2026-11-24T10:00:00.000000Z"))
    store.runs.save(run("xyz", name="vae"))
    found = store.runs.get("abc")
    assert found.params == {"scales": [1, 7.5]}
    assert found.claims == [{"name": "c", "holds": True, "measured": 0.88, "expected": ">= .8"}]
    assert found.artefacts == ["runs/1/grid.png"]
    assert [r.id for r in store.runs.list("cfg")] == ["abd2", "abc1"]
    assert len(store.runs.list()) == 3
    store.runs.save(run("abc1", name="other"))
    assert store.runs.get("abc1").name == "cfg"
    for missing in ("ab", "none", ""):
        with pytest.raises(KeyError):
            store.runs.get(missing)
    store.runs.save(run("abc"))
    assert store.runs.get("abc").id == "abc", "an exact id is never ambiguous"
    with pytest.raises(TypeError):
        store.runs.save(replace(run("bad"), metrics={"x": object()}))


@pytest.fixture
def elsewhere(tmp_path: Path, clock: Clock) -> Store:
    return Store.open(tmp_path / "other" / "d.sqlite3", clock=clock)


def through_json(store: Store) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(export_log(store)))
    return found


def test_two_machines_come_to_the_same_states(store: Store, elsewhere: Store, clock: Clock) -> None:
    elsewhere.set_parameters(ParameterSet(desired_retention=0.8))
    for n in range(20):
        machine = (store, elsewhere)[n % 3 == 0]
        machine.record(answer(f"drill:{n % 4}", 1 + n % 4))
        if n % 7 == 6:
            machine.undo()
        clock.go(hours=9)
    here, there = through_json(store), through_json(elsewhere)
    assert merge(store, there) == 8, "seven answers and an undo"
    assert merge(elsewhere, here) == len(here["events"])  # type: ignore[arg-type]
    assert store.states() == elsewhere.states()
    assert [a.uuid for a in store.answers()] == [a.uuid for a in elsewhere.answers()]
    assert merge(store, there) == 0
    assert {f.code for f in examine(store)} <= {"order"}
    assert through_json(store) == through_json(elsewhere)
    elsewhere.close()


def test_undo_reaches_only_what_was_done_here(store: Store, elsewhere: Store) -> None:
    mine = store.record(answer())
    elsewhere.record(answer("drill:b"))
    merge(store, through_json(elsewhere))
    undone = store.undo()
    assert undone is not None
    assert undone.target == mine.uuid
    assert store.undo() is None
    assert store.redo() is not None
    elsewhere.close()


@pytest.mark.parametrize(
    "change",
    [
        {"grade": 9},
        {"kind": "delete"},
        {"at": "yesterday"},
        {"parameter_set": "unknown"},
        {"device_id": "unknown"},
        {"study_day": "monday"},
        {"uuid": None},
    ],
)
def test_an_import_that_does_not_fit_adds_nothing(
    store: Store, elsewhere: Store, change: dict[str, object]
) -> None:
    for n in range(3):
        elsewhere.record(answer(f"drill:{n}"))
    document = through_json(elsewhere)
    document["events"][2].update(change)  # type: ignore[index]
    with pytest.raises(StoreError, match="event 3 of the import"):
        merge(store, document)
    assert store.answers() == []
    assert store.access.rows("SELECT count(*) FROM devices") == [(0,)]
    with pytest.raises(StoreError, match="format"):
        merge(store, {"format": 99})
    elsewhere.close()

"""Sessions, settings, runs, and moving the log."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from drill.store import Store
from drill.store.runs import Run
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

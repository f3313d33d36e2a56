"""What an import does with each kind of conflict, and that it is all or nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drill import paths
from drill.services.moving import importing
from drill.services.moving.lines import ExportError
from drill.store.backup import BackupError
from drill.store.merging import progress
from drill.store.restore import restore
from tests.moving.machines import Machine, body_of, forged
from tests.moving.test_merge_property import a_run

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def test_both_undo_and_overrule_the_same_answer(laptop: Machine, desktop: Machine) -> None:
    target = laptop.answer("drill:a", 3)
    kept = laptop.answer("drill:b", 3)
    desktop.take(laptop.export())
    laptop.store.undo(target)
    laptop.store.overrule(kept, 2)
    desktop.now += timedelta(hours=1)
    desktop.store.undo(target)
    desktop.store.overrule(kept, 4)
    for one, other in ((laptop, desktop), (desktop, laptop)):
        one.take(other.export())
    assert laptop.holds() == desktop.holds()
    (answer,) = laptop.store.answers()
    assert (answer.uuid, answer.grade) == (kept, 4), "the later overrule holds"


def test_both_answer_the_same_item_on_one_day(laptop: Machine, desktop: Machine) -> None:
    laptop.answer("drill:a", 3)
    desktop.now += timedelta(hours=2)
    desktop.answer("drill:a", 1)
    laptop.take(desktop.export())
    state = laptop.store.state("drill:a")
    assert state is not None and (state.reps, state.last_grade) == (2, 1)
    assert len(laptop.store.answers()) == 2


def test_a_machine_whose_clock_is_ahead_does_not_carry_this_one_along(
    laptop: Machine, desktop: Machine
) -> None:
    desktop.now += timedelta(hours=30)
    desktop.answer("drill:a", 3)
    laptop.take(desktop.export())
    uuid = laptop.answer("drill:a", 1)
    own = next(answer for answer in laptop.store.answers() if answer.uuid == uuid)
    assert own.study_day == laptop.store.today()
    assert own.at < desktop.store.answers()[0].at
    desktop.take(laptop.export())
    assert laptop.holds() == desktop.holds()
    state = laptop.store.state("drill:a")
    assert state is not None and (state.reps, state.last_grade) == (2, 3)


def test_an_undo_whose_answer_comes_later(laptop: Machine, desktop: Machine) -> None:
    """Files of an older drill could hold one; the amendments follow the log all the same."""
    target = laptop.answer("drill:a", 3)
    undo = laptop.store.undo(target)
    assert undo is not None
    whole = laptop.export()
    early = forged(whole, [r for r in body_of(whole) if r[1].get("uuid") != target])
    desktop.take(early)
    desktop.store.undo(undo.uuid)
    again = desktop.export()
    desktop.take(whole)
    laptop.take(again)
    assert desktop.holds() == laptop.holds()
    assert [a.uuid for a in desktop.store.answers()] == [target]


def test_an_undo_of_an_undo_that_arrives_alone(laptop: Machine, desktop: Machine) -> None:
    target = laptop.answer("drill:a", 3)
    undo = laptop.store.undo(target)
    whole = laptop.export()
    assert undo is not None
    laptop.store.undo(undo.uuid)
    later = laptop.export()

    def without(path: Path) -> Path:
        return forged(path, [r for r in body_of(path) if r[1].get("uuid") != target])

    desktop.take(without(whole))
    desktop.take(without(later))
    desktop.holds()


def test_the_same_event_with_other_content_is_left_out(laptop: Machine, desktop: Machine) -> None:
    uuid = laptop.answer("drill:a", 3)
    laptop.answer("drill:b", 2)
    path = laptop.export()
    rows = body_of(path)
    changed = [
        (k, {**b, "grade": 1, "answer": "x"} if b.get("uuid") == uuid else b) for k, b in rows
    ]
    desktop.take(path)
    before = desktop.holds()
    other = forged(path, changed)
    made = desktop.take(other)
    line = next(n for n, (_, b) in enumerate(changed, start=2) if b.get("uuid") == uuid)
    assert (made.events.conflicts, made.events.known, made.changed) == (1, 1, False)
    assert made.conflicts[0].place == f"{other}:{line}"
    assert "another answer, grade" in made.conflicts[0].message
    assert desktop.holds() == before and made.backup == ""


def test_a_conflict_does_not_keep_the_rest_out(laptop: Machine, desktop: Machine) -> None:
    uuid = laptop.answer("drill:a", 3)
    path = laptop.export()
    desktop.take(path)
    laptop.answer("drill:b", 2)
    path = laptop.export()
    rows = [(k, {**b, "grade": 1} if b.get("uuid") == uuid else b) for k, b in body_of(path)]
    made = desktop.take(forged(path, rows))
    assert (made.events.new, made.events.conflicts) == (1, 1)
    assert {a.item_id for a in desktop.store.answers()} == {"drill:a", "drill:b"}


BAD: list[dict[str, Any]] = [
    {"grade": 9},
    {"grade": None},
    {"kind": "delete"},
    {"at": "yesterday"},
    {"at": None},
    {"parameter_set": "unknown"},
    {"device_id": "unknown"},
    {"study_day": "monday"},
    {"study_day": 10**12},
    {"study_day": 20_000},
    {"offset_minutes": 10**6},
    {"until_day": 10**12},
    {"uuid": None},
    {"uuid": ""},
    {"points": "[]"},
    {"points": "{"},
    {"misconceptions": "[1]"},
    {"before": "3"},
    {"answer": ["a"]},
    {"duration_ms": 10**30},
    {"surprise": 1},
    {"confidence": 7},
]


def test_a_line_that_drill_never_writes_stops_everything(laptop: Machine, desktop: Machine) -> None:
    for n in range(3):
        laptop.answer(f"drill:{n}")
    path = laptop.export()
    rows = body_of(path)
    last = max(n for n, (kind, _) in enumerate(rows) if kind == "event")
    good = rows[last][1]
    for change in BAD:
        rows[last] = ("event", {**good, **change})
        with pytest.raises(ExportError) as told:
            desktop.take(forged(path, rows))
        said = str(told.value)
        assert f"jsonl:{last + 2}: " in said and "nothing was changed" in said, change
    assert desktop.holds() == {"states": {}, "answers": []}
    assert not (desktop.folder / "backups").exists()
    rows[last] = ("event", good)
    assert desktop.take(forged(path, rows)).events.new == 3


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("run", {"artefacts": json.dumps(["/etc/passwd"])}),
    ("run", {"artefacts": json.dumps(["a/../../x.png"])}),
    ("run", {"artefacts": json.dumps(["C:\\x.png"])}),
    ("run", {"metrics": "nothing"}),
    ("session", {"plan": "{"}),
    ("session", {"started": "today"}),
    ("session", {"position": -1}),
    ("parameter_set", {"id": "0123456789abcdef"}),
    ("parameter_set", {"body": '{"parameters": [1, 2]}'}),
    ("device", {"created": "now"}),
    ("setting", {"value": "{"}),
    ("base", {"item_id": "drill:a"}),
    ("banana", {"x": 1}),
    ("extra", {}),
]


def test_other_records_are_checked_too(laptop: Machine, desktop: Machine) -> None:
    laptop.store.settings.set("profile", {"done": True})
    laptop.answer("drill:a")
    laptop.store.runs.save(a_run("r1"))
    laptop.store.sessions.start("mock", {}, laptop.store.today(), 1, session_id="s1")
    path = laptop.export()
    good = body_of(path)
    for kind, change in OTHERS:
        rows = [(k, {**b, **change} if k == kind else b) for k, b in good]
        if kind == "extra":  # weights that no event names, so that nothing else refuses them
            sets = next(b for k, b in good if k == "parameter_set")
            rows.append(("parameter_set", {**sets, "id": "0123456789abcdef"}))
        elif rows == good:
            rows.append((kind, change))
        with pytest.raises(ExportError, match="nothing was changed"):
            desktop.take(forged(path, rows))
    assert desktop.holds() == {"states": {}, "answers": []}
    assert desktop.take(forged(path, good)).changed


def test_an_undo_of_another_item_is_refused(laptop: Machine, desktop: Machine) -> None:
    laptop.answer("drill:a")
    laptop.answer("drill:b")
    laptop.store.undo()
    path = laptop.export()
    rows = [
        (k, {**b, "item_id": "drill:a"} if b.get("kind") == "undo" else b) for k, b in body_of(path)
    ]
    with pytest.raises(ExportError, match="another item"):
        desktop.take(forged(path, rows))


def test_clocks_that_differ(laptop: Machine, desktop: Machine) -> None:
    desktop.now += timedelta(days=3)
    desktop.answer("drill:a", 3)
    made = laptop.take(desktop.export())
    assert any("1 answers lie in the future" in note for note in made.notes)
    laptop.now += timedelta(days=4)
    assert not any("future" in note for note in laptop.take(desktop.export()).notes)


def test_another_roll_over_and_unknown_items_are_told(laptop: Machine, desktop: Machine) -> None:
    desktop.store.settings.set("rollover_hour", 6)
    day = laptop.store.today()
    desktop.answer("gone:item")
    made = laptop.take(desktop.export())
    assert any("begin at 6:00 there and at 4:00 here" in note for note in made.notes)
    assert any("gone:item" in note and "kept" in note for note in made.notes)
    assert laptop.store.answers()[0].study_day == day
    assert laptop.store.rollover() == 4


def test_settings_come_only_where_there_are_none(laptop: Machine, desktop: Machine) -> None:
    mine = {"done": True, "minutes": 45, "interview": "2026-12-20"}
    laptop.store.settings.set("profile", mine)
    laptop.store.settings.set("theme", "nord")
    laptop.store.settings.set("device", "L")
    desktop.store.settings.set("profile", {"done": False, "minutes": 20})
    desktop.store.settings.set("theme", "gruvbox")
    made = desktop.take(laptop.export())
    assert desktop.store.settings.get("profile") == mine
    assert desktop.store.settings.get("theme") == "gruvbox"
    assert desktop.store.settings.get("device", "") != "L"
    assert any("Taken over: profile" in note for note in made.notes)
    assert any("own settings stay: theme" in note for note in made.notes)


def test_of_two_files_the_later_profile_is_heard(
    tmp_path: Path, laptop: Machine, desktop: Machine
) -> None:
    laptop.store.settings.set("profile", {"done": True, "minutes": 10})
    early = laptop.export()
    desktop.now += timedelta(hours=1)
    desktop.store.settings.set("profile", {"done": True, "minutes": 60})
    late = desktop.export()
    for n, files in enumerate(((early, late), (late, early))):
        fresh = Machine(tmp_path, f"fresh{n}")
        fresh.take(*files)
        assert fresh.store.settings.get("profile")["minutes"] == 60
        fresh.close()


def test_a_session_goes_on_where_it_came_furthest(laptop: Machine, desktop: Machine) -> None:
    session = laptop.store.sessions.start("mock", {"seconds": 10.0}, laptop.store.today(), 1)
    desktop.take(laptop.export())
    desktop.store.sessions.save_plan(session.id, {"seconds": 300.0, "turns": ["mine"]}, 2)
    behind = laptop.export()
    made = laptop.take(desktop.export())
    assert (made.sessions.updated, made.sessions.new) == (1, 0)
    assert laptop.store.sessions.get(session.id).plan["turns"] == ["mine"]
    assert desktop.take(behind).changed is False
    laptop.store.sessions.save_draft(session.id, {"text": "half an answer", "seconds": 310.0})
    desktop.take(laptop.export())
    assert desktop.store.sessions.get(session.id).draft["text"] == "half an answer"
    laptop.store.sessions.end(session.id, {"band": "hire"})
    desktop.take(laptop.export())
    assert desktop.store.sessions.get(session.id).summary == {"band": "hire"}


def test_any_two_states_of_a_session_are_ordered() -> None:
    base = {"id": "s", "kind": "mock", "plan": "{}", "position": 1}
    states: list[dict[str, Any]] = [
        base,
        {**base, "draft": '{"text": "a"}'},
        {**base, "draft": '{"text": "b"}'},
        {**base, "plan": '{"seconds": 3}'},
        {**base, "position": 2},
        {**base, "position": 2, "plan": "[1]"},
        {**base, "ended": "2026-11-23T10:00:00.000000Z"},
        {**base, "ended": "2026-11-23T10:00:00.000001Z"},
    ]
    keys = [progress(state) for state in states]
    assert sorted(keys) == keys and len(set(keys)) == len(keys)


def test_nothing_is_kept_where_the_backup_fails(
    laptop: Machine, desktop: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.answer()

    def full(*_: object) -> str:
        raise BackupError("the disk is full")

    monkeypatch.setattr(importing, "_back_up", full)
    with pytest.raises(ExportError, match="the disk is full; nothing was changed"):
        desktop.take(laptop.export())
    assert desktop.holds() == {"states": {}, "answers": []}


def test_the_backup_undoes_the_import(laptop: Machine, desktop: Machine) -> None:
    desktop.answer("drill:own", 2)
    before = desktop.holds()
    laptop.answer("drill:a", 3)
    made = desktop.take(laptop.export())
    assert "before-import" in made.backup and desktop.holds() != before
    restore(Path(made.backup), desktop.store.path, desktop.folder / "backups", desktop.clock())
    assert desktop.holds() == before


def test_a_dry_run_counts_and_keeps_nothing(laptop: Machine, desktop: Machine) -> None:
    desktop.answer("drill:own")
    before = desktop.holds()
    laptop.answer("drill:a")
    laptop.store.runs.save(a_run("r1"))
    path = laptop.export()
    dry = desktop.take(path, dry_run=True)
    assert desktop.holds() == before and not (desktop.folder / "backups").exists()
    wet = desktop.take(path)
    assert (dry.events, dry.runs, dry.items, dry.changed) == (wet.events, wet.runs, 1, True)
    assert dry.backup == "" != wet.backup


def with_picture(machine: Machine) -> Path:
    from msgspec.structs import replace

    file = paths.runs_dir() / "r1" / "grid.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(PNG)
    machine.store.runs.save(replace(a_run("r1"), artefacts=("r1/grid.png", "r1/gone.png")))
    return file


def test_pictures_travel_where_they_are_asked_for(laptop: Machine, desktop: Machine) -> None:
    file = with_picture(laptop)
    plain, full = laptop.export(), laptop.export(pictures=True)
    assert [k for k, _ in body_of(plain)] == ["run"]
    assert [k for k, _ in body_of(full)] == ["run", "picture"]
    file.unlink()
    assert desktop.take(full, dry_run=True).pictures.new == 1
    assert not file.exists() and list(paths.runs_dir().glob(".import-*")) == []
    made = desktop.take(full)
    assert (made.pictures.new, file.read_bytes()) == (1, PNG)
    assert list(paths.runs_dir().glob(".import-*")) == []
    file.write_bytes(PNG + b"mine")
    assert desktop.take(full).pictures.known == 1
    assert file.read_bytes() == PNG + b"mine"


NO_PICTURES: list[dict[str, Any]] = [
    {"path": "../x.png", "png": base64.b64encode(PNG).decode()},
    {"path": "/tmp/x.png", "png": base64.b64encode(PNG).decode()},
    {"path": "r1/x.sh", "png": base64.b64encode(PNG).decode()},
    {"path": "r1/x.png", "png": base64.b64encode(b"#!/bin/sh").decode()},
    {"path": "r1/x.png", "png": "***"},
    {"path": 3},
]


def test_a_picture_that_is_none_is_refused(laptop: Machine, desktop: Machine) -> None:
    with_picture(laptop)
    path = laptop.export()
    for body in NO_PICTURES:
        with pytest.raises(ExportError, match="picture"):
            desktop.take(forged(path, [*body_of(path), ("picture", body)]))
    assert list(paths.runs_dir().glob(".import-*")) == []
    assert desktop.store.runs.list() == []


def test_a_run_with_other_results_stays_as_it_is(laptop: Machine, desktop: Machine) -> None:
    laptop.store.runs.save(a_run("r1"))
    path = laptop.export()
    desktop.take(path)
    rows = [(k, {**b, "seconds": 9.0} if k == "run" else b) for k, b in body_of(path)]
    made = desktop.take(forged(path, rows))
    assert made.runs.conflicts == 1 and desktop.store.runs.get("r1").seconds == 1.5

"""The file of an export: whole, unchanged, of a version that is understood, never in the way."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from drill.services.moving.exporting import default_name, export
from drill.services.moving.lines import ExportError, is_export
from tests.moving.machines import Machine, body_of, forged, header


def filled(machine: Machine) -> Path:
    """An export with something of everything."""
    first = machine.answer("drill:a", 3)
    machine.answer("drill:b", 1)
    machine.store.overrule(first, 4)
    machine.store.undo()
    machine.store.sessions.start("mock", {"seconds": 1.0}, machine.store.today(), 1)
    machine.store.settings.set("profile", {"done": True, "minutes": 30, "interview": "2026-12-20"})
    return machine.export()


def test_an_export_says_what_it_is(laptop: Machine) -> None:
    path = filled(laptop)
    top = header(path)
    assert (top.events, top.sessions, top.runs, top.format, top.schema) == (4, 1, 0, 1, 3)
    assert top.device == laptop.store.settings.get("device") and top.name
    assert [kind for kind, _ in body_of(path)] == [
        "device", "parameter_set", "event", "event", "event", "event", "session",
        "setting",
    ]  # fmt: skip
    assert is_export(path)
    events = [body for kind, body in body_of(path) if kind == "event"]
    row = laptop.store.access.row("SELECT uuid, answer, points FROM reviews ORDER BY at LIMIT 1")
    assert row is not None
    assert (events[0]["uuid"], events[0]["answer"], events[0]["points"]) == row


def test_the_device_and_what_comes_of_the_config_stay_at_home(laptop: Machine) -> None:
    laptop.store.settings.set("rollover_hour", 6)
    laptop.store.settings.set("theme", "nord")
    names = {body["name"] for kind, body in body_of(filled(laptop)) if kind == "setting"}
    assert names == {"profile", "theme"}


def test_a_file_that_is_cut_off_anywhere_is_refused(laptop: Machine, desktop: Machine) -> None:
    raw = filled(laptop).read_bytes()
    cut = laptop.folder / "cut.jsonl"
    ends = {0, 1, len(raw) - 1, *(n + 1 for n, byte in enumerate(raw[:-1]) if byte == 10)}
    for length in sorted(ends | {n + 7 for n in ends if n + 7 < len(raw)}):
        cut.write_bytes(raw[:length])
        with pytest.raises(ExportError, match=r"cut off|is empty|no export"):
            desktop.take(cut)
    assert desktop.holds() == {"states": {}, "answers": []}
    assert not (desktop.folder / "backups").exists()


def test_a_file_that_was_changed_is_refused(laptop: Machine, desktop: Machine) -> None:
    path = filled(laptop)
    raw = path.read_bytes()
    changes = [
        raw.replace(b'"grade":1', b'"grade":4', 1),
        raw.replace(b'"minutes\\": 30', b'"minutes\\": 31', 1),
        raw.replace(b"\n", b"\r\n"),
        b"".join(line for n, line in enumerate(raw.splitlines(keepends=True)) if n != 4),
        b"".join(sorted(raw.splitlines(keepends=True)[1:-1], reverse=True)),
    ]
    lines = raw.splitlines(keepends=True)
    changes[-1] = lines[0] + lines[2] + lines[1] + b"".join(lines[3:])
    for changed in changes:
        assert changed != raw
        path.write_bytes(changed)
        with pytest.raises(ExportError, match="changed or damaged"):
            desktop.take(path)
    path.write_bytes(b"\x00\xff" * 50)
    with pytest.raises(ExportError, match="no export of drill"):
        desktop.take(path)
    with pytest.raises(ExportError, match="No such file"):
        desktop.take(path.with_name("none"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2, "drill": "9.1"}, r"format 2 \(drill 9.1\).*pip install -U"),
        ({"schema": 99, "drill": "9.1"}, r"newer drill \(9.1, schema 99.*pip install -U"),
        ({"type": "other"}, "no export of drill"),
    ],
)
def test_a_newer_export_is_refused_with_the_way_out(
    laptop: Machine, desktop: Machine, changes: dict[str, object], said: str
) -> None:
    path = filled(laptop)
    newer = forged(path, body_of(path), changes)
    with pytest.raises(ExportError, match=said):
        desktop.take(newer)


def test_a_file_is_never_replaced_in_silence(laptop: Machine) -> None:
    path = laptop.folder / default_name(laptop.drill)
    assert path.name == "drill-export-2026-11-23.jsonl"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError, match=r"is there already.*--force"):
        export(laptop.drill, path)
    assert path.read_text(encoding="utf-8") == "mine"
    export(laptop.drill, path, force=True)
    assert header(path).events == 0
    with pytest.raises(ExportError, match="is there already"):
        export(laptop.drill, laptop.folder, force=True)
    with pytest.raises(ExportError, match="cannot be written"):
        export(laptop.drill, laptop.folder / "no" / "folder.jsonl")
    assert sorted(p.name for p in laptop.folder.iterdir() if p.suffix in (".part", ".jsonl")) == [
        path.name
    ]


def test_the_last_days_bring_what_they_undo(laptop: Machine, desktop: Machine) -> None:
    old = laptop.answer("drill:a", 3)
    laptop.answer("drill:b", 3)
    full = laptop.export()
    laptop.now = laptop.now.replace(day=29)
    laptop.store.overrule(old, 1)
    laptop.answer("drill:b", 2)
    laptop.answer("drill:new", 2)
    part = laptop.export(days=1)
    kinds = [kind for kind, _ in body_of(part)]
    assert (kinds.count("event"), kinds.count("base"), header(part).since) == (4, 1, "2026-11-29")
    with pytest.raises(ExportError, match=r"earlier answers to 1 item, such as drill:b,"):
        desktop.take(part)
    assert desktop.holds() == {"states": {}, "answers": []}
    desktop.take(full)
    desktop.take(part)
    assert desktop.holds() == laptop.holds()


def test_the_last_days_need_all_that_was_before(laptop: Machine, desktop: Machine) -> None:
    laptop.answer("drill:a", 3)
    desktop.take(laptop.export())
    laptop.answer("drill:a", 1)
    laptop.now = laptop.now.replace(day=29)
    laptop.answer("drill:a", 3)
    with pytest.raises(ExportError, match="earlier answers"):
        desktop.take(laptop.export(days=1))


def test_an_older_part_and_the_whole_in_one_go(laptop: Machine, desktop: Machine) -> None:
    laptop.answer("drill:a", 3)
    laptop.now = laptop.now.replace(day=29)
    laptop.answer("drill:a", 3)
    desktop.take(laptop.export(days=1), laptop.export())
    assert desktop.holds() == laptop.holds()


def test_an_export_holds_one_moment(laptop: Machine) -> None:
    """What another instance writes meanwhile is in it wholly or not at all."""
    filled(laptop)

    class Interrupting:
        """A file during whose writing somebody answers."""

        def __init__(self) -> None:
            self.raw = b""

        def write(self, raw: bytes, /) -> int:
            if b'"type":"device"' in raw:
                with sqlite3.connect(laptop.store.path) as other:
                    other.execute("INSERT INTO settings VALUES ('theme', '\"other\"')")
                    other.execute(
                        "INSERT INTO sessions (id, kind, started, study_day, seed, plan) "
                        "VALUES ('late', 'mock', 'x', 99999, 0, '{}')"
                    )
                other.close()
            self.raw += raw
            return len(raw)

    out = Interrupting()
    made = export(laptop.drill, out)  # type: ignore[arg-type]
    lines = [json.loads(line) for line in out.raw.splitlines()]
    assert sum(line["type"] == "session" for line in lines) == made.sessions == 1
    assert not any(line["type"] == "setting" and line["body"]["name"] == "theme" for line in lines)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written(laptop: Machine) -> None:
    laptop.folder.chmod(0o500)
    try:
        with pytest.raises(ExportError, match="cannot be written"):
            export(laptop.drill, laptop.folder / "x.jsonl")
    finally:
        laptop.folder.chmod(0o700)

"""`drill doctor`, `backup` and `restore`: what they say, do, and end with, on good and bad data."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drill.services.app import Drill
from drill.store.runs import Run
from drill.store.store import Store, local_now
from tests.store.conftest import answer
from tests.user_packs.test_untrusted import run

ITEM = "drill:cfg.small"


def home() -> Path:
    return Path(os.environ["DRILL_HOME"])


def document(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def codes(code: int = 0) -> set[str]:
    return {finding["code"] for finding in document("doctor", code=code)["findings"]}


@pytest.fixture
def learner() -> Store:
    """Five answers of one day; the store stays as it was left."""
    moment = local_now() - timedelta(days=2)

    def clock() -> Any:
        nonlocal moment
        moment += timedelta(seconds=20)
        return moment

    (home()).mkdir(parents=True)
    with Store.open(home() / "drill.db", clock) as store:
        for grade in (3, 1, 3, 4, 3):
            store.record(answer(ITEM, grade))
    return store


def test_a_new_learner(learner: None = None) -> None:
    assert codes() == {"no-data"}
    assert "there is nothing to back up" in run("backup", code=2).output
    assert "no good backup" in run("restore", code=2).output
    assert document("backup", "--list") == {"backups": []}


def test_a_backup_is_listed_and_brought_back(learner: Store) -> None:
    assert codes() == {"no-backup"}
    made = document("backup")
    assert (made["answers"], made["good"], made["label"]) == (5, True, "manual")
    assert [each["path"] for each in document("backup", "--list")["backups"]] == [made["path"]]
    assert "5 answers" in run("backup", "--list").output
    with Store.open(home() / "drill.db") as store:
        store.record(answer(ITEM, 3))
        store.sessions.start("mock", {}, 1, 1)
    told = " ".join(run("restore", "--dry-run").output.split())
    assert "Lost would be 1 answer of 1 day (" in told and "1 interview" in told
    assert "nothing was changed; --yes" in run("restore", code=2).output
    done = document("restore", "--yes")
    assert done["restored"] is True and done["preview"]["lost"]["answers"] == 1
    with Drill() as drill:
        assert len(drill.store.answers()) == 5
    again = run(*done["undo"].split()[1:], "--yes").output
    assert "Nothing would be lost." in again and "Back would come 1 answer of" in again
    assert "restored: 6 answers" in again
    assert codes() == set()


def test_which_backup(learner: Store) -> None:
    from drill.store.backup import make_backup

    folder = home() / "backups"
    old = make_backup(home() / "drill.db", folder, now=local_now() - timedelta(days=3))
    new = make_backup(home() / "drill.db", folder, now=local_now() - timedelta(days=1))
    make_backup(home() / "drill.db", folder, "before-mend", local_now())
    assert document("restore", "--dry-run")["preview"]["backup"]["path"] == str(new.path)
    chosen = document("restore", old.day.isoformat(), "--dry-run")["preview"]["backup"]
    assert (chosen["path"], chosen["age_days"]) == (str(old.path), 3)
    assert document("restore", str(old.path), "--dry-run")["preview"]["backup"]["answers"] == 5
    assert "beginning of several" in run("restore", "20", "--dry-run", code=2).output
    assert "there is no backup `nonsense`" in run("restore", "nonsense", code=2).output
    old.path.write_bytes(b"torn")
    assert "damaged" in run("restore", old.day.isoformat(), "--yes", code=2).output
    assert "NO GOOD" in run("backup", "--list").output


@pytest.mark.parametrize("how", ["head", "all", "gone", "empty"])
def test_data_that_cannot_be_opened_are_restored(learner: Store, how: str) -> None:
    run("backup")
    database = home() / "drill.db"
    raw = database.read_bytes()
    if how == "gone":
        database.unlink()
    else:
        database.write_bytes(
            {"head": b"x" * 200 + raw[200:], "all": b"x" * 9000, "empty": b""}[how]
        )
    expected = {"gone": "gone", "empty": "begun-anew"}.get(how, "unreadable")
    assert codes(code=how != "empty") == {expected}
    if how in ("head", "all"):
        assert "drill restore" in run("due", code=2).output
        assert "cannot be told" in run("restore", "--dry-run").output
    done = run("restore", "--yes").output
    assert "restored: 5 answers" in done
    assert ("is damaged and kept as" in done) is (how in ("head", "all"))
    assert (how == "gone") or "kept" in done
    with Drill() as drill:
        assert len(drill.store.answers()) == 5
    assert codes() == set()


def spoil_log(name: str = "reviews") -> None:
    """Fill the pages of a table with what is none, all but the one that lists the tables."""
    database = home() / "drill.db"
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (name,)).fetchall()
    raw = bytearray(database.read_bytes())
    for (page,) in found:
        raw[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    database.write_bytes(bytes(raw))


@pytest.mark.parametrize(
    "command",
    [
        "due", "due --json", "export -o x.jsonl", "undo", "session --plain", "stats", "plan",
        "report", "tune", "import x.jsonl", "backup", "doctor --mend",
    ],
)  # fmt: skip
def test_damaged_data_are_told_in_one_line(
    learner: Store, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "x.jsonl" in command:
        run("export", "-o", "x.jsonl")
    spoil_log()
    said = run(*command.replace("export", "export --force").split(), code=2).stderr
    assert said.count("\n") == 1 and str(home() / "drill.db") in said
    assert "`drill doctor`" in said and ".part" not in said


def test_settings_that_cannot_be_read_are_told_too(learner: Store) -> None:
    spoil_log("sqlite_autoindex_settings_1")
    assert "`drill doctor`" in run("due", code=2).stderr


def test_a_fault_of_the_program_is_not_told_as_one_of_the_data(
    learner: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(drill: Drill) -> None:
        drill.store.access.rows("SELECT 1 FROM nowhere")

    monkeypatch.setattr(Drill, "overview", broken)
    assert isinstance(run("due", code=1).exception, sqlite3.OperationalError)


def test_what_salvaging_lost_is_not_called_nothing(learner: Store) -> None:
    run("backup")
    with Store.open(home() / "drill.db") as store:
        newest = store.record(answer(ITEM, 3)).at
    spoil_log()
    said = run("doctor", "--salvage").stdout
    assert "missing between: unknown" in said and "5 more came from" in said
    last = learner_newest()
    assert last < newest
    assert f"of {last[:19].replace('T', ' ')} UTC: what came after it is lost" in said
    (aside,) = (home() / "backups").glob("damaged-*.sqlite3")
    assert f"the damaged file is kept: {aside}" in said and "the new data are in order" in said


def learner_newest() -> str:
    with closing(sqlite3.connect(home() / "drill.db")) as connection:
        return str(connection.execute("SELECT max(at) FROM reviews").fetchone()[0])


@pytest.mark.parametrize(
    "command", ["due", "doctor", "doctor --salvage", "restore --yes", "restore --dry-run"]
)
def test_a_home_without_write_permission_is_not_called_damaged(
    learner: Store, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup")
    connect = sqlite3.connect

    def refused(path: Any, *rest: Any, **named: Any) -> sqlite3.Connection:
        if "drill.db" in str(path):
            error = sqlite3.OperationalError("attempt to write a readonly database")
            error.sqlite_errorcode = sqlite3.SQLITE_READONLY
            raise error
        opened: sqlite3.Connection = connect(path, *rest, **named)
        return opened

    monkeypatch.setattr(sqlite3, "connect", refused)
    monkeypatch.setattr(os, "access", lambda _path, mode, **_: mode != os.W_OK)
    said = " ".join(run(*command.split(), code=1 if command == "doctor" else 2).output.split())
    assert f"{home() / 'drill.db'} cannot be written by this user" in said
    assert "damaged" not in said and "salvage" not in said


@pytest.mark.parametrize("command", ["doctor", "restore", "backup", "backup --list"])
def test_the_home_of_another_user(
    learner: Store, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, mode, **_: mode == os.F_OK)
    assert f"{home()} cannot be read by this user" in run(*command.split(), code=2).stderr


def test_help_says_what_is_kept_and_what_is_not_in_it() -> None:
    told = " ".join(run("backup", "--help").output.split())
    assert "those that you make stay" in told and "five of each kind" in told
    assert "`drill paths`" in told and "drafts" in told
    assert "`drill paths`" in " ".join(run("export", "--help").output.split())


def test_salvaging_a_file_without_a_head(learner: Store) -> None:
    run("backup")
    database = home() / "drill.db"
    assert "nothing to salvage" in run("doctor", "--salvage", code=2).output
    database.write_bytes(b"x" * 200 + database.read_bytes()[200:])
    run("doctor", "--mend", code=2)
    told = document("doctor", "--salvage")
    assert told["ok"] is True and told["mended"][1].startswith("5 more came from ")
    assert len(list((home() / "backups").glob("damaged-*"))) == 1


def test_a_newer_drills_data_are_left_alone(learner: Store) -> None:
    with closing(sqlite3.connect(home() / "drill.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    assert codes(code=1) == {"newer"}
    assert "nothing to salvage" in run("doctor", "--salvage", code=2).output


def spoiled(statement: str) -> None:
    with closing(sqlite3.connect(home() / "drill.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(statement)


SESSION = (
    "INSERT INTO sessions (id, kind, started, study_day, seed, plan) VALUES "
    "('s', 'session', '2026-01-01T00:00:00.000000Z', 1, 1, '{}')"
)


@pytest.mark.parametrize(
    ("statement", "code", "says"),
    [
        ("UPDATE states SET stability = 99", "states", "1 states were derived again"),
        ("DROP TRIGGER reviews_no_delete", "unguarded", "the log is protected again"),
        (SESSION.replace("{}", "{torn"), "torn-sessions", "1 sessions that could not be read"),
        ("INSERT INTO settings VALUES ('profile', 'x')", "torn-settings", "1 settings that"),
        (
            "UPDATE sqlite_schema SET sql = replace(sql, '(item_id, at)', '(at, item_id)') "
            "WHERE name = 'reviews_item'",
            "damaged",
            "the indexes were made anew",
        ),
    ],
)
def test_what_can_be_mended_is(learner: Store, statement: str, code: str, says: str) -> None:
    run("backup")
    spoiled(statement)
    found = document("doctor", code=1)["findings"]
    assert [(f["code"], f["mendable"]) for f in found] == [(code, True)]
    assert "--mend" in found[0]["remedy"] and len(found[0]["message"]) > 40
    told = document("doctor", "--mend")
    assert told["ok"] is True and says in told["mended"][0]
    assert len(list((home() / "backups").glob("*before-mend*"))) == 1
    assert codes() == set()
    again = document("doctor", "--mend")["mended"]
    assert again[0].startswith("nothing had to be mended")


def run_of(name: str, *pictures: str) -> Run:
    return Run(name, "x", "2026-11-23", 1.0, {}, {}, [], {}, "cpu", {}, 0, list(pictures))


def _pictures(store: Store) -> None:
    store.runs.save(run_of("r1", "r1/a.png"))


def _loose(store: Store) -> None:
    store.runs.save(run_of("r1", "r1/a.png"))
    for name in ("r1", "r2"):
        (home() / "runs" / name).mkdir(parents=True)
        (home() / "runs" / name / "a.png").write_bytes(b"x")


def _session(store: Store) -> None:
    plan = {"running": {"upcoming": [{"item_id": "gone:cfg.x"}, {"item_id": ITEM}]}}
    store.sessions.start("session", plan, 1, 1)


def _orphan(store: Store) -> None:
    store.record(answer("gone:cfg.x", 3))


def _config(store: Store) -> None:
    (home() / "config.toml").write_text("roll_over_hour = 40\n")


def _pack(store: Store) -> None:
    (home() / "packs" / "mine").mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "code", "errors"),
    [
        (_pictures, "pictures-gone", 0),
        (_loose, "runs-loose", 0),
        (_session, "session-items", 0),
        (_orphan, "orphans", 0),
        (_config, "config", 1),
        (_pack, "pack-refused", 0),
    ],
)
def test_what_is_beside_the_log_is_told(
    learner: Store, spoil: Callable[[Store], None], code: str, errors: int
) -> None:
    with Store.open(home() / "drill.db") as store:
        spoil(store)
    run("backup")
    (finding,) = document("doctor", code=errors)["findings"]
    assert finding["code"] == code
    assert finding["remedy"] and not finding["mendable"]
    for line in run("doctor", code=errors).output.splitlines():
        assert len(line) <= 80 or max(map(len, line.split())) > 70, line  # a path stays whole

"""The contracts that outside checks call: documents, exit codes, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drill.cli.show import wrapped

ITEM = "cfg.calls-by-scheduler"


def drill(*arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `drill` with the arguments and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "drill", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def document(*arguments: str, code: int = 0) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(drill(*arguments, "--json", code=code).stdout)


def test_due() -> None:
    told = document("due")
    assert told["due"] == 0 and told["new"] > 0
    assert set(told["topics"]["cfg"]) == {"due", "new", "seen", "items"}
    assert drill("due", "--short").stdout.count("\n") == 1


def test_bank_stats() -> None:
    told = document("bank", "stats")
    assert told["total"] == sum(told["topics"].values()) == sum(told["types"].values())
    assert 0 < told["proven"] <= told["total"]
    assert set(told) >= {"total", "proven", "topics", "types", "levels"}


def test_the_bank_is_as_large_as_promised() -> None:
    told = document("bank", "stats")
    assert told["total"] >= 80 and told["proven"] >= 45
    assert len(told["topics"]) == 13 and min(told["topics"].values()) >= 4
    assert len(told["types"]) == 14 and min(told["types"].values()) >= 4
    assert told["types"]["mutant"] >= 8


def test_schema_is_json_schema() -> None:
    schema = json.loads(drill("bank", "schema").stdout)
    assert schema["type"] == "array" and "$schema" in schema


def test_question_hides_the_key_unless_asked() -> None:
    hidden = document("question", ITEM)
    shown = document("question", ITEM, "--reveal")
    assert "key" not in hidden and "explanation" not in hidden
    assert shown["key"] and shown["explanation"]
    assert hidden["prompt"] == shown["prompt"]


@pytest.mark.parametrize("seed", ["0", "1", "7"])
def test_grade_right_wrong_and_unreadable(seed: str) -> None:
    key = document("question", ITEM, "--reveal", "--seed", seed)["body"]["key"]
    right = document("grade", ITEM, "--answer", str(key), "--seed", seed)
    assert right["score"] == 1.0 and right["right"] is True
    wrong = document("grade", ITEM, "--answer", str(key + 1000), "--seed", seed)
    assert wrong["score"] == 0.0 and wrong["feedback"]
    refused = document("grade", ITEM, "--answer", "many", "--seed", seed, code=2)
    assert "malformed" in refused


def test_grade_records_nothing(tmp_path: Path) -> None:
    drill("grade", ITEM, "--answer", "20")
    assert document("due")["answered_today"] == 0


def test_grade_help_documents_every_type() -> None:
    told = drill("grade", "--help").stdout
    from drill.domain.questions import ANSWER_TYPES

    assert all(f"\n  {name} " in told or f" {name} " in told for name in ANSWER_TYPES)


def test_unknown_things_are_named_with_the_nearest() -> None:
    assert "cfg.calls-by-scheduler" in drill("question", "cfg.calls-by-schedule", code=2).stderr
    assert "session" in drill("sesion", code=2).stderr
    assert "cfg-sweep" in drill("lab", "run", "cfg-swep", code=2).stderr
    assert "scales" in drill("lab", "run", "cfg-sweep", "--set", "scale=1", code=2).stderr


def test_lab_list_needs_no_torch() -> None:
    told = document("lab", "list")
    names = [e["name"] for each in told["labs"] for e in each["experiments"]]
    assert "cfg-sweep" in names and told["problems"] == []


def test_no_terminal_says_so() -> None:
    told = drill(code=2)
    assert "--plain" in told.stderr and told.stdout == ""


def test_bank_check_names_file_line_and_column(tmp_path: Path) -> None:
    folder = tmp_path / "pack" / "questions" / "cfg"
    folder.mkdir(parents=True)
    text = "- id: cfg.bad\n  topik: cfg\n  type: short\n"
    (folder / "bad.yaml").write_text(text, encoding="utf-8")
    told = drill("bank", "check", str(tmp_path / "pack"), code=1).stdout
    assert "bad.yaml:2:3" in told and "topic" in told


def test_a_whole_plain_session(tmp_path: Path) -> None:
    key = document("question", ITEM, "--reveal")
    assert key
    lines = [":skip"] * 60
    told = drill("session", "--plain", "--limit", "2", stdin="\n".join(lines), code=1)
    assert "--- drill:" in told.stdout and "Left" in told.stdout


def test_a_plain_session_makes_the_backup_of_the_day() -> None:
    drill("session", "--plain", stdin=":quit\n", code=1)
    (made,) = document("backup", "--list")["backups"]
    assert (made["label"], made["good"]) == ("daily", True)
    folder = Path(made["path"]).parent
    Path(made["path"]).unlink()
    folder.rmdir()
    folder.write_text("a file in the way", encoding="utf-8")
    told = drill("session", "--plain", stdin=":quit\n", code=1)
    assert "Left; the session goes on" in told.stdout
    assert told.stderr.count("Today's backup was not made: ") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_a_full_disk_behind_standard_output_is_told_in_one_line() -> None:
    for arguments in (["paths", "--json"], ["export", "-o", "-"]):
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            done = subprocess.run(
                [sys.executable, "-m", "drill", *arguments], stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 2
        assert done.stderr == b"drill: standard output: No space left on device\n"


def test_paths_and_ids_are_not_broken() -> None:
    path = "/home/a-learner/" + "some-folder-" * 9 + "/drill.db"
    folded = wrapped(f"error: {path}: it is damaged", "  ")
    assert f"{path}:" in folded.split()
    assert max(map(len, folded.replace(path, "").split("\n"))) <= 80


def test_one_error_is_one_error(tmp_path: Path) -> None:
    folder = tmp_path / "pack" / "questions" / "cfg"
    folder.mkdir(parents=True)
    (folder / "bad.yaml").write_text("- 1\n", encoding="utf-8")
    told = drill("bank", "check", str(tmp_path / "pack"), code=1)
    count = len(told.stdout.splitlines())
    assert f"{count} error{'s' * (count > 1)}, 0 warnings" in told.stderr


def test_setup_doctor_backup_undo_paths() -> None:
    told = document("setup", "--date", "21 days", "--minutes", "30", "--role", "serving")
    assert told["minutes"] == 30 and told["role"] == "serving" and told["interview"]
    assert "5 to 240" in drill("setup", "--minutes", "1000", code=2).stderr
    assert document("doctor")["ok"] is True
    assert Path(document("backup")["path"]).is_file()
    drill("undo", code=1)
    assert document("paths")["home"] == os.environ["DRILL_HOME"]


def test_a_broken_config_names_file_key_and_way_out() -> None:
    home = Path(os.environ["DRILL_HOME"])
    home.mkdir(parents=True)
    (home / "config.toml").write_text("new_per_dya = 5\n", encoding="utf-8")
    told = drill("due", code=2).stderr
    assert "config.toml" in told and "new_per_day" in told


def test_a_database_that_is_none_is_not_overwritten() -> None:
    home = Path(os.environ["DRILL_HOME"])
    home.mkdir(parents=True)
    (home / "drill.db").write_text("not a database at all, but precious", encoding="utf-8")
    told = drill("due", code=2).stderr
    assert "drill.db" in told
    assert (home / "drill.db").read_text(encoding="utf-8").startswith("not a database")

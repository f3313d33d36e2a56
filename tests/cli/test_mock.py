"""`drill mock` and its commands: options, exit codes, documents, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.reserve_pack import make_pack
from tests.terminal.screen import ROOT

SCRIPT = "a\nThe denoiser stays the same.\n.\n" + ":pass\n" * 6
"""Answers the warm-up and the theory of seed 1, and passes what is left."""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make_pack(tmp_path / "pack")


def mock(
    pack: Path, *arguments: str, stdin: str = "", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run `drill mock` and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.reserve_main", str(pack), "mock", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def document(pack: Path, *arguments: str) -> Any:
    return json.loads(mock(pack, *arguments, "--json").stdout)


def test_without_a_terminal_it_names_plain(pack: Path) -> None:
    done = mock(pack, code=2)
    assert "drill mock --plain" in done.stderr and done.stdout == ""


def test_its_help_tells_of_the_outside_judge(pack: Path) -> None:
    said = mock(pack, "--help").stdout
    assert "  [judge]\n  url = " in said and "Nothing else leaves this machine" in said
    assert "--minutes [15|30|45|60]" in said and "sibling" in said
    # The example of a table is to be copied as it stands.
    assert all(len(line) <= 80 for line in said.split("\n") if "#" not in line)


def test_without_a_judge_the_trial_says_how_to_set_one_up(pack: Path) -> None:
    told = mock(pack, "judge", code=1).stderr
    assert "No outside judge is configured" in told and "[judge]" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--minutes", "20"), "'20' is not one of"),
        (("--level", "junior"), "'junior' is not one of"),
        (("--topic", "unet"), "no topic `unet`; topics: overview"),
    ],
)
def test_what_is_not_offered_is_refused(pack: Path, arguments: tuple[str, ...], says: str) -> None:
    assert says in mock(pack, *arguments, "--plain", code=2).stderr


def test_before_any_interview(pack: Path) -> None:
    assert document(pack, "list") == {"interviews": [], "sibling": None}
    assert "No interview was held yet" in mock(pack, "list").stdout
    assert "no interview with an id" in mock(pack, "show", "last", code=1).stderr
    assert "no interview was held yet" in mock(pack, "sibling", "--plain", code=1).stderr
    for command in ("resume", "drop"):
        assert "no interview was left" in mock(pack, command, code=1).stderr


def test_a_script_that_ends_at_the_debrief_gets_its_scorecard(pack: Path) -> None:
    arguments = ("--minutes", "15", "--level", "senior", "--seed", "1", "--plain")
    done = mock(pack, *arguments, stdin=SCRIPT)
    assert "Scorecard: 15 min, senior, all topics, real mode, seed 1" in done.stdout
    (row,) = document(pack, "list")["interviews"]
    assert row["settings"]["seed"] == 1 and row["missing"] > 0
    shown = document(pack, "show", row["id"][:6])
    assert shown["id"] == row["id"] and len(shown["transcript"]) == 3
    card = mock(pack, "show", "last").stdout
    assert card.startswith("Scorecard:") and "Missing at your level:" in card
    transcript = mock(pack, "show", "last", "--transcript").stdout
    assert "They: What are they then?" in transcript and "(passed)" in transcript
    assert all(len(line) <= 80 for line in transcript.split("\n"))
    said = mock(pack, "sibling", "--plain", code=1).stderr
    assert "not a week ago: its sibling is for 7 days on" in said


def test_the_seed_is_told_and_the_level_is_the_profiles(pack: Path, tmp_path: Path) -> None:
    from msgspec.structs import replace

    from drill.services.app import Drill

    with Drill(home=tmp_path / "home", packs=[pack]) as drill:
        drill.keep_profile(replace(drill.profile, level="junior"))
    done = mock(pack, "--minutes", "15", "--plain", code=1)
    assert "15 min, mid, all topics, real mode, seed " in done.stdout
    seed = done.stdout.partition("seed ")[2].split()[0]
    assert seed.isdigit()
    assert "drill mock resume" in done.stdout
    assert mock(pack, "drop").stderr.startswith("Ended.")
    assert "was left" not in mock(pack, "--minutes", "15", "--plain", code=1).stdout


def test_what_it_lacks_is_told_before_it_begins(pack: Path) -> None:
    done = mock(pack, "--minutes", "45", "--topic", "scheduler", "--plain", code=1)
    told = " ".join(done.stdout.partition("--- Warm-up")[0].split())
    assert "- Estimation: the reserve has no question left on scheduler; it is left out." in told
    assert "- Serving and design: the reserve has no question left" in told


def test_nothing_to_ask_at_all(pack: Path) -> None:
    done = mock(pack, "--minutes", "15", "--topic", "vae", "--plain", code=1)
    assert "there is nothing to ask" in done.stderr


def test_an_interview_line_by_line_makes_the_backup_of_the_day(pack: Path) -> None:
    mock(pack, "--plain", "--minutes", "15", "--seed", "1", stdin=":quit\n", code=1)
    assert list(Path(os.environ["DRILL_HOME"]).glob("backups/drill-*-daily.sqlite3"))

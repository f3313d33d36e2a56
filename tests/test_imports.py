"""What each entry may import: asserted on modules, not on milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "diffusers", "transformers", "numpy", "peft"}
COMPILING = {"pydantic", "yaml", "sqlite_utils", "simpleeval", "rapidfuzz", "fsrs", "jinja2"}
APP = {"textual", "rich"}
WARM_UP = "from drill.services.app import Drill\nDrill().close()\n"


def modules_after(code: str, home: Path) -> set[str]:
    """Top-level modules loaded once `code` has run in a fresh interpreter."""
    told = "import sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    return set(said(f"{code}\n{told}", home))


def said(code: str, home: Path) -> list[str]:
    """The JSON list that `code` prints last in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DRILL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose bank is compiled and whose database is migrated."""
    folder = tmp_path_factory.mktemp("home")
    modules_after(WARM_UP, folder)
    return folder


@pytest.mark.parametrize(
    ("code", "banned"),
    [
        ("import drill", HEAVY | COMPILING | APP | {"click", "sqlite3", "msgspec"}),
        ("import drill.cli", HEAVY | COMPILING | APP | {"sqlite3", "msgspec"}),
        (WARM_UP, HEAVY | COMPILING | APP | {"click"}),
        (
            "from drill.services.app import Drill\n"
            "d = Drill(); d.overview(); s = d.start_session(minutes=10); s.asked; d.close()",
            HEAVY | COMPILING | APP | {"click"},
        ),
        ("import drill.tui.app, drill.tui.screens.session", HEAVY | COMPILING | {"click", "PIL"}),
        ("import drill.services.experiments, drill.services.labs", HEAVY | APP),
        ("import drill.domain.grading", HEAVY | COMPILING | APP | {"sqlite3"}),
        ("import drill.packs.verify", HEAVY | APP),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_an_entry_may_import(code: str, banned: set[str], home: Path) -> None:
    assert modules_after(code, home) & banned == set()


def test_the_start_makes_no_dataclass(home: Path) -> None:
    """Each costs the start 0.4 ms, a msgspec Struct 0.01."""
    code = (
        "import drill.cli.due, drill.tui.app, drill.tui.screens.home, drill.tui.screens.session\n"
        "from drill.services.app import Drill\n"
        "from drill.tui.answers import pane_for\n"
        "d = Drill(); d.overview(); s = d.start_session(minutes=10)\n"
        "pane_for(s.asked.question); d.close()\n"
        "import sys, json\n"
        "made = [f'{m}.{name}' for m in sorted(sys.modules) if m.startswith('drill')\n"
        "        for name, value in vars(sys.modules[m]).items() if isinstance(value, type)\n"
        "        and value.__module__ == m and '__dataclass_fields__' in vars(value)]\n"
        "print(json.dumps(made))"
    )
    said(code, home)  # hashes of proofs and places of excerpts are found once and kept
    assert said(code, home) == []


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["due", "--json"]], ids=str)
def test_a_command_loads_neither_textual_nor_torch(argv: list[str], home: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['drill', *{argv!r}]\n"
        "from drill.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
    )
    assert modules_after(code, home) & (HEAVY | COMPILING | APP) == set()

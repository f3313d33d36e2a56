"""Makes the README's pictures and key table from the real app: `python docs/make_pictures.py`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from msgspec.structs import replace

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from drill.config import Config
from drill.domain.memory.queue import Planned
from drill.domain.memory.running import begin
from drill.services.app import Drill
from drill.services.session import Session
from drill.tui.actions import ACTIONS
from drill.tui.app import DrillApp
from drill.tui.screens.help import key_names

START, END = "<!-- keys -->\n", "<!-- /keys -->"
PLACES = {"home": "Home", "session": "Question", "feedback": "Feedback", "browse": "Browse"}
PANEL, GAP = (760, 1040), 10
"""Pixels of one of the two parts of the report's picture, and between them."""
SHOWN = "drill:cfg.find-the-combination"


def key_table() -> str:
    """The keys of the most used places as a Markdown table."""
    rows = ["| where | key | does | id |", "|---|---|---|---|"]
    for place, title in PLACES.items():
        for action in ACTIONS:
            if action.id.startswith(f"{place}."):
                keys = key_names(action.keys).replace("|", "\\|")
                rows.append(f"| {title} | `{keys}` | {action.help} | `{action.id}` |")
    return "\n".join(rows) + "\n"


def write_keys(readme: Path) -> bool:
    """Put the table between the marks; whether that changed the file."""
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    after = rest[rest.index(END) :]
    made = f"{before}{START}{key_table()}{after}"
    if made != text:
        readme.write_text(made, encoding="utf-8")
    return made != text


async def picture(item: str) -> str:
    """The app at one question, as an SVG."""
    with (
        tempfile.TemporaryDirectory() as home,
        Drill(home=Path(home), config=Config()) as drill,
    ):
        drill.keep_profile(replace(drill.profile, done=True))
        seconds = drill.bank.heads[item].seconds
        plan = {"running": begin([Planned(item, "new", seconds)]).to_json()}
        day = drill.store.today()
        session = Session(drill, drill.store.sessions.start("session", plan, day, day))
        app = DrillApp(drill, session)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause(1.0)
            return app.export_screenshot(title="drill")


def report_picture(target: Path) -> bool:
    """The study report of a made-up learner as a PNG: its first page beside its experiments.

    False where there is no Chromium to draw it.
    """
    from PIL import Image

    from tests.report import browser

    if not browser.find():
        return False
    with tempfile.TemporaryDirectory() as folder:
        page_file = Path(folder) / "report.html"
        page_file.write_text(_report(Path(folder) / "home"), encoding="utf-8")
        with browser.opened(Path(folder) / "profile") as page:
            page.open(page_file, PANEL[0])
            place = "document.getElementById('{}').getBoundingClientRect().top + scrollY - 12"
            tops = [0, int(page.evaluate(place.format("experiments")))]
            shots = [page.screenshot(PANEL[1], top) for top in tops]
    whole = Image.new("RGB", (2 * PANEL[0] + GAP, PANEL[1]), "#c9d1d9")
    for n, shot in enumerate(shots):
        whole.paste(Image.open(BytesIO(shot)).convert("RGB"), (n * (PANEL[0] + GAP), 0))
    whole.quantize(192, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)
    return True


def _report(home: Path) -> str:
    from drill.services.report.gather import gather
    from drill.services.report.rendering import rendered
    from drill.services.report.scope import Wanted
    from tests.conftest import Clock
    from tests.report.learners import realistic

    os.environ["DRILL_HOME"] = str(home)  # where the pictures of runs are looked for
    clock = Clock()
    with Drill(home=home, clock=clock, config=Config()) as drill:
        realistic(drill, home, clock)
        return rendered(gather(drill, Wanted()), "html", home)


def main() -> None:
    write_keys(ROOT / "README.md")
    if not report_picture(ROOT / "docs" / "report.png"):
        print("no Chromium here: docs/report.png stays as it is")
    shown = asyncio.run(picture(SHOWN))
    (ROOT / "docs" / "question.svg").write_text(shown, encoding="utf-8")


if __name__ == "__main__":
    main()

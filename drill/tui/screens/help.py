"""The keys of the screen it was opened from, and how drill works, in one page."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.tui.actions import ACTIONS
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, styled
from drill.tui.widgets.keys_line import key_name

_ABOUT = """
Each day drill asks what you are about to forget, and something new; with an interview date, what
adds most to what you will recall on that day. Answer, say how sure you are,
and read why. Everything is stored the moment you submit it: quit whenever you like.

A line of text is submitted with enter, several lines with ctrl+s; then 1, 2 or 3 says how sure
you are and reveals the answer. What you miss comes back in the same session; what you miss while
sure also comes back tomorrow.

Predictions are locked before the experiment runs. The measurement judges them, not the file.
"""
_PLACES = {
    "app": "Everywhere",
    "home": "Home",
    "plan": "The plan",
    "session": "While a question is asked",
    "mend": "A mended pipeline",
    "feedback": "After an answer",
    "mocks": "Setting up an interview",
    "mock": "In an interview",
    "debrief": "The debrief of an interview",
    "scorecard": "A scorecard",
    "transcript": "A transcript",
    "browse": "Browse",
    "stats": "Statistics",
    "labs": "The list of labs",
    "lab": "A lab",
    "starter": "A running starter",
    "questions": "The questions of a lab",
    "experiment": "The experiments of a lab",
    "run": "A running experiment",
    "pictures": "The pictures of a run",
    "runs": "Former runs",
}


def key_names(keys: str) -> str:
    """Keys as a person would say them."""
    return ", ".join(key_name(key) for key in keys.split(","))


class HelpScreen(BaseScreen):
    """All keys by place."""

    BINDINGS = [Binding("escape,q,f1,question_mark,enter", "dismiss_help", "back")]

    def body(self) -> ComposeResult:
        with VerticalScroll(id="home"):
            yield Static(prose(_ABOUT), classes="text", markup=False)
            for place, title in _PLACES.items():
                rows = [styled(f"\n{title}", "bold")]
                for action in ACTIONS:
                    if action.id.startswith(f"{place}."):
                        keys = self.app_keys(action.id, action.keys)
                        rows.append(
                            Content("").join(
                                [
                                    styled(f"  {key_names(keys):<14}", "$text-accent"),
                                    Content(action.help),
                                ]
                            )
                        )
                yield Static(Content("\n").join(rows), classes="text", markup=False)

    def app_keys(self, action_id: str, keys: str) -> str:
        """The keys after the learner's own changes."""
        return self.drill_app.key_choices.get(action_id, keys)

    def on_mount(self) -> None:
        self.head(Content("drill · help"))
        self.query_one(VerticalScroll).focus()

    def action_dismiss_help(self) -> None:
        self.app.pop_screen()

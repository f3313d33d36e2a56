"""The transcript of an interview: everything that was asked and said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from drill.services.mock_words import settings_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.screens.mock_words import entry_groups
from drill.tui.text import styled
from drill.tui.widgets.paragraphs import Paragraphs


class TranscriptScreen(BaseScreen):
    """Scrolls; n and p go from question to question."""

    BINDINGS = bindings("transcript")
    CSS = """
    TranscriptScreen Paragraphs { margin: 0 0 2 0; }
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__()
        self.document = document

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback"):
            for entry in self.document["transcript"]:
                yield Paragraphs(groups=entry_groups(entry))

    def on_mount(self) -> None:
        words = settings_words(self.document["settings"])
        self.head(styled("Transcript", "bold"), Content(words))
        self.query_one("#feedback").focus()
        self.newly_shown()

    def action_scroll(self, by: int) -> None:
        self.query_one("#feedback").scroll_relative(y=2 * by, animate=False)

    def action_other(self, by: int) -> None:
        """To the beginning of the next question, or of the one before."""
        scroll = self.query_one("#feedback", VerticalScroll)
        tops = [view.virtual_region.y - 1 for view in self.query(Paragraphs)]
        here = round(scroll.scroll_y)
        ahead = [top for top in tops if top > here] if by > 0 else [t for t in tops if t < here]
        if ahead:
            scroll.scroll_to(y=ahead[0] if by > 0 else ahead[-1], animate=False)

    def action_back(self) -> None:
        self.app.pop_screen()

"""The questions of a lab: to read, or to answer at once."""

from __future__ import annotations

from textwrap import shorten

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from drill.domain.counted import counted
from drill.lab.manifest import Lab
from drill.services.browse import Browser
from drill.services.lab_reading import questions_of
from drill.services.practice import practise
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, spans, styled
from drill.tui.widgets.text_rows import TextRows

LONGEST = 110
"""Characters of a prompt in the list."""


class LabQuestionsScreen(BaseScreen):
    """A list of prompts with their standing."""

    BINDINGS = bindings("questions")
    CSS = "#questions { height: 1fr; padding: 1 1 0 1; } #questions > TextRows { max-width: 92; }"

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.items: tuple[str, ...] = ()

    def body(self) -> ComposeResult:
        with VerticalScroll(id="questions", can_focus=False):
            yield TextRows()

    def on_mount(self) -> None:
        self.items = questions_of(self.drill, self.lab)
        self._fill()
        self.query_one(TextRows).focus()

    def on_screen_resume(self) -> None:
        if self.items:  # one may have been answered
            self._fill()

    def _fill(self) -> None:
        browser = Browser(self.drill)
        rows = []
        for item in self.items:
            row = browser.row(item)
            lead = f"{row.standing[:11]:<12}{row.type[:8]:<9}"
            prompt = shorten(row.prompt, LONGEST, placeholder=" …")
            rows.append((styled(lead, "$foreground 60%"), spans(prompt)))
        if not rows:
            rows = [(Content(""), plain("No question names this lab or one of its experiments."))]
        self.query_one(TextRows).fill(rows)
        self.head(styled(self.lab.title, "bold"), counted(len(self.items), "question"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return True if self.items or action == "back" else None

    def _item(self) -> str:
        return self.items[self.query_one(TextRows).cursor]

    @on(TextRows.Clicked)
    def action_answer(self) -> None:
        if self.items:
            self._ask((self._item(),))

    def action_all(self) -> None:
        self._ask(self.items)

    def _ask(self, items: tuple[str, ...]) -> None:
        from drill.tui.screens.session import SessionScreen

        session = practise(self.drill, items)
        if session.asked is None:
            says = "It is held back until it is proven again with the installed versions."
            self.notify(says, severity="warning", markup=False)
            return
        self.app.push_screen(SessionScreen(session))

    def action_read(self) -> None:
        from drill.tui.screens.browse import ItemScreen

        if self.items:
            self.app.push_screen(ItemScreen(self._item()))

    def action_back(self) -> None:
        self.app.pop_screen()

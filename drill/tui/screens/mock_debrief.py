"""After the questions, or after one in study mode: the points as a checklist of one's own."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from drill.domain.questions import LineBody, MutantBody
from drill.services.mock import Mock
from drill.services.mock_document import document, entry
from drill.services.mock_report import finish
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.screens.mock_clock import time_left
from drill.tui.screens.mock_words import (
    Entry,
    belief_rows,
    checklist,
    help_rows,
    question_rows,
    said_rows,
    title,
    verdict_rows,
)
from drill.tui.text import styled
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.reveal import reveal

_MUTED = "$foreground 60%"


class DebriefScreen(BaseScreen):
    """One question after the other. Of study mode: dismissed with whether to go on."""

    BINDINGS = bindings("debrief")
    CSS = """
    DebriefScreen #notice { padding: 0 1; }
    DebriefScreen #beside { height: 1fr; padding: 1 1 0 1; }
    DebriefScreen #beside CodeView { margin: 0; max-width: 92; }
    DebriefScreen.-narrow #side { display: none; }
    DebriefScreen.-wide #stage.-even #left, DebriefScreen.-wide #stage.-even #side { width: 1fr; }
    """

    def __init__(self, mock: Mock, *, study: bool = False, time_up: bool = False) -> None:
        super().__init__()
        self.mock = mock
        self.study = study
        self.time_up = time_up
        self.at = 0
        self.cursor = 0
        self.entries: list[Entry] = []
        self._read()

    def _read(self) -> None:
        if self.study:
            self.entries = [entry(self.mock, self.mock.feedback_item)]
        else:
            self.entries = document(self.mock)["transcript"]

    @property
    def entry(self) -> Entry:
        """The question that is looked at."""
        return self.entries[self.at]

    def body(self) -> ComposeResult:
        with Horizontal(id="stage", classes="has-code"):
            with Vertical(id="left"), VerticalScroll(id="feedback", can_focus=False):
                yield Paragraphs("told")
                yield Vertical(id="code-slot")
            with Vertical(id="side"), VerticalScroll(id="beside", can_focus=False):
                yield Paragraphs("also")
                yield Vertical(id="code-side")
        yield Static("", id="notice", markup=False)

    async def on_mount(self) -> None:
        if not self.entries:
            self.call_next(self._finish)
            return
        await self._show()

    async def on_resize(self, event: events.Resize) -> None:
        if self.entries and self.is_mounted:
            await self._show_code()
            self.redraw()

    # -- showing -------------------------------------------------------------------

    async def _show(self) -> None:
        """Put the question at `at` on the screen."""
        self.cursor = 0
        what = "Feedback" if self.study else "Debrief"
        if self.study:
            slot = self.mock.interview.slot + 1
            place = f"{slot} of {len(self.mock.interview.slots)} · {time_left(self.mock.interview)}"
        else:
            place = f"{self.at + 1} of {len(self.entries)} · not timed"
        about = Content(f" · {self.entry['round']} · {self.entry['topic']}")
        self.head(Content("").join([styled(what, "bold"), about]), place)
        await self._show_code()
        self.redraw()
        for scroll in ("#feedback", "#beside"):
            self.query_one(scroll).scroll_home(animate=False)
        self.refresh_bindings()
        self.newly_shown()

    async def _show_code(self) -> None:
        slots = [self.query_one(name, Vertical) for name in ("#code-slot", "#code-side")]
        for slot in slots:
            await slot.remove_children()
            slot.styles.height = "auto"
        self.query_one("#stage").set_class(not self.entry["code"], "-even")
        if not self.entry["code"]:
            return
        question = self.mock.question(self.entry["item"])
        assert question.code is not None
        view = CodeView(question.code, widget_id="code")
        if isinstance(question.body, LineBody):
            view.flag(dict.fromkeys(question.body.lines, "✓"))
        elif isinstance(question.body, MutantBody):
            view.flag({question.body.line: "✓"})
        await slots[self.wide].mount(view)

    def redraw(self) -> None:
        """Draw the question with the learner's ticks as they are now."""
        entry = self.entry
        said: list[list[Row]] = said_rows(entry)
        if said:
            said = [[title("What was said"), *said[0]], *said[1:]]
        rest = [belief_rows(entry), *help_rows(entry)]
        has_code = bool(entry["code"])
        beside = [*said, *rest] if self.wide and not has_code else []
        told = [*question_rows(entry), verdict_rows(entry), self._points()]
        if not beside:
            told += [*said, *rest]
        self.query_one("#told", Paragraphs).tell(told)
        self.query_one("#also", Paragraphs).tell(beside)
        self.query_one("#notice", Static).update(self._notice())

    def _points(self) -> list[Row]:
        rows = checklist(self.entry, self.cursor)
        return [title("What it asked for"), *rows] if rows else []

    def _notice(self) -> Content:
        if self.time_up and self.at == 0:
            says = "Time was up: what was typed is taken as it stood."
        elif self.entry["points"]:
            says = "space: you did say a point, or you did not. The scorecard shows both ends."
        else:
            says = "Nothing is ticked here: it was judged without a rubric."
        return styled(says, _MUTED)

    # -- actions -------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "tick":
            return bool(self.entries and self.entry["points"])
        return not self.study and self.at > 0 if action == "previous" else True

    def key_word(self, action: str, word: str) -> str:
        last = not self.study and self.at + 1 == len(self.entries)
        return "scorecard" if action == "next" and last else word

    def action_tick(self) -> None:
        if self.entries and self.entry["points"]:
            self.mock.tick(self.entry["item"], self.entry["points"][self.cursor]["id"])
            self._read()
            self.redraw()

    def action_cursor(self, by: int) -> None:
        scroll = self.query_one("#feedback", VerticalScroll)
        points = self.entry["points"] if self.entries else ()
        beyond = not 0 <= self.cursor + by < len(points)
        if beyond:
            scroll.scroll_relative(y=2 * by, animate=False)
            return
        self.cursor += by
        self.redraw()
        told = self.query_one("#told", Paragraphs)
        reveal(told, told.line_of("›"), 3)

    def action_page(self, by: int) -> None:
        for name in ("#feedback", "#beside"):
            scroll = self.query_one(name)
            scroll.scroll_relative(y=by * max(1, scroll.size.height - 2), animate=False)

    async def action_next(self) -> None:
        if self.study:
            self._dismiss(True)
        elif self.at + 1 < len(self.entries):
            self.at += 1
            await self._show()
        else:
            self._finish()

    async def action_previous(self) -> None:
        if not self.study and self.at > 0:
            self.at -= 1
            await self._show()

    def action_back(self) -> None:
        if self.study:
            self._dismiss(None)
        else:
            self.leave()

    def _dismiss(self, going_on: bool | None) -> None:
        screen: Screen[bool | None] = self  # type: ignore[assignment]
        screen.dismiss(going_on)

    def _finish(self) -> None:
        from drill.tui.screens.mock_scorecard import ScorecardScreen

        made = finish(self.drill, self.mock)
        self.give_way(ScorecardScreen({"id": self.mock.id, **made}))

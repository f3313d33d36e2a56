"""Answers to `order`: lines moved into place, the ones that do not belong left out."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from drill.domain.questions import OrderBody
from drill.tui.answers.option_list import LETTERS, OptionRow
from drill.tui.answers.pane import AnswerPane


class StepList(Static, can_focus=False):
    """Holds the rows."""


class OrderPane(AnswerPane, can_focus=True):
    """Arrows move the cursor, shift+arrows (or J and K) move the line, x leaves it out."""

    DEFAULT_CSS = "OrderPane { overflow-y: auto; }"
    BINDINGS = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("shift+up,K", "carry(-1)", "move up", show=False),
        Binding("shift+down,J", "carry(1)", "move down", show=False),
        Binding("x,space", "leave_out", "leave out", show=False),
        Binding("enter", "done", "done", show=False),
    ]
    cursor: reactive[int] = reactive(0)

    def __init__(self, body: OrderBody) -> None:
        super().__init__()
        self.body = body
        self.order = list(range(len(body.steps)))
        self.left_out: set[int] = set()

    def compose(self) -> ComposeResult:
        for _ in self.order:
            yield OptionRow("", markup=False)
        yield Static(
            "shift+arrows (or J K) move a line, x leaves it out, enter is done",
            classes="help",
            markup=False,
        )

    def on_mount(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        place = 0
        for position, row in enumerate(self.query(OptionRow)):
            index = self.order[position]
            out = index in self.left_out
            place += not out
            lead = Content(" –  " if out else f"{place:>2}. ")
            text = Content(self.body.steps[index].text)
            row.update(Content("").join([lead, text.stylize("dim strike") if out else text]))
            row.set_class(self.has_focus and position == self.cursor, "-cursor")

    def watch_cursor(self) -> None:
        self._redraw()
        rows = list(self.query(OptionRow))
        if self.is_mounted and rows:
            rows[self.cursor].scroll_visible(animate=False)

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def action_move(self, by: int) -> None:
        self.cursor = max(0, min(len(self.order) - 1, self.cursor + by))

    def action_carry(self, by: int) -> None:
        here, there = self.cursor, self.cursor + by
        if 0 <= there < len(self.order):
            self.order[here], self.order[there] = self.order[there], self.order[here]
            self.cursor = there
            self._redraw()
            self.post_message(self.Changed())

    def action_leave_out(self) -> None:
        self.left_out ^= {self.order[self.cursor]}
        self._redraw()
        self.post_message(self.Changed())

    def action_done(self) -> None:
        self.post_message(self.Ready())

    def answer(self) -> str:
        return " ".join(LETTERS[index] for index in self.order if index not in self.left_out)

    def restore(self, draft: str) -> None:
        kept = [LETTERS.index(p) for p in draft.split() if len(p) == 1 and p in LETTERS]
        kept = [index for index in dict.fromkeys(kept) if index < len(self.body.steps)]
        if kept:
            rest = [index for index in range(len(self.body.steps)) if index not in kept]
            self.order = kept + rest
            self.left_out = set(rest)
            self._redraw()

    def focus_answer(self) -> None:
        self.focus()

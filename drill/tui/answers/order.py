"""Answers to `order`: lines moved into place, the ones that do not belong left out."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from drill.domain.questions import OrderBody
from drill.tui.answers.option_list import LETTERS
from drill.tui.answers.pane import AnswerPane
from drill.tui.text import spans
from drill.tui.widgets.rows import Rows


class Steps(Rows):
    """Arrows move the cursor, shift+arrows (or J and K) move the line, x leaves it out."""

    BINDINGS = [
        Binding("shift+up,K", "carry(-1)", "move up", show=False),
        Binding("shift+down,J", "carry(1)", "move down", show=False),
        Binding("x,space", "leave_out", "leave out", show=False),
        Binding("enter", "done", "done", show=False),
    ]

    class Moved(Message):
        """The order changed."""

    class Done(Message):
        """The order stands."""

    def __init__(self, body: OrderBody) -> None:
        super().__init__()
        self.body = body
        self.order = list(range(len(body.steps)))
        self.left_out: set[int] = set()

    @property
    def count(self) -> int:
        return len(self.order)

    def entry(self, index: int) -> tuple[Content, Content]:
        step = self.order[index]
        text = spans(self.body.steps[step].text)
        if step in self.left_out:
            return Content("  –  "), text.stylize("dim strike")
        place = sum(other not in self.left_out for other in self.order[: index + 1])
        return Content.styled(f"{place:>3}. ", "bold $text-accent"), text

    def set_order(self, order: list[int], left_out: set[int]) -> None:
        """Show this order, without telling anyone."""
        self.order, self.left_out = order, left_out
        self.refresh(layout=True)

    def action_carry(self, by: int) -> None:
        here, there = self.cursor, self.cursor + by
        if 0 <= there < len(self.order):
            self.order[here], self.order[there] = self.order[there], self.order[here]
            self.cursor = there
            self.refresh()
            self.post_message(self.Moved())

    def action_leave_out(self) -> None:
        self.left_out ^= {self.order[self.cursor]}
        self.refresh()
        self.post_message(self.Moved())

    def action_done(self) -> None:
        self.post_message(self.Done())


class OrderPane(AnswerPane):
    """The steps, and how to move them."""

    help = "shift+arrows (or J K) move a line, x leaves it out, enter is done"

    def __init__(self, body: OrderBody) -> None:
        super().__init__()
        self.steps = Steps(body)

    def compose(self) -> ComposeResult:
        yield self.steps
        yield Static(self.help, classes="help", markup=False)

    def answer(self) -> str:
        steps = self.steps
        return " ".join(LETTERS[index] for index in steps.order if index not in steps.left_out)

    def restore(self, draft: str) -> None:
        total = len(self.steps.body.steps)
        kept = [LETTERS.index(p) for p in draft.split() if len(p) == 1 and p in LETTERS]
        kept = [index for index in dict.fromkeys(kept) if index < total]
        if kept:
            rest = [index for index in range(total) if index not in kept]
            self.steps.set_order(kept + rest, set(rest))

    def focus_answer(self) -> None:
        self.steps.focus(scroll_visible=False)

    @on(Steps.Moved)
    def _moved(self, event: Steps.Moved) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Steps.Done)
    def _done(self, event: Steps.Done) -> None:
        event.stop()
        self.post_message(self.Ready())

"""Answers to `diagnose`: measurements to buy, then the cause."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from drill.domain.grading.diagnose import share_left
from drill.domain.questions import DiagnoseBody
from drill.services.asked import Asked
from drill.tui.answers.option_list import LETTERS, Options
from drill.tui.answers.pane import AnswerPane
from drill.tui.answers.probes import Probes

Part = Literal["probes", "causes"]
_MUTED = "$foreground 60%"


class Causes(Options):
    """The causes; moving up from the first one leads back to the probes."""

    class Left(Message):
        """The cursor was moved on above the first cause."""

    def action_move(self, by: int) -> None:
        if by < 0 and self.cursor == 0:
            self.post_message(self.Left())
        else:
            super().action_move(by)


class DiagnosePane(AnswerPane):
    """Probes and causes, one list at a time where the terminal is low; what was spent above."""

    SCOPED_CSS = False  # how much room there is, is a class of the screen
    DEFAULT_CSS = """
    DiagnosePane .head { height: 1; padding: 0 1; color: $text-muted; }
    DiagnosePane #to-probes { display: none; }
    .-low DiagnosePane.-causes Probes, .-tiny DiagnosePane.-causes Probes { display: none; }
    .-low DiagnosePane.-causes #to-probes { display: block; }
    .-tiny DiagnosePane.-causes #to-probes { display: block; }
    .-low DiagnosePane.-probes Causes, .-tiny DiagnosePane.-probes Causes { display: none; }
    """
    BINDINGS = [
        Binding("tab,shift+tab", "turn", "causes", id="session.turn"),
        Binding("r", "again", "again", show=False),
    ]

    class Again(Message):
        """The symptom is wanted once more."""

    def __init__(self, body: DiagnoseBody) -> None:
        super().__init__(classes="-probes")
        self.body = body
        self.part: Part = "probes"
        self.probes = Probes(body.probes, LETTERS[: len(body.causes)])
        self.causes = Causes([cause.text for cause in body.causes])

    def compose(self) -> ComposeResult:
        yield Static("", id="to-probes", classes="head", markup=False)
        yield self.probes
        yield Static("", id="to-causes", classes="head", markup=False)
        yield self.causes

    def on_mount(self) -> None:
        self._tell_heads()

    def on_unmount(self) -> None:
        for answer in self.screen.query("#answer"):
            answer.border_title = ""

    # -- what was bought -----------------------------------------------------------

    def tell(self, asked: Asked) -> None:
        """Show what was bought and what that came to."""
        self.probes.tell({finding.look: finding for finding in asked.findings})
        share = share_left(self.body, asked.price)
        left = "full credit" if share >= 1 else f"at most {share:.0%} of the credit"
        said = f"spent {asked.price} of par {self.body.par} min · {left}"
        for answer in self.screen.query("#answer"):
            answer.border_title = said
            answer.set_class(share < 1, "-dear")
        self._tell_heads()

    def _tell_heads(self) -> None:
        count, bought = len(self.body.probes), len(self.probes.bought.keys() & self._ids)
        last = LETTERS[len(self.body.causes) - 1]
        measured = f"Measurements: {bought} of {count} bought   (tab)"
        self.query_one("#to-probes", Static).update(Content(measured))
        asks = "What is the cause?" + f"   (a to {last}, or tab)" * (self.part == "probes")
        self.query_one("#to-causes", Static).update(Content(asks))

    @property
    def _ids(self) -> set[str]:
        return {probe.id for probe in self.body.probes}

    # -- the answer ----------------------------------------------------------------

    def answer(self) -> str:
        marked = sorted(self.causes.marked)
        return f"cause={self.body.causes[marked[0]].id}" if marked else ""

    def restore(self, draft: str) -> None:
        name = draft.partition(";")[0].partition("=")[2].strip()
        at = {n for n, cause in enumerate(self.body.causes) if cause.id == name}
        self.causes.restore(at)

    def focus_answer(self) -> None:
        (self.probes if self.part == "probes" else self.causes).focus(scroll_visible=False)

    def step_back(self) -> bool:
        if self.part == "causes":
            self.turn("probes")
            return True
        return False

    def turn(self, part: Part) -> None:
        """Go to one of the two lists."""
        self.part = part
        self.set_class(part == "probes", "-probes")
        self.set_class(part == "causes", "-causes")
        self._tell_heads()
        self.call_after_refresh(self.focus_answer)

    def action_turn(self) -> None:
        self.turn("causes" if self.part == "probes" else "probes")

    def action_again(self) -> None:
        self.post_message(self.Again())

    def key_word(self, action: str, word: str) -> str:
        return "measurements" if action == "turn" and self.part == "causes" else word

    @on(Probes.Left)
    def _down(self, event: Probes.Left) -> None:
        event.stop()
        self.turn("causes")

    @on(Causes.Left)
    def _up(self, event: Causes.Left) -> None:
        event.stop()
        self.turn("probes")

    @on(Probes.Typed)
    def _typed(self, event: Probes.Typed) -> None:
        event.stop()
        self.turn("causes")
        self.causes.mark(LETTERS.index(event.letter))
        self.post_message(self.Ready())

    @on(Options.Marked)
    def _marked(self, event: Options.Marked) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Options.Done)
    def _done(self, event: Options.Done) -> None:
        event.stop()
        self.post_message(self.Ready())

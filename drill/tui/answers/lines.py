"""Answers that point at lines of the code, and for mutants also at what breaks."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from drill.domain.questions import LineBody, MutantBody
from drill.tui.answers.option_list import LETTERS, Options
from drill.tui.answers.pane import AnswerPane
from drill.tui.widgets.code_view import CodeView


class LinePane(AnswerPane):
    """The line is chosen in the code view itself; this pane says which, and asks for the effect."""

    def __init__(self, body: LineBody | MutantBody) -> None:
        super().__init__()
        self.body = body
        self.lines: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static("", id="lines", markup=False)
        if isinstance(self.body, MutantBody):
            yield Options([effect.text for effect in self.body.effects])

    def on_mount(self) -> None:
        self._say()

    def _say(self) -> None:
        self.set_class(bool(self.lines), "-chosen")
        if self.lines:
            word = "line" if len(self.lines) == 1 else "lines"
            said = f"{word} {', '.join(map(str, self.lines))}   (esc: back to the code)"
        else:
            several = ", space marks several" if isinstance(self.body, LineBody) else ""
            said = f"The arrows move in the code; enter chooses the line{several}."
        self.query_one("#lines", Static).update(said)

    def answer(self) -> str:
        spelled = ",".join(map(str, self.lines))
        if isinstance(self.body, LineBody):
            return spelled
        effect = sorted(self.query_one(Options).marked)
        return f"{spelled}; {LETTERS[effect[0]]}" if spelled and effect else ""

    def restore(self, draft: str) -> None:
        lines, _, effect = draft.partition(";")
        self.lines = tuple(int(part) for part in lines.split(",") if part.strip().isdigit())
        letter = effect.strip()
        if isinstance(self.body, MutantBody) and len(letter) == 1 and letter in LETTERS:
            self.query_one(Options).restore({LETTERS.index(letter)})
        self._say()

    def focus_answer(self) -> None:
        for view in self.screen.query(CodeView):
            if view.selectable:
                view.focus(scroll_visible=False)

    def step_back(self) -> bool:
        effects = self.query(Options)
        if not any(options.has_focus for options in effects):
            return False
        self.focus_answer()
        return True

    def chose(self, lines: tuple[int, ...]) -> None:
        """The code view's lines were chosen: ask for the effect, or be ready."""
        self.lines = lines
        self._say()
        self.post_message(self.Changed())
        if isinstance(self.body, MutantBody):
            self.query_one(Options).focus()
        else:
            self.post_message(self.Ready())

    @on(Options.Marked)
    def _marked(self, event: Options.Marked) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Options.Done)
    def _done(self, event: Options.Done) -> None:
        event.stop()
        if self.lines:
            self.post_message(self.Ready())
        else:
            self.focus_answer()

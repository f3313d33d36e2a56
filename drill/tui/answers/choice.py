"""Answers to `choice` and `choices`."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from drill.domain.questions import ChoiceBody
from drill.tui.answers.option_list import LETTERS, Options
from drill.tui.answers.pane import AnswerPane


class ChoicePane(AnswerPane):
    """One option, or any number of them."""

    def __init__(self, body: ChoiceBody) -> None:
        super().__init__()
        self.body = body

    def compose(self) -> ComposeResult:
        yield Options([option.text for option in self.body.options], many=self.body.many)

    def answer(self) -> str:
        marked = sorted(self.query_one(Options).marked)
        if not marked and self.body.many and self._asked_for_none:
            return "none"
        return ", ".join(LETTERS[index] for index in marked)

    _asked_for_none = False

    def restore(self, draft: str) -> None:
        letters = {part.strip() for part in draft.split(",")}
        known = {LETTERS.index(p) for p in letters if len(p) == 1 and p in LETTERS}
        self.query_one(Options).restore({i for i in known if i < len(self.body.options)})

    def focus_answer(self) -> None:
        self.query_one(Options).focus(scroll_visible=False)

    @on(Options.Marked)
    def _marked(self, event: Options.Marked) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Options.Done)
    def _done(self, event: Options.Done) -> None:
        event.stop()
        self._asked_for_none = not event.options.marked
        self.post_message(self.Ready())

"""What every answer pane offers."""

from __future__ import annotations

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

READING: tuple[BindingType, ...] = (
    Binding("pagedown", "screen.read(1)", "more", id="session.read_on"),
    Binding("pageup", "screen.read(-1)", "less", show=False, id="session.read_back"),
)
"""For fields that would scroll themselves: an answer is short, what is long is the question."""


class AnswerPane(Vertical):
    """Takes one answer. `answer()` is the string for the grader, empty while there is none."""

    DEFAULT_CSS = """
    AnswerPane { height: auto; max-height: 100%; }
    AnswerPane > .help { color: $text-muted; height: auto; }
    """
    digits_submit = True
    """Whether 1, 2, 3 may submit while this pane has the focus (not where digits are typed)."""

    class Ready(Message):
        """The answer is complete; only the confidence is missing."""

    class Changed(Message):
        """The answer changed and may be kept as a draft."""

    def answer(self) -> str:
        """The answer as one string."""
        raise NotImplementedError

    def restore(self, draft: str) -> None:
        """Fill in an answer that was begun before."""
        raise NotImplementedError

    def focus_answer(self) -> None:
        """Put the focus where the answer is given."""
        raise NotImplementedError

    def step_back(self) -> bool:
        """Go back one part of the answer; False from the first one."""
        return False

    def key_word(self, action: str, word: str) -> str:
        """The word beside a key in the footer, where it depends on what is shown."""
        return word

"""The end of an interview on plain text: every answer read over, ticks, then the scorecard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from drill.cli.line_input import LineInput
from drill.cli.mock_text import indented, points_lines, said_text, scorecard_text
from drill.cli.show import wrapped
from drill.services.mock_words import clock

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.mock import Mock

INTRODUCTION = (
    "What you said, and what was found in it. Where you made a point in other words and it is not "
    "marked, tick it: that moves the upper end of your scores."
)
HELP = """\
t N   tick point N as said, or take its credit back
a N   a strong answer to question N
done  the scorecard
:quit stop here, go on another time"""


class LeaveError(Exception):
    """The person quit, or stdin ended."""


class PlainDebrief:
    """Reads the answers over with the learner and ends the interview."""

    def __init__(
        self, drill: Drill, mock: Mock, lines: LineInput, say: Callable[..., None]
    ) -> None:
        self._drill = drill
        self._mock = mock
        self._input = lines
        self._say = say
        self._entries: list[dict[str, Any]] = []
        self._points: list[tuple[int, str]] = []
        """Place of the entry and id of every numbered point."""

    def run(self) -> None:
        """From the list of points to the scorecard; raises LeaveError where it is left."""
        from drill.services.mock_report import finish

        if self._mock.phase == "debrief":
            self._read_over()
            while self._goes_on():
                pass
        document = finish(self._drill, self._mock)
        self._say("\n" + scorecard_text(document))
        name = self._mock.id[:8]
        self._say(f"\nThe transcript is kept: drill mock show {name} --transcript")

    def _read_over(self) -> None:
        from drill.services.mock_document import entries

        self._entries = entries(self._mock)
        if self._mock.parting and self._mock.interview.settings.mode == "real":
            self._say("\n" + wrapped(f"They: {self._mock.parting}"))
        self._say("\n--- Debrief\n\n" + wrapped(INTRODUCTION))
        if not self._entries:
            self._say("\nNothing was answered.")
        for number, entry in enumerate(self._entries, start=1):
            self._say("\n" + told_entry(entry, number, self._number_points(number - 1)))
        self._say("\n" + HELP)

    def _number_points(self, place: int) -> int:
        """Number the points of an entry; returns the first number."""
        first = len(self._points) + 1
        self._points += [(place, point["id"]) for point in self._entries[place]["points"]]
        return first

    def _goes_on(self) -> bool:
        """One command; False when the scorecard is wanted."""
        word, _, number = self._line().strip().lower().partition(" ")
        if word in ("done", "d", ":done", ":end"):
            return False
        if word in (":quit", ":q"):
            raise LeaveError
        if word == "t" and number.isdigit():
            self._tick(int(number))
        elif word == "a" and number.isdigit() and 0 < int(number) <= len(self._entries):
            entry = self._entries[int(number) - 1]
            self._say(wrapped(f"A strong answer: {entry['expected']}"))
            self._say("\n" + wrapped(entry["explanation"]))
        else:
            self._say(HELP)
        return True

    def _line(self) -> str:
        self._say("\n[debrief: t N, a N, done] > ", end="")
        try:
            line = self._input.line(lambda partial: None)
        except EOFError:
            if self._input.is_terminal:
                raise LeaveError from None
            line = "done"  # a script that has said everything
        if not self._input.is_terminal:
            self._say()
        return line

    def _tick(self, number: int) -> None:
        from drill.services.mock_document import entry

        if not 1 <= number <= len(self._points):
            self._say(f"points are 1 to {len(self._points)}" if self._points else "no points here")
            return
        place, point = self._points[number - 1]
        item = str(self._entries[place]["item"])
        self._mock.tick(item, point)
        self._entries[place] = entry(self._mock, item)
        ids = [each["id"] for each in self._entries[place]["points"]]
        one = {**self._entries[place], "points": [self._entries[place]["points"][ids.index(point)]]}
        self._say("\n".join(points_lines(one, number)))


def told_entry(entry: Mapping[str, Any], number: int = 0, first: int = 1) -> str:
    """An item with the learner's words and what was found in them.

    With a `number` (the debrief) its points are numbered from `first`; without one (study mode)
    the strong answer, the explanation and the source follow.
    """
    lead = f"{number}. " if number else ""
    head = f"{lead}{entry['round']}, {clock(entry['seconds'])}"
    parts = [wrapped(f"{head}: {' '.join(entry['prompt'].split())}")]
    if number:
        parts.append(said_text(entry))
    found = points_lines(entry, first)
    parts.append("\n".join(found) or "  (not judged, not scored)")
    parts += [
        wrapped(f'- A belief to mend: {b["belief"]} You said: "{b["quote"]}"', "  ")
        for b in entry["beliefs"]
    ]
    if number and entry["score"] is not None and entry["score"] < 1 and entry["expected"]:
        parts.append(f"Key:\n{indented(entry, entry['expected'])}")
    if not number:
        from drill.cli.show import source_text
        from drill.domain.questions import Source

        what = "A strong answer" if entry["type"] == "explain" else "Key"
        parts += [wrapped(f"{what}: {entry['expected']}"), wrapped(entry["explanation"])]
        sources = " · ".join(source_text(Source(**source)) for source in entry["sources"])
        parts.append(wrapped(f"Source: {sources}") if sources else "")
    return "\n\n".join(part for part in parts if part.strip())

"""A mock interview on stdin and stdout, line by line: for pipes, screen readers and scripts.

The clock runs while a line is waited for; when the time is up, what is typed is taken as it
stands and the debrief begins.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from drill.cli.answer_file import read_answer
from drill.cli.line_input import LineInput
from drill.cli.mock_debrief import LeaveError, PlainDebrief, told_entry
from drill.cli.mock_locked import LockedAnswers
from drill.cli.mock_text import heading, place
from drill.cli.output import NO, OK
from drill.cli.show import question_text, wrapped
from drill.domain.grading.accepted import answer_help
from drill.domain.questions import CodeBody, DiagnoseBody, ExplainBody, OutputBody
from drill.domain.verdict import MalformedAnswerError
from drill.services.mock import HEARTBEAT, Mock, View
from drill.services.mock_words import clock

if TYPE_CHECKING:
    from drill.cli.plain_case import PlainCase
    from drill.services.app import Drill

HELP = """\
An answer of several lines ends with a line that holds a single dot.
:said   you said that already (to a probe; your own ticks decide at the end)
:pass   leave the probe, or the whole question
:hint   a hint (study mode)
:clear  drop what is typed
:time   the time left
:end    no more questions: go to the debrief
:quit   stop here; `drill mock resume --plain` goes on
:help   this
Everything is stored as you go. `::` begins a line with a colon."""
COMMANDS = frozenset({"said", "pass", "hint", "clear", "time", "end", "quit", "q", "help", "h"})


class _TimeUpError(Exception):
    """Only the debrief is left."""


class PlainMock:
    """Holds one interview over two text streams; `run` returns an exit code."""

    def __init__(self, drill: Drill, mock: Mock, stdin: TextIO, stdout: TextIO) -> None:
        self.drill = drill
        self.mock = mock
        self._input = LineInput(stdin, HEARTBEAT)
        self._stdout = stdout
        self._locked = LockedAnswers(drill, mock, self._say, self._line)
        self._shown = ""
        """The item whose question was printed."""
        self._lines: list[str] = []
        """Finished lines of the answer that is being typed."""
        self._several = False
        """Whether the answer has several lines."""

    def run(self) -> int:
        """Ask until the interview is over; 0, or 1 where it was left before its end."""
        try:
            self._say(HELP)
            self._questions()
            PlainDebrief(self.drill, self.mock, self._input, self._say).run()
        except (LeaveError, KeyboardInterrupt):
            self.mock.leave(self._draft())
            left = clock(self.mock.seconds_left)
            with suppress(LeaveError):  # nobody may be reading any more
                self._say(f"\nLeft with {left} to go; `drill mock resume --plain` goes on.")
            return NO
        finally:
            self._locked.close()
        return OK

    # -- streams -------------------------------------------------------------------

    def _say(self, text: str = "", end: str = "\n") -> None:
        try:
            self._stdout.write(text + end)
            self._stdout.flush()
        except OSError:
            raise LeaveError from None

    def _line(self, prompt: str) -> str:
        self._say(prompt, end="")
        try:
            line = self._input.line(self._beat)
        except EOFError:
            raise LeaveError from None
        if not self._input.is_terminal:
            self._say()
        return line

    def _beat(self, partial: str) -> None:
        if self.mock.phase == "asking":
            self.mock.beat(self._draft(partial))
            if self.mock.time_is_up:
                raise _TimeUpError

    def _draft(self, partial: str = "") -> str:
        return "\n".join([*self._lines, partial] if partial else self._lines)

    # -- questions -----------------------------------------------------------------

    def _questions(self) -> None:
        while True:
            phase = self.mock.phase
            if phase == "feedback":
                self._feedback()
            elif phase == "locked":
                self._locked.judge()
            elif phase == "asking":
                try:
                    self._ask()
                except _TimeUpError:
                    self._say("\n\nTime is up.")
                    self.mock.cut(self._draft(self._input.unfinished()))
                    self._lines = []
            else:
                return

    def _ask(self) -> None:
        view = self.mock.view
        if self._shown != view.record.item_id:
            self._show(view)
            self._shown = view.record.item_id
        if view.move.given:
            self._say("\n" + wrapped(f"They: {view.move.given}"))
        if view.move.kind == "probe":
            self._say("\n" + wrapped(f"They: {view.move.text}"))
        case = self._locked.case(view)
        several = self._several = _takes_several_lines(view)
        self._lines = view.draft.split("\n") if view.draft else []
        if self._lines:
            how = "it goes on below" if several else "an empty line gives it"
            self._say(f"\nYour draft ({how}):\n" + "\n".join(f"| {line}" for line in self._lines))
        self.mock.start_clock()
        while True:
            line = self._line("| " if self._lines and several else f"[{self._place(view)}] > ")
            word = line.strip()
            if word.startswith(":") and not word.startswith("::"):
                if word[1:].lower() in COMMANDS or not self._lines:
                    if self._command(word[1:].lower()):
                        return
                    continue
            elif word.startswith("::"):
                line = line.replace("::", ":", 1)
            if case is not None and not self._lines and self._bought(case, line):
                continue
            if self._given(line):
                return

    def _given(self, line: str) -> bool:
        """Take a line; whether an answer was given with it."""
        several = self._several
        if several and line.strip() != ".":
            self._lines.append(line)
            return False
        answer = "\n".join(self._lines) if several or not line.strip() else line.strip()
        if not answer.strip():
            return False
        try:
            self._submit(answer)
        except MalformedAnswerError as error:
            self._say(wrapped(f"not counted: {error}"))
            if several:
                self._say("(your lines still stand; :clear drops them)")
            return False
        self._lines = []
        return True

    def _submit(self, answer: str) -> None:
        """Give an answer; the outside judge, where one is configured, is asked off the clock."""
        from drill.services.judging import waits_for_run

        question = self.mock.view.question
        if isinstance(question.body, CodeBody):
            answer = read_answer(answer)
        asking = None
        if self.drill.config.judge.on and not waits_for_run(question):
            from drill.services.outside_judge.asking import begin

            reply = self.mock.view.move.kind != "open"
            asking = begin(self.drill, question, answer, reply=reply)
        if asking is None:
            self.mock.answer(answer)
            return
        self.mock.leave(answer)
        self._say(f"(asking the judge, {self.drill.config.judge.seconds:g} s at most)")
        asking.run()
        item, turns = question.head.id, len(self.mock.view.record.turns)
        self.mock.answer(answer, asking.settled)
        record = self.mock.interview.record(item)
        for turn in record.turns[turns:] if record is not None else ():
            if turn.by:
                self._say(wrapped(f"({turn.by})"))

    def _show(self, view: View) -> None:
        """The question, and what was said about it where the interview goes on."""
        if self.mock.parting and self.mock.interview.settings.mode == "real":
            self._say("\n" + wrapped(f"They: {self.mock.parting}"))
        self._say("\n" + heading(view, self.mock.interview) + "\n")
        self._say(question_text(view.question))
        body = view.question.body
        spelled = "`probe NAME` buys a measurement; the cause by its letter" * isinstance(
            body, DiagnoseBody
        )
        spelled = spelled or answer_help(view.question.head.type)
        dot = "\nSeveral lines; a single dot on a line ends them." * _takes_several_lines(view)
        self._say(f"\n{wrapped(f'[{spelled}]')}{dot}")
        for turn in view.record.turns:
            if turn.probe:
                self._say(wrapped(f"They: {turn.probe}"))
            self._say(wrapped(turn.text or f"({turn.kind})", "    "))
        for hint in view.hints:
            self._say(wrapped(f"Hint: {hint}"))

    def _place(self, view: View) -> str:
        return f"{place(view)} · {clock(self.mock.seconds_left)}"

    def _command(self, name: str) -> bool:
        """Do what a command asks for; whether the question is left with it."""
        if name in ("q", "quit"):
            raise LeaveError
        if name in ("said", "pass", "end") and self._lines and self._several:
            self._say("You have typed something: a single dot gives it, :clear drops it.")
        elif name == "said":
            try:
                self.mock.claim()
            except ValueError as error:
                self._say(f"{error}")
                return False
            self._say("(noted: your own tick decides at the end)")
            return True
        elif name == "pass":
            self.mock.pass_on()
            return True
        elif name == "hint":
            self._hint()
        elif name == "clear":
            self._lines = []
        elif name == "time":
            self._say(f"{clock(self.mock.seconds_left)} left, the debrief included")
        elif name == "end":
            self.mock.end_questions()
            return True
        else:
            self._say(HELP)
        return False

    def _hint(self) -> None:
        self.mock.beat(self._draft())
        hint = self.mock.hint()
        if hint:
            self._say(wrapped(f"Hint: {hint}"))
        elif self.mock.interview.settings.mode == "study":
            self._say("There is no further hint.")
        else:
            self._say("A real interview has no hints; --study has.")

    # -- what runs -----------------------------------------------------------------

    def _bought(self, case: PlainCase, line: str) -> bool:
        """Buy the measurement that a line asks for, off the clock."""
        self.mock.stop_clock()
        bought = case.bought(line)
        self.mock.start_clock()
        return bought

    # -- study mode ----------------------------------------------------------------

    def _feedback(self) -> None:
        from drill.services.mock_document import entry

        self._say("\n" + told_entry(entry(self.mock, self.mock.feedback_item)))
        while self._line("\nenter goes on > ").strip().lower() in (":help", ":h"):
            self._say(HELP)
        self.mock.next()


def _takes_several_lines(view: View) -> bool:
    body = view.question.body
    return isinstance(body, ExplainBody | CodeBody) or (
        isinstance(body, OutputBody) and "\n" in body.key.strip()
    )

"""The session on stdin and stdout: one line at a time, for pipes, screen readers and scripts.

Data and prompts go to stdout. A line that begins with `:` is a command; `::` begins an answer
with a colon. An answer of several lines ends with a line that holds a single dot. In a `diagnose`
question `probe NAME` buys a measurement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from drill.cli.answer_file import read_answer
from drill.cli.output import NO, OK
from drill.cli.plain_runs import PlainRuns
from drill.cli.show import question_text, verdict_text, wrapped
from drill.domain.grading.accepted import answer_help
from drill.domain.questions import CodeBody, DiagnoseBody, ExplainBody, OutputBody, PredictBody
from drill.domain.verdict import MalformedAnswerError
from drill.services.asked import Asked, Feedback
from drill.services.session import Session

if TYPE_CHECKING:
    from drill.cli.plain_case import PlainCase
    from drill.services.app import Drill

HELP = """:hint  :skip  :suspend  :known  :undo  :quit   (everything is stored as you go)
After an answer: enter goes on, 1-4 changes the grade (again, hard, good, easy),
t N ticks point N, e runs the linked experiment, :undo takes the answer back."""
CONFIDENCE = {"1": 1, "guess": 1, "2": 2, "think": 2, "": 2, "3": 3, "sure": 3}


class _LeaveError(Exception):
    """The person quit, or stdin ended."""


class PlainSession:
    """Runs one session over two text streams; returns an exit code."""

    def __init__(self, drill: Drill, session: Session, stdin: TextIO, stdout: TextIO) -> None:
        self.drill = drill
        self.session = session
        self.stdin = stdin
        self.stdout = stdout
        self._runs = PlainRuns(drill, self._say)

    def run(self) -> int:
        """Ask until the session is over; 0, or 1 where it was left before its end."""
        self._say(HELP)
        try:
            while self.session.asked is not None or self.session.feedback is not None:
                if self.session.feedback is not None:
                    self._after(self.session.feedback)
                elif self.session.phase == "locked":
                    self._judge_locked()
                else:
                    self._ask()
        except _LeaveError:
            self._say("\nLeft; the session goes on where it stopped.")
            return NO
        finally:
            self._runs.close()
        self._summary()
        return OK

    # -- streams -------------------------------------------------------------------

    def _say(self, text: str = "", end: str = "\n") -> None:
        self.stdout.write(text + end)
        self.stdout.flush()

    def _line(self, prompt: str) -> str:
        self._say(prompt, end="")
        line = self.stdin.readline()
        if not line:
            raise _LeaveError
        if not self.stdin.isatty():
            self._say()
        return line.rstrip("\n")

    # -- asking --------------------------------------------------------------------

    def _ask(self) -> None:
        asked = self.session.asked
        assert asked is not None
        head = asked.question.head
        left = f"{asked.number} of ~{asked.expected}, {asked.minutes_left:.0f} min left"
        self._say(f"\n--- {head.id} · {head.topic} · {head.level} · {head.type} · {left}")
        self._say(f"({asked.reason})\n")
        self._say(question_text(asked.question))
        case = self._case(asked)
        self._say(f"\n[{case.help if case is not None else answer_help(head.type)}]")
        self.session.seen()
        while self.session.phase == "asking" and self.session.feedback is None:
            answer = self._answer(asked)
            if answer is not None and case is not None and case.bought(answer):
                continue
            if answer is None:
                if self.session.asked is not asked and not self._hinted(asked):
                    return
                continue
            try:
                if isinstance(asked.question.body, CodeBody):
                    answer = read_answer(answer)
                self.session.read(answer)
            except MalformedAnswerError as error:
                self._say(f"not counted: {error}")
                continue
            self.session.keep_draft(answer)
            confidence = self._confidence()
            self.session.submit(answer, confidence)

    def _hinted(self, asked: Asked) -> bool:
        now = self.session.asked
        return now is not None and now.question.head.id == asked.question.head.id

    def _answer(self, asked: Asked) -> str | None:
        """One answer; None where a command was given instead."""
        body = asked.question.body
        several = isinstance(body, ExplainBody | CodeBody) or (
            isinstance(body, OutputBody) and "\n" in body.key.strip()
        )
        if not several:
            line = self._line("> ").strip()
            if line.startswith(":") and not line.startswith("::"):
                self._command(line)
                return None
            return line.removeprefix(":") or None
        self._say("(several lines; a single dot on a line ends them)")
        lines: list[str] = []
        while True:
            line = self._line("> " if not lines else "| ")
            if not lines and line.startswith(":") and not line.startswith("::"):
                self._command(line.strip())
                return None
            if line.strip() == ".":
                return "\n".join(lines)
            lines.append(line)

    def _command(self, line: str) -> None:
        name = line[1:].strip().lower()
        if name in ("q", "quit"):
            raise _LeaveError
        if name in ("h", "hint"):
            hint = self.session.hint()
            self._say(wrapped(f"Hint: {hint}") if hint else "There is no further hint.")
        elif name == "skip":
            self.session.skip()
        elif name == "suspend":
            self.session.suspend()
            self._say("Suspended; browse in the app brings it back.")
        elif name == "known":
            self.session.mark_known()
            self._say("Marked as known.")
        elif name == "undo":
            undone = self.session.undo()
            self._say(f"Taken back: {undone}" if undone else "There is nothing to take back.")
        else:
            self._say(HELP)

    def _confidence(self) -> int:
        while True:
            word = self._line("How sure? 1 guess, 2 think so, 3 sure > ").strip().lower()
            if word in CONFIDENCE:
                return CONFIDENCE[word]
            self._say("1, 2 or 3")

    # -- runs ----------------------------------------------------------------------

    def _case(self, asked: Asked) -> PlainCase | None:
        """The broken thing of a `diagnose` question, its symptom shown."""
        if not isinstance(asked.question.body, DiagnoseBody):
            return None
        from drill.cli.plain_case import PlainCase

        case = PlainCase(self.drill, self.session, self._runs.run, self._say)
        case.symptom()
        return case

    def _judge_locked(self) -> None:
        asked = self.session.asked
        assert asked is not None
        if isinstance(asked.question.body, PredictBody):
            self._say(f"\nLocked: {asked.draft}. Running the experiment.")
            self._run_prediction(asked)
            return
        if isinstance(asked.question.body, DiagnoseBody):
            from drill.cli.plain_case import PlainCase

            self._say(f"\nLocked: {asked.draft}. Applying the mend.")
            PlainCase(self.drill, self.session, self._runs.run, self._say).mend()
            return
        from drill.services.code_judge import JudgeUnavailableError

        self._say("\nRunning the property tests.")
        try:
            self.session.settle(self.session.run_properties())
        except JudgeUnavailableError as error:
            self._say(f"not judged: {error}")
            self.session.unlock()
            self.session.skip()

    def _run_prediction(self, asked: Asked) -> None:
        link = asked.question.experiment
        assert link is not None
        outcomes, run_id = self._runs.experiment(link.name, dict(link.params))
        if outcomes is not None:
            self.session.settle(outcomes, run_id)
            return
        word = self._line("r runs it again, enter puts the question off > ").strip().lower()
        if word != "r":
            self.session.skip()

    # -- feedback ------------------------------------------------------------------

    def _after(self, feedback: Feedback) -> None:
        question = feedback.asked.question
        self._say()
        self._say(verdict_text(feedback.verdict))
        for note in feedback.beliefs:
            self._say(wrapped(f"A belief behind this: {note.belief} In fact: {note.correction}"))
        self._say()
        self._say(wrapped(question.explanation))
        if isinstance(question.body, DiagnoseBody):
            from drill.domain.grading.diagnose import told

            self._say("\n" + wrapped(f"It is decided by {told(question.body.deciding)}."))
        if isinstance(question.body, ExplainBody) and question.body.model_answer:
            self._say("\n" + wrapped(f"A strong answer: {question.body.model_answer}"))
        if question.follow_up:
            self._say("\n" + wrapped(f"They may ask next: {' '.join(question.follow_up)}"))
        from drill.cli.show import source_text

        self._say("Source: " + " · ".join(source_text(s) for s in question.sources))
        while True:
            now = self.session.feedback
            if now is None:
                return
            name = next(g.name for g in now.grades if g.grade == now.grade)
            again = ", again later in this session" if now.again_today else ""
            more = ", e experiment" if question.experiment else ""
            prompt = f"[{name}: back {now.due}{again}] enter goes on, 1-4 grade{more} > "
            line = self._line(prompt).strip().lower()
            if not line:
                self.session.advance()
            elif line in ("1", "2", "3", "4"):
                self.session.overrule(int(line))
            elif line == "e" and question.experiment:
                self._runs.experiment(question.experiment.name, dict(question.experiment.params))
            elif line.startswith("t ") and line[2:].strip().isdigit():
                self._tick(int(line[2:]))
            elif line.startswith(":"):
                self._command(line)
            else:
                self._say(HELP)

    def _tick(self, number: int) -> None:
        feedback = self.session.feedback
        assert feedback is not None
        if not 1 <= number <= len(feedback.verdict.points):
            self._say(f"points are 1 to {len(feedback.verdict.points)}")
            return
        changed = self.session.tick(feedback.verdict.points[number - 1].id)
        own = "" if changed.self_score is None else f"; with your ticks {changed.self_score:.0%}"
        self._say(f"automatic {changed.verdict.score:.0%}{own}")

    def _summary(self) -> None:
        summary = self.session.finish()
        if not summary.answered:
            self._say(f"\nNothing was asked. {summary.empty_reason}")
            return
        self._say(
            f"\nSession done: {summary.answered} answered, {summary.right} right, "
            f"{summary.partly} partly, {summary.wrong} wrong, {summary.minutes:.0f} min."
        )
        for text in summary.sure_and_wrong:
            self._say(f"  sure and wrong, back tomorrow: {text}")
        for text in summary.beliefs:
            self._say(f"  belief to mend: {text}")
        self._say(summary.tomorrow)

"""Say it aloud: a timer of 30 seconds or two minutes, then the learner ticks the points."""

from __future__ import annotations

from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import ProgressBar, Static

from drill.domain.questions import ExplainBody, Question
from drill.tui.answers.option_list import Options
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, styled


class AloudScreen(BaseScreen):
    """Dismissed with (ids of the ticked points, seconds spoken), or None."""

    BINDINGS = [("enter", "stop", "stop the timer"), ("escape", "leave", "back")]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        assert isinstance(question.body, ExplainBody)
        self.points = question.body.points
        self.seconds = 0
        self._begun = 0.0
        self._spoken = 0.0

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback", can_focus=False):
            yield Static(prose(self.question.prompt), markup=False)
            yield Static("\nHow long?", id="asks", markup=False)
            yield Options(["30 seconds: the short answer", "2 minutes: the full one"])
            bar = ProgressBar(show_eta=False, show_percentage=False, id="clock")
            bar.display = False
            yield bar

    def on_mount(self) -> None:
        self.head("Say it aloud", "self-assessed; kept out of readiness")
        self.query_one(Options).focus()

    @on(Options.Done)
    async def _chosen(self, event: Options.Done) -> None:
        event.stop()
        if self._spoken:
            ticked = tuple(self.points[i].id for i in sorted(event.options.marked))
            screen: Screen[tuple[tuple[str, ...], float]] = self  # type: ignore[assignment]
            screen.dismiss((ticked, self._spoken))
            return
        self.seconds = 30 if min(event.options.marked) == 0 else 120
        await event.options.remove()
        self._begun = monotonic()
        self.query_one("#asks", Static).update("\nSpeak. enter stops the timer.")
        bar = self.query_one("#clock", ProgressBar)
        bar.display = True
        bar.update(total=self.seconds)
        self.set_interval(0.25, self._tick)

    def _tick(self) -> None:
        if self._begun and not self._spoken:
            spent = monotonic() - self._begun
            self.query_one("#clock", ProgressBar).update(progress=spent)
            left = max(0, self.seconds - int(spent))
            self.head("Say it aloud", f"{left // 60}:{left % 60:02d}")
            if spent >= self.seconds:
                self.call_next(self.action_stop)

    async def action_stop(self) -> None:
        if not self._begun or self._spoken:
            return
        self._spoken = monotonic() - self._begun
        self.query_one("#clock").display = False
        self.query_one("#asks", Static).update(
            styled(
                f"\n{self._spoken:.0f} s. Which of these did you say? space ticks, enter is done.",
                "bold",
            )
        )
        options = Options([point.statement for point in self.points], many=True)
        await self.query_one("#feedback").mount(options)
        options.focus()

    def action_leave(self) -> None:
        self.dismiss(None)

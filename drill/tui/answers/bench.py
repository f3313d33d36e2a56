"""The bench of a broken pipeline: its symptom first, below it what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.services.app import Drill
from drill.services.finding import SYMPTOM, Finding
from drill.tui.answers.finding_view import FindingView
from drill.tui.text import styled


class Bench(VerticalScroll, can_focus=False):
    """Scrolls by itself where it stands beside the question; else the question scrolls it."""

    SCOPED_CSS = False  # how much room there is, is a class of the screen
    DEFAULT_CSS = """
    Bench { height: auto; }
    .-wide Bench { height: 1fr; padding: 1 0 0 0; }
    Bench FindingView { margin: 0 0 1 0; }
    Bench #looking { height: auto; padding: 0 1; }
    """

    def __init__(
        self,
        drill: Drill,
        findings: tuple[Finding, ...],
        prices: Mapping[str, int],
        prompt: Content | None = None,
    ) -> None:
        """`prompt` is shown above the symptom where it stands nowhere else."""
        super().__init__(id="bench")
        self.drill = drill
        self.findings = findings
        self.prices = prices
        self.prompt = prompt
        self._looking = Content("")

    def compose(self) -> ComposeResult:
        seen = any(finding.look == SYMPTOM for finding in self.findings)
        waiting = self.prompt if self.prompt is not None and not seen else Content("")
        first = Static(waiting, id="waiting-prompt", markup=False)
        first.display = bool(waiting.plain)
        first.styles.height = "auto"
        first.styles.padding = (0, 1, 1, 1)
        yield first
        for finding in sorted(self.findings, key=lambda each: each.look != SYMPTOM):
            yield self._view(finding)
        looking = Static(self._looking, id="looking", markup=False)
        looking.display = bool(self._looking.plain)
        yield looking

    def _view(self, finding: Finding) -> FindingView:
        symptom = finding.look == SYMPTOM
        title = "" if symptom else finding.look
        return FindingView(self.drill, finding, title, self.prompt if symptom else None)

    def view(self, look: str) -> FindingView | None:
        """The view of a finding, if it is there."""
        return next((v for v in self.query(FindingView) if v.finding.look == look), None)

    async def add(self, finding: Finding) -> None:
        """Show one more finding, and scroll to it unless it is the symptom."""
        self.findings = (*self.findings, finding)
        if finding.look == SYMPTOM:
            self.query_one("#waiting-prompt").display = False
            await self.mount(self._view(finding), after="#waiting-prompt")
        else:
            view = self._view(finding)
            view.sought = True
            await self.mount(view, before="#looking")

    def reveal(self, look: str) -> None:
        """Scroll so that a finding is seen, from its beginning."""
        view = self.view(look)
        if view is not None:
            view.scroll_visible(animate=False, top=True)

    def doing(self, text: str, *, error: bool = False) -> None:
        """What is being looked at, or why nothing was seen; nothing for an empty text."""
        self._looking = styled(text, "$text-error" if error else "$foreground 60%")
        for line in self.query("#looking").results(Static):
            line.display = bool(text)
            line.update(self._looking)

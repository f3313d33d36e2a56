"""The mend of a broken pipeline, applied live, beside its symptom."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from drill.domain.grading.diagnose import parse_diagnosis
from drill.domain.grading.picking import labelled
from drill.domain.questions import DiagnoseBody
from drill.services.finding import MEND, SYMPTOM, Finding
from drill.services.session import Session
from drill.tui.actions import bindings
from drill.tui.answers.finding_view import FindingView
from drill.tui.screens.base import BaseScreen
from drill.tui.text import lines, row, spans, styled

_MUTED = "$foreground 60%"


class MendScreen(BaseScreen):
    """Runs at once. Dismissed with the id of the run (empty without one), or None to go home."""

    BINDINGS = bindings("mend")
    CSS = """
    #mend { height: 1fr; padding: 1 1 0 1; }
    #mend > Static { height: auto; padding: 0 1; }
    #beside { height: auto; }
    #beside > Vertical { height: auto; width: 1fr; }
    #beside .side-title { height: 1; padding: 0 1; text-style: bold; }
    #beside FindingView .told { layout: vertical; }
    #beside FindingView .beside { max-width: 100%; padding: 0; }
    #both-lines { height: auto; max-width: 92; padding: 1 0 0 0; }
    #both-lines .side-title { height: 1; padding: 0 1; color: $text-muted; }
    #both-lines .lines { height: auto; margin: 0 0 1 1; padding: 0 0 0 1;
                         border-left: outer $panel; }
    #doing { padding: 0 1; height: auto; }
    #mend > #judged { padding: 0 1 1 1; min-height: 2; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.over = False
        asked = session.asked
        assert asked is not None
        self.asked = asked

    def body(self) -> ComposeResult:
        before = self.asked.finding(SYMPTOM)
        with VerticalScroll(id="mend"):
            yield Static(self._named(), id="named", markup=False)
            yield Static("", id="judged", markup=False)
            with Horizontal(id="beside"):
                with Vertical():
                    yield Static("Broken", classes="side-title", markup=False)
                    if before is not None:
                        yield FindingView(self.drill, before, short=True)
                    else:
                        yield Static(styled("  not seen here", _MUTED), markup=False)
                with Vertical(id="after"):
                    yield Static("Mended", classes="side-title", markup=False)
                    yield Static("", id="doing", markup=False)
            yield Vertical(id="both-lines")

    def _named(self) -> Content:
        """The cause as it was locked."""
        body = self.asked.question.body
        assert isinstance(body, DiagnoseBody)
        read = parse_diagnosis(self.asked.question, self.asked.draft)
        place, cause = next((n, c) for n, c in enumerate(body.causes) if c.id == read.cause)
        spent = f"   {self.asked.price} of par {body.par} min spent"
        return row(
            styled("Locked  ", _MUTED), spans(labelled(place, cause.text)), styled(spent, _MUTED)
        )

    def on_mount(self) -> None:
        self.head_of(self.session, self.asked)
        self.query_one("#mend").focus(scroll_visible=False)
        known = self.asked.finding(MEND)
        if known is not None:
            self.call_next(self._show, known)
        else:
            self._apply()
        self.newly_shown()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.over if action == "cancel" else True

    @work(exclusive=True, group="mend", exit_on_error=False)
    async def _apply(self) -> None:
        from drill.services.diagnosing import NoFindingError, look_at

        self._say("starting")
        try:
            finding = await look_at(
                self.drill,
                lambda: self.drill_app.experiments,
                self.asked.question,
                MEND,
                self._say,
                else_recorded=True,
            )
        except NoFindingError as error:
            self._over()
            self._say("")
            says = f"✗ The mend could not be shown: {error}."
            told = styled("enter goes on: the cause is judged all the same.", _MUTED)
            self.query_one("#judged", Static).update(lines(styled(says, "$text-error"), told))
            return
        self.session.keep_finding(finding)
        await self._show(finding)

    def _say(self, text: str) -> None:
        said = styled(f"The mend is being applied… {text}", _MUTED) if text else Content("")
        doing = self.query_one("#doing", Static)
        doing.display = bool(text)
        doing.update(said)

    async def _show(self, finding: Finding) -> None:
        self._over()
        self._say("")
        await self.query_one("#after").mount(FindingView(self.drill, finding, short=True))
        # At the whole width: a diff or a traceback would be unreadable in half of it.
        for name, each in (("Mended", finding), ("Broken", self.asked.finding(SYMPTOM))):
            if each is not None and each.lines:
                title = Static(name, classes="side-title", markup=False)
                told = Static(Content("\n".join(each.lines)), classes="lines", markup=False)
                await self.query_one("#both-lines").mount(title, told)
        self.query_one("#judged", Static).update(self._judged(finding))
        self.app.bell()

    @staticmethod
    def _judged(finding: Finding) -> Content:
        """Whether the check that failed on the broken thing passes now."""
        when = "" if not finding.recorded else f" in the run recorded on {finding.recorded}"
        if finding.mended:
            return row(styled("✓ ", "bold $text-success"), Content(f"The symptom is gone{when}."))
        if finding.mended is None:
            return Content("")
        return row(styled("✗ ", "bold $text-error"), Content(f"The symptom is still there{when}."))

    def _over(self) -> None:
        self.over = True
        asked = self.session.asked
        assert asked is not None
        self.asked = asked
        self.refresh_bindings()

    @work(exclusive=True, group="cancel")
    async def action_cancel(self) -> None:
        if not self.over:
            self._say("cancelling")
            await self.drill_app.experiments.cancel()

    def action_scroll(self, by: int) -> None:
        self.query_one("#mend", VerticalScroll).scroll_relative(y=2 * by, animate=False)

    def action_next(self) -> None:
        if not self.over:
            self.notify("The mend is still being applied; c cancels it.", markup=False)
            return
        found = self.asked.finding(MEND)
        self._leave(found.run_id if found is not None else "")

    def action_back(self) -> None:
        """Home; the lock stays, and the mend is applied when one comes back."""
        self._leave(None)

    def _leave(self, run_id: str | None) -> None:
        screen: Screen[str | None] = self  # type: ignore[assignment]
        screen.dismiss(run_id)

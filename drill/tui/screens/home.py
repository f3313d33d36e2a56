"""Home: how long it is, what today asks, how ready each topic will be, what is still believed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import events, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.domain.counted import counted
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import TOPICS
from drill.services import planning
from drill.services.app import Overview
from drill.services.plan_words import day_words, days_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import row, spans, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.said import Said

if TYPE_CHECKING:
    from drill.services.outlook import Outlook

SETTLED = 0.4
"""Seconds after the paint before anything is looked up ahead: keys that follow at once are free
of it."""
BAR = 16
"""Cells of the line that shows how much of a topic was seen, where there is room."""
MOST_BELIEFS = 3
"""Beliefs that are told in words; the newest answers may add dozens."""


class HomeScreen(BaseScreen):
    """Drawn again whenever it is returned to."""

    BINDINGS = bindings("home")
    _drawn_at = 0
    """The width at which the rows were drawn."""
    _outlook: Outlook | None = None
    """The newest that is known, of an earlier day or answer until it is computed again."""
    _fresh = False
    """Whether today's questions in it are those that enter would ask now."""

    def body(self) -> ComposeResult:
        with VerticalScroll(id="home"):
            yield Static("", id="next", markup=False)
            yield Said(widget_id="said")
            yield Static("", id="facts", markup=False)
            yield Static("", id="topics", markup=False)
            yield Paragraphs("beliefs")
            yield Static("", id="labs", markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.set_interval(1.0, self._labs_line)

    async def on_resize(self, event: events.Resize) -> None:
        if self._drawn_at not in (0, event.size.width):
            self.redraw()

    def on_screen_resume(self) -> None:
        self.call_next(self.redraw)

    def on_screen_suspend(self) -> None:
        self.workers.cancel_group(self, "outlook")

    @work(exclusive=True, group="outlook", exit_on_error=False)
    async def _look_ahead(self) -> None:
        """Today's plan and the readiness on the day, in slices that no key waits for."""
        from drill.services.outlook import begin, keep
        from drill.tui.screens.plan import PAUSE, SLICE

        await asyncio.sleep(SETTLED)
        run = begin(self.drill)
        before = self._outlook
        while not run.advance(SLICE):
            if run.prepared and not self._fresh:
                now = run.outlook
                if before is not None:  # the bars stay until there are new ones
                    now = replace(now, topics=before.topics, overall=before.overall)
                self._told_outlook(now)
            await asyncio.sleep(PAUSE)
        keep(self.drill, run)
        self._told_outlook(run.outlook)

    def _told_outlook(self, outlook: Outlook) -> None:
        self._outlook, self._fresh = outlook, True
        overview = self.drill.overview()
        self.query_one("#next", Static).update(self._next(overview))
        self.query_one("#topics", Static).update(self._topics(overview))

    @work(thread=True, exclusive=True, group="history", exit_on_error=False)
    def _read_history(self, overview: Overview) -> None:
        """What needs the whole log waits until the screen is painted."""
        self.app.call_from_thread(
            self._told_history, overview, self.drill.streak(), self.drill.beliefs()
        )

    def _told_history(self, overview: Overview, streak: int, beliefs: list[str]) -> None:
        self.query_one("#facts", Static).update(self._facts(overview, streak, len(beliefs)))
        self.query_one("#beliefs", Paragraphs).tell([self._beliefs(beliefs)])

    def redraw(self) -> None:
        """Draw what the services say now."""
        if not self.drill.profile.done:
            from drill.tui.screens.setup import SetupScreen

            self.app.push_screen(SetupScreen(first=True))
            return
        self._drawn_at = self.app.size.width
        overview = self.drill.overview()
        self._fresh = False
        dated = planning.countdown(self.drill) is not None
        self._outlook = self._stored() if dated else None
        self.head(styled("drill", "bold"), self._countdown())
        self.query_one("#next", Static).update(self._next(overview))
        self.query_one("#facts", Static).update(self._facts(overview))
        self._read_history(overview)
        self.query_one("#topics", Static).update(self._topics(overview))
        left = self.drill.store.sessions.unfinished("mock") is not None
        says = "An interview was left in the middle: m goes on with it." if left else ""
        self.query_one("#said", Said).tell(says)
        self._labs_line()
        if dated:
            self._look_ahead()

    def _stored(self) -> Outlook | None:
        from drill.services.outlook import stored

        return stored(self.drill)

    def _countdown(self) -> str:
        left = planning.countdown(self.drill)
        if left is None:
            return "no interview date (s)"
        return f"interview {days_words(left)}"

    def _next(self, o: Overview) -> Content:
        key = styled(" enter ", "bold reverse")
        if o.unfinished:
            return row(key, styled("  go on where you stopped", "bold"))
        if planning.countdown(self.drill) is not None:
            return self._next_dated(key, o)
        if not o.due and not o.new_left:
            if o.new:
                said = Content(f" {planning.new_done(self.drill.config.new_per_day)}")
                return row(styled("Nothing is left for today.", "bold"), said)
            if o.suspended and not any(counts["items"] for counts in o.topics.values()):
                said = Content(f" {planning.all_suspended()}")
                return row(styled("Nothing is left for today.", "bold"), said)
            return row(
                styled("✓ Nothing is left for today.", "bold $text-success"),
                Content("  b browses the bank, l runs an experiment."),
            )
        if planning.used(o.left, self.drill.profile.minutes):
            from drill.tui.screens.plan_words import another_line

            return another_line()
        if o.due:
            what = f"{o.due} due ({max(1, round(o.minutes))} min)"
            what += ", then new ones" if o.new_left and o.minutes < o.left else ""
        else:
            what = "nothing is due; new questions"
        return row(key, self._session(o.left), Content(f": {what}"))

    def _session(self, left: float) -> Content:
        """What enter begins while minutes of the day are left."""
        minutes = self.drill.profile.minutes
        words = f"the {round(left)} minutes left today"
        if round(left) >= minutes:
            words = f"today's session of {minutes} minutes"
        return styled(f"  {words}", "bold")

    def _next_dated(self, key: Content, o: Overview) -> Content:
        """What enter begins on the way to the interview; the counts come when they are known."""
        from drill.tui.screens.plan_words import another_line, counts, nothing_line

        if self._outlook is None or not self._fresh:
            if planning.used(o.left, self.drill.profile.minutes):
                return another_line()
            return row(key, self._session(o.left), Content(" (p: what and why)"))
        if self._outlook.today:
            return row(key, self._session(o.left), Content(f": {counts(self._outlook)}"))
        return nothing_line(self._outlook)

    def _facts(self, o: Overview, streak: int | None = None, beliefs: int = 0) -> Content:
        parts = [f"answered today {o.answered_today}", f"new available {o.new}"]
        if streak is not None:
            parts.insert(1, f"streak {counted(streak, 'day')}")
        if beliefs:
            parts.append(f"beliefs to mend {beliefs}")
        if o.hidden:
            parts.append(f"{o.hidden} wait for the experiments' packages")
        if o.held:
            parts.append(f"{o.held} held back until proven again")
        return styled(" · ".join(parts), "$foreground 60%")

    def _beliefs(self, names: list[str]) -> list[Row]:
        """What was believed wrongly and is not mended yet."""
        registry = self.drill.bank.misconceptions
        said = [registry[name].belief for name in names if name in registry]
        if not said:
            return []
        shown = said[:MOST_BELIEFS]
        rest = f" ({len(said)} in all)" if len(said) > len(shown) else ""
        head = styled(f"Still believed, though wrong{rest}", "bold")
        rows: list[Row] = [(Content(""), head)]
        rows += [(styled("✗ ", "$text-error"), spans(text)) for text in shown]
        return rows

    def _topics(self, o: Overview) -> Content:
        if planning.countdown(self.drill) is not None:
            from drill.tui.widgets.readiness import home_table

            today = self._outlook if self._fresh else None
            day = self.drill.profile.interview_date
            assert day is not None
            on = day_words(day, date_of_day(self.drill.store.today()))
            return home_table(o.topics, self._outlook, today, on, self.app.size.width - 5)
        width = max(len(title.split(":")[0]) for title in TOPICS.values())
        cells = max(4, min(BAR, self.app.size.width - width - 28))
        drawn = [styled(f"{'':<{width}}    due   new   seen", "$foreground 60%")]
        for topic, title in TOPICS.items():
            counts = o.topics.get(topic, {})
            items, seen = counts.get("items", 0), counts.get("seen", 0)
            due = counts.get("due", 0)
            length = -(-cells * seen // items) if items else 0
            drawn.append(
                row(
                    styled(f"{title.split(':')[0]:<{width}}", "bold" if due else ""),
                    Content(f"  {due or '·':>5} {counts.get('new', 0) or '·':>5}   "),
                    styled("━" * length, "$text-accent"),
                    styled("─" * (cells - length), "$foreground 20%"),
                    styled(f" {seen}/{items}", "$foreground 60%"),
                )
            )
        return Content("\n").join(drawn)

    def _labs_line(self) -> None:
        from drill.services import labs_packages

        if not self.is_current:
            return
        standing = labs_packages.standing()
        line = self.query_one("#labs", Static)
        line.display = standing.state != "ready"
        more = "  (i installs them)" if standing.state in ("missing", "failed") else ""
        line.update(styled(f"\n{standing.line()}{more}", "$text-warning"))

    # -- actions -------------------------------------------------------------------

    def action_start(self) -> None:
        self._begin("")

    def _begin(self, topic: str) -> None:
        from drill.tui.screens.session import SessionScreen

        session = self.drill.start_session(topic=topic)
        self.app.push_screen(SessionScreen(session))

    def action_topic(self) -> None:
        from drill.tui.dialog import Pick

        self.app.push_screen(Pick("Practise which topic?", list(TOPICS.values())), self._topic)

    def _topic(self, choice: int | None) -> None:
        if choice is not None:
            self._begin(list(TOPICS)[choice])

    def action_plan(self) -> None:
        from drill.tui.screens.plan import PlanScreen

        self.app.push_screen(PlanScreen())

    def action_browse(self) -> None:
        from drill.tui.screens.browse import BrowseScreen

        self.app.push_screen(BrowseScreen())

    def action_labs(self) -> None:
        from drill.tui.screens.labs import LabsScreen

        self.app.push_screen(LabsScreen())

    def action_mock(self) -> None:
        from drill.tui.screens.mock_setup import MockSetupScreen

        self.app.push_screen(MockSetupScreen())

    def action_stats(self) -> None:
        from drill.tui.screens.stats import StatsScreen

        self.app.push_screen(StatsScreen())

    def action_setup(self) -> None:
        from drill.tui.screens.setup import SetupScreen

        self.app.push_screen(SetupScreen())

    def action_undo(self) -> None:
        undone = self.drill.undo()
        self.redraw()
        said = (
            f"Taken back: {undone}…"
            if undone
            else "There is nothing to undo: no answer was given yet, or all are taken back."
        )
        self.query_one("#said", Said).tell(said)

    def action_install(self) -> None:
        from drill.services import labs_packages

        labs_packages.install()
        self._labs_line()

    @work(exclusive=True)
    async def action_quit(self) -> None:
        await self.drill_app.action_leave()

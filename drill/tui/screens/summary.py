"""The end of a session: what was done, what comes back, what to do next."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.services.session import Session
from drill.tui.screens.base import BaseScreen
from drill.tui.text import styled


class SummaryScreen(BaseScreen):
    """Closes with enter."""

    BINDINGS = [
        Binding("enter,escape,q", "leave", "home"),
        Binding("m", "more", "ten more minutes"),
        Binding("u", "undo", "undo"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def body(self) -> ComposeResult:
        with VerticalScroll(id="home"):
            yield Static("", id="done", markup=False)

    def on_mount(self) -> None:
        summary = self.session.finish()
        self.head("Session done", f"{summary.minutes:.0f} min")
        if summary.answered == 0:
            parts = [styled("Nothing was asked.", "bold"), Content(summary.empty_reason)]
        else:
            parts = [
                styled(
                    f"{summary.answered} answered, {summary.right} right, {summary.partly} partly, "
                    f"{summary.wrong} wrong.",
                    "bold",
                )
            ]
            if summary.sure_and_wrong:
                listed = "\n".join(f"  · {prompt}" for prompt in summary.sure_and_wrong)
                parts.append(Content(f"Sure, and wrong; these come back tomorrow:\n{listed}"))
            if summary.beliefs:
                listed = "\n".join(f"  · {belief}" for belief in summary.beliefs)
                parts.append(Content(f"Beliefs to mend:\n{listed}"))
            parts.append(Content(summary.tomorrow))
        self.query_one("#done", Static).update(Content("\n\n").join(parts))
        self.query_one(VerticalScroll).focus()

    def action_leave(self) -> None:
        self.leave()

    def action_more(self) -> None:
        session = self.drill.start_session(minutes=10, more=True)
        from drill.tui.screens.session import SessionScreen

        self.give_way(SessionScreen(session))

    def action_undo(self) -> None:
        undone = self.session.undo()
        if undone:
            from drill.tui.screens.session import SessionScreen

            self.notify(f"Taken back: {undone}", markup=False)
            self.give_way(SessionScreen(self.session))
        else:
            self.notify("There is nothing to take back.", markup=False)

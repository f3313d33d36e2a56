"""The end of a session: what was done, what comes back, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from drill.services.session import Session
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, spans, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row


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
            yield Paragraphs("done")

    def on_mount(self) -> None:
        summary = self.session.finish()
        self.head("Session done", f"{summary.minutes:.0f} min")
        if summary.answered == 0:
            groups = [
                _listed("Nothing was asked.", ()),
                [(Content(""), plain(summary.empty_reason))],
            ]
        else:
            counts = (
                f"{summary.answered} answered, {summary.right} right, {summary.partly} partly, "
                f"{summary.wrong} wrong."
            )
            again, beliefs = summary.sure_and_wrong, summary.beliefs
            groups = [
                _listed(counts, ()),
                _listed("Sure, and wrong; these come back tomorrow:", again) if again else [],
                _listed("Beliefs to mend:", beliefs) if beliefs else [],
                [(Content(""), plain(summary.tomorrow))],
            ]
        self.query_one("#done", Paragraphs).tell(groups)
        self.query_one(VerticalScroll).focus()
        self.newly_shown()

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


def _listed(title: str, texts: Sequence[str]) -> list[Row]:
    rows: list[Row] = [(Content(""), styled(title, "bold"))]
    return rows + [(Content("  · "), spans(text)) for text in texts]

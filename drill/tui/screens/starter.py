"""A lab's starter runs: its output as it comes, how it ended, and a way to stop it."""

from __future__ import annotations

import re
import time

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Log, Static

from drill.lab.manifest import Lab
from drill.services.starter import LIMIT, NotTrustedError, StarterEnd, StarterRun, command_for
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import row, styled

_ESCAPES = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f]"
)
"""Colours and other sequences of a terminal, and control characters."""
_MUTED = "$foreground 60%"


class StarterScreen(BaseScreen):
    """Runs at once; leaving ends it."""

    BINDINGS = bindings("starter")
    CSS = """
    #starter { height: 1fr; padding: 0 1; }
    #starter > Log { height: 1fr; background: $background; background-tint: $background 0%; }
    #starter > Static { height: 1; margin: 1 0; }
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.run: StarterRun | None = None
        self.end: StarterEnd | None = None
        self._started = 0.0

    def body(self) -> ComposeResult:
        with Vertical(id="starter"):
            yield Static("", id="doing", markup=False)
            yield Log(highlight=False)

    def on_mount(self) -> None:
        where = f" on {self.drill.config.host}" if self.drill.config.host else ""
        self.head(styled(f"starter.py{where}", "bold"), self.lab.title)
        self.query_one(Log).focus()
        self.set_interval(1.0, self._tick)
        self._start()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return self.end is None
        if action == "again":
            return self.end is not None
        return True

    @work(exclusive=True, group="starter", exit_on_error=False)
    async def _start(self) -> None:
        if self.lab.starter is None:
            return
        self.end, self._started = None, time.monotonic()
        log = self.query_one(Log)
        log.clear()
        self.refresh_bindings()
        self._tick()
        try:
            command = command_for(self.drill, self.lab)
        except NotTrustedError as error:
            log.write_line(str(error))
            self._ended(StarterEnd("failed", 0.0, 2))
            return
        self.run = StarterRun(command)
        lines = self.run.lines()
        try:
            async for each in lines:
                if isinstance(each, StarterEnd):
                    self._ended(each)
                else:
                    log.write_line(_ESCAPES.sub("", each.expandtabs(4)))
        finally:
            await lines.aclose()

    def _tick(self) -> None:
        if self.end is None and self._started:
            spent = time.monotonic() - self._started
            says = f"running for {spent:.0f} s; ended after {LIMIT:g} s"
            self.query_one("#doing", Static).update(styled(says, _MUTED))

    def _ended(self, end: StarterEnd) -> None:
        self.end = end
        if end.how == "done":
            mark = styled("✓ done", "bold $text-success")
        elif end.how == "cancelled":
            mark = styled("– stopped", "bold")
        else:
            mark = styled("✗ failed", "bold $text-error")
        after = f"  {end.message}" if end.message and end.how != "cancelled" else ""
        told = row(mark, Content(f" after {end.seconds:.1f} s{after}"))
        self.query_one("#doing", Static).update(told)
        self.refresh_bindings()

    def action_cancel(self) -> None:
        if self.run is not None and self.end is None:
            self.run.cancel()

    def action_again(self) -> None:
        if self.end is not None:
            self._start()

    def action_back(self) -> None:
        self.app.pop_screen()

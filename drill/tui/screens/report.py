"""Writing the study report from the app: where it lies, and opening it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.tui.dialog import Dialog
from drill.tui.text import lines, plain, styled

_MUTED = "$foreground 60%"


class ReportDialog(Dialog[None]):
    """Starts the writing when it opens; leaving it early ends the writing."""

    BINDINGS = [
        Binding("enter,q", "leave", "close"),
        Binding("o", "open", "open"),
        Binding("c", "copy", "copy"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box"):
            yield Static(styled("Study report", "bold"), markup=False)
            yield Static(plain("It is being written …"), id="report-said", markup=False)
            yield Static(styled("esc cancels", _MUTED), id="report-keys", markup=False)

    def on_mount(self) -> None:
        self._write()

    @work(exclusive=True, group="report")
    async def _write(self) -> None:
        from drill.worker.launcher import module_command

        child = await asyncio.create_subprocess_exec(
            *module_command(sys.executable, "drill.services.report.child"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, wrong = await child.communicate()
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()
        if child.returncode == 0:
            self._written(json.loads(said))
        else:
            last = wrong.decode("utf-8", "replace").strip().splitlines()[-1:]
            self._tell(styled(last[0] if last else "It was not written.", "$text-error"), "")

    def _written(self, document: dict[str, object]) -> None:
        self.path = Path(str(document["path"]))
        size = int(str(document["size"])) / 1000
        says = lines(
            plain(str(self.path)),
            styled(f"{size:,.0f} kB, one file to read, print or send", _MUTED),
        )
        self._tell(says, "o opens it in the browser, c copies the path, ")

    def _tell(self, said: Content, keys: str) -> None:
        self.query_one("#report-said", Static).update(said)
        self.query_one("#report-keys", Static).update(styled(f"{keys}enter closes", _MUTED))

    def action_open(self) -> None:
        if self.path is not None:
            self.app.open_url(self.path.as_uri())

    def action_copy(self) -> None:
        if self.path is not None:
            self.app.copy_to_clipboard(str(self.path))
            self.notify("copied", markup=False)

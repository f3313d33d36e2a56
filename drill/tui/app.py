"""The app: opens the services, holds what outlives a screen, and applies the learner's settings."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual import work
from textual.binding import Binding
from textual.driver import Driver
from textual.screen import Screen

from drill import paths
from drill.config import ConfigError
from drill.domain.counted import counted
from drill.services.app import Drill, OpenError
from drill.tui.actions import unknown_ids
from drill.tui.in_order import InOrder

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from textual.command import Provider

    from drill.services.experiments import ExperimentService
    from drill.services.session import Session

DEFAULT_THEME = "textual-dark"
LAST_WORD = 3.0
"""Seconds that a run which ends with the app has to be kept."""


def _screen_actions() -> type[Provider]:
    """Imported when the palette is opened."""
    from drill.tui.palette import ScreenActions

    return ScreenActions


class DrillApp(InOrder):
    """One window on the services."""

    TITLE = "drill"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = InOrder.COMMANDS | {_screen_actions}
    BINDINGS = [
        Binding("f1", "help", "keys", id="app.help"),
        Binding("ctrl+q", "leave", "quit", show=False, id="app.quit", priority=True),
    ]

    def __init__(
        self,
        drill: Drill,
        session: Session | None = None,
        mock: Mapping[str, Any] | None = None,
    ) -> None:
        """Opens in `session`, or at the set-up of an interview with the settings of `mock`."""
        super().__init__()
        self.drill = drill
        self.key_choices: dict[str, str] = dict(drill.config.keys)
        self._first_session = session
        self._mock = mock
        self._experiments: ExperimentService | None = None
        self._prover: Process | None = None
        self._leaving = False
        self.trouble = ""
        """Why the app ended of itself, to be told once the screen is left."""
        self._no_theme = self._choose_theme()

    def get_driver_class(self) -> type[Driver]:
        """On a terminal, one that notices when the terminal goes away."""
        found: type[Driver] = super().get_driver_class()
        if found.__name__ == "LinuxDriver":
            from drill.tui.terminal_driver import TerminalDriver

            return TerminalDriver
        return found

    def get_default_screen(self) -> Screen[None]:
        """What is shown first; a blank screen under it would be styled and painted too."""
        if self._first_session is not None:
            from drill.tui.screens.session import SessionScreen

            return SessionScreen(self._first_session)
        if self._mock is not None:
            from drill.tui.screens.mock_setup import MockSetupScreen

            return MockSetupScreen(self._mock)
        from drill.tui.screens.home import HomeScreen

        return HomeScreen()

    def on_mount(self) -> None:
        self.set_keymap(self.key_choices)
        self.theme_changed_signal.subscribe(self, lambda _: self._keep_theme())
        if self._no_theme:
            self.notify(f"There is no theme {self._no_theme!r}.", severity="warning", markup=False)
        self.set_timer(0.5, self._after_paint)
        if not self.is_headless:
            self._end_by_signals()

    def _end_by_signals(self) -> None:
        """A closed terminal and a polite kill end the app as ctrl+q does."""
        for name in ("SIGHUP", "SIGTERM"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                with contextlib.suppress(NotImplementedError):  # Windows
                    asyncio.get_running_loop().add_signal_handler(number, self.terminal_gone)

    def terminal_gone(self) -> None:
        """Nobody is there any more: what runs is stopped and kept, and the app ends."""
        if not self._leaving:  # a hang-up is told by a signal and by the terminal itself
            self._leaving = True
            self.run_worker(self._leave(), group="leave", exit_on_error=False)

    def _choose_theme(self) -> str:
        """Set the theme before anything is styled; returns the name of one that does not exist."""
        wanted = self.drill.config.theme or self.drill.store.settings.get("theme", DEFAULT_THEME)
        known = wanted in self.available_themes
        self.theme = wanted if known else DEFAULT_THEME
        return "" if known else str(wanted)

    def _keep_theme(self) -> None:
        if not self.drill.config.theme:
            self.drill.store.settings.set("theme", self.theme)

    def _after_paint(self) -> None:
        """What may wait until the first screen is shown."""
        unknown = unknown_ids(self.key_choices)
        if unknown:
            listed = ", ".join(unknown)
            self.notify(
                f"{paths.config_file()}: no action {listed}", severity="warning", markup=False
            )
        if self.drill.bank.problems:
            count = len(self.drill.bank.problems)
            self.notify(
                f"{counted(count, 'problem')} in question files; `drill bank check` lists them.",
                severity="warning",
                markup=False,
            )
        from drill.services import labs_packages

        if labs_packages.wanted():
            labs_packages.install()
        self._back_up()
        self._prove_again()
        if not self.is_headless:  # tests open many apps in one process
            # What the start made stays and is never looked through again; what comes later is,
            # little by little: no collection takes as long as a frame.
            gc.freeze()
            gc.set_threshold(5_000, 5, 50)

    @work(thread=True, exit_on_error=False)
    def _back_up(self) -> None:
        problem = self.drill.back_up_daily()
        if problem:
            self.call_from_thread(self.notify, problem, severity="error", markup=False)

    @work(exclusive=True, group="proofs", exit_on_error=False)
    async def _prove_again(self) -> None:
        """Prove held-back items again, in a process of its own that ends with the app."""
        from drill.services import labs_packages

        if not labs_packages.present() or not self.drill.stale():
            return
        from drill.worker.launcher import module_command

        self._prover = await asyncio.create_subprocess_exec(
            *module_command(sys.executable, "drill.services.reproving"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        while self._prover.returncode is None:
            await asyncio.sleep(2.0)
            self.drill.forget_standings()
        self.drill.forget_standings()

    @property
    def experiments(self) -> ExperimentService:
        """The owner of the experiment child; it is started when first asked for."""
        if self._experiments is None:
            from drill.services.experiments import ExperimentService
            from drill.services.remote import worker_command_of

            command, host = worker_command_of(self.drill.config)
            self._experiments = ExperimentService(command, host=host)
        return self._experiments

    def warm_up(self, name: str) -> None:
        """Start the experiment child while the learner is still thinking."""
        from drill.services import labs_packages

        config = self.drill.config
        if labs_packages.present() or config.worker or config.host:
            self._warm(name)

    @work(exclusive=True, group="warm", exit_on_error=False)
    async def _warm(self, name: str) -> None:
        from drill.services.labs import run_spec

        await self.experiments.start(warm=run_spec(self.drill, name, {}))

    def action_help(self) -> None:
        from drill.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_report(self) -> None:
        from drill.tui.screens.report import ReportDialog

        if not isinstance(self.screen, ReportDialog):
            self.push_screen(ReportDialog())

    async def action_leave(self) -> None:
        if self._experiments is not None and self._experiments.running:
            from drill.tui.dialog import Pick

            choices = ["stay", "stop it and quit"]
            self.push_screen(Pick("An experiment is running.", choices), self._leave_if)
        else:
            await self._leave()

    async def _leave_if(self, choice: int | None) -> None:
        if choice == 1:
            await self._leave()

    async def _leave(self) -> None:
        if self._experiments is not None:
            await self._experiments.close()
            runs = [worker for worker in self.workers if worker.group == "run"]
            with contextlib.suppress(Exception):  # of a run; nothing holds who wants to leave
                await asyncio.wait_for(self.workers.wait_for_complete(runs), LAST_WORD)
        self.exit(0)

    async def on_unmount(self) -> None:
        if self._prover is not None and self._prover.returncode is None:
            self._prover.terminate()
            await self._prover.wait()
        if self._experiments is not None:
            await self._experiments.close()

    def _handle_exception(self, error: Exception) -> None:
        """Data that cannot be read end the app with a line; all else does it as in Textual."""
        from drill.services.data_trouble import trouble

        told = trouble(error)
        if not told:
            super()._handle_exception(error)
            return
        self.trouble = self.trouble or told
        self._return_code = 2
        if self.is_headless:
            super()._handle_exception(error)  # tests want to hear of it
        else:
            self._close_messages_no_wait()

    def explain(self, title: str, text: str) -> None:
        """Show something to read."""
        from drill.tui.dialog import Note

        self.push_screen(Note(title, text))


def run(
    *,
    in_session: bool = False,
    topic: str = "",
    limit: int | None = None,
    minutes: float | None = None,
    mock: Mapping[str, Any] | None = None,
) -> int:
    """Open the app, with `in_session` at once in a session; returns the exit code.

    `mock` opens it at the set-up of an interview: any of `minutes`, `level`, `topics`, `seed` and
    `mode` as they are to be filled in.
    """
    try:
        with Drill() as drill:
            from drill.tui.widgets.picture import probe

            probe(drill.config.images)
            session = None
            if in_session:
                session = drill.start_session(topic=topic, limit=limit, minutes=minutes)
            app = DrillApp(drill, session, mock)
            app.run()
            told = app.trouble
    except (ConfigError, OpenError) as error:
        told = str(error)
    except Exception as error:
        from drill.services.data_trouble import trouble

        told = trouble(error)
        if not told:
            raise
    if told:
        print(f"drill: {told}", file=sys.stderr)  # noqa: T201
        return 2
    return app.return_code or 0  # 1 after a crash, which returns nothing

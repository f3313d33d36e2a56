"""First run and later changes: date, minutes a day, role, level; each may be skipped."""

from __future__ import annotations

from msgspec.structs import replace
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import LEVELS, ROLES
from drill.services.profile import Profile, ProfileError, read_date, read_minutes
from drill.tui.dialog import Ask, Pick
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, styled

_WELCOME = """
drill asks what you are about to forget about diffusion models and diffusers, checks the answer
against keys that were proven by running the libraries, and shows why.

Four questions first, each may be skipped with esc. All of it can be changed later (s on the home
screen).
"""
_CHANGE = """
enter asks the four questions again; esc skips one and keeps what stands.
"""


async def ask_date(screen: BaseScreen) -> bool:
    """Ask for the date of the interview and keep it; False where the question was skipped."""
    drill = screen.drill
    today = date_of_day(drill.store.today())
    problem = ""
    while True:
        given = await screen.app.push_screen_wait(
            Ask(
                f"{problem}When is your interview?",
                drill.profile.interview,
                "2026-12-20 or 21 days; empty: no date",
            )
        )
        if given is None:
            return False
        try:
            drill.keep_profile(replace(drill.profile, interview=read_date(given, today)))
            return True
        except ProfileError as error:
            problem = f"{error}\n\n"


async def ask_minutes(screen: BaseScreen) -> bool:
    """Ask for the minutes a day and keep them; False where the question was skipped."""
    drill = screen.drill
    problem = ""
    while True:
        given = await screen.app.push_screen_wait(
            Ask(f"{problem}How many minutes a day?", str(drill.profile.minutes))
        )
        if given is None:
            return False
        try:
            drill.keep_profile(replace(drill.profile, minutes=read_minutes(given)))
            return True
        except ProfileError as error:
            problem = f"{error}\n\n"


class SetupScreen(BaseScreen):
    """Asks one thing after the other and stores after each."""

    BINDINGS = [
        Binding("enter", "ask", "answer the questions"),
        Binding("p", "place", "placement"),
        Binding("escape,q", "leave", "home"),
    ]

    def __init__(self, *, first: bool = False) -> None:
        super().__init__()
        self.first = first

    def body(self) -> ComposeResult:
        with VerticalScroll(id="home"):
            yield Static(prose(_WELCOME if self.first else _CHANGE), classes="text", markup=False)
            yield Static("", id="profile", classes="text", markup=False)

    def on_mount(self) -> None:
        self.head(styled("drill", "bold"), "set-up")
        self._show()
        self.query_one(VerticalScroll).focus()
        if self.first:
            self.call_after_refresh(self.action_ask)

    def _show(self) -> None:
        profile = self.drill.profile
        rows = [
            ("Interview", profile.interview or "no date"),
            ("Minutes a day", str(profile.minutes)),
            ("Role", profile.role or "any"),
            ("Level", profile.level),
            (
                "Placement",
                "done" if profile.placed else "not done; p starts it (10 minutes at most)",
            ),
        ]
        drawn = [Content(f"\n{name:<15}{value}") for name, value in rows]
        self.query_one("#profile", Static).update(Content("").join(drawn))

    @work(exclusive=True)
    async def action_ask(self) -> None:
        """Walk through the four questions."""
        await ask_date(self)
        self._show()
        await ask_minutes(self)
        self._show()
        role = await self.app.push_screen_wait(
            Pick(
                "Which role do you prepare for?",
                [
                    "serving: latency, memory, queues",
                    "research: objectives, samplers, training",
                    "applied: pipelines, adapters, products",
                    "any of them",
                ],
            )
        )
        if role is not None:
            self._keep(replace(self.drill.profile, role=ROLES[role] if role < 3 else None))
        level = await self.app.push_screen_wait(Pick("Which level?", list(LEVELS)))
        if level is not None:
            self._keep(replace(self.drill.profile, level=LEVELS[level]))
        self._keep(replace(self.drill.profile, done=True))
        if self.first and not self.drill.profile.placed:
            placement = await self.app.push_screen_wait(
                Pick(
                    "A placement of at most ten minutes starts the memory of what you know.",
                    ["start the placement", "skip it: everything is new"],
                )
            )
            if placement == 0:
                self.action_place()
                return
        self.action_leave()

    def _keep(self, profile: Profile) -> None:
        self.drill.keep_profile(profile)
        self._show()

    def action_place(self) -> None:
        from drill.tui.screens.session import SessionScreen

        self._keep(replace(self.drill.profile, done=True))
        session = self.drill.start_placement()
        self.give_way(SessionScreen(session))

    def action_leave(self) -> None:
        self._keep(replace(self.drill.profile, done=True))
        self.app.pop_screen()

"""What every screen shares: a header line, the footer, breakpoints and the floor on the size."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.tui.app import DrillApp

MIN_WIDTH, MIN_HEIGHT = 60, 18


class TooSmall(Container):
    """Covers the screen while the terminal is under 60x18."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def tell(self, width: int, height: int) -> None:
        """Say what there is and what is needed."""
        said = f"This terminal is {width}x{height}.\ndrill needs {MIN_WIDTH}x{MIN_HEIGHT}."
        self.query_one(Static).update(Content(said))


class BaseScreen(Screen[None]):
    """A header, a body and the footer. `-wide` is set from 120 columns."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]

    def compose(self) -> ComposeResult:
        with Horizontal(classes="header"):
            yield Static("", classes="left", id="header-left", markup=False)
            yield Static("", classes="right", id="header-right", markup=False)
        yield from self.body()
        yield Footer(show_command_palette=False)
        small = TooSmall()
        small.display = False
        yield small

    def body(self) -> ComposeResult:
        """What stands between header and footer."""
        raise NotImplementedError

    def head(self, left: Content | str, right: Content | str = "") -> None:
        """Set the header line."""
        self.query_one("#header-left", Static).update(
            left if isinstance(left, Content) else Content(left)
        )
        self.query_one("#header-right", Static).update(
            right if isinstance(right, Content) else Content(right)
        )

    def on_resize(self, event: events.Resize) -> None:
        small = self.query_one(TooSmall)
        too_small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        small.display = too_small
        if too_small:
            small.tell(event.size.width, event.size.height)

    @property
    def drill_app(self) -> DrillApp:
        """The app, with its own type."""
        return cast("DrillApp", self.app)

    @property
    def drill(self) -> Drill:
        """The services."""
        return self.drill_app.drill

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from drill.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

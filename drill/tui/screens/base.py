"""What every screen shares: a header line, the footer, breakpoints and the floor on the size."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from drill.tui.widgets.keys_line import KeysLine

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


class HeaderLine(Widget):
    """One line: what this is on the left, where one stands on the right."""

    left = Content("")
    right = Content("")

    def tell(self, left: Content, right: Content) -> None:
        """Set both sides."""
        self.left, self.right = left, right
        self.refresh()

    def render(self) -> Content:
        gap = self.size.width - self.left.cell_length - self.right.cell_length
        if gap < 1:
            return self.left
        right = self.right.stylize("$foreground 60%")
        return Content("").join([self.left, Content(" " * gap), right])


class BaseScreen(Screen[None]):
    """A header, a body and the footer. `-wide` is set from 120 columns."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (22, "-low"), (30, "-tall")]

    AUTO_FOCUS = ""
    _resumed = False
    _gone = False

    def compose(self) -> ComposeResult:
        # Before the children are styled: set on the first resize, everything is styled twice.
        sides = (
            (self.app.size.width, self.HORIZONTAL_BREAKPOINTS),
            (self.app.size.height, self.VERTICAL_BREAKPOINTS),
        )
        for length, breakpoints in sides:
            self.add_class(max(b for b in breakpoints if b[0] <= length)[1], update=False)
        yield HeaderLine()
        yield from self.body()
        yield KeysLine()

    @on(events.ScreenResume)
    def _not_styled_twice(self, event: events.ScreenResume) -> None:
        """Not styled again for the first resume: that has just been done."""
        event.refresh_styles = event.refresh_styles and self._resumed
        self._resumed = True

    def body(self) -> ComposeResult:
        """What stands between header and footer."""
        raise NotImplementedError

    def head(self, left: Content | str, right: Content | str = "") -> None:
        """Set the header line."""
        self.query_one(HeaderLine).tell(
            left if isinstance(left, Content) else Content(left),
            right if isinstance(right, Content) else Content(right),
        )

    def key_word(self, action: str, word: str) -> str:
        """The word beside a key in the footer, where it depends on what is shown."""
        return word

    async def on_resize(self, event: events.Resize) -> None:
        too_small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        covers = list(self.query(TooSmall))
        if too_small and not covers:
            await self.mount(TooSmall())
        for cover in self.query(TooSmall):
            cover.display = too_small
            if too_small:
                cover.tell(event.size.width, event.size.height)

    def give_way(self, screen: Screen[None]) -> None:
        """Show another screen in place of this one."""
        if len(self.app.screen_stack) > 1:
            self.app.switch_screen(screen)
        else:
            # Textual cannot replace the screen that an app was opened with: it stays below.
            self._gone = True
            self.app.push_screen(screen)

    def leave(self) -> None:
        """Back to the screen below; home where the app was opened straight into this one."""
        below = self.app.screen_stack[-2:-1]
        if below and not getattr(below[0], "_gone", False):
            self.app.pop_screen()
        else:
            from drill.tui.screens.home import HomeScreen

            self.give_way(HomeScreen())

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

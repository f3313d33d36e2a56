"""What every screen shares: a header line, the footer, breakpoints and the floor on the size."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from drill.domain.questions import TOPICS
from drill.tui.repaint import Repainting
from drill.tui.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.asked import Asked
    from drill.services.session import Session
    from drill.tui.app import DrillApp

MIN_WIDTH, MIN_HEIGHT = 60, 18
WIDE = 120
"""Columns from which code stands beside the text."""


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
        room = self.size.width - self.right.cell_length - 1
        left = self.left.truncate(max(0, room), ellipsis=True)
        gap = Content(" " * (self.size.width - left.cell_length - self.right.cell_length))
        return Content("").join([left, gap, self.right.stylize("$foreground 60%")])


class BaseScreen(Screen[None]):
    """A header, a body and the footer. `-wide` is set from `WIDE` columns."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (22, "-low"), (30, "-tall")]

    AUTO_FOCUS = ""
    since = 0.0
    """When what is shown came up, on the clock of events; earlier keys were not meant for it."""
    _resumed = False
    _gone = False

    def __init__(self) -> None:
        super().__init__()
        self._compositor = Repainting()

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

    @property
    def wide(self) -> bool:
        """Whether code stands beside the text."""
        return self.app.size.width >= WIDE

    def newly_shown(self) -> None:
        """What is shown now was not there before: no key that was pressed until now is for it."""
        self.since = monotonic()

    def head(self, left: Content | str, right: Content | str = "") -> None:
        """Set the header line."""
        self.query_one(HeaderLine).tell(
            left if isinstance(left, Content) else Content(left),
            right if isinstance(right, Content) else Content(right),
        )

    def head_of(self, session: Session, asked: Asked, left: str = "") -> None:
        """The header of a question and its feedback; `left` is the time that is left."""
        head = asked.question.head
        topic = Content.styled(TOPICS.get(head.topic, head.topic).split(":")[0], "bold")
        place = " · ".join(p for p in (f"{asked.number} of ~{asked.expected}", left) if p)
        if session.kind == "placement":  # it ends as soon as it knows enough
            place = f"question {asked.number}"
        about = Content(f" · {head.level} · {head.type}")
        self.head(Content("").join([topic, about]), place)

    def key_word(self, action: str, word: str) -> str:
        """The word beside a key in the footer, where it depends on what is shown."""
        return word

    async def place_code(self) -> None:
        """Put the code where it belongs at this width, as it stood, after a resize."""
        from drill.tui.widgets.code_view import CodeView

        place = self.query_one("#side" if self.wide else "#code-slot")
        for view in self.query(CodeView):
            if view.parent is not place:
                again, focused = view.again(), view.has_focus
                await view.remove()
                await place.mount(again)
                if focused:
                    again.focus(scroll_visible=False)

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

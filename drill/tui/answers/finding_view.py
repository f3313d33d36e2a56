"""One finding on the screen: what was seen, its numbers, its pictures and plots, its stamp."""

from __future__ import annotations

import asyncio

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from drill.services.app import Drill
from drill.services.finding import Finding, Plotted, Shown, picture_file
from drill.tui.text import lines, prose, row, styled
from drill.tui.widgets.bars import bars
from drill.tui.widgets.line_plot import LinePlot

_MUTED = "$foreground 60%"
FEW_VALUES, FEW_SERIES = 12, 3
"""Up to these a plot is a table of bars."""
BESIDE = 2.2
"""Up to this share of width to height a picture stands beside the text; strips stand below."""


class FindingView(Vertical):
    """Text with its picture beside it; the lines of a terminal below, at the whole width."""

    SCOPED_CSS = False  # how much room there is, is a class of the screen
    DEFAULT_CSS = """
    FindingView { height: auto; padding: 0 1; }
    FindingView Static { height: auto; }
    FindingView .told { height: auto; }
    FindingView .words { height: auto; width: 1fr; max-width: 80; }
    FindingView .beside { height: auto; width: auto; max-width: 35; padding: 0 0 0 1; }
    FindingView .below { height: auto; max-width: 80; }
    .-low FindingView .below { max-width: 58; }
    FindingView .lines { max-width: 92; margin: 1 0 0 0; padding: 0 0 0 1;
                         border-left: outer $panel; }
    FindingView .caption { color: $text-muted; }
    .-wide FindingView .beside { max-width: 48; padding: 0; }
    .-wide FindingView .told { layout: vertical; }
    """

    def __init__(
        self,
        drill: Drill,
        finding: Finding,
        title: str = "",
        lead: Content | None = None,
        *,
        short: bool = False,
    ) -> None:
        """`lead` stands above, beside the picture; `short` leaves the lines out."""
        super().__init__()
        self.drill = drill
        self.finding = finding
        self.title = title
        self.lead = lead
        self.short = short
        self.sought = False
        """Scroll to it as soon as it has its place."""

    def compose(self) -> ComposeResult:
        finding = self.finding
        with Horizontal(classes="told"):
            with Vertical(classes="words"):
                if self.lead is not None:
                    yield Static(self.lead, markup=False)
                yield Static(self._words(), classes="said", markup=False)
            yield Vertical(classes="beside")
        yield Vertical(classes="below")
        if finding.lines and not self.short:
            yield Static(Content("\n".join(finding.lines)), classes="lines", markup=False)
        for plotted in finding.plots:
            yield plot_of(plotted)

    def _words(self) -> Content:
        finding = self.finding
        title = styled(f"{self.title}  ", "bold $text-accent") if self.title else Content("")
        live = "" if finding.recorded else f"   {finding.stamp}"
        told = prose(finding.sentence).stylize("bold")
        parts = [row(title, told, styled(live, _MUTED))]
        if finding.recorded:  # on a line of its own: nobody shall take it for a live run
            parts.append(styled(finding.stamp, "$text-warning"))
        if finding.note:
            parts.append(styled(finding.note, _MUTED))
        return lines(*parts)

    def on_resize(self) -> None:
        if self.sought:
            self.sought = False
            self.scroll_visible(animate=False, immediate=True, top=True)

    def on_mount(self) -> None:
        if self.finding.pictures:
            self._show_pictures()

    @work(exit_on_error=False)
    async def _show_pictures(self) -> None:
        for shown in self.finding.pictures:
            await self._show(shown)

    async def _show(self, shown: Shown) -> None:
        from drill.tui.widgets.picture import picture, read_png

        path = await asyncio.to_thread(picture_file, self.drill, shown)
        if path is None:
            says = styled("the picture is not there any more", _MUTED)
            await self.query_one(".below").mount(Static(says, markup=False))
            return
        try:
            image = await asyncio.to_thread(lambda: read_png(path.read_bytes()))
        except (OSError, ValueError, SyntaxError) as error:
            says = styled(f"{path.name} cannot be shown: {error}", _MUTED)
            await self.query_one(".below").mount(Static(says, markup=False))
            return
        strip = image.width > BESIDE * image.height
        holder = self.query_one(".below" if strip else ".beside")
        caption = Static(Content(shown.caption), classes="caption", markup=False)
        await holder.mount(picture(image))
        if shown.caption:
            await holder.mount(caption)


class BarPlot(Widget):
    """A few values as bars with their numbers, as wide as there is room."""

    DEFAULT_CSS = "BarPlot { height: auto; max-width: 80; margin: 1 0 0 0; }"

    def __init__(self, plotted: Plotted) -> None:
        super().__init__()
        self.plotted = plotted

    def _drawn(self, width: int) -> Content:
        tables = {name: dict(points) for name, points in self.plotted.series.items()}
        xs = sorted({x for table in tables.values() for x in table})
        series = {name: [table.get(x) for x in xs] for name, table in tables.items()}
        title = styled(self.plotted.name.replace("_", " "), _MUTED)
        return lines(title, bars(self.plotted.x_label, xs, series, max(24, width - 2)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._drawn(width).plain.split("\n"))

    def render(self) -> Content:
        return self._drawn(self.size.width)


def plot_of(plotted: Plotted) -> Widget:
    """A few values as bars with their numbers, more of them as curves."""
    values = {x for points in plotted.series.values() for x, _ in points}
    if len(values) <= FEW_VALUES and len(plotted.series) <= FEW_SERIES:
        return BarPlot(plotted)
    return LinePlot(plotted.name, plotted.series, plotted.x_label, plotted.y_label)

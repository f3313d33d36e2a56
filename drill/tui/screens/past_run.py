"""A run beside a former one: claims, outcomes, parameters and pictures of both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from drill.lab.manifest import ExperimentInfo
from drill.services.past_runs import Pair, PastRun, pairs
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import row, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.picture import picture, read_png

if TYPE_CHECKING:
    from PIL.Image import Image

_MUTED = "$foreground 60%"
_MARKS = {
    True: ("✓", "$text-success", "holds"),
    False: ("✗", "$text-error", "does not hold"),
    None: ("–", _MUTED, "not applicable"),
}


class PastRunScreen(BaseScreen):
    """One run of a list, and beside it another one, which the arrows change."""

    BINDINGS = bindings("runs")
    CSS = """
    #past { height: 1fr; padding: 1 1 0 1; }
    #past Paragraphs { margin: 0 0 1 0; }
    #pictures { height: auto; layout: vertical; }
    PastRunScreen.-wide #pictures { layout: horizontal; }
    #pictures > Vertical { height: auto; width: 1fr; padding: 0 1 0 0; }
    #pictures Static { height: auto; }
    """

    def __init__(self, info: ExperimentInfo, runs: Sequence[PastRun], shown: int = 0) -> None:
        """`runs` are newest first; `shown` is the one that is looked at."""
        super().__init__()
        self.info = info
        self.runs = list(runs)
        self.shown = shown
        after = [n for n in range(len(self.runs)) if n > shown]
        before = [n for n in range(len(self.runs)) if n < shown]
        self.other: int | None = next(iter([*after, *reversed(before)]), None)
        self._images: list[tuple[str, Image]] = []

    def body(self) -> ComposeResult:
        with VerticalScroll(id="past"):
            yield Paragraphs("told")
            yield Horizontal(id="pictures")

    def on_mount(self) -> None:
        self.query_one("#past").focus()
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "zoom":
            return bool(self._images)
        return len(self.runs) > 2 or None if action == "other" else True

    @work(exclusive=True, group="past", exit_on_error=False)
    async def _draw(self) -> None:
        one = self.runs[self.shown]
        other = self.runs[self.other] if self.other is not None else None
        place = f"{self.shown + 1} of {len(self.runs)}"
        beside = f" beside {self.other + 1}" if self.other is not None else ""
        self.head(styled(self.info.title, "bold"), f"run {place}{beside}")
        self.query_one("#told", Paragraphs).tell(told(self.info, one, other))
        holder = self.query_one("#pictures", Horizontal)
        await holder.remove_children()
        self._images = []
        for past in (one, other):
            if past is not None and past.pictures:
                column = Vertical()
                await holder.mount(column)
                await column.mount(Static(styled(_name(past, one), _MUTED), markup=False))
                for path in past.pictures:
                    await self._picture(column, path, _name(past, one))
        self.refresh_bindings()

    async def _picture(self, column: Vertical, path: Path, of: str) -> None:
        try:
            image = await asyncio.to_thread(lambda: read_png(path.read_bytes()))
        except (OSError, ValueError, SyntaxError) as error:
            await column.mount(Static(Content(f"{path.name}: {error}"), markup=False))
            return
        self._images.append((f"{path.stem}, {of}", image))
        await column.mount(picture(image))

    def action_zoom(self) -> None:
        from drill.tui.screens.pictures import PicturesScreen

        self.app.push_screen(PicturesScreen(self.info.title, self._images))

    def action_other(self, by: int) -> None:
        """Compare with the next older (+1) or newer (-1) run."""
        if self.other is None:
            return
        at = self.other + by
        if at == self.shown:
            at += by
        if 0 <= at < len(self.runs):
            self.other = at
            self._draw()

    def action_back(self) -> None:
        self.app.pop_screen()


def _name(past: PastRun, one: PastRun) -> str:
    return f"{'this run' if past is one else 'before'}: {past.when}"


def told(info: ExperimentInfo, one: PastRun, other: PastRun | None) -> list[list[Row]]:
    """Everything but the pictures."""
    both = [past for past in (one, other) if past is not None]
    groups: list[list[Row]] = []
    for past in both:
        lead = styled("This run  " if past is one else "Before    ", "bold")
        facts = f"{past.when} · {past.run.device} · {past.run.seconds:.1f} s · seed {past.run.seed}"
        if past.error:
            said = row(styled("✗ did not finish: ", "bold $text-error"), Content(past.sentence))
        elif past is not one and past.sentence == one.sentence:
            said = styled("the same came out", _MUTED)
        else:
            said = Content(past.sentence)
        groups.append([(lead, styled(facts, _MUTED)), (Content(" " * 10), said)])
    if other is None:
        says = "There is no other run to put beside it yet."
        groups.append([(Content(""), styled(says, _MUTED))])
    defaults = {param.name: param.default for param in info.params}
    groups.append(
        _section("Parameters", [{**defaults, **past.run.params} for past in both], differing=True)
    )
    groups.append(_claims(info, both))
    groups.append(_section("Outcomes", [dict(past.run.outcomes) for past in both]))
    for past in both:
        if past.error and past.run.metrics:
            groups.append(_so_far(past))
    return groups


def _claims(info: ExperimentInfo, both: Sequence[PastRun]) -> list[Row]:
    """Each claim with what each run found."""
    found = [{str(c.get("name")): c for c in past.run.claims} for past in both]
    names = dict.fromkeys(name for claims in found for name in claims)
    says = {claim.name: claim.says for claim in info.claims}
    lines: list[Row] = [(Content(""), styled("Claims", "bold"))] if names else []
    for name in names:
        lines.append((Content(""), Content(says.get(name, name))))
        for past, claims in zip(both, found, strict=True):
            claim = claims.get(name)
            if claim is None:
                continue
            mark, style, word = _MARKS[claim.get("holds")]
            lead = row(styled(f"  {_who(past, both)}", _MUTED), styled(f"{mark} ", style))
            lines.append((lead, Content(f"{word}: {claim.get('measured')}")))
    return lines


def _who(past: PastRun, both: Sequence[PastRun]) -> str:
    if len(both) == 1:
        return ""
    return "this    " if past is both[0] else "before  "


def _section(title: str, values: Sequence[dict[str, Any]], *, differing: bool = False) -> list[Row]:
    """Named values of one run, or of both with what differs marked."""
    if len(values) == 1:
        lines: list[Row] = [
            (styled(f"  {name}  ", _MUTED), Content(_shown(value)))
            for name, value in values[0].items()
        ]
    else:
        lines = []
        for pair in pairs(values[0], values[1]):
            if pair.differs or not differing:
                lines += _pair(pair)
        if not lines and differing:
            lines = [(Content("  "), styled("the same in both", _MUTED))]
    return [(Content(""), styled(title, "bold")), *lines] if lines else []


def _pair(pair: Pair) -> list[Row]:
    lead = styled(f"  {pair.name}  ", _MUTED)
    if not pair.differs:
        return [(lead, Content(_shown(pair.one)))]
    told = row(
        Content(_shown(pair.one)), styled("   before  ", _MUTED), Content(_shown(pair.other))
    )
    return [(lead, row(styled("≠ ", "bold $text-warning"), told))]


def _so_far(past: PastRun) -> list[Row]:
    """What a run had measured when it ended."""
    lines: list[Row] = [(Content(""), styled("Measured until then", "bold"))]
    for name, points in past.run.metrics.items():
        shown = ", ".join(f"{v:.4g}" if s is None else f"{v:.4g} at {s:g}" for s, v in points)
        lines.append((styled(f"  {name}  ", _MUTED), Content(shown)))
    return lines


def _shown(value: object) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(each) for each in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)

"""The experiments: what each varies and claims, its parameters, and former runs."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from drill.lab.manifest import ExperimentInfo
from drill.lab.params import ParamError, parse_settings
from drill.services.labs import RunRecord, all_labs, former
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, prose, row, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row


class LabsScreen(BaseScreen):
    """A list, the facts of the chosen experiment, and one line of parameters."""

    BINDINGS = bindings("labs")

    def __init__(self) -> None:
        super().__init__()
        self.experiments: list[ExperimentInfo] = []

    def body(self) -> ComposeResult:
        with Vertical(id="home"):
            yield OptionList(id="list", markup=False, compact=True)
            with VerticalScroll(id="facts-of", can_focus=False):
                yield Paragraphs("facts")
            yield Input(placeholder="parameters, such as scales=1,5,20 seeds=4", compact=True)
            yield Static("", id="notice", markup=False)

    def on_mount(self) -> None:
        self.head(styled("Experiments", "bold"), "enter runs the one under the cursor")
        labs = all_labs(self.drill)
        self.experiments = list(labs.experiments())
        options = self.query_one(OptionList)
        options.styles.height = min(8, max(1, len(self.experiments))) + 1
        for info in self.experiments:
            options.add_option(Option(plain(f"{info.name:<28}{info.title}")))
        if not self.experiments:
            none = Content("No pack here has experiments.")
            self.query_one("#facts", Paragraphs).tell([[(Content(""), none)]])
        if labs.problems:
            self.query_one("#notice", Static).update(plain("\n".join(labs.problems)))
        options.focus()
        if self.experiments:
            options.highlighted = 0

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        info = self.experiments[event.option_index]
        blank = Content("")
        params: list[Row] = [(blank, styled("Parameters", "bold"))]
        for p in info.params:
            given = styled(f"{p.name}={_text(p.default)}  ", "$text-accent")
            params.append((Content("  "), row(given, Content(p.help))))
        claims: list[Row] = [(blank, styled("Claims", "bold"))]
        claims += [(Content("  · "), Content(claim.says)) for claim in info.claims]
        runs: list[Row] = [(blank, styled("Former runs", "bold"))]
        for run in former(self.drill, info.name, 5):
            when = styled(f"  {run.started[:16].replace('T', ' ')}  ", "$foreground 60%")
            runs.append((when, Content(f"{run.device}  {run.extra.get('sentence', '')}")))
        if len(runs) == 1:
            runs.append((Content("  "), styled("none yet", "$foreground 60%")))
        groups = [[(blank, prose(info.summary))], params, claims, runs]
        self.query_one("#facts", Paragraphs).tell(groups)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def action_run(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is None:
            return
        info = self.experiments[at]
        notice = self.query_one("#notice", Static)
        try:
            words = self.query_one(Input).value.split()
            params: dict[str, Any] = parse_settings(info.params, words)
        except ParamError as error:
            notice.set_class(True, "-error")
            notice.update(plain(str(error)))
            return
        notice.update("")
        from drill.tui.screens.run import RunScreen

        self.app.push_screen(RunScreen(info.name, params), self._ran)

    def _ran(self, _: RunRecord | None) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted
        options.highlighted = None
        options.highlighted = at

    def action_back(self) -> None:
        self.app.pop_screen()


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_text(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)

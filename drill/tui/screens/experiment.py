"""The experiments of a lab: choose one, change its parameters, run it, look at former runs."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from drill.lab.manifest import ExperimentInfo, Lab
from drill.lab.params import Param, ParamError
from drill.services.labs import RunRecord, why_not_run
from drill.services.past_runs import PastRun, past_runs
from drill.tui.actions import bindings
from drill.tui.run_words import run_words
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, prose, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.param_form import ParamForm
from drill.tui.widgets.text_rows import TextRows

_MUTED = "$foreground 60%"
RUN_FIELDS = (
    Param("seed", "int", 0, "seed of the run", low=0),
    Param("device", "text", "auto", "cpu, cuda, cuda:1 or mps; auto: the best there is"),
    Param("model", "text", "", "folder or hub id of your own Stable Diffusion; none: the bundled"),
)
"""What every run takes besides the experiment's own parameters."""


class ExperimentScreen(BaseScreen):
    """List, parameters and facts in one column; two columns where the terminal is wide."""

    BINDINGS = bindings("experiment")
    CSS = """
    #experiment { height: 1fr; padding: 1 1 0 1; }
    #experiment Paragraphs { margin: 0 0 1 1; }
    #experiment .title { height: 1; padding: 0 1; text-style: bold; }
    #experiment #choose { margin: 0 0 1 0; }
    #experiment ParamForm { margin: 0 0 1 0; }
    #both { height: auto; layout: vertical; }
    ExperimentScreen.-wide #both { layout: horizontal; }
    #both > Vertical { height: auto; width: 1fr; }
    ExperimentScreen.-wide #both > Vertical { max-width: 84; }
    ExperimentScreen.-wide #both > #what { padding: 0 2 0 0; }
    #notice { height: auto; min-height: 1; max-height: 3; padding: 0 2; }
    """

    def __init__(self, lab: Lab, name: str = "") -> None:
        """`name` is the experiment that is chosen at first."""
        super().__init__()
        self.lab = lab
        names = [info.name for info in lab.experiments]
        self.chosen = names.index(name) if name in names else 0
        self.runs: list[PastRun] = []

    @property
    def info(self) -> ExperimentInfo:
        """The experiment under the cursor."""
        return self.lab.experiments[self.chosen]

    def body(self) -> ComposeResult:
        wide = max(len(info.name) for info in self.lab.experiments) + 2
        entries = [
            (styled(info.name.ljust(wide), "$text-accent"), plain(info.title))
            for info in self.lab.experiments
        ]
        with VerticalScroll(id="experiment", can_focus=False):
            if len(entries) > 1:
                yield TextRows(entries, widget_id="choose")
            with Horizontal(id="both"):
                with Vertical(id="what"):
                    yield Paragraphs("summary")
                    yield Static("Parameters", classes="title", markup=False)
                    yield Vertical(id="form")
                with Vertical(id="known"):
                    yield Paragraphs("claims")
                    yield Static("Former runs", classes="title", markup=False)
                    yield TextRows(widget_id="runs")
        yield Static("", id="notice", markup=False)

    async def on_mount(self) -> None:
        self.query_one("#form").styles.height = "auto"
        if len(self.lab.experiments) > 1:
            self.query_one("#choose", TextRows).cursor = self.chosen
        await self._show()
        first = self.query("#choose, ParamForm Input").first()
        first.focus()

    async def on_screen_resume(self) -> None:
        if self.runs or self.query("#runs"):
            self._tell_runs()

    async def _show(self) -> None:
        info = self.info
        self.head(styled(info.title, "bold"), self.lab.title.split(":")[0])
        needs = [f"needs {', '.join(info.needs)}"] if info.needs else []
        facts = styled(" · ".join([info.name, f"at most {info.seconds:g} s", *needs]), _MUTED)
        summary: list[Row] = [(Content(""), prose(info.summary)), (Content(""), facts)]
        why = why_not_run(self.drill, self.lab)
        stops = [[(styled("! ", "bold $text-warning"), prose(f"It does not run: {why}"))]]
        self.query_one("#summary", Paragraphs).tell([summary, *(stops if why else [])])
        claims: list[Row] = [(Content(""), styled("Claims", "bold"))]
        claims += [(styled("· ", _MUTED), plain(claim.says)) for claim in info.claims]
        if not info.claims:
            claims.append((Content(""), styled("none", _MUTED)))
        self.query_one("#claims", Paragraphs).tell([claims])
        holder = self.query_one("#form", Vertical)
        await holder.remove_children()
        own = {param.name for param in info.params}
        also = [param for param in RUN_FIELDS if param.name not in own]
        await holder.mount(ParamForm([*info.params, *also]))
        self._tell_runs()
        self._say(self._hint())
        if not why:
            self.drill_app.warm_up(info.name)

    def _tell_runs(self) -> None:
        self.runs = past_runs(self.drill, self.info.name)
        rows = [
            (styled(f"{past.when:<17} ", _MUTED), run_words(past, self.info.params))
            for past in self.runs
        ]
        shown = self.query_one("#runs", TextRows)
        shown.fill(rows or [(Content(""), styled("none yet", _MUTED))])
        shown.can_focus = bool(rows)

    @staticmethod
    def _hint() -> Content:
        return styled("enter runs it; tab goes to the parameters and to former runs", _MUTED)

    def _say(self, text: Content) -> None:
        self.query_one("#notice", Static).update(text)

    @on(TextRows.Moved, "#choose")
    async def _moved(self, event: TextRows.Moved) -> None:
        if event.row != self.chosen and type(event) is TextRows.Moved:
            self.chosen = event.row
            await self._show()

    @on(ParamForm.Told)
    def _told(self, event: ParamForm.Told) -> None:
        self._say(event.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Enter is the line's own where one types; elsewhere ctrl+r would say the same twice.
        return isinstance(self.focused, Input) if action == "run" else True

    @property
    def _at_former(self) -> bool:
        return bool(self.runs) and self.query_one("#runs").has_focus

    def key_word(self, action: str, word: str) -> str:
        return "compare" if action == "enter" and self._at_former else word

    def action_enter(self) -> None:
        """Open the former run under the cursor; from anywhere else, run the experiment."""
        if self._at_former:
            self.action_compare()
        else:
            self.action_run()

    @on(TextRows.Clicked, "#runs")
    def action_compare(self) -> None:
        from drill.tui.screens.past_run import PastRunScreen

        if self.runs:
            row = self.query_one("#runs", TextRows).cursor
            self.app.push_screen(PastRunScreen(self.info, self.runs, row))

    @on(ParamForm.Submitted)
    def action_run(self) -> None:
        why = why_not_run(self.drill, self.lab)
        if why:
            self._say(plain(f"It does not run: {why}"))
            return
        form = self.query_one(ParamForm)
        try:
            given = form.values()
        except ParamError as error:
            self._say(styled(f"✗ {error}", "$text-error"))
            return
        own = {param.name for param in self.info.params}
        also: dict[str, Any] = {n: v for n, v in given.items() if n not in own}
        params = {n: v for n, v in given.items() if n in own}
        from drill.tui.screens.run import RunScreen

        self.app.push_screen(RunScreen(self.info.name, params, **also), self._ran)

    def _ran(self, _: RunRecord | None) -> None:
        self._tell_runs()

    def action_reset(self) -> None:
        self.query_one(ParamForm).reset()

    def action_back(self) -> None:
        self.app.pop_screen()

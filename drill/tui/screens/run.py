"""A live experiment: progress, pictures as they are made, and the prediction beside the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import ProgressBar, Static

from drill.domain.questions import Choose
from drill.services.labs import RunRecord, keep, recorded, run_spec
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import row, styled
from drill.tui.widgets.bars import plot_bars
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.picture import picture
from drill.worker.protocol import Done, Error, Image, Log, Metric, Plot, Progress

_HOLDS: dict[object, tuple[str, str, str]] = {
    True: ("✓", "$text-success", "holds"),
    False: ("✗", "$text-error", "does not hold"),
}


class RunScreen(BaseScreen):
    """Runs at once. Dismissed with the `RunRecord`, or None where it did not finish."""

    BINDINGS = bindings("run")

    def __init__(
        self,
        name: str,
        params: Mapping[str, Any],
        *,
        claim: str = "",
        prediction: str = "",
        fields: Sequence[Choose] = (),
        model: str = "",
    ) -> None:
        super().__init__()
        self.experiment = name
        self.params = dict(params)
        self.claim = claim
        self.fields = tuple(fields)
        """What was predicted, with the outcome that judges each."""
        self._predicted = dict(part.strip().partition("=")[::2] for part in prediction.split(";"))
        self.model = model
        self.record: RunRecord | None = None
        self.over = False
        self._log: list[str] = []

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback"):
            yield Paragraphs("locked")
            yield Static("", id="doing", markup=False)
            yield ProgressBar(show_eta=True, id="progress")
            yield Paragraphs("result")
            yield Vertical(id="pictures")
            yield Paragraphs("details")

    def on_mount(self) -> None:
        self.query_one("#pictures").styles.height = "auto"
        given = ", ".join(f"{k}={v}" for k, v in self.params.items())
        self.head(styled(self.experiment, "bold"), given[:60])
        self._tell_prediction({})
        self.query_one("#feedback").focus()
        self._run()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not self.over if action == "cancel" else True

    def _tell_prediction(self, outcomes: Mapping[str, Any]) -> None:
        """Each field with what was predicted and, once there is one, what was measured."""
        groups: list[list[Row]] = []
        for field in self.fields:
            given = Content(self._predicted.get(field.id, ""))
            group = [
                (Content(""), styled(field.label, "bold")),
                (styled("  You predicted  ", "$foreground 60%"), given),
            ]
            if field.outcome in outcomes:
                found = Content(_short(outcomes[field.outcome]))
                group.append((styled("  Measured       ", "$foreground 60%"), found))
            groups.append(group)
        self.query_one("#locked", Paragraphs).tell(groups)

    @work(exclusive=True, group="run", exit_on_error=False)
    async def _run(self) -> None:
        from drill.services.experiments import BusyError
        from drill.services.worker_process import WorkerError

        self._say("starting")
        try:
            spec = run_spec(self.drill, self.experiment, self.params, model=self.model)
            async for event in self.drill_app.experiments.run(spec):
                await self._event(event)
        except (KeyError, ValueError, BusyError, WorkerError) as error:
            self._failed(Error("crash", str(error)))

    async def _event(self, event: object) -> None:
        if isinstance(event, Progress):
            self.query_one(ProgressBar).update(total=event.total or None, progress=event.done)
            self._say(event.label)
        elif isinstance(event, Image):
            await self._picture(event)
        elif isinstance(event, Metric):
            at = f" at {event.step:g}" if event.step is not None else ""
            self._detail(f"{event.name}{at} = {event.value:.4g}")
        elif isinstance(event, Plot):
            series = {name: [(p[0], p[1]) for p in points] for name, points in event.series.items()}
            await self._place(
                f"plot-{event.name}", Static(plot_bars(event.x_label, series), markup=False)
            )
        elif isinstance(event, Log):
            self._detail(event.text)
        elif isinstance(event, Done):
            self._finished(event)
        elif isinstance(event, Error):
            self._failed(event)

    def _say(self, text: str) -> None:
        self.query_one("#doing", Static).update(styled(text, "$foreground 60%"))

    def _detail(self, text: str) -> None:
        self._log.append(text)
        if not self.over:
            said = styled("\n".join(self._log[-4:]), "$foreground 60%")
            self.query_one("#details", Paragraphs).tell([[(Content(""), said)]])

    async def _picture(self, event: Image) -> None:
        holder = Vertical(picture(event.png), Static(Content(event.caption), markup=False))
        holder.styles.height = "auto"
        await self._place(f"image-{event.name}", holder)

    async def _place(self, name: str, widget: Any) -> None:
        """Mount a picture or plot; a later one of the same name takes the earlier one's place."""
        safe = "".join(ch if ch.isalnum() or ch == "-" else "_" for ch in name)
        pictures = self.query_one("#pictures", Vertical)
        widget.add_class(f"of-{safe}")
        old = list(pictures.query(f".of-{safe}"))
        if old:
            await pictures.mount(widget, before=old[0])
            for each in old:
                await each.remove()
        else:
            await pictures.mount(widget)

    def _finished(self, done: Done) -> None:
        self.over = True
        self.record = keep(self.drill, done)
        self.query_one(ProgressBar).display = False
        when = f"recorded on {done.recorded}, not live" if done.recorded else "live"
        self._say(f"{when} · {done.device} · {done.seconds:.1f} s · seed {done.seed}")
        self._tell_prediction(done.outcomes)
        self.refresh_bindings()
        applies = [c for c in done.claims if c.get("holds") is not None]
        applies.sort(key=lambda c: c.get("name") != self.claim)
        first = applies[:1] if applies and applies[0].get("name") == self.claim else []
        sentence: Row = (Content(""), styled(done.sentence, "bold"))
        self.query_one("#result", Paragraphs).tell([[sentence], *map(_claim, first)])
        groups = [_claim(claim) for claim in applies[len(first) :]]
        other = len(done.claims) - len(applies)
        if other:
            says = f"{other} more claim{'s' * (other > 1)}: not with these parameters"
            groups.append([(styled("– ", "$foreground 60%"), styled(says, "$foreground 60%"))])
        answer, reason = done.transfers.get("answer", ""), done.transfers.get("reason", "")
        if answer or reason:
            lead = styled(f"Does it transfer to large models? {answer}. ", "bold")
            groups.append([(Content(""), row(lead, Content(reason)))])
        if done.artefacts:
            where = styled(f"saved in {Path(done.artefacts[0]).parent}", "$foreground 60%")
            groups.append([(Content(""), where)])
        self.query_one("#details", Paragraphs).tell(groups)
        self.query_one("#feedback", VerticalScroll).scroll_home(animate=False)
        self.app.bell()

    def _failed(self, error: Error) -> None:
        self.over = True
        self.query_one(ProgressBar).display = False
        words = {
            "crash": "The experiment's process died.",
            "oom": "It ran out of memory.",
            "timeout": "It ran over its time limit.",
            "cancelled": "Cancelled.",
            "unavailable": "It cannot run here.",
            "params": "A parameter is not accepted.",
        }
        lead = styled(words.get(error.error, "It failed."), "bold $text-error")
        told = row(lead, Content(f" {error.message}"))
        groups: list[list[Row]] = [[(styled("✗ ", "bold $text-error"), told)]]
        if error.log:
            groups[0].append((Content("  "), styled(f"Log: {error.log}", "$foreground 60%")))
        shipped = recorded(self.drill, self.experiment, self.params)
        if shipped is not None and error.error != "cancelled":
            says = (
                f"A run recorded on {shipped.recorded} ({shipped.device}) is shipped: "
                f"{shipped.sentence}"
            )
            groups.append([(Content(""), Content(says))])
            self.record = RunRecord("", shipped.outcomes, shipped)
            self._tell_prediction(shipped.outcomes)
        self._say("")
        self.refresh_bindings()
        self.query_one("#result", Paragraphs).tell(groups)

    @work(exclusive=True, group="cancel")
    async def action_cancel(self) -> None:
        if not self.over:
            self._say("cancelling")
            await self.drill_app.experiments.cancel()

    def action_back(self) -> None:
        if not self.over:
            self.notify("It is still running; c cancels it.", markup=False)
            return
        screen: Screen[RunRecord | None] = self  # type: ignore[assignment]
        screen.dismiss(self.record)


def _claim(claim: Mapping[str, Any]) -> list[Row]:
    """A claim with its mark, and what was measured under it."""
    mark, style, word = _HOLDS[bool(claim.get("holds"))]
    says = str(claim.get("says") or claim.get("name"))
    found = f"{word}: {claim.get('measured')}; expected: {claim.get('expected')}"
    return [
        (styled(f"{mark} ", style), Content(says)),
        (Content("  "), styled(found, "$foreground 60%")),
    ]


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_short(v) for v in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)

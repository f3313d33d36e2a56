"""A live experiment: progress, pictures as they are made, and the prediction beside the result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from drill.domain.questions import Choose
from drill.services.experiments import UNSAVED
from drill.services.labs import RunRecord, experiment, keep, keep_failed, recorded, run_spec
from drill.services.run_ending import KILLED
from drill.tui.actions import bindings
from drill.tui.run_words import claim_rows, short
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, row, spans, styled
from drill.tui.widgets.line_plot import LinePlot, plot
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.picture import picture, read_png, repaint
from drill.worker.protocol import Done, Error, Image, Log, Metric, Plot, Progress

if TYPE_CHECKING:
    from PIL.Image import Image as PngImage


class RunScreen(BaseScreen):
    """Runs at once. Dismissed with the `RunRecord`, or None where it did not finish."""

    BINDINGS = bindings("run")
    CSS = """
    RunScreen ProgressBar { margin: 0 0 1 0; }
    #pictures { height: auto; }
    #pictures > * { height: auto; margin: 0 0 1 0; }
    #pictures > .shown > Static { max-width: 80; height: auto; }
    """

    def __init__(
        self,
        name: str,
        params: Mapping[str, Any],
        *,
        claim: str = "",
        prediction: str = "",
        fields: Sequence[Choose] = (),
        model: str = "",
        device: str = "",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.experiment = name
        self.params = dict(params)
        self.claim = claim
        self.fields = tuple(fields)
        """What was predicted, with the outcome that judges each."""
        self._predicted = dict(part.strip().partition("=")[::2] for part in prediction.split(";"))
        self.model = model
        self.device = device
        self.seed = seed
        self.record: RunRecord | None = None
        self.over = False
        self._kept = False
        """Whether the run is kept, so that it can be put beside former ones."""
        self._run_id = ""
        self._log: list[str] = []
        self._notes: list[str] = []
        """What is said before anything runs: how another machine differs from this one."""
        self._begun = False
        self._pictures: dict[str, tuple[Widget, Static]] = {}
        """By name: the picture and its caption."""
        self._images: dict[str, tuple[str, PngImage]] = {}
        """By name: the caption and the picture."""
        self._plots: dict[str, Widget] = {}

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback"):
            yield Paragraphs("locked")
            yield Static("", id="doing", markup=False)
            yield ProgressBar(show_eta=False, id="progress")
            yield Paragraphs("result")
            yield Vertical(id="pictures")
            yield Paragraphs("details")

    def on_mount(self) -> None:
        given = ", ".join(f"{k}={v}" for k, v in self.params.items())
        host = self.drill.config.host
        where = f" on {host}" if host else ""
        self.head(styled(f"{self.experiment}{where}", "bold"), given[:60])
        self._tell_prediction({})
        self._tell_summary()
        self.query_one("#feedback").focus()
        self._run()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel":
            return not self.over
        if action == "again":  # a prediction is judged by the first run that ends well
            return self.over and (self.record is None or not self.fields)
        if action == "zoom":
            return bool(self._images)
        return self.over and self._kept if action == "former" else True

    def _tell_summary(self) -> None:
        """What it does, until there is something to see."""
        with contextlib.suppress(KeyError):  # the run itself says what is not there
            said = prose(experiment(self.drill, self.experiment).summary)
            self.query_one("#result", Paragraphs).tell([[(Content(""), said)]])

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
                found = Content(short(outcomes[field.outcome]))
                group.append((styled("  Measured       ", "$foreground 60%"), found))
            groups.append(group)
        self.query_one("#locked", Paragraphs).tell(groups)

    @work(exclusive=True, group="run", exit_on_error=False)
    async def _run(self) -> None:
        from drill.services.experiments import BusyError
        from drill.services.worker_process import WorkerError

        self._say("starting")
        try:
            spec = await asyncio.to_thread(  # reads the labs' YAML
                run_spec,
                self.drill,
                self.experiment,
                self.params,
                device=self.device,
                model=self.model,
                seed=self.seed,
            )
            async with aclosing(self.drill_app.experiments.run(spec)) as events:
                async for event in events:
                    await self._event(event)
        except (KeyError, ValueError, BusyError, WorkerError) as error:
            self._failed(Error("crash", str(error)))
        except Exception as error:  # noqa: BLE001  (a run that is never over could not be left)
            self.log.error(error)
            says = f"what it sent cannot be shown: {type(error).__name__}: {error}"
            self._failed(Error("crash", says))

    async def _event(self, event: object) -> None:
        if isinstance(event, Progress):
            self._begun = True
            self.query_one(ProgressBar).update(total=event.total or None, progress=event.done)
            # Nothing is laid out again for a step of denoising.
            said = styled(f"{event.label}{_left(event.eta)}", "$foreground 60%")
            self.query_one("#doing", Static).update(said, layout=False)
        elif isinstance(event, Image):
            await self._picture(event)
        elif isinstance(event, Metric):
            at = f" at {event.step:g}" if event.step is not None else ""
            self._detail(f"{event.name}{at} = {event.value:.4g}")
        elif isinstance(event, Plot):
            await self._plot(event)
        elif isinstance(event, Log):
            if not self._begun:
                self._notes.append(event.text)
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
        """A later picture of the same name is shown in the same place."""
        try:
            image = await asyncio.to_thread(read_png, event.png)
        except (OSError, ValueError, SyntaxError) as error:
            self._detail(f"the picture {event.name} cannot be shown: {error}")
            return
        if not self._images:
            self.call_after_refresh(self.refresh_bindings)
        self._images[event.name] = event.caption or event.name, image
        caption = Content(event.caption)
        shown = self._pictures.get(event.name)
        if shown is not None:
            repaint(shown[0], image)
            shown[1].update(caption)
            return
        widget, below = picture(image), Static(caption, markup=False)
        self._pictures[event.name] = widget, below
        holder = Vertical(widget, below, classes="shown")
        await self.query_one("#pictures", Vertical).mount(holder)

    async def _plot(self, event: Plot) -> None:
        """A later plot of the same name is shown in the same place."""
        shown, made = self._plots.get(event.name), plot(event)
        if shown is None:
            await self.query_one("#pictures", Vertical).mount(made)
        elif isinstance(shown, LinePlot) and isinstance(made, LinePlot):
            shown.show(made.series, *made.labels)
            return
        else:
            await self.query_one("#pictures", Vertical).mount(made, before=shown)
            await shown.remove()
        self._plots[event.name] = made

    def _finished(self, done: Done) -> None:
        self.over = True
        self.record = keep(self.drill, done)
        self._kept, self._run_id = not done.recorded, done.run
        self.query_one(ProgressBar).display = False
        when = f"recorded on {done.recorded}, not live" if done.recorded else "live"
        self._say(f"{when} · {done.device} · {done.seconds:.1f} s · seed {done.seed}")
        self._tell_prediction(done.outcomes)
        self.refresh_bindings()
        applies = [c for c in done.claims if c.get("holds") is not None]
        applies.sort(key=lambda c: c.get("name") != self.claim)
        first = applies[:1] if applies and applies[0].get("name") == self.claim else []
        sentence: Row = (Content(""), styled(done.sentence, "bold"))
        notes: list[Row] = [(styled("Note  ", "$text-warning"), Content(n)) for n in self._notes]
        self.query_one("#result", Paragraphs).tell([[sentence], notes, *map(claim_rows, first)])
        groups = [claim_rows(claim) for claim in applies[len(first) :]]
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
            "lost": "The connection was lost.",
        }
        word = words.get(error.error, "It failed.")
        if error.message.startswith(KILLED):
            word = "It was killed."
        elif error.message.startswith(UNSAVED):
            word = "It was stopped."
        lead = styled(word, "bold $text-error")
        told = row(lead, spans(f" {error.message}"))
        groups: list[list[Row]] = [[(styled("✗ ", "bold $text-error"), told)]]
        if error.log:
            groups[0].append((Content("  "), styled(f"Log: {error.log}", "$foreground 60%")))
        kept = keep_failed(self.drill, error)
        if kept is not None:
            self._kept, self._run_id = True, kept.id
            says = "What it had come to is kept; f shows it beside former runs."
            groups[0].append((Content("  "), styled(says, "$foreground 60%")))
        shipped = None if self.model else recorded(self.drill, self.experiment, self.params)
        if shipped is not None and error.error != "cancelled":
            says = (
                f"A run recorded on {shipped.recorded} ({shipped.device}) is shipped: "
                f"{shipped.sentence}"
            )
            groups.append([(Content(""), Content(says))])
            self.record = RunRecord("", shipped.outcomes, shipped)
            self._tell_prediction(shipped.outcomes)
            self._show_shipped(shipped)
        self._say("")
        self.refresh_bindings()
        self.query_one("#result", Paragraphs).tell(groups)

    @work(exclusive=True, group="cancel")
    async def action_cancel(self) -> None:
        if not self.over:
            self._say("cancelling")
            await self.drill_app.experiments.cancel()

    async def action_again(self) -> None:
        """The same run once more, on an empty screen."""
        self.over, self.record = False, None
        self._kept, self._begun = False, False
        self._log, self._notes = [], []
        for shown in (self._pictures, self._images, self._plots):
            shown.clear()
        await self.query_one("#pictures").remove_children()
        self.query_one("#details", Paragraphs).tell([])
        bar = self.query_one(ProgressBar)
        bar.update(total=None, progress=0)
        bar.display = True
        self._tell_prediction({})
        self._tell_summary()
        self.refresh_bindings()
        self._run()

    @work(exclusive=True, group="shipped", exit_on_error=False)
    async def _show_shipped(self, shipped: Done) -> None:
        """The picture of a recorded run, with what tells it from a live one."""
        for path in map(Path, shipped.artefacts[:1]):
            caption = f"recorded on {shipped.recorded}, {shipped.device}; not of this machine"
            png = await asyncio.to_thread(path.read_bytes)
            await self._picture(Image("recorded", png, caption))

    def action_zoom(self) -> None:
        from drill.tui.screens.pictures import PicturesScreen

        self.app.push_screen(PicturesScreen(self.experiment, list(self._images.values())))

    def action_former(self) -> None:
        from drill.services.past_runs import past_runs
        from drill.tui.screens.past_run import PastRunScreen

        runs = past_runs(self.drill, self.experiment)
        at = next((n for n, past in enumerate(runs) if past.run.id == self._run_id), None)
        if at is not None:
            info = experiment(self.drill, self.experiment)
            self.app.push_screen(PastRunScreen(info, runs, at))

    def action_back(self) -> None:
        if not self.over:
            self.notify("It is still running; c cancels it.", markup=False)
            return
        screen: Screen[RunRecord | None] = self  # type: ignore[assignment]
        screen.dismiss(self.record)


def _left(seconds: float | None) -> str:
    """Time that is left, where it can be told."""
    if seconds is None or seconds < 1:
        return ""
    return f" · {seconds:.0f} s left" if seconds < 100 else f" · {seconds / 60:.0f} min left"

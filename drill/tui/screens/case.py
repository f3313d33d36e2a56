"""A broken pipeline in a session: its symptom is run at once, its probes when they are bought."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import work
from textual.containers import VerticalScroll

from drill.domain.questions import DiagnoseBody, Question
from drill.services.finding import SYMPTOM
from drill.services.session import Session
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose

if TYPE_CHECKING:
    from drill.services.asked import Asked
    from drill.tui.answers.bench import Bench
    from drill.tui.answers.diagnose import DiagnosePane
    from drill.tui.answers.pane import AnswerPane
    from drill.tui.answers.probes import Probes

LOOK = "look"
"""Group of the workers that look at the broken thing."""


class CaseScreen(BaseScreen):
    """The part of the session screen that looks at broken pipelines, without ever blocking."""

    session: Session
    _pane: AnswerPane | None = None
    _one_look: asyncio.Lock | None = None
    """Held while something is looked at: what is bought meanwhile waits its turn."""
    _failed = ""
    """The probe that failed last: tried again, its recording is taken where it fails once more."""

    # -- composition ---------------------------------------------------------------

    def _prompt_at_bench(self, question: Question) -> bool:
        """On a narrow terminal the picture of the symptom stands beside the prompt."""
        return self.is_case(question) and not self.wide

    @staticmethod
    def is_case(question: Question) -> bool:
        """Whether something broken is asked."""
        return isinstance(question.body, DiagnoseBody)

    def _bench(self, question: Question) -> Bench:
        from drill.tui.answers.bench import Bench

        assert isinstance(question.body, DiagnoseBody)
        asked = self.session.asked
        findings = asked.findings if asked is not None else ()
        prices = {probe.id: probe.price for probe in question.body.probes}
        prompt = prose(question.prompt) if self._prompt_at_bench(question) else None
        return Bench(self.drill, findings, prices, prompt)

    def _readings(self) -> Iterator[VerticalScroll]:
        """What the keys scroll: the question, and the bench where it stands beside it."""
        yield from self.query("#reading").results(VerticalScroll)
        if self.wide:
            yield from self.query("#bench").results(VerticalScroll)

    async def place_code(self) -> None:
        await super().place_code()
        place = self.query_one("#side" if self.wide else "#code-slot")
        for bench in self.query("#bench"):
            asked = self.session.asked
            if bench.parent is not place and asked is not None:
                await bench.remove()
                self.query_one("#prompt").display = not self._prompt_at_bench(asked.question)
                await place.mount(self._bench(asked.question))

    # -- looking -------------------------------------------------------------------

    @property
    def _case(self) -> tuple[Asked, DiagnosePane] | None:
        """The question and its pane, while a broken pipeline is asked."""
        asked = self.session.asked
        if asked is None or not isinstance(asked.question.body, DiagnoseBody):
            return None
        from drill.tui.answers.diagnose import DiagnosePane

        return (asked, self._pane) if isinstance(self._pane, DiagnosePane) else None

    def begin_case(self) -> None:
        """Show what was bought before, and run the broken thing where it was not seen yet."""
        if self._case is None:
            return
        asked, pane = self._case
        pane.tell(asked)
        if self.session.phase == "asking" and asked.finding(SYMPTOM) is None:
            self._look(asked, SYMPTOM)

    def leave_case(self) -> None:
        """Stop what is being looked at; it costs nothing."""
        self.workers.cancel_group(self, LOOK)

    def on_probes_buy(self, event: Probes.Buy) -> None:
        event.stop()
        if self._case is None or self.session.phase != "asking":
            return
        asked, pane = self._case
        if asked.finding(event.name) is not None:
            self._reveal(event.name)
        elif event.name not in pane.probes.doing:
            pane.probes.doing[event.name] = ""
            pane.probes.failed.pop(event.name, None)
            pane.probes.refresh()
            self._look(asked, event.name)

    def on_probes_seen(self, event: Probes.Seen) -> None:
        event.stop()
        self._reveal(event.name)

    def _reveal(self, look: str) -> None:
        from drill.tui.answers.bench import Bench

        for bench in self.query(Bench):
            bench.reveal(look)

    def on_diagnose_pane_again(self, event: DiagnosePane.Again) -> None:
        event.stop()
        if self._case is not None and self._case[0].finding(SYMPTOM) is None:
            self.leave_case()
            self._look(self._case[0], SYMPTOM)

    @work(group=LOOK, exit_on_error=False)
    async def _look(self, asked: Asked, look: str) -> None:
        from drill.services.diagnosing import NoFindingError, look_at

        self._one_look = self._one_look or asyncio.Lock()
        again = look in (SYMPTOM, self._failed)
        if self._one_look.locked():
            self._tell_doing(look, "waiting for what runs already")
        try:
            async with self._one_look:
                self._tell_doing(look, "starting")
                finding = await look_at(
                    self.drill,
                    lambda: self.drill_app.experiments,
                    asked.question,
                    look,
                    lambda doing: self._tell_doing(look, doing),
                    else_recorded=again,
                )
        except NoFindingError as error:
            self._failed = look
            self._tell_failed(asked, look, str(error))
            return
        case = self._case
        if case is None or case[0].question != asked.question or self.session.phase != "asking":
            return
        self._failed = ""
        self.session.keep_finding(finding)
        await self._tell_found(look)

    async def _tell_found(self, look: str) -> None:
        from drill.tui.answers.bench import Bench

        if self._case is None:
            return
        asked, pane = self._case
        pane.probes.doing.pop(look, None)
        pane.tell(asked)
        finding = asked.finding(look)
        assert finding is not None
        for bench in self.query(Bench):
            if look == SYMPTOM:
                bench.doing("")
            if bench.view(look) is None:
                await bench.add(finding)

    def _tell_doing(self, look: str, doing: str) -> None:
        from drill.tui.answers.bench import Bench

        if self._case is None:
            return
        if look == SYMPTOM:
            for bench in self.query(Bench):
                bench.doing(f"The broken pipeline is running here… {doing}")
        else:
            probes = self._case[1].probes
            probes.doing[look] = f"measuring… {doing}"
            probes.refresh()

    def _tell_failed(self, asked: Asked, look: str, why: str) -> None:
        from drill.tui.answers.bench import Bench

        if self._case is None or self._case[0].question != asked.question:
            return
        probes = self._case[1].probes
        if look != SYMPTOM:
            probes.doing.pop(look, None)
            probes.failed[look] = f"✗ Free: {why}"
            probes.refresh()
        says = f"✗ `{look}` costs nothing, as nothing was measured: {why}. enter tries again."
        if look == SYMPTOM:
            says = f"✗ The symptom cannot be shown: {why}. r tries again, f3 puts the question off."
        for bench in self.query(Bench):
            bench.doing(says, error=True)

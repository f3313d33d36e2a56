"""The labs in their order: what each has to read, to run and to answer."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from drill.domain.counted import counted
from drill.domain.questions import TOPICS
from drill.lab.manifest import Lab
from drill.services.lab_reading import questions_of
from drill.services.labs import all_labs, former, why_not_run
from drill.services.past_runs import PastRun
from drill.tui.actions import bindings
from drill.tui.run_words import run_words
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, prose, row, styled
from drill.tui.widgets.paragraphs import Paragraphs, Row
from drill.tui.widgets.text_rows import TextRows

_MUTED = "$foreground 60%"


class LabsScreen(BaseScreen):
    """The list; on a wide terminal the facts of the lab under the cursor beside it."""

    BINDINGS = bindings("labs")
    CSS = """
    #labs { height: 1fr; padding: 1 1 0 1; }
    #labs > VerticalScroll { height: 1fr; width: 1fr; }
    #labs > #about { display: none; padding: 0 1; }
    LabsScreen.-wide #labs > #about { display: block; }
    LabsScreen.-wide #labs > #list { max-width: 64; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.labs: tuple[Lab, ...] = ()
        self.questions: dict[int, int] = {}
        self.why_not: dict[int, str] = {}
        """By lab: why it does not run, where it does not."""

    def body(self) -> ComposeResult:
        with Horizontal(id="labs"):
            with VerticalScroll(id="list", can_focus=False):
                yield TextRows()
            with VerticalScroll(id="about", can_focus=False):
                yield Paragraphs("facts")

    def on_mount(self) -> None:
        found = all_labs(self.drill)
        self.labs = found.labs
        self.questions = {n: len(questions_of(self.drill, lab)) for n, lab in enumerate(self.labs)}
        self._look()
        self.head(styled("Labs", "bold"), f"{len(self.labs)}")
        rows = self.query_one(TextRows)
        rows.fill([self._entry(n, lab) for n, lab in enumerate(self.labs)])
        if not self.labs:
            says = "No pack here has labs. `drill paths` names the folder for packs of your own."
            rows.fill([(Content(""), prose(says))])
        rows.focus()
        self._facts(0)
        for problem in found.problems:
            self.notify(problem, title="a lab is left out", severity="warning", markup=False)

    def on_screen_resume(self) -> None:
        if self.labs:  # a run may have been added, a pack trusted
            self._look()
            self._facts(self.query_one(TextRows).cursor)

    def _look(self) -> None:
        found = {n: why_not_run(self.drill, lab) for n, lab in enumerate(self.labs)}
        self.why_not = {n: why for n, why in found.items() if why}

    def _entry(self, n: int, lab: Lab) -> tuple[Content, Content]:
        count = len(lab.experiments)
        asked = self.questions[n]
        beside = self.app.size.width >= self.HORIZONTAL_BREAKPOINTS[1][0]  # which names the topic
        facts = [
            "" if beside else TOPICS.get(lab.topic, lab.topic).split(":")[0],
            counted(count, "experiment"),
            counted(asked, "question") if asked else "",
            "" if lab.reading is not None else "no reading yet",
            "not trusted" if n in self.why_not else "",
        ]
        about = styled(" · ".join(fact for fact in facts if fact), _MUTED)
        return styled(f"{lab.order:>3g}  ", _MUTED), Content("\n").join([plain(lab.title), about])

    @on(TextRows.Moved)
    def _moved(self, event: TextRows.Moved) -> None:
        self._facts(event.row)

    def _facts(self, n: int) -> None:
        if n >= len(self.labs):
            return
        lab = self.labs[n]
        topic = styled(f"  {TOPICS.get(lab.topic, lab.topic)}", _MUTED)
        groups: list[list[Row]] = [[(Content(""), row(styled(lab.title, "bold"), topic))]]
        if n in self.why_not:
            groups.append([(styled("! ", "bold $text-warning"), prose(self.why_not[n]))])
        for info in lab.experiments:
            lines: list[Row] = [
                (Content(""), row(styled(info.name, "$text-accent"), Content(f"  {info.title}"))),
                (Content("  "), prose(info.summary)),
            ]
            for run in former(self.drill, info.name, 1):
                past = PastRun(run)
                lead = styled(f"  last run {past.when}  ", _MUTED)
                lines.append((lead, run_words(past, info.params)))
            groups.append(lines)
        self.query_one("#facts", Paragraphs).tell(groups)

    @on(TextRows.Clicked)
    def action_open(self) -> None:
        from drill.tui.screens.lab import LabScreen

        if self.labs:
            self.app.push_screen(LabScreen(self.labs[self.query_one(TextRows).cursor]))

    def action_back(self) -> None:
        self.app.pop_screen()

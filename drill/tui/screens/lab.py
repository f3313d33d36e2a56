"""A lab: its reading beside the code, which follows the section that is read."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from drill.domain.counted import counted
from drill.lab.manifest import Lab
from drill.services.lab_reading import LabText, Part, questions_of, read_lab
from drill.services.labs import why_not_run
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import prose, row, styled
from drill.tui.widgets.reading_view import ReadingView
from drill.tui.widgets.source_view import SourceView

_NOTHING = """
This lab has no reading yet.

`e` opens its experiments, `s` runs its starter, `a` asks its questions.
"""


class LabScreen(BaseScreen):
    """Reading beside code where the terminal is wide, above it where it is not."""

    BINDINGS = bindings("lab")
    CSS = """
    #why { height: auto; max-width: 84; padding: 1 2 0 2; display: none; }
    LabScreen.-narrow #why { padding: 1 2; }
    #lab { height: 1fr; layout: vertical; }
    LabScreen.-wide #lab { layout: horizontal; }
    LabScreen.-wide #lab > ReadingView { width: 8fr; max-width: 84; padding: 1 1 0 1; }
    LabScreen.-wide #lab > SourceView { width: 12fr; }
    LabScreen.-narrow #lab > SourceView.-aside { display: none; }
    """

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.text: LabText | None = None
        self.questions = 0

    def body(self) -> ComposeResult:
        # Read before the screen is composed: symbols come from an index after the first time.
        self.text = read_lab(self.lab, self.drill.cache_dir)
        self.questions = len(questions_of(self.drill, self.lab))
        sections = [(part.section.title, part.section.text) for part in self.text.parts]
        yield Static("", id="why", markup=False)
        with Container(id="lab"):
            yield ReadingView(sections or [(self.lab.title, _NOTHING)])
            yield SourceView()

    def on_mount(self) -> None:
        self._runs()
        self.query_one(ReadingView).focus()
        self._follow(0)
        assert self.text is not None
        if self.text.problems:
            count = len(self.text.problems)
            says = self.text.problems[0].removeprefix(f"{self.lab.folder}/")
            says += f" (and {count - 1} more)" if count > 1 else ""
            self.notify(says, title="in this reading", severity="warning", markup=False)

    @on(ReadingView.Moved)
    def _moved(self, event: ReadingView.Moved) -> None:
        self._follow(event.section)

    def _follow(self, section: int) -> None:
        """Show the code of a section, or the starter where it speaks of none."""
        assert self.text is not None
        parts = self.text.parts
        part: Part | None = parts[section] if section < len(parts) else None
        code = self.query_one(SourceView)
        shown, missing = (part.shown, part.missing) if part is not None else (None, "")
        speaks = shown is not None or bool(missing)
        if not speaks and self.text.starter is not None:
            shown = self.text.starter
        # Above the code there is little room: a section without code has all of it.
        code.set_class(not speaks and bool(parts), "-aside")
        code.show(shown, missing or "This section speaks of no code.")
        number = f"section {section + 1} of {len(parts)}" if parts else "no reading"
        self.head(styled(self.lab.title, "bold"), number)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "starter":
            return self.lab.starter is not None or None
        if action == "questions":
            return bool(self.questions) or None
        if action == "section":
            return self.text is None or len(self.text.parts) > 1
        return True

    def key_word(self, action: str, word: str) -> str:
        if action == "questions" and self.questions:
            return counted(self.questions, "question")
        return word

    def action_section(self, by: int) -> None:
        view = self.query_one(ReadingView)
        view.read(view.section + by)

    def action_other_pane(self) -> None:
        reading, code = self.query_one(ReadingView), self.query_one(SourceView)
        (code if reading.has_focus and code.display else reading).focus()

    def action_zoom(self) -> None:
        from drill.tui.screens.source import SourceScreen

        shown = self.query_one(SourceView).shown
        if shown is not None:
            self.app.push_screen(SourceScreen(shown))

    def _runs(self) -> bool:
        """Whether the code of the lab may run; says above the text why where it may not."""
        why = why_not_run(self.drill, self.lab)
        line = self.query_one("#why", Static)
        line.display = bool(why)
        line.update(row(styled("! ", "bold $text-warning"), prose(f"It does not run: {why}")))
        return not why

    def action_starter(self) -> None:
        from drill.tui.screens.starter import StarterScreen

        if self._runs():
            self.app.push_screen(StarterScreen(self.lab))

    def on_screen_resume(self) -> None:
        self._runs()  # the pack may have been trusted meanwhile

    def action_experiments(self) -> None:
        from drill.tui.screens.experiment import ExperimentScreen

        self.app.push_screen(ExperimentScreen(self.lab))

    def action_questions(self) -> None:
        from drill.tui.screens.lab_questions import LabQuestionsScreen

        self.app.push_screen(LabQuestionsScreen(self.lab))

    def action_back(self) -> None:
        self.app.pop_screen()

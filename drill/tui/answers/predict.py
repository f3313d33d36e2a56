"""Answers to `predict`: one list of options, or a number, for each field."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from drill.domain.questions import Choose, PredictBody
from drill.tui.answers.option_list import Options
from drill.tui.answers.pane import AnswerPane


class PredictPane(AnswerPane):
    """Fields one below the other; done with one, the focus moves to the next."""

    DEFAULT_CSS = """
    PredictPane > VerticalScroll { height: auto; max-height: 100%; }
    PredictPane .label { color: $text-muted; height: auto; }
    """

    def __init__(self, body: PredictBody) -> None:
        super().__init__()
        self.body = body

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            for index, field in enumerate(self.body.fields):
                yield Static(field.label, classes="label", markup=False)
                if field.options:
                    yield Options(field.options, many=field.many, widget_id=f"field-{index}")
                else:
                    yield Input(compact=True, placeholder="a number", id=f"field-{index}")

    def _value(self, index: int, field: Choose) -> str:
        widget = self.query_one(f"#field-{index}")
        if isinstance(widget, Input):
            return widget.value.strip()
        assert isinstance(widget, Options)
        return ", ".join(field.options[i] for i in sorted(widget.marked))

    def answer(self) -> str:
        values = [self._value(i, field) for i, field in enumerate(self.body.fields)]
        if not all(values):
            return ""
        return "; ".join(
            f"{field.id}={value}" for field, value in zip(self.body.fields, values, strict=True)
        )

    def restore(self, draft: str) -> None:
        given = dict(part.partition("=")[::2] for part in draft.split(";") if "=" in part)
        values = {name.strip(): value.strip() for name, value in given.items()}
        for index, field in enumerate(self.body.fields):
            value = values.get(field.id, "")
            widget = self.query_one(f"#field-{index}")
            if isinstance(widget, Input):
                widget.value = value
            elif isinstance(widget, Options):
                chosen = {part.strip() for part in value.split(",")} if field.many else {value}
                widget.restore({i for i, text in enumerate(field.options) if text in chosen})

    def focus_answer(self) -> None:
        self.query_one("#field-0").focus(scroll_visible=False)

    def step_back(self) -> bool:
        for index in range(1, len(self.body.fields)):
            if self.query_one(f"#field-{index}").has_focus:
                self.query_one(f"#field-{index - 1}").focus()
                return True
        return False

    @on(Options.Marked)
    @on(Input.Changed)
    def _changed(self, event: Options.Marked | Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    @on(Options.Done)
    @on(Input.Submitted)
    def _done(self, event: Options.Done | Input.Submitted) -> None:
        event.stop()
        widget = event.options if isinstance(event, Options.Done) else event.input
        at = int(str(widget.id).removeprefix("field-")) + 1
        if at < len(self.body.fields):
            self.query_one(f"#field-{at}").focus()
        else:
            self.post_message(self.Ready())

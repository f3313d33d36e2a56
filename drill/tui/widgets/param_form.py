"""The parameters of an experiment as fields: defaults shown, values checked as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from drill.lab.params import Param, ParamError
from drill.tui.text import row, styled

_MUTED = "$foreground 60%"


class ParamField(Horizontal):
    """One parameter: its name, a line to type in, and whether it is changed."""

    DEFAULT_CSS = """
    ParamField { height: 1; width: 1fr; max-width: 84; }
    ParamField > Static { height: 1; width: 20; }
    ParamField > Input { width: 1fr; }
    """

    def __init__(self, param: Param) -> None:
        super().__init__()
        self.param = param
        self.default = param.written(param.default)

    def compose(self) -> ComposeResult:
        words = ("true", "false") if self.param.kind == "bool" else self.param.choices
        yield Static("", markup=False)
        yield Input(
            self.default,
            compact=True,
            placeholder="none",
            suggester=SuggestFromList(words) if words else None,
            select_on_focus=False,
        )

    def on_mount(self) -> None:
        self.mark()

    @property
    def input(self) -> Input:
        """The line that is typed in."""
        return self.query_one(Input)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.input.value

    def mark(self) -> None:
        """Show whether the value is another than the default, and whether it is taken."""
        mark, style = "  ", ""
        try:
            if self.param.parse(self.text.strip()) != self.param.default:
                mark, style = "● ", "bold"
        except ParamError:
            mark, style = "✗ ", "bold $text-error"
        self.query_one(Static).update(styled(f"{mark}{self.param.name}"[:19], style))


class ParamForm(Vertical):
    """All parameters of an experiment, one below the other."""

    DEFAULT_CSS = "ParamForm { height: auto; width: 1fr; }"

    class Told(Message):
        """What is to be said of the field in focus: its help, or why its value is not taken."""

        def __init__(self, text: Content) -> None:
            super().__init__()
            self.text = text

    class Submitted(Message):
        """Enter was pressed in a field."""

    def __init__(self, params: Sequence[Param], *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.params = tuple(params)

    def compose(self) -> ComposeResult:
        for param in self.params:
            yield ParamField(param)

    def fields(self) -> list[ParamField]:
        """The fields in order."""
        return list(self.query(ParamField))

    def values(self) -> dict[str, Any]:
        """The values that differ from the defaults.

        Raises ParamError for the first one that is not taken; its field has the focus then.
        """
        found = {}
        for field in self.fields():
            try:
                value = field.param.parse(field.text.strip())
            except ParamError:
                field.input.focus()
                raise
            if value != field.param.default:
                found[field.param.name] = value
        return found

    def reset(self) -> None:
        """Put every default back."""
        for field in self.fields():
            field.input.value = field.default

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        field = event.input.parent
        if isinstance(field, ParamField):
            field.mark()
            self._tell(field)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        field = event.widget.parent
        if isinstance(field, ParamField):
            self._tell(field)

    def _tell(self, field: ParamField) -> None:
        if not field.input.has_focus:
            return
        try:
            field.param.parse(field.text.strip())
        except ParamError as error:
            self.post_message(self.Told(styled(f"✗ {error}", "$text-error")))
            return
        default = f"default {field.default}" if field.default else "default: none"
        taken = styled(f"  {field.param.accepted()}; {default}", _MUTED)
        self.post_message(self.Told(row(Content(field.param.help), taken)))

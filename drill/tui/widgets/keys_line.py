"""The footer: the keys that work right now, on one line, drawn by one widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from drill.tui.actions import ACTIONS

if TYPE_CHECKING:
    from drill.tui.screens.base import BaseScreen

MOST_KEYS = 8
_ORDER = {action.id: place for place, action in enumerate(ACTIONS)}
"""Keys stand in the order of the table, whatever has the focus."""
_NAMES = {
    "question_mark": "?", "slash": "/", "plus": "+", "minus": "-", "equals_sign": "=",
    "escape": "esc", "pagedown": "pgdn", "pageup": "pgup",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as a person would say it."""
    return _NAMES.get(key, key)


class KeysLine(Widget):
    """At most eight keys with a word each; the last ones give way on a narrow terminal."""

    DEFAULT_CSS = "KeysLine { height: 1; dock: bottom; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if self.is_attached:
            self.refresh()

    def keys(self) -> list[tuple[str, str, bool]]:
        """(key, word, whether it works now) of what is shown."""
        screen = cast("BaseScreen", self.screen)
        found: dict[str, tuple[int, str, str, bool]] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            action = binding.action.removeprefix("screen.")
            if binding.show and action not in found:
                place = _ORDER.get(binding.id or f"session.{action}", -1)
                word = screen.key_word(action, binding.description)
                key = binding.key_display or binding.key
                found[action] = (
                    len(_ORDER) if action == "help" else place,
                    key,
                    word,
                    active.enabled,
                )
        ordered = sorted(found.values(), key=lambda shown: shown[0])
        return [shown[1:] for shown in ordered][:MOST_KEYS]

    def render(self) -> Content:
        parts: list[Content] = []
        self._places = []
        at, end = 0, self.size.width
        for key, word, works in self.keys():
            name = key_name(key)
            if at + len(name) + 1 + len(word) > end:
                break
            self._places.append((at, key))
            at += len(name) + len(word) + 3
            parts.append(Content.styled(name, "bold $text-accent" if works else "dim"))
            parts.append(Content.styled(f" {word}  ", "" if works else "dim"))
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        under = [key for start, key in self._places if start <= x]
        if under:
            self.app.simulate_key(under[-1])

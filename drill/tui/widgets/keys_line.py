"""The footer: the keys that work right now, on one line, drawn by one widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from drill.tui.actions import ACTIONS

if TYPE_CHECKING:
    from drill.tui.screens.base import BaseScreen

MOST_KEYS = 8
_ORDER = {a.action: n for n, a in enumerate(ACTIONS) if a.action != "help"}
"""Keys stand in the order of the table, whatever has the focus."""
_NAMES = {"question_mark": "?", "slash": "/", "escape": "esc", "space": "space"}


def key_name(key: str) -> str:
    """A key as a person would say it."""
    return _NAMES.get(key, key)


class KeysLine(Widget):
    """At most eight keys with a word each; the last ones give way on a narrow terminal."""

    DEFAULT_CSS = "KeysLine { height: 1; dock: bottom; background: $panel; padding: 0 1; }"

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if self.is_attached:
            self.refresh()

    def keys(self) -> list[tuple[str, str, bool]]:
        """(key, word, whether it works now) of what is shown."""
        screen = cast("BaseScreen", self.screen)
        found: dict[str, tuple[str, str, bool]] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in found:
                key = binding.key_display or binding.key
                word = screen.key_word(binding.action, binding.description)
                found[binding.action] = (key, word, active.enabled)
        ordered = sorted(found, key=lambda action: _ORDER.get(action.rpartition(".")[2], 999))
        return [found[action] for action in ordered][:MOST_KEYS]

    def render(self) -> Content:
        parts: list[Content] = []
        room = self.size.width
        for key, word, works in self.keys():
            name = key_name(key)
            room -= len(name) + len(word) + 3
            if room < -2:
                break
            press = Style.from_meta({"@click": f"app.simulate_key('{key}')"})
            named = Content.styled(name, "bold $text-accent" if works else "dim")
            said = Content.styled(f" {word}  ", "" if works else "dim")
            parts.append(Content("").join([named, said]).stylize(press))
        return Content("").join(parts)

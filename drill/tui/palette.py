"""The command palette knows every action of the screen that it was opened over."""

from __future__ import annotations

from functools import partial

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from drill.tui.actions import ACTIONS, Action
from drill.tui.widgets.keys_line import key_name

_ACTIONS = {action.id: action for action in ACTIONS}


class ScreenActions(Provider):
    """What the keys of the screen do, by the words of the help screen."""

    def _here(self) -> list[tuple[Action, str, ActiveBinding]]:
        """Every action that works now with one of its keys, in the order of the table."""
        found: dict[str, tuple[Action, str, ActiveBinding]] = {}
        for key, active in self.screen.active_bindings.items():
            action = _ACTIONS.get(active.binding.id or "")
            if action is not None and active.enabled and action.id != "app.palette":
                shown = key_name(active.binding.key_display or key)
                found.setdefault(action.id, (action, f"{action.label} ({shown})", active))
        return [found[action.id] for action in ACTIONS if action.id in found]

    def _run(self, active: ActiveBinding) -> None:
        self.app.call_later(self.app.run_action, active.binding.action, active.node)

    async def discover(self) -> Hits:
        for action, title, active in self._here():
            yield DiscoveryHit(title, partial(self._run, active), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, title, active in self._here():
            text = f"{title}: {action.help}"
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, active), text=text)

"""Answering chosen items at once, outside the day's session: those of a lab, for example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from drill.domain.memory.queue import Planned, Reason
from drill.domain.memory.running import begin as running_from
from drill.services.session import Session

if TYPE_CHECKING:
    from drill.services.app import Drill

KIND = "practice"


class Practice(Session):
    """A session of items that the learner chose."""

    def _reason(self, planned: Planned) -> str:
        return super()._reason(planned) if planned.reason == "retry" else "you chose it"


def practise(drill: Drill, items: Sequence[str]) -> Practice:
    """A session of just these items, in their order; the answers count as in any other.

    Items that cannot be asked now (held back until proven again, or waiting for packages) are left
    out.
    """
    heads = drill.askable()
    states = drill.store.states()
    day = drill.store.today()
    planned = []
    for item in items:
        if item in heads:
            state = states.get(item)
            reason: Reason = "new" if state is None or state.new else "ahead"
            planned.append(Planned(item, reason, heads[item].seconds))
    document = {
        "running": running_from(planned).to_json(),
        "empty": "These questions are held back until they are proven again.",
    }
    return Practice(drill, drill.store.sessions.start(KIND, document, day, seed=day))

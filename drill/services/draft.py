"""What is kept of a question before it is answered, so that quitting anywhere loses nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from drill.services.finding import Finding, from_json, to_json

if TYPE_CHECKING:
    from drill.services.asked import Asked

LONGEST_ANSWER = 15 * 60.0
"""Seconds; a longer pause on one question is a break, not thinking."""


class Draft:
    """The draft of the question in front of the learner, and those of questions put off."""

    def __init__(
        self, data: Mapping[str, Any] | None, put_off: Mapping[str, dict[str, Any]]
    ) -> None:
        self._data: dict[str, Any] = dict(data or {})
        self.put_off: dict[str, dict[str, Any]] = dict(put_off)
        """By item; a locked answer stays locked, and what was bought stays bought."""
        self._since = 0.0

    def begin(self, item_id: str, seed: int) -> None:
        """Take up the draft of an item as it is shown now; another showing begins anew."""
        if self._data.get("item") != item_id:
            self._data = dict(self.put_off.get(item_id, {}))
        if self._data.get("seed") != seed:
            self._data = {}

    def seen(self) -> None:
        """The question is on the screen: its time starts now."""
        self._since = monotonic()

    def clear(self) -> None:
        """The question was left, answered or not."""
        self._data = {}

    def keep_for_later(self, item_id: str) -> None:
        """The question is put off."""
        self.put_off[item_id] = self._data

    @property
    def begun(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self._data)

    @property
    def answer(self) -> str:
        """What is typed so far."""
        return str(self._data.get("answer", ""))

    @property
    def confidence(self) -> int:
        """Given already where the answer is locked; else 0."""
        return int(self._data.get("confidence", 0))

    @property
    def hints(self) -> int:
        """How many hints were shown."""
        return int(self._data.get("hints", 0))

    @property
    def locked(self) -> bool:
        """Whether the answer stands and waits for the run that judges it."""
        return bool(self._data.get("locked"))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was seen and bought of a broken pipeline, in that order."""
        read = (from_json(each) for each in self._data.get("findings", ()))
        return tuple(finding for finding in read if finding is not None)

    @property
    def spent(self) -> float:
        """Seconds that the learner has spent on the question so far."""
        now = monotonic() - self._since if self._since else 0.0
        return min(LONGEST_ANSWER, float(self._data.get("spent", 0.0)) + now)

    def changed(self, asked: Asked, **changes: Any) -> dict[str, Any]:
        """The draft after changes, as JSON to be stored."""
        if "findings" in changes:
            changes["findings"] = [to_json(each) for each in changes["findings"]]
        self._data.update(item=asked.question.head.id, seed=asked.seed, **changes)
        document: dict[str, Any] = json.loads(
            json.dumps({**self._data, "spent": round(self.spent, 1)})
        )
        return document

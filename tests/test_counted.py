"""Numbers and what they count."""

from __future__ import annotations

import pytest

from drill.domain.counted import counted


@pytest.mark.parametrize(
    ("count", "things", "words"),
    [
        (0, ("answer",), "0 answers"),
        (1, ("answer",), "1 answer"),
        (1204, ("answer",), "1,204 answers"),
        (1, ("log entry", "log entries"), "1 log entry"),
        (2, ("log entry", "log entries"), "2 log entries"),
    ],
)
def test_a_thing_is_counted_in_its_number(count: int, things: tuple[str, ...], words: str) -> None:
    assert counted(count, *things) == words

"""A made-up bank for the tests of the queue and the placement."""

from __future__ import annotations

from typing import Any

from drill.domain.questions import LEVELS, Head


def head(item: str, **changes: Any) -> Head:
    values: dict[str, Any] = {
        "topic": "cfg",
        "level": "mid",
        "relevance": "core",
        "roles": (),
        "type": "choice",
        "seconds": 30.0,
        "content_hash": "h",
    }
    values.update(changes)
    return Head(id=item, **values)


def bank(topics: tuple[str, ...], each: int = 8, **changes: Any) -> dict[str, Head]:
    """`each` items of every level of every topic."""
    heads: dict[str, Head] = {}
    for topic in topics:
        for level in LEVELS:
            for n in range(each):
                item = f"drill:{topic}.{level}{n}"
                heads[item] = head(item, topic=topic, level=level, **changes)
    return heads

"""A clock that the tests turn, and stores on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from drill.store import Review, Store


class Clock:
    """Local time that stands still until it is moved."""

    def __init__(self) -> None:
        self.utc = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
        self.offset = 60

    def __call__(self) -> datetime:
        return self.utc.astimezone(timezone(timedelta(minutes=self.offset)))

    def go(self, **step: float) -> None:
        self.utc += timedelta(**step)


def answer(item: str = "drill:a", grade: int = 3, **changes: Any) -> Review:
    values: dict[str, Any] = {
        "item_id": item,
        "type": "choice",
        "content_hash": "h1",
        "seed": 5,
        "answer": "b",
        "auto_score": 0.0 if grade == 1 else 1.0,
        "auto_grade": grade,
        "grade": grade,
        "duration_ms": 12_000,
        "expected_seconds": 30.0,
        "confidence": 2,
    }
    values.update(changes)
    return Review(**values)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "drill.sqlite3"


@pytest.fixture
def opened(path: Path, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens further stores on the same file."""
    stores: list[Store] = []

    def open_store() -> Store:
        stores.append(Store.open(path, clock=clock))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()

"""Answers written by hand, as the statistics read them."""

from __future__ import annotations

from typing import Any

from drill.domain.statistics.evidence import Given

DAY = 19_999
"""A study day: Thursday, 2024-10-03."""


def given(item: str = "a", day: int = 0, grade: int = 3, **changes: Any) -> Given:
    """An answer on day `DAY + day`; a grade of 1 has no score, others a full one."""
    values: dict[str, Any] = {
        "at": f"2024-10-03T10:00:00.{day:06d}Z",
        "offset_minutes": 0,
        "study_day": DAY + day,
        "other_day": None,
        "item_id": item,
        "type": "choice",
        "mode": "session",
        "seconds": 30.0,
        "expected": 20.0,
        "confidence": 2,
        "score": 0.0 if grade == 1 else 1.0,
        "grade": grade,
        "by_hand": False,
        "overruled": False,
        "recall": 0.9,
        "stability": 10.0,
        "elapsed": 1,
    }
    return Given(**{**values, **changes})

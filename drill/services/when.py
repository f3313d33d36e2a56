"""Days as a person says them."""

from __future__ import annotations


def in_words(day: int | None, today: int) -> str:
    """`today`, `tomorrow`, `in 5 days`, `in 3 weeks`, `in 4 months`."""
    if day is None:
        return "when it is new again"
    left = day - today
    if left <= 0:
        return "today"
    if left == 1:
        return "tomorrow"
    if left < 14:
        return f"in {left} days"
    if left < 60:
        return f"in {round(left / 7)} weeks"
    return f"in {round(left / 30)} months"

"""What the learner told drill about themselves; kept with the data, so that it travels with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from drill.domain.questions import LEVELS, ROLES, Level, Role

SETTING = "profile"


class ProfileError(ValueError):
    """A value that cannot be taken; the message says what can."""


class Profile(Struct, frozen=True):
    """Every field may be skipped; the defaults suit a mid-level engineer without a date."""

    interview: str = ""
    """ISO date, empty without one."""
    minutes: int = 20
    """Minutes a day."""
    role: Role | None = None
    level: Level = "mid"
    done: bool = False
    """The first run was gone through, skipped or not."""
    placed: bool = False

    @property
    def interview_date(self) -> date | None:
        """The date of the interview, if there is one."""
        return date.fromisoformat(self.interview) if self.interview else None

    def days_left(self, today: date) -> int | None:
        """Days until the interview; None without a date or when it is over."""
        day = self.interview_date
        return (day - today).days if day is not None and day >= today else None


def load(get: Callable[[str, Any], Any]) -> Profile:
    """The stored profile; unknown fields of a newer version are left alone."""
    stored = get(SETTING, {}) or {}
    known = Profile.__struct_fields__
    return Profile(**{k: v for k, v in stored.items() if k in known})


def to_json(profile: Profile) -> dict[str, Any]:
    """JSON form."""
    return asdict(profile)


def read_date(text: str, today: date) -> str:
    """An interview date from `2026-12-20`, `20.12.2026` or `21 days`; `12/20` is ambiguous.

    Raises:
        ProfileError: not a date, or one that is over.
    """
    words = text.strip().lower()
    if not words:
        return ""
    day: date | None = None
    number = words.split()[0].removeprefix("+")
    if number.isdigit() and (words.endswith(("days", "day", "d", "weeks", "week", "w"))):
        from datetime import timedelta

        unit = 7 if "w" in words else 1
        day = today + timedelta(days=int(number) * unit)
    else:
        parts = words.split(".")
        if len(parts) == 3 and all(part.isdigit() for part in parts):
            words = f"{int(parts[2]):04d}-{int(parts[1]):02d}-{int(parts[0]):02d}"
        try:
            day = date.fromisoformat(words)
        except ValueError as error:
            raise ProfileError(
                "A date is 2026-12-20 (year-month-day), 20.12.2026, or `21 days`."
            ) from error
    if day < today:
        raise ProfileError(f"{day.isoformat()} is over.")
    return day.isoformat()


def read_minutes(text: str) -> int:
    """Minutes a day, 5 to 240.

    Raises:
        ProfileError: not a number, or out of range.
    """
    word = text.strip().split(" ")[0]
    if not word.isdigit() or not 5 <= int(word) <= 240:
        raise ProfileError("Minutes a day are a whole number from 5 to 240.")
    return int(word)


def known_level(text: str) -> Level:
    """A level by name.

    Raises:
        ProfileError: unknown.
    """
    for level in LEVELS:
        if level == text:
            return level
    raise ProfileError(f"levels: {', '.join(LEVELS)}")


def known_role(text: str) -> Role | None:
    """A role by name; None for `any`.

    Raises:
        ProfileError: unknown.
    """
    for role in ROLES:
        if role == text:
            return role
    if text in ("", "any", "all"):
        return None
    raise ProfileError(f"roles: {', '.join(ROLES)}, any")

"""Words of the report that several of its parts say alike."""

from __future__ import annotations

from collections.abc import Sequence


def percent(value: float | None) -> str:
    """`81%` of a fraction; a dash for None. What is neither none nor all is never said to be."""
    if value is None:
        return "–"
    whole = round(100 * value)
    if whole == 100 and value < 1:
        whole = 99
    if whole == 0 and value > 0:
        return "<1%"
    return f"{whole}%"


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def spelled(count: int) -> str:
    """`three`, `ten`, `11`: small numbers in words."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def duration(minutes: float) -> str:
    """`40 s`, `12 min`, `3.5 h`, `41 h`."""
    if minutes < 1:
        return f"{round(60 * minutes)} s"
    if minutes < 90:
        return f"{round(minutes)} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 10 else f"{round(hours)} h"


def joined(texts: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def of(title: str) -> str:
    """A topic's title inside a sentence: `the inference loop`, but `UNet and DiT`."""
    if title.startswith("The "):
        return "the " + title[4:]
    first, rest = title[:1], title[1:]
    word = title.split(" ")[0].rstrip(",")
    return first.lower() + rest if word[1:].islower() and word.replace("-", "").isalpha() else title


def sentence(text: str) -> str:
    """A text with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…:" else f"{text}."

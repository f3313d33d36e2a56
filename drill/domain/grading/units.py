"""Units of numeric answers: what they measure, and how compatible ones convert.

Decimal prefixes are powers of 1000 (GB = 1e9 bytes), binary ones of 1024 (GiB = 2**30 bytes).
A multiply-accumulate is two floating-point operations (MAC = 2 FLOP).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BYTES = "an amount of data"
TIME = "a time"
OPERATIONS = "a number of operations"
RATIO = "a plain number"
COUNT = "a count"


class UnitError(ValueError):
    """The unit cannot be read, or cannot be converted; the message is for the learner."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `value` of it is `value * factor` of the base unit of its dimension."""

    dimension: str
    factor: float = 1.0
    noun: str = ""
    """What is counted, where it is a count: `calls`."""

    @property
    def physical(self) -> bool:
        """Whether a wrong power of ten is a slip of the unit rather than another count."""
        return self.dimension not in (COUNT, RATIO) or self.factor != 1.0


_DECIMAL = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}

_SCALES: dict[str, float] = {
    "k": 1e3,
    "thousand": 1e3,
    "M": 1e6,
    "mio": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "B": 1e9,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "g": 1e9,
    "G": 1e9,
    "T": 1e12,
    "t": 1e12,
    "trillion": 1e12,
    "trillions": 1e12,
}

_NOUNS: dict[str, tuple[str, ...]] = {
    "calls": ("call", "forward call", "invocation", "pass", "forward pass", "forward", "time"),
    "steps": ("step", "iteration", "iter", "timestep", "denoising step"),
    "evaluations": ("evaluation", "eval", "nfe", "function evaluation", "sample evaluation"),
    "parameters": ("parameter", "param", "weight"),
    "images": ("image", "img", "picture", "sample"),
    "tokens": ("token", "tok"),
    "pixels": ("pixel", "px"),
    "layers": ("layer",),
    "blocks": ("block",),
    "heads": ("head",),
    "channels": ("channel", "ch"),
    "requests": ("request", "req"),
    "GPUs": ("gpu",),
}
_JOINING = {"minus", "plus", "or", "and", "to", "than", "not", "half", "dozen", "hundred"}
"""Words that change the number before them; a phrase with one of them is not a unit."""
_NOUN_OF = {name: family for family, names in _NOUNS.items() for name in names}


def _table() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for name in ("B", "byte", "bytes"):
        units[name] = Unit(BYTES)
    for prefix, factor in {"": 1.0, **_DECIMAL}.items():
        units[f"{prefix}bit"] = units[f"{prefix}bits"] = Unit(BYTES, factor / 8)
    for prefix, factor in (_DECIMAL | _BINARY).items():
        for name in (f"{prefix}B", f"{prefix.upper()}B"):
            units[name] = Unit(BYTES, factor)
    for word, letter in (("kilo", "k"), ("mega", "M"), ("giga", "G"), ("tera", "T")):
        units[f"{word}byte"] = units[f"{word}bytes"] = Unit(BYTES, _DECIMAL[letter])
    for word, letter in (("kibi", "Ki"), ("mebi", "Mi"), ("gibi", "Gi"), ("tebi", "Ti")):
        units[f"{word}byte"] = units[f"{word}bytes"] = Unit(BYTES, _BINARY[letter])
    for names, factor in (
        (("s", "sec", "secs", "second", "seconds"), 1.0),
        (("ms", "msec", "millisecond", "milliseconds"), 1e-3),
        (("us", "usec", "microsecond", "microseconds"), 1e-6),
        (("ns", "nsec", "nanosecond", "nanoseconds"), 1e-9),
        (("min", "mins", "minute", "minutes"), 60.0),
        (("h", "hr", "hrs", "hour", "hours"), 3600.0),
        (("d", "day", "days"), 86400.0),
    ):
        for name in names:
            units[name] = Unit(TIME, factor)
    for prefix, factor in {"": 1.0, **_DECIMAL}.items():
        for name in ("FLOP", "FLOPs", "OP", "OPs"):
            units[prefix + name] = Unit(OPERATIONS, factor)
        for name in ("MAC", "MACs"):
            units[prefix + name] = Unit(OPERATIONS, 2 * factor)
    for name in ("%", "percent", "pct", "per cent", "percents"):
        units[name] = Unit(RATIO, 0.01)
    for name in ("x", "times", "fold", "-fold", "×"):
        units[name] = Unit(RATIO)
    units["‰"] = units["permille"] = Unit(RATIO, 0.001)
    units["ppm"] = Unit(RATIO, 1e-6)
    for prefix, factor in {"": 1.0, **_DECIMAL}.items():
        units[f"{prefix}Hz"] = Unit("a frequency", factor)
        units[f"{prefix}W"] = Unit("a power", factor)
        units[f"{prefix}J"] = Unit("an energy", factor)
    units["mW"] = Unit("a power", 1e-3)
    units["Wh"], units["kWh"] = Unit("an energy", 3600.0), Unit("an energy", 3.6e6)
    units["dB"] = Unit("a level in decibels")
    for name in ("$", "USD", "dollar", "dollars"):
        units[name] = Unit("a sum of money")
    for name in ("cent", "cents", "ct"):
        units[name] = Unit("a sum of money", 0.01)
    return units


_UNITS = _table()
_FOLDED: dict[str, Unit] = {}
for _name, _unit in _UNITS.items():
    _FOLDED.setdefault(_name.casefold(), _unit)


def read_unit(text: str, key: Unit | None = None) -> Unit:
    """Return the unit that `text` names; the empty text is a plain number.

    `key` is the unit that the question asks for; it decides what a bare `B`, `G` or `x` means
    (bytes or billions, gigabytes or billions).

    Raises:
        UnitError: two readings are possible, or the text is no unit.
    """
    name = " ".join(text.replace("µ", "u").replace("μ", "u").split()).strip(" .,;!")
    name = re.sub(r"\s+(?:per|a|each)\s+", "/", name, flags=re.IGNORECASE)
    name = re.sub(r"\s*/\s*", "/", name)
    if not name:
        return Unit(RATIO)
    if "/" in name and name.casefold() not in _FOLDED:
        return _compound(name, key)
    if name in ("B", "b") and (key is None or key.dimension in (COUNT, RATIO)):
        return Unit(COUNT, 1e9)
    if key and "/" in key.dimension and re.fullmatch(r"[kMGTP]?(?:FLOPS|OPS)", name):
        # TFLOPS: the capital S is `per second`.
        return _compound(name[:-1] + "s/s", key)
    if name == "times" and key and key.dimension == COUNT:
        return Unit(COUNT, noun="times")
    if name in _UNITS:
        return _UNITS[name]
    if name.casefold() in ("m",) and name != "M":
        raise UnitError("`m` can be milli, minutes or millions; write `ms`, `min` or `M`")
    if name.casefold() in _FOLDED:
        return _FOLDED[name.casefold()]
    return _scaled_or_counted(name, key)


def _scaled_or_counted(name: str, key: Unit | None) -> Unit:
    first, _, rest = name.partition(" ")
    scale = _SCALES.get(first, _SCALES.get(first.casefold()))
    if first == "m" and rest:
        scale = 1e6
    if scale is None:
        joined = re.fullmatch(r"([kKMmGgBbTt])([a-z]{2,})", first)
        if joined and _family(joined.group(2)) in _NOUNS:
            prefix = joined.group(1)
            scale = _SCALES[prefix.upper() if prefix in "mg" else prefix.replace("K", "k")]
            rest = name[1:]
    if scale is None:
        words = name.casefold().split()
        if not re.fullmatch(r"[^\W\d_][\w' -]*", name) or len(words) > 4 or _JOINING & {*words}:
            raise UnitError(f"`{name}` is not a unit")
        return Unit(COUNT, noun=_family(name))
    if not rest:
        if key and key.dimension in (BYTES, OPERATIONS):
            return Unit(key.dimension, scale)
        return Unit(COUNT, scale)
    unit = read_unit(rest, Unit(BYTES) if rest.casefold() == "b" else key)
    return Unit(unit.dimension, unit.factor * scale, unit.noun)


def _compound(name: str, key: Unit | None) -> Unit:
    above, _, below = name.partition("/")
    if "/" in below:
        raise UnitError(f"`{name}` has more than one `/`")
    top, bottom = read_unit(above or "x"), read_unit(below or "x")
    if not below:
        raise UnitError(f"`{name}` ends in `/`")
    return Unit(
        f"{top.dimension} / {bottom.dimension}",
        top.factor / bottom.factor,
        # `img/s` and `images/s` are one unit, `steps/s` is another.
        "/".join(n for n in (top.noun, bottom.noun) if n),
    )


def _family(words: str) -> str:
    """Return what a phrase counts: the family of its last known word, else the phrase."""
    phrase = words.casefold().strip()
    last = phrase.split()[-1]
    for name in (phrase, last, _singular(last)):
        if name in _NOUN_OF:
            return _NOUN_OF[name]
    return _singular(phrase)


def _singular(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def conversion(given: Unit, key: Unit, given_text: str, key_text: str) -> float:
    """Return by what a value in `given` is multiplied to be in `key`.

    Raises:
        UnitError: they measure different things.
    """
    plain = (COUNT, RATIO)
    same = given.dimension == key.dimension or (given.dimension in plain and key.dimension in plain)
    if same and given.dimension == COUNT and key.dimension == COUNT:
        # Two known nouns name two counts; an unknown noun is taken as the asked one.
        known = given.noun in _NOUNS and key.noun in _NOUNS
        same = not (known and given.noun != key.noun)
    elif same and "/" in given.dimension:
        same = given.noun == key.noun or not (given.noun and key.noun)
    if same and given.dimension != key.dimension and key.dimension == COUNT:
        same = given.factor == 1.0
    if not same:
        wanted = f"in {key_text}" if key_text else "a plain number"
        if given.dimension == COUNT and given.noun:
            raise UnitError(f"`{given_text}` counts something else; the answer is {wanted}")
        raise UnitError(f"`{given_text}` is {given.dimension}, and the answer is {wanted}")
    return given.factor / key.factor

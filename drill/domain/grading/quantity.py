"""Reading a number, with or without a unit, as people type them."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from drill.domain.grading.units import UnitError, conversion, read_unit

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUPERSCRIPT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_LEAD = re.compile(
    r"^\s*(?:(?:~|≈|≃|≅|∼|=|about|approx(?:imately)?\.?|around|roughly|circa|ca\.|c\.)\s*)+",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^[^\W\d][\w ]{0,30}[=≈~]\s*(?=[-+.0-9~≈(])")
_SPELLED = re.compile(r"[0-9](?:[0-9,.'_ ]*[0-9])?")
"""Digits and everything that may group them, to say what is wrong with the grouping."""
_NUMBER = re.compile(
    r"""
    (?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9]) | [0-9]{1,3}(?:'[0-9]{3})+(?![0-9])
      | [0-9]{1,3}(?:\ [0-9]{3})+(?![0-9]) | [0-9]+(?:_[0-9]+)+ | [0-9]+ )?
    (?P<fraction>\.[0-9]*)?
    (?P<exponent>[eE][-+]?[0-9]+)?
    """,
    re.VERBOSE,
)
_OPERATOR = re.compile(r"\*\*|[-+*/^()]")
_TIMES = re.compile(r"[x×]\s*(?=[0-9.(])", re.IGNORECASE)
_RANGE = re.compile(r"^[0-9.,]+\s*(?:-|\.\.\.?|to|or)\s*[0-9.,]+")


class QuantityError(ValueError):
    """The text is not one number that can be read; the message is for the learner."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as read, in the unit of the key."""

    value: float
    understood: str
    """How it was read, in words for the learner."""
    note: str = ""
    """What was assumed, such as the unit."""


def read_quantity(text: str, key_unit: str) -> Quantity:
    """Read `text` as a number in `key_unit` (which may be empty).

    Raises:
        QuantityError: not a number, an ambiguous one, or a unit that measures something else.
        UnitError: `key_unit` itself is no unit.
    """
    number, unit_text = split_number(text)
    wanted = read_unit(key_unit)
    try:
        if key_unit and not unit_text:
            return Quantity(
                number, with_unit(number, key_unit), f"No unit was given; read in {key_unit}."
            )
        given = read_unit(unit_text, wanted)
        factor = conversion(given, wanted, unit_text, key_unit)
    except UnitError as error:
        raise QuantityError(f"{error}.") from None
    value = number * factor
    if not math.isfinite(value):
        raise QuantityError("The number is too large.")
    understood = with_unit(value, key_unit, abs(value) * 1e-4)
    if factor != 1.0:
        understood = f"{with_unit(number, unit_text)} = {understood}"
    return Quantity(value, understood)


def split_number(text: str) -> tuple[float, str]:
    """Return the number at the beginning of `text` and what follows it.

    The number is a literal or an arithmetic expression: `1,024`, `3e-4`, `3x10^-4`, `1/3`,
    `2**20`, `2*20 - 1`.

    Raises:
        QuantityError: there is no number, or two readings are possible.
    """
    plain = _plain(text)
    if not re.search(r"[0-9]", plain):
        raise QuantityError(f"`{_short(text)}` holds no number.")
    if _RANGE.match(plain) and not re.search(r"[*/^(]", plain):
        raise QuantityError(f"`{_short(text)}` is a range or a choice; give one number.")
    if re.match(r"[-+(]*0[xX][0-9a-fA-F]", plain):
        raise QuantityError(f"`{_short(text)}` is hexadecimal; write a decimal number.")
    terms: list[str] = []
    place = 0
    complete = False
    """Whether what was read so far can stand alone."""
    while place < len(plain):
        times = _TIMES.match(plain, place)
        sign = _OPERATOR.match(plain, place)
        if plain[place] == " ":
            place += 1
        elif re.match(r"\.?[0-9]", plain[place:]) and not complete:
            literal, place = _literal(plain, place)
            terms.append(literal)
            complete = True
        elif times and complete:
            terms.append("*")
            place = times.end()
            complete = False
        elif sign and (not complete or _continues(plain, sign)):
            terms.append("**" if sign.group() == "^" else sign.group())
            complete = sign.group() == ")"
            place = sign.end()
        else:
            break
    rest = plain[place:].strip()
    if not complete:
        raise QuantityError(f"`{_short(text)}` does not begin with a number.")
    if rest[:1] == "(" or re.search(r"[0-9]", rest):
        raise QuantityError(f"`{_short(text)}` holds more than one number.")
    return _value(terms, text), rest


def number_text(value: float, within: float = 0.0) -> str:
    """Write a number in the fewest digits (at least 4) that keep it within `within` of itself.

    Whole numbers below 1e15 are grouped by commas: `859,520,964`.
    """
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    for digits in range(4, 18):
        said = f"{value:.{digits}g}"
        if abs(float(said) - value) <= max(within / 10, abs(value) * 1e-15):
            break
    mantissa, _, exponent = said.partition("e")
    if exponent and not 0 < int(exponent) < 15:
        return f"{mantissa}e{int(exponent)}"
    return f"{Decimal(said):,f}"


def with_unit(value: float, unit: str, within: float = 0.0) -> str:
    """Write a number and its unit."""
    return f"{number_text(value, within)} {unit}".strip()


def _plain(text: str) -> str:
    text = _SUPERSCRIPT.sub(lambda m: "^" + m.group().translate(_SUPERSCRIPTS), text.strip())
    for char in set(text):
        if unicodedata.decomposition(char).startswith("<fraction>"):
            raise QuantityError(f"Write `{char}` as a fraction or with a decimal point.")
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[−–—‐‑﹣]", "-", text)
    text = re.sub("[·⋅∙•∗]", "*", text)
    text = re.sub("[\u2018\u2019]", "'", text).replace("÷", "/").replace("⁄", "/")
    text = re.sub(r"\s+", " ", text).strip("`$ ")
    text = _LEAD.sub("", text)
    return _LEAD.sub("", _NAMED.sub("", text)).rstrip(" .,;!")


def _continues(plain: str, sign: re.Match[str]) -> bool:
    """Whether an operator after a number goes on with it; the `/` of `5 /s` begins a unit."""
    return sign.group() == ")" or bool(re.match(r"\s*[-+(0-9.]", plain[sign.end() :]))


def _literal(plain: str, place: int) -> tuple[str, int]:
    """Return one literal in Python's spelling and where it ends."""
    found = _NUMBER.match(plain, place)
    assert found
    whole, fraction, exponent = found.group("whole", "fraction", "exponent")
    spelled = _SPELLED.match(plain, place)
    seen = spelled.group() if spelled else found.group()
    grouped = re.fullmatch(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?", seen)
    if re.search(r",\s", seen):
        raise QuantityError(f"`{seen}` is more than one number.")
    if "," in seen and not grouped:
        point = "" if "." in seen else f" (`{seen.replace(',', '.', 1)}`)"
        raise QuantityError(
            f"`{seen}` can be read in two ways: the decimal sign is a point{point}, and "
            "thousands are groups of three (`1,024`)."
        )
    follows = plain[found.end() : found.end() + 2]
    if re.match(r"[._',][0-9]", follows):
        raise QuantityError(f"`{seen}` is not written as one number.")
    if re.match(r" [0-9]", follows):
        raise QuantityError(f"`{seen}` is more than one number, or oddly grouped.")
    digits = re.sub(r"[,_' ]", "", whole or "0").lstrip("0") or "0"
    return digits + (fraction or "") + (exponent or ""), found.end()


def _value(terms: list[str], text: str) -> float:
    from drill.domain.expressions import ExpressionError, parse

    signs = 0
    while signs < len(terms) and terms[signs] in "+-":
        signs += 1
    if len(terms) == signs + 1:
        # A plain literal does not need the evaluator.
        try:
            value = float(terms[-1])
        except ValueError:
            raise QuantityError(f"`{_short(text)}` is not a number.") from None
        if not math.isfinite(value):
            raise QuantityError("The number is too large.")
        return -value if terms[:signs].count("-") % 2 else value
    try:
        return parse(" ".join(terms)).number_at({})
    except ExpressionError as error:
        raise QuantityError(f"`{_short(text)}` has no value: {error}.") from None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"

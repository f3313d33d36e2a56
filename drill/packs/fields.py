"""The fields of a question file: small types with their checks and the words for their errors."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from drill.packs.render import shown_number

PREFIXES: dict[str, str] = {
    "overview": "ov",
    "objective": "obj",
    "process": "fr",
    "backbone": "bb",
    "scheduler": "sc",
    "cfg": "cfg",
    "vae": "vae",
    "conditioning": "te",
    "pipeline": "pi",
    "loop": "lp",
    "memory": "op",
    "adapters": "ad",
    "serving": "sv",
}
"""Topic to the prefix of its ids."""

Topic = Literal[
    "overview",
    "objective",
    "process",
    "backbone",
    "scheduler",
    "cfg",
    "vae",
    "conditioning",
    "pipeline",
    "loop",
    "memory",
    "adapters",
    "serving",
]
"""The keys of `drill.domain.questions.TOPICS`, in their order."""

MAX_VARIANTS = 48
ID = r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+"
PART_ID = r"[a-z0-9]+([-_][a-z0-9]+)*"
BELIEF_ID = r"[a-z]+\.[A-Za-z0-9]+([-_]+[A-Za-z0-9]+)*"
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
LAB = r"[a-z][a-z0-9_]*"
DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+"


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty_text", "the text is empty", {"wanted": "some text"})
    return value.rstrip()


def _block(value: str) -> str:
    """Code keeps its first indent; blank lines around it say nothing."""
    return _text(value.lstrip("\n")).expandtabs(4)


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError(
            "bare_bool", "a bare `true` or `false` is no text", {"wanted": "text in quotes"}
        )
    if isinstance(value, int | float):
        return shown_number(value)
    return value


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "not a finite number", {"wanted": "a number"})
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("no_number", "not a number", {"wanted": "a number"})
    return float(value)


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _expression(value: object) -> object:
    """A number stays one; a string is an expression."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError(
            "no_expression", "neither a number nor an expression", {"wanted": "a number or text"}
        )
    if isinstance(value, str) and not value.strip():
        raise PydanticCustomError("empty_text", "the text is empty", {"wanted": "an expression"})
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "not a finite number", {"wanted": "a number"})
    return value


def _number_key(value: object) -> object:
    """`key` of a number: `{by: param, value: expression, ...}` or one expression."""
    if not isinstance(value, dict):
        return _expression(value)
    if not isinstance(value.get("by"), str):
        raise PydanticCustomError(
            "no_by", "the mapping does not say by which param it chooses", {"wanted": "`by: PARAM`"}
        )
    if len(value) < 2:
        raise PydanticCustomError(
            "no_cases", "no value of the param is listed", {"wanted": "an expression a value"}
        )
    return {k: v if k == "by" else _expression(v) for k, v in value.items()}


def _ranges(value: object) -> object:
    if isinstance(value, list) and len(value) == 2:
        low, high = (_finite(v) for v in value)
        if low < high:  # type: ignore[operator]
            return [low, high]
    raise PydanticCustomError(
        "no_range", "not a range", {"wanted": "two numbers, the lower one first: `[0.05, 0.95]`"}
    )


def _param(value: object) -> object:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise PydanticCustomError("no_param", "not a param's value", {"wanted": "text or a number"})


WANTED: dict[str, str] = {}
"""Pattern to what it stands for, for messages."""


def matching(pattern: str, wanted: str) -> Any:
    """A constraint: the whole text fits the pattern, which `wanted` says in words."""
    anchored = f"^(?:{pattern})$"
    WANTED[anchored] = wanted
    return Field(pattern=anchored)


Text = Annotated[str, AfterValidator(_text)]
Block = Annotated[str, AfterValidator(_block)]
Scalar = Annotated[
    str, BeforeValidator(_scalar, json_schema_input_type=str | int | float), AfterValidator(_text)
]
Strings = Annotated[
    list[Text], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
]
Finite = Annotated[float, BeforeValidator(_finite, json_schema_input_type=float)]
Expression = Annotated[Any, BeforeValidator(_expression, json_schema_input_type=str | float)]
NumberKey = Annotated[
    Any,
    BeforeValidator(_number_key, json_schema_input_type=str | float | dict[str, str | float]),
]
Range = Annotated[list[float], BeforeValidator(_ranges, json_schema_input_type=list[float])]
ParamValue = Annotated[
    Any, BeforeValidator(_param, json_schema_input_type=str | int | float | bool)
]
ItemId = Annotated[str, matching(ID, "an id such as `cfg.calls-by-scheduler`")]
Sibling = Annotated[str, matching(rf"([a-z0-9-]+:)?{ID}", "an id such as `cfg.calls-by-scheduler`")]
Confusable = Annotated[str, matching(rf"([a-z0-9-]+:)?{ID}|[a-z]+", "a topic or an id")]
PartId = Annotated[
    str,
    matching(PART_ID, "an id such as `too-clean`"),
    Field(min_length=2, description="At least two characters: single letters are the answer keys."),
]
BeliefId = Annotated[
    str, matching(BELIEF_ID, "an id of the registry such as `cfg.order_cond_first`")
]
Name = Annotated[str, matching(NAME, "a Python name")]
Dotted = Annotated[str, matching(DOTTED, "a dotted name such as `diffusers.DDIMScheduler.step`")]
Line = Annotated[int, Field(ge=1)]
Seconds = Annotated[Finite, Field(gt=0, le=3600)]

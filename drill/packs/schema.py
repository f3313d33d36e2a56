"""The YAML of a question file as pydantic models, one model an answer type.

Unknown keys are refused everywhere. What one field alone can be wrong about is checked here; what
two fields say against each other is checked in `drill.packs.rules`. Only imported when a pack has
changed, or when the JSON Schema is asked for.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
)
from pydantic_core import PydanticCustomError

from drill.domain.questions import ROLES, Level, Relevance, Role, Weight
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


def _tolerance(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"abs": value}
    return value


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


def _matching(pattern: str, wanted: str) -> Any:
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
ItemId = Annotated[str, _matching(ID, "an id such as `cfg.calls-by-scheduler`")]
Sibling = Annotated[
    str, _matching(rf"([a-z0-9-]+:)?{ID}", "an id such as `cfg.calls-by-scheduler`")
]
Confusable = Annotated[str, _matching(rf"([a-z0-9-]+:)?{ID}|[a-z]+", "a topic or an id")]
PartId = Annotated[
    str,
    _matching(PART_ID, "an id such as `too-clean`"),
    Field(min_length=2, description="At least two characters: single letters are the answer keys."),
]
BeliefId = Annotated[
    str, _matching(BELIEF_ID, "an id of the registry such as `cfg.order_cond_first`")
]
Name = Annotated[str, _matching(NAME, "a Python name")]
Dotted = Annotated[str, _matching(DOTTED, "a dotted name such as `diffusers.DDIMScheduler.step`")]
Line = Annotated[int, Field(ge=1)]
Seconds = Annotated[Finite, Field(gt=0, le=3600)]
Positive = Annotated[Finite, Field(gt=0)]


class Model(BaseModel):
    """Strict: a number is no text, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Feedback(Model):
    """What a wrong way of answering gets to hear."""

    says: Text = Field("", description="What the learner reads when they fall for this.")
    misconception: BeliefId = Field("", description="Id in reference/misconceptions.yaml.")


class OptionModel(Feedback):
    """One option."""

    text: Scalar = Field(description="What the learner reads.")
    id: PartId | None = Field(None, description="Stable name; by default its place: `option-1`.")
    right: bool = Field(False, description="Whether it is a right option.")


class ValueFaultModel(Feedback):
    """A wrong answer that means something."""

    value: Scalar = Field(description="As the learner would write it.")


class NumberFaultModel(Feedback):
    """A wrong number that means something."""

    value: Expression = Field(description="Number, or expression of the params and of `key`.")
    when: Text = Field("", description="Expression: the fault is known only where it is true.")


class LineFaultModel(Feedback):
    """A wrong line that means something: by its number, or by text that only it contains."""

    line: Line | None = None
    pattern: Text | None = None


class PaperSource(Model):
    """A paper."""

    paper: Annotated[
        str, _matching(r"arXiv:\d{4}\.\d{4,5}|doi:\S+", "`arXiv:2207.12598` or `doi:...`")
    ]
    eq: Scalar = Field("", description="Number of the equation.")
    section: Scalar = ""


class SymbolSource(Model):
    """A symbol of an installed package."""

    symbol: Dotted


class DocSource(Model):
    """A page of documentation, by title or path."""

    doc: Text
    section: Scalar = ""


class TextSource(Model):
    """Anything else, in words."""

    text: Text


_SOURCES: dict[str, type[Model]] = {
    "paper": PaperSource,
    "symbol": SymbolSource,
    "doc": DocSource,
    "text": TextSource,
}


SOURCE_MODELS: dict[str | int, type[Model]] = {m.__name__: m for m in _SOURCES.values()}


def _source_kind(value: object) -> str | None:
    if isinstance(value, Model):
        return type(value).__name__
    given = [k for k in _SOURCES if isinstance(value, dict) and k in value]
    return _SOURCES[given[0]].__name__ if len(given) == 1 else None


AnySource = Annotated[
    Annotated[PaperSource, Tag("PaperSource")]
    | Annotated[SymbolSource, Tag("SymbolSource")]
    | Annotated[DocSource, Tag("DocSource")]
    | Annotated[TextSource, Tag("TextSource")],
    Discriminator(
        _source_kind,
        custom_error_type="no_source",
        custom_error_message="a source says exactly one of `paper`, `symbol`, `doc` and `text`",
        custom_error_context={"wanted": "such as `{paper: arXiv:2006.11239, eq: 14}`"},
    ),
]


class ExcerptModel(Model):
    """A part of the source of an installed package, found by symbol and pattern."""

    symbol: Dotted
    around: Text = Field(description="Text that stands in exactly one line of the symbol's source.")
    before: int = Field(8, ge=0, le=60)
    after: int = Field(8, ge=0, le=60)


class ExperimentModel(Model):
    """The experiment that shows the explanation, and its claim."""

    name: Annotated[str, _matching(PART_ID, "a name such as `cfg-sweep`")]
    claim: Annotated[str, _matching(PART_ID, "a name such as `adherence-peaks-between`")]
    params: dict[str, Any] = Field(default_factory=dict)


class Item(Model):
    """What every item has."""

    id: ItemId = Field(description="`<prefix>.<slug>`; stable for ever, unique in the pack.")
    topic: Topic
    level: Level
    relevance: Relevance
    type: Any
    roles: list[Role] = Field(list(ROLES), min_length=1)
    seconds: Seconds | None = Field(None, description="Expected time of a first answer.")
    prompt: Text = Field(description="A situation and a question; blank lines make paragraphs.")
    code: Block | None = Field(None, description="Code shown with the prompt.")
    lang: Annotated[str, _matching(r"[a-z0-9+-]+", "a language such as `python`")] = "python"
    source: ExcerptModel | None = Field(None, description="Code cut from an installed package.")
    hints: list[Text] = Field([], max_length=3, description="From gentle to nearly there.")
    explanation: Text = Field(description="Why the key is the key, in 2 to 8 sentences.")
    sources: list[AnySource] = Field(min_length=1)
    experiment: ExperimentModel | None = None
    follow_up: Strings = Field([], description="What an interviewer would ask next.")
    siblings: list[Sibling] = Field([], description="Ids of items that give this one away.")
    confusable: list[Confusable] = Field([], description="Topics or ids learners mix up with it.")
    variants: dict[
        Annotated[str, _matching(NAME, "a Python name")],
        Annotated[list[ParamValue], Field(min_length=1)],
    ] = Field({}, description=f"Params and their values; the grid has at most {MAX_VARIANTS}.")
    proof: Name | None = Field(None, description="Function in proofs.py, or `code` or `source`.")
    misconception: BeliefId = Field("", description="The belief that this item tests.")


class ChoiceItem(Item):
    """One right option among 3 to 6."""

    type: Literal["choice"]
    options: list[OptionModel] = Field(min_length=3, max_length=6)


class ChoicesItem(Item):
    """One or more right options among 3 to 6."""

    type: Literal["choices"]
    options: list[OptionModel] = Field(min_length=3, max_length=6)


class ToleranceModel(Model):
    """How far a number may lie from the key."""

    rel: Annotated[Finite, Field(ge=0, lt=1)] = 0.0
    abs: Annotated[Finite, Field(ge=0)] = 0.0


class NumberItem(Item):
    """A number with a unit and a tolerance."""

    type: Literal["number"]
    key: NumberKey = Field(description="Number, expression, or `{by: param, value: expression}`.")
    unit: Text = ""
    tolerance: Annotated[
        ToleranceModel,
        BeforeValidator(_tolerance, json_schema_input_type=float | ToleranceModel),
    ] = Field(description="`0`, a bare absolute number, `{rel: .01}` or `{abs: .5}`.")
    given: Text = Field("", description="A formula that the learner may use.")
    faults: list[NumberFaultModel] = []


class ShapeItem(Item):
    """A tensor's shape, in numbers or symbols."""

    type: Literal["shape"]
    key: Annotated[str, _matching(r"\[.*\]", 'a quoted shape such as "[2, 4, 64, 64]"')]
    faults: list[ValueFaultModel] = []


class ShortItem(Item):
    """A term."""

    type: Literal["short"]
    accept: list[Scalar] = Field(min_length=1)
    others: list[ValueFaultModel] = Field([], description="Known wrong terms.")


class FormulaItem(Item):
    """An expression, judged by its values at random points."""

    type: Literal["formula"]
    key: Text
    variables: dict[Annotated[str, _matching(NAME, "a Python name")], Range] = Field(min_length=1)
    faults: list[ValueFaultModel] = []


class PointModel(Model):
    """One point of a rubric."""

    id: PartId
    statement: Text
    weight: Weight
    accept: list[Text] = Field(min_length=1)
    unless: list[Text] = []


class BeliefModel(Model):
    """A misconception that free text may show."""

    id: BeliefId
    statement: Text
    accept: list[Text] = Field(min_length=1)
    correction: Text = ""


class ProbeModel(Model):
    """What an interviewer asks when a point is missing."""

    neutral: Text
    pointed: Text = ""


class ExplainItem(Item):
    """Free text against a rubric."""

    type: Literal["explain"]
    points: list[PointModel] = Field(min_length=1)
    misconceptions: list[BeliefModel] = []
    model_answer: Text
    probes: dict[str, ProbeModel] = {}


class StepModel(Feedback):
    """One line to put in order."""

    id: PartId
    text: Scalar
    after: list[str] | None = Field(
        None, description="Ids that come before; omitted: the step above; []: free."
    )
    distractor: bool = False


class OrderItem(Item):
    """Steps, listed here in a right order."""

    type: Literal["order"]
    steps: list[StepModel] = Field(min_length=3, max_length=14)


class LineKey(Model):
    """The line or lines to pick."""

    line: Line | None = None
    lines: list[Line] | None = Field(None, min_length=1)
    pattern: Text | None = None
    patterns: list[Text] | None = Field(None, min_length=1)


class LineItem(Item):
    """Pick the line or lines in the code shown."""

    type: Literal["line"]
    key: LineKey
    faults: list[LineFaultModel] = []


class MutantKey(Model):
    """The changed line, and what stood there."""

    line: Line | None = None
    pattern: Text | None = None
    was: Text = Field(description="The original line, without its indent.")


class MutantItem(Item):
    """Find the changed line and say what breaks."""

    type: Literal["mutant"]
    key: MutantKey
    effects: list[OptionModel] = Field(min_length=2, max_length=4)
    faults: list[LineFaultModel] = []
    property: Name = Field(description="Function in proofs.py: passes for the original only.")


class OutputTolerance(Model):
    """Relative tolerance of the numbers in the output."""

    rel: Annotated[Finite, Field(ge=0, lt=1)]


class OutputItem(Item):
    """Predict what a snippet prints."""

    type: Literal["output"]
    key: Scalar = Field(description="The exact standard output.")
    tolerance: OutputTolerance | None = None
    faults: list[ValueFaultModel] = []


class CodeItem(Item):
    """Write the function."""

    type: Literal["code"]
    function: Name
    starter: Block
    solution: Block
    properties: Name = Field(description="Function in proofs.py that tests the namespace.")


class FieldModel(Model):
    """One thing to commit to before the experiment runs."""

    id: PartId
    label: Text
    choose: Annotated[list[Scalar], Field(min_length=2)] | None = None
    choose_many: Annotated[list[Scalar], Field(min_length=2)] | None = None
    number: Literal[True] | None = None
    outcome: Annotated[str, _matching(PART_ID, "the name of an outcome")] | None = Field(
        None, description="Name in the experiment's outcomes; by default the id."
    )
    tolerance: Annotated[Finite, Field(ge=0)] | None = Field(
        None, description="For a number: the relative error that counts as right."
    )
    expected: Annotated[
        list[Scalar],
        BeforeValidator(
            lambda v: v if isinstance(v, list) else [v],
            json_schema_input_type=str | float | list[str | float],
        ),
    ] = Field([], description="What the claim says must come out.")


class PredictItem(Item):
    """Commit to an outcome of a live experiment."""

    type: Literal["predict"]
    fields: list[FieldModel] = Field(min_length=1)
    transfers: Text = Field("", description="How far the outcome holds for other models.")


MODELS: dict[str, type[Item]] = {
    "choice": ChoiceItem,
    "choices": ChoicesItem,
    "number": NumberItem,
    "shape": ShapeItem,
    "short": ShortItem,
    "formula": FormulaItem,
    "explain": ExplainItem,
    "order": OrderItem,
    "line": LineItem,
    "mutant": MutantItem,
    "output": OutputItem,
    "code": CodeItem,
    "predict": PredictItem,
}

AnyItem: TypeAlias = Annotated[
    ChoiceItem
    | ChoicesItem
    | NumberItem
    | ShapeItem
    | ShortItem
    | FormulaItem
    | ExplainItem
    | OrderItem
    | LineItem
    | MutantItem
    | OutputItem
    | CodeItem
    | PredictItem,
    Field(discriminator="type"),
]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a question file, for editors that complete and check YAML."""
    made: dict[str, Any] = TypeAdapter(list[AnyItem]).json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "drill question file",
        "description": "A list of items; see docs for the meaning of the fields.",
        **made,
    }

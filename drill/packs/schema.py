"""The YAML of a question file as pydantic models, one model an answer type.

Unknown keys are refused everywhere. What one field alone can be wrong about is checked here; what
two fields say against each other is checked in `drill.packs.rules`. Only imported when a pack has
changed, or when the JSON Schema is asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from drill.domain.questions import ROLES, Axis, Level, Relevance, Role, Round
from drill.packs.fields import (
    LAB,
    MAX_VARIANTS,
    NAME,
    BeliefId,
    Block,
    Confusable,
    ItemId,
    Name,
    NumberKey,
    ParamValue,
    Range,
    Scalar,
    Seconds,
    Sibling,
    Strings,
    Text,
    Topic,
    matching,
)
from drill.packs.parts import (
    AnySource,
    BeliefModel,
    CauseModel,
    ExcerptModel,
    ExperimentModel,
    FieldModel,
    LineFaultModel,
    LineKey,
    MeasurementModel,
    Model,
    MutantKey,
    NumberFaultModel,
    OptionModel,
    OutputTolerance,
    PointModel,
    ProbeModel,
    StepModel,
    Tolerance,
    ValueFaultModel,
)


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
    lang: Annotated[str, matching(r"[a-z0-9+-]+", "a language such as `python`")] = "python"
    source: ExcerptModel | None = Field(None, description="Code cut from an installed package.")
    hints: list[Text] = Field([], max_length=3, description="From gentle to nearly there.")
    explanation: Text = Field(description="Why the key is the key, in 2 to 8 sentences.")
    sources: list[AnySource] = Field(min_length=1)
    experiment: ExperimentModel | None = None
    lab: Annotated[str, matching(LAB, "the folder of a lab, such as `cfg_reading`")] = Field(
        "", description="Lab whose questions it is one of; that of `experiment` needs no naming."
    )
    follow_up: Strings = Field([], description="What an interviewer would ask next.")
    siblings: list[Sibling] = Field([], description="Ids of items that give this one away.")
    confusable: list[Confusable] = Field([], description="Topics or ids learners mix up with it.")
    variants: dict[
        Annotated[str, matching(NAME, "a Python name")],
        Annotated[list[ParamValue], Field(min_length=1)],
    ] = Field({}, description=f"Params and their values; the grid has at most {MAX_VARIANTS}.")
    proof: Name | None = Field(None, description="Function in proofs.py, or `code` or `source`.")
    misconception: BeliefId = Field("", description="The belief that this item tests.")
    reserve: bool = Field(False, description="Kept for interviews; practice waits until one asked.")
    round: Round | None = Field(None, description="Round of an interview; by default its type's.")
    axis: Axis | None = Field(None, description="What it measures in an interview.")
    case: ItemId | None = Field(None, description="The case that it is one stage of.")
    stage: int | None = Field(None, ge=1, le=9, description="Its place in the case, from 1.")
    scenario: Text = Field("", description="On stage 1: the situation that all stages share.")


class ChoiceItem(Item):
    """One right option among 3 to 6."""

    type: Literal["choice"]
    options: list[OptionModel] = Field(min_length=3, max_length=6)


class ChoicesItem(Item):
    """One or more right options among 3 to 6."""

    type: Literal["choices"]
    options: list[OptionModel] = Field(min_length=3, max_length=6)


class NumberItem(Item):
    """A number with a unit and a tolerance."""

    type: Literal["number"]
    key: NumberKey = Field(description="Number, expression, or `{by: param, value: expression}`.")
    unit: Text = ""
    tolerance: Tolerance = Field(
        description="`0`, a bare absolute number, `{rel: .01}` or `{abs: .5}`."
    )
    given: Text = Field("", description="A formula that the learner may use.")
    faults: list[NumberFaultModel] = Field([])


class ShapeItem(Item):
    """A tensor's shape, in numbers or symbols."""

    type: Literal["shape"]
    key: Annotated[str, matching(r"\[.*\]", 'a quoted shape such as "[2, 4, 64, 64]"')]
    faults: list[ValueFaultModel] = Field([])


class ShortItem(Item):
    """A term."""

    type: Literal["short"]
    accept: list[Scalar] = Field(min_length=1)
    others: list[ValueFaultModel] = Field([], description="Known wrong terms.")


class FormulaItem(Item):
    """An expression, judged by its values at random points."""

    type: Literal["formula"]
    key: Text
    variables: dict[Annotated[str, matching(NAME, "a Python name")], Range] = Field(min_length=1)
    faults: list[ValueFaultModel] = Field([])


class ExplainItem(Item):
    """Free text against a rubric."""

    type: Literal["explain"]
    points: list[PointModel] = Field(min_length=1)
    misconceptions: list[BeliefModel] = Field([])
    model_answer: Text
    probes: dict[str, ProbeModel] = Field({})


class OrderItem(Item):
    """Steps, listed here in a right order."""

    type: Literal["order"]
    steps: list[StepModel] = Field(min_length=3, max_length=14)


class LineItem(Item):
    """Pick the line or lines in the code shown."""

    type: Literal["line"]
    key: LineKey
    faults: list[LineFaultModel] = Field([])


class MutantItem(Item):
    """Find the changed line and say what breaks."""

    type: Literal["mutant"]
    key: MutantKey
    effects: list[OptionModel] = Field(min_length=2, max_length=4)
    faults: list[LineFaultModel] = Field([])
    property: Name = Field(description="Function in proofs.py: passes for the original only.")


class OutputItem(Item):
    """Predict what a snippet prints."""

    type: Literal["output"]
    key: Scalar = Field(description="The exact standard output.")
    tolerance: OutputTolerance | None = None
    faults: list[ValueFaultModel] = Field([])


class CodeItem(Item):
    """Write the function."""

    type: Literal["code"]
    function: Name
    starter: Block
    solution: Block
    properties: Name = Field(description="Function in proofs.py that tests the namespace.")


class DiagnoseItem(Item):
    """Buy measurements of a broken pipeline and name the cause."""

    type: Literal["diagnose"]
    probes: list[MeasurementModel] = Field(min_length=2, max_length=10)
    par: int = Field(ge=1, description="Minutes of probes up to which the credit is full.")
    causes: list[CauseModel] = Field(min_length=3, max_length=6)
    transfers: Text = Field("", description="How far the case holds for other models.")


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
    "diagnose": DiagnoseItem,
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
    | PredictItem
    | DiagnoseItem,
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

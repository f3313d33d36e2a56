"""The nested parts of a question file: options, faults, sources, points, steps and the like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from drill.domain.questions import Axis, Bar, Weight
from drill.packs.fields import (
    PART_ID,
    BeliefId,
    Dotted,
    Expression,
    Finite,
    Line,
    PartId,
    Scalar,
    Text,
    matching,
)


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
        str, matching(r"arXiv:\d{4}\.\d{4,5}|doi:\S+", "`arXiv:2207.12598` or `doi:...`")
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

    name: Annotated[str, matching(PART_ID, "a name such as `cfg-sweep`")]
    claim: Annotated[str, matching(PART_ID, "a name such as `adherence-peaks-between`")]
    params: dict[str, Any] = Field(default_factory=dict)


class ToleranceModel(Model):
    """How far a number may lie from the key."""

    rel: Annotated[Finite, Field(ge=0, lt=1)] = 0.0
    abs: Annotated[Finite, Field(ge=0)] = 0.0


def _tolerance(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"abs": value}
    return value


Tolerance = Annotated[
    ToleranceModel, BeforeValidator(_tolerance, json_schema_input_type=float | ToleranceModel)
]


class PointModel(Model):
    """One point of a rubric."""

    id: PartId
    statement: Text
    weight: Weight
    accept: list[Text] = Field(min_length=1)
    unless: list[Text] = Field([])
    axis: Axis | None = Field(None, description="What it measures; by default what the item does.")
    bar: Bar | None = Field(
        None,
        description="Level from which on it is expected; by default the item's, and for a bonus "
        "point the one above.",
    )


class BeliefModel(Model):
    """A misconception that free text may show."""

    id: BeliefId
    statement: Text
    accept: list[Text] = Field(min_length=1)
    correction: Text = ""
    probe: Text = Field("", description="What an interviewer asks when it shows.")


class ProbeModel(Model):
    """What an interviewer asks when a point is missing."""

    neutral: Text
    pointed: Text = ""


class StepModel(Feedback):
    """One line to put in order."""

    id: PartId
    text: Scalar
    after: list[str] | None = Field(
        None, description="Ids that come before; omitted: the step above; []: free."
    )
    distractor: bool = False


class LineKey(Model):
    """The line or lines to pick."""

    line: Line | None = None
    lines: list[Line] | None = Field(None, min_length=1)
    pattern: Text | None = None
    patterns: list[Text] | None = Field(None, min_length=1)


class MutantKey(Model):
    """The changed line, and what stood there."""

    line: Line | None = None
    pattern: Text | None = None
    was: Text = Field(description="The original line, without its indent.")


class OutputTolerance(Model):
    """Relative tolerance of the numbers in the output."""

    rel: Annotated[Finite, Field(ge=0, lt=1)]


class MeasurementModel(Model):
    """A look at the broken thing, to be bought."""

    id: PartId = Field(description="Name of the probe: what `look` of the experiment takes.")
    label: Text = Field(description="What is measured, said before it is.")
    price: int = Field(ge=1, le=60, description="Minutes of an engineer.")
    decides: bool = Field(False, description="It alone tells the cause from all the others.")


class CauseModel(Feedback):
    """One cause that is offered."""

    id: PartId
    text: Scalar = Field(description="What the learner reads.")
    right: bool = Field(False, description="Whether it is the cause.")
    family: Annotated[str, matching(PART_ID, "a word such as `decode`")] = Field(
        "", description="Groups causes; a wrong one of the right family earns something."
    )


class FieldModel(Model):
    """One thing to commit to before the experiment runs."""

    id: PartId
    label: Text
    choose: Annotated[list[Scalar], Field(min_length=2)] | None = None
    choose_many: Annotated[list[Scalar], Field(min_length=2)] | None = None
    number: Literal[True] | None = None
    outcome: Annotated[str, matching(PART_ID, "the name of an outcome")] | None = Field(
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

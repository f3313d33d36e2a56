"""What a question is at run time: plain values, one body class per answer type.

The YAML of a pack is validated by `drill.packs.schema` when the bank is compiled; here only the
result is described. A `Question` is one variant of an item, fully rendered: every `{name}` is
substituted and every key expression is evaluated, so that a grader needs the question and the
answer and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

AnswerType = Literal[
    "choice",
    "choices",
    "number",
    "shape",
    "short",
    "formula",
    "explain",
    "order",
    "line",
    "mutant",
    "output",
    "code",
    "predict",
    "diagnose",
]
Level = Literal["junior", "mid", "senior", "staff"]
Relevance = Literal["core", "deep", "quirk"]
Role = Literal["serving", "research", "applied"]
Weight = Literal["essential", "bonus"]
Bar = Literal["mid", "senior", "staff"]
"""A level at which interviews are held."""
Round = Literal["warmup", "theory", "reading", "coding", "experiment", "estimate", "design"]
Axis = Literal["mechanism", "code", "tradeoff", "debugging"]
Param: TypeAlias = str | int | float | bool

ANSWER_TYPES: tuple[AnswerType, ...] = (
    "choice",
    "choices",
    "number",
    "shape",
    "short",
    "formula",
    "explain",
    "order",
    "line",
    "mutant",
    "output",
    "code",
    "predict",
    "diagnose",
)
LEVELS: tuple[Level, ...] = ("junior", "mid", "senior", "staff")
BARS: tuple[Bar, ...] = ("mid", "senior", "staff")
RELEVANCES: tuple[Relevance, ...] = ("core", "deep", "quirk")
ROLES: tuple[Role, ...] = ("serving", "research", "applied")

TOPICS: dict[str, str] = {
    "overview": "Overview: what diffusion models solve",
    "objective": "Denoising objective",
    "process": "Forward and reverse process",
    "backbone": "UNet and DiT",
    "scheduler": "Schedulers and samplers",
    "cfg": "Classifier-free guidance",
    "vae": "VAE and latents",
    "conditioning": "Text encoder and conditioning",
    "pipeline": "Pipeline anatomy",
    "loop": "The inference loop",
    "memory": "Memory and speed",
    "adapters": "LoRA, ControlNet, IP-Adapter",
    "serving": "Serving",
}
"""Topic id to its title, in the order of the handbook."""


class Option(Struct, frozen=True):
    """One option of a `choice` or `choices` question."""

    id: str
    text: str
    right: bool = False
    says: str = ""
    """Feedback shown when the learner's decision about this option was wrong."""
    misconception: str = ""


class ValueFault(Struct, frozen=True):
    """A wrong number, shape, word or formula that means something."""

    value: str
    """Rendered: a number, a shape, a term or a formula, as the learner would write it."""
    says: str = ""
    misconception: str = ""


class LineFault(Struct, frozen=True):
    """A wrong line that means something, by its number in the code as shown."""

    line: int
    """0 in a compiled `source:` item until the excerpt is cut and `pattern` is found in it."""
    says: str = ""
    misconception: str = ""
    pattern: str = ""


class Point(Struct, frozen=True):
    """One thing that a full free-text answer says (`explain`)."""

    id: str
    statement: str
    weight: Weight
    accept: tuple[str, ...]
    """Recipes of the key language; any one that hits credits the point."""
    unless: tuple[str, ...] = ()
    """Recipes that, hit in the same sentence, turn a credit into a question to the learner."""
    axis: str = ""
    """What it measures in an interview; empty: what the item measures."""
    bar: str = ""
    """Level from which on an interviewer expects it."""


class Belief(Struct, frozen=True):
    """A misconception that a free-text answer may show."""

    id: str
    statement: str
    accept: tuple[str, ...]
    correction: str = ""
    probe: str = ""
    """What an interviewer asks when it shows, so that the learner may notice."""


class Probe(Struct, frozen=True):
    """What an interviewer asks when a point is missing."""

    point: str
    neutral: str
    pointed: str = ""


class Step(Struct, frozen=True):
    """One line of an `order` question."""

    id: str
    text: str
    after: tuple[str, ...] | None = None
    """Ids that must come before this one; None: the step that stands before it in the key."""
    distractor: bool = False
    says: str = ""
    misconception: str = ""


class Choose(Struct, frozen=True):
    """One field of a `predict` question, judged by a named outcome of the experiment."""

    id: str
    label: str
    outcome: str
    """Name in the `outcomes` of the experiment's result."""
    options: tuple[str, ...] = ()
    """Empty: the field takes a number."""
    many: bool = False
    tolerance: float = 0.0
    """For a number: the relative error that counts as right."""
    expected: tuple[str, ...] = ()
    """What the claim says must come out; shown, never used to judge a live run."""


class Measurement(Struct, frozen=True):
    """A probe of a `diagnose` question: a look at the broken thing that has its price."""

    id: str
    label: str
    price: int
    """Minutes of an engineer."""
    decides: bool = False
    """It tells the cause from every other one that is offered."""


class Cause(Struct, frozen=True):
    """One cause that a `diagnose` question offers."""

    id: str
    text: str
    right: bool = False
    family: str = ""
    """A word that groups causes; a wrong one of the right family earns something."""
    says: str = ""
    """Feedback shown when it was named and is not the cause."""
    misconception: str = ""


class ChoiceBody(Struct, frozen=True):
    """Types `choice` (exactly one right option) and `choices` (any number of them)."""

    options: tuple[Option, ...]
    many: bool = False


class NumberBody(Struct, frozen=True):
    key: float
    unit: str = ""
    """Empty, or a unit such as `GB`, `ms`, `%`, `calls`."""
    rel: float = 0.0
    abs: float = 0.0
    """The answer is right within max(abs, rel * |key|)."""
    given: str = ""
    faults: tuple[ValueFault, ...] = ()


class ShapeBody(Struct, frozen=True):
    key: str
    """`[2, 4, 64, 64]` or symbolic: `[B, 4, H/8, W/8]`."""
    faults: tuple[ValueFault, ...] = ()


class ShortBody(Struct, frozen=True):
    accept: tuple[str, ...]
    others: tuple[ValueFault, ...] = ()
    """Known wrong terms; a typo is never forgiven towards one of them."""


class FormulaBody(Struct, frozen=True):
    key: str
    variables: Mapping[str, tuple[float, float]]
    """Name to the open range in which random points are drawn."""
    faults: tuple[ValueFault, ...] = ()


class ExplainBody(Struct, frozen=True):
    points: tuple[Point, ...]
    misconceptions: tuple[Belief, ...] = ()
    model_answer: str = ""
    probes: tuple[Probe, ...] = ()


class OrderBody(Struct, frozen=True):
    steps: tuple[Step, ...]
    """As shown; the key's order is `key`."""
    key: tuple[str, ...]
    """Ids of the steps in one right order, distractors left out."""


class LineBody(Struct, frozen=True):
    lines: tuple[int, ...]
    """1-based numbers in the code as shown; empty in a compiled `source:` item (see `patterns`)."""
    faults: tuple[LineFault, ...] = ()
    patterns: tuple[str, ...] = ()
    """Text that each right line contains, for code that is cut from an installed package."""


class MutantBody(Struct, frozen=True):
    line: int
    was: str
    effects: tuple[Option, ...]
    """What breaks: exactly one is right."""
    faults: tuple[LineFault, ...] = ()


class OutputBody(Struct, frozen=True):
    key: str
    """The whole standard output, compared token by token."""
    rel: float = 1e-3
    """Relative tolerance of the numbers in it."""
    faults: tuple[ValueFault, ...] = ()


class CodeBody(Struct, frozen=True):
    function: str
    """Name of the function that the learner writes."""
    starter: str
    solution: str
    properties: str
    """Name of the property test in the pack's `proofs.py`."""
    seconds: float = 20.0
    memory_mb: int = 4096


class PredictBody(Struct, frozen=True):
    fields: tuple[Choose, ...]
    claim: str
    transfers: str = ""


class DiagnoseBody(Struct, frozen=True):
    """A broken pipeline: its symptom is shown, measurements are bought, a cause is named."""

    probes: tuple[Measurement, ...]
    causes: tuple[Cause, ...]
    """Exactly one is right."""
    par: int
    """Minutes of probes up to which a right cause earns full credit."""
    claim: str
    transfers: str = ""

    @property
    def cause(self) -> Cause:
        """The right one."""
        return next(cause for cause in self.causes if cause.right)

    @property
    def deciding(self) -> tuple[Measurement, ...]:
        """The probes that tell the cause from the others, the cheapest first."""
        return tuple(sorted((p for p in self.probes if p.decides), key=lambda p: p.price))

    def probe(self, name: str) -> Measurement | None:
        """A probe by its id."""
        return next((probe for probe in self.probes if probe.id == name), None)

    def price_of(self, names: Iterable[str]) -> int:
        """What probes cost together, in minutes."""
        bought = set(names)
        return sum(probe.price for probe in self.probes if probe.id in bought)


Body: TypeAlias = (
    ChoiceBody
    | NumberBody
    | ShapeBody
    | ShortBody
    | FormulaBody
    | ExplainBody
    | OrderBody
    | LineBody
    | MutantBody
    | OutputBody
    | CodeBody
    | PredictBody
    | DiagnoseBody
)

BODIES: dict[str, type[Body]] = {
    "choice": ChoiceBody,
    "choices": ChoiceBody,
    "number": NumberBody,
    "shape": ShapeBody,
    "short": ShortBody,
    "formula": FormulaBody,
    "explain": ExplainBody,
    "order": OrderBody,
    "line": LineBody,
    "mutant": MutantBody,
    "output": OutputBody,
    "code": CodeBody,
    "predict": PredictBody,
    "diagnose": DiagnoseBody,
}


class Source(Struct, frozen=True):
    """Where a fact can be read: exactly one of paper, symbol, doc or text is set."""

    paper: str = ""
    eq: str = ""
    section: str = ""
    symbol: str = ""
    """Dotted name in an installed package."""
    doc: str = ""
    text: str = ""


class ExperimentLink(Struct, frozen=True):
    """The experiment that shows the explanation, and the claim that backs it."""

    name: str
    claim: str
    params: Mapping[str, object] = {}


class Excerpt(Struct, frozen=True):
    """Which part of an installed package a `source:` item shows."""

    symbol: str
    around: str
    """A pattern found in exactly one line of the symbol's source."""
    before: int = 8
    after: int = 8


class Code(Struct, frozen=True):
    """Code shown with a question; lines are numbered from 1."""

    text: str
    lang: str = "python"
    origin: str = ""
    """Package, version and symbol of an excerpt; empty for inline code."""


class Head(Struct, frozen=True, omit_defaults=True):
    """What choosing the next question needs to know of an item, without its text."""

    id: str
    """Pack-qualified: `drill:cfg.calls-by-scheduler`."""
    topic: str
    level: Level
    relevance: Relevance
    roles: tuple[Role, ...]
    type: AnswerType
    seconds: float
    """Expected time of a first answer."""
    content_hash: str
    proof: str = ""
    """Name of the proof or property function; empty when none is executed."""
    needs_labs: bool = False
    """True where nothing can be shown without the `labs` packages (a `source:` item)."""
    variants: int = 1
    siblings: tuple[str, ...] = ()
    """Ids of items that give this one away; never asked on the same day."""
    confusable: tuple[str, ...] = ()
    """Topics or ids that learners mix up with this one; interleaved on purpose."""
    misconceptions: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    """Where the item stands in the pack."""
    reserve: bool = False
    """Kept for interviews: practice does not show it before one has."""
    round: str = ""
    """Round of an interview; empty: that of its type (`drill.domain.interview.rounds`)."""
    axis: str = ""
    """What it measures in an interview; empty: what its type measures."""
    case: str = ""
    """Pack-qualified name of the case that it is one stage of, asked whole and in order."""
    stage: int = 0


class Question(Struct, frozen=True):
    """One variant of an item, rendered and ready to be shown and graded."""

    head: Head
    variant: int
    params: Mapping[str, Param]
    prompt: str
    body: Body
    explanation: str
    scenario: str = ""
    """The situation that all stages of a case share; shown above the prompt."""
    code: Code | None = None
    hints: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    experiment: ExperimentLink | None = None
    follow_up: tuple[str, ...] = ()
    stamp: str = ""
    """Library versions that the key was proven with, where they are worth saying."""

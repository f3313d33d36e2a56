"""What an experiment of a pack declares and gives: its parameters, claims and result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from drill.lab.params import Param

if TYPE_CHECKING:
    from drill.lab.context import Context

Answer = Literal["yes", "no", "unknown"]
Need = Literal["accelerator"]
NEEDS: tuple[Need, ...] = get_args(Need)


class ResultError(ValueError):
    """A result that lacks what every result must have."""


@dataclass(frozen=True, slots=True)
class Transfers:
    """Whether what came out on a small model holds for the large ones that are asked about."""

    answer: Answer
    reason: str


@dataclass(frozen=True)
class Result:
    """What a run gives. Without `sentence` or `transfers` it is refused (ResultError)."""

    metrics: Mapping[str, Any]
    """What was measured, as JSON: numbers, lists and mappings with text keys."""
    outcomes: Mapping[str, Any]
    """The declared outcomes by name; `predict` questions are judged by them."""
    sentence: str
    """What happened, said with the measured numbers."""
    transfers: Transfers

    def __post_init__(self) -> None:
        if not self.sentence.strip():
            raise ResultError("the result has no sentence that says what happened")
        given = self.transfers
        if not isinstance(given, Transfers) or given.answer not in get_args(Answer):
            raise ResultError("the result does not say whether it transfers: yes, no or unknown")
        if not given.reason.strip():
            raise ResultError("the result gives no reason for whether it transfers")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a claim's check found. `holds` is None where the claim does not apply to the run."""

    holds: bool | None
    measured: str
    expected: str


def finding(holds: bool, measured: str, expected: str) -> Finding:
    """The claim was checked: what was measured, and what had to come out."""
    return Finding(bool(holds), measured, expected)


def not_applicable(reason: str, expected: str) -> Finding:
    """The run lacks what the claim speaks of: it neither holds nor fails."""
    return Finding(None, f"not applicable: {reason}", expected)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must come out, checked on the result of every run."""

    name: str
    says: str
    """The claim in words, as the learner reads it."""
    check: Callable[[Result], Finding]


class Experiment(ABC):
    """An experiment of a pack; `experiment.py` lists its instances in `EXPERIMENTS`.

    The class attributes stand in lab.yaml too, so that labs are listed without importing torch.
    Imports of torch and diffusers belong inside functions.
    """

    name: ClassVar[str]
    params: ClassVar[tuple[Param, ...]] = ()
    claims: ClassVar[tuple[Claim, ...]] = ()
    outcomes: ClassVar[tuple[str, ...]] = ()
    seconds: ClassVar[float] = 60.0
    """Time limit with the default parameters, in seconds."""
    needs: ClassVar[tuple[Need, ...]] = ()

    @abstractmethod
    def run(self, context: Context) -> Result:
        """Run it. Call `context.progress` or `context.check` between steps: they are where a
        cancelled run stops."""

    def warm(self, context: Context) -> None:  # noqa: B027  (optional)
        """Load what a run needs, before it is asked for; the default loads nothing."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim with what its check found."""

    claim: Claim
    finding: Finding

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.claim.name,
            "says": self.claim.says,
            "holds": self.finding.holds,
            "measured": self.finding.measured,
            "expected": self.finding.expected,
        }


def check_claims(claims: Sequence[Claim], result: Result) -> tuple[Checked, ...]:
    """Every claim checked on a result, in order."""
    return tuple(Checked(claim, claim.check(result)) for claim in claims)


def check_outcomes(experiment: Experiment, result: Result) -> None:
    """Raises ResultError where the outcomes are not those that the experiment declares."""
    missing = sorted(set(experiment.outcomes) - set(result.outcomes))
    extra = sorted(set(result.outcomes) - set(experiment.outcomes))
    if missing or extra:
        raise ResultError(
            f"{experiment.name}: outcomes missing: {', '.join(missing) or 'none'}; "
            f"not declared: {', '.join(extra) or 'none'}"
        )

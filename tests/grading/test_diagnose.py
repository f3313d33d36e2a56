"""`diagnose`: the cause and what was spent to find it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.grading.diagnose import FAMILY_CREDIT, LEAST_SHARE, Diagnosis, parse_diagnosis
from drill.domain.grading.key_text import key_text
from drill.domain.presentation import letter, shown
from drill.domain.questions import Cause, DiagnoseBody, Measurement
from drill.domain.verdict import PASS_MARK, Verdict

from .making import faults, question, refused

BODY = DiagnoseBody(
    probes=(
        Measurement("latent-std", "Std of the latents", 1, decides=True),
        Measurement("scheduler-config", "The scheduler's config", 1),
        Measurement("decoded-range", "Range of the decoded values", 2, decides=True),
        Measurement("bisect", "Bisect the month", 6),
    ),
    causes=(
        Cause("forgot-scaling", "The latents are not divided by `f`.", right=True, family="decode"),
        Cause(
            "twice-scaled",
            "The latents are divided by it twice.",
            family="decode",
            says="Twice would give too much contrast.",
            misconception="vae.twice",
        ),
        Cause("betas", "The betas are linear; not scaled.", family="noise", says="No."),
        Cause("dtype", "fp16 [red]overflows[/red].", says="Nothing overflowed."),
    ),
    par=2,
    claim="mend-removes-it",
)
Q = question("diagnose", BODY)
PROBES = tuple(probe.id for probe in BODY.probes)


def judged(cause: str, *probes: str) -> Verdict:
    return grade(Q, str(Diagnosis(cause, probes)))


@pytest.mark.parametrize(
    "answer",
    [
        "cause=forgot-scaling; probes=latent-std,scheduler-config",
        "cause: a\nprobes: scheduler-config latent-std",
        "CAUSE = A ; PROBES = LATENT-STD & scheduler-config",
        "The latents are not divided by f; probes=latent-std",
        "probes=`latent-std`; cause=forgot-scaling",
        "a",
        "forgot-scaling",
        "cause=a; probes=none",
        "cause=a; probes=",
        "cause=a; probes=decoded-range;",
    ],
)
def test_right_up_to_par(answer: str) -> None:
    verdict = grade(Q, answer)
    assert verdict.score == 1 and verdict.right and not verdict.faults
    assert verdict.expected == key_text(Q) == "a) The latents are not divided by `f`."
    assert verdict.understood == verdict.expected


def test_the_answer_is_read_and_written_alike() -> None:
    read = parse_diagnosis(Q, "cause=c; probes=bisect, latent-std")
    assert read == Diagnosis("betas", ("latent-std", "bisect"))
    assert str(read) == "cause=betas; probes=latent-std,bisect"
    assert parse_diagnosis(Q, str(read)) == read
    assert str(parse_diagnosis(Q, "d")) == "cause=dtype"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("  ", "empty"),
        ("probes=latent-std", "No cause is named"),
        ("cause=; probes=latent-std", "No cause is named"),
        ("cause=e", "`e` is no option; they are `a` to `d`"),
        ("cause=a; probes=latent-sdt", "`latent-sdt` is no probe; they are `latent-std`, `sch"),
        ("cause=a; probes=bisect,bisect", "`bisect` is named twice"),
        ("cause=a; cause=b", "says `cause` twice"),
        ("a; probe=bisect; probes=bisect", "says `probe` twice"),
    ],
)
def test_what_cannot_be_read_costs_nothing(answer: str, says: str) -> None:
    assert says in refused(Q, answer)


@pytest.mark.parametrize(
    ("probes", "score"),
    [
        (("latent-std", "decoded-range"), 1 - 0.6 / 8),
        (("bisect",), 1 - 0.6 * 4 / 8),
        (("bisect", "decoded-range"), 1 - 0.6 * 6 / 8),
        (PROBES, LEAST_SHARE),
    ],
)
def test_beyond_par_it_earns_less(probes: tuple[str, ...], score: float) -> None:
    verdict = judged("forgot-scaling", *probes)
    assert verdict.score == pytest.approx(score)
    assert verdict.right == (verdict.score >= PASS_MARK)
    assert "where par is 2. `latent-std` (1 min) alone would have decided it." in faults(verdict)
    assert verdict.good[0].endswith("that is the cause.")


def test_a_wrong_cause_names_its_belief() -> None:
    near = judged("twice-scaled", "latent-std")
    assert near.score == pytest.approx(FAMILY_CREDIT) and not near.right
    assert near.misconceptions == ("vae.twice",)
    assert faults(near) == "Twice would give too much contrast."
    assert near.good == ("`latent-std` (1 min) decides it, and you had measured it.",)
    far = judged("betas", *PROBES)
    assert far.score == 0 and faults(far) == "No."
    # No family on either side is no family in common.
    assert judged("dtype").score == 0
    alone = question("diagnose", DiagnoseBody(BODY.probes, (Cause("a1", "A", True), *BODY.causes[3:]), 2, ""))  # noqa: E501  # fmt: skip
    assert grade(alone, "cause=dtype").score == 0


def test_a_cause_that_nothing_backs_is_called_a_guess() -> None:
    assert "nothing was measured" in judged("forgot-scaling").summary
    assert judged("forgot-scaling", "latent-std").summary == "Right: 1 min spent, par is 2."


@given(
    cause=st.sampled_from([c.id for c in BODY.causes]),
    few=st.sets(st.sampled_from(PROBES)),
    more=st.sets(st.sampled_from(PROBES)),
)
def test_more_probes_never_raise_the_score(cause: str, few: set[str], more: set[str]) -> None:
    less = judged(cause, *few).score
    after = judged(cause, *(few | more)).score
    assert 0 <= after <= less <= 1
    if cause == "forgot-scaling":
        assert after >= LEAST_SHARE
        assert after > judged("twice-scaled").score


def test_causes_are_shuffled_and_probes_are_not() -> None:
    orders = set()
    for seed in range(12):
        asked = shown(Q, seed)
        assert isinstance(asked.body, DiagnoseBody)
        assert asked.body.probes == BODY.probes
        at = next(n for n, each in enumerate(asked.body.causes) if each.right)
        orders.add(at)
        assert grade(asked, f"cause={letter(at)}").score == 1
        assert grade(asked, "cause=forgot-scaling").score == 1
    assert len(orders) > 1

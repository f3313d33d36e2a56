"""`order`: partial orders, distractors, missing steps."""

from __future__ import annotations

import itertools
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.grading.precedence import (
    all_constraints,
    broken_pairs,
    direct_constraints,
    longest_consistent,
)
from drill.domain.questions import OrderBody, Step
from drill.domain.verdict import PASS_MARK

from .making import faults, question, refused

BODY = OrderBody(
    steps=(
        Step("vae", "decode"),
        Step("tok", "tokenise"),
        Step("lat", "draw latents", after=()),
        Step("loop", "denoise", after=("enc", "lat"), says="It needs both.", misconception="lp.x"),
        Step("enc", "encode"),
        Step("bad", "train", distractor=True, says="Nothing trains.", misconception="pl.trains"),
    ),
    key=("tok", "enc", "lat", "loop", "vae"),
)
Q = question("order", BODY)
CHAIN = OrderBody(tuple(Step(c, f"step {c}") for c in "pqrst"), tuple("pqrst"))


@pytest.mark.parametrize(
    "answer",
    [
        "b e c d a",
        "becda",
        "BECDA",
        "b, e, c, d, a",
        "b > e > c > d > a",
        "b->e->c->d->a",
        "b → e → c → d → a",
        "b\ne\nc\nd\na",
        "tok enc lat loop vae",
        "tok, e, lat, d, vae",
        "(b) (e) (c) (d) (a)",
        "tokenise; encode; draw latents; denoise; decode",
        "b;e;c;d;a",
    ],
)
def test_the_keys_order(answer: str) -> None:
    verdict = grade(Q, answer)
    assert verdict.score == 1
    assert verdict.understood == "b e c d a"
    assert verdict.summary == "Right."


@pytest.mark.parametrize("answer", ["c b e d a", "b c e d a"])
def test_another_order_without_a_broken_constraint_is_right(answer: str) -> None:
    verdict = grade(Q, answer)
    assert verdict.score == 1
    assert "another order" in verdict.summary


def test_constraints() -> None:
    assert direct_constraints(BODY) == {
        "tok": (),
        "enc": ("tok",),
        "lat": (),
        "loop": ("enc", "lat"),
        "vae": ("loop",),
    }
    assert all_constraints(BODY)["vae"] == {"tok", "enc", "lat", "loop"}


@pytest.mark.parametrize(
    ("answer", "score", "says"),
    [
        # Of 8 ordered pairs one is broken: (7 - 1) / 8.
        ("e b c d a", 0.75, "e) encode: comes only after b) tokenise."),
        ("b e d c a", 0.75, "d) denoise: comes only after c) draw latents. It needs both."),
        ("d b e c a", (5 - 3) / 8, "d) denoise: comes only after"),
        ("a d c e b", 0, "comes only after"),
        # 4 of the 8 pairs have no member missing.
        ("b e c d", 4 / 8, "Missing: a) decode."),
        ("a", 0, "Missing: b) tokenise; e) encode; c) draw latents; d) denoise."),
        ("b e c f d a", 0.75, "f) train: does not belong here. Nothing trains."),
        ("f", 0, "f) train"),
        ("e b c f d a", (6 / 8) * 5 / 6, "f) train"),
    ],
)
def test_partial_credit(answer: str, score: float, says: str) -> None:
    verdict = grade(Q, answer)
    assert verdict.score == pytest.approx(score)
    assert says in faults(verdict)
    assert verdict.expected.splitlines()[0] == "b) tokenise"


def test_beliefs_of_a_distractor_and_of_a_displaced_step() -> None:
    assert grade(Q, "b e c f d a").misconceptions == ("pl.trains",)
    assert grade(Q, "b e d c a").misconceptions == ("lp.x",)


def test_a_missing_free_step_is_not_right() -> None:
    body = OrderBody((Step("x", "x"), Step("y", "y"), Step("z", "z", after=())), ("x", "y", "z"))
    verdict = grade(question("order", body), "a b")
    assert verdict.score == 0.75
    assert "Missing: c) z" in faults(verdict)
    free = OrderBody((Step("x", "x", after=()), Step("y", "y", after=())), ("x", "y"))
    assert grade(question("order", free), "b a").score == 1
    assert grade(question("order", free), "b").score == 0.5


def test_a_random_order_earns_nothing_on_average_before_the_floor() -> None:
    q = question("order", CHAIN)
    scores = [grade(q, " ".join(p)).score for p in itertools.permutations("pqrst")]
    assert sum(score >= PASS_MARK for score in scores) == 1
    assert statistics.median(scores) == 0
    assert statistics.mean(scores) < 0.2


@pytest.mark.parametrize(
    "answer", ["", " ", "x", "b b", "bb", "1 2 3", "b e c d a g", "becdag", ">"]
)
def test_malformed(answer: str) -> None:
    assert refused(Q, answer)


def test_many_faults_are_cut() -> None:
    steps = tuple(Step(f"s{i}", f"step {i}") for i in range(9))
    q = question("order", OrderBody(steps, tuple(s.id for s in steps)))
    verdict = grade(q, "i h g f e d c b a")
    assert len(verdict.faults) == 5
    assert "And 4 more" in faults(verdict)


@st.composite
def partial_orders(draw: st.DrawFn) -> tuple[OrderBody, list[str]]:
    n = draw(st.integers(1, 7))
    ids = [f"s{i}" for i in range(n)]
    steps = []
    for i, name in enumerate(ids):
        before = draw(st.none() | st.sets(st.sampled_from(ids[:i])).map(tuple)) if i else None
        steps.append(Step(name, name, after=before))
    order = draw(st.permutations(ids))
    return OrderBody(tuple(steps), tuple(ids)), list(order)


@given(partial_orders())
def test_the_longest_consistent_part_is_longest(made: tuple[OrderBody, list[str]]) -> None:
    body, order = made
    found = longest_consistent(order, body)
    assert not broken_pairs(found, body)
    brute = max(
        size
        for size in range(len(order) + 1)
        for part in itertools.combinations(order, size)
        if not broken_pairs(part, body)
    )
    assert len(found) == brute


@given(partial_orders(), st.randoms(use_true_random=False))
def test_every_linear_extension_is_right(
    made: tuple[OrderBody, list[str]], rng: random.Random
) -> None:
    body, _ = made
    before = all_constraints(body)
    left, order = set(body.key), []
    while left:
        free = sorted(s for s in left if not before[s] & left)
        order.append(rng.choice(free))
        left.remove(order[-1])
    assert grade(question("order", body), " ".join(order)).score == 1

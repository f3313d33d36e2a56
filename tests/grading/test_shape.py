"""`shape`: spellings, symbolic sizes, partial credit, faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.grading.shape_text import read_shape
from drill.domain.questions import Question, ShapeBody, ValueFault
from drill.domain.verdict import PASS_MARK

from .making import faults, question, refused


def shape(key: str, *known: ValueFault) -> Question:
    return question("shape", ShapeBody(key, known))


LATENTS = shape("[2, 4, 64, 64]", ValueFault("(1,4,64,64)", "Guidance doubles.", "cfg.doubled"))
NAMED = shape("[B, 4, H/8, W/8]", ValueFault("[B, 3, H, W]", "Those are pixels.", "vae.pixels"))
VIDEO = shape("[2*B, (T-1)//4+1, C, H//16, W//16]")

RIGHT = [
    (LATENTS, "(2,4,64,64)|[2, 4, 64, 64]|2,4,64,64|2 4 64 64|2x4x64x64|2 x 4 x 64 x 64|2X4X64X64"),
    (LATENTS, "2×4×64×64|2;4;64;64|{2, 4, 64, 64}|((2, 4, 64, 64))|(2,4,64,64,)|[2,4,64,64]."),
    (
        LATENTS,
        "torch.Size([2,4,64,64])|torch.Size([2, 4, 64, 64]).|Size([2,4,64,64])|size (2,4,64,64)",
    ),
    (
        LATENTS,
        "x.shape == (2,4,64,64)|shape: 2x4x64x64|shape is: [2,4,64,64]|latents.shape = [2,4,64,64]",
    ),
    (LATENTS, "2,4,512/8,64|(2, 4, 8*8, 2**6)|2.0, 4, 64, 64|tuple(2,4,64,64)|`[2, 4, 64, 64]`"),
    (
        NAMED,
        "B,4,H/8,W/8|[B, 4, H/8, W/8]|[b, 4, h//8, w//8]|B 4 H/8 W/8|B 4 H / 8 W / 8|Bx4xH/8xW/8",
    ),
    (
        NAMED,
        "B x 4 x H/8 x W/8|(batch, 4, height/8, width/8)|batch_size, 4, H÷8, W÷8|[bs,4,H/8,W/8]",
    ),
    (
        NAMED,
        "[B, 4, 0.125*H, W/8]|[B, 4, H/4/2, 2W/16]|[B, 2+2, (H)/8, W*0.125]|"
        "[B,4,ceil(H/8),W/8]|[B,4,(H+7)//8,W/8]",
    ),
    (
        VIDEO,
        "[2B,(T-1)/4+1,C,H/16,W/16]|[B*2, (t-1)//4+1, c, h/16, w/16]|2 B,(T - 1)/4 + 1,C,H/16,W/16",
    ),
    (VIDEO, "[B+B, (T+3)//4, C, H//16, W//16]|2*batch, 1+(T-1)/4, channels, height/16, width/16"),
    (shape("[64]"), "(64,)|64|[64]|64,"),
    (shape("[]"), "()|[]|scalar|torch.Size([])|0-d"),
    (
        shape("[B, seq_len, heads, d]"),
        "B, L, num_heads, dim|b seq_len heads d|batch,tokens,n_heads,D",
    ),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in RIGHT for answer in answers.split("|")]
)
def test_right(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 1, verdict
    assert not verdict.faults


MALFORMED = [
    (
        LATENTS,
        "| |hello|-1,4,64,64|2,...|2,4,...|…|2,4,?,64|None,4,64,64|2*4*64*64|[B,4,64,64]|2,,4",
    ),
    (LATENTS, "[2,4|2,4]|[[2,4],[64,64]]|(2,4,(64,64))|2.5,4,64,64|-2,4,64,64|2,4,64,x|1,2,3;[4]"),
    (
        LATENTS,
        "1 2 3 4 5 6 7 8 9 10 11 12 13|1/0,4,64,64|2,4,64,64 pixels|1e400,4,64,64|a.b,4,64,64",
    ),
    (NAMED, "[N,4,H/8,W/8]|[B,4,H>>3,W/8]|[B,C,H,W]|[B,4,H/8,sqrt]|[B,-1,H,W]|[B,4,int(H/8),W/8]"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in MALFORMED for answer in answers.split("|")]
)
def test_malformed(q: Question, answer: str) -> None:
    assert refused(q, answer)


@pytest.mark.parametrize(
    ("q", "answer", "reason"),
    [
        (LATENTS, "-1,4,64,64", "`-1` leaves an axis open"),
        (LATENTS, "2,...", "leaves axes open"),
        (LATENTS, "2*4*64*64", "separate the axes by commas"),
        (LATENTS, "[B,4,64,64]", "asked in numbers"),
        (NAMED, "[N,4,H/8,W/8]", "`N` is not used here; known: B, H, W"),
    ],
)
def test_the_reason_says_what_to_do(q: Question, answer: str, reason: str) -> None:
    assert reason in refused(q, answer)


@pytest.mark.parametrize(
    ("q", "answer", "score", "says"),
    [
        (LATENTS, "[2,3,64,64]", 0.75, "Axis 1 is 3, it should be 4."),
        (LATENTS, "[2,4,8,8]", 0.5, "Axis 2 is 8, it should be 64 (8 times too small)."),
        (LATENTS, "[2,4,512,64]", 0.75, "Axis 2 is 512, it should be 64 (8 times too large)."),
        (LATENTS, "[9,9,9,9]", 0, "Axis 0 is 9"),
        (LATENTS, "[2,64,64,4]", 0.5, "channels stand last (NHWC)"),
        (shape("[2,64,64,4]"), "[2,4,64,64]", 0.5, "here they come last (NHWC)"),
        (shape("[3,512,768]"), "[512,768,3]", 0.5, "HWC"),
        (shape("[2,4,64,96]"), "[2,4,96,64]", 0.5, "Height and width are swapped"),
        (shape("[4096,320]"), "[320,4096]", 0.5, "two axes are swapped"),
        (shape("[2,8,77,40]"), "[2,77,8,40]", 0.5, "order is not: axes 1, 2"),
        (LATENTS, "[4,64,64]", 0.375, "3 axes, not 4. Missing: axis 0 (2)."),
        (LATENTS, "[2,4,64,64,1]", 0.4, "5 axes, not 4. Too many: axis 4 (1)."),
        (LATENTS, "[7]", 0, "1 axes, not 4."),
        (LATENTS, "scalar", 0, "0 axes, not 4."),
        (NAMED, "[B,4,W/8,H/8]", 0.5, "Height and width are swapped"),
        (NAMED, "[B,H/8,W/8,4]", 0.5, "NHWC"),
        (NAMED, "[2B,4,H/8,W/8]", 0.75, "Axis 0 is 2*B, it should be B (2 times too large)."),
        (NAMED, "[B,4,H,W]", 0.5, "Axis 2 is H, it should be H/8 (8 times too large)."),
        (NAMED, "[2,4,64,64]", 0.25, "Axis 0 is 2, it should be B."),
    ],
)
def test_partial_credit(q: Question, answer: str, score: float, says: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == pytest.approx(score)
    assert says in faults(verdict)


def test_four_of_five_sizes_do_not_pass() -> None:
    assert grade(shape("[1,2,3,4,5]"), "1,2,3,4,6").score < PASS_MARK
    assert grade(shape("[" + "1," * 9 + "2]"), "1," * 9 + "3").score < PASS_MARK


@pytest.mark.parametrize(
    ("q", "answer", "belief", "score"),
    [
        (LATENTS, "1x4x64x64", "cfg.doubled", 0.75),
        (NAMED, "[batch, 3, height, width]", "vae.pixels", 0.25),
    ],
)
def test_known_wrong_shapes(q: Question, answer: str, belief: str, score: float) -> None:
    verdict = grade(q, answer)
    assert verdict.misconceptions == (belief,)
    assert len(verdict.faults) == 1
    assert verdict.score == score


def test_what_was_right_is_said() -> None:
    assert grade(LATENTS, "2,3,64,64").good == (
        "The number of axes is right: 4.",
        "Right: axis 0, 2, 3 of 0 to 3.",
    )
    assert grade(LATENTS, "2,64,64,4").good == ("Every size is right.",)


def test_sizes_that_agree_only_for_some_values_differ() -> None:
    assert not grade(NAMED, "[B, 4, W/8, W/8]").right
    assert not grade(shape("[H//8]"), "H//8+1").right
    assert not grade(shape("[H*W/64]"), "H+W").right


def test_names_that_differ_in_case_alone_stay_apart() -> None:
    q = shape("[n, N]")
    assert grade(q, "n, N").right
    assert grade(q, "N, n").score == 0.5


def test_a_broken_key_is_an_error_of_the_pack() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        grade(shape("[2, ..., 3]"), "2,3")


SPELLINGS = (
    lambda s: str(tuple(s)),
    lambda s: str(list(s)),
    lambda s: f"torch.Size({list(s)})",
    lambda s: "x".join(map(str, s)),
    lambda s: " ".join(map(str, s)),
    lambda s: ",".join(map(str, s)),
    lambda s: f"x.shape == {tuple(s)}",
)


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=6), st.sampled_from(SPELLINGS))
def test_any_spelling_reads_back(sizes: list[int], spell: object) -> None:
    assert callable(spell)
    assert [axis.text for axis in read_shape(spell(sizes)).axes] == [str(n) for n in sizes]

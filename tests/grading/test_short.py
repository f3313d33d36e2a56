"""`short`: forms of a term, typos forgiven and not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.grading.terms import KNOWN_TERMS
from drill.domain.questions import Question, ShortBody, ValueFault

from .making import faults, question, refused


def term(*accept: str, others: tuple[ValueFault, ...] = ()) -> Question:
    return question("short", ShortBody(accept, others))


DDIM = term("DDIM")
CROSS = term("cross-attention", others=(ValueFault("attn1", "That is self-attention.", "bb.self"),))
V = term("v-prediction", "velocity prediction")
HALF = term("float16", "half")
RESCALE = term(
    "guidance_rescale", others=(ValueFault("guidance_scale", "It scales.", "cfg.scale"),)
)
OFFLOAD = term("enable_model_cpu_offload")

RIGHT = [
    (
        DDIM,
        "DDIM|ddim|Ddim|the DDIM|a DDIM|DDIM scheduler|DDIMScheduler|DDIM sampler|DDIMs|"
        "`DDIM`|DDIM.",
    ),
    (
        CROSS,
        "cross-attention|cross attention|Cross_Attention|crossattention|CROSS-ATTENTION|"
        "the cross attention",
    ),
    (
        CROSS,
        "cross attentions|cross-attention layers|cross-attention layer|“cross-attention”|"
        "cross‑attention",
    ),
    (
        V,
        "v prediction|v_prediction|v-pred|V-Prediction|the v prediction|velocity prediction|"
        "velocity-pred",
    ),
    (HALF, "float16|fp16|FP16|half|torch.float16|torch.half|Float16"),
    (
        RESCALE,
        "guidance rescale|guidance_rescale|guidance-rescale|pipe.guidance_rescale|"
        "guidance_rescale argument",
    ),
    (
        OFFLOAD,
        "enable_model_cpu_offload()|pipe.enable_model_cpu_offload()|enable model CPU offload",
    ),
    (term("epsilon"), "epsilon|eps|ε|ϵ|EPS"),
    (term("SD1.5"), "SD1.5|SD 1.5|sd-1.5|SD1.5."),
    (term("DPM-Solver++"), "DPM-Solver++|dpm solver++|DPMSolver++"),
    (term("fp16/bf16"), "fp16/bf16|fp16 bf16"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in RIGHT for answer in answers.split("|")]
)
def test_right(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 1, verdict
    assert "typo" not in verdict.summary


TYPOS = [
    (CROSS, "cross-atention|cros attention|cross-attentoin|croos-attention layer|corss attention"),
    (V, "vpredction|v predicton|v-predicition|velocty prediction"),
    (RESCALE, "guidence_rescale|guidance rescal|gudance rescale"),
    (OFFLOAD, "enable_model_cpu_ofload|enable_modle_cpu_offload"),
    (term("bfloat"), "bflaot|bfloatt"),
    (term("UniPC"), "UniCP"),
    (term("scheduler"), "schedular|shceduler"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in TYPOS for answer in answers.split("|")]
)
def test_typos_are_forgiven_and_said(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 1, verdict
    assert "typo forgiven" in verdict.summary
    assert isinstance(q.body, ShortBody)
    assert verdict.understood in q.body.accept


WRONG = [
    (DDIM, "DDPM|DIMM|DIM|DDI|DDMI|DDIIM|EDM|LMS|PNDM|Euler"),
    (term("PNDM"), "PLMS|PNMD|DDPM"),
    (term("LoRA"), "DoRA|LoHa|LoKr|LoR|LoRaa|QLoRA|rsLoRA"),
    (term("SDXL"), "SD3|SD1.5|SDX|SDLX"),
    (term("SD3"), "SD3.5|SD2|SD33"),
    (term("Euler"), "Euler ancestral|Heun"),
    (term("Heun"), "Heum|Euler|Hen"),
    (term("DPM-Solver"), "DPM-Solver++|DPM++ 2M|SA-Solver"),
    (term("DPM-Solver++"), "DPM-Solver|DPM-Solver+"),
    (CROSS, "self-attention|joint attention|attention|cross"),
    (V, "x prediction|epsilon prediction|x0 prediction|prediction|v|sample"),
    (HALF, "float32|bfloat16|bf16|fp32|float|fp8"),
    (RESCALE, "guidance|rescale"),
    (OFFLOAD, "enable_sequential_cpu_offload|enable_group_offload|model_cpu_offload"),
    (term("scaled_linear"), "linear|scaled"),
    (term("encode"), "decode|encoder"),
    (term("trailing"), "leading|training"),
    (term("LayerNorm"), "GroupNorm|BatchNorm"),
    (term("GEGLU"), "GELU|SwiGLU"),
    (term("attn2"), "attn1|attn"),
    (term("betas"), "alphas|zetas"),
    (term("fuse_lora"), "unfuse_lora|fuse"),
    (term("tiling"), "slicing|titling it"),
    (term("min"), "max|mix"),
    (term("sample"), "sampler"),
    (term("text_encoder_2"), "text_encoder_3|text_encoder"),
    (term("velocity"), "velcty"),
    (term("text to image"), "text no image"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in WRONG for answer in answers.split("|")]
)
def test_wrong(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0, verdict
    assert verdict.faults


def test_another_term_is_named() -> None:
    assert faults(grade(DDIM, "ddpm")) == "`DDPM` is another term."


@pytest.mark.parametrize(
    ("q", "answer", "belief"),
    [
        (CROSS, "attn1", "bb.self"),
        (CROSS, "the attn1 module", "bb.self"),
        (RESCALE, "guidance scale", "cfg.scale"),
        (RESCALE, "guidance_scal", "cfg.scale"),
        (RESCALE, "guidnce_scale", "cfg.scale"),
    ],
)
def test_known_wrong_terms_and_their_typos_name_the_belief(
    q: Question, answer: str, belief: str
) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0
    assert verdict.misconceptions == (belief,)


def test_a_typo_between_two_terms_is_not_forgiven() -> None:
    q = term("marginal", others=(ValueFault("marginel", "Not that.", "m.x"),))
    verdict = grade(term("sampled"), "sampler")
    assert verdict.score == 0
    # One edit from the answer and one from the wrong term.
    verdict = grade(q, "marginil")
    assert (verdict.score, verdict.misconceptions) == (0, ("m.x",))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "  ",
        "?",
        "...",
        "``",
        "DDIM or DDPM",
        "DDIM/DDPM",
        "DDIM, Euler",
        "DDPM and DDIM",
        "I believe that it is the DDIM scheduler",
    ],
)
def test_malformed(answer: str) -> None:
    assert refused(DDIM, answer)


def test_the_expected_forms() -> None:
    assert grade(DDIM, "x").expected == "DDIM"
    q = term("cross-attention", "cross attention", "attn2")
    assert grade(q, "x").expected == "cross-attention (also: attn2)"


@given(st.sampled_from(KNOWN_TERMS), st.sampled_from(KNOWN_TERMS))
def test_no_known_term_is_taken_for_another(key: str, answer: str) -> None:
    from drill.domain.grading.short import _answer_forms, _forms

    same = bool(_forms(key) & _answer_forms(answer))
    assert grade(term(key), answer).right == same

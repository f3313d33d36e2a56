"""`formula`: spellings of the field, equality at random points, faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.expressions import parse
from drill.domain.grading import grade
from drill.domain.grading.formula import POINTS, sample
from drill.domain.grading.formula_text import read_formula
from drill.domain.questions import FormulaBody, Question, ValueFault

from .making import faults, question, refused


def formula(key: str, variables: dict[str, tuple[float, float]], *known: ValueFault) -> Question:
    return question("formula", FormulaBody(key, variables, known))


X = (-2.0, 2.0)
AB = (0.05, 0.95)
NOISED = formula(
    "sqrt(ab)*x0 + sqrt(1-ab)*eps",
    {"x0": X, "ab": AB, "eps": X},
    ValueFault("ab*x0+(1-ab)*eps", "Amplitudes take the root.", "fr.sqrt-placement"),
    ValueFault("√ab·x0 + (1-ab)ε", "One root is missing.", "fr.half-root"),
)
GUIDED = formula(
    "eps_u + s*(eps_c - eps_u)",
    {"eps_c": X, "eps_u": X, "s": (1, 10)},
    ValueFault("eps_c + s*(eps_c - eps_u)", "That is w = s - 1.", "cfg.w_is_s"),
)
CLEAN = formula("(x_t - sqrt(1-ab)*eps)/sqrt(ab)", {"x_t": X, "ab": AB, "eps": X})
BACK = formula(
    "sqrt(ab_prev)*x0 + sqrt(1-ab_prev)*eps", {"x0": X, "ab_prev": AB, "eps": X, "ab": AB}
)
SIGMA = formula("sqrt((1-ab)/ab)", {"ab": AB})
CIRCLE = formula("sigma**2/2 + pi", {"sigma": (0.1, 9)})
VELOCITY = formula("sqrt(ab)*eps - sqrt(1-ab)*x0", {"x0": X, "ab": AB, "eps": X})

RIGHT = [
    (NOISED, "sqrt(ab)*x0+sqrt(1-ab)*eps|sqrt(ab)x0 + sqrt(1-ab)eps|x0 sqrt(ab) + eps sqrt(1-ab)"),
    (
        NOISED,
        "ab^0.5*x0 + (1-ab)^0.5*eps|ab**.5 * x0 + (1-ab)**.5 * eps|"
        "ab^(1/2) x0 + (1-ab)^(1/2) noise",
    ),
    (
        NOISED,
        "√ᾱ_t x_0 + √(1-ᾱ_t) ε|√(ᾱ_t)·x₀ + √(1−ᾱₜ)·ε|√α̅ₜ x₀ + √(1 - α̅ₜ) ε_θ(x_t, t)|"
        "ᾱ^½ x0 + (1-ᾱ)^½ ε",
    ),
    (
        NOISED,
        "x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) epsilon|"
        "x_t := sqrt(ab) x0 + sqrt(1-ab) eps",
    ),
    (
        NOISED,
        "q(t) = sqrt(ab) x0 + sqrt(1-ab) eps|x(t) = √ab x0 + √(1-ab) eps|"
        "noisy = √ab*x0 + √(1-ab)*e",
    ),
    (
        NOISED,
        "alphas_cumprod[t]**0.5 * x0 + (1-alphas_cumprod[t])**0.5 * noise|"
        "sqrt(abar)*x0+sqrt(1-abar)*e",
    ),
    (
        NOISED,
        "ab.sqrt()*x0 + (1-ab).sqrt()*eps|torch.sqrt(ab_t)*x_0 + torch.sqrt(1-ab_t)*eps_t|"
        "(1-ab).sqrt()eps+ab.sqrt()x0",
    ),
    (
        NOISED,
        r"\sqrt{\bar{\alpha}_t} x_0 + \sqrt{1-\bar{\alpha}_t}\epsilon|"
        r"$\sqrt{\bar\alpha_t}x_0+\sqrt{1-\bar\alpha_t}\varepsilon$",
    ),
    (
        NOISED,
        "sqrt(alphabar)*x0 + sqrt(1-alphabar)*eps|sqrt ab * x0 + sqrt(1-ab) * eps|"
        "[√ab]x0 + {√(1-ab)}eps",
    ),
    (
        NOISED,
        "SQRT(AB)*X0 + Sqrt(1-AB)*EPS|+sqrt(ab)*x0 - -sqrt(1-ab)*eps|"
        "`sqrt(ab)*x0 + sqrt(1-ab)*eps`.",
    ),
    (
        NOISED,
        "np.sqrt(alpha_cumprod)*x0 + math.sqrt(1-alpha_cumprod)*eps|"
        "exp(0.5*log(ab))*x0+sqrt(1-ab)*eps",
    ),
    (
        GUIDED,
        "eps_u+s(eps_c-eps_u)|ε_u + s(ε_c − ε_u)|e_u + s*(e_c - e_u)|(1-s)eps_u + s eps_c|"
        "eps_c+(s-1)(eps_c-eps_u)",
    ),
    (
        GUIDED,
        "eps_uncond + guidance_scale*(eps_cond - eps_uncond)|uncond + scale*(cond-uncond)|"
        "εᵤ + s(ε_c-εᵤ)",
    ),
    (
        GUIDED,
        "noise_pred_uncond + s*(noise_pred_text - noise_pred_uncond)|"
        "noise_pred = e_u + cfg (e_c - e_u)",
    ),
    (GUIDED, "(1-s)*ε_u+sε_c|ε_θ_u + s·(ε_θ_c − ε_θ_u)"),
    (
        CLEAN,
        "(x_t-sqrt(1-ab)eps)/sqrt(ab)|x_t/√ᾱ - √((1-ᾱ)/ᾱ) ε|(xt - (1-ab)**.5*eps)/ab**.5|"
        "(x-√(1-ab)ε)/√ab",
    ),
    (
        CLEAN,
        "x0 = (x_t - √(1-ᾱ_t)·ε)/√ᾱ_t|x̂₀ = (xₜ − √(1−ᾱₜ) ε)/√ᾱₜ|(x_t - √(1-ᾱ_t) ε_θ(x_t,t)) / √ᾱ_t",
    ),
    (
        CLEAN,
        r"\frac{x_t - \sqrt{1-\bar\alpha_t}\epsilon}{\sqrt{\bar\alpha_t}}|"
        r"ab^-0.5 (x_t - (1-ab)^0.5 eps)",
    ),
    (
        CLEAN,
        "(latents - sqrt(1-alphas_cumprod[t])*noise_pred)/sqrt(alphas_cumprod[t])|"
        "(x_t-(1-ab).sqrt()*eps)/ab.sqrt()",
    ),
    (
        BACK,
        "sqrt(alphas_cumprod[t-1])*x0+sqrt(1-alphas_cumprod[t-1])*eps|√ᾱ_{t-1} x0 + √(1-ᾱ_{t-1}) ε",
    ),
    (
        BACK,
        "x_{t-1} = sqrt(alpha_bar_prev) x0 + sqrt(1-alpha_prod_t_prev) eps|"
        "ᾱₜ₋₁^0.5 x₀ + (1-ᾱₜ₋₁)^0.5 ε",
    ),
    (
        BACK,
        "√alphas_cumprod[prev_t] x0 + √(1-alphas_cumprod[prev_timestep]) eps|"
        "ab_prev**.5*pred_original_sample+(1-ab_prev)**.5*noise",
    ),
    (
        SIGMA,
        "sqrt((1-ab)/ab)|σ = √((1-ᾱ)/ᾱ)|(1/ab-1)^0.5|√(1-ab)/√ab|(1/ab - 1)**(1/2)|"
        "abs(sqrt((1-ab)/ab))|max(sqrt((1-ab)/ab), 0)",
    ),
    (
        CIRCLE,
        "σ²/2+π|sigma^2/2 + pi|0.5σ²+π|(1/2)σ_t² + π|σ**2 * 0.5 + pi|π + σ·σ÷2|"
        "pi + .5 sigma**2|2^-1 σ^2 + π",
    ),
    (VELOCITY, "√ᾱ ε − √(1−ᾱ) x₀|v = sqrt(ab) eps - sqrt(1-ab) x0|-(√(1-ab) x0 - √ab ε)"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in RIGHT for answer in answers.split("|")]
)
def test_right(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 1, verdict
    assert not verdict.faults


def test_bars_are_an_absolute_value() -> None:
    assert grade(GUIDED, "eps_u + |s|*(eps_c - eps_u)").right
    assert not grade(GUIDED, "|eps_u + s*(eps_c - eps_u)|").right


MALFORMED = [
    "", " ", "?", "sqrt_ab*x0+eps", "alpha_t*x0", "a*x0", "sqrt(at)*x0", "x0/2eps", "1/2 x0", "(x0",
    "x0)", "x0*", "* x0", "x0 @ eps", "x0 % eps", "x0 = y = eps", "x0*2 = eps", "x0 == eps == ab",
    "x0 < eps", "sqrt()", "sqrt(x0, eps)", "min(x0)", "open(x0)", "x0 + unknown", "x0,eps",
    "sqrt ", "√", "lambda: x0", "__import__('os')", "x0.real", "x0.sqrt", "x0[", "x0[1,2]",
    "((((((((((((((((((((((((((((((((x0))))))))))))))))))))))))))))))))", "2^" * 40 + "2",
    "x0+" * 200 + "x0", "eps(", "eps(x_t, t", "|x0", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("answer", MALFORMED)
def test_malformed(answer: str) -> None:
    assert refused(NOISED, answer)


@pytest.mark.parametrize(
    ("q", "answer", "reason"),
    [
        (NOISED, "sqrt_ab*x0+eps", "`sqrt_ab` is not known here; known: x0, ab, eps"),
        (GUIDED, "eps_u + w(eps_c-eps_u)", "`w` is not known here; known: eps_c, eps_u, s"),
        (GUIDED, "eps + s", "`eps` is not known"),
        (NOISED, "x0/2eps", "read in two ways"),
        (NOISED, "(x0", "`)` is missing"),
        (NOISED, "x0*2 = eps", "left of `=`"),
    ],
)
def test_the_reason_says_what_to_do(q: Question, answer: str, reason: str) -> None:
    assert reason in refused(q, answer)


@pytest.mark.parametrize(
    ("q", "answer", "belief"),
    [
        (NOISED, "ᾱ x₀ + (1-ᾱ) ε", "fr.sqrt-placement"),
        (NOISED, "x0 ab + eps - ab*eps", "fr.sqrt-placement"),
        (NOISED, "√ᾱ x₀ + (1-ᾱ) ε", "fr.half-root"),
        (GUIDED, "(1+s)e_c - s e_u", "cfg.w_is_s"),
    ],
)
def test_an_equal_wrong_formula_names_the_belief(q: Question, answer: str, belief: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0
    assert verdict.misconceptions == (belief,)


@pytest.mark.parametrize(
    ("q", "answer", "says"),
    [
        (NOISED, "-sqrt(ab)*x0 - sqrt(1-ab)*eps", "The sign is wrong"),
        (VELOCITY, "√(1-ab) x0 - √ab ε", "The sign is wrong"),
        (NOISED, "2*(sqrt(ab)*x0 + sqrt(1-ab)*eps)", "gives 2 times"),
        (NOISED, "sqrt(ab-1)*x0", "no value at 16 of 16"),
        (NOISED, "x0/0", "no value at 16 of 16"),
        (NOISED, "9^9^9", "no value at 16 of 16"),
        (NOISED, "x0^eps", "no value at"),
        (NOISED, "x0", "another value: at x0="),
        (BACK, "sqrt(ab)*x0+sqrt(1-ab)*eps", "another value"),
        (CIRCLE, "σ²/2 + 3.14159", "not 1"),
        (NOISED, "0", "another value"),
    ],
)
def test_wrong(q: Question, answer: str, says: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0
    assert says in faults(verdict)


def test_the_answer_is_shown_as_read() -> None:
    verdict = grade(NOISED, "x_t = √ᾱ_t x₀ + √(1−ᾱ_t) ε")
    assert verdict.understood == "sqrt(ab) * x0 + sqrt(1 - ab) * eps"
    assert verdict.expected == "sqrt(ab)*x0 + sqrt(1-ab)*eps"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4),
        ("2^-1", 0.5),
        ("2^3^2", 512),
        ("2x^2", 18),
        ("-x^2", -9),
        ("(2x)^2", 36),
        ("2(x+1)", 8),
        ("x(x)", 9),
        ("x.sqrt()**2", 3),
        ("√x^2", 3),
        ("6/2*x", 9),
        ("--x", 3),
        ("1-2-3", -4),
        ("2/4/2", 0.25),
        ("2 3", 6),
        ("2e1x", 60),
        ("007", 7),
        ("00.5", 0.5),
    ],
)
def test_precedence(text: str, value: float) -> None:
    assert read_formula(text, ["x"]).number_at({"x": 3}) == pytest.approx(value)


def test_ambiguous_spellings_are_nobodys() -> None:
    q = formula("x0 + x_t", {"x0": X, "x_t": X})
    assert "`x` is not known" in refused(q, "x + x_t")
    noises = formula("eps + z", {"eps": X, "z": X})
    assert "`noise` is not known" in refused(noises, "noise + z")


def test_points_are_the_same_every_time_and_inside_the_ranges() -> None:
    body = SIGMA.body
    assert isinstance(body, FormulaBody)
    points, values = sample(body, "seed")
    assert sample(body, "seed") == (points, values)
    assert len(points) == POINTS >= 12
    assert all(0.05 < point["ab"] < 0.95 for point in points)
    assert sample(body, "other") != (points, values)


def test_points_without_a_value_are_drawn_again() -> None:
    assert grade(formula("sqrt(x)", {"x": (-1, 1)}), "x^0.5").right
    with pytest.raises(ValueError, match="no value at most points"):
        grade(formula("sqrt(x)", {"x": (-2, -1)}), "x")


def test_broken_formulas_are_errors_of_the_pack() -> None:
    with pytest.raises(ValueError, match="the key"):
        grade(formula("sqrt(", {"x": X}), "x")
    with pytest.raises(ValueError, match="the fault"):
        grade(formula("x", {"x": X}, ValueFault("2y")), "2x")


def _expressions() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(["x", "y", "2", "0.5", "(x+1)"])
    return st.recursive(
        atoms,
        lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        max_leaves=8,
    )


@given(_expressions(), st.floats(0.5, 2), st.floats(0.5, 2))
def test_python_arithmetic_reads_as_itself(text: str, x: float, y: float) -> None:
    from drill.domain.expressions import ExpressionError

    try:
        wanted = parse(text).number_at({"x": x, "y": y})
    except ExpressionError:
        return
    assert read_formula(text, ["x", "y"]).number_at({"x": x, "y": y}) == pytest.approx(wanted)

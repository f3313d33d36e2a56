"""`number`: spellings, units, tolerance, faults."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.domain.grading import grade
from drill.domain.grading.quantity import number_text, split_number
from drill.domain.grading.units import UnitError, read_unit
from drill.domain.questions import NumberBody, Question, ValueFault

from .making import faults, question, refused


def number(key: float, unit: str = "", **more: object) -> Question:
    return question("number", NumberBody(key, unit, **more))  # type: ignore[arg-type]


GB = number(1.719, "GB", rel=0.01)
CALLS = number(
    39,
    "calls",
    faults=(
        ValueFault("20", "One call a step is Euler's.", "sched.steps_are_calls"),
        ValueFault("78", "", "cfg.doubles"),
    ),
)
SHARE = number(7.3, "%", abs=0.5)
PARAMS = number(859520964, "parameters", rel=0.01)
FLOP = number(0.803, "TFLOP", rel=0.01)
SECONDS = number(34, "s", rel=0.05)
RATE = number(20, "GB/s", rel=0.05)
PLAIN = number(0.25, rel=0.01)
SMALL = number(4.036e-5, rel=0.01)
WHOLE = number(1024)

RIGHT = [
    (GB, "1.72 GB|1.72|1.72GB|1.72 gb|1.72G|1.72 gigabytes|1719 MB|1,719 MB|1 719 MB|1_719 MB"),
    (GB, "1'719 MB|1719000 KB|1719000 kB|1.719e9 B|1.719e9 bytes|1.6 GiB|1639 MiB|0.001719 TB"),
    (GB, "~1.72 GB|≈1.72GB|about 1.72 GB|approx. 1.72 GB|= 1.72 GB|weights = 1.72 GB|`1.72 GB`"),
    (GB, "1.72 GB.|859520964*2 bytes|859520964 x 2 B|13.75 Gbit|1.719·10⁹ B|(1.72) GB|+1.72 GB"),
    (CALLS, "39|39 calls|39 call|39.0|39 forward calls|39 unet calls|39 forward passes|39 times"),
    (CALLS, "2*20-1|2*20 - 1 calls|40 - 1 * 1|0.039k|~39|3.9e1|39x|(2*20)-1|39 invocations"),
    (SHARE, "7.3|7.3%|7.3 %|7.3 percent|7 pct|.073 x|6.8|7.8|73 ‰|73/10 %"),
    (PARAMS, "859,520,964|859_520_964|859 520 964|859.5M|859.5 M|859.5 M params|860m params"),
    (PARAMS, "0.86B|.86 B params|0.86 bn|0.86 billion|860 million parameters|860 Mparams|8.6e8"),
    (PARAMS, "8.6x10^8|860 million weights|859520k|0.86G"),
    (FLOP, ".803 TFLOPs|.803 TFLOP|803 GFLOPs|803 GFLOPS|401.5 GMACs|.803|.803 T|803 G|803e9 FLOP"),
    (SECONDS, "34|34 s|34s|34 sec|34 secs|34 seconds|34000 ms|34e6 us|34e6 µs|3.4e10 ns|.5667 min"),
    (SECONDS, "0.00944 h|34 Sec."),
    (RATE, "20|20 GB/s|20 GB / s|20 GB per second|20000 MB/s|20 gb/s|1200 GB/min"),
    (PLAIN, "1/4|.25|0.25|25 %|2^-2|2**-2|2⁻²|5/20|0.25x|$0.25$|(1/4)|2.5e-1|1 / 4|25e-2|.250"),
    (SMALL, "4.036e-5|4.04x10^-5|4.04×10^-5|4.04*10^-5|4.04·10⁻⁵|4.04 × 10^(-5)|4.04 * 10**-5"),
    (SMALL, "0.00004036|4.04E-5|40.36 ppm"),
    (WHOLE, "1024|1,024|1 024|1_024|1'024|2^10|2**10|2¹⁰|32*32|32 x 32|32×32|1,024.0|1000 + 24"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in RIGHT for answer in answers.split("|")]
)
def test_right(q: Question, answer: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 1, verdict
    assert not verdict.faults


MALFORMED = [
    (GB, "|x|?|GB|about|1,72|1,72 GB|12,34|1,2,3|1,7190 MB|0,123|1.024,5|1.2.3|1..2|1 2|1 72 GB"),
    (GB, "2 or 3|1-2|1 to 2 GB|1.7 - 1.8|1.72, 1.73|½|1½|1/0|1e999|1.72 s|1.72 calls|1.72 %"),
    (
        GB,
        "1.72 GB/s|1.72 TFLOP|1 GB 2 MB|859.5M*2 B|1.72 GB or so|GB 1.72 then|2**99999|(1.72|1.72)",
    ),
    (GB, "1.72 @ GB|--|+|1.72 +|1.72 plus 3|nan|inf|٣٤|1.72/GB/s"),
    (CALLS, "39 s|39 GB|39 steps|39 %|39 unet.forward|39 or 40|39 minus one|forty|39 images"),
    (SECONDS, "34m|34 GB|34 s/image|34 steps|34 B"),
    (RATE, "20 GB|20 s|20/s|20 GB/s/s|20 GB/step|20 GB/|20 /"),
    (PARAMS, "860m|860 MB|860 tokens|860 ms"),
    (FLOP, ".8 TFLOP/s|.8 GB"),
    (PLAIN, ".25 GB|.25 s|1:4|1/4/|0x1|-0xF"),
]


@pytest.mark.parametrize(
    ("q", "answer"), [(q, answer) for q, answers in MALFORMED for answer in answers.split("|")]
)
def test_malformed(q: Question, answer: str) -> None:
    assert refused(q, answer)


@pytest.mark.parametrize(
    ("q", "answer", "reason"),
    [
        (GB, "1,72", "the decimal sign is a point (`1.72`)"),
        (GB, "1.024,5", "the decimal sign is a point, and"),
        (GB, "1.72 s", "`s` is a time, and the answer is in GB"),
        (CALLS, "39 steps", "`steps` counts something else; the answer is in calls"),
        (SECONDS, "34m", "write `ms`, `min` or `M`"),
        (GB, "1-2", "range"),
        (GB, "x", "no number"),
        (GB, "1/0", "division by zero"),
        (PLAIN, ".25 GB", "an amount of data, and the answer is a plain number"),
    ],
)
def test_the_reason_says_what_to_do(q: Question, answer: str, reason: str) -> None:
    assert reason in refused(q, answer)


def test_a_missing_unit_is_said() -> None:
    verdict = grade(GB, "1.72")
    assert verdict.understood == "1.72 GB (No unit was given; read in GB.)"


def test_a_conversion_is_said() -> None:
    assert grade(GB, "1719 MB").understood == "1,719 MB = 1.719 GB"


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (GB, "1.719 GB (± 1 %: 1.702 to 1.736)"),
        (CALLS, "39 calls (exactly)"),
        (SHARE, "7.3 % (± 0.5: 6.8 to 7.8)"),
        (PARAMS, "859,520,964 parameters (± 1 %: 850,900,000 to 868,100,000)"),
        (SMALL, "4.036e-5 (± 1 %: 3.996e-5 to 4.076e-5)"),
        (number(10, "s", rel=0.01, abs=2), "10 s (± 2: 8 to 12)"),
        (number(0.18215, rel=0.01), "0.18215 (± 1 %: 0.1803 to 0.184)"),
        (number(3.14159265, rel=0.05), "3.14159265 (± 5 %: 2.985 to 3.299)"),
        (number(1 / 3, "s", rel=0.01), "0.3333 s (± 1 %: 0.33 to 0.3367)"),
    ],
)
def test_the_tolerance_is_shown(q: Question, expected: str) -> None:
    assert grade(q, "1e30").expected == expected


def test_the_key_is_shown_as_it_was_written() -> None:
    assert grade(number(0.18215, rel=0.01), "0.182").summary == "Right: 0.18215."
    assert grade(number(1 / 3, rel=0.01), "1/3").summary == "Right: 0.3333."


def test_the_larger_tolerance_counts_and_its_ends_belong() -> None:
    q = number(10, rel=0.01, abs=2)
    assert [grade(q, a).right for a in ("8", "12", "7.999", "12.001")] == [True, True, False, False]


def test_exact_means_exact() -> None:
    assert grade(number(11_901_408_320), "11901408320").right
    assert not grade(number(11_901_408_320), "11901408321").right
    assert grade(number(0.3), "0.1 + 0.2").right


def test_a_known_wrong_value_names_the_belief() -> None:
    verdict = grade(CALLS, "20 calls")
    assert verdict.score == 0
    assert faults(verdict) == "One call a step is Euler's."
    assert verdict.misconceptions == ("sched.steps_are_calls",)
    assert "78 calls" in faults(grade(CALLS, "78"))


def test_a_known_wrong_value_matches_within_the_tolerance_and_the_nearest_wins() -> None:
    q = number(
        1.719,
        "GB",
        rel=0.05,
        faults=(ValueFault("3.3", "far", "m.far"), ValueFault("3.438 GB", "near", "m.near")),
    )
    assert grade(q, "3.4").misconceptions == ("m.near",)
    assert grade(q, "3.2").misconceptions == ("m.far",)
    assert grade(q, "5").misconceptions == ()


def test_the_key_goes_before_a_fault_that_lies_within_its_tolerance() -> None:
    q = number(10, rel=0.1, faults=(ValueFault("10.5", "no", "m.x"),))
    assert grade(q, "10.5").score == 1
    assert grade(q, "11.2").misconceptions == ("m.x",)


@pytest.mark.parametrize(
    ("q", "answer", "says"),
    [
        (GB, "17.19 GB", "10 times too large"),
        (GB, "1719", "1,000 times too large"),
        (GB, "0.01719", "100 times too small"),
        (GB, "1.719e9", "10^9 times"),
        (GB, "1.601", "1024 and 1000"),
        (GB, "1.846", "1024 and 1000"),
        (GB, "1760", "1,024 times too large"),
        (SHARE, "0.073", "100 times too small"),
        (PLAIN, "25", "100 times too large"),
        (SECONDS, "34 ms", "1,000 times too small"),
        (number(0.1, "s"), "100 s", "1,000 times too large"),
    ],
)
def test_the_right_digits_at_a_wrong_scale_earn_half(q: Question, answer: str, says: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0.5
    assert says in faults(verdict)
    assert verdict.good == ("The digits are right.",)


@pytest.mark.parametrize(
    ("q", "answer", "says"),
    [
        (number(20, "calls"), "2", "too low by a factor of 10"),
        (number(1, "calls"), "10", "too high by a factor of 10"),
        (CALLS, "40", "too high by 2.56 %"),
        (GB, "1.65", "too low by 4.01 %"),
        (GB, "-1.72", "the sign is wrong"),
        (GB, "0", "not the value"),
        (number(0), "3", "not the value"),
        (number(-3), "3", "the sign is wrong"),
    ],
)
def test_plainly_wrong(q: Question, answer: str, says: str) -> None:
    verdict = grade(q, answer)
    assert verdict.score == 0
    assert says in faults(verdict).lower()


def test_a_belief_is_named_on_a_slip_of_scale_too() -> None:
    q = number(13.75, "Gbit", rel=0.01, faults=(ValueFault("1.375", "Forgot.", "m.forgot"),))
    verdict = grade(q, "1.375")
    assert (verdict.score, verdict.misconceptions) == (0.5, ("m.forgot",))


def test_a_fault_that_is_no_number_is_an_error_of_the_pack() -> None:
    with pytest.raises(ValueError, match="not a number"):
        grade(number(1, faults=(ValueFault("many"),)), "2")
    with pytest.raises(UnitError):
        grade(number(1, "a/b/c"), "2")


@pytest.mark.parametrize(
    ("left", "right", "ratio"),
    [
        ("GiB", "GB", 2**30 / 1e9),
        ("GB", "MB", 1000),
        ("MiB", "KiB", 1024),
        ("GB", "Gbit", 8),
        ("h", "s", 3600),
        ("ms", "us", 1000),
        ("TFLOP", "GFLOP", 1000),
        ("MAC", "FLOP", 2),
        ("TMACs", "GFLOPs", 2000),
        ("kWh", "J", 3.6e6),
        ("images/s", "images/min", 60),
        ("k tokens", "tokens", 1000),
        ("B params", "M params", 1000),
    ],
)
def test_ratios_of_units(left: str, right: str, ratio: float) -> None:
    one, other = read_unit(left), read_unit(right)
    assert one.dimension == other.dimension
    assert one.factor / other.factor == pytest.approx(ratio)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
def test_a_number_as_shown_reads_back(value: float) -> None:
    within = abs(value) * 1e-3
    said = number_text(value, within)
    assert split_number(said)[0] == pytest.approx(value, abs=within / 10, rel=1e-14)
    assert split_number(number_text(value))[0] == pytest.approx(value, rel=1e-14)


RENDERINGS = (
    lambda v: f"{v}",
    lambda v: f"{v:,}",
    lambda v: f"{v:_}",
    lambda v: f"{v:,}".replace(",", " "),
    lambda v: f"{v:,}".replace(",", "'"),
    lambda v: f"~ {v}",
    lambda v: f"x = {v}",
    lambda v: f"{v}.0",
    lambda v: f"{v}e0",
    lambda v: f"{v}/1",
    lambda v: f"{v}*10^0",
    lambda v: f"−{-v}" if v < 0 else f"+{v}",
)


@given(st.integers(-(10**14), 10**14), st.sampled_from(RENDERINGS))
def test_any_rendering_of_a_whole_number_reads_back(value: int, render: object) -> None:
    assert callable(render)
    assert split_number(render(value)) == (value, "")


@given(
    st.floats(min_value=1e-6, max_value=1e6),
    st.sampled_from([("B", 1), ("KB", 1e3), ("MiB", 2**20), ("GB", 1e9), ("TB", 1e12)]),
)
def test_any_unit_of_data_converts(gigabytes: float, unit: tuple[str, float]) -> None:
    q = number(gigabytes, "GB", rel=1e-6)
    name, factor = unit
    assert grade(q, f"{gigabytes * 1e9 / factor!r} {name}").right


def test_zero_reads_back() -> None:
    assert number_text(0) == "0"
    assert number_text(-0.0) == "0"
    assert math.copysign(1, split_number("-0.5")[0]) == -1

"""Axes as intervals, bands with their floors, and the bars of the three levels."""

from __future__ import annotations

import pytest

from drill.domain.interview.credit import Atom
from drill.domain.interview.scorecard import BANDS, FLOORS, OVERALL, band_of, bar_score, scorecard
from drill.domain.questions import Axis, Bar

ALL: tuple[Axis, ...] = ("mechanism", "code", "tradeoff", "debugging")


def atom(
    axis: Axis,
    low: float,
    high: float | None = None,
    bar: Bar = "mid",
    name: str = "",
    weight: float = 2.0,
) -> Atom:
    top = low if high is None else high
    how = "unprompted" if low else "missed"
    name = name or f"{axis}-{bar}"
    quote = "what I said" if low else ""
    return Atom("drill:a", name, name, axis, bar, weight, how, low, top, quote)  # type: ignore[arg-type]


def test_everything_said_is_a_four_and_nothing_a_one() -> None:
    best = scorecard([atom(axis, 1.0) for axis in ALL], "mid").own
    assert [a.low for a in best.axes] == [4.0] * 4 and best.band == "strong hire"
    worst = scorecard([atom(axis, 0.0) for axis in ALL], "mid").own
    assert [a.high for a in worst.axes] == [1.0] * 4 and worst.band == "strong no hire"


def test_ticks_open_the_interval_and_no_band_is_named_when_it_straddles_two() -> None:
    card = scorecard([atom(axis, 0.4, 1.0) for axis in ALL], "mid").own
    assert [(a.low, a.high) for a in card.axes] == [(2.2, 4.0)] * 4
    assert (card.low, card.high, card.band) == ("lean no hire", "strong hire", None)


def test_taking_credit_back_lowers_the_lower_end() -> None:
    card = scorecard([atom("code", 1.0, 0.0), *(atom(a, 1.0) for a in ALL)], "mid").own
    code = next(a for a in card.axes if a.axis == "code")
    assert (code.low, code.high) == (2.5, 4.0)


def test_one_axis_under_the_floor_costs_the_band() -> None:
    def band(lowest: float) -> str | None:
        return band_of([(4.0, 5.0), (4.0, 5.0), (lowest, 2.0)])

    assert band(FLOORS["strong hire"]) == "strong hire"
    assert band(FLOORS["strong hire"] - 0.1) == "lean hire"
    assert band(FLOORS["lean hire"] - 0.1) == "lean no hire"


def test_bands_follow_the_overall_score() -> None:
    for band, score in OVERALL.items():
        assert band_of([(score, 3.0)] * 4) == band
        under = band_of([(score - 0.05, 3.0)] * 4)
        assert under is not None and BANDS.index(under) == BANDS.index(band) + 1


def test_an_axis_weighs_by_what_was_asked() -> None:
    assert band_of([(3.4, 20.0), (2.7, 2.0)]) == "strong hire"
    assert band_of([(3.4, 2.0), (2.7, 20.0)]) == "lean hire"


def test_an_axis_that_was_hardly_asked_about_is_not_seen() -> None:
    once = atom("tradeoff", 0.0, weight=1.0)
    card = scorecard([atom("mechanism", 1.0), atom("code", 1.0), once], "mid").own
    seen = {a.axis: a.seen for a in card.axes}
    assert seen == {"mechanism": True, "code": True, "tradeoff": False, "debugging": False}
    assert card.band == "strong hire"
    assert scorecard([atom("mechanism", 1.0)], "mid").own.band is None


def test_the_same_answers_meet_a_lower_bar_better() -> None:
    said = [atom(axis, 1.0, bar="mid") for axis in ALL]
    left = [atom(axis, 0.0, bar="senior") for axis in ALL]
    card = scorecard([*said, *left], "mid")
    bands = {bar.level: bar.band for bar in card.bars}
    assert bands["mid"] == "strong hire" and bands["senior"] == "lean hire"
    assert {a.id for a in card.next_missing} == {f"{axis}-senior" for axis in ALL}
    assert card.own.missing == ()


def test_nothing_is_beyond_the_highest_bar() -> None:
    card = scorecard([atom(axis, 0.0, bar="staff") for axis in ALL], "staff")
    assert card.next_missing == () and len(card.own.missing) == 4


def test_a_point_above_the_level_lifts_but_never_over_four() -> None:
    base = [atom("code", 0.4, bar="mid"), atom("mechanism", 1.0)]
    lifted = scorecard([*base, atom("code", 1.0, bar="staff")], "mid").own
    plain = scorecard(base, "mid").own
    code = {name: next(a.low for a in card.axes if a.axis == "code") for name, card in
            (("lifted", lifted), ("plain", plain))}  # fmt: skip
    assert code["lifted"] == pytest.approx(code["plain"] + 3 * 0.25)
    full = scorecard([atom("code", 1.0), atom("code", 1.0, bar="staff", name="x")], "mid").own
    assert next(a.low for a in full.axes if a.axis == "code") == 4.0


def test_evidence_is_the_learners_own_words() -> None:
    card = scorecard([atom("code", 1.0), atom("mechanism", 0.0)], "mid")
    assert [e.quote for e in card.evidence["code"]] == ["what I said"]
    assert card.evidence["mechanism"] == ()


def test_where_too_little_was_asked_no_level_gets_a_band() -> None:
    """A point of a higher level lifts its axis there, and would give that level a band alone."""
    atoms = [atom("code", 1.0), atom("tradeoff", 1.0, bar="staff")]
    assert bar_score(atoms, "staff").low == "strong hire"
    card = scorecard(atoms, "mid")
    assert [(bar.low, bar.high) for bar in card.bars] == [(None, None)] * 3

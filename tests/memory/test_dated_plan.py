"""A session on the way to the interview: what is in it, what is not, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drill.domain.dated_plan import Dated, Inputs, candidates, plan_day
from drill.domain.first_answers import BEFORE, FirstAnswers, learned
from drill.domain.importance import importance
from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.state import MemoryState, ParameterSet
from drill.domain.questions import Head
from tests.memory.bank import bank, head

DAY = 20_000


def seen(item: str, stability: float = 10.0, ago: int = 12, **changes: Any) -> MemoryState:
    state = MemoryState(
        item, stability, 5.0, due_day=DAY + 5, last_day=DAY - ago, first_day=DAY - 50, reps=3
    )
    return replace(state, **changes)


def inputs(heads: dict[str, Head], states: dict[str, MemoryState], **changes: Any) -> Inputs:
    made = Inputs(
        heads=heads,
        states=states,
        history=HistorySummary(),
        first=FirstAnswers(),
        parameters=ParameterSet(),
        level="mid",
        role=None,
        day=DAY,
        date=DAY + 20,
    )
    return replace(made, **changes)


def reasons(places: list[Dated]) -> dict[str, str]:
    return {p.item_id: p.reason for p in places}


def test_each_place_has_its_reason() -> None:
    heads = {i: head(i, topic=i) for i in ("retest", "due", "known", "new", "ahead", "forward")}
    states = {
        "retest": seen("retest", ago=1, retest_day=DAY),
        "due": seen("due", due_day=DAY - 1),
        "known": seen("known", known=True, due_day=DAY),
        "ahead": seen("ahead"),
        "forward": MemoryState("forward", due_day=DAY),
    }
    places = plan_day(inputs(heads, states, forward=frozenset({"forward"})), 3600, 1)
    expected = {i: i for i in heads} | {"forward": "due"}
    assert reasons(places) == expected
    assert {p.item_id for p in places if p.forward} == {"forward"}


def test_retests_and_what_was_brought_forward_come_into_the_shortest_session() -> None:
    heads = bank(("cfg", "vae", "loop"), each=6)
    last, other = list(heads)[-1], list(heads)[-2]  # staff items, which hardly count
    states = {i: seen(i, stability=2.0) for i in heads}
    states[last] = seen(last, stability=40.0, ago=1, retest_day=DAY)
    del states[other]
    places = plan_day(inputs(heads, states, forward=frozenset({other})), 200, 1)
    assert {last, other} <= set(reasons(places))
    none = plan_day(inputs(heads, states | {last: seen(last, stability=40.0)}), 200, 1)
    assert last not in reasons(none)


def test_what_was_taken_as_known_is_checked_when_it_is_due_in_a_part_of_the_session() -> None:
    heads = bank(("cfg", "vae", "loop"), each=6)
    easy = [i for i, h in heads.items() if h.level == "junior"]
    states = {i: seen(i, stability=60.0, ago=6, known=True, due_day=DAY) for i in easy}
    later = {i: replace(s, due_day=DAY + 1) for i, s in states.items()}
    checked = [p for p in plan_day(inputs(heads, states), 1200, 1) if p.reason == "known"]
    assert 2 <= len(checked) <= 5
    assert sum(p.choice.seconds for p in checked) <= 300
    assert "known" not in reasons(plan_day(inputs(heads, later), 1200, 1)).values()


def test_what_may_not_be_asked_stays_out() -> None:
    heads = {i: head(i, topic=i) for i in ("open", "asleep", "buried", "done", "unburied", "twin")}
    heads["twin"] = head("twin", topic="twin", siblings=("done",))
    states = {
        "asleep": seen("asleep", suspended=True),
        "buried": seen("buried", buried_until=DAY + 1),
        "done": seen("done", ago=0),
        "unburied": seen("unburied", buried_until=DAY),
    }
    history = HistorySummary(answered_today=frozenset({"done"}))
    places = plan_day(inputs(heads, states, history=history), 3600, 1)
    assert set(reasons(places)) == {"open", "unburied"}
    assert "asleep" not in {c.item_id for c in candidates(inputs(heads, states))}


def test_siblings_never_share_a_day_whichever_of_them_says_so() -> None:
    heads = {"a": head("a", siblings=("b",)), "b": head("b", topic="vae"), "c": head("c")}
    assert len({"a", "b"} & set(reasons(plan_day(inputs(heads, {}), 3600, 1)))) == 1
    history = HistorySummary(answered_today=frozenset({"b"}))
    assert set(reasons(plan_day(inputs(heads, {}, history=history), 3600, 1))) == {"c"}


def test_the_minutes_are_the_only_limit_of_new_items() -> None:
    heads = bank(("cfg", "vae", "loop"), each=10)
    history = HistorySummary(new_today=40)
    places = plan_day(inputs(heads, {}, history=history), 3600, 1)
    assert len(places) > 40
    assert 3300 < sum(p.choice.seconds for p in places) <= 3600


def test_the_personal_pace_is_the_price_of_an_item() -> None:
    heads = {"c": head("c", type="choice"), "e": head("e", type="explain", seconds=60.0)}
    history = HistorySummary(pace={"choice": 2.0, "explain": 0.5}, feedback_seconds=10.0)
    costs = {c.item_id: c for c in candidates(inputs(heads, {}, history=history))}
    assert costs["c"].seconds_right == 70.0 and costs["e"].seconds_right == 40.0
    assert costs["c"].seconds_wrong == pytest.approx(1.6 * 60.0 + 20.0)


def test_candidates_carry_what_is_known_of_the_learner() -> None:
    heads = bank(("cfg", "vae"), each=1)
    name = next(iter(heads))
    first = learned([("cfg", True)] * 20)
    found = {c.item_id: c for c in candidates(inputs(heads, {name: seen(name)}, first=first))}
    assert found[name].stability == 10.0 and found[name].last_day == DAY - 12
    new = [c for i, c in found.items() if i != name and heads[i].topic == "cfg"]
    assert all(c.stability == 0 and c.first_right == first.chance("cfg") > 0.8 for c in new)
    weights = {heads[i].level: c.weight for i, c in found.items() if heads[i].topic == "cfg"}
    assert weights["mid"] == importance(head("x"), "mid") > weights["staff"] > 0


def test_on_the_day_itself_nothing_new_is_asked_and_afterwards_there_is_no_plan() -> None:
    heads = bank(("cfg", "vae"), each=3)
    old = list(heads)[:4]
    made = inputs(heads, {i: seen(i) for i in old}, date=DAY)
    assert set(reasons(plan_day(made, 3600, 1))) <= set(old)
    with pytest.raises(ValueError, match="after the day"):
        plan_day(replace(made, date=DAY - 1), 3600, 1)


def test_a_limit_keeps_the_best() -> None:
    heads = {f"i{n}": head(f"i{n}", relevance="quirk") for n in range(9)}
    heads |= {f"c{n}": head(f"c{n}", topic="loop") for n in range(3)}
    places = plan_day(inputs(heads, {}), 9e4, 1, limit=3)
    assert set(reasons(places)) == {"c0", "c1", "c2"}


def test_topics_are_interleaved() -> None:
    heads = bank(("cfg", "vae", "loop"), each=5)
    topics = [heads[p.item_id].topic for p in plan_day(inputs(heads, {}), 1800, 1)]
    assert all(len(set(topics[n : n + 3])) > 1 for n in range(len(topics) - 2))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    seconds=st.floats(60, 3600),
    known=st.sets(st.integers(0, 95)),
    left=st.integers(0, 60),
)
def test_rules_hold_for_any_history(seed: int, seconds: float, known: set[int], left: int) -> None:
    heads = bank(("cfg", "vae", "loop"))
    names = list(heads)
    for n in range(0, 90, 9):
        heads[names[n]] = replace(heads[names[n]], siblings=(names[n + 4],))
    states = {names[n]: seen(names[n], stability=1.0 + n) for n in known}
    made = inputs(heads, states, date=DAY + left)
    places = plan_day(made, seconds, seed)
    assert places == plan_day(made, seconds, seed)
    chosen = [p.item_id for p in places]
    assert len(set(chosen)) == len(chosen)
    for item in chosen:
        assert not set(chosen) & set(heads[item].siblings)
    if len(places) > 1:
        assert sum(p.choice.seconds for p in places) <= seconds + 1e-6


# -- the chance of a new item --------------------------------------------------------


def test_first_answers_are_pulled_to_the_learner_and_the_learner_to_the_prior() -> None:
    assert learned([]).chance("cfg") == BEFORE
    found = learned([("cfg", True)] * 12 + [("vae", False)] * 4)
    overall = (12 + 20 * 0.45) / (16 + 20)
    assert found.overall == pytest.approx(overall)
    assert found.chance("cfg") == pytest.approx((12 + 8 * overall) / 20)
    assert found.chance("vae") == pytest.approx((0 + 8 * overall) / 12)
    assert found.chance("loop") == found.overall
    assert found.worth("cfg") == 20 and found.worth("loop") == 8


# -- importance ------------------------------------------------------------------------


def test_importance_is_a_share_and_greatest_at_the_own_level() -> None:
    for level in ("junior", "mid", "senior", "staff"):
        weights = {h.level: importance(h, level) for h in bank(("cfg",), each=1).values()}
        assert max(weights, key=lambda name: weights[name]) == level
        assert all(0 < w <= 1 for w in weights.values())


def test_importance_weighs_relevance_topic_and_role() -> None:
    core, deep, quirk = (head("x", relevance=r) for r in ("core", "deep", "quirk"))
    assert importance(core, "mid") > importance(deep, "mid") > importance(quirk, "mid")
    serving = head("s", topic="serving", level="senior")
    assert importance(serving, "senior") > importance(replace(serving, topic="overview"), "senior")
    loop = head("l", topic="loop", level="junior")
    assert importance(loop, "junior") > importance(replace(loop, topic="serving"), "junior")
    assert importance(core, "mid", "serving") < importance(core, "mid")
    assert importance(core, "mid", "research") == importance(core, "mid")
    other = head("o", roles=("applied",))
    assert importance(other, "mid", "research") < importance(core, "mid", "research")
    assert 0 < importance(head("own", topic="a topic of mine"), "mid") < 1

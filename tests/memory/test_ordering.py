"""Interleaving."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from drill.domain.memory.ordering import LONGEST_RUN, interleaved
from drill.domain.memory.queue import Planned
from tests.memory.bank import head


def ordered(topics: list[str], seed: int = 1) -> list[str]:
    heads = {f"i{n}": head(f"i{n}", topic=t) for n, t in enumerate(topics)}
    plan = [Planned(i, "due", 30.0) for i in heads]
    got = interleaved(plan, heads, seed)
    assert sorted(p.item_id for p in got) == sorted(heads)
    return [heads[p.item_id].topic for p in got]


def longest_run(topics: list[str]) -> int:
    return max((len(list(group)) for _, group in groupby(topics)), default=0)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(0, 99))
def test_never_three_in_a_row_where_it_can_be_avoided(topics: list[str], seed: int) -> None:
    most = max(Counter(topics).values(), default=0)
    avoidable = most <= LONGEST_RUN * (len(topics) - most + 1)
    assert (longest_run(ordered(topics, seed)) <= LONGEST_RUN) == avoidable


def test_urgency_is_kept_roughly() -> None:
    topics = [f"t{n}" for n in range(40)]
    assert ordered(topics) == topics, "all different: nothing to move"
    heads = {f"i{n}": head(f"i{n}", topic=f"t{n % 4}") for n in range(40)}
    plan = [Planned(i, "due", 30.0) for i in heads]
    got = interleaved(plan, heads, 1)
    moved = [abs(place - int(p.item_id[1:])) for place, p in enumerate(got)]
    assert max(moved) <= 8


def test_confusable_topics_meet() -> None:
    heads = {f"a{n}": head(f"a{n}", topic="scheduler", confusable=("process",)) for n in range(4)}
    heads |= {f"b{n}": head(f"b{n}", topic="process") for n in range(4)}
    heads |= {f"c{n}": head(f"c{n}", topic="serving") for n in range(4)}
    heads |= {f"d{n}": head(f"d{n}", topic="vae") for n in range(4)}
    order = [f"{t}{n}" for n in range(4) for t in "acbd"]
    plan = [Planned(i, "due", 30.0) for i in order]
    got = [p.item_id[0] for p in interleaved(plan, heads, 1)]

    def meetings(sequence: list[str]) -> int:
        return sum({a, b} == {"a", "b"} for a, b in pairwise(sequence))

    assert meetings([i[0] for i in order]) == 0
    assert meetings(got) >= 4

"""Which questions an interview asks: repeatable, unused first, the level, whole cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drill.domain.interview.choosing import Course, Settings, choose
from drill.domain.interview.rounds import DEBRIEF_MINUTES, LENGTHS, parts_of, round_of
from drill.domain.questions import BARS, TOPICS, Head

TYPES = {
    "warmup": "short",
    "theory": "explain",
    "reading": "mutant",
    "coding": "code",
    "experiment": "predict",
}


def heads(per_round: int = 4) -> dict[str, Head]:
    """A reserve with `per_round` questions and cases for every round, level and two topics."""
    return {head.id: head for head in _heads(per_round)}


def _heads(per_round: int) -> Iterator[Head]:
    topics = list(TOPICS)
    count = 0
    for level in BARS:
        for name, kind in TYPES.items():
            for n in range(per_round):
                count += 1
                topic = topics[count % len(topics)]
                yield _head(f"drill:x.{level}-{name}-{n}", topic, level, kind)
        for name in ("estimate", "design"):
            for n in range(per_round):
                for stage in (1, 2, 3):
                    case = f"drill:x.{level}-{name}-{n}"
                    yield _head(f"{case}-{stage}", "serving", level, "number", name, case, stage)


def _head(
    item: str, topic: str, level: str, kind: str, part: str = "", case: str = "", stage: int = 0
) -> Head:
    return Head(
        item, topic, level, "core", (), kind, 60, "h",  # type: ignore[arg-type]
        reserve=True, round=part, case=case, stage=stage,
    )  # fmt: skip


def items(course: Course) -> list[str]:
    return [item for slot in course.slots for item in slot.items]


@pytest.mark.parametrize("level", BARS)
@pytest.mark.parametrize("minutes", LENGTHS)
def test_every_length_and_level_is_held_twice_without_a_repeat(level: str, minutes: int) -> None:
    first = choose(heads(), Settings(minutes, level, 1), {})  # type: ignore[arg-type]
    used = dict.fromkeys(items(first), 1)
    second = choose(heads(), Settings(minutes, level, 2), used)  # type: ignore[arg-type]
    assert set(items(first)).isdisjoint(items(second))
    assert first.lacks == second.lacks == ()
    assert len(first.slots) == len(parts_of(minutes, level))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_interview_and_another_one_another() -> None:
    made = [items(choose(heads(), Settings(60, "senior", seed), {})) for seed in (7, 7, 8)]
    assert made[0] == made[1] != made[2]


def test_the_parts_fill_the_time_and_leave_the_debrief() -> None:
    for minutes in LENGTHS:
        for level in BARS:
            total = sum(part.minutes for part in parts_of(minutes, level))
            assert total == minutes - DEBRIEF_MINUTES


def test_only_the_reserve_is_asked() -> None:
    made = {
        name: Head(**{**{f: getattr(h, f) for f in h.__struct_fields__}, "reserve": False})
        for name, h in heads().items()
    }
    course = choose(made, Settings(15, "mid", 1), {})
    assert course.slots == () and len(course.lacks) == 3


def test_a_case_is_asked_whole_and_in_order() -> None:
    course = choose(heads(), Settings(60, "staff", 3), {})
    case = next(slot for slot in course.slots if slot.round == "design")
    assert [item[-2:] for item in case.items] == ["-1", "-2", "-3"]
    assert len({item[:-2] for item in case.items}) == 1


def test_a_case_of_which_a_stage_is_held_back_is_not_asked() -> None:
    made = {i: h for i, h in heads(1).items() if not i.endswith("design-0-2")}
    course = choose(made, Settings(45, "mid", 1), {})
    assert "design" not in {slot.round for slot in course.slots}
    assert any("Serving and design" in lack for lack in course.lacks)


def test_questions_are_of_the_level_while_there_are_any() -> None:
    for level in BARS:
        course = choose(heads(), Settings(60, level, 5), {})
        assert all(f".{level}-" in i for i in items(course) if "warmup" not in i)


def test_nothing_far_above_the_level_is_asked() -> None:
    made = {i: h for i, h in heads().items() if h.level == "staff"}
    course = choose(made, Settings(60, "mid", 1), {})
    assert course.slots == ()


def test_topics_limit_the_choice_and_spread_over_it() -> None:
    wanted = ("cfg", "vae")
    course = choose(heads(12), Settings(45, "mid", 1, topics=wanted), {})
    made = heads(12)
    assert {made[i].topic for i in items(course)} == set(wanted)
    theory = [made[s.items[0]].topic for s in course.slots if s.round == "theory"]
    assert len(set(theory)) == 2


def test_siblings_are_never_asked_together() -> None:
    made = heads(2)
    theory = [i for i in made if "-theory-" in i and ".mid-" in i]
    bound = made[theory[0]]
    fields = {f: getattr(bound, f) for f in bound.__struct_fields__}
    made[theory[0]] = Head(**{**fields, "siblings": tuple(t for t in theory[1:])})
    for seed in range(10):
        chosen = [i for i in items(choose(made, Settings(45, "mid", seed), {})) if i in theory]
        assert len(chosen) == 1 or theory[0] not in chosen


def test_a_used_up_reserve_is_asked_again_and_says_so() -> None:
    used = dict.fromkeys(heads(), 1)
    course = choose(heads(), Settings(15, "mid", 1), used)
    assert len(course.slots) == 3 and all(slot.asked_before == 1 for slot in course.slots)
    assert any("asked before" in lack for lack in course.lacks)
    newest = items(course)
    again = choose(heads(), Settings(15, "mid", 1), used, newest)
    assert set(items(again)).isdisjoint(newest)


def test_rounds_follow_the_type_unless_the_item_says_otherwise() -> None:
    assert round_of(_head("a", "cfg", "mid", "explain")) == "theory"
    assert round_of(_head("a", "cfg", "mid", "explain", "design")) == "design"
    assert round_of(_head("a", "cfg", "mid", "diagnose")) == "experiment"
    assert round_of(_head("a", "cfg", "mid", "shape")) == "warmup"


def test_an_unknown_length_is_refused() -> None:
    with pytest.raises(ValueError, match="15, 30, 45, 60"):
        choose(heads(), Settings(20, "mid", 1), {})

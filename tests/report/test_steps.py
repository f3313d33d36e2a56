"""What to do next, and the sentences of the summary: from what is known, in order of use."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from drill.domain.statistics.interval import share
from drill.domain.statistics.model import Forecast, ForecastDay, Mastery, Mock, Statistics
from drill.services.report import summary
from drill.services.report.document import BeliefRow, Learner, Practice, Reading, Scope
from drill.services.report.steps import MOST_STEPS, Known, steps
from tests.report.conftest import Seeded

NOTHING_DUE = Forecast((), 0, 0, 0.0, 0, 0.0, 0)
LEARNER = Learner("senior", "", "2026-12-20", 27, 30)
PRACTICE = Practice("day", (), (), (), 0, "", 0)
ALL = Scope("all", "", "2026-11-23", "Everything")


def _topic(topic: str, right: int, answers: int, seen: int = 5) -> Mastery:
    return Mastery(topic, topic, 9, seen, 9 - seen, 0, 0.9, 0.8, 1.0, share(right, answers))


def _belief(name: str, status: str = "held", sure: bool = False) -> BeliefRow:
    said = f"Wrong {name}.", f"Right {name}."
    assert status in ("held", "shaken", "cleared")
    return BeliefRow(name, *said, "x", status, 1, 0, "2026-11-20", sure, 0)  # type: ignore[arg-type]


def _mock(day: int) -> Mock:
    return Mock(
        "m", day, "2026-11-01", 30, 28.0, "senior", "real", "lean hire", "", "lean hire",
        "lean hire", (), 4,
    )  # fmt: skip


@pytest.fixture
def told(long: Seeded) -> Statistics:
    """Statistics with nothing to complain of."""
    assert long.report.statistics is not None
    topics = (_topic("cfg", 20, 20), _topic("vae", 19, 20))
    return replace(long.report.statistics, topics=topics, forecast=NOTHING_DUE, mocks=(_mock(100),))


def find(topic: str, words: Iterable[str]) -> tuple[Reading, ...]:
    return (Reading(f"read-{topic}", topic, " ".join(words)[:20], f"drill lab show {topic}", ""),)


def _known(told: Statistics, **more: object) -> Known:
    known = Known(LEARNER, 103, 9, 50, told, PRACTICE)
    return replace(known, **more)


def titles(known: Known) -> list[str]:
    return [step.title for step in steps(known, find)]


def test_who_has_nothing_to_mend_is_told_nothing(told: Statistics) -> None:
    assert titles(_known(told)) == []


def test_beliefs_come_first_the_sure_ones_before_others(told: Statistics) -> None:
    beliefs = (_belief("a"), _belief("b", sure=True), _belief("c"), _belief("d", "cleared"))
    topics = {"a": "cfg", "b": "vae", "c": "loop", "d": "memory"}
    found = steps(_known(told, beliefs=beliefs, belief_topics=topics), find)
    assert [step.command for step in found] == [
        "drill session --topic vae", "drill session --topic cfg",
    ]  # fmt: skip
    assert "Wrong b." in found[0].why and found[0].reading[0].page == "vae"
    assert found[0].title == "Mend a belief about VAE and latents"
    gone = _known(told, beliefs=(_belief("a"),), belief_topics={"a": "no-such-topic"})
    assert titles(gone) == []


def test_what_is_due_comes_second(told: Statistics) -> None:
    due = ForecastDay(103, "2026-11-23", 1, 2.4)
    told = replace(told, forecast=replace(NOTHING_DUE, days=(due,)))
    over = _known(told, learner=replace(LEARNER, days_left=None))
    assert titles(over) == ["Review what is due"]
    found = steps(replace(over, beliefs=(_belief("a"),), belief_topics={"a": "cfg"}), find)
    assert found[1].title == "Review what is due"
    assert "1 item is due, about 2 minutes" in found[1].why
    assert titles(_known(told)) == [], "to a date the plan says what a day asks"


def test_weak_topics_are_practised_else_the_weakest(told: Statistics) -> None:
    topics = (_topic("cfg", 13, 20), _topic("vae", 17, 20), _topic("loop", 3, 20))
    found = titles(_known(replace(told, topics=topics)))
    assert found == ["Practise the inference loop", "Practise classifier-free guidance"]
    topics = (_topic("cfg", 20, 20), _topic("vae", 16, 20), _topic("loop", 17, 20))
    assert titles(_known(replace(told, topics=topics))) == ["Practise VAE and latents"]
    few = (_topic("cfg", 0, 3),)
    assert titles(_known(replace(told, topics=few))) == [], "three answers say nothing"
    (only,) = steps(_known(replace(told, topics=(_topic("cfg", 13, 20),))), find)
    assert only.why == "Only 13 of the last 20 first answers of a day were right."


def test_topics_that_were_not_begun(told: Statistics) -> None:
    topics = (_topic("cfg", 20, 20), _topic("vae", 0, 0, seen=0))
    assert titles(_known(replace(told, topics=topics))) == ["Begin VAE and latents"]
    every = tuple(_topic(t, 0, 0, seen=0) for t in ("cfg", "vae", "loop", "memory", "serving"))
    (found,) = steps(_known(replace(told, topics=every)), find)
    assert found.title == "Begin the five topics that were not touched yet"
    assert found.why.endswith("memory and speed and 1 more.")


def test_interviews(told: Statistics) -> None:
    assert titles(_known(replace(told, mocks=()))) == ["Hold a first mock interview"]
    (again,) = steps(_known(told, today=107), find)
    assert again.command == "drill mock sibling" and "4 expected points" in again.why
    assert titles(_known(told, today=106)) == []
    earlier = _known(replace(told, mocks=()), earlier_mocks=(_mock(90),), today=107)
    assert titles(earlier) == ["Hold another mock interview"], "a period may hold none of them"
    gaps = {"cfg": ["One."], "vae": ["Two.", "Three."]}
    (closed,) = steps(_known(told, gaps=gaps), find)
    assert closed.title == "Close two gaps about VAE and latents"


def test_the_date_is_asked_for_last_and_the_list_is_short(told: Statistics) -> None:
    undated = replace(LEARNER, interview="", days_left=None)
    assert titles(_known(told, learner=undated)) == ["Set the date of the interview"]
    due = ForecastDay(103, "2026-11-23", 3, 9.0)
    busy = replace(
        told,
        topics=(_topic("cfg", 1, 20), _topic("vae", 2, 20), _topic("loop", 0, 0, seen=0)),
        forecast=replace(NOTHING_DUE, days=(due,)),
        mocks=(),
    )
    beliefs = tuple(_belief(n) for n in "abc")
    known = _known(
        busy, beliefs=beliefs, belief_topics=dict(zip("abc", ("cfg", "vae", "loop"), strict=True))
    )
    assert len(titles(known)) == MOST_STEPS


# -- the summary ----------------------------------------------------------------------------


def paragraphs(
    told: Statistics, learner: Learner = LEARNER, *beliefs: BeliefRow, scope: Scope = ALL
) -> str:
    made = summary.paragraphs(scope, learner, 9, 50, None, told, PRACTICE, (), beliefs, None, ())
    return " ".join(made)


def test_the_summary_counts_beliefs_in_words(told: Statistics) -> None:
    assert "No answer showed one of the known wrong beliefs." in paragraphs(told)
    one = paragraphs(told, LEARNER, _belief("a"))
    assert "Answers showed one wrong belief, which is still held." in one
    two = paragraphs(told, LEARNER, _belief("a"), _belief("b"))
    assert "Answers showed two wrong beliefs; all of them are still held." in two
    mixed = paragraphs(told, LEARNER, _belief("a"), _belief("b", "cleared"), _belief("c", "shaken"))
    assert "one is still held, one is shaken by a right answer and one is mended" in mixed


def test_a_period_tells_apart_what_it_showed_and_what_is_open_from_before(told: Statistics) -> None:
    scope = Scope("period", "2026-11-20", "2026-11-23", "From 20 November")
    old = replace(_belief("b"), last="2026-11-19")
    both = paragraphs(told, LEARNER, _belief("a"), old, scope=scope)
    assert "Answers showed one wrong belief, which is still held. One belief is open" in both
    assert "One belief is open from before." in both
    more = replace(old, id="c", status="shaken")
    none = paragraphs(told, LEARNER, old, more, scope=scope)
    assert "No answer showed one of the known wrong beliefs. Two beliefs are open from" in none
    empty = replace(told, totals=replace(told.totals, answers=0))
    quiet = paragraphs(empty, LEARNER, old, scope=scope)
    assert "One belief is open from before." in quiet and "No answer showed" not in quiet


def test_interviews_are_told_in_whole_sentences(told: Statistics) -> None:
    one = "One mock interview was held, on 1 November 2026, of 30 minutes at the senior bar; it "
    assert one + "came out as lean hire." in paragraphs(told)
    none = replace(
        _mock(100), band=None, low=None, high=None, why_none="too little was asked for a band"
    )
    assert one + "has no band: too little was asked for a band." in paragraphs(
        replace(told, mocks=(none,))
    )
    two = paragraphs(replace(told, mocks=(_mock(90), _mock(100))))
    assert "Two mock interviews were held; the last, on 1 November 2026, of 30 minutes at" in two
    assert "senior bar, came out as lean hire." in two


def test_the_summary_knows_today_past_and_no_date(told: Statistics) -> None:
    assert "on 20 December 2026, in 27 days, at senior level" in paragraphs(told)
    assert "2026, today," in paragraphs(told, replace(LEARNER, days_left=0))
    assert "in 1 day," in paragraphs(told, replace(LEARNER, days_left=1))
    assert "The interview was on 20 December" in paragraphs(told, replace(LEARNER, days_left=None))
    assert "No interview date is set." in paragraphs(told, replace(LEARNER, interview=""))


def test_few_repeats_are_told_as_a_count(told: Statistics) -> None:
    whole = next(each for each in told.retention if each.days is None)

    def with_share(right: int, answers: int) -> str:
        return paragraphs(replace(told, retention=(replace(whole, all=share(right, answers)),)))

    assert "Of 4 questions that came back, 1 was remembered." in with_share(1, 4)
    assert "on a later day 75% was remembered (20 repeats)" in with_share(15, 20)
    assert "can be told once questions come back" in with_share(0, 0)

"""The document: of a new learner, of one with interviews; its pages fit and say when they begin."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from drill.config import Config
from drill.domain.statistics.mastery import mastery
from drill.domain.statistics.model import Share, Statistics
from drill.services.app import Drill
from drill.services.mock_report import finish, give_up
from drill.services.statistics import statistics
from drill.services.statistics_pages import PAGES, page
from drill.services.statistics_pages.parts import (
    NARROW,
    WIDEST,
    bar,
    columns,
    cut,
    interval_bar,
    scale,
    width_of,
)
from tests.conftest import SAMPLE, Clock
from tests.services.conftest import reserve, timer  # noqa: F401
from tests.services.interviews import GUIDANCE, NUMBER, Timer, hold
from tests.store.conftest import answer
from tests.test_imports import APP, COMPILING, HEAVY, modules_after

CHOICE = "sample:sc.sample-choice"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    """Of a learner with a week of answers of every kind."""
    clock = Clock()
    home = tmp_path_factory.mktemp("home")
    with Drill(home=home, packs=[SAMPLE], clock=clock, config=Config()) as drill:
        drill._standings = dict.fromkeys(drill.bank.heads, "proven")
        for day in range(6):
            for n, (item, head) in enumerate(drill.bank.heads.items()):
                wrong = (day + n) % 4 == 0
                drill.store.record(
                    answer(
                        item,
                        1 if wrong else 3,
                        type=head.type,
                        confidence=1 + (day + n) % 3,
                        misconceptions=head.misconceptions if wrong else (),
                        duration_ms=20_000 + 900 * n,
                    )
                )
            clock.forward(days=1)
        return statistics(drill)


def text(found: Statistics, name: str, width: int = WIDEST) -> str:
    rows = [(*lead, *said) for group in page(found, name, width) for lead, said in group]
    return "\n".join("".join(text for text, _ in row) for row in rows)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value


def test_a_new_learner_has_a_document(drill: Drill) -> None:
    found = statistics(drill)
    plain = json.loads(json.dumps(msgspec.to_builtins(found), allow_nan=False))
    assert plain["retention"][0]["all"] == {
        "right": 0, "answers": 0, "share": None, "low": 0.0, "high": 1.0,
    }  # fmt: skip
    assert plain["totals"]["items"] == plain["topics"][0]["unseen"] == len(drill.bank.heads)
    assert plain["calibration"]["brier"] is None and plain["mocks"] == []
    assert len(plain["hours"]) == 24 and len(plain["forecast"]["days"]) == 30


def test_a_new_learner_is_told_when_each_page_begins(drill: Drill) -> None:
    found = statistics(drill)
    for name, word in {
        "overview": "first answer on",
        "memory": "first item that you answer",
        "calibration": "first answer that you say",
        "beliefs": "until right answers on two days",
        "time": "first experiment whose outcome",
        "interviews": "drill mock",
    }.items():
        assert word in " ".join(text(found, name).split()), name


def test_the_document_reads_back_and_adds_up(busy: Statistics) -> None:
    found = busy
    raw = msgspec.json.encode(found)
    assert msgspec.json.decode(raw, type=Statistics) == found
    assert all(math.isfinite(value) for value in numbers(json.loads(raw)))
    totals = found.totals
    assert totals.answers == sum(d.answers for d in found.days) == sum(totals.by_mode.values())
    assert totals.answers == sum(h.right.answers for h in found.hours)
    assert totals.answers == sum(level.right.answers for level in found.calibration.levels)
    assert totals.answers == sum(each.answers for each in found.times)
    assert totals.seen == sum(topic.seen for topic in found.topics)
    assert sum(d.items for d in found.forecast.days) == found.forecast.items_30
    (predicted,) = found.experiments
    assert (predicted.experiment, predicted.lab) == ("step-size", "step_size")


@pytest.mark.parametrize("width", [NARROW, 60, WIDEST])
def test_tables_and_plots_fit(busy: Statistics, width: int) -> None:
    for name in PAGES:
        for group in page(busy, name, width):
            for lead, said in group:
                tones = {tone for _, tone in said}
                if width_of(lead) + width_of(said) > width:
                    # Only sentences may be longer: they wrap.
                    assert tones & {"muted", "prose", "dim", ""}, said
                    assert not tones & {"faint"}, (name, said)
                    words = "".join(text for text, _ in said).strip()
                    assert "   " not in words, (name, words)


def test_a_finished_interview_is_told_as_it_ended(reserve: Drill, timer: Timer) -> None:  # noqa: F811
    mock = hold(reserve, NUMBER, GUIDANCE, timer=timer, level="mid")
    mock.answer("40")
    timer.forward(240)
    mock.answer("It takes two predictions.")
    assert mock.phase == "debrief"
    document = finish(reserve, mock)
    other = hold(reserve, NUMBER)
    give_up(reserve, other)  # has no scorecard
    found = statistics(reserve)
    (told,) = found.mocks
    bar_ = document["scorecard"]["bars"]["mid"]
    assert (told.level, told.minutes, told.band) == ("mid", 30, bar_["band"])
    assert told.used == pytest.approx(document["seconds"] / 60)
    assert {a.axis: (a.seen, a.low, a.high) for a in told.axes} == {
        name: (a["seen"], a["low"], a["high"]) for name, a in bar_["axes"].items()
    }
    assert bool(told.why_none) == (told.band is None)
    assert told.missing == bar_["missing"]
    assert statistics(reserve, topic="scheduler").mocks == ()
    assert statistics(reserve, since_day=found.day + 1).mocks == ()
    shown = text(found, "interviews")
    assert told.date in shown and (told.band or told.why_none) in shown


def test_suspended_items_are_not_of_what_practice_asks(drill: Drill) -> None:
    other = next(i for i in drill.bank.heads if i != CHOICE)
    for item in (CHOICE, other):
        drill.store.record(answer(item, 3))
    drill.store.suspend(other)
    found = statistics(drill)
    totals = found.totals
    assert (totals.items, totals.seen, totals.suspended) == (len(drill.bank.heads) - 1, 1, 1)
    assert totals.items == sum(topic.items for topic in found.topics)
    assert totals.seen == sum(topic.seen for topic in found.topics)


def test_the_learners_own_reviews_change_what_recall_is_expected(
    drill: Drill, clock: Clock
) -> None:
    items = list(drill.bank.heads)
    for item in items:
        drill.store.record(answer(item, 3))
    before = statistics(drill)
    assert (before.memory_tests, round(before.memory_scale, 6)) == (0, 1.0)
    assert "counted in once there are any" in " ".join(text(before, "memory").split())
    clock.forward(days=2)
    for item in items:
        drill.store.record(answer(item, 1))
    found = statistics(drill)
    assert found.memory_tests == len(items) and found.memory_scale < 0.8
    plain = mastery([], drill.store.states().values(), drill.askable(), drill.store.today())
    for topic, bare in zip(found.topics, plain, strict=True):
        assert topic.recall is not None and bare.recall is not None
        assert topic.recall < bare.recall - 0.01
    told = " ".join(text(found, "memory").split())
    assert f"by {len(items)} of the last four weeks your memories last 0." in told


def test_a_period_is_called_what_it_is(drill: Drill, clock: Clock) -> None:
    for _ in range(5):
        drill.store.record(answer(CHOICE, 3))
        clock.forward(days=1)
    drill.store.record(answer(CHOICE, 3))
    today = drill.store.today()
    every = text(statistics(drill), "overview")
    assert "The last 30 days" in every and "everything" in every
    found = statistics(drill, today - 2)
    told = text(found, "overview")
    assert "The last 3 days" in told and "21 Nov" not in told and "on 3 days" in told
    assert "this period" in told and "everything" not in told
    one = text(statistics(drill, today), "overview")
    assert "Today  answers" in one and "each" not in one
    # A period does not begin before there was anything.
    long = statistics(drill, today - 100_000)
    assert (long.since_day, long.totals.answers) == (today - 5, 6)
    assert "The last 6 days" in text(long, "overview")


def test_a_period_of_a_new_learner_begins_today(drill: Drill) -> None:
    found = statistics(drill, drill.store.today() - 100_000)
    assert found.since == found.date


def test_every_word_of_confidence_is_compared(drill: Drill) -> None:
    for n in range(40):
        drill.store.record(answer(CHOICE, 3, confidence=1))
        drill.store.record(answer(CHOICE, 1 if n % 2 else 3, confidence=2))
        drill.store.record(answer(CHOICE, 1 if n < 4 else 3, confidence=3))
    shown = text(statistics(drill), "calibration")
    assert "Less often right than taken as: `think` (50%, not 70%)." in shown
    assert "More often right than taken as: `guess` (100%, not 40%)." in shown
    assert "◉ both" in shown


def test_the_ratio_says_what_it_is(busy: Statistics) -> None:
    assert "answer by answer; the median of these" in text(busy, "time")


def test_over_confidence_is_said(drill: Drill) -> None:
    for n in range(10):
        drill.store.record(answer(CHOICE, 1 if n < 6 else 3, confidence=3))
    shown = text(statistics(drill), "calibration")
    assert "promises more than it holds: 40% right" in shown
    assert "6 of 10 sure answers wrong, 1.0 expected; p = .0001" in shown


def test_text_of_packs_stays_text(drill: Drill) -> None:
    drill.store.record(answer(CHOICE, 1, misconceptions=("[red]nobody[/red]",)))
    (told,) = statistics(drill).beliefs.beliefs
    assert (told.id, told.belief, told.correction) == (*["[red]nobody[/red]"] * 2, "")
    assert "✗ [red]nobody[/red]" in text(statistics(drill), "beliefs")


def test_plots() -> None:
    def plain(spans: Any) -> str:
        return "".join(text for text, _ in spans)

    assert plain(interval_bar(0.1, 0.49, 0.3, 10)) == "─━━●━─────"
    assert plain(interval_bar(0.0, 1.0, None, 5)) == "─────"
    assert plain(interval_bar(0.4, 0.6, 0.5, 10, mark=0.9)) == "────━●━──┊"
    assert plain(interval_bar(0.4, 0.6, 0.5, 10, mark=0.52)) == "────━◉━───"
    assert plain(interval_bar(0.75, 1.0, 1.0, 4, start=0.5)) == "──━●"
    assert [plain(row) for row in columns([0, 8, 4, 0.01], rows=2)] == [" █  ", " ██▁"]
    assert plain(bar(0.01, 5)) == "━────" and plain(bar(0.0, 5)) == "─────"
    assert scale([0.6, 0.9], 10) == (0.5, "50%   100%") and scale([0.4], 8)[0] == 0.0
    assert cut("Text encoder and conditioning", 20) == "Text encoder and co…"
    assert cut("unbroken-name-that-is-long", 10) == "unbroken-…"
    assert cut("fits", 4) == "fits"


def test_it_loads_neither_an_app_nor_a_compiler(tmp_path: Any) -> None:
    loaded = modules_after("import drill.cli.stats, drill.services.statistics", tmp_path)
    assert loaded & (HEAVY | COMPILING | APP) == set()


def test_a_share_is_what_it_says(drill: Drill) -> None:
    drill.store.record(answer(CHOICE, 3))
    (level,) = [x for x in statistics(drill).calibration.levels if x.right.answers]
    assert level.right == Share(1, 1, 1.0, level.right.low, 1.0)
    assert 0.1 < level.right.low < 0.2

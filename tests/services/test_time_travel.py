"""Clocks that are set, zones that are crossed, and long absences, as a learner meets them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from drill.config import Config
from drill.domain.memory.study_day import date_of_day, next_rollover, offset_minutes, study_day
from drill.services.app import Drill
from drill.store.doctor import examine
from drill.store.replay import replay_all

ITEMS = 240
ANSWER = "guidance"
ITEM = """\
- id: cfg.time-{n}
  topic: cfg
  level: mid
  relevance: core
  type: short
  prompt: What pushes the prediction away from the unconditional one? ({n})
  accept: [guidance]
  explanation: The guidance scale multiplies the difference of the two.
  sources: [{{text: Known.}}]
"""
BERLIN = ZoneInfo("Europe/Berlin")


class World:
    """The moment, and the zone that the learner's machine is in; each look takes a second."""

    def __init__(self) -> None:
        self.utc = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.zone: tzinfo = timezone(timedelta(hours=1))

    def __call__(self) -> datetime:
        self.utc += timedelta(seconds=1)
        return self.utc.astimezone(self.zone)

    def go(self, **step: float) -> None:
        self.utc += timedelta(**step)

    def at(self, local: str, zone: tzinfo | None = None) -> None:
        """Put the clock to a local time."""
        self.zone = zone or self.zone
        self.utc = datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pack")
    folder = root / "questions" / "cfg"
    folder.mkdir(parents=True)
    text = "\n".join(ITEM.format(n=n) for n in range(ITEMS))
    (folder / "items.yaml").write_text(text, encoding="utf-8")
    (root / "pack.yaml").write_text("name: time\n", encoding="utf-8")
    return root


@pytest.fixture
def drill(tmp_path: Path, pack: Path, world: World) -> Iterator[Drill]:
    with Drill(home=tmp_path, packs=[pack], clock=world, config=Config(new_per_day=8)) as opened:
        opened.keep_profile(replace(opened.profile, done=True))
        yield opened


def study(drill: Drill, answers: int = 100, minutes: float = 10, answer: str = ANSWER) -> list[str]:
    """Answer what today's session asks, to its end or so many; the items in their order."""
    asked: list[str] = []
    session = drill.start_session(minutes=minutes)
    while session.asked is not None and len(asked) < answers:
        asked.append(session.asked.question.head.id)
        session.submit(answer, 2)
        session.advance()
    return asked


def sound(drill: Drill, *odd: str) -> None:
    """States are what the log gives, and the doctor finds what is odd and nothing else."""
    with drill.store.access.read() as connection:
        states, _ = replay_all(connection)
    assert drill.store.states() == states
    assert {finding.code for finding in examine(drill.store)} == set(odd)
    assert all(each.duration_ms >= 0 for each in drill.store.answers())


def nothing_waits(drill: Drill) -> None:
    """After a session with time for all of it nothing is due any more."""
    assert drill.store.due() == []


# -- the clock is set ------------------------------------------------------------------


@pytest.mark.parametrize("back", [{"hours": 1}, {"hours": 20}, {"days": 1}])
def test_a_clock_set_back_a_little_asks_nothing_twice(
    drill: Drill, world: World, back: dict[str, float]
) -> None:
    first = study(drill, answers=4)
    world.go(**{name: -value for name, value in back.items()})
    second = study(drill)
    assert len(first) == 4 and second
    assert not set(first) & set(second)
    sound(drill, "future")
    assert drill.streak() >= 1
    world.go(**back)
    sound(drill)
    for _ in range(12):
        world.go(days=1)
        assert len(set(day := study(drill, minutes=60))) == len(day)
        nothing_waits(drill)
    sound(drill)
    assert drill.streak() >= 12


def test_a_clock_set_back_a_year_and_right_again(drill: Drill, world: World) -> None:
    first = study(drill)
    world.go(days=-365)
    wrong = study(drill)
    assert not set(first) & set(wrong)
    assert drill.streak() == 1
    sound(drill, "future", "order")
    world.go(days=366)
    seen = study(drill, minutes=60)
    assert set(wrong) <= set(seen), "what was asked a year ago is due"
    nothing_waits(drill)
    assert drill.streak() == 2
    sound(drill, "order")
    assert len(study(drill)) == 0 or not set(study(drill)) & set(seen)


def test_answers_of_a_clock_that_ran_ahead_are_told_and_undone(drill: Drill, world: World) -> None:
    study(drill)
    before = drill.store.states()
    world.go(days=400)
    ahead = study(drill, answers=3)
    world.go(days=-400)
    world.go(hours=1)
    sound(drill, "future")
    for _ in ahead:
        assert drill.store.undo() is not None
    assert drill.store.states() == before
    sound(drill, "future", "order")
    world.go(days=1)
    study(drill)
    nothing_waits(drill)
    assert drill.streak() == 2


def test_a_clock_set_back_in_the_middle_of_a_session(drill: Drill, world: World) -> None:
    session = drill.start_session(minutes=10)
    asked: list[str] = []
    while session.asked is not None:
        asked.append(session.asked.question.head.id)
        session.seen()
        world.go(hours=-1 if len(asked) == 3 else 0)
        session.submit(ANSWER, 2)
        session.advance()
    assert len(asked) == len(set(asked)) == 8
    times = [each.at for each in drill.store.answers()]
    assert times == sorted(set(times)), "the order of the answers is kept"
    sound(drill, "future")
    world.go(hours=1)
    sound(drill)


# -- zones -----------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [(12, -11), (-11, 13), (1, -8), (9, -10)])
def test_over_the_date_line_and_on(drill: Drill, world: World, hours: tuple[int, int]) -> None:
    here, there = (timezone(timedelta(hours=each)) for each in hours)
    world.at("2026-11-23T20:00", here)
    for _ in range(3):
        study(drill)
        world.go(days=1)
    world.go(days=-1)
    session = drill.start_session(minutes=10)
    if session.asked is not None:
        session.submit(ANSWER, 2)
    world.go(hours=11)
    world.zone = there
    asked = study(drill)
    assert len(asked) == len(set(asked))
    assert drill.streak() >= 3, "a journey never breaks a streak"
    for _ in range(6):
        world.go(days=1)
        day = study(drill)
        assert len(day) == len(set(day))
        nothing_waits(drill)
    assert drill.streak() >= 9
    sound(drill)


def test_a_zone_moved_in_the_middle_of_a_session_asks_nothing_twice(
    drill: Drill, world: World
) -> None:
    world.at("2026-11-23T02:00", timezone(timedelta(hours=13)))
    first = study(drill, answers=3)
    world.zone = timezone(timedelta(hours=-10))
    second = study(drill)
    assert second and not set(first) & set(second)
    assert drill.streak() >= 1
    sound(drill)


# -- summer time -----------------------------------------------------------------------


@pytest.mark.parametrize("rollover", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("day", ["2026-10-24", "2027-03-27"], ids=["autumn", "spring"])
def test_study_days_go_on_by_one_through_the_change(rollover: int, day: str) -> None:
    moment = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=BERLIN).astimezone(UTC)
    days: list[int] = []
    for _ in range(48 * 12):
        local = moment.astimezone(BERLIN)
        offset = offset_minutes(local)
        days.append(study_day(moment, offset, rollover))
        assert next_rollover(moment, offset, rollover) > moment
        moment += timedelta(minutes=5)
    steps = [after - before for before, after in pairwise(days)]
    assert set(steps) <= {0, 1} and sum(steps) == days[-1] - days[0] == 2


@pytest.mark.parametrize(
    ("evening", "night"),
    [("2026-10-24T22:00", "2026-10-25T01:30"), ("2027-03-27T22:00", "2027-03-28T01:30")],
    ids=["autumn", "spring"],
)
def test_a_night_through_the_change(
    tmp_path: Path, pack: Path, world: World, evening: str, night: str
) -> None:
    """The study day begins at 2, an hour that is missing in spring and comes twice in autumn."""
    world.at(evening, BERLIN)
    settings = Config(new_per_day=8, roll_over_hour=2)
    with Drill(home=tmp_path, packs=[pack], clock=world, config=settings) as drill:
        asked = study(drill, answers=3)
        world.at(night)
        for _ in range(4):  # every half hour: before, within and after the change
            asked += study(drill, answers=2)
            world.go(minutes=30)
        assert len(asked) == len(set(asked))
        assert drill.streak() == 2
        sound(drill)
        world.go(days=1)
        study(drill)
        nothing_waits(drill)
        assert drill.streak() == 3
        sound(drill)


# -- absence ---------------------------------------------------------------------------


@pytest.mark.parametrize("interview", [None, 20, -5])
def test_a_month_away(drill: Drill, world: World, interview: int | None) -> None:
    """`interview`: days from the return, negative: it was in the meantime."""
    for _ in range(5):
        study(drill)
        world.go(days=1)
    assert drill.streak() == 5
    known = len(drill.store.states())
    world.go(days=30)
    if interview is not None:
        day = date_of_day(drill.store.today() + interview)
        drill.keep_profile(replace(drill.profile, interview=day.isoformat()))
    assert drill.streak() == 0
    backlog = len(drill.store.due())
    assert known - 8 <= backlog <= known
    short = study(drill, minutes=5)
    assert short and len(short) == len(set(short))
    assert drill.streak() == 1
    left = [len(drill.store.due())]
    for _ in range(4):
        world.go(days=1)
        day_asked = study(drill)
        assert len(day_asked) == len(set(day_asked))
        left.append(len(drill.store.due()))
    if interview is None:
        assert left[0] < backlog and left[-1] == 0
    assert drill.streak() == 5
    sound(drill)


# -- the calendar ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days"),
    [
        ("2028-02-27", ["2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01"]),
        ("2027-02-27", ["2027-02-27", "2027-02-28", "2027-03-01", "2027-03-02"]),
        ("2026-12-30", ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]),
    ],
)
def test_leap_days_and_the_turn_of_the_year(
    drill: Drill, world: World, start: str, days: list[str]
) -> None:
    world.at(f"{start}T12:00")
    drill.keep_profile(replace(drill.profile, interview=days[2]))
    for n, day in enumerate(days):
        assert date_of_day(drill.store.today()).isoformat() == day
        left = drill.profile.days_left(date_of_day(drill.store.today()))
        assert left == (2 - n if n < 3 else None)
        asked = study(drill)
        assert len(asked) == len(set(asked))
        assert drill.streak() == n + 1
        world.go(days=1)
    assert [date_of_day(d.study_day).isoformat() for d in drill.store.days()] == days
    sound(drill)


def test_before_the_roll_over_it_is_still_yesterday(drill: Drill, world: World) -> None:
    world.at("2026-12-31T23:30")
    study(drill, answers=2)
    world.at("2027-01-01T03:59")
    study(drill, answers=2)
    assert {each.study_day for each in drill.store.answers()} == {drill.store.today()}
    assert date_of_day(drill.store.today()).isoformat() == "2026-12-31"
    world.at("2027-01-01T04:00")
    assert date_of_day(drill.store.today()).isoformat() == "2027-01-01"
    assert drill.streak() == 1
    sound(drill)

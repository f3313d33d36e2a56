"""What to do next: a few steps with their reasons, the most useful first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from drill.domain.counted import counted
from drill.domain.questions import TOPICS
from drill.domain.statistics.model import Mastery, Mock, Statistics
from drill.services.outlook_document import Outlook
from drill.services.report.answers import topic_title
from drill.services.report.document import (
    BeliefRow,
    Learner,
    MockDocument,
    Practice,
    Reading,
    Step,
)
from drill.services.report.words import joined, of, sentence, spelled

MOST_STEPS = 6
MOST_BELIEF_STEPS = 2
MOST_QUOTED = 3
"""Beliefs that a step names."""
WEAK_SHARE = 0.7
"""Below this share of right first answers a topic is practised next."""
GOOD_SHARE = 0.9
"""Where no topic is weak, the weakest one below this is practised."""
LEAST_ANSWERS = 4
"""Answers that a topic must have had before its share says anything."""
MOCK_AGAIN_DAYS = 7

Find = Callable[[str, Iterable[str]], tuple[Reading, ...]]
"""Sections of the pages of a topic that fit some words."""


class Known(Struct, frozen=True):
    """What the steps are made from."""

    learner: Learner
    today: int
    bank_items: int
    answered_ever: int
    statistics: Statistics | None = None
    practice: Practice | None = None
    outlook: Outlook | None = None
    beliefs: Sequence[BeliefRow] = ()
    belief_topics: dict[str, str] = {}
    """Belief to its topic."""
    ran: bool = False
    """Whether an experiment was run."""
    gaps: dict[str, list[str]] = {}
    """Topic to the points that the newest interview expected and did not hear."""
    earlier_mocks: Sequence[Mock] = ()
    """Interviews from before the period of the statistics."""


def steps(known: Known, find: Find) -> tuple[Step, ...]:
    """What to do after practice."""
    if not known.answered_ever:
        return _first_steps(known)
    made = [*_beliefs(known, find), *_weak(known, find), *_unseen(known)]
    made[1:1] = _due(known)
    made += [*_gaps(known.gaps, find)[:1], *_interview(known), *_shaken(known)]
    if not known.learner.interview:
        made.append(_date())
    return tuple(made[:MOST_STEPS])


def _first_steps(known: Known) -> tuple[Step, ...]:
    learner = known.learner
    made = [
        Step(
            "Begin with a first session",
            f"It takes {learner.minutes} minutes and finds out what is known already; the first "
            "answers decide what comes back and when.",
            "drill session",
        )
    ]
    if not known.ran:
        made.append(
            Step(
                "Run a first experiment",
                "In a second or two it measures on this machine what a textbook claims; the labs "
                "say what to look for.",
                "drill lab run forward-chain-vs-closed-form",
            )
        )
    return (*made, *(() if learner.interview else (_date(),)))


def _date() -> Step:
    return Step(
        "Set the date of the interview",
        "With a date each day's questions are chosen for what is remembered on that day.",
        "drill setup --date YYYY-MM-DD",
    )


def _due(known: Known) -> list[Step]:
    """What is due, where nothing else decides: to a date the plan says what a day asks."""
    if known.learner.days_left is not None:
        return []
    practice, statistics = known.practice, known.statistics
    if practice is None or statistics is None or not statistics.forecast.days:
        return []
    today = statistics.forecast.days[0]
    if not today.items:
        return []
    are = "is" if today.items == 1 else "are"
    return [
        Step(
            "Review what is due",
            f"{counted(today.items, 'item')} {are} due, about "
            f"{counted(max(1, round(today.minutes)), 'minute')}: they are about to be forgotten.",
            "drill session",
        )
    ]


def _beliefs(known: Known, find: Find) -> list[Step]:
    """One step for each topic with beliefs that still hold; those held with confidence first."""
    topics: dict[str, list[BeliefRow]] = {}
    for row in known.beliefs:
        topic = known.belief_topics.get(row.id, "")
        if row.status == "held" and topic in TOPICS:
            topics.setdefault(topic, []).append(row)
    ranked = sorted(
        topics.items(), key=lambda pair: (-sum(1 + row.sure for row in pair[1]), pair[0])
    )
    made = []
    for topic, rows in ranked[:MOST_BELIEF_STEPS]:
        shown = " ".join(sentence(row.belief) for row in rows[:MOST_QUOTED])
        made.append(
            Step(
                f"Mend {'a belief' if len(rows) == 1 else f'{spelled(len(rows))} beliefs'} about "
                f"{of(topic_title(topic))}",
                f"Still believed, though wrong: {shown}",
                f"drill session --topic {topic}",
                find(topic, (f"{row.belief} {row.correction}" for row in rows)),
            )
        )
    return made


def _weak(known: Known, find: Find) -> list[Step]:
    if known.statistics is None:
        return []
    rows = [
        row
        for row in known.statistics.topics
        if row.accuracy.answers >= LEAST_ANSWERS and _share(row) < GOOD_SHARE
    ]
    rows = sorted(rows, key=_share)
    made = []
    for row in [row for row in rows if _share(row) < WEAK_SHARE][:2] or rows[:1]:
        hard = known.practice.hard if known.practice else ()
        words = [item.prompt for item in hard if item.topic == topic_title(row.topic)]
        right, answers = row.accuracy.right, row.accuracy.answers
        said = f"{right} of the last {answers} first answers of a day were right"
        weakest = row is rows[0] and len(rows) > 1
        made.append(
            Step(
                f"Practise {of(topic_title(row.topic))}",
                f"Only {said}." if not weakest else f"{said}, the least of all topics.",
                f"drill session --topic {row.topic}",
                find(row.topic, words),
            )
        )
    return made


def _share(row: Mastery) -> float:
    return 1.0 if row.accuracy.share is None else row.accuracy.share


def _unseen(known: Known) -> list[Step]:
    """Topics that were not begun, all in one step."""
    if known.statistics is None:
        return []
    unseen = [row for row in known.statistics.topics if row.items and not row.seen]
    if not unseen:
        return []
    titles = [of(topic_title(row.topic)) for row in unseen]
    more = f" and {len(titles) - 4} more" if len(titles) > 4 else ""
    shown = ", ".join(titles[:4]) + more if more else joined(titles)
    return [
        Step(
            f"Begin {of(topic_title(unseen[0].topic))}"
            if len(unseen) == 1
            else f"Begin the {spelled(len(unseen))} topics that were not touched yet",
            f"No question was asked yet about {shown}.",
            f"drill session --topic {unseen[0].topic}",
        )
    ]


def _interview(known: Known) -> list[Step]:
    held = (*known.earlier_mocks, *(known.statistics.mocks if known.statistics else ()))
    level = known.learner.level if known.learner.level != "junior" else "mid"
    if not held:
        return [
            Step(
                "Hold a first mock interview",
                "It asks what practice never shows, so its result is the honest one.",
                f"drill mock --minutes 30 --level {level}",
            )
        ]
    days = known.today - held[-1].day
    if days < MOCK_AGAIN_DAYS:
        return []
    return [
        Step(
            "Hold another mock interview",
            f"The last one was {counted(days, 'day')} ago and left "
            f"{counted(held[-1].missing, 'expected point')} unsaid.",
            "drill mock sibling",
        )
    ]


def gaps(interview: MockDocument) -> dict[str, list[str]]:
    """Topic to the points that an interview's level expects and that were not heard."""
    topics = {e["item"]: str(e["topic"]) for e in interview.document["transcript"]}
    found: dict[str, list[str]] = {}
    for point in interview.document["scorecard"]["missing"]:
        topic = topics.get(point["item"], "")
        if topic:
            found.setdefault(topic, []).append(str(point["statement"]))
    return found


def _gaps(missing: Mapping[str, Sequence[str]], find: Find) -> list[Step]:
    ranked = sorted(missing.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [
        Step(
            f"Close {'a gap' if len(statements) == 1 else f'{spelled(len(statements))} gaps'} "
            f"about {of(topic_title(topic))}",
            f"The interview expected {counted(len(statements), 'point')} that "
            f"{'was' if len(statements) == 1 else 'were'} not said, such as: "
            f"{sentence(statements[0])}",
            f"drill session --topic {topic}",
            find(topic, statements),
        )
        for topic, statements in ranked
    ]


def _shaken(known: Known) -> list[Step]:
    shaken = sum(row.status == "shaken" for row in known.beliefs)
    if not shaken:
        return []
    which = "a belief that is" if shaken == 1 else f"{spelled(shaken)} beliefs that are"
    return [
        Step(
            f"Confirm {which} shaken",
            "One more day of right answers clears them; their questions come back by themselves.",
            "drill session",
        )
    ]


def after_interview(interview: MockDocument, find: Find) -> tuple[Step, ...]:
    """What to do after an interview: the topics with the most missing points, then another one."""
    made = _gaps(gaps(interview), find)[: MOST_STEPS - 2]
    due = len(interview.document.get("due_tomorrow") or ())
    if due:
        made.insert(
            0,
            Step(
                "Answer again what was missed",
                f"{counted(due, 'question')} came back for the day after the interview.",
                "drill session",
            ),
        )
    made.append(
        Step(
            "Hold another interview like it after a week",
            "Other questions of the reserve, the same length and level.",
            "drill mock sibling",
        )
    )
    return tuple(made)

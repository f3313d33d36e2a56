"""What the log says beside the statistics: confident mistakes, and items that keep going wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from drill.domain.grading.key_text import key_text
from drill.domain.memory.rating import SURE
from drill.domain.memory.state import AGAIN, HARD
from drill.domain.memory.study_day import date_of_day, day_of_date
from drill.domain.presentation import shown
from drill.domain.questions import TOPICS, Question
from drill.domain.statistics.model import Day
from drill.services.mock_words import said_in_words
from drill.services.report.document import Bin, HardItem, Practice, SureWrong

if TYPE_CHECKING:
    from drill.services.app import Drill

MOST_ITEMS = 6
"""Items that a list of the report shows."""
LONGEST_PROMPT = 240
"""Characters of a question that is quoted."""
LONGEST_ANSWER = 600
DAYS_BY_DAY, DAYS_BY_WEEK = 62, 400
"""Up to so many days answers are counted by day, and by week; further ones by month."""

_SURE = (
    "FROM answers a WHERE a.confidence = ? AND a.grade = ? AND a.mode IN ('session', 'placement') "
    "AND a.study_day >= ? "
)


def practice(drill: Drill, since_day: int | None, days: Sequence[Day]) -> Practice:
    """What was answered since a study day; `days` are those of the statistics, oldest first."""
    first = -1_000_000 if since_day is None else since_day
    count, wrong = _sure_wrong(drill, first)
    unit, bins = binned(days, since_day, drill.store.today())
    due, due_then = _next_due(drill)
    return Practice(
        unit=unit,
        bins=bins,
        hard=_hard(drill, first),
        sure_wrong=wrong,
        sure_wrong_count=count,
        next_due=due,
        due_then=due_then,
    )


# -- by day, week or month ------------------------------------------------------------


def binned(
    days: Sequence[Day], since_day: int | None, today: int
) -> tuple[Literal["day", "week", "month"], tuple[Bin, ...]]:
    """Answers in equal steps without gaps, from the first day (or `since_day`) until today.

    Weeks begin on Monday.
    """
    if not days:
        return "day", ()
    first = days[0].day if since_day is None else min(since_day, days[0].day)
    span = today - first + 1
    unit: Literal["day", "week", "month"] = (
        "day" if span <= DAYS_BY_DAY else "week" if span <= DAYS_BY_WEEK else "month"
    )
    starts = list(dict.fromkeys(_start(date_of_day(d), unit) for d in range(first, today + 1)))
    sums: dict[date, list[float]] = {start: [0, 0, 0.0] for start in starts}
    for each in days:
        row = sums.setdefault(_start(date_of_day(each.day), unit), [0, 0, 0.0])
        row[0] += each.answers
        row[1] += each.right
        row[2] += each.minutes
    return unit, tuple(
        Bin(start.isoformat(), int(row[0]), int(row[1]), round(row[2], 1))
        for start, row in sorted(sums.items())
    )


def _start(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    if unit == "week":
        return date_of_day(day_of_date(day) - day.weekday())
    return day


# -- items ----------------------------------------------------------------------------


def _hard(drill: Drill, first: int) -> tuple[HardItem, ...]:
    """Items that were wrong on two days or more, most often first."""
    rows = drill.store.access.rows(
        "SELECT item_id, count(DISTINCT CASE WHEN grade = ? THEN study_day END) AS wrong, "
        "count(DISTINCT study_day) FROM answers WHERE mode IN ('session', 'placement') "
        "AND study_day >= ? GROUP BY item_id HAVING wrong >= 2 "
        "ORDER BY wrong DESC, 3, item_id LIMIT ?",
        (AGAIN, first, 4 * MOST_ITEMS),
    )
    withheld = drill.withheld()
    found = [
        HardItem(item, quoted(prompt), _topic(drill, item), int(wrong), int(days))
        for item, wrong, days in rows
        if item in drill.bank.heads and item not in withheld
        for prompt in [prompt_of(drill, item)]
    ]
    return tuple(found[:MOST_ITEMS])


def _sure_wrong(drill: Drill, first: int) -> tuple[int, tuple[SureWrong, ...]]:
    """How many answers were wrong with full confidence, and the newest of different items.

    Those that were not put right since come first.
    """
    given = (SURE, AGAIN, first)
    count = drill.store.access.row(f"SELECT count(*) {_SURE}", given)
    rows = drill.store.access.rows(
        "SELECT a.item_id, a.seed, a.content_hash, a.answer, a.study_day, EXISTS (SELECT 1 FROM "  # noqa: S608
        "reviews r WHERE r.item_id = a.item_id AND r.kind = 'review' AND r.study_day > a.study_day "
        f"AND r.grade >= ? AND r.mode IN ('session', 'placement')) AS mended {_SURE}"
        "ORDER BY mended, a.seq DESC LIMIT ?",
        (HARD, *given, 4 * MOST_ITEMS),
    )
    withheld = drill.withheld()
    found: dict[str, SureWrong] = {}
    for item, seed, content_hash, answer, day, mended in rows:
        head = drill.bank.heads.get(item)
        if head is None or item in found or item in withheld:
            continue
        question = _shown(drill, item, int(seed or 0))
        # Letters of an item that was changed since may name something else now.
        same = question is not None and head.content_hash == content_hash
        words = said_in_words(question, answer) if same and question is not None else ""
        found[item] = SureWrong(
            item_id=item,
            prompt=quoted(item if question is None else question.prompt),
            topic=_topic(drill, item),
            answer=cut(words or answer, LONGEST_ANSWER),
            expected=cut(key_text(question), LONGEST_ANSWER) if same and question else "",
            date=date_of_day(day).isoformat(),
            mended=bool(mended),
        )
        if len(found) == MOST_ITEMS:
            break
    return int(count[0]) if count else 0, tuple(found.values())


def _next_due(drill: Drill) -> tuple[str, int]:
    """The next date on which something comes back, today at the earliest, and how much."""
    today = drill.store.today()
    rows: list[Any] = drill.store.access.rows(
        "SELECT max(due_day, ?1) AS day, count(*) FROM states WHERE due_day IS NOT NULL AND "
        "suspended = 0 AND stability > 0 GROUP BY day ORDER BY day LIMIT 1",
        (today,),
    )
    return (date_of_day(rows[0][0]).isoformat(), int(rows[0][1])) if rows else ("", 0)


def prompt_of(drill: Drill, item: str, seed: int = 0) -> str:
    """The question of an item; its id where it cannot be shown here."""
    question = _shown(drill, item, seed)
    return item if question is None else question.prompt


def _shown(drill: Drill, item: str, seed: int) -> Question | None:
    from drill.packs.excerpt import ExcerptError

    try:
        return shown(drill.bank.question(item, seed), seed)
    except (KeyError, ExcerptError):
        return None


def _topic(drill: Drill, item: str) -> str:
    topic = drill.bank.heads[item].topic
    return topic_title(topic)


def topic_title(topic: str) -> str:
    """A topic's title without what stands behind its colon."""
    return TOPICS.get(topic, topic).split(":")[0]


def quoted(prompt: str, length: int = LONGEST_PROMPT) -> str:
    """A question on one line, shortened; a code span that is cut open loses its backtick."""
    short = cut(" ".join(prompt.split()), length)
    if short.count("`") % 2:
        before, _, after = short.rpartition("`")
        short = before + after
    return short


def cut(text: str, length: int) -> str:
    """A text with an ellipsis where it is longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"

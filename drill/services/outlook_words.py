"""The outlook in sentences: what the numbers say, honest about what they cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from drill.domain.counted import counted
from drill.domain.questions import LEVELS, TOPICS, Head
from drill.services.outlook_document import Accuracy, Dropped, Outlook
from drill.services.plan_words import day_words, days_words, topic_words

COUNTED = (
    "Counted: the share of the questions that you would recall, by their importance for {what}. "
    "A question that practice never asked counts as not recalled."
)
NO_DATE = (
    "No interview date is set: plain FSRS asks what is about to be forgotten, and a few new "
    "questions a day. With a date the plan weighs every question by what it adds on that day."
)
NOTHING_NEW = "Nothing new is asked any more."
LAST_DAY = "Nothing new is asked any more; a short warm-up freshens what you know."
SET_DATE = "`drill setup --date` sets a date."
LITTLE = 0.03
"""Importance of what is dropped, as a share of all, under which time is enough."""
FEW = 6
"""Answers under which no comparison is made."""


def level_words(level: str) -> str:
    """A level as it stands before a noun."""
    return "mid-level" if level == "mid" else level


def what_words(outlook: Outlook) -> str:
    """`a senior interview`, `a mid-level serving interview`."""
    level = level_words(outlook.level)
    return " ".join(part for part in ("a", level, outlook.role, "interview") if part)


def drop_lines(drop: Iterable[Dropped]) -> list[str]:
    """What is dropped, a line a level, the least useful level first: each topic with its count."""
    levels: dict[str, list[Dropped]] = {}
    for each in drop:
        levels.setdefault(each.level, []).append(each)

    def worth(groups: list[Dropped]) -> float:
        return sum(g.weight for g in groups) / sum(len(g.items) for g in groups)

    lines = []
    for level, groups in sorted(levels.items(), key=lambda pair: worth(pair[1])):
        count = counted(sum(len(g.items) for g in groups), f"{level_words(level)} question")
        topics = "; ".join(f"{g.title} {len(g.items)}" for g in groups)  # a title has commas
        lines.append(f"{count}: {topics}")
    return lines


def drops(
    heads: Mapping[str, Head], weights: Mapping[str, float], dropped: Iterable[str]
) -> tuple[Dropped, ...]:
    """What is never reached, by topic and level, least useful questions first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in dropped:
        groups.setdefault((heads[item].topic, heads[item].level), []).append(item)
    total = sum(weights.values()) or 1.0
    order = list(TOPICS)
    ranked = sorted(
        groups.items(),
        key=lambda group: (
            sum(weights[i] for i in group[1]) / len(group[1]),
            order.index(group[0][0]) if group[0][0] in order else len(order),
            LEVELS.index(heads[group[1][0]].level),
        ),
    )
    return tuple(
        Dropped(
            topic=topic,
            title=topic_words(topic),
            level=level,
            items=tuple(sorted(items)),
            weight=sum(weights[i] for i in items) / total,
            words=f"{counted(len(items), level_words(level) + ' question')} of "
            f"{topic_words(topic)}",
        )
        for (topic, level), items in ranked
    )


def clearly_lower(one: Accuracy, other: Accuracy) -> bool:
    """Whether a share is lower than another beyond what chance explains.

    Newcombe's interval of a difference from the two intervals (Newcombe 1998, method 10): its
    lower end is above 0. Never from fewer than `FEW` answers, which are an anecdote.
    """
    low, high = one.share, other.share
    if low is None or high is None or min(one.answers, other.answers) < FEW:
        return False
    margin: float = ((high - other.low) ** 2 + (one.high - low) ** 2) ** 0.5
    return high - low > margin


def more_points(outlook: Outlook) -> int | None:
    """Percentage points that more minutes a day add, between the figures as they are shown."""
    at_date = outlook.overall.at_date
    if outlook.more is None or at_date is None:
        return None
    return round(100 * outlook.more.at_date) - round(100 * at_date)


def sentences(outlook: Outlook) -> tuple[str, ...]:
    """Everything that is to be said, most important first."""
    how = [SET_DATE] if outlook.days_left is None else []
    return (*standing(outlook), *how, *notes(outlook))


def standing(outlook: Outlook) -> list[str]:
    """What is to be expected on the day, and whether time is enough."""
    left = outlook.days_left
    if left is None:
        over = (
            f"The interview of {outlook.interview} is over: plain FSRS is in use again. "
            "`drill after` logs what was asked."
        )
        return [over if outlook.interview else NO_DATE]
    if not outlook.overall.items:
        return []  # `empty` says why
    on = day_words(date.fromisoformat(outlook.interview), date.fromisoformat(outlook.day))
    return _ready(outlook, left, on) + _time(outlook, left)


def notes(outlook: Outlook) -> list[str]:
    """What the expectation rests on."""
    return [*_honest(outlook), *_memory(outlook), COUNTED.format(what=what_words(outlook))]


def _ready(outlook: Outlook, left: int, on: str) -> list[str]:
    whole = outlook.overall
    if whole.at_date is None or whole.low is None or whole.high is None:
        return []
    between = f"{whole.low:.0%} to {whole.high:.0%} in four of five simulated futures"
    if left == 0 and not whole.seen:
        return ["The interview is today, and practice has not asked anything yet."]
    if left == 0:
        return [
            f"The interview is today: you would recall {whole.at_date:.0%} of the questions of "
            f"{what_words(outlook)} ({between})."
        ]
    said = [
        f"With {outlook.minutes} minutes every day you would recall {whole.at_date:.0%} of the "
        f"questions of {what_words(outlook)} on {on} ({between}); today it is {whole.now:.0%}."
    ]
    points = more_points(outlook)
    if outlook.more is not None and points is not None:
        lead = f"{outlook.more.minutes - outlook.minutes} more minutes a day would"
        makes = f"make it {outlook.more.at_date:.0%}"
        said.append(f"{lead} {makes if points > 0 else 'add less than 1 percentage point'}.")
    return said


def _time(outlook: Outlook, left: int) -> list[str]:
    if outlook.overall.at_date is None:
        return []
    count = sum(len(each.items) for each in outlook.drop)
    share = sum(each.weight for each in outlook.drop)
    if left == 0:
        return [LAST_DAY if outlook.overall.seen else NOTHING_NEW]
    if outlook.enough:
        rest = f" but {counted(count, 'marginal question')}" if count else ""
        return [f"Time is enough: every question{rest} is asked before the interview."]
    first = drop_lines(outlook.drop)[0].partition(":")[0]
    worth = f"{counted(count, 'question')}, {share:.0%} of what counts"
    if left == 1:
        return [
            f"The interview is tomorrow: today's session is what can still be done; {worth}, "
            "stay out."
        ]
    return [
        f"There is not enough time for everything: {worth}, are never asked. The least useful "
        f"stay out first: {first}."
    ]


def _honest(outlook: Outlook) -> list[str]:
    practised, reserve = outlook.practised, outlook.reserve
    if reserve.share is None:
        return [
            "No mock interview yet: only questions that practice never showed tell whether you "
            "learned the subject or the questions."
        ]
    if practised.share is not None and clearly_lower(reserve, practised):
        return [
            f"On questions never practised you are right in {reserve.share:.0%}, on practised ones "
            f"in {practised.share:.0%}: part of what looks ready is memory of the questions. "
            "Explain and derive more, and hold mock interviews."
        ]
    return []


def _memory(outlook: Outlook) -> list[str]:
    low, high = outlook.memory_low, outlook.memory_high
    if not outlook.memory_tests or low <= 1.0 <= high:
        return []
    return [
        f"Your own reviews say that your memories last {outlook.memory_scale:.1f} times as long "
        f"as the model expects ({low:.1f} to {high:.1f}); that is counted in."
    ]


def until_words(outlook: Outlook) -> str:
    """The head of the plan: `interview in 27 days, on 20 Dec, 20 minutes a day`."""
    minutes = f"{outlook.minutes} minutes a day"
    if outlook.days_left is None:
        return f"no interview date, {minutes}"
    today = date.fromisoformat(outlook.day)
    on = day_words(date.fromisoformat(outlook.interview), today)
    return f"interview {days_words(outlook.days_left)}, {on}, {minutes}"

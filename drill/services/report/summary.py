"""The half page at the beginning: plain sentences with numbers, and the few facts beside them."""

from __future__ import annotations

from collections.abc import Sequence

from drill.domain.counted import counted
from drill.domain.statistics.model import Retention, Share, Statistics
from drill.services.outlook_document import Accuracy, Outlook
from drill.services.report.answers import topic_title
from drill.services.report.document import (
    BeliefRow,
    Fact,
    Learner,
    MockDocument,
    Practice,
    Runs,
    Scope,
    Step,
    Strength,
)
from drill.services.report.scope import long_date
from drill.services.report.words import duration, joined, of, percent, sentence, spelled

FEW = 5
"""With fewer answers a share is told as a count."""


def paragraphs(
    scope: Scope,
    learner: Learner,
    bank_items: int,
    answered_ever: int,
    outlook: Outlook | None,
    statistics: Statistics,
    practice: Practice,
    strengths: Sequence[Strength],
    beliefs: Sequence[BeliefRow],
    runs: Runs | None,
    steps: Sequence[Step],
) -> tuple[str, ...]:
    """The summary of a report about everything or a period, a paragraph each."""
    if not answered_ever:
        return _new(learner, bank_items)
    first = [_target(learner), *_ready(outlook)]
    second = _practised(scope, statistics)
    third = [*_topics(strengths, statistics), *_sure(statistics, practice)]
    third += _beliefs(scope, statistics, beliefs)
    fourth = [*_mocks(statistics), *_runs(runs)]
    last = [f"Next: {steps[0].title[0].lower()}{steps[0].title[1:]}."] if steps else []
    groups = [first, second, third, [*fourth, *last]]
    if len(first) == 1:
        groups[:2] = [[*first, *second]]
    return tuple(" ".join(part for part in group if part) for group in groups if any(group))


def _new(learner: Learner, bank_items: int) -> tuple[str, ...]:
    return (
        f"{_target(learner)} Nothing has been answered yet, so there is nothing to measure: the "
        f"bank holds {counted(bank_items, 'question')} that wait to be asked.",
        "After the first session this report tells what was right and which wrong beliefs the "
        "answers showed. Once questions come back on a later day it tells how much was remembered; "
        "interviews, experiments and the plan to the date join as they happen.",
    )


def _target(learner: Learner) -> str:
    if not learner.interview:
        return "No interview date is set."
    when = f"The interview is on {long_date(learner.interview)}"
    if learner.days_left is None:
        return f"The interview was on {long_date(learner.interview)}."
    left = "today" if learner.days_left == 0 else f"in {counted(learner.days_left, 'day')}"
    return f"{when}, {left}, at {learner.level} level, with {learner.minutes} minutes a day."


def _ready(outlook: Outlook | None) -> list[str]:
    if outlook is None:
        return []
    whole = outlook.overall
    if whole.at_date is None:
        return []
    return [
        f"By the present plan {percent(whole.at_date)} of the questions of this level would be "
        f"recalled on that day ({percent(whole.low)} to {percent(whole.high)}); today it is "
        f"{percent(whole.now)}."
    ]


def _practised(scope: Scope, statistics: Statistics) -> list[str]:
    totals = statistics.totals
    if not totals.answers:
        return ["Nothing was answered in this time."]
    days = len(statistics.days)
    where = "in one day" if days == 1 else f"on {counted(days, 'day')}"
    right = sum(day.right for day in statistics.days)
    said = [
        f"{counted(totals.answers, 'answer')} to {counted(totals.items_answered, 'question')} "
        f"{'was' if totals.answers == 1 else 'were'} given {where}, "
        f"in {duration(totals.minutes)} of answering; "
        f"{right:,} {'was' if right == 1 else 'were'} right."
    ]
    kept = whole_retention(statistics)
    if kept is None or not kept.all.answers:
        said.append("How much is remembered can be told once questions come back on a later day.")
    elif kept.all.answers < FEW:
        said.append(
            f"Of {counted(kept.all.answers, 'question')} that came back, "
            f"{kept.all.right} {'was' if kept.all.right == 1 else 'were'} remembered."
        )
    else:
        said.append(
            f"Of what came back on a later day {percent(kept.all.share)} was remembered "
            f"({counted(kept.all.answers, 'repeat')})."
        )
    return said


def whole_retention(statistics: Statistics) -> Retention | None:
    """True retention over everything that is counted."""
    return next((each for each in statistics.retention if each.days is None), None)


def _topics(strengths: Sequence[Strength], statistics: Statistics) -> list[str]:
    said = []
    if strengths:
        names = [
            f"{of(each.title)} ({each.first.right} of {each.first.answers} right)"
            for each in strengths[:2]
        ]
        said.append(f"Strongest {'is' if len(names) == 1 else 'are'} {joined(names)}.")
    strong = {each.topic for each in strengths}
    weak = [
        row
        for row in statistics.topics
        if row.accuracy.answers >= FEW and (row.accuracy.share or 0) < 0.7
        and row.topic not in strong
    ]  # fmt: skip
    weak.sort(key=lambda row: row.accuracy.share or 0.0)
    if weak:
        names = [
            f"{of(topic_title(row.topic))} ({row.accuracy.right} of {row.accuracy.answers})"
            for row in weak[:2]
        ]
        said.append(f"Weakest {'is' if len(names) == 1 else 'are'} {joined(names)}.")
    return said


def _sure(statistics: Statistics, practice: Practice) -> list[str]:
    sure = statistics.calibration.levels[2].right
    if sure.answers < FEW:
        return []
    wrong = practice.sure_wrong_count
    told = f"Answers given as sure were right in {percent(sure.share)} of {sure.answers:,} cases"
    if not wrong:
        return [f"{told}."]
    return [f"{told}; {counted(wrong, 'of them was', 'of them were')} wrong outright."]


def _beliefs(scope: Scope, statistics: Statistics, beliefs: Sequence[BeliefRow]) -> list[str]:
    """What answers of the scope showed, and apart from it what is open from before a period."""
    shown = [row for row in beliefs if row.last >= scope.since]
    before = sum(row.status != "cleared" for row in beliefs if row.last < scope.since)
    said = _shown_beliefs(shown) if shown or statistics.totals.answers else []
    if before:
        beliefs_are = "belief is" if before == 1 else "beliefs are"
        said.append(f"{spelled(before).capitalize()} {beliefs_are} open from before.")
    return said


def _shown_beliefs(beliefs: Sequence[BeliefRow]) -> list[str]:
    held = sum(row.status == "held" for row in beliefs)
    shaken = sum(row.status == "shaken" for row in beliefs)
    cleared = sum(row.status == "cleared" for row in beliefs)
    if not beliefs:
        return ["No answer showed one of the known wrong beliefs."]
    parts = [
        f"{spelled(count)} {'is' if count == 1 else 'are'} {word}"
        for count, word in (
            (held, "still held"),
            (shaken, "shaken by a right answer"),
            (cleared, "mended"),
        )
        if count
    ]
    if len(beliefs) == 1:
        return [f"Answers showed one wrong belief, which {parts[0].partition(' ')[2]}."]
    if len(parts) == 1:
        verb = parts[0].partition(" ")[2]
        return [f"Answers showed {spelled(len(beliefs))} wrong beliefs; all of them {verb}."]
    return [f"Of the {spelled(len(beliefs))} wrong beliefs that answers showed, {joined(parts)}."]


def _mocks(statistics: Statistics) -> list[str]:
    if not statistics.mocks:
        return []
    last = statistics.mocks[-1]
    count = len(statistics.mocks)
    band = last.band or (f"between {last.low} and {last.high}" if last.low and last.high else "")
    came = f"came out as {band}" if band else f"has no band: {last.why_none}"
    which = f"on {long_date(last.date)}, of {last.minutes} minutes at the {last.level} bar"
    if count == 1:
        return [f"One mock interview was held, {which}; it {sentence(came)}"]
    held = f"{spelled(count).capitalize()} mock interviews were held"
    return [f"{held}; the last, {which}, {sentence(came)}"]


def _runs(runs: Runs | None) -> list[str]:
    if runs is None:
        return []
    ran = f"{spelled(runs.count)} {'experiment run' if runs.count == 1 else 'experiment runs'}"
    if not runs.claims:
        return [f"There {'was' if runs.count == 1 else 'were'} {ran}."]
    return [f"In {ran} {runs.holds} of {counted(runs.claims, 'claim')} held."]


def of_interview(interview: MockDocument) -> tuple[str, ...]:
    """The summary of a report about one interview."""
    document = interview.document
    card, facts = document["scorecard"], document["facts"]
    own = card["bars"][card["level"]]
    missing = len(card["missing"])
    said = [
        f"A mock interview of {facts['minutes_allotted']:g} minutes at the {card['level']} bar was "
        f"held on {long_date(interview.date)}: {sentence(interview.band)}",
        f"{counted(facts['questions'], 'question')} of {facts['questions_planned']} were asked in "
        f"{facts['minutes']:g} minutes.",
        f"{counted(facts['unprompted'], 'point')} came unprompted, {facts['prompted']} after a "
        f"probe, and {facts['missed']} that matter most were not heard.",
    ]
    seen = [axis for axis in own["axes"].values() if axis["seen"]]
    second = []
    if seen:
        best = max(seen, key=lambda axis: float(axis["low"]))
        worst = min(seen, key=lambda axis: float(axis["low"]))
        if best is not worst:
            second.append(
                f"{best['title']} came out best ({best['low']:.1f} of 4), "
                f"{of(worst['title'])} worst ({worst['low']:.1f})."
            )
    if missing:
        second.append(f"The level expects {counted(missing, 'point')} more than was said.")
    if card["beliefs"]:
        second.append(
            f"{counted(len(card['beliefs']), 'answer')} showed a wrong belief: "
            "they stand below with what is right."
        )
    second.append("The bands are drill's own and calibrated to no employer.")
    return " ".join(said), " ".join(second)


# -- facts ----------------------------------------------------------------------------


def facts(
    outlook: Outlook | None, statistics: Statistics, beliefs: Sequence[BeliefRow]
) -> tuple[Fact, ...]:
    """The numbers beside the summary; only those that there are."""
    if not statistics.totals.answers:
        return ()
    made = []
    if outlook is not None:
        whole = outlook.overall
        if whole.at_date is not None:
            spread = f"{percent(whole.low)} to {percent(whole.high)}; now {percent(whole.now)}"
            made.append(Fact("Readiness on the day", percent(whole.at_date), spread))
    kept = whole_retention(statistics)
    if kept is not None and kept.all.answers >= FEW:
        made.append(Fact("Remembered", percent(kept.all.share), _interval(kept.all, "repeat")))
    if outlook is not None and outlook.reserve.answers:
        reserve = outlook.reserve
        made.append(
            Fact("In interviews", percent(reserve.share), _interval(reserve, "unseen question"))
        )
    totals = statistics.totals
    if not made:
        right = sum(day.right for day in statistics.days)
        made.append(Fact("Right", f"{right:,} of {totals.answers:,}", duration(totals.minutes)))
    else:
        spent = f"{counted(len(statistics.days), 'day')}, {duration(totals.minutes)}"
        made.append(Fact("Answers", f"{totals.answers:,}", spent))
    made.append(
        Fact(
            "Questions met",
            f"{totals.seen:,}",
            f"of {totals.items:,} that practice asks",
        )
    )
    open_ = sum(row.status != "cleared" for row in beliefs)
    if beliefs:
        made.append(Fact("Beliefs to mend", str(open_), f"{len(beliefs) - open_} mended"))
    return tuple(made)


def _interval(share: Share | Accuracy, thing: str) -> str:
    return f"{percent(share.low)} to {percent(share.high)}; {counted(share.answers, thing)}"

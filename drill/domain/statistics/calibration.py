"""Confidence, told before an answer was judged, against how the answer came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drill.domain.memory.rating import CONFIDENCE_NAMES, GUESS, SURE, THINK
from drill.domain.questions import TOPICS
from drill.domain.statistics.evidence import Given, Placed, placed
from drill.domain.statistics.interval import at_least, share
from drill.domain.statistics.model import Calibration, Confidence, TopicConfidence

STATED: dict[int, float] = {GUESS: 0.4, THINK: 0.7, SURE: 0.9}
"""The chance of being right that each word is taken for. `guess` is above the luck of four options
because most guesses are informed; `sure` is no higher than .9, so that a sure answer may be wrong
once in ten before anybody is called over-confident. These are drill's own readings."""
ALPHA = 0.05
"""Chance that all topics together let pass of calling a calibrated learner over-confident."""


class CalibrationFold:
    """Counts the answers for which a confidence was given, in any mode; retries, whose feedback
    has just been read, are left out."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        """`topics`: item to topic; an item that is not there counts for no topic."""
        self._topic_of = topics
        self._levels = {level: [0, 0] for level in STATED}
        self._topics: dict[str, dict[int, list[int]]] = {}

    def add(self, answer: Placed) -> None:
        """Count an answer, if it is one of these."""
        given = answer.given
        counts = self._levels.get(given.confidence or 0)
        if counts is None or given.mode == "retry":
            return
        counts[0] += 1
        counts[1] += answer.right
        topic = self._topic_of.get(given.item_id)
        if topic is not None:
            levels = self._topics.get(topic)
            if levels is None:
                levels = self._topics[topic] = {level: [0, 0] for level in STATED}
            counts = levels[given.confidence or 0]
            counts[0] += 1
            counts[1] += answer.right

    def result(self) -> Calibration:
        """What the answers say so far.

        A topic is over-confident where as many sure answers were wrong as a learner whose sure
        answers are right in `STATED[SURE]` of cases would give with a chance under `ALPHA` divided
        by the number of topics that have sure answers.
        """
        answers = sum(n for n, _ in self._levels.values())
        right = sum(r for _, r in self._levels.values())
        brier = flat = None
        if answers:
            mean = right / answers
            flat = mean * (1.0 - mean)
            squares = sum(
                r * (1.0 - STATED[level]) ** 2 + (n - r) * STATED[level] ** 2
                for level, (n, r) in self._levels.items()
            )
            brier = squares / answers
        return Calibration(
            answers=answers,
            levels=tuple(
                Confidence(level, CONFIDENCE_NAMES[level], STATED[level], share(r, n))
                for level, (n, r) in self._levels.items()
            ),
            topics=self._by_topic(),
            brier=brier,
            brier_flat=flat,
        )

    def _by_topic(self) -> tuple[TopicConfidence, ...]:
        tested = sum(levels[SURE][0] > 0 for levels in self._topics.values())
        found = []
        for topic, levels in self._topics.items():
            (sure, sure_right), (guesses, lucky) = levels[SURE], levels[GUESS]
            if not sure and not guesses:
                continue
            p = at_least(sure - sure_right, sure, 1.0 - STATED[SURE])
            found.append(
                TopicConfidence(
                    topic=topic,
                    title=TOPICS.get(topic, topic),
                    sure=share(sure_right, sure),
                    guesses=share(lucky, guesses),
                    expected_wrong=sure * (1.0 - STATED[SURE]),
                    p=p,
                    overconfident=p < ALPHA / max(1, tested),
                )
            )
        return tuple(sorted(found, key=lambda each: (each.p, -each.sure.answers, each.topic)))


def calibration(answers: Iterable[Given], topics: Mapping[str, str]) -> Calibration:
    """Calibration of answers, oldest first; see `CalibrationFold`."""
    fold = CalibrationFold(topics)
    for answer in placed(answers):
        fold.add(answer)
    return fold.result()

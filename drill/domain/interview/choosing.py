"""Which questions an interview asks: seeded, repeatable, and none twice while others are left."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from drill.domain.interview.rounds import ROUNDS, Mode, Part, parts_of, rank, round_of
from drill.domain.questions import Bar, Head, Round

TOO_HARD = 1
"""Levels above the interview's that a question may come from, if nothing else is left."""
OFF_LEVEL = 2.0
"""What a level of distance counts beside one more question on the same topic."""


class Settings(Struct, frozen=True):
    """What the learner asks for."""

    minutes: int
    level: Bar
    seed: int
    topics: tuple[str, ...] = ()
    """Empty: all."""
    mode: Mode = "real"


class Slot(Struct, frozen=True):
    """One question of an interview, or the stages of one case."""

    round: Round
    items: tuple[str, ...]
    minutes: float
    asked_before: int = 0
    """How many interviews asked it already."""


class Course(Struct, frozen=True):
    """A whole interview, and what it lacks."""

    slots: tuple[Slot, ...]
    lacks: tuple[str, ...] = ()
    """A sentence for every part that could not be filled as it should."""


class Candidate(Struct, frozen=True):
    """A question that stands alone, or a case with all its stages."""

    items: tuple[str, ...]
    round: Round
    topic: str
    level: int
    siblings: frozenset[str]


def candidates(heads: Mapping[str, Head]) -> list[Candidate]:
    """The reserve as it may be asked; a case of which a stage is missing is left out."""
    alone: list[Candidate] = []
    cases: dict[str, list[str]] = {}
    for item, head in heads.items():
        if not head.reserve:
            continue
        if head.case:
            cases.setdefault(head.case, []).append(item)
        else:
            alone.append(_candidate((item,), heads))
    for stages in cases.values():
        stages.sort(key=lambda item: heads[item].stage)
        if [heads[item].stage for item in stages] == list(range(1, len(stages) + 1)):
            alone.append(_candidate(tuple(stages), heads))
    return alone


def _candidate(items: tuple[str, ...], heads: Mapping[str, Head]) -> Candidate:
    first = heads[items[0]]
    level = max(rank(heads[item].level) for item in items)
    near = frozenset(other for item in items for other in heads[item].siblings)
    return Candidate(items, round_of(first), first.topic, level, near)


def choose(
    heads: Mapping[str, Head],
    settings: Settings,
    used: Mapping[str, int],
    newest: Sequence[str] = (),
) -> Course:
    """The questions of an interview; the same for the same arguments.

    Args:
        heads: items that can be asked here and now; those outside the reserve are left out.
        settings: length, level, topics and seed.
        used: item to the number of interviews that asked it.
        newest: items of the last interview, which come after all others that were asked as often.
    """
    open_now = candidates(heads)
    topics: Counter[str] = Counter()
    taken: set[str] = set()
    barred: set[str] = set()
    slots: list[Slot] = []
    lacks: list[str] = []
    for part in parts_of(settings.minutes, settings.level):
        fitting = [
            c
            for c in open_now
            if c.round == part.round
            and (not settings.topics or c.topic in settings.topics)
            and c.level <= rank(settings.level) + TOO_HARD
            and taken.isdisjoint(c.items)
            and barred.isdisjoint(c.items)
            and taken.isdisjoint(c.siblings)
        ]
        if not fitting:
            lacks.append(_lack(part, settings))
            continue
        best = min(fitting, key=lambda c: _order(c, settings, used, newest, topics))
        before = max(used.get(item, 0) for item in best.items)
        if before:
            lacks.append(f"{ROUNDS[part.round]}: a question that an interview asked before.")
        slots.append(Slot(part.round, best.items, part.minutes, before))
        topics[best.topic] += 1
        taken |= set(best.items)
        barred |= best.siblings
    return Course(tuple(slots), tuple(dict.fromkeys(lacks)))


def _lack(part: Part, settings: Settings) -> str:
    where = f" on {', '.join(settings.topics)}" if settings.topics else ""
    return f"{ROUNDS[part.round]}: the reserve has no question left{where}; it is left out."


def _order(
    candidate: Candidate,
    settings: Settings,
    used: Mapping[str, int],
    newest: Iterable[str],
    topics: Mapping[str, int],
) -> tuple[int, bool, float, bytes]:
    """Unused first, then what fits the level and brings a new topic; ties by the seed."""
    times = max(used.get(item, 0) for item in candidate.items)
    distance = candidate.level - rank(settings.level)
    # A warm-up may be easy: it is not what the level is judged by.
    easy = candidate.round == "warmup" and distance < 0
    off = 0.0 if easy else OFF_LEVEL * (distance**2 if distance < 0 else 3 * distance)
    text = f"{settings.seed} {candidate.items[0]}"
    tie = hashlib.blake2b(text.encode(), digest_size=8).digest()
    recent = not set(newest).isdisjoint(candidate.items)
    return times, recent, off + topics.get(candidate.topic, 0), tie

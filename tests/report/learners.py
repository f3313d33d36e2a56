"""Learners for reports: a new one, one with a single session, and ones with months behind them.

What they answer is drawn by a seed from a memory that forgets as FSRS says; the log, the states
and the runs are those that drill itself would have written.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from drill.domain.interview.choosing import Settings, Slot
from drill.domain.interview.rounds import round_of
from drill.domain.interview.state import Interview
from drill.domain.memory import fsrs_memory
from drill.domain.memory.rating import confidently_wrong, grade_of
from drill.domain.memory.state import MemoryState, ParameterSet, retrievability
from drill.domain.memory.study_day import date_of_day
from drill.domain.presentation import letter, shown
from drill.domain.questions import ChoiceBody, CodeBody, Head, MutantBody, Question
from drill.packs.excerpt import ExcerptError
from drill.services.app import Drill
from drill.services.mock import KIND, Mock
from drill.services.mock_report import finish
from drill.services.past_runs import run_of
from drill.services.recorded import recorded_runs
from drill.store import log
from tests.conftest import Clock
from tests.interview.players import NOTHING, transcripts
from tests.services.interviews import Timer
from tests.services.keys import right_answer, wrong_answer

ABILITY: Mapping[str, float] = {
    "overview": 0.8, "objective": 0.72, "process": 0.7, "cfg": 0.75, "pipeline": 0.62,
    "loop": 0.6, "vae": 0.55, "conditioning": 0.5, "scheduler": 0.32, "backbone": 0.42,
    "memory": 0.4, "adapters": 0.45, "serving": 0.35,
}  # fmt: skip
"""Chance of a right first answer, by topic."""


def one_session(drill: Drill, answers: int = 12, seed: int = 1) -> None:
    """A first session, just ended."""
    drill.keep_profile(replace(drill.profile, done=True))
    Learner(drill, seed).days(1, answers, new=answers)


def long_history(
    drill: Drill, days: int = 44, a_day: int = 24, *, new: int = 5, ahead: int = 27, seed: int = 4
) -> None:
    """A learner with an interview date and `days` behind them, some of them missed."""
    interview = date_of_day(drill.store.today() + ahead).isoformat()
    drill.keep_profile(
        replace(drill.profile, done=True, interview=interview, minutes=30, level="senior")
    )
    Learner(drill, seed).days(days, a_day, new=new, missed=0.12)


class Learner:
    """Answers day by day, until today; everything is written in one go."""

    def __init__(self, drill: Drill, seed: int) -> None:
        self.drill = drill
        self.draw = random.Random(seed)
        self.parameters = ParameterSet()
        self.states: dict[str, MemoryState] = {}
        self.seen: dict[str, int] = {}
        self.questions: dict[tuple[str, int], Question | None] = {}
        heads = list(drill.askable().values())
        self.draw.shuffle(heads)
        self.waiting = sorted(
            heads, key=lambda h: ("junior", "mid", "senior", "staff").index(h.level)
        )
        self.believes = {b for h in heads for b in h.misconceptions if self.draw.random() < 0.22}

    def days(self, days: int, a_day: int, *, new: int, missed: float = 0.0) -> None:
        today = self.drill.store.today()
        now = self.drill.clock()
        rows: list[dict[str, Any]] = []
        for day in range(today - days + 1, today + 1):
            if day not in (today, today - days + 1) and self.draw.random() < missed:
                continue
            at = now - timedelta(days=today - day, minutes=a_day * 2)
            for head in self._asked(day, a_day, new):
                at += timedelta(seconds=self.draw.uniform(25, 110))
                rows.append(self._answered(head, day, at))
        with self.drill.store.access.write() as connection:
            log.ensure_parameters(connection, self.parameters, now)
            device = self.drill.store._device(connection)
            for row in rows:
                log.insert_row(connection, {**row, "device_id": device})
            log.write_states(connection, self.states.values())

    def _asked(self, day: int, a_day: int, new: int) -> list[Head]:
        heads = self.drill.bank.heads
        due = [s for s in self.states.values() if s.is_due(day)]
        due.sort(key=lambda s: retrievability(s, day))
        asked = [heads[s.item_id] for s in due[: max(0, a_day - new)]]
        fresh, self.waiting = self.waiting[:new], self.waiting[new:]
        asked += fresh
        rest = [s for s in self.states.values() if heads[s.item_id] not in asked]
        rest.sort(key=lambda s: retrievability(s, day))
        asked += [heads[s.item_id] for s in rest[: max(0, a_day - len(asked))] if s.last_day != day]
        self.draw.shuffle(asked)
        return asked

    def _answered(self, head: Head, day: int, at: Any) -> dict[str, Any]:
        draw = self.draw
        before = self.states.get(head.id, MemoryState(head.id))
        known = ABILITY.get(head.topic, 0.5)
        chance = known
        if not before.new:
            chance = min(0.96, retrievability(before, day) ** (2.6 - 1.7 * known))
        right = draw.random() < chance
        belief = next((b for b in head.misconceptions if b in self.believes), "")
        if belief and not right and before.reps and draw.random() < 0.5:
            self.believes.discard(belief)
        feeling = chance + draw.gauss(0.08 if head.topic == "scheduler" else 0.0, 0.22)
        feeling += 0.15 if right else -0.12
        confidence = 3 if feeling > 0.72 else 2 if feeling > 0.4 else 1
        seed = self.seen.get(head.id, 0)
        self.seen[head.id] = seed + 1
        text, score, shows = self._text(head, seed, right, belief)
        seconds = head.seconds * draw.lognormvariate(-0.15, 0.35)
        grade = grade_of(score, confidence, 0, seconds, head.seconds)
        after = fsrs_memory.review(
            before, grade, day, self.parameters, confident=confidently_wrong(grade, confidence)
        )
        self.states[head.id] = after
        again = before.last_day is not None
        return {
            "uuid": str(UUID(int=draw.getrandbits(128), version=4)),
            "kind": "review",
            "at": log.to_text(at),
            "offset_minutes": 0,
            "study_day": day,
            "item_id": head.id,
            "content_hash": head.content_hash,
            "type": head.type,
            "seed": seed,
            "mode": "session",
            "schedules": 1,
            "duration_ms": round(seconds * 1000),
            "expected_seconds": head.seconds,
            "confidence": confidence,
            "hints": 0,
            "answer": text,
            "auto_score": score,
            "auto_grade": grade,
            "grade": grade,
            "said_aloud": 0,
            "parameter_set": self.parameters.id,
            "scheduler": fsrs_memory.scheduler_version(),
            "recall": retrievability(before, day) if again else None,
            "elapsed_days": day - (before.last_day or day) if again else None,
            "before": log.snapshot(before if again else None),
            "after": log.snapshot(after),
            "misconceptions": json.dumps([shows]) if shows else None,
        }

    def _text(self, head: Head, seed: int, right: bool, belief: str) -> tuple[str, float, str]:
        """What is typed, what it scores, and the belief that it shows."""
        key = (head.id, seed % max(1, head.variants) if head.variants > 1 else seed % 3)
        if key not in self.questions:
            try:
                self.questions[key] = shown(self.drill.bank.question(head.id, seed), seed)
            except ExcerptError:
                self.questions[key] = None
        question = self.questions[key]
        shows = "" if right or not belief else belief
        if question is None:
            return "42", float(right), shows
        if isinstance(question.body, ChoiceBody):
            options = question.body.options
            wanted = [n for n, o in enumerate(options) if o.right == right]
            believed = [n for n, o in enumerate(options) if belief and o.misconception == belief]
            if not right:
                wanted = believed[:1] or [self.draw.choice(wanted or [0])]
            return ", ".join(letter(n) for n in wanted), float(right), shows
        if isinstance(question.body, MutantBody):
            effects = [n for n, o in enumerate(question.body.effects) if o.right == right]
            line = question.body.line if right else max(1, question.body.line - 1)
            return f"{line}; {letter(self.draw.choice(effects))}", float(right), shows
        if right:
            return right_answer(question), 1.0, ""
        partial = head.type in ("choices", "explain", "order", "code") and self.draw.random() < 0.4
        return wrong_answer(question), 0.6 if partial else 0.0, "" if partial else shows


# -- experiments and interviews -----------------------------------------------------------


def experiment_runs(drill: Drill, home: Path, count: int = 6, days: int = 40) -> None:
    """Runs of the learner's own, made of the recordings that ship: results, pictures, curves."""
    root = drill.bank.roots["drill"]
    names = [
        "cfg-sweep", "scheduler-swap", "snr-schedules", "one-step-x0", "control-window",
        "vae-tiling", "prediction-targets", "batch-knee", "negative-prompt", "unet-vs-dit",
    ]  # fmt: skip
    names += sorted(
        {path.stem.partition("@")[0] for path in (root / "reference/runs").glob("*.json")}
    )
    found = [each for name in dict.fromkeys(names) for each in recorded_runs(root, name)]
    found.sort(key=lambda each: "@" in each.file.stem)
    for n, each in enumerate(found[:count]):
        when = drill.clock() - timedelta(days=days * n / max(1, count), hours=1)
        run_id = f"{when:%Y%m%d-%H%M%S}-{each.event.experiment}-{n:04x}"
        folder = home / "runs" / run_id
        folder.mkdir(parents=True)
        kept = []
        for picture in each.pictures:
            shutil.copyfile(picture, folder / f"{picture.stem[-40:]}.png")
            kept.append(f"{run_id}/{picture.stem[-40:]}.png")
        (folder / "result.json").write_text(json.dumps({"state": "done", "plots": each.plots}))
        run = run_of(changed(each.event, run=run_id, recorded="", artefacts=kept))
        drill.store.runs.save(replace(run, started=when.isoformat(timespec="seconds")))


def interview(drill: Drill, name: str = "senior-lean-hire-1", *, items: int = 5) -> Mock:
    """A mock interview with the written answers of one of the transcripts of the tests."""
    every = [each for file in ("dev", "held_out", "held_out_2") for each in transcripts(file)]
    found = [each for each in every if each["id"] == name]
    transcript = found[0] if found else every[0]
    said = {f"drill:{each['item']}": each for each in transcript["items"][:items]}
    slots = tuple(Slot(round_of(drill.bank.heads[item]), (item,), 5.0) for item in said)
    settings = Settings(30, transcript["level"], 11)
    plan = Interview(settings, slots).to_json()
    stored = drill.store.sessions.start(KIND, plan, drill.store.today(), 11, 30.0)
    timer = Timer()
    mock = Mock(drill, stored, timer)
    while mock.phase == "asking":
        mock.start_clock()
        view = mock.view
        answers = said[view.question.head.id]
        timer.forward(95 if view.move.kind == "open" else 30)
        if isinstance(view.question.body, CodeBody):
            done, total = answers["passed"]
            mock.answer(right_answer(view.question))
            mock.settle({"passed": done, "total": total, "failures": []})
        elif view.move.kind == "open":
            mock.answer(answers["answer"])
        elif view.move.style == "belief":
            mock.answer(str(answers.get("beliefs", {}).get(view.move.target, NOTHING)))
        else:
            replies = answers.get("replies", {}).get(view.move.target, {})
            mock.answer(str(replies.get(view.move.style, NOTHING)))
    finish(drill, mock)
    return mock


def realistic(drill: Drill, home: Path, clock: Clock, runs: int = 6) -> None:
    """The learner of the pictures: 44 days, two interviews, some experiments, a date ahead."""
    now = clock.now
    long_history(drill)
    experiment_runs(drill, home, runs)
    for days, name in ((16, "dev-senior-lean-no-hire-1"), (3, "senior-lean-hire-1")):
        clock.now = now - timedelta(days=days)
        interview(drill, name)
    clock.now = now

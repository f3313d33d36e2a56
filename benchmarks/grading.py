"""Score the free-text engine on a labelled set of answers.

    python benchmarks/grading.py [SET KEYS] [--json] [--half a|b] [--errors]

SET is a YAML list of questions with points and labelled answers, KEYS maps a question id to
`{point id: [recipe, ...]}`, where a point id that starts with `!` is a misconception. Without
paths the development set beside this file is used. Precision, recall and F1 are over all
(answer, point) pairs; false credit is over the answers of kind wrong, stuffed or negated: the
share of their pairs that are credited without being labelled met, and the share of those answers
with at least one such credit. Half a is the questions at even places of the file, half b the rest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a bare checkout too

from drill.domain.questions import Belief, Point
from drill.domain.rubric import RubricResult, judge

DATA = Path(__file__).parent / "data"
ADVERSARIAL = frozenset(("wrong", "stuffed", "negated"))


@dataclass
class Tally:
    """Counts over (answer, point) pairs."""

    outcome: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    adversarial: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    misconceptions: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read_set(set_path: Path, keys_path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Questions and keys; a question or point that has no keys is kept and never credited."""
    questions = yaml.safe_load(set_path.read_text(encoding="utf-8")) or []
    keys = yaml.safe_load(keys_path.read_text(encoding="utf-8")) or {}
    if isinstance(questions, dict):
        questions = questions.get("items") or questions.get("questions") or []
    return list(questions), dict(keys)


def rubric(question: dict[str, Any], keys: dict[str, Any]) -> tuple[list[Point], list[Belief]]:
    """The question's points and misconceptions with their recipes from the key file."""
    own = keys.get(question["id"]) or {}
    points = [
        Point(
            p["id"],
            p.get("statement", ""),
            p.get("weight", "essential"),
            tuple(map(str, own.get(p["id"]) or ())),
        )
        for p in question.get("points") or ()
    ]
    beliefs = [
        Belief(m["id"], m.get("statement", ""), tuple(map(str, own.get("!" + m["id"]) or ())))
        for m in question.get("misconceptions") or ()
    ]
    return points, beliefs


def score(questions: list[dict[str, Any]], keys: dict[str, Any]) -> Tally:
    """Judge every answer once, timed in CPU time, caches cold, and count."""
    tally = Tally()
    for question in questions:
        points, beliefs = rubric(question, keys)
        for answer in question.get("answers") or ():
            text = str(answer.get("text") or "")
            begun = time.process_time()
            result = judge(text, points, beliefs)
            tally.milliseconds.append((time.process_time() - begun) * 1e3)
            _count(tally, question["id"], answer, result)
    return tally


def _count(tally: Tally, question: str, answer: dict[str, Any], result: RubricResult) -> None:
    kind = answer.get("kind") or "unknown"
    met = set(answer.get("met") or ())
    adversarial = kind in ADVERSARIAL
    falsely = 0
    for point in result.points:
        credited, labelled = point.state == "credited", point.id in met
        outcome = {(True, True): "tp", (True, False): "fp", (False, True): "fn"}.get(
            (credited, labelled), "tn"
        )
        tally.outcome[outcome] += 1
        tally.by_kind[kind][outcome] += 1
        tally.asked[f"{point.state} {'met' if labelled else 'unmet'}"] += 1
        falsely += adversarial and outcome == "fp"
        if outcome in ("fp", "fn"):
            what = {"fp": "CREDITED", "fn": "not credited"}[outcome]
            tally.errors.append(
                f"{what:12} {question}/{point.id} [{kind}] {point.state} {point.reason} "
                f"{list(point.matched)}\n    S {point.statement}\n    A {answer.get('text')}"
            )
    if adversarial:
        tally.adversarial["pairs"] += len(result.points)
        tally.adversarial["answers"] += 1
        tally.adversarial["false pairs"] += falsely
        tally.adversarial["false answers"] += bool(falsely)
    beliefs = set(answer.get("misconceptions") or ())
    tally.misconceptions["labelled"] += bool(beliefs)
    tally.misconceptions["caught"] += bool(beliefs & set(result.misconceptions))
    tally.misconceptions["without"] += not beliefs
    tally.misconceptions["fired without"] += not beliefs and bool(result.misconceptions)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def report(tally: Tally) -> dict[str, Any]:
    """All figures, shares as fractions and CPU times in milliseconds."""
    hits, false, missed = (tally.outcome[name] for name in ("tp", "fp", "fn"))
    precision, recall = _share(hits, hits + false), _share(hits, hits + missed)
    attack = tally.adversarial
    times = sorted(tally.milliseconds)
    return {
        "points": {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
            "pairs": sum(tally.outcome.values()),
        },
        "false_credit": {
            "pairs": _share(attack["false pairs"], attack["pairs"]),
            "answers": _share(attack["false answers"], attack["answers"]),
        },
        "recall_by_kind": {
            kind: _share(counts["tp"], counts["tp"] + counts["fn"])
            for kind, counts in sorted(tally.by_kind.items())
            if counts["tp"] + counts["fn"]
        },
        "false_by_kind": {
            kind: counts["fp"] for kind, counts in sorted(tally.by_kind.items()) if counts["fp"]
        },
        "states": dict(sorted(tally.asked.items())),
        "misconceptions": dict(tally.misconceptions),
        "milliseconds": {
            "mean": statistics.fmean(times) if times else 0.0,
            "p95": times[min(len(times) - 1, int(0.95 * len(times)))] if times else 0.0,
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Score the free-text engine on a labelled set.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="SET KEYS")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--half", choices=("a", "b"), help="only every second question")
    parser.add_argument("--errors", action="store_true", help="list wrong and missed credits")
    options = parser.parse_args(arguments)
    if len(options.paths) not in (0, 2):
        parser.error("give both SET and KEYS, or neither")
    set_path, keys_path = options.paths or (DATA / "dev.yaml", DATA / "dev-keys.yaml")
    questions, keys = read_set(set_path, keys_path)
    if options.half:
        questions = questions[0 if options.half == "a" else 1 :: 2]
    tally = score(questions, keys)
    figures = report(tally)
    if options.json:
        print(json.dumps(figures, indent=2))
        return 0
    points, false, spent = (figures[k] for k in ("points", "false_credit", "milliseconds"))
    print(f"points        P {points['precision']:.3f}  R {points['recall']:.3f}  "
          f"F1 {points['f1']:.3f}  ({points['pairs']} pairs)")  # fmt: skip
    print(f"false credit  {false['pairs']:.1%} of pairs, {false['answers']:.1%} of answers")
    print(
        "recall        " + "  ".join(f"{k} {v:.2f}" for k, v in figures["recall_by_kind"].items())
    )
    print(f"false by kind {figures['false_by_kind']}")
    print(f"states        {figures['states']}")
    print(f"misconception {figures['misconceptions']}")
    print(f"CPU ms answer mean {spent['mean']:.2f}  p95 {spent['p95']:.2f}")
    if options.errors:
        print("\n".join(tally.errors))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

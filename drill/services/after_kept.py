"""Logs of interviews as they are kept: what is in one, all of them, and taking one back.

A log is a row of `sessions` of kind `after`. Nothing of one is ever deleted: a log that was taken
back stays, marked, and what it brought forward is undone by events of the review log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.services.after_find import Match

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.store.sessions import Session as StoredSession

KIND = "after"
Outcome: TypeAlias = Literal["", "due", "waiting", "kept", "drafted"]
"""`due`: by tomorrow; `waiting`: in the bank, but suspended or not to be shown here; `kept`: kept
for interviews; `drafted`: the bank lacks it."""
MOST_LOGS = 10_000
"""More than anyone has."""
OUTCOMES: tuple[Outcome, ...] = ("due", "waiting", "kept", "drafted")


class Entry(Struct, frozen=True, omit_defaults=True):
    """One question that was asked."""

    text: str
    near: tuple[Match, ...] = ()
    decided: bool = False
    item: str = ""
    """The item that practises it; empty: none."""
    draft: str = ""
    """Id of the skeleton."""
    topic: str = ""
    outcome: Outcome = ""


class Plan(Struct, frozen=True):
    """What is stored of a log."""

    date: str
    company: str
    entries: tuple[Entry, ...] = ()
    removed: str = ""
    """When it was taken back; empty: it holds."""


def document(log_id: str, plan: Plan, folder: Path) -> dict[str, Any]:
    """A log as JSON. It names kept items: show it through `shown`."""
    from drill.services.after_draft import file_of

    files = {str(file_of(folder, e.topic)) for e in plan.entries if e.outcome == "drafted"}
    counts = Counter(entry.outcome for entry in plan.entries)
    return {
        "id": log_id,
        "date": plan.date,
        "company": plan.company,
        "counts": {
            "questions": len(plan.entries),
            **{name: counts[name] for name in OUTCOMES},
        },
        "files": sorted(files),
        "questions": [
            {
                "question": entry.text,
                "outcome": entry.outcome,
                "topic": entry.topic,
                "item": entry.item,
                "draft": entry.draft,
                "near": [msgspec.to_builtins(match) for match in entry.near],
            }
            for entry in plan.entries
        ],
    }


def shown(drill: Drill, given: Mapping[str, Any]) -> dict[str, Any]:
    """A log as it may be shown: items that are still kept for interviews have no name."""
    withheld = drill.withheld()

    def near(match: Mapping[str, Any]) -> dict[str, Any]:
        kept = match["item"] in withheld
        return {**match, "item": "" if kept else match["item"], "kept": kept}

    questions = [
        {
            **each,
            "item": "" if each["item"] in withheld else each["item"],
            "near": [near(match) for match in each["near"]],
        }
        for each in given["questions"]
    ]
    return {**given, "questions": questions}


def drafts_folder(drill: Drill) -> Path:
    """The folder of drafts, shaped like a pack."""
    from drill.services.after_draft import FOLDER

    return drill.store.path.parent / FOLDER


def logs(drill: Drill) -> list[dict[str, Any]]:
    """Every log that holds, newest first, ready to be shown; `finished`: not left in the middle."""
    folder = drafts_folder(drill)
    return [
        {**shown(drill, document(kept.id, plan, folder)), "finished": kept.ended is not None}
        for kept, plan in _holding(drill)
    ]


def drafted_before(drill: Drill) -> dict[str, str]:
    """Questions of former logs and their drafts, also of logs that were taken back."""
    found: dict[str, str] = {}
    for _, plan in _all(drill):
        for entry in plan.entries:
            if entry.draft:
                found.setdefault(entry.text.casefold(), entry.draft)
    return found


def same_log(drill: Drill, questions: Iterable[str], day: str, company: str) -> str:
    """The id of a finished log of the same questions; empty where there is none.

    A day or a company that is given and differs tells two interviews apart.
    """
    wanted = {question.casefold() for question in questions}
    company = company_of(company)
    for kept, plan in _holding(drill):
        same = wanted == {entry.text.casefold() for entry in plan.entries}
        other = day not in ("", plan.date) or company not in ("", plan.company)
        if kept.ended is not None and same and not other:
            return kept.id
    return ""


def company_of(text: str) -> str:
    """A company as it is stored."""
    return " ".join(text.split())[:200]


def find(drill: Drill, wanted: str) -> str:
    """The id of a log, by its beginning, or of the newest one by `last`.

    Raises KeyError with a message.
    """
    own = [kept.id for kept, _ in _holding(drill)]
    found = own[:1] if wanted == "last" else [each for each in own if each.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    what = "several logs begin" if found else "no log begins"
    raise KeyError(
        f"{what} with `{wanted}`; `drill after list` names them" if own else "nothing is logged yet"
    )


def remove(drill: Drill, log_id: str) -> dict[str, Any]:
    """Take a log back: what it brought forward is due again as if it had not been.

    Its drafts stay, as they may have been filled meanwhile. May be repeated after a crash.
    """
    kept = drill.store.sessions.get(log_id)
    plan = msgspec.convert(kept.plan, Plan)
    undone = drill.store.undo_advances(log_id)
    plan = replace(plan, removed=drill.clock().isoformat(timespec="seconds"))
    drill.store.sessions.save_plan(log_id, msgspec.to_builtins(plan), len(plan.entries))
    drill.store.sessions.end(log_id)
    told = document(log_id, plan, drafts_folder(drill))
    return {
        "id": log_id,
        "date": plan.date,
        "company": plan.company,
        "questions": len(plan.entries),
        "no_longer_due": len(undone),
        "drafts": told["counts"]["drafted"],
        "files": told["files"],
    }


def last_done(drill: Drill) -> str:
    """The id of the log that this machine ended after all that `Store.undo` would take back.

    Empty where something was answered or marked since, or nothing was logged here.
    """
    device = drill.store.settings.get("device", "")
    newest = drill.store.newest_undoable()
    for kept, _ in _holding(drill):
        if kept.ended and kept.ended > newest and (kept.summary or {}).get("device", "") == device:
            return kept.id
    return ""


def _holding(drill: Drill) -> Iterator[tuple[StoredSession, Plan]]:
    return ((kept, plan) for kept, plan in _all(drill) if not plan.removed)


def _all(drill: Drill) -> Iterator[tuple[StoredSession, Plan]]:
    for kept in drill.store.sessions.recent(MOST_LOGS, KIND):
        yield kept, msgspec.convert(kept.plan, Plan)

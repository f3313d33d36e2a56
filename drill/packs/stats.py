"""Counts of a bank: by topic, type and level, and how many keys are recomputed by execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from drill.domain.questions import ANSWER_TYPES, LEVELS, RELEVANCES, ROLES, TOPICS
from drill.packs.bank import Bank


def executes(bank: Bank, item_id: str) -> bool:
    """Whether running something recomputes this item's key.

    True for a proof or property function, for code that is run (`output`, `shape`), and for a
    `line` item whose pattern is looked up in installed source. For another type the lookup only
    shows that the code is still there, and `predict` and `diagnose` items rest on their live runs.
    """
    site = bank.sites.get(item_id)
    if site is None:
        return False
    return site.proof != "source" or bank.heads[item_id].type == "line"


def stats(bank: Bank, standings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Counts of all items.

    Args:
        standings: by item, from `drill.packs.ledger.standings`; where it is given, `proven` counts
            only items whose recorded proof holds (`proven` or `stamped`), and `standings` is added.
    """
    heads = list(bank.heads.values())
    executed = [head.id for head in heads if executes(bank, head.id)]
    holds = executed
    if standings is not None:
        holds = [name for name in executed if standings.get(name) in ("proven", "stamped")]
    tested = {name for head in heads for name in head.misconceptions}
    made: dict[str, Any] = {
        "total": len(heads),
        "variants": sum(head.variants for head in heads),
        "executed": len(executed),
        "proven": len(holds),
        "topics": _counted((head.topic for head in heads), TOPICS),
        "types": _counted((head.type for head in heads), ANSWER_TYPES),
        "levels": _counted((head.level for head in heads), LEVELS),
        "relevance": _counted((head.relevance for head in heads), RELEVANCES),
        "roles": _counted((role for head in heads for role in head.roles), ROLES),
        "experiments": dict(sorted(Counter(bank.experiments.values()).items())),
        "misconceptions": {
            "registered": len(bank.misconceptions),
            "tested": len(tested & set(bank.misconceptions)),
            "untested": sorted(set(bank.misconceptions) - tested),
        },
        "seconds": round(sum(head.seconds for head in heads)),
        "packs": _counted((head.id.partition(":")[0] for head in heads), bank.roots),
        "problems": len(bank.problems),
    }
    if standings is not None:
        made["standings"] = dict(sorted(Counter(standings.get(h.id, "n/a") for h in heads).items()))
    return made


def _counted(values: Iterable[str], order: Iterable[str]) -> dict[str, int]:
    """Counts in a fixed order, zeros included, so that a gap is seen."""
    counts = Counter(values)
    return {name: counts[name] for name in order}

"""Cases: estimates and designs in stages, each stage an item of its own, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from drill.packs import schema
from drill.packs.problems import Problem
from drill.packs.validate import Reporter


@dataclass(frozen=True, slots=True)
class Cases:
    """How far the case at hand has come in a file."""

    name: str = ""
    stage: int = 0
    scenario: str = ""


def with_scenario(
    item: schema.Item, before: Cases, report: Reporter
) -> tuple[Cases, list[Problem]]:
    """The case after an item, given the one before it in the file, and what is wrong with it.

    The stages of a case follow one another in one file, numbered from 1; the first one tells the
    scenario.
    """
    problems: list[Problem] = []

    def wrong(field: str, said: str, expected: str) -> None:
        problems.append(report.problem((field,), said, expected))

    if item.case is None:
        if item.stage is not None:
            wrong("stage", "a stage of no case", "`case`: the name that all stages share")
        if item.scenario:
            wrong("scenario", "a scenario of no case", "it in the prompt, or `case` and `stage: 1`")
        return Cases(), problems
    wanted = before.stage + 1 if item.case == before.name else 1
    if item.stage != wanted:
        given = "no stage" if item.stage is None else f"stage {item.stage}"
        wrong("case", f"{given} of `{item.case}` here", f"`stage: {wanted}`")
    if wanted > 1:
        if item.scenario:
            wrong("scenario", "only stage 1 tells the scenario", "what is new in the prompt")
        return Cases(item.case, wanted, before.scenario), problems
    if not item.scenario:
        wrong("case", f"`{item.case}` begins without a scenario", "`scenario` on stage 1")
    return Cases(item.case, 1, item.scenario), problems

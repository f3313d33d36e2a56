"""What is said of runs: a former one in a line, a claim with its mark, a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from drill.lab.params import Param
from drill.services.past_runs import PastRun, plain
from drill.tui.text import row, styled
from drill.tui.widgets.paragraphs import Row

_HOLDS: dict[object, tuple[str, str, str]] = {
    True: ("✓", "$text-success", "holds"),
    False: ("✗", "$text-error", "does not hold"),
}


def run_words(past: PastRun, params: Sequence[Param]) -> Content:
    """How its claims stood, on what it ran, and with which parameters."""
    run = past.run
    defaults = {param.name: plain(param.default) for param in params}
    changed = {n: v for n, v in run.params.items() if plain(v) != defaults.get(n)}
    given = ", ".join(f"{n}={plain(v)}" for n, v in changed.items()) or "defaults"
    if past.error:
        stage = f" while {run.extra['stage']}" if run.extra.get("stage") else ""
        return row(styled("✗ ", "$text-error"), Content(f"{past.error}{stage} · {given}"))
    holds = [claim.get("holds") for claim in run.claims]
    true, false = holds.count(True), holds.count(False)
    mark = styled("✗ ", "$text-error") if false else styled("✓ ", "$text-success")
    device = run.device.partition(" ")[0]
    return row(mark, Content(f"{true} of {true + false} claims hold · {device} · {given}"))


def claim_rows(claim: Mapping[str, Any]) -> list[Row]:
    """A claim with its mark, and what was measured under it."""
    mark, style, word = _HOLDS[bool(claim.get("holds"))]
    says = str(claim.get("says") or claim.get("name"))
    found = f"{word}: {claim.get('measured')}; expected: {claim.get('expected')}"
    return [
        (styled(f"{mark} ", style), Content(says)),
        (Content("  "), styled(found, "$foreground 60%")),
    ]


def short(value: object) -> str:
    """A measured value, lists with commas."""
    if isinstance(value, list | tuple):
        return ", ".join(short(v) for v in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)

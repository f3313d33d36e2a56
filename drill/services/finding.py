"""What one look at a broken pipeline showed: its symptom, a bought measurement, or the mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.worker.protocol import Done

SYMPTOM, MEND = "symptom", "mend"
"""What `look` takes besides the names of the probes."""


class Shown(Struct, frozen=True, omit_defaults=True):
    """A picture of a finding."""

    path: str
    """Relative to the runs folder; of a recording `PACK:PATH`, relative to the pack."""
    caption: str = ""


class Plotted(Struct, frozen=True, omit_defaults=True):
    """A plot of a finding."""

    name: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    x_label: str = ""
    y_label: str = ""


class Finding(Struct, frozen=True, omit_defaults=True):
    """What was seen, live or recorded; it can be kept as JSON."""

    look: str
    """`symptom`, `mend`, or the id of a probe."""
    sentence: str
    """What was seen, with its numbers."""
    lines: tuple[str, ...] = ()
    """The measurement as it would stand in an engineer's terminal."""
    pictures: tuple[Shown, ...] = ()
    plots: tuple[Plotted, ...] = ()
    device: str = ""
    seconds: float = 0.0
    recorded: str = ""
    """Date of a recording; empty for a live run."""
    note: str = ""
    """Why it is a recording."""
    mended: bool | None = None
    """For the mend: whether the broken thing passed its check after it."""
    run_id: str = ""

    @property
    def stamp(self) -> str:
        """Where it comes from, so that a recording is never taken for a live run."""
        device = self.device.partition(" (")[0]
        if self.recorded:
            return f"recorded on {self.recorded}, not live · {device}"
        return f"live · {device} · {self.seconds:.1f} s"


def to_json(finding: Finding) -> Any:
    """JSON data."""
    return msgspec.to_builtins(finding)


def from_json(data: object) -> Finding | None:
    """What `to_json` gave; None for anything else."""
    try:
        return msgspec.convert(data, Finding)
    except msgspec.ValidationError:
        return None


def finding_of(
    look: str,
    done: Done,
    pictures: Sequence[Shown] = (),
    plots: Mapping[str, Any] | None = None,
    note: str = "",
) -> Finding:
    """The finding of a run that ended well; what the run sent in another form is left out."""
    lines = done.metrics.get("lines")
    mended = done.outcomes.get("mended")
    return Finding(
        look=look,
        sentence=_clean(done.sentence.strip()),
        lines=tuple(_lines(lines)) if isinstance(lines, list | tuple) else (),
        pictures=tuple(pictures),
        plots=tuple(_plots(plots or {})),
        device=done.device,
        seconds=done.seconds,
        recorded=done.recorded,
        note=note,
        mended=mended if isinstance(mended, bool) else None,
        run_id=done.run,
    )


def _lines(lines: Sequence[object]) -> list[str]:
    """One text a line, however the experiment broke them; tabs would be drawn one cell wide."""
    parts = [part for line in lines for part in str(line).split("\n")]
    return [_clean(part.expandtabs(4).rstrip()) for part in parts]


def _clean(text: str) -> str:
    """Text without what would steer a terminal."""
    return "".join(ch if ch.isprintable() or ch == "\n" else "�" for ch in text)


def _plots(plots: Mapping[str, Any]) -> list[Plotted]:
    found = []
    for name, plot in plots.items():
        data = {"name": name, **plot}
        try:
            found.append(msgspec.convert(data, Plotted))
        except msgspec.ValidationError:
            continue
    return found


def picture_file(drill: Drill, shown: Shown) -> Path | None:
    """The file of a picture, if it is still there."""
    from drill.paths import runs_dir

    pack, colon, inside = shown.path.partition(":")
    if colon and pack in drill.bank.roots:
        path = drill.bank.roots[pack] / inside
    else:
        path = runs_dir() / shown.path
    return path if path.is_file() else None

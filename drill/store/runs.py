"""Results of experiments. Pictures are files; their paths are kept here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from drill.store.db import Access

COLUMNS = (
    "id, name, started, seconds, params, metrics, claims, outcomes, device, versions, seed, "
    "artefacts, extra"
)


class Run(Struct, frozen=True):
    """One finished run of an experiment."""

    id: str
    name: str
    started: str
    """UTC, ISO."""
    seconds: float
    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    claims: Sequence[Mapping[str, Any]]
    """Each with `name`, `holds`, `measured`, `expected`."""
    outcomes: Mapping[str, Any]
    device: str
    versions: Mapping[str, str]
    seed: int
    artefacts: Sequence[str] = ()
    """Paths relative to the runs folder."""
    extra: Mapping[str, Any] = {}


_JSON = ("params", "metrics", "claims", "outcomes", "versions", "artefacts", "extra")
_NAMES = tuple(COLUMNS.split(", "))


def _run(row: tuple[Any, ...]) -> Run:
    values = dict(zip(_NAMES, row, strict=True))
    for name in _JSON:
        values[name] = json.loads(values[name])
    return Run(**values)


class Runs:
    """The `runs` table."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def save(self, run: Run) -> None:
        """Store a run; one with an id that is there already is left as it is."""
        values = [
            json.dumps(getattr(run, name), default=_plain) if name in _JSON else getattr(run, name)
            for name in _NAMES
        ]
        marks = ", ".join("?" * len(_NAMES))
        with self._access.write() as connection:
            connection.execute(
                f"INSERT INTO runs ({COLUMNS}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
                values,
            )

    def get(self, run_id: str) -> Run:
        """The run with this id, or with the only id that begins so; raises KeyError."""
        rows = self._access.rows(
            f"SELECT {COLUMNS} FROM runs WHERE id = ?1 OR substr(id, 1, length(?1)) = ?1 "  # noqa: S608
            "ORDER BY id = ?1 DESC, id LIMIT 2",
            (run_id,),
        )
        if not run_id or not rows:
            raise KeyError(f"no run {run_id!r}; `drill lab list` names the experiments")
        if len(rows) > 1 and rows[0][0] != run_id:
            raise KeyError(f"{run_id!r} is the beginning of several runs; give more of the id")
        return _run(rows[0])

    def list(self, name: str = "", limit: int = 50) -> list[Run]:
        """Runs, newest first; of one experiment where `name` is given."""
        rows = self._access.rows(
            f"SELECT {COLUMNS} FROM runs WHERE ? IN ('', name) "  # noqa: S608
            "ORDER BY started DESC, rowid DESC LIMIT ?",
            (name, limit),
        )
        return [_run(row) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")

"""Experiments on plain text: one child for a whole session, and what its runs are told by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from drill.cli.show import wrapped

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.experiment_loop import ExperimentLoop
    from drill.services.experiments import RunSpec
    from drill.worker.protocol import Done, Event


class PlainRuns:
    """Owns the child, which starts with the first run and stays warm until `close`."""

    def __init__(self, drill: Drill, say: Callable[[str], None]) -> None:
        self._drill = drill
        self._say = say
        self._child: ExperimentLoop | None = None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()

    def run(self, spec: RunSpec) -> Iterator[Event]:
        """The events of a run."""
        if self._child is None:
            from drill.services.experiment_loop import ExperimentLoop
            from drill.services.remote import worker_command_of

            command, host = worker_command_of(self._drill.config)
            self._child = ExperimentLoop(command, host=host)
        return self._child.run(spec)

    def experiment(
        self, name: str, params: dict[str, object], *, claims: bool = True
    ) -> tuple[Mapping[str, object] | None, str]:
        """Run an experiment and tell its result, its claims only where they are wanted.

        Returns its outcomes and the id of the run. Where nothing can run here the outcomes of a
        shipped recording are taken, without an id; None where there is none, or the run failed.
        """
        from drill.services.labs import keep, keep_failed, recorded, run_spec
        from drill.worker.protocol import Done, Error, Log, Progress

        spec = run_spec(self._drill, name, params)
        shown = -1
        for event in self.run(spec):
            if isinstance(event, Progress) and event.total:
                tenth = int(10 * event.done / event.total)
                if tenth > shown:
                    shown = tenth
                    self._say(f"  {10 * tenth:3d} % {event.label}")
            elif isinstance(event, Log):
                self._say(f"  {event.text}")
            elif isinstance(event, Done):
                record = keep(self._drill, event)
                self.tell(event, claims=claims)
                return record.outcomes, record.run_id
            elif isinstance(event, Error):
                self._say(f"  {event.error}: {event.message}")
                if event.log:
                    self._say(f"  log: {event.log}")
                keep_failed(self._drill, event)
                shipped = recorded(self._drill, name, params)
                if shipped is not None and event.error == "unavailable":
                    self._say(f"Judged by the run recorded on {shipped.recorded}, not a live one.")
                    self.tell(shipped, claims=claims)
                    return shipped.outcomes, ""
        return None, ""

    def tell(self, done: Done, *, claims: bool = True) -> None:
        """What a run found."""
        self._say(wrapped(done.sentence))
        if not claims:
            return
        words = {True: "holds", False: "does not hold", None: "not applicable"}
        for claim in done.claims:
            self._say(f"  {words[claim.get('holds')]}: {claim.get('says') or claim.get('name')}")
            self._say(f"    measured {claim.get('measured')}; expected {claim.get('expected')}")
        self._say(
            wrapped(f"Transfers: {done.transfers.get('answer')}. {done.transfers.get('reason')}")
        )

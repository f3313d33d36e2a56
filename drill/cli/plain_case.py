"""A `diagnose` question on plain text: the symptom, probes that are bought, the mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from drill.cli.show import probes_text, wrapped
from drill.domain.questions import DiagnoseBody, Measurement
from drill.services.diagnosing import NoFindingError, look_in
from drill.services.finding import MEND, SYMPTOM, Finding, picture_file

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.asked import Asked
    from drill.services.experiments import RunSpec
    from drill.worker.protocol import Event

_BUY = re.compile(r"^\s*(?:probe|buy)\b[\s:=]*(.*)$", re.IGNORECASE)


class Holder(Protocol):
    """What asks the question: a session or an interview."""

    @property
    def asked(self) -> Asked | None:
        """The question."""

    def keep_finding(self, finding: Finding) -> None:
        """Keep what was seen."""

    def settle(self, outcomes: Mapping[str, object], run_id: str = "") -> object:
        """Judge what was locked."""


class PlainCase:
    """The broken thing of the question that a session or an interview asks."""

    help = (
        "`probe NAME` buys a measurement, `probe` lists them. The cause: its letter as shown, its "
        "id or its text."
    )

    def __init__(
        self,
        drill: Drill,
        session: Holder,
        run: Callable[[RunSpec], Iterator[Event]],
        say: Callable[[str], None],
    ) -> None:
        self.drill = drill
        self.session = session
        self._run = run
        self._say = say
        self._failed = ""
        """The probe that failed last; a second time its recording is taken."""

    @property
    def _asked(self) -> Asked:
        asked = self.session.asked
        assert asked is not None
        return asked

    @property
    def _body(self) -> DiagnoseBody:
        body = self._asked.question.body
        assert isinstance(body, DiagnoseBody)
        return body

    def symptom(self) -> None:
        """Show what is wrong, and again what was bought before."""
        self._say("\nThe symptom:")
        if self._asked.finding(SYMPTOM) is None:
            self._look(SYMPTOM)
        for finding in self._asked.findings:
            if finding.look != SYMPTOM:
                self._say(f"\n{finding.look}:")
            self._tell(finding)
        if self._asked.bought:
            self._say(f"\n{self._spent()}")

    def bought(self, line: str) -> bool:
        """Buy the probe that a line asks for; False where it asks for none."""
        found = _BUY.match(line)
        if found is None:
            return False
        name = found.group(1).strip("` ").casefold()
        if not name:
            self._say(probes_text(self._body, self._asked.bought))
            self._say(self._spent())
            return True
        probe = self._body.probe(name)
        if probe is None:
            known = ", ".join(each.id for each in self._body.probes)
            self._say(f"There is no probe `{name}`; they are {known}.")
            return True
        self._buy(probe)
        return True

    def _buy(self, probe: Measurement) -> None:
        known = self._asked.finding(probe.id)
        if known is None:
            self._say(f"{probe.label}…")
            if not self._look(probe.id):
                return
            known = self._asked.finding(probe.id)
        assert known is not None
        self._tell(known)
        self._say(self._spent())

    def mend(self) -> None:
        """Mend it beside its symptom, then judge what was locked."""
        if self._asked.finding(MEND) is None:
            self._look(MEND)
        before, after = self._asked.finding(SYMPTOM), self._asked.finding(MEND)
        if before is not None:
            self._say("\nBroken:")
            self._say(wrapped(before.sentence, "  "))
        if after is not None:
            self._say("Mended:")
            self._tell(after)
        self.session.settle({}, after.run_id if after is not None else "")

    def _look(self, look: str) -> bool:
        """Look and keep what was seen; says why where nothing was."""
        again = self._failed == look or look in (SYMPTOM, MEND)
        try:
            finding = look_in(
                self.drill, self._run, self._asked.question, look, self._doing, else_recorded=again
            )
        except NoFindingError as error:
            self._failed = look
            costs = "" if look in (SYMPTOM, MEND) else " It costs nothing."
            self._say(wrapped(f"Nothing was measured: {error}.{costs}"))
            return False
        self._failed = ""
        self.session.keep_finding(finding)
        return True

    def _doing(self, text: str) -> None:
        self._say(f"  … {text}")

    def _tell(self, finding: Finding) -> None:
        self._say(wrapped(finding.sentence))
        for line in finding.lines:
            self._say(f"  {line}")
        for shown in finding.pictures:
            path = picture_file(self.drill, shown)
            if path is not None:
                self._say(f"  picture: {path}" + f" ({shown.caption})" * bool(shown.caption))
        note = f" ({finding.note})" if finding.note else ""
        self._say(f"  [{finding.stamp}{note}]")

    def _spent(self) -> str:
        return f"Spent {self._asked.price} min; par is {self._body.par}."

"""Owner's side of judging a `code` answer: one child an answer, killed when its time is up."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from drill.worker.json_child import Inbox, JsonChild, Message
from drill.worker.launcher import module_command

MODULE = "drill.worker.property_child"
START_SECONDS = 120.0
"""For importing torch on a machine that is busy; the answer's own time starts after it."""


class CodeFailure(TypedDict):
    """A property that an answer does not keep."""

    property: str
    message: str
    state: str


class CodeResult(TypedDict):
    """What `drill.domain.grading` needs to grade a `code` answer."""

    passed: int
    total: int
    failures: list[CodeFailure]
    stdout: str
    error: str
    """Why the run came to no regular end: a syntax error, no time left, a crash; else empty."""


class JudgeUnavailableError(Exception):
    """The answer could not be judged for a reason that is not the learner's; costs nothing."""


class CodeJudge:
    """A child that has loaded a `proofs.py` and waits for one answer.

    Make it when the question is shown: the child imports torch while the learner types. `judge`
    may be called once; `close` ends a child that was never asked.
    """

    def __init__(self, proofs_file: Path | str, child_command: Sequence[str] = ()) -> None:
        self._inbox: Inbox = queue.SimpleQueue()
        command = list(child_command) or module_command(sys.executable, MODULE)
        self._child = JsonChild(command, self._inbox)
        self._child.send({"proofs": str(proofs_file)})

    def judge(
        self,
        source: str,
        function: str,
        properties: str,
        seconds: float = 20.0,
        memory_mb: int = 4096,
    ) -> CodeResult:
        """Run `source` and the property function `properties` on its namespace.

        `seconds` is wall-clock time from the start of the learner's code, `memory_mb` what it may
        use beyond the loaded libraries. Blocks; call it in a thread from an event loop.

        Raises:
            JudgeUnavailableError: the child does not start, or the pack's proofs.py is broken.
        """
        try:
            self._await("ready", time.monotonic() + START_SECONDS)
            self._child.send(
                {
                    "source": source,
                    "function": function,
                    "properties": properties,
                    "seconds": seconds,
                    "memory_mb": memory_mb,
                }
            )
            return self._result(seconds)
        finally:
            self.close()

    def close(self) -> None:
        """End the child."""
        self._child.kill()

    def _await(self, event: str, deadline: float) -> None:
        while True:
            try:
                _, message = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise JudgeUnavailableError(
                    f"the process that judges code did not start in {START_SECONDS:.0f} s"
                ) from None
            if message is None:
                raise JudgeUnavailableError(
                    "the process that judges code did not start: " + self._child.how_it_ended()
                )
            if message.get("event") == "broken":
                raise JudgeUnavailableError(str(message.get("error")))
            if message.get("event") == event:
                return

    def _result(self, seconds: float) -> CodeResult:
        deadline = time.monotonic() + seconds
        last: Message = {"name": "running the code", "passed": 0, "total": 0}
        while True:
            try:
                _, message = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return _cut_short(last, f"no end after {seconds:g} s: is there an endless loop?")
            if message is None:
                return _cut_short(last, self._end())
            if message.get("event") == "broken":
                raise JudgeUnavailableError(str(message.get("error")))
            if message.get("event") == "property":
                last = message
            if message.get("event") == "done":
                return CodeResult(
                    passed=message["passed"],
                    total=message["total"],
                    failures=message["failures"],
                    stdout=message["stdout"],
                    error=message["error"],
                )

    def _end(self) -> str:
        words, _, said = self._child.how_it_ended().partition("\n")
        if "bad_alloc" in said or "MemoryError" in said:
            return f"out of memory: {words}"
        return words


def _cut_short(last: Message, why: str) -> CodeResult:
    passed = int(last["passed"])
    return CodeResult(
        passed=passed,
        total=max(int(last["total"]), passed + 1),
        failures=[CodeFailure(property=str(last["name"]), message=why, state="")],
        stdout="",
        error=why,
    )


def judge_code(
    source: str,
    function: str,
    proofs_file: Path | str,
    properties: str,
    seconds: float = 20.0,
    memory_mb: int = 4096,
    child_command: Sequence[str] = (),
) -> CodeResult:
    """Judge one answer in a fresh child; see `CodeJudge.judge`."""
    return CodeJudge(proofs_file, child_command).judge(
        source, function, properties, seconds, memory_mb
    )

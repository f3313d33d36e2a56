"""Two calls of a pipeline in two threads that take their scheduler steps in turn."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Turns:
    """Lets threads pass one at a time, in a fixed order, from when all of them have arrived.

    A thread that is done leaves the round. Waiting ends with TimeoutError after `patience` seconds,
    so that a thread that hangs fails a test instead of stopping it.
    """

    def __init__(self, names: list[str], patience: float = 120.0) -> None:
        self._waiting_for = set(names)
        self._round = list(names)
        self._turn = names[0]
        self._changed = threading.Condition()
        self._patience = patience

    def arrive(self, name: str) -> None:
        """Be ready; come back when everybody is."""
        with self._changed:
            self._waiting_for.discard(name)
            self._changed.notify_all()
            self._wait(lambda: not self._waiting_for)

    def wait_for(self, name: str) -> None:
        """Come back when `name` has arrived or left."""
        with self._changed:
            self._wait(lambda: name not in self._waiting_for)

    def take(self, name: str) -> None:
        """Come back when it is `name`'s turn."""
        with self._changed:
            self._wait(lambda: self._turn == name)

    def give(self, name: str) -> None:
        """Pass the turn on."""
        with self._changed:
            if name in self._round:
                following = self._round[(self._round.index(name) + 1) % len(self._round)]
                self._turn = following
            self._changed.notify_all()

    def leave(self, name: str) -> None:
        """Take no more turns."""
        with self._changed:
            self._waiting_for.discard(name)
            if name in self._round:
                index = self._round.index(name)
                self._round.remove(name)
                if self._turn == name and self._round:
                    self._turn = self._round[index % len(self._round)]
            self._changed.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        if not self._changed.wait_for(ready, self._patience):
            raise TimeoutError("the other thread neither took its turn nor left")


@dataclass
class Call:
    """One request: what it gives the pipeline, and what came of it."""

    name: str
    pipe: Any
    arguments: dict[str, Any]
    latents: Any = None
    error: str = ""
    """Type of the exception, if one was raised."""
    message: str = ""
    steps: int = 0
    """Scheduler steps that returned."""
    positions: list[int | None] = field(default_factory=list)
    """The scheduler's own counter as each step left it; None where it keeps none."""

    def run(self) -> None:
        """Call the pipeline for latents; an exception is kept, not raised."""
        import torch

        try:
            with torch.inference_mode():
                made = self.pipe(**self.arguments, output_type="latent")
            self.latents = made.images.float().cpu()
        except Exception as error:  # noqa: BLE001  (whatever it raises is the result)
            self.error, self.message = type(error).__name__, str(error).splitlines()[0][:200]


class Watched:
    """Puts a scheduler's `step` under `turns`, and notes its counter.

    A call arrives with its first step, when it has read its timesteps and the others have still to
    set theirs. Use as a context manager. Threads are known by their name, which is their call's.
    """

    def __init__(self, scheduler: Any, calls: dict[str, Call], turns: Turns | None) -> None:
        self.scheduler, self.calls, self.turns = scheduler, calls, turns

    def __enter__(self) -> Watched:
        scheduler, turns = self.scheduler, self.turns
        step = scheduler.step

        @functools.wraps(step)
        def stepped(*args: Any, **kwargs: Any) -> Any:
            call = self.calls[threading.current_thread().name]
            if turns is not None:
                if not call.steps:
                    turns.arrive(call.name)
                turns.take(call.name)
            try:
                result = step(*args, **kwargs)
                call.steps += 1
                call.positions.append(counter_of(scheduler))
                return result
            finally:
                if turns is not None:
                    turns.give(call.name)

        scheduler.step = stepped
        return self

    def __exit__(self, *error: object) -> None:
        del self.scheduler.step  # the class's own comes back


def counter_of(scheduler: Any) -> int | None:
    """The position that a scheduler keeps for itself: `step_index`, or PNDM's `counter`."""
    position = getattr(scheduler, "step_index", getattr(scheduler, "counter", None))
    return None if position is None else int(position)


def together(calls: list[Call], *, in_turns: bool = True) -> None:
    """Run calls in a thread each; their schedulers' steps alternate, or fall as they may.

    In turns the calls start one after another: the second when the first is at its first step.
    """
    by_name = {call.name: call for call in calls}
    turns = Turns([call.name for call in calls]) if in_turns else None
    schedulers = {id(call.pipe.scheduler): call.pipe.scheduler for call in calls}
    watches = [Watched(each, by_name, turns) for each in schedulers.values()]
    threads = []
    for watch in watches:
        watch.__enter__()
    try:
        for call in calls:
            thread = threading.Thread(target=_run, args=(call, turns), name=call.name, daemon=True)
            thread.start()
            threads.append(thread)
            if turns is not None:
                turns.wait_for(call.name)
        for thread in threads:
            thread.join()
    finally:
        for watch in watches:
            watch.__exit__()


def _run(call: Call, turns: Turns | None) -> None:
    try:
        call.run()
    finally:
        if turns is not None:
            turns.leave(call.name)

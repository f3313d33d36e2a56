"""A process that is made to be killed: it records answers and says so after each commit.

Run by `test_kill.py`: one line on stdin starts one writer, which is forked, so that the imports
are paid once. The writer prints `ack UUID` when `record` has returned. A `race` writer pauses
after each answer, so that another gets its turn; a `create` writer only opens a file that does
not exist yet.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from drill.domain.memory import fsrs_memory
from drill.store import Review, Store

ITEMS = 7


def write(path: Path, answers: int, pause: float) -> None:
    store = Store.open(path)
    session = store.sessions.start("session", {"at": 0}, store.today(), 1)
    for n in range(answers):
        grade = 1 + n % 4
        done = store.record(
            Review(
                item_id=f"drill:{n % ITEMS}",
                type="choice",
                content_hash="h",
                seed=n,
                answer="x" * (n * 37 % 4000),
                auto_score=1.0,
                auto_grade=grade,
                grade=grade,
                session_id=session.id,
            ),
            position=n + 1,
            plan={"at": n + 1},
        )
        say(f"ack {done.uuid} {session.id} {n + 1}")
        if n % 5 == 4:
            undone = store.undo()
            assert undone is not None
            say(f"undo {undone.uuid} {undone.target}")
        if pause:
            time.sleep(pause)
    store.close()


def say(text: str) -> None:
    os.write(1, (text + "\n").encode())


def main() -> None:
    fsrs_memory.warm()
    fsrs_memory.scheduler_version()
    import drill.store.migrations  # noqa: F401

    say("ready")
    for line in sys.stdin:
        what, answers, path = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            if what == "create":
                say("begun")
                Store.open(Path(path)).close()
                say("finished")
                time.sleep(60)  # the pid stays taken until the kill
            else:
                write(Path(path), int(answers), 0.004 if what == "race" else 0.0)
            say("finished")
            os._exit(0)
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("reaped")


if __name__ == "__main__":
    main()

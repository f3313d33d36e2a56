"""The child that judges one `code` answer: `python -m drill.worker.property_child`.

It is asked twice. First for the pack's `proofs.py`, which takes seconds when it imports torch and
can be done while the learner still types; then for the answer. After its `done` it ends: what a
learner's code did to this process must not reach the next answer.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drill.worker.json_pipe import JsonPipe
    from drill.worker.property_run import Judged

CODE_NAME = "<your code>"
"""What stands for the file in tracebacks of the learner's code."""


def main() -> None:
    """Load, judge once, end."""
    from drill.worker.json_pipe import JsonPipe

    pipe = JsonPipe()
    pipe.send("hello", pid=os.getpid())
    load = pipe.receive()
    if load is None:
        return
    try:
        module = _load(load["proofs"])
    except BaseException as error:  # noqa: BLE001 - whatever a pack's file raises is to be told
        from drill.worker.run_code import error_text

        pipe.send("broken", error=f"{load['proofs']}: {error_text(error)}")
        return
    pipe.send("ready")
    job = pipe.receive()
    if job is None:
        return
    properties = getattr(module, job["properties"], None)
    if not callable(properties):
        pipe.send("broken", error=f"{load['proofs']} defines no function `{job['properties']}`")
        return
    pipe.send("done", **judge(pipe, job, properties))
    os._exit(0)  # threads that the answer left behind are not waited for


def _load(path: str) -> Any:
    from pathlib import Path

    from drill.lab.loading import load_module

    module = load_module(Path(path))
    one_thread()
    return module


def one_thread() -> None:
    """Keep torch, where it is loaded, to one thread and its generators at seed 0."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):
        torch.set_num_threads(1)
        torch.manual_seed(0)


def judge(pipe: JsonPipe, job: dict[str, Any], properties: Any) -> dict[str, Any]:
    """Run the answer and the properties under the limits of the job."""
    from drill.worker import limits
    from drill.worker.failures import out_of_memory
    from drill.worker.property_run import Failure, Judged, failure, readable, run_properties
    from drill.worker.run_code import BoundedText, error_line, error_text, execute

    out = BoundedText()
    judged = Judged()
    error = ""
    doing = "running the code"

    def before_each(name: str, so_far: Judged) -> None:
        nonlocal doing, judged
        doing, judged = name, so_far
        pipe.send("property", name=name, passed=so_far.passed, total=so_far.total)

    def stopped(message: str, cause: BaseException) -> None:
        nonlocal error
        error = message
        judged.failures.append(Failure(doing, message, error_line(cause, CODE_NAME)))

    limits.limit_processor(float(job["seconds"]))
    limits.limit_memory(int(job["memory_mb"]))
    limits.refuse_processes()
    try:
        with contextlib.redirect_stdout(out):
            namespace = execute(job["source"], CODE_NAME, out)
            if callable(namespace.get(job["function"])):
                judged = run_properties(properties, namespace, CODE_NAME, before_each)
            else:
                error = f"the code does not define the function `{job['function']}`"
                judged.failures.append(Failure(readable(job["function"]), error))
    except SyntaxError as cause:
        doing = "reading the code"
        stopped(f"{error_text(cause)}", cause)
    except MemoryError as cause:
        limits.lift_memory_limit()
        stopped(f"the code needs more than the {job['memory_mb']} MB that it may use", cause)
    except SystemExit as cause:
        stopped("the code ends the program (sys.exit or exit)", cause)
    except BaseException as cause:  # noqa: BLE001 - any exception at import time is the verdict
        error = error_text(cause)
        judged.failures.append(failure(doing, cause, CODE_NAME))
    limits.lift_memory_limit()
    first = judged.first_error
    if first is not None and out_of_memory(first):  # torch raises RuntimeError
        error = f"the code needs more than the {job['memory_mb']} MB that it may use"
    total = max(judged.total, judged.passed + bool(judged.failures))
    return {
        "passed": judged.passed,
        "total": total,
        "failures": [each.as_dict() for each in judged.failures],
        "stdout": out.text(),
        "error": error,
    }


if __name__ == "__main__":
    main()

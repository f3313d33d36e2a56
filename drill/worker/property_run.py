"""Run the property tests of a pack on a namespace; used by the proof child and the property child.

`properties(namespace)` raises AssertionError on the first property that fails, or returns (or
yields) pairs (name, callable), each then run for itself; a callable takes the namespace or nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from drill.worker.run_code import error_line, error_text


@dataclass(frozen=True, slots=True)
class Failure:
    """A property that does not hold."""

    property: str
    message: str
    state: str = ""
    """The values at that point, as the property tells them, or the learner's line."""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(slots=True)
class Judged:
    """What became of the properties; the first failure is the one to show."""

    passed: int = 0
    total: int = 0
    failures: list[Failure] = field(default_factory=list)
    first_error: BaseException | None = None


def readable(name: str) -> str:
    """`keeps_the_variance` as a person reads it."""
    return name.replace("_", " ").strip()


def run_properties(
    properties: Callable[[dict[str, Any]], Any],
    namespace: dict[str, Any],
    code_name: str,
    before_each: Callable[[str, Judged], None] = lambda name, judged: None,
) -> Judged:
    """Run all properties; exceptions of the code under test count as failures.

    `before_each` is called with the name of what runs next and the count so far. MemoryError,
    SystemExit and KeyboardInterrupt pass through: they say something about the whole run.
    """
    judged = Judged()
    whole = readable(properties.__name__)
    before_each(whole, judged)
    pairs: list[tuple[str, Callable[..., Any]]] = []
    try:
        returned = properties(namespace)
        if isinstance(returned, Iterable):
            pairs = list(returned)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - any exception is the verdict
        _note(judged, whole, error, code_name)
        judged.total = 1
        return judged
    if not pairs:
        judged.passed = judged.total = 1
        return judged
    judged.total = len(pairs)
    for name, check in pairs:
        before_each(readable(name), judged)
        try:
            check(namespace) if inspect.signature(check).parameters else check()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - any exception is the verdict
            _note(judged, readable(name), error, code_name)
        else:
            judged.passed += 1
    return judged


def _note(judged: Judged, name: str, error: BaseException, code_name: str) -> None:
    judged.first_error = judged.first_error or error
    judged.failures.append(failure(name, error, code_name))


def failure(name: str, error: BaseException, code_name: str) -> Failure:
    """A failure in words: the first line of an assertion's text, then the state it tells."""
    where = error_line(error, code_name)
    if isinstance(error, AssertionError):
        message, _, state = str(error).strip().partition("\n")
        if not message:
            message = f"this does not hold: {_last_line(error)}"
        return Failure(name, message[:600], state.strip()[:2000] or where)
    return Failure(name, error_text(error), where or f"in the test: {_last_line(error)}")


def _last_line(error: BaseException) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return f"`{(frames[-1].line or '').strip()}`" if frames else ""

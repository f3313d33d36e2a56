"""Lines with a call once in a while: on pipes, at their end, and without a descriptor."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import pytest

from drill.cli.line_input import LineInput

Pipe = tuple[LineInput, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """What is read, and the descriptor to write to."""
    ours, theirs = os.pipe()
    with os.fdopen(ours, encoding="utf-8") as stream:
        yield LineInput(stream, 0.05), theirs
    os.close(theirs)


def never(partial: str) -> None:
    raise AssertionError(f"waited with {partial!r}")


def test_lines_that_are_there_are_given_at_once(pipe: Pipe) -> None:
    lines, end = pipe
    os.write(end, "one\r\ntwø\nhal".encode())
    assert [lines.line(lambda p: None), lines.line(never)] == ["one", "twø"]
    assert lines.unfinished() == "hal" and lines.unfinished() == ""


def test_while_it_waits_it_calls_with_what_has_come(pipe: Pipe) -> None:
    lines, end = pipe
    seen: list[str] = []

    def waiting(partial: str) -> None:
        seen.append(partial)
        if len(seen) == 2:
            os.write(end, b"hal" + "ø".encode()[:1])
        if len(seen) == 4:
            os.write(end, "ø".encode()[1:] + b"f\n")

    assert lines.line(waiting) == "haløf"
    assert seen[0] == "" and seen[3] == "hal"


def test_it_calls_also_while_input_keeps_coming_and_may_be_interrupted(pipe: Pipe) -> None:
    lines, end = pipe
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            os.write(end, b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    start = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            lines.line(_interrupt)
        assert time.monotonic() - start < 5
    finally:
        over.set()
        thread.join()


def _interrupt(partial: str) -> None:
    if len(partial) > 3:
        raise TimeoutError


def test_the_last_line_needs_no_end() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"one\nlast")
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as stream:
        lines = LineInput(stream, 1.0)
        assert not lines.is_terminal
        assert [lines.line(never), lines.line(never)] == ["one", "last"]
        with pytest.raises(EOFError):
            lines.line(never)


def test_a_stream_without_a_descriptor_is_read_line_by_line() -> None:
    stream: TextIO = io.StringIO("one\n\ntwo")
    lines = LineInput(stream, 1.0)
    calls: list[str] = []
    assert [lines.line(calls.append) for _ in range(3)] == ["one", "", "two"]
    assert calls == ["", "", ""]
    with pytest.raises(EOFError):
        lines.line(calls.append)

"""Events and requests survive the line; what is foreign is ignored, what is broken is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.worker import protocol as p

EVENTS: list[p.Event] = [
    p.Hello({"torch": "2.13.0"}, ["cpu", "cuda"], "abc", 12, 3),
    p.Ready(["cpu"], 2.5, ""),
    p.Warmed("cfg-sweep", 2.5, ""),
    p.Pong(),
    p.Progress(1, 8, "denoising – ε", 2.5, "run-1"),
    p.Metric("adherence", 0.25, 7.5, "run-1"),
    p.Image("grid", bytes(range(256)), "a [red] star", "run-1"),
    p.Plot("curve", {"a": [[0.0, 1.0], [1.0, 0.5]]}, "scale", "share", "run-1"),
    p.Log("line\nbreak \u2028 and all", "run-1"),
    p.Done(
        {"x": 1.0}, [{"name": "c", "holds": None}], {"best": 5}, "It happened.",
        {"answer": "yes", "reason": "r"}, "cpu", {"torch": "2"}, 3, 1.5, "cfg-sweep",
        {"scales": [1.0]}, "", ["/tmp/a.png"], "run-1",
    ),
    p.Error("oom", "out of memory", "/tmp/log", "run-1"),
]  # fmt: skip
REQUESTS: list[p.Request] = [
    p.Run("run-1", "cfg-sweep", "labs/x/experiment.py", "", {"seeds": 3}, "cpu", "", 4, 60.0),
    p.Warm("cfg-sweep", "labs/x/experiment.py"),
    p.Cancel("run-1"),
    p.Ping(),
    p.Exit(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.kind)
def test_events_survive_the_line(event: p.Event) -> None:
    line = p.encode(event)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert p.decode_event(line) == event
    assert p.decode_request(line) is None


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: r.kind)
def test_requests_survive_the_line(request_: p.Request) -> None:
    assert p.decode_request(p.encode(request_)) == request_
    assert p.decode_event(p.encode(request_)) is None


def test_every_kind_is_tested() -> None:
    assert {type(each) for each in EVENTS} == set(p.EVENTS)
    assert {type(each) for each in REQUESTS} == set(p.REQUESTS)


@given(st.binary(max_size=200), st.text(max_size=50))
def test_any_bytes_and_text_pass(png: bytes, caption: str) -> None:
    image = p.Image("x", png, caption.encode("utf-8", "ignore").decode())
    assert p.decode_event(p.encode(image)) == image


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"Welcome to gpubox\n", b"{", b"[1]", b"3", b"null", b"\xff\xfe\x00",
        b'{"event":"from-the-future","x":1}', b'{"event":3}', b'{"other":"hello"}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_ignored(line: bytes) -> None:
    assert p.decode_event(line) is None


def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    line = b'{"event":"progress","done":1,"total":2,"colour":"red"}'
    assert p.decode_event(line) == p.Progress(1, 2)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"event":"progress","done":1}', "without 'total'"),
        (b'{"event":"progress","done":"1","total":2}', "progress.done is str"),
        (b'{"event":"progress","done":true,"total":2}', "progress.done is bool"),
        (b'{"event":"image","name":"x","png":"%%%"}', "no base64"),
        (b'{"event":"plot","name":"x","series":[]}', "plot.series is list"),
        (b'{"event":"hello","versions":{},"devices":"cpu","pack_hash":""}', "hello.devices is str"),
    ],
)
def test_a_broken_event_is_told(line: bytes, says: str) -> None:
    with pytest.raises(p.ProtocolError, match=says):
        p.decode_event(line)


def test_an_unknown_kind_of_error_is_a_crash() -> None:
    event = p.decode_event(b'{"event":"error","error":"meteor","message":"m"}')
    assert event == p.Error("crash", "m")


def test_no_line_holds_nan() -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    event = p.Metric("x", float("nan"))
    assert json.loads(p.encode(event), parse_constant=refuse)["value"] is None
    done = p.Done({"a": [float("inf"), {"b": 2.0}]}, [], {}, "s", {}, "cpu", {}, 0, 1.0)
    assert json.loads(p.encode(done), parse_constant=refuse)["metrics"] == {"a": [None, {"b": 2.0}]}

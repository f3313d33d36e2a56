"""Serving lab: queues, turns, knees, the claims on good and on wrong numbers."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from drill.lab import Result
from drill.lab.loading import load_experiment, load_module
from drill.lab.params import ParamError
from drill.worker.protocol import Event, Image, Plot
from tests.labs.runs import changed, holding, result_of, run_here

pytestmark = [
    pytest.mark.labs,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "serving"


def module(name: str) -> Any:
    return load_module(LAB / f"{name}.py")


def run(
    file: str, name: str, models: Path, model: str = "", **params: Any
) -> tuple[Result, list[Event], dict[str, bool | None]]:
    experiment = load_experiment(LAB / file, name)
    result, events = run_here(experiment, models, model, **params)
    return result, events, holding(experiment.claims, result)


def holds(file: str, name: str, metrics: Any) -> dict[str, bool | None]:
    """Every claim of an experiment on made-up metrics."""
    return holding(load_experiment(LAB / file, name).claims, result_of(metrics))


# The service


def test_a_percentile_is_a_value_that_was_measured() -> None:
    percentile = module("service").percentile
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, p) for p in (0, 20, 21, 50, 80, 81, 99, 100)] == [
        1, 1, 2, 3, 4, 5, 5, 5,
    ]  # fmt: skip
    assert percentile([7.0], 50) == 7


def test_the_wait_of_a_queue_follows_the_formula() -> None:
    service = module("service")
    assert service.mean_wait([10, 1, 1, 10], [2, 2, 2, 2]) == pytest.approx((0 + 0 + 1 + 2) / 4)
    dice = random.Random(1)
    equal = [1.0] * 100_000
    mixed = [dice.expovariate(1.0) for _ in equal]
    for load in (0.5, 0.8):
        gaps = [dice.expovariate(load) for _ in equal]
        assert service.mean_wait(gaps, equal) == pytest.approx(load / (1 - load) / 2, rel=0.1)
        wanted = service.pollaczek_khinchine(load, mixed)
        assert wanted == pytest.approx(load / (1 - load), rel=0.03)
        assert service.mean_wait(gaps, mixed) == pytest.approx(wanted, rel=0.1)


def test_slots_and_lines_keep_their_bounds() -> None:
    service = module("service")
    slots = service.Slots(2)
    assert [slots.take() for _ in range(3)] == [True, True, False]
    slots.give_back()
    assert slots.take() and slots.most == 2
    line = service.Line(2)
    assert [line.offer((None, n, 0.0)) for n in range(3)] == [True, True, False]
    assert line.longest == 2 and len(line) == 2


def cooked(stages: dict[str, Any], requests: int, **limits: int) -> tuple[Any, list[Any]]:
    """A service that was given so many requests at once, when all of them have ended."""
    service = module("service")
    shop = service.Service(stages, **{"bound": 100, "slots": 100, **limits})
    made = [service.Request(n, due=shop.clock()) for n in range(requests)]
    with shop:
        for request in made:
            shop.submit(request, request.number)
    return shop, made


def test_payloads_go_through_the_stages_in_order() -> None:
    seen = []
    stages = {
        "double": lambda request, x: 2 * x,
        "add": lambda request, x: x + 1,
        "keep": lambda request, x: seen.append(x),
    }
    shop, made = cooked(stages, 20)
    assert seen == [2 * n + 1 for n in range(20)]
    assert {request.state for request in made} == {"done"}
    assert all(set(request.waited) == set(request.worked) == set(stages) for request in made)
    assert all(request.total_wait >= 0 for request in made)
    assert shop.slots.used == 0 and not any(thread.is_alive() for thread in shop.threads)


def test_what_does_not_fit_is_rejected_and_holds_nothing() -> None:
    gate = threading.Event()
    service = module("service")
    for limits, inside in (({"bound": 3}, 4), ({"slots": 2}, 2)):
        gate.clear()
        shop = service.Service(
            {"wait": lambda request, x: gate.wait(30)}, **{"bound": 100, "slots": 100, **limits}
        )
        made = [service.Request(n) for n in range(10)]
        with shop:
            shop.submit(made[0], None)
            while len(shop.lines["wait"]):  # until the first one is being served
                time.sleep(0.001)
            for request in made[1:]:
                shop.submit(request, None)
            gate.set()
        states = [request.state for request in made]
        assert states.count("done") == inside
        assert states.count("rejected") == 10 - inside
        assert shop.slots.used == 0


def test_a_cancelled_request_ends_before_its_next_step_and_gives_its_slot_back() -> None:
    started, cancelled = threading.Event(), threading.Event()

    def steps(request: Any, x: Any) -> Any:
        for _ in range(5):
            request.check()
            if request.number == 0 and request.steps == 2:
                started.set()
                assert cancelled.wait(30)
            request.steps += 1
        return x

    decoded = []
    service = module("service")
    shop = service.Service(
        {"steps": steps, "decode": lambda r, x: decoded.append(x)}, bound=4, slots=4
    )
    requests = [service.Request(n) for n in range(3)]
    with shop:
        for request in requests:
            shop.submit(request, request.number)
        assert started.wait(30)
        requests[0].cancel()
        requests[2].cancel()  # still in the queue
        cancelled.set()
    assert [request.state for request in requests] == ["cancelled", "done", "cancelled"]
    assert (requests[0].steps, requests[0].steps_at_cancel) == (3, 2)
    assert requests[2].steps == 0
    assert decoded == [1] and shop.slots.used == 0


def test_a_stage_that_fails_fails_its_request_only() -> None:
    def fragile(request: Any, x: int) -> int:
        if x == 1:
            raise ValueError("too hot")
        return x

    shop, made = cooked({"a": fragile, "b": lambda request, x: x}, 3)
    assert [request.state for request in made] == ["done", "failed", "done"]
    assert made[1].error == "ValueError: too hot"
    assert shop.slots.used == 0


# stage-queues


@pytest.mark.slow
def test_a_small_service_under_load(tiny_models: Path) -> None:
    result, events, held = run("stage_queues.py", "stage-queues", tiny_models, requests=20, steps=3)
    for name in ("ends-once", "stays-bounded", "cancels-between-steps", "nothing-left"):
        assert held[name] in (True, None), name
    assert held["ends-once"] is held["stays-bounded"] is held["nothing-left"] is True
    assert result.outcomes["leaked"] == 0
    assert {event.name for event in events if isinstance(event, Plot)} == {"waiting", "live"}


def level(load: float, wait: float, rejected: int, **more: Any) -> dict[str, Any]:
    return {
        "asked": load,
        "load": load,
        "arrived": 40,
        "states": {"done": 35 - rejected, "rejected": rejected, "cancelled": 5, "failed": 0},
        "waited_median": wait,
        "worked_median": 1.0,
        "latency": {"p50": 1 + wait, "p95": 2 + wait, "p99": 3 + wait},
        "longest": {"encode": 2, "denoise": 4, "decode": 1},
        "most_in_flight": 9,
        "steps_after_cancel": [0, 1, 0],
        "decoded_after_cancel": 0,
        "left": {"slots": 0, "queued": 0, "threads": 0, "latents": 0},
        "errors": [],
        **more,
    }


QUEUES: dict[str, Any] = {
    "levels": [level(0.55, 0.1, 0), level(2.0, 4.0, 10)],
    "alone_seconds": 1.0,
    "bound": 4,
    "slots": 10,
    "requests": 40,
    "simulated": [
        {"load": load, "wait": load / (1 - load), "formula": load / (1 - load)}
        for load in (0.5, 0.7, 0.8, 0.9, 0.95)
    ],
}


def test_the_claims_of_queues_hold_on_measured_numbers() -> None:
    assert set(holds("stage_queues.py", "stage-queues", QUEUES).values()) == {True}
    outcomes = module("queue_claims").outcomes(QUEUES)
    assert outcomes == {
        "grows_most": "waiting",
        "overload_refused": True,
        "leaked": 0,
        "steps_after_cancel": 1,
        "wait_90_over_50": 9.0,
    }


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("ends-once", ("levels", 0, "states", "done"), 34),
        ("ends-once", ("levels", 1, "states", "failed"), 1),
        ("stays-bounded", ("levels", 1, "longest", "denoise"), 5),
        ("stays-bounded", ("levels", 1, "most_in_flight"), 11),
        ("overload-is-refused", ("levels", 1, "states", "rejected"), 0),
        ("waiting-grows", ("levels", 1, "waited_median"), 0.3),
        ("waiting-grows", ("levels", 1, "worked_median"), 6.0),
        ("cancels-between-steps", ("levels", 0, "steps_after_cancel"), [3]),
        ("cancels-between-steps", ("levels", 0, "decoded_after_cancel"), 1),
        ("nothing-left", ("levels", 1, "left", "slots"), 1),
        ("nothing-left", ("levels", 1, "left", "latents"), 2),
        ("hockey-stick", ("simulated", 3, "wait"), 2.0),
        ("hockey-stick", ("simulated", 1, "formula"), 9.0),
    ],
)
def test_a_claim_about_queues_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    assert holds("stage_queues.py", "stage-queues", changed(QUEUES, path, value))[claim] is False


def test_loads_that_did_not_come_about_say_nothing() -> None:
    mild = changed(QUEUES, ("levels",), [level(0.9, 0.5, 0), level(1.1, 1.0, 0)])
    held = holds("stage_queues.py", "stage-queues", mild)
    assert held["overload-is-refused"] is None and held["waiting-grows"] is None


def test_a_service_that_forgets_slots_is_found_out() -> None:
    """The leak that the lab warns of: only a request that is done gives its slot back."""
    service = module("service")

    class Leaking(service.Service):  # type: ignore[misc,name-defined]
        def _end(self, request: Any, state: str, held: bool) -> None:
            super()._end(request, state, held and state == "done")

    def refuse(request: Any, x: Any) -> Any:
        request.check()
        return x

    shop = Leaking({"a": refuse}, bound=100, slots=100)
    requests = [service.Request(n, due=shop.clock()) for n in range(8)]
    requests[3].cancel()
    with shop:
        for request in requests:
            shop.submit(request, None)
    numbers = module("queue_claims").level_numbers(service, shop, requests, 1.0, alive=0)
    assert numbers["left"]["slots"] == 1
    leaking = changed(QUEUES, ("levels", 0, "left"), numbers["left"])
    assert holds("stage_queues.py", "stage-queues", leaking)["nothing-left"] is False


# shared-scheduler-threads


def test_turns_alternate_and_end_when_one_leaves() -> None:
    lockstep = module("lockstep")
    turns = lockstep.Turns(["a", "b"], patience=30)
    order: list[str] = []

    def walk(name: str, steps: int) -> None:
        turns.arrive(name)
        for _ in range(steps):
            turns.take(name)
            order.append(name)
            turns.give(name)
        turns.leave(name)

    threads = [threading.Thread(target=walk, args=each) for each in (("a", 2), ("b", 5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "".join(order) == "ababbbb"


def test_a_thread_that_hangs_is_not_waited_for_for_ever() -> None:
    turns = module("lockstep").Turns(["a", "b"], patience=0.05)
    with pytest.raises(TimeoutError):
        turns.arrive("a")


def test_a_watched_scheduler_is_left_as_it_was() -> None:
    from diffusers import DDIMScheduler

    lockstep = module("lockstep")
    scheduler = DDIMScheduler()
    with lockstep.Watched(scheduler, {}, None):
        assert "step" in vars(scheduler)
    assert "step" not in vars(scheduler)


def test_sharing_a_scheduler_in_a_small_pipeline(tiny_models: Path) -> None:
    result, events, held = run(
        "shared_scheduler.py", "shared-scheduler-threads", tiny_models,
        schedulers=["euler", "ddim"], steps=4, free=0,
    )  # fmt: skip
    assert set(held.values()) == {True}, held
    assert result.outcomes == {
        "raise": ["euler"],
        "silent": ["ddim, other steps"],
        "third_position": None,  # both were out of sigmas after two steps each
        "whose_scale": "the other's",
    }
    assert any(isinstance(event, Image) for event in events)


def test_an_unknown_scheduler_is_refused(tiny_models: Path) -> None:
    with pytest.raises(ParamError, match="no 'lcm'"):
        run("shared_scheduler.py", "shared-scheduler-threads", tiny_models, schedulers=["lcm"])


def setup(apart: float, *raised: str, **more: Any) -> dict[str, Any]:
    return {
        "raised": list(raised), "messages": [], "apart": apart, "steps": [10, 10],
        "positions": [[], []], "free_tries_wrong": 0, **more,
    }  # fmt: skip


OWN_POSITIONS = [list(range(1, 11)), list(range(1, 11))]
SHARED: dict[str, Any] = {
    "setups": {
        "euler, shared": setup(
            0.0, "a: IndexError", "b: IndexError", steps=[5, 5],
            positions=[[1, 3, 5, 7, 9], [2, 4, 6, 8, 10]],
        ),
        "euler, own": setup(0.0, positions=OWN_POSITIONS),
        "dpm, shared": setup(0.0, "a: IndexError"),
        "dpm, own": setup(0.0),
        "pndm, shared": setup(14.0),
        "pndm, own": setup(0.0),
        "ddim, shared": setup(0.0),
        "ddim, own": setup(0.0),
        "ddim, shared, other steps": setup(2.5, steps=[10, 20]),
    },
    "schedulers": ["euler", "dpm", "pndm", "ddim"],
    "steps": 10,
    "scales": {"raised": [], "from_own": 2.8, "from_others": 0.0},
    "free_tries": 3,
    "same_modules": True,
}  # fmt: skip


def test_the_claims_of_sharing_hold_on_measured_numbers() -> None:
    held = holds("shared_scheduler.py", "shared-scheduler-threads", SHARED)
    assert set(held.values()) == {True}
    assert module("shared_claims").outcomes(SHARED) == {
        "raise": ["euler", "dpm"],
        "silent": ["pndm", "ddim, other steps"],
        "third_position": 5,
        "whose_scale": "the other's",
    }


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("own-is-right", ("setups", "dpm, own", "apart"), 0.5),
        ("own-is-right", ("setups", "dpm, own", "raised"), ["a: IndexError"]),
        ("own-is-right", ("same_modules",), False),
        ("sharing-breaks", ("setups", "pndm, shared", "apart"), 0.0),
        ("euler-runs-out", ("setups", "euler, shared", "raised"), ["a: IndexError"]),
        ("euler-runs-out", ("setups", "euler, shared", "steps"), [10, 10]),
        ("counter-is-shared", ("setups", "euler, shared", "positions"), [[1, 2, 3], [1, 2, 3]]),
        ("luck-of-ddim", ("setups", "ddim, shared", "apart"), 0.3),
        ("silent-ddim", ("setups", "ddim, shared, other steps", "apart"), 0.0),
        ("silent-ddim", ("setups", "ddim, shared, other steps", "raised"), ["a: IndexError"]),
        ("wrong-scale", ("scales", "from_own"), 0.0),
        ("wrong-scale", ("scales", "from_others"), 0.4),
    ],
)
def test_a_claim_about_sharing_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    metrics = changed(SHARED, path, value)
    assert holds("shared_scheduler.py", "shared-scheduler-threads", metrics)[claim] is False


# batch-knee


KNEE: dict[str, Any] = {
    "batches": [1, 2, 4, 8, 16, 32],
    "step_seconds": [0.020, 0.022, 0.030, 0.050, 0.090, 0.170],
    "decode_seconds": [0.010, 0.015, 0.025, 0.045, 0.085, 0.165],
    "image_seconds": [0.41, 0.455, 0.625, 1.045, 1.885, 3.565],
    "steps": 20,
    "size": 64,
    "large_on_cpu": False,
    "random": False,
}


def test_the_claims_of_the_knee_hold_on_fitting_numbers() -> None:
    assert set(holds("batch_knee.py", "batch-knee", KNEE).values()) == {True}
    knee = module("batch_knee")
    assert knee.knee(KNEE) == 16
    assert knee.gain(KNEE) == pytest.approx(32 / 3.565 * 0.41)
    assert knee.latency_growth(KNEE) == pytest.approx(3.565 / 0.41)
    assert knee.last_doubling(KNEE) == pytest.approx(3.565 / 1.885)
    assert knee.last_doubling(changed(KNEE, ("batches", 4), 12)) is None


FREE = [0.41] * 6
"""Times of a device on which batching is free."""
BARE = [0.41 * batch for batch in (1, 2, 4, 8, 16, 32)]
"""Times of a device on which batching gains nothing."""


@pytest.mark.parametrize(
    ("claim", "times"),
    [
        ("small-batches-waste", BARE),
        ("knee-before-the-end", FREE),
        ("linear-in-the-end", FREE),
        ("linear-in-the-end", [*BARE[:5], 4 * BARE[4]]),
        ("not-free", FREE),
    ],
)
def test_a_claim_about_the_knee_fails_on_wrong_times(claim: str, times: list[float]) -> None:
    metrics = changed(KNEE, ("image_seconds",), times)
    assert holds("batch_knee.py", "batch-knee", metrics)[claim] is False


def test_what_runs_out_of_memory_does_not_fit() -> None:
    fits = module("batch_knee").fits

    def too_large() -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")

    def broken() -> None:
        raise RuntimeError("shape mismatch")

    assert fits(int, int)
    assert not fits(int, too_large)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        fits(broken)


def test_batches_of_a_small_pipeline(tiny_models: Path) -> None:
    result, events, held = run(
        "batch_knee.py", "batch-knee", tiny_models, batches=[1, 2, 4], rounds=1, steps=2
    )
    assert result.metrics["batches"] == [1, 2, 4]
    assert all(seconds > 0 for seconds in result.metrics["image_seconds"])
    assert held["knee-before-the-end"] is None and held["linear-in-the-end"] is None
    assert any(isinstance(event, Plot) for event in events)
    assert result.transfers.answer == "unknown"

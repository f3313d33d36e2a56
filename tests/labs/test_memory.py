"""Memory lab: what is counted, the simulated card, the claims on good and on wrong numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drill.lab import Context, Result, timing
from drill.lab.experiment import check_claims, check_outcomes
from drill.lab.loading import load_experiment, load_module
from drill.lab.params import ParamError, resolve
from drill.worker.protocol import Event, Plot
from tests.labs.runs import changed, holding, result_of, run_here

pytestmark = [
    pytest.mark.labs,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs" / "memory"


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


# Counting


def test_a_ledger_holds_results_until_they_are_freed() -> None:
    import torch

    from drill.lab.live_bytes import Ledger

    ledger = Ledger("cpu")
    with ledger:
        a = torch.zeros(1000)  # 4,000 bytes
        b = a + 1
        assert ledger.books.live == 8000
        view = b[:10]
        b.add_(1)  # in place: nothing new
        del b
        assert ledger.books.live == 8000, "a view keeps its storage"
        del view
        assert ledger.books.live == 4000
        c = torch.zeros(500)
        del a, c
    assert (ledger.books.live, ledger.books.peak) == (0, 8000)


def test_a_ledger_leaves_out_what_was_there_before() -> None:
    import torch

    from drill.lab.live_bytes import Ledger

    weight = torch.zeros(1000, 10)
    with Ledger("cpu") as ledger:
        weight.t()
        weight.view(-1)
        torch.zeros(2, 1000) @ weight
    assert ledger.books.peak == (2 * 1000 + 2 * 10) * 4


@pytest.mark.parametrize("attention", ["fused", "explicit"])
def test_counting_on_meta_equals_counting_a_real_run(attention: str, pipe: Any) -> None:
    import torch
    from diffusers.models.attention_processor import AttnProcessor

    from drill.lab.denoiser_inputs import denoiser_inputs
    from drill.lab.live_bytes import tensor_peak

    unet = copy.deepcopy(pipe.unet)
    if attention == "explicit":
        unet.set_attn_processor(AttnProcessor())
    peaks = []
    for device in ("cpu", "meta"):
        model = copy.deepcopy(unet).to(device)
        given = denoiser_inputs(model, 8, 128, 2, device, torch.float32, tokens=12)
        with torch.inference_mode():
            peaks.append(tensor_peak(partial(model, **given), device))
    assert peaks[0] == pytest.approx(peaks[1], rel=0.02)


def test_the_allocators_peak_of_something_known() -> None:
    import torch

    allocator = module("allocator")
    assert allocator.highest([5, 5, -5, 3, -8]) == 10
    assert allocator.highest([]) == 0

    def two_then_one() -> None:
        a = torch.zeros(1_000_000)
        b = a + 1
        del a
        b + 1

    peak = allocator.peak_bytes(two_then_one, "cpu")
    assert 8_000_000 <= peak < 8_100_000
    assert allocator.reserved_bytes("cpu") is None


# The simulated card


@contextmanager
def card() -> Iterator[Any]:
    with module("card").Card() as made:
        yield made


def test_the_card_counts_what_crosses_and_computes_as_the_cpu_does() -> None:
    import torch

    x = torch.randn(10, 10)
    with card() as made, torch.no_grad():
        y = x.to(made.device)
        assert y.device == made.device and y.shape == x.shape
        assert (made.to_card, made.to_cpu, made.books.live) == (400, 0, 400)
        rows = y[:5]
        assert made.books.live == 400, "a view is no more memory"
        del rows
        z = (y @ y).softmax(-1)
        assert z.device == made.device
        back = z.cpu()
        assert (made.to_card, made.to_cpu) == (400, 400)
        assert torch.equal(back, (x @ x).softmax(-1))
        half = y.half()
        assert half.device == made.device and made.to_card == 400, "a cast crosses nothing"
        w = torch.zeros(5, device=made.device)
        w.copy_(torch.ones(5))
        assert made.to_card == 420
        del y, z, half, w
        assert made.books.live == 0
        assert made.books.peak >= 800


def test_a_tensor_on_the_wrong_device_raises_as_on_a_gpu() -> None:
    import torch

    error = module("card").CardError
    with card() as made, pytest.raises(error, match="one device"):
        torch.zeros(3, device=made.device) + torch.zeros(3)
    with card() as made:
        assert (torch.zeros(3, device=made.device) + torch.tensor(1.0)).cpu().tolist() == [1, 1, 1]


def test_a_parameter_that_moves_stays_the_same_object() -> None:
    import torch

    layer = torch.nn.Linear(4, 4).requires_grad_(False)
    weight = layer.weight
    before = weight.clone()
    with card() as made:
        layer.to(made.device)
        assert layer.weight is weight and weight.device == made.device
        assert made.books.live == 80
        layer.to("cpu")
        assert layer.weight is weight and weight.device.type == "cpu"
        assert made.books.live == 0
    assert torch.equal(weight, before)


def test_fused_attention_on_the_card_stores_no_scores() -> None:
    import torch

    q = torch.randn(1, 2, 64, 8)
    attend = torch.nn.functional.scaled_dot_product_attention
    with card() as made:
        on_card = q.to(made.device)
        made.books.reset_peak()
        out = attend(on_card, on_card, on_card)
        assert made.books.peak - made.books.live < 64 * 64 * 4
        assert torch.allclose(out.cpu(), attend(q, q, q))


def test_weights_without_memory_are_booked_at_their_size() -> None:
    import torch

    with card() as made, torch.no_grad():
        with torch.device("meta"):
            layer = torch.nn.Linear(10_000, 10_000)  # 200 MB in half precision
        module("card").without_memory(layer, torch.float16)
        assert layer.weight.device.type == "cpu"
        layer.to(made.device)
        size = (10_000 * 10_000 + 10_000) * 2
        assert made.to_card == made.books.live == size
        out = layer(torch.zeros(2, 10_000, dtype=torch.float16).to(made.device))
        assert out.shape == (2, 10_000) and out.device == made.device


def test_nothing_takes_the_card_for_an_accelerator() -> None:
    import torch
    from diffusers.utils.torch_utils import get_device

    with card():
        pass
    assert not torch.accelerator.is_available()
    assert get_device() == "cpu"


def test_twins_share_weights_and_not_hooks(pipe: Any) -> None:
    offload = module("offload_modes")
    other = offload.twin(pipe)
    assert other.unet is not pipe.unet
    mine, its = next(pipe.unet.parameters()), next(other.unet.parameters())
    assert mine.data_ptr() == its.data_ptr()
    assert other.scheduler is not pipe.scheduler
    with card() as made:
        offload.switch_on(other, "model", made.device)
    assert hasattr(other.unet, "_hf_hook") and not hasattr(pipe.unet, "_hf_hook")
    with pytest.raises(ValueError, match="no mode 'elsewhere'"):
        offload.switch_on(pipe, "elsewhere", "cpu")


def test_copies_between_real_devices_are_counted_both_ways() -> None:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    # Fake tensors have a GPU's device without a GPU.
    with FakeTensorMode(), module("offload_modes").CopyLog() as log:
        x = torch.zeros(100).to("cuda:0")
        x.half()
        x.to("cpu")
        torch.zeros(7).to(torch.float64)
    assert (log.to_card, log.to_cpu) == (400, 400)


# offload-bytes


@pytest.mark.slow
def test_offloading_a_small_pipeline(tiny_models: Path) -> None:
    result, events, held = run("offload_bytes.py", "offload-bytes", tiny_models, steps=[1, 2])
    assert set(held.values()) == {True}, held
    weights = result.metrics["weights"]
    assert list(weights) == ["text_encoder", "unet", "vae"]
    resident = result.metrics["modes"]["resident"][0]
    assert resident["to_card"] == pytest.approx(sum(weights.values()), rel=0.01)
    assert [entry["calls"] for entry in result.metrics["modes"]["model"]] == [1, 2]
    assert result.metrics["apart"] == 0
    assert result.outcomes["grow_with_steps"] == ["sequential", "group-leaf", "group-block"]
    assert result.outcomes["copy_back"] == ["model", "group-leaf", "group-block"]
    assert {event.name for event in events if isinstance(event, Plot)} == {"copied", "peak"}


def test_two_modes_of_offloading_side_by_side(tiny_models: Path) -> None:
    modes = ["model", "sequential"]
    result, _, held = run(
        "offload_bytes.py", "offload-bytes", tiny_models, modes=modes, steps=[1, 2]
    )
    assert held.pop("peaks-ordered") is None
    assert held.pop("who-copies-back") is True
    assert set(held.values()) == {True}, held
    assert result.outcomes["grow_with_steps"] == ["sequential"]


def test_offload_bytes_refuses_what_it_does_not_know(tiny_models: Path) -> None:
    with pytest.raises(ParamError, match="no mode 'disk'"):
        run("offload_bytes.py", "offload-bytes", tiny_models, modes=["disk"])
    with pytest.raises(ParamError, match="two different"):
        run("offload_bytes.py", "offload-bytes", tiny_models, steps=[3, 3])


@pytest.mark.slow
def test_the_true_sizes_are_booked_without_computing(tmp_path: Path) -> None:
    result, _, held = run(
        "offload_bytes.py", "offload-bytes", tmp_path, "sd15-random",
        modes=["model", "sequential"], steps=[1, 2],
    )  # fmt: skip
    weights = result.metrics["weights"]
    assert weights["unet"] == 2 * 859_520_964
    assert held["model-per-image"] and held["per-forward-grows"]
    assert held["same-pictures"] is None
    assert result.sentence.startswith("With random weights in the shapes of Stable Diffusion 1.5")


def entry(steps: int, to_card: float, to_cpu: float, peak: float) -> dict[str, float]:
    return {"steps": steps, "calls": steps, "to_card": to_card, "to_cpu": to_cpu, "peak": peak}


BYTES: dict[str, Any] = {
    "modes": {
        "resident": [entry(1, 29e6, 0, 30.6e6), entry(3, 29e6, 0, 30.6e6)],
        "model": [entry(1, 29e6, 29e6, 17.8e6), entry(3, 29e6, 29e6, 17.8e6)],
        "sequential": [entry(1, 26e6, 0, 1.6e6), entry(3, 60e6, 0, 1.6e6)],
        "group-leaf": [entry(1, 26e6, 26e6, 1.6e6), entry(3, 60e6, 60e6, 1.6e6)],
        "group-block": [entry(1, 26e6, 26e6, 12e6), entry(3, 60e6, 60e6, 12e6)],
    },
    "steps": [1, 3],
    "weights": {"text_encoder": 1.1e6, "unet": 17e6, "vae": 10.9e6},
    "denoiser": "unet",
    "apart": 0.0,
    "simulated": True,
    "random": False,
}


def test_the_claims_hold_on_the_numbers_that_must_come_out() -> None:
    assert set(holds("offload_bytes.py", "offload-bytes", BYTES).values()) == {True}


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("model-per-image", ("modes", "model", 1, "to_card"), 29e6 + 34e6),
        ("model-per-image", ("weights", "vae"), 100e6),
        ("per-forward-grows", ("modes", "sequential", 1, "to_card"), 26e6),
        ("per-forward-grows", ("modes", "group-leaf", 1, "to_card"), 94e6),
        ("who-copies-back", ("modes", "sequential", 1, "to_cpu"), 60e6),
        ("who-copies-back", ("modes", "model", 1, "to_cpu"), 0),
        ("peaks-ordered", ("modes", "group-block", 1, "peak"), 20e6),
        ("peaks-ordered", ("modes", "resident", 1, "peak"), 18e6),
        ("same-pictures", ("apart",), 0.2),
    ],
)
def test_a_claim_about_bytes_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    held = holds("offload_bytes.py", "offload-bytes", changed(BYTES, path, value))
    assert held[claim] is False


# offload-latency, with an accelerator whose clock is made of bytes and operations

LINK = 1e9
"""Bytes a second of the made-up link."""


def made_up_machine(latency: Any) -> Any:
    card_module = module("card")

    class Machine(latency.Machine):  # type: ignore[misc]
        """The simulated card; time passes with bytes and operations, not with the CPU."""

        def __init__(self) -> None:
            self.operations = 0
            self.device = ""
            self.card: Any = None

        @contextmanager
        def running(self) -> Iterator[None]:
            machine = self

            class Counting(card_module.Card):  # type: ignore[misc,name-defined]
                def __torch_dispatch__(self, *args: Any, **kwargs: Any) -> Any:
                    machine.operations += 1
                    return super().__torch_dispatch__(*args, **kwargs)

            with Counting() as self.card:
                self.device = str(self.card.device)
                yield

        def _clock(self) -> float:
            moved: float = self.card.to_card + self.card.to_cpu
            return self.operations * 1e-5 + moved / LINK

        def seconds(self, run: Any) -> float:
            before = self._clock()
            run()
            return self._clock() - before

        def bandwidth(self, pinned: bool) -> float:
            return LINK

        def reset_peaks(self) -> None:
            self.card.books.reset_peak()

        def peaks(self) -> tuple[int, int]:
            return self.card.books.peak, self.card.books.peak + 2**21

        def clear(self) -> None:
            pass

    return Machine()


@pytest.mark.slow
def test_latency_is_measured_on_a_made_up_accelerator(tiny_models: Path) -> None:
    experiment = load_experiment(LAB / "offload_latency.py", "offload-latency")
    latency = load_module(LAB / "offload_latency.py")
    machine = made_up_machine(latency)
    changed_experiment = type(
        "Simulated", (type(experiment),), {"machine": lambda self, context: machine}
    )()
    modes = [mode for mode in latency.MODES if mode != "group-stream"]  # no streams on the card
    context = Context(
        params=resolve(experiment.params, {"modes": modes, "steps": [1, 3], "rounds": 2}),
        pack=ROOT,
        models=tiny_models,
        emit=lambda event: None,
    )
    result = changed_experiment.run(context)
    check_outcomes(experiment, result)
    held = {e.claim.name: e.finding.holds for e in check_claims(experiment.claims, result)}
    assert held.pop("stream-hides-copies") is None
    # Hooks add operations to a step; there is hardly anything else in so small a model.
    held.pop("model-keeps-the-step")
    assert set(held.values()) == {True}, held
    assert result.outcomes["slowest"] in ("sequential", "group-leaf", "group-block")
    assert len(result.metrics["modes"]["model"]["seconds"][1]) == 2


def test_latency_is_refused_without_an_accelerator(tiny_models: Path) -> None:
    from drill.lab.models import ModelError

    with pytest.raises(ModelError, match="offload-bytes counts the same copies"):
        run("offload_latency.py", "offload-latency", tiny_models)


def timed(few: float, many: float, to_card: float, allocated: float) -> dict[str, Any]:
    seconds = [[few, few * 1.01, few * 0.99], [many, many * 1.01, many * 0.99]]
    return {
        "to_card": to_card, "to_cpu": 0, "seconds": seconds,
        "allocated": allocated, "reserved": 1.1 * allocated,
    }  # fmt: skip


# Steps of .05 s; 5.1 GB of denoiser over a link of 10 GB/s; 4 and 12 steps.
LATENCY: dict[str, Any] = {
    "modes": {
        "resident": timed(0.4, 0.8, 7e9, 9e9),
        "model": timed(1.2, 1.6, 7e9, 6e9),
        "sequential": timed(2.8, 7.6, 63e9, 1e9),
        "group-leaf": timed(2.8, 7.6, 63e9, 1e9),
        "group-block": timed(2.8, 7.6, 63e9, 2e9),
        "group-stream": timed(1.4, 3.8, 63e9, 1.2e9),
    },
    "steps": [4, 12],
    "bandwidth": {"pageable": 10e9, "pinned": 20e9},
    "weights": {"unet": 5.1e9},
    "denoiser_bytes": 5.1e9,
    "random": True,
}


def test_the_claims_of_latency_hold_on_numbers_that_fit_together() -> None:
    assert set(holds("offload_latency.py", "offload-latency", LATENCY).values()) == {True}


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("above-the-floor", ("modes", "model", "seconds"), [[0.4] * 3, [0.8] * 3]),
        ("above-the-floor", ("bandwidth", "pageable"), 1e9),
        ("model-keeps-the-step", ("modes", "model", "seconds"), [[1.2] * 3, [3.6] * 3]),
        ("per-forward-slows-steps", ("modes", "sequential", "seconds"), [[7.0] * 3, [7.6] * 3]),
        ("stream-hides-copies", ("modes", "group-stream", "seconds"), [[2.8] * 3, [9.0] * 3]),
        ("peaks-ordered", ("modes", "model", "allocated"), 10e9),
        ("reserved-is-more", ("modes", "model", "reserved"), 1e9),
    ],
)
def test_a_claim_about_latency_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    held = holds("offload_latency.py", "offload-latency", changed(LATENCY, path, value))
    assert held[claim] is False


def test_a_small_denoiser_says_nothing_of_streams() -> None:
    small = changed(LATENCY, ("denoiser_bytes",), 17e6)
    assert holds("offload_latency.py", "offload-latency", small)["stream-hides-copies"] is None


# Timing


def test_an_accelerator_is_waited_for_before_and_after() -> None:
    now = 0.0
    queued = 5.0  # work of somebody else

    def wait(device: str) -> None:
        nonlocal now, queued
        now, queued = now + queued, 0.0

    def launch() -> None:
        nonlocal queued
        queued += 2.0

    assert timing.seconds(launch, "cuda:0", clock=lambda: now, wait=wait) == 2.0


def test_variants_take_turns_and_ratios_are_those_of_pairs() -> None:
    order: list[str] = []
    clock = iter(range(1000))
    times = timing.interleaved(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")},
        "cpu",
        3,
        clock=lambda: float(next(clock)),
        wait=lambda device: None,
    )
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert times == {"a": [1, 1, 1], "b": [1, 1, 1]}
    # One slow round, in which both were hit, changes nothing.
    assert timing.ratio({"a": [2, 40, 2], "b": [1, 20, 1]}, "a", "b") == 2


def test_interleaving_can_be_stopped() -> None:
    def stop(done: int, total: int) -> None:
        assert total == 8
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        timing.interleaved({"a": int, "b": int}, "cpu", 3, on_call=stop)


# precision-and-attention


@pytest.mark.slow
def test_precision_and_attention_on_a_small_pipeline(tiny_models: Path) -> None:
    result, _, held = run(
        "precision.py", "precision-and-attention", tiny_models, rounds=1, size=128
    )
    held.pop("float8-is-coarsest")  # random weights of 16 channels: norms keep most of it
    assert held.pop("scores-are-the-peak") is None  # 256 tokens
    assert held.pop("scores-cost-time") is None
    assert set(held.values()) == {True}, held
    assert result.outcomes["bytes_ratio"] == 0.5
    assert result.outcomes["backend_switch"] == "nothing"


def test_another_attention_goes_as_it_came(pipe: Any) -> None:
    precision = module("precision")
    unet = copy.deepcopy(pipe.unet)
    usual = {name: type(each).__name__ for name, each in unet.attn_processors.items()}
    seen = {}
    for name in ("explicit", "sliced", "math", "fused"):
        with precision.attention_as(unet, name):
            seen[name] = {type(each).__name__ for each in unet.attn_processors.values()}
        assert {n: type(e).__name__ for n, e in unet.attn_processors.items()} == usual
    assert seen["explicit"] == {"AttnProcessor"}
    assert seen["sliced"] == {"SlicedAttnProcessor"}
    assert seen["fused"] == {"AttnProcessor2_0"}


def test_weights_are_stored_in_the_dtype_asked_for(pipe: Any) -> None:
    import torch

    precision = module("precision")
    half = precision.stored_as(pipe.unet, "float16")
    assert {p.dtype for p in half.parameters()} == {torch.float16}
    assert {p.dtype for p in pipe.unet.parameters()} == {torch.float32}
    eighth = precision.stored_as(pipe.unet, precision.FLOAT8)
    assert {p.dtype for p in eighth.parameters()} == {torch.float8_e4m3fn, torch.float32}
    a = torch.tensor([3.0, 4.0])
    assert precision.relative(a + torch.tensor([0.3, 0.4]), a) == pytest.approx(0.1)


def variant(error: float, time: float, peak: float) -> dict[str, float]:
    return {"error": error, "time": time, "peak": peak}


PRECISION: dict[str, Any] = {
    "dtypes": {
        "float32": {"bytes": 400, "error": 0.0, "time": 1.0},
        "float16": {"bytes": 200, "error": 5e-4, "time": 6.4},
        "bfloat16": {"bytes": 200, "error": 4.4e-3, "time": 1.1},
        "float8 stored": {"bytes": 101, "error": 2e-2, "time": 2.7},
    },
    "attention": {
        "fused": variant(1.6e-7, 1.0, 7.4e6),
        "explicit": variant(0.0, 1.7, 24.2e6),
        "sliced": variant(0.0, 1.2, 7.4e6),
        "math": variant(1.4e-7, 1.7, 27.1e6),
        "backend switch": {"accepted": True, "apart": 0.0},
    },
    "sizes": {"dtypes": 64, "attention": 192},
    "tokens": 576,
    "device": "cpu",
    "random": False,
}


def test_the_claims_of_precision_hold_on_measured_numbers() -> None:
    assert set(holds("precision.py", "precision-and-attention", PRECISION).values()) == {True}
    outcomes = module("precision_claims").outcomes(PRECISION)
    assert outcomes["coarsest"] == "float8 stored"
    assert outcomes["within_rounding"] == ["fused", "sliced", "math"]
    assert outcomes["stores_scores"] == ["explicit", "math"]


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("bytes-follow-bits", ("dtypes", "float16", "bytes"), 210),
        ("bytes-follow-bits", ("dtypes", "float8 stored", "bytes"), 100),
        ("bfloat16-is-coarser", ("dtypes", "bfloat16", "error"), 5e-4),
        ("float8-is-coarsest", ("dtypes", "float8 stored", "error"), 4e-3),
        ("attention-is-exact", ("attention", "sliced", "error"), 1e-3),
        ("rounding-is-small", ("attention", "fused", "error"), 1e-3),
        ("scores-are-the-peak", ("attention", "explicit", "peak"), 8e6),
        ("scores-are-the-peak", ("attention", "sliced", "peak"), 5e6),
        ("scores-cost-time", ("attention", "explicit", "time"), 0.9),
        ("backend-switch-is-ignored", ("attention", "backend switch", "apart"), 1e-7),
        ("backend-switch-is-ignored", ("attention", "backend switch", "accepted"), False),
    ],
)
def test_a_claim_about_precision_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    held = holds("precision.py", "precision-and-attention", changed(PRECISION, path, value))
    assert held[claim] is False


# peak-memory-by-resolution


@pytest.mark.slow
def test_peaks_of_a_small_pipeline(tiny_models: Path) -> None:
    result, events, held = run(
        "peak.py", "peak-memory-by-resolution", tiny_models, sizes=[128, 256]
    )
    held.pop("scores-grow-with-its-square")  # of 16 channels, scores are the most from 256 up
    assert set(held.values()) == {True}, held
    assert result.outcomes["owner"] == "decode"
    assert result.outcomes["tiling_shrinks"] == ["decode"]
    assert any(isinstance(event, Plot) for event in events)


@pytest.mark.slow
def test_true_sizes_are_counted_on_the_meta_device(tmp_path: Path) -> None:
    result, _, held = run(
        "peak.py", "peak-memory-by-resolution", tmp_path, "sd15-random", sizes=[512, 1024]
    )
    assert held.pop("two-ways-agree") is None
    assert set(held.values()) == {True}, held
    # The decoder's largest maps: 256 channels at full resolution in half precision, three of them.
    assert result.metrics["peaks"]["decode"][0] == pytest.approx(3 * 256 * 512 * 512 * 2, rel=0.02)
    assert "nothing was run" in result.sentence


PEAKS: dict[str, Any] = {
    "sizes": [64, 128, 256],
    "peaks": {
        "encode": [73728, 73728, 73728],
        "denoise": [1403392, 3279360, 13109760],
        "denoise, explicit attention": [1403392, 5507584, 72354304],
        "decode": [2003968, 7905280, 31510528],
        "decode, tiled": [2003968, 2176000, 3232768],
    },
    "counted": {
        "encode": [73728, 73728, 73728],
        "denoise": [821760, 3279360, 13109760],
        "denoise, explicit attention": [821760, 5507584, 72354304],
        "decode": [1573888, 6295552, 25182208],
        "decode, tiled": [1573888, 1745920, 2927616],
    },
    "denoise_with_tiling": 13109760,
    "tile": 64,
    "weights": {"unet": 16951824},
    "pictures": 1,
    "method": "allocations of torch on the CPU, recorded by its profiler",
    "random": False,
}


def test_the_claims_of_peaks_hold_on_measured_numbers() -> None:
    assert set(holds("peak.py", "peak-memory-by-resolution", PEAKS).values()) == {True}
    outcomes = module("peak_claims").outcomes(PEAKS)
    assert outcomes["owner"] == "decode" and outcomes["explicit_owner"] == "denoise"
    assert outcomes["decode_growth"] == 3.99


@pytest.mark.parametrize(
    ("claim", "path", "value"),
    [
        ("decode-owns", ("peaks", "denoise", -1), 40e6),
        ("explicit-turns-it-over", ("peaks", "denoise, explicit attention", -1), 20e6),
        ("grows-with-the-area", ("peaks", "decode", 1), 3e6),
        ("scores-grow-with-its-square", ("peaks", "denoise, explicit attention", 1), 20e6),
        ("tiling-is-for-the-decoder", ("peaks", "decode, tiled", -1), 30e6),
        ("tiling-is-for-the-decoder", ("denoise_with_tiling",), 6e6),
        ("two-ways-agree", ("counted", "decode", -1), 5e6),
        ("two-ways-agree", ("counted", "denoise", -1), 20e6),
    ],
)
def test_a_claim_about_peaks_fails_on_wrong_numbers(
    claim: str, path: tuple[Any, ...], value: Any
) -> None:
    held = holds("peak.py", "peak-memory-by-resolution", changed(PEAKS, path, value))
    assert held[claim] is False


def test_claims_about_what_a_run_lacks_do_not_apply() -> None:
    lacking = changed(PEAKS, ("sizes",), [64, 100, 256])
    lacking = changed(lacking, ("peaks", "denoise, explicit attention"), [None] * 3)
    held = holds("peak.py", "peak-memory-by-resolution", lacking)
    assert held["grows-with-the-area"] is None
    assert held["explicit-turns-it-over"] is None
    assert held["scores-grow-with-its-square"] is None

"""Cases in which memory grows: within a request, from request to request, or once for all."""

from __future__ import annotations

import gc
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
desk = load_module(Path(__file__).with_name("desk.py"))
probes = load_module(Path(__file__).with_name("probes.py"))
Bound, Seen, Curves = base.Bound, base.Seen, base.Curves
Case: Any = base.Case
Change, Service = base.patched.Change, base.patched.Service

MB = 1e6
REQUESTS = 3
STEPS = 3


@dataclass(frozen=True)
class Watched:
    """Bytes of results held while requests were served one after another."""

    by_step: list[list[int]]
    """For each request, after each call of the denoiser."""
    after: list[int]
    """After each request, when its answer was sent and dropped."""
    pipe: Any


class Growing(Case):
    """Requests of one picture, one after another; results of operations are counted until freed."""

    @abstractmethod
    def service_of(self, state: str) -> tuple[Any, Any]:
        """A pipeline of the case's own, and a function that serves the request of a seed."""

    def run(self, state: str) -> Watched:
        from drill.lab.live_bytes import Ledger

        pipe, request = self.service_of(state)
        ledger = Ledger(self.context.device)
        by_step: list[list[int]] = []
        after: list[int] = []
        handle = pipe.unet.register_forward_hook(lambda *_: by_step[-1].append(ledger.books.live))
        try:
            with ledger:
                for seed in range(REQUESTS):
                    by_step.append([])
                    request(seed)
                    after.append(ledger.books.live)
                    self.context.check()
        finally:
            handle.remove()
        return Watched(by_step, after, pipe)

    def view(self, ran: Watched) -> Any:
        points = [
            (n + (k + 1) / (STEPS + 1), live / MB)
            for n, steps in enumerate(ran.by_step)
            for k, live in enumerate(steps)
        ]
        peaks = [max(steps) / MB for steps in ran.by_step]
        rows = [(n, peak) for n, peak in enumerate(peaks)]
        return Seen(
            lines=["memory held beside the weights", *base.table(("request", "peak MB"), rows)],
            says="The peaks of " + ", ".join(f"{each:.1f}" for each in peaks)
            + " MB are those of equal requests, one after another.",
            plots={"memory": Curves({"MB": points}, "request", "MB held beside the weights")},
        )  # fmt: skip

    def probe_dtypes(self) -> Any:
        return probes.dtypes(self.broken.pipe)

    def probe_memory_by_step(self) -> Any:
        first = [live / MB for live in self.broken.by_step[0]]
        last = [live / MB for live in self.broken.by_step[-1]]
        rows = [(n, a, b) for n, (a, b) in enumerate(zip(first, last, strict=True))]
        return Seen(
            lines=base.table(("step", "MB, first request", "MB, last request"), rows),
            says=f"Within the first request it goes from {first[0]:.1f} to {first[-1]:.1f} MB, "
            f"within the last from {last[0]:.1f} to {last[-1]:.1f} MB.",
            numbers={"growth": first[-1] / first[0]},
        )

    def probe_memory_after_request(self) -> Any:
        left = [live / MB for live in self.broken.after]
        return Seen(
            lines=base.table(("request", "MB left after it"), list(enumerate(left))),
            says="After the requests " + ", ".join(f"{each:.1f}" for each in left)
            + " MB are left.",
            numbers={"left": left[-1] - left[0]},
        )  # fmt: skip

    def probe_live_tensors(self) -> Any:
        """What is held at the last step of a second request, the largest first."""
        pipe, request = self.service_of(base.BROKEN)
        before = {id(each) for each in _tensors()}
        found: list[tuple[str, int, int, str]] = []
        calls = 0

        def note(*_: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == 2 * STEPS:
                found.extend(_groups(each for each in _tensors() if id(each) not in before))

        handle = pipe.unet.register_forward_hook(note)
        try:
            for seed in range(2):
                request(seed)
        finally:
            handle.remove()
        rows = [(shape, count, f"{size / MB:.2f}", graph) for shape, count, size, graph in found]
        graphs = sum(count for _, count, _, graph in found if graph == "yes")
        return Seen(
            lines=[
                "tensors that Python reaches and that were not there before, the 8 largest groups",
                *base.table(("shape", "count", "MB", "grad_fn"), rows),
            ],
            says=f"The largest group is {rows[0][1]} tensors of {rows[0][0]}, {rows[0][2]} MB; "
            f"{graphs} of those listed have a grad_fn.",
            numbers={"graphs": graphs},
        )

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)


class GraphKept(Growing):
    name = "graph-kept"
    cause = "graph-recorded"
    service = Service("loop_service.py", (Change("@torch.inference_mode()\n", ""),))
    bound = Bound("memory at the last step over that at the first", 1.5, at_least=False)
    mended_by = "The loop runs under torch.inference_mode(), which records no graph"

    def service_of(self, state: str) -> tuple[Any, Any]:
        service = self.service.load(state)
        pipe = service.load(desk.copied(self.context))
        pipe.unet.requires_grad_(True)  # as from_pretrained leaves it
        return pipe, lambda seed: service.generate(pipe, desk.PROMPTS[:1], [seed], STEPS)

    def measure(self, ran: Watched) -> float:
        return ran.by_step[0][-1] / ran.by_step[0][0]


class PreviewsKept(Growing):
    name = "previews-kept"
    cause = "list-outlives-request"
    service = Service(
        "preview_service.py",
        (
            Change("    previews: list[torch.Tensor] = []\n\n", ""),
            Change(
                "def generate(pipe: Any, prompt: str, seed: int, steps: int = 6)",
                "def generate(\n    pipe: Any, prompt: str, seed: int, steps: int = 6, "
                "previews: list[torch.Tensor] = []\n)",
            ),
        ),
    )
    bound = Bound("memory left after the last request over the first's peak", 0.1, at_least=False)
    mended_by = "The list of previews is made anew in each request"

    def service_of(self, state: str) -> tuple[Any, Any]:
        service = self.service.load(state)
        pipe = desk.pipeline(self.context)
        return pipe, lambda seed: service.generate(pipe, desk.PROMPTS[0], seed, STEPS)

    def measure(self, ran: Watched) -> float:
        return ran.after[-1] / max(ran.by_step[0])


@dataclass(frozen=True)
class Deployed:
    """Bytes of weights of a worker."""

    before: int
    """As the pipeline was loaded."""
    after: int
    """With both endpoints up."""
    pipe: Any
    endpoints: Any
    service: Any


class FromPipe(Case):
    name = "from-pipe"
    cause = "weights-upcast"
    service = Service(
        "endpoint_service.py", (Change("from_pipe(pipe, dtype=pipe.dtype)", "from_pipe(pipe)"),)
    )
    bound = Bound("bytes of weights over those that were loaded", 1.05, at_least=False)
    mended_by = "from_pipe is told the type of the pipeline that it takes the parts from"

    def run(self, state: str) -> Deployed:
        import torch

        half = torch.bfloat16
        service = self.service.load(state)
        pipe = desk.copied(self.context, unet=half, vae=half, text_encoder=half)
        before = _weights(pipe)
        endpoints = service.load(pipe)
        return Deployed(before, _weights(*endpoints.values()), pipe, endpoints, service)

    def measure(self, ran: Deployed) -> float:
        return ran.after / ran.before

    def view(self, ran: Deployed) -> Any:
        return Seen(
            lines=[
                f"weights of a worker, loaded        {ran.before / MB:6.1f} MB",
                f"weights of a worker, endpoints up  {ran.after / MB:6.1f} MB",
            ],
            says=f"A worker holds {ran.after / MB:.1f} MB of weights once both endpoints are up; "
            f"{ran.before / MB:.1f} MB were loaded.",
            plots={
                "weights": Curves(
                    {"MB": [(0, ran.before / MB), (1, ran.after / MB)]},
                    "0: loaded, 1: endpoints up",
                    "MB of weights",
                )
            },
        )

    def probe_memory_by_request(self) -> Any:
        from drill.lab.live_bytes import tensor_peak

        ran = self.broken
        requests = [
            partial(ran.service.generate, ran.endpoints, desk.PROMPTS[0], seed, 2)
            for seed in range(2)
        ]
        peaks = [tensor_peak(each, self.context.device) / MB for each in requests]
        return Seen(
            lines=["beside the weights", *base.table(("request", "peak MB"), [*enumerate(peaks)])],
            says="Beside the weights equal requests peak at "
            + " and ".join(f"{each:.2f}" for each in peaks) + " MB.",
            numbers={"growth": peaks[-1] / peaks[0]},
        )  # fmt: skip

    def probe_shared_modules(self) -> Any:
        rows = [
            (name, "the same object" if mine is theirs else "another object")
            for name in ("text_encoder", "unet", "vae", "scheduler", "tokenizer")
            for mine, theirs in [[getattr(each, name) for each in self.broken.endpoints.values()]]
        ]
        same = sum(row[1].startswith("the same") for row in rows)
        return Seen(
            lines=base.table(("component", "in both endpoints"), rows),
            says=f"{same} of {len(rows)} components of the two endpoints are the same objects.",
            numbers={"same": same},
        )

    def probe_parameter_count(self) -> Any:
        rows = [
            (name, f"{sum(p.numel() for p in getattr(self.broken.pipe, name).parameters()):,}")
            for name in ("text_encoder", "unet", "vae")
        ]
        return Seen(
            lines=base.table(("component", "parameters"), rows),
            says="; ".join(f"{name} has {count} parameters" for name, count in rows) + ".",
        )

    def probe_dtypes(self) -> Any:
        return probes.dtypes(self.broken.pipe)

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)


def _weights(*pipes: Any) -> int:
    """Bytes of all parameters and buffers, those that pipelines share counted once."""
    parts = {id(part): part for pipe in pipes for part in pipe.components.values()}
    tensors = {
        each.data_ptr(): each.numel() * each.element_size()
        for part in parts.values()
        if hasattr(part, "parameters")
        for each in (*part.parameters(), *part.buffers())
    }
    return sum(tensors.values())


def _tensors() -> list[Any]:
    import torch

    kinds = (torch.Tensor,)
    return [each for each in gc.get_objects() if issubclass(type(each), kinds)]


def _groups(tensors: Iterable[Any]) -> list[tuple[str, int, int, str]]:
    """The eight largest groups of equal tensors: shape, count, bytes, with a graph or not."""
    groups: dict[tuple[str, str], list[int]] = {}
    for each in tensors:
        key = (str(tuple(each.shape)), "no" if each.grad_fn is None else "yes")
        groups.setdefault(key, []).append(each.numel() * each.element_size())
    rows = [(shape, len(sizes), sum(sizes), graph) for (shape, graph), sizes in groups.items()]
    return sorted(rows, key=lambda row: -row[2])[:8]


CASES = (GraphKept, PreviewsKept, FromPipe)

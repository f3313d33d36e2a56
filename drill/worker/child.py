"""The experiment child: requests on stdin, events on stdout, everything else on stderr.

    python -m drill.worker.child

The real stdout is kept for the protocol and file descriptor 1 is pointed at stderr before anything
else is imported, so that no library can write into the protocol. The first event is `hello`; then
torch and diffusers are imported while requests are awaited. A cancelled, overdue or failed run
leaves the child warm; the end of stdin ends it at once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drill.lab.context import Context
    from drill.lab.experiment import Experiment
    from drill.worker.protocol import Done, ErrorKind, Event, Run, Warm

REPORTED = ("drill", "torch", "diffusers", "transformers", "peft", "numpy", "safetensors")
"""Packages whose versions are sent; drill's own distribution has another name."""
DISTRIBUTIONS = {"drill": "diffusion-drill"}


def claim_stdout() -> BinaryIO:
    """The real stdout as a binary stream; file descriptor 1 becomes stderr."""
    kept = os.dup(1)
    os.set_inheritable(kept, False)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb", buffering=0)


def installed_versions() -> dict[str, str]:
    """Versions of the packages that matter, from their metadata; nothing is imported."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in REPORTED:
        try:
            found[name] = version(DISTRIBUTIONS.get(name, name))
        except PackageNotFoundError:
            continue
    if "drill" not in found:
        from drill import __version__

        found["drill"] = __version__
    return found


def builtin_pack() -> Path:
    from drill import paths

    return paths.builtin_pack()


class UnavailableError(Exception):
    """The experiment cannot run on this machine; the message says why and the way out."""


class Child:
    """One child: a queue of requests, at most one run at a time, and the way out."""

    def __init__(self, out: BinaryIO) -> None:
        import queue
        import threading

        self.requests: queue.SimpleQueue[Run | Warm] = queue.SimpleQueue()
        self.out = out
        self.writing = threading.Lock()
        self.cancelled: set[str] = set()
        self.missing = ""
        """Why torch or diffusers cannot be imported; empty when they can."""

    def send(self, event: Event) -> None:
        from drill.worker.protocol import encode

        line = memoryview(encode(event))
        with self.writing:
            try:
                while line:
                    line = line[self.out.write(line) or 0 :]
            except OSError:  # nobody reads any more
                os._exit(0)

    def read_requests(self, source: BinaryIO) -> None:
        """Runs in a thread: what cannot wait for a run to end is done here."""
        from drill.worker import protocol

        for line in source:
            try:
                request = protocol.decode_request(line)
            except protocol.ProtocolError as error:
                self.send(protocol.Log(f"request ignored: {error}"))
                continue
            if isinstance(request, protocol.Cancel):
                self.cancelled.add(request.run)
            elif isinstance(request, protocol.Ping):
                self.send(protocol.Pong())
            elif isinstance(request, protocol.Exit):
                break
            elif request is not None:
                self.requests.put(request)
        os._exit(0)

    def import_libraries(self) -> None:
        """Import torch and diffusers, and say `ready`."""
        import time

        from drill.lab.devices import torch_devices, worker_threads
        from drill.worker.failures import unavailable
        from drill.worker.protocol import Ready

        started = time.monotonic()
        devices: list[str] = []
        try:
            import torch
            from diffusers import StableDiffusionPipeline  # noqa: F401  (the slow part of a run)

            torch.set_num_threads(worker_threads())
            devices = torch_devices()
        except (ImportError, OSError, RuntimeError) as error:  # missing, or built for other drivers
            self.missing = unavailable(error)
        self.send(Ready(devices, round(time.monotonic() - started, 3), self.missing))

    def serve(self) -> None:
        """Answer requests until stdin ends."""
        from drill.worker.protocol import Run

        while True:
            request = self.requests.get()
            if isinstance(request, Run):
                self.send(self.answer(request))
                self.cancelled.discard(request.run)
            else:
                self.warm(request)

    def warm(self, request: Warm) -> None:
        import time

        from drill.worker.protocol import Warmed

        started = time.monotonic()
        says = self.missing
        if not self.missing and request.file:
            try:
                experiment, context = self.prepare(request, {}, lambda event: None)
                experiment.warm(context)
            except Exception as error:  # noqa: BLE001  (the run itself will report it)
                from drill.worker.failures import failure, log_traceback

                log_traceback(f"warming {request.name}", error)
                says = failure(error)[1]
        self.send(Warmed(request.name, round(time.monotonic() - started, 3), says))

    def prepare(
        self, request: Run | Warm, given: dict[str, Any], emit: Callable[[Event], None]
    ) -> tuple[Experiment, Context]:
        from pathlib import Path

        from drill.lab.context import Context
        from drill.lab.devices import pick_device
        from drill.lab.loading import load_experiment
        from drill.lab.models import own_model
        from drill.lab.params import resolve
        from drill.worker.protocol import Run

        built_in = builtin_pack()
        pack = Path(request.pack) if request.pack else built_in
        if request.pack and not (pack / request.file).is_file():
            import platform

            raise UnavailableError(
                f"{pack / request.file} is not there on {platform.node()}: a pack of your own must "
                "lie at the same path on the machine that runs it"
            )
        experiment = load_experiment(pack / request.file, request.name)
        values = resolve(experiment.params, given)
        device = pick_device(request.device)
        model = own_model(request.model)
        run = request if isinstance(request, Run) else None
        return experiment, Context(
            params=values,
            pack=pack,
            emit=emit,
            device=device,
            seed=run.seed if run else 0,
            model=model,
            models=built_in / "labs" / "models",
            budget=run.budget if run else 0.0,
            run=run.run if run else "",
            cancelled=(lambda: run.run in self.cancelled) if run else (lambda: False),
        )

    def answer(self, request: Run) -> Event:
        """Run an experiment to its last event."""
        from drill.lab.context import Cancelled, TimeLimit
        from drill.lab.devices import DeviceError
        from drill.lab.params import ParamError
        from drill.worker.failures import failure, free_memory, log_traceback
        from drill.worker.protocol import Error

        def failed(kind: ErrorKind, message: str) -> Error:
            return Error(kind, message, run=request.run)

        if self.missing:
            return failed("unavailable", self.missing)
        try:
            return self.run(request)
        except Cancelled:
            return failed("cancelled", "the run was cancelled")
        except TimeLimit:
            return failed("timeout", f"the run took longer than its {request.budget:g} s")
        except (ParamError, DeviceError) as error:
            return failed("params", str(error))
        except UnavailableError as error:
            return failed("unavailable", str(error))
        except Exception as error:  # noqa: BLE001  (a child outlives what it runs)
            log_traceback(f"run {request.run} of {request.name}", error)
            kind, message = failure(error)
            if kind == "oom":
                free_memory()
            return failed(kind, message)

    def run(self, request: Run) -> Done:
        from drill.lab.devices import device_name
        from drill.lab.experiment import check_claims, check_outcomes
        from drill.worker.protocol import Done, Progress

        # Before anything is loaded: whoever waits sees that the run has begun.
        self.send(Progress(0, 1, "loading the experiment", None, request.run))
        experiment, context = self.prepare(request, dict(request.params), self.send)
        if "accelerator" in experiment.needs and context.device == "cpu":
            raise UnavailableError(
                f"{request.name} needs an accelerator (CUDA or MPS), and this machine has none; "
                "run it on another one: `host` in config.toml, or --host"
            )
        context.check()
        set_seeds(request.seed)
        result = experiment.run(context)
        context.check()
        check_outcomes(experiment, result)
        claims = check_claims(experiment.claims, result)
        return Done(
            metrics=dict(result.metrics),
            claims=[each.as_dict() for each in claims],
            outcomes=dict(result.outcomes),
            sentence=result.sentence,
            transfers={"answer": result.transfers.answer, "reason": result.transfers.reason},
            device=device_name(context.device),
            versions=installed_versions(),
            seed=request.seed,
            seconds=round(context.elapsed, 3),
            experiment=request.name,
            params=dict(context.params),
            model=request.model,
            artefacts=list(context.images),
            run=request.run,
        )


def set_seeds(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators."""
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def main() -> None:
    """Serve until stdin ends."""
    out = claim_stdout()
    source = os.fdopen(os.dup(0), "rb")
    # Nothing that runs here may read the protocol's stdin.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    import threading

    from drill.lab.devices import visible_devices, worker_threads
    from drill.lab.pack_hash import pack_hash
    from drill.worker.protocol import Hello

    threads = worker_threads()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # read when torch is imported
    child = Child(out)
    with child.writing:
        out.write(b"\n")  # whatever stands before it on the line is no part of `hello`
    child.send(
        Hello(
            installed_versions(), visible_devices(), pack_hash(builtin_pack()), os.getpid(), threads
        )
    )
    threading.Thread(target=child.read_requests, args=(source,), daemon=True).start()
    child.import_libraries()
    child.serve()


if __name__ == "__main__":
    main()

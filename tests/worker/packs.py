"""A pack whose experiments do what runs do in the field: end well, crash, hang, run out."""

from __future__ import annotations

from pathlib import Path

EXPERIMENTS = '''
import os, sys, time
from drill.lab import Claim, Context, Experiment, Param, Result, Transfers, finding

GOOD = Transfers("yes", "it is only a test")


def result(**metrics):
    return Result(metrics, {}, "It ran.", GOOD)


class Plain(Experiment):
    name = "plain"
    params = (Param("steps", "int", 3, "steps", low=1),)
    claims = (
        Claim("counted", "It counts.", lambda r: finding(r.metrics["steps"] == 3, "n", "3")),
    )
    outcomes = ("last",)

    def run(self, context):
        print("this goes to the log, not into the protocol")
        os.write(1, b"neither does this\\n")
        for k in range(context.params["steps"]):
            context.progress(k, context.params["steps"], "counting")
            context.metric("k", k, k)
        context.image("dot", b"\\x89PNG one", "first")
        context.image("dot", b"\\x89PNG two", "second")
        context.image("a/b ../c", b"\\x89PNG odd name")
        context.plot("line", {"y": [(0, 0), (1, 2)]}, "x", "y")
        context.log("nearly done")
        import random
        metrics = {"steps": context.params["steps"], "draw": random.random(), "nan": float("nan")}
        return Result(metrics, {"last": k}, "It counted.", GOOD)


class Slow(Experiment):
    """Steps that look whether they are cancelled."""
    name = "slow"

    def run(self, context):
        for k in range(1000):
            context.progress(k, 1000, "waiting")
            time.sleep(0.02)
        return result()


class Deaf(Experiment):
    """Never looks; ends by TERM."""
    name = "deaf"

    def run(self, context):
        context.log("deaf")
        time.sleep(60)
        return result()


class Stubborn(Experiment):
    """Never looks, ignores TERM; ends by KILL."""
    name = "stubborn"

    def run(self, context):
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        context.log("stubborn")
        time.sleep(60)
        return result()


class Swallow(Experiment):
    """Catches every Exception, as careless code does."""
    name = "swallow"

    def run(self, context):
        for k in range(1000):
            try:
                context.progress(k, 1000, "swallowing")
            except Exception:
                pass
            time.sleep(0.02)
        return result()


class Dies(Experiment):
    name = "dies"
    params = (Param("how", "text", "exit", "how"),)

    def run(self, context):
        how = context.params["how"]
        if how == "exit":
            os._exit(7)
        if how == "kill":
            import signal
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "segv":
            import signal
            os.kill(os.getpid(), signal.SIGSEGV)
        if how == "raise":
            raise ValueError("the third wheel\\nand more")
        if how == "memory":
            raise MemoryError("no room for 3 GB")
        if how == "model":
            from drill.lab.models import ModelError

            raise ModelError("another kind of model")
        if how == "cuda":
            import torch
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if how == "module":
            import no_such_module_anywhere
        if how == "outcomes":
            return Result({}, {"odd": 1}, "It ran.", GOOD)
        if how == "transfers":
            return Result({}, {}, "It ran.", None)
        if how == "claim":
            return result()
        raise AssertionError(how)


EXPERIMENTS = (Plain(), Slow(), Deaf(), Stubborn(), Swallow(), Dies())
'''
FILE = "labs/odd_lab/experiment.py"


# What the child asks of the libraries before it runs an experiment, without their seconds.
STUBS = {
    "torch": """
class OutOfMemoryError(RuntimeError): pass
class cuda:
    device_count = staticmethod(lambda: 0)
    is_available = staticmethod(lambda: False)
class backends:
    class mps: is_available = staticmethod(lambda: False)
set_num_threads = manual_seed = lambda n: None
""",
    "diffusers": "StableDiffusionPipeline = object",
    "numpy": "class random: seed = staticmethod(lambda n: None)",
}


def make_stubs(root: Path) -> Path:
    """Folder with stand-ins for torch, diffusers and numpy, to be put on PYTHONPATH."""
    root.mkdir(parents=True)
    for name, text in STUBS.items():
        (root / f"{name}.py").write_text(text, encoding="utf-8")
    return root


def make_pack(root: Path) -> Path:
    """Write the pack under `root` and return it."""
    path = root / FILE
    path.parent.mkdir(parents=True)
    path.write_text(EXPERIMENTS, encoding="utf-8")
    return root

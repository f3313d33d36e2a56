"""What went wrong in a run, in one line and one kind; the traceback goes to the log."""

from __future__ import annotations

import gc
import sys
import traceback
from typing import TYPE_CHECKING

from drill.lab.models import ModelError

if TYPE_CHECKING:
    from drill.worker.protocol import ErrorKind

HOW_TO_GET = "pip install 'diffusion-drill[labs]'"
LAB_PACKAGES = frozenset(
    {
        "torch", "diffusers", "transformers", "peft", "numpy", "safetensors", "PIL", "tokenizers",
        "huggingface_hub", "accelerate",
    }
)  # fmt: skip
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def failure(error: BaseException) -> tuple[ErrorKind, str]:
    """Kind and message of an exception that an experiment raised."""
    if isinstance(error, ModuleNotFoundError) and error.name in LAB_PACKAGES:
        return "unavailable", unavailable(error)
    if out_of_memory(error):
        return "oom", f"out of memory: {first_line(error)}"
    if isinstance(error, ModelError):
        return "unavailable", str(error)
    return "crash", f"{type(error).__name__}: {first_line(error)}"


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on the host or on a device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(
        text in str(error).lower() for text in _OUT_OF_MEMORY
    )


def free_memory() -> None:
    """Give memory back so that the next, smaller run may fit."""
    import torch

    from drill.lab.models import load_pipeline

    load_pipeline.cache_clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def unavailable(error: BaseException) -> str:
    """Why experiments cannot run here, and how to change that."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed for {sys.executable}; get it with: {HOW_TO_GET}"
    return (
        f"torch or diffusers cannot be imported by {sys.executable}: {first_line(error)}; "
        f"reinstall them with: {HOW_TO_GET}"
    )


def first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:500] if text else type(error).__name__


def log_traceback(what: str, error: BaseException) -> None:
    """Write a traceback to stderr, which the owner keeps in the log file."""
    sys.stderr.write(f"--- {what}\n")
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()

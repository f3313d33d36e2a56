"""The child that recomputes keys: `python -m drill.worker.proof_child`.

A job is one item. For each of its variants the child runs what the item names as its proof and
sends what came out; comparing that with the key is the owner's part (`drill.packs.keys`). Only for
`mutant` and `code` items the verdict falls here, since it is about code that is run.

Jobs:   {id, type, file, proof, property, variants: [{params, code, line, was, function, starter,
        solution}]}
Events: hello; begin {id} (libraries and proofs.py are loaded, the item's time runs); variant
        {id, index}; value {id, index, value, seconds}; failed {id, index, error, trace}; end {id}.
"""

from __future__ import annotations

import faulthandler
import os
import random
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from drill.worker.json_pipe import JsonPipe, plain
from drill.worker.run_code import BoundedText, error_line, error_text, execute

CODE_NAME = "<the code shown>"
SUPPLIED = ("code", "original", "mutant")
"""Parameters that a proof may ask for: the text of the code shown; for a mutant the namespaces of
the mended and of the shown code."""
RAISES = "RAISES"
"""Optional mapping in a proofs.py: property name to exceptions, other than AssertionError, by which
a mutant may fail it."""
_HEAVY = re.compile(r"\b(torch|diffusers|transformers|peft|accelerate|drill\.lab)\b")


class ProofError(Exception):
    """An item that is not proven, for a reason that can be said in a sentence."""


def main() -> None:
    """Serve jobs until stdin ends."""
    pipe = JsonPipe()
    faulthandler.enable(sys.stderr)  # a segmentation fault names the line it came from
    pipe.send("hello", pid=os.getpid())
    while (job := pipe.receive()) is not None:
        serve(pipe, job)


def serve(pipe: JsonPipe, job: dict[str, Any]) -> None:
    """Prove one item; whatever it raises is told and the child goes on."""
    item = job["id"]
    index = 0
    try:
        module = prepare(job)
        pipe.send("begin", id=item)
        for index, variant in enumerate(job["variants"]):
            pipe.send("variant", id=item, index=index)
            started = time.perf_counter()
            reset()
            try:
                value = plain(prove(job, variant, module))
            except (KeyboardInterrupt, ProofError):
                raise
            except BaseException as error:
                raise ProofError(say(error, job["file"])) from error
            seconds = round(time.perf_counter() - started, 4)
            pipe.send("value", id=item, index=index, value=value, seconds=seconds)
    except ProofError as error:
        cause = error.__cause__
        trace = "".join(traceback.format_exception(cause)) if cause else ""
        pipe.send("failed", id=item, index=index, error=str(error), trace=trace[-4000:])
    pipe.send("end", id=item)


def prepare(job: dict[str, Any]) -> ModuleType | None:
    """Import what the job will need, so that its time is the proof's own."""
    file = Path(job["file"]) if job["file"] else None
    texts = [variant.get("code") or "" for variant in job["variants"]]
    texts += [variant.get("solution") or "" for variant in job["variants"]]
    wants_functions = bool(job["property"]) or job["proof"] not in ("", "code", "source")
    if wants_functions:
        if file is None or not file.is_file():
            name = job["property"] or job["proof"]
            raise ProofError(f"there is no proofs.py beside the item to define `{name}` in")
        texts.append(file.read_text(encoding="utf-8"))
    try:
        if any(map(_HEAVY.search, texts)):
            import torch

            torch.set_num_threads(1)
        if not wants_functions or file is None:
            return None
        from drill.lab.loading import load_module

        return load_module(file)
    except BaseException as error:
        raise ProofError(f"proofs.py cannot be loaded: {say(error, job['file'])}") from error


def reset() -> None:
    """The same start for every proof, whatever ran before it in this child."""
    random.seed(0)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(0)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(0)
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)


def prove(job: dict[str, Any], variant: dict[str, Any], module: ModuleType | None) -> Any:
    """The recomputed value of one variant, in the form that its type's key is compared with."""
    supplied: dict[str, Any] = {"code": variant.get("code") or ""}
    summary: Any = None
    if job["type"] == "mutant" and job["property"]:
        supplied |= prove_mutant(job, variant, function_of(module, job["property"]))
    elif job["type"] == "code" and job["property"]:
        summary = prove_solution(variant, function_of(module, job["property"]))
    if job["proof"] == "code":
        return run_shown(job["type"], supplied["code"])
    if job["proof"] and job["proof"] != "source":
        return call(function_of(module, job["proof"]), variant["params"], supplied)
    return summary


def function_of(module: ModuleType | None, name: str) -> Callable[..., Any]:
    """A function of a proofs.py."""
    found = getattr(module, name, None)
    if not callable(found):
        raise ProofError(f"proofs.py defines no function `{name}`")
    return found  # type: ignore[no-any-return]


def call(function: Callable[..., Any], params: dict[str, Any], supplied: dict[str, Any]) -> Any:
    """Call a proof with the variant's parameters, and with what it asks for by name."""
    import inspect

    asked = inspect.signature(function).parameters
    extra = {k: v for k, v in supplied.items() if k in asked and k not in params}
    try:
        inspect.signature(function).bind(**params, **extra)
    except TypeError as error:
        given = ", ".join(params) or "none"
        raise ProofError(
            f"the proof `{function.__name__}` does not take the parameters ({given}): {error}"
        ) from None
    return function(**params, **extra)


def run_shown(kind: str, source: str) -> Any:
    """What the code shown prints: the whole text, or for a shape the last line as a list."""
    import ast

    out = BoundedText(200_000)
    execute(source, CODE_NAME, out)
    text = out.text()
    if kind == "output":
        return text
    last = text.strip().rpartition("\n")[2].strip()
    if not last:
        raise ProofError("the code shown prints nothing; its last line must print the result")
    try:
        return ast.literal_eval(last.removeprefix("torch.Size(").removesuffix(")"))
    except (ValueError, SyntaxError):
        pass
    try:
        return ast.literal_eval(last)
    except (ValueError, SyntaxError):
        return last


def mended(source: str, line: int, was: str) -> str:
    """The code with the mutated line as it was, at the indent of the mutant's line."""
    lines = source.split("\n")
    if not 1 <= line <= len(lines):
        raise ProofError(f"the key names line {line} of code with {len(lines)} lines")
    old = lines[line - 1]
    indent = old[: len(old) - len(old.lstrip())]
    lines[line - 1] = "\n".join(indent + each if each.strip() else each for each in was.split("\n"))
    return "\n".join(lines)


def prove_mutant(
    job: dict[str, Any], variant: dict[str, Any], holds: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    """Check that the property holds for the original and fails for the mutant; both namespaces."""
    from drill.worker.property_run import run_properties

    source = variant.get("code") or ""
    original_source = mended(source, variant["line"], variant["was"])
    if original_source == source:
        raise ProofError(f"line {variant['line']} is the same in the original and in the mutant")
    original = execute(original_source, CODE_NAME)
    judged = run_properties(holds, original, CODE_NAME)
    if judged.failures:
        first = judged.failures[0]
        raise ProofError(
            f"the original (line {variant['line']} as `{variant['was']}`) does not keep "
            f"`{job['property']}`: {first.message} {first.state}".rstrip()
        ) from judged.first_error
    mutant = execute(source, CODE_NAME)
    reset()
    judged = run_properties(holds, mutant, CODE_NAME)
    if not judged.failures:
        raise ProofError(f"the mutant keeps `{job['property']}`: the test does not see the change")
    allowed = getattr(sys.modules.get(holds.__module__), RAISES, {}).get(job["property"], ())
    error = judged.first_error
    if not isinstance(error, (AssertionError, *allowed)):
        raise ProofError(
            f"the mutant does not fail `{job['property']}`, it breaks it: "
            f"{judged.failures[0].message} (name the exception in {RAISES} if that is meant)"
        ) from error
    reset()
    return {"original": original, "mutant": mutant}


def prove_solution(variant: dict[str, Any], holds: Callable[[dict[str, Any]], Any]) -> str:
    """Check that the solution keeps all properties and the starter does not."""
    from drill.worker.property_run import run_properties

    name = variant["function"]
    solution = execute(variant["solution"], CODE_NAME)
    if not callable(solution.get(name)):
        raise ProofError(f"the solution does not define `{name}`")
    judged = run_properties(holds, solution, CODE_NAME)
    if judged.failures:
        first = judged.failures[0]
        raise ProofError(
            f"the solution fails `{first.property}`: {first.message} {first.state}".rstrip()
        ) from judged.first_error
    starter = execute(variant["starter"], CODE_NAME)
    if not callable(starter.get(name)):
        raise ProofError(f"the starter does not define `{name}`")
    reset()
    if not run_properties(holds, starter, CODE_NAME).failures:
        raise ProofError(f"the starter already keeps `{holds.__name__}`: nothing is left to write")
    reset()
    return f"the solution keeps {judged.total} of {judged.total}, the starter does not"


def say(error: BaseException, file: str) -> str:
    """An exception in a line, with the place in the code shown or in the proofs.py."""
    import linecache

    where = error_line(error, CODE_NAME)
    if where:
        where = f"the code shown, {where}"
    else:
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if file and Path(frame.filename) == Path(file).resolve():
                text = linecache.getline(frame.filename, frame.lineno or 0).strip()
                where = f"{Path(file).name}:{frame.lineno}: `{text}`"
                break
    return f"{error_text(error)} ({where})" if where else error_text(error)


if __name__ == "__main__":
    main()

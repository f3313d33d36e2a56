"""Pipelines of the true size of well-known models with random weights, built offline.

What a step costs, how many bytes move and where memory peaks follow from shapes and numbers of
weights, not from what the weights have learned. So `--model sdxl-random` measures the time and the
memory of Stable Diffusion XL without a download. The pictures are noise: experiments that judge
pictures refuse these names (`drill.lab.models.load_pipeline` raises ModelError), and whatever is
shown of such a run says that the weights are random.

Architectures are written from the published ones; `parameter_counts` builds them on the meta device
and the tests compare each component with its published number of parameters.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab.architectures import ARCHITECTURES as ARCHITECTURES
from drill.lab.architectures import TOKENS, Architecture, shrink

if TYPE_CHECKING:
    from drill.lab.context import Context
    from drill.lab.experiment import Result

GB = 1e9
SPARE = 1.5 * GB
"""Room on the CPU that is asked for beside the weights: activations, and the work of others."""
GROWTH = 1.05
"""Weights in memory over their number times bytes: the largest tensor exists twice for a moment."""


def is_random(model: str) -> bool:
    """Whether `model`, as `--model` gives it, names a pipeline with random weights."""
    return model in ARCHITECTURES


def refuse_random(model: str) -> None:
    """Raises ModelError where `model` has random weights: for experiments about pictures."""
    from drill.lab.models import ModelError

    if is_random(model):
        raise ModelError(
            f"{model} has random weights: its pictures are noise, and this experiment looks at "
            "pictures or predictions. It is meant for time and memory (offload-bytes, "
            "offload-latency, precision-and-attention, peak-memory-by-resolution, batch-knee); "
            "leave --model out, or give a trained model"
        )


def label(context: Context) -> str:
    """What every sentence and caption of a run begins with; empty for a trained model."""
    if not is_random(context.model):
        return ""
    return f"With random weights in the shapes of {ARCHITECTURES[context.model].title}: "


def titled(context: Context, name: str) -> str:
    """The name of a plot or picture, with the word that its weights are random if they are."""
    return f"{name} (random weights)" if is_random(context.model) else name


def labelled(context: Context, result: Result) -> Result:
    """The result of a run, which says in its sentence and its transfers if weights are random."""
    said = label(context)
    reason = said + result.transfers.reason
    sentence = said + result.sentence
    return replace(result, sentence=sentence, transfers=replace(result.transfers, reason=reason))


def architecture(model: str) -> Architecture:
    """The architecture of a name; raises ModelError that lists the names."""
    from drill.lab.models import ModelError

    if model not in ARCHITECTURES:
        raise ModelError(f"no architecture {model!r}; there are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[model]


def parameter_counts(model: str) -> dict[str, int]:
    """Number of parameters by component, counted on modules without memory (meta device)."""
    return {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in empty_modules(model).items()
    }


def weight_bytes(model: str, dtype: Any) -> dict[str, int]:
    """Bytes of the weights by component in a torch dtype."""
    return {name: count * dtype.itemsize for name, count in parameter_counts(model).items()}


def empty_modules(model: str, shrunken: bool = False) -> dict[str, Any]:
    """The modules with parameters on the meta device and real buffers."""
    from accelerate import init_empty_weights

    modules = {}
    for name, (kind, config) in architecture(model).modules.items():
        changed = shrink(kind, config) if shrunken else config
        with init_empty_weights(include_buffers=False):
            module = _make(kind, changed)
        if hasattr(module, "shared"):  # making it empty undid the tie of T5's two embeddings
            module.set_input_embeddings(module.shared)
        modules[name] = module.eval()
    return modules


def _make(kind: str, config: Mapping[str, Any]) -> Any:
    import diffusers
    import transformers

    if hasattr(diffusers, kind):
        return getattr(diffusers, kind)(**config)
    made = getattr(transformers, kind)
    return made(made.config_class(**config))


def tokenizer(kind: str, tokens: int = TOKENS) -> Any:
    """A tokenizer `clip` or `t5` that knows single letters; it pads to `tokens` as theirs does."""
    from transformers import CLIPTokenizer, T5Tokenizer

    letters = string.ascii_lowercase
    if kind == "clip":
        words = [*letters, *(each + "</w>" for each in letters), "<|startoftext|>", "<|endoftext|>"]
        vocabulary = {word: index for index, word in enumerate(words)}
        return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=tokens)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in letters]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def build(
    model: str,
    device: str = "cpu",
    *,
    dtype: Any = None,
    shrunken: bool = False,
    seed: int = 0,
    log: Callable[[str], None] | None = None,
) -> Any:
    """A pipeline of the named architecture with random weights on `device`, in eval mode.

    `dtype` is by default the one in which it is usually run on an accelerator, and float32 on the
    CPU, or bfloat16 where float32 does not fit there. Raises ModelError for an unknown name and
    where the weights do not fit into the memory that is free.
    """
    import torch

    if shrunken and dtype is None:
        dtype = torch.float32
    if not shrunken:
        dtype = _fitting_dtype(model, device, dtype, log)
    modules = empty_modules(model, shrunken)
    block = _numbers(seed, torch.device(device), dtype)
    for module in modules.values():
        fill(module, block)
    return assemble(model, modules)


def assemble(model: str, modules: Mapping[str, Any]) -> Any:
    """The pipeline of an architecture around its modules with weights."""
    import diffusers

    plan = architecture(model)
    kind, config = plan.scheduler
    pipe = getattr(diffusers, plan.pipeline)(
        **modules,
        **{name: tokenizer(each) for name, each in plan.tokenizers.items()},
        scheduler=getattr(diffusers, kind)(**config),
        **plan.extra,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _fitting_dtype(model: str, device: str, wanted: Any, log: Callable[[str], None] | None) -> Any:
    import torch

    from drill.lab.models import ModelError

    plan = architecture(model)
    if wanted is not None:
        choices = [wanted]
    elif device == "cpu":
        choices = [torch.float32, torch.bfloat16]
    else:
        choices = [getattr(torch, plan.dtype)]
    count = sum(parameter_counts(model).values())
    free = free_memory(device)
    for dtype in choices:
        if count * dtype.itemsize * GROWTH + SPARE <= free:
            if log is not None and device == "cpu":
                log(
                    f"{model}: {count / 1e9:.2f} billion random weights on the CPU in "
                    f"{str(dtype).removeprefix('torch.')}; a step takes seconds to minutes here"
                )
            return dtype
    need = count * choices[-1].itemsize * GROWTH + SPARE
    raise ModelError(
        f"{model} needs {need / GB:.1f} GB on {device} ({count / 1e9:.2f} billion weights in "
        f"{str(choices[-1]).removeprefix('torch.')}, and room to work), and {free / GB:.1f} GB "
        f"are free; take a smaller one of {', '.join(ARCHITECTURES)}, or a machine with more memory"
    )


def free_memory(device: str) -> float:
    """Bytes free on a device; on the CPU within the limit of the container, if there is one."""
    import torch

    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(device)[0])
    free = float(import_module("psutil").virtual_memory().available)
    limit = _container_limit(Path("/sys/fs/cgroup"))
    return min(free, limit) if limit is not None else free


def _container_limit(folder: Path) -> float | None:
    """Bytes left under a cgroup's memory limit (version 2); None where there is none."""
    try:
        most = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        cached = dict(
            line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines()
        )
    except (OSError, ValueError):
        return None
    if most == "max":
        return None
    return float(int(most) - used + int(cached.get("inactive_file", 0)))


def _numbers(seed: int, device: Any, dtype: Any) -> Any:
    """A million normal numbers, drawn on the CPU; all weights are made of them."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2**20, generator=generator).to(device=device, dtype=dtype)


def fill(module: Any, block: Any) -> None:
    """Give every parameter a tensor like `block`'s in device and dtype, made of its numbers.

    Matrices and kernels get a spread of 1/sqrt(inputs), so that activations stay of order one;
    gains are 1 and biases 0. Parameters that are one object stay one. Buffers keep their values.
    """
    import torch

    made: dict[int, Any] = {}
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is None:
                continue
            if id(parameter) not in made:
                data = torch.empty(parameter.shape, dtype=block.dtype, device=block.device)
                if parameter.dim() < 2:
                    data.fill_(0.0 if name == "bias" else 1.0)
                else:
                    flat, spread = data.view(-1), parameter[0].numel() ** -0.5
                    for start in range(0, flat.numel(), block.numel()):
                        piece = flat[start : start + block.numel()]
                        torch.mul(block[: piece.numel()], spread, out=piece)
                made[id(parameter)] = torch.nn.Parameter(data, requires_grad=False)
            part._parameters[name] = made[id(parameter)]
        for name, buffer in part._buffers.items():
            if buffer is not None:
                dtype = block.dtype if buffer.is_floating_point() else buffer.dtype
                part._buffers[name] = buffer.to(device=block.device, dtype=dtype)


def pipeline_of(context: Context) -> Any:
    """The pipeline of a run, random weights included: for experiments about time and memory.

    A random one is built anew for every run, and in place of a cached one; the others are shared
    with later runs as `Context.pipeline` has it.
    """
    if not is_random(context.model):
        return context.pipeline()
    from drill.lab.models import load_pipeline

    load_pipeline.cache_clear()
    return build(context.model, context.device, seed=context.seed, log=context.log)

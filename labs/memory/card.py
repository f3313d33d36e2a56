"""An accelerator that is not there: it computes on the CPU and keeps books of what moves.

Hooks that offload weights care about devices only. Here is a device `card:0` whose tensors are
wrappers around tensors on the CPU, so that the very hooks of diffusers and accelerate run, a tensor
left on the wrong device raises as it would on a GPU, and every byte that crosses is counted. Times
mean nothing on it. With weights on the meta device (`without_memory`) pipelines of any size can be
booked; then nothing is computed either.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from drill.lab.live_bytes import Books

aten = torch.ops.aten


class CardError(RuntimeError):
    """There is no simulated card here, or an operation mixed its tensors with others."""


class Held(torch.Tensor):
    """A tensor that says it is on `device` and whose numbers, if any, are in `raw`."""

    raw: torch.Tensor

    @staticmethod
    def __new__(
        cls: Any, raw: torch.Tensor, requires_grad: bool = False, *, device: Any = None
    ) -> Any:
        if device is None:  # accelerate rebuilds a parameter as type(parameter)(tensor, ...)
            return torch.nn.Parameter(raw, requires_grad)
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.shape,
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device(device),
        )
        made.raw = raw
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise CardError(f"{func} on a tensor of the card, outside of `with Card():`")


def _register() -> torch.device:
    """Make torch know the device `card:0`, once a process; nothing takes it for available."""
    if torch.accelerator.is_available():
        raise CardError("there is an accelerator here: count on it instead of a simulated card")
    if not hasattr(torch, "card"):
        try:
            from torch.utils.backend_registration import (
                _DummyPrivateUse1Hook,
                _setup_privateuseone_for_python_backend,
            )
        except ImportError:
            raise CardError(f"torch {torch.__version__} has no devices written in Python") from None

        class Hook(_DummyPrivateUse1Hook):  # type: ignore[misc,valid-type]
            def is_available(self) -> bool:
                return False

        _setup_privateuseone_for_python_backend("card", backend_module=_Module(), hook=Hook())
    return torch.device("card:0")


class _Module:
    """What torch and diffusers ask of `torch.card`."""

    def is_available(self) -> bool:
        return False

    def is_initialized(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def empty_cache(self) -> None:
        pass


class _Intercept(TorchFunctionMode):
    """Two things that torch decides by device before it dispatches, done as an accelerator does."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        held = [each for each in args if isinstance(each, Held)]
        if held and func is torch._has_compatible_shallow_copy_type:
            return True  # a parameter stays the same object when its module moves
        if held and func == torch.Tensor.data.__set__:
            target, value = args
            if isinstance(target, torch.nn.Parameter):
                value = torch.nn.Parameter(value, requires_grad=False)
            torch.utils.swap_tensors(target, value)
            return None
        if held and func is torch.nn.functional.scaled_dot_product_attention:
            return torch.ops.drill_card.fused_attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@torch.library.custom_op("drill_card::fused_attention", mutates_args=())
def fused_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Attention as one operation, whose scores are never a tensor of the card."""
    return torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
    ).contiguous()


@fused_attention.register_fake
def _(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> Any:
    return query.new_empty((*query.shape[:-1], value.shape[-1]))


class Card(TorchDispatchMode):
    """The card: `with Card() as card:`, then `pipe.to(card.device)` and the like."""

    def __init__(self) -> None:
        super().__init__()
        self.device = _register()
        self.books = Books()
        """Bytes on the card, now and at most."""
        self.to_card = 0
        """Bytes copied from the CPU to the card."""
        self.to_cpu = 0
        self._intercept = _Intercept()

    def __enter__(self) -> Card:
        self._intercept.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._intercept.__exit__(*error)

    def on_card(self, raw: torch.Tensor) -> Held:
        """A tensor of the card around `raw`, entered in the books."""
        self.books.hold(raw)
        made: Held = Held(raw, device=self.device)
        return made

    def _wrapped(self, raw: Any, card: bool) -> Any:
        if card:
            return self.on_card(raw)
        return Held(raw, device="cpu") if raw.is_meta else raw

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is aten._to_copy.default:
            return self._copy(args[0], kwargs)
        if func is aten.copy_.default and _is_card(args[0]) != _is_card(args[1]):
            self._count(args[1], to_card=_is_card(args[0]))
            _raw(args[0]).copy_(_raw(args[1]))
            return args[0]
        flat, spec = tree_flatten((args, kwargs))
        tensors = [each for each in flat if isinstance(each, torch.Tensor)]
        asked = kwargs.get("device")
        card = asked == self.device or (asked is None and any(_is_card(each) for each in tensors))
        if not card and not any(isinstance(each, Held) for each in tensors):
            return func(*args, **kwargs)
        self._check(func, tensors, card)
        if asked is not None:
            kwargs["device"] = torch.device("cpu")
            flat, spec = tree_flatten((args, kwargs))
        raws = [_raw(each) if isinstance(each, torch.Tensor) else each for each in flat]
        if any(isinstance(each, torch.Tensor) and each.is_meta for each in raws):
            raws = [e.to("meta") if isinstance(e, torch.Tensor) else e for e in raws]
        known = {id(_raw(each)): each for each in tensors}
        given, named = tree_unflatten(raws, spec)
        out = func(*given, **named)
        return tree_map(
            lambda each: (
                known.get(id(each)) or self._wrapped(each, card)
                if isinstance(each, torch.Tensor) and id(each) not in known
                else known.get(id(each), each)
            ),
            out,
        )

    def _check(self, func: Any, tensors: list[torch.Tensor], card: bool) -> None:
        for each in tensors:
            if _is_card(each) != card and each.dim() > 0:
                raise CardError(
                    f"{func}: expected all tensors on one device, found some on the card and one "
                    f"of shape {tuple(each.shape)} on the {'CPU' if card else 'card'}"
                )

    def _copy(self, source: torch.Tensor, kwargs: dict[str, Any]) -> Any:
        """`tensor.to(...)`: on the card, on the CPU, or from one to the other."""
        target = kwargs.get("device")
        if target is not None and target.type == "meta":
            return aten._to_copy.default(_raw(source), **kwargs)
        card = _is_card(source) if target is None else target.type == self.device.type
        changes = {"dtype": kwargs["dtype"]} if kwargs.get("dtype") is not None else {}
        if kwargs.get("memory_format") is not None:
            changes["memory_format"] = kwargs["memory_format"]
        out = aten._to_copy.default(_raw(source), **changes)
        if card != _is_card(source):
            self._count(out, to_card=card)
        return self._wrapped(out, card)

    def _count(self, tensor: torch.Tensor, to_card: bool) -> None:
        size = tensor.numel() * tensor.element_size()
        if to_card:
            self.to_card += size
        else:
            self.to_cpu += size


def _is_card(tensor: Any) -> bool:
    return isinstance(tensor, Held) and tensor.device.type == "card"


def _raw(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.raw if isinstance(tensor, Held) else tensor


def without_memory(module: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """Let the meta parameters of a module pass for parameters on the CPU. Changes the module.

    For use under `with Card():`. Real buffers stay real.
    """
    made: dict[int, torch.nn.Parameter] = {}
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None and parameter.is_meta:
                if id(parameter) not in made:
                    raw = torch.empty(parameter.shape, dtype=dtype, device="meta")
                    held = Held(raw, device="cpu")
                    made[id(parameter)] = torch.nn.Parameter(held, requires_grad=False)
                part._parameters[name] = made[id(parameter)]
        for name, buffer in part._buffers.items():
            if buffer is not None and buffer.is_floating_point():
                part._buffers[name] = buffer.to(dtype)
    return module

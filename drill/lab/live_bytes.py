"""Bytes of live tensors, counted while code runs: every operation's result, until it is freed.

Imports torch, so it is for experiments and proofs only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["Books", "FusedAttention", "Ledger", "tensor_peak"]


class Books:
    """Bytes held now and at most, over storages: views of one storage are held once."""

    def __init__(self) -> None:
        self.live = 0
        self.peak = 0
        self._held: dict[int, int] = {}

    def hold(self, tensor: torch.Tensor) -> None:
        """Enter a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._held:
            return
        self._held[key] = size
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._freed, key)

    def reset_peak(self) -> None:
        """Let the peak begin anew at what is held now."""
        self.peak = self.live

    def _freed(self, key: int) -> None:
        self.live -= self._held.pop(key, 0)


class Ledger(TorchDispatchMode):  # type: ignore[misc]
    """Counts what the code under `with Ledger(device):` allocates for results on one device type.

    What existed before, such as weights, is not counted, and neither is the scratch memory that a
    kernel takes and gives back inside one operation. On the meta device nothing is computed and
    nothing needs memory, so models of any size can be counted.
    """

    def __init__(self, device: str | torch.device) -> None:
        super().__init__()
        self.device = torch.device(device).type
        self.books = Books()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        same = {id(each) for each in given}
        keys = {each.untyped_storage()._cdata for each in given if each.device.type == self.device}
        out = func(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if not isinstance(each, torch.Tensor) or each.device.type != self.device:
                continue
            # A view of an argument, or the argument itself, is no new memory.
            if id(each) not in same and each.untyped_storage()._cdata not in keys:
                self.books.hold(each)
        return out


class FusedAttention(TorchFunctionMode):  # type: ignore[misc]
    """Attention on the meta device that has its result's shape and stores no scores.

    torch picks the explicit computation for meta tensors, which no accelerator runs by default.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            query, _, value = (*args, *(kwargs or {}).values())[:3]
            return query.new_empty((*query.shape[:-1], value.shape[-1]))
        return func(*args, **(kwargs or {}))


def tensor_peak(run: Callable[[], object], device: str | torch.device) -> int:
    """Peak bytes of the results of `run()` on a device type; fused attention on meta.

    Autograd would keep results alive, so call it without gradients.
    """
    ledger = Ledger(device)
    if ledger.device == "meta":
        with FusedAttention(), ledger:
            run()
    else:
        with ledger:
            run()
    return ledger.books.peak

"""Bytes of live tensors, counted while code runs: every operation's result, until it is freed."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


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


class Ledger(TorchDispatchMode):
    """Counts what the code under `with Ledger(device):` allocates for results on one device type.

    What existed before, such as weights, is not counted, and neither is the scratch memory that a
    kernel takes and gives back inside one operation. On the meta device nothing is computed and
    nothing needs memory, so models of any size can be counted.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = torch.device(device).type
        self.books = Books()
        self.largest = 0
        """Bytes of the largest result of a single operation."""
        self._before: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {id(each) for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        keys = {
            each.untyped_storage()._cdata
            for each in tree_leaves((args, kwargs))
            if isinstance(each, torch.Tensor) and each.device.type == self.device
        }
        out = func(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if not isinstance(each, torch.Tensor) or each.device.type != self.device:
                continue
            # A view of an argument, or the argument itself, is no new memory.
            if id(each) in given or each.untyped_storage()._cdata in keys:
                continue
            self.books.hold(each)
            self.largest = max(self.largest, each.numel() * each.element_size())
        return out


class FusedAttention(TorchFunctionMode):
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


def tensor_peak(run: Any, device: str) -> int:
    """Peak bytes of the results of `run()` on a device type; fused attention on meta."""
    ledger = Ledger(device)
    if ledger.device == "meta":
        with FusedAttention(), ledger:
            run()
    else:
        with ledger:
            run()
    return ledger.books.peak

"""Instruments on a pipeline under way: what enters and leaves its components."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Call:
    """One call of the denoiser."""

    sample: Tensor
    timestep: float
    states: Tensor
    output: Tensor


@dataclass(frozen=True)
class Step:
    """One step of the scheduler."""

    output: Tensor
    """The prediction that the scheduler was given."""
    timestep: float
    before: Tensor
    after: Tensor


class Tap:
    """Records a pipeline's calls while code runs under `with`; changes nothing of them."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.calls: list[Call] = []
        self.steps: list[Step] = []
        self.texts: list[list[int]] = []
        """Token ids of each row that entered the text encoder."""
        self.decoder_inputs: list[Tensor] = []
        self.decoded: list[Tensor] = []
        self.dtypes: dict[str, Any] = {}
        """Types of the tensors that were handed over last, by place."""
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        pipe, scheduler = self.pipe, self.pipe.scheduler
        self._handles = [
            pipe.unet.register_forward_hook(self._denoised, with_kwargs=True),
            pipe.text_encoder.register_forward_pre_hook(self._encoding, with_kwargs=True),
            pipe.vae.post_quant_conv.register_forward_pre_hook(self._decoding),
            pipe.vae.decoder.register_forward_hook(self._decoded),
        ]
        own = scheduler.step

        def stepped(output: Tensor, t: Any, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
            made = own(output, t, sample, *args, **kwargs)
            after = made[0] if isinstance(made, tuple) else made.prev_sample
            self.dtypes["out of scheduler.step"] = after.dtype
            self.steps.append(Step(_kept(output), float(t), _kept(sample), _kept(after)))
            return made

        scheduler.step = stepped
        self._scheduler = scheduler
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        del self._scheduler.step  # the class's own comes back

    def _denoised(self, module: Any, args: Any, kwargs: dict[str, Any], out: Any) -> None:
        output = out[0] if isinstance(out, tuple) else out.sample
        states = kwargs["encoder_hidden_states"]
        t = args[1] if len(args) > 1 else kwargs["timestep"]
        self.dtypes |= {
            "latents into unet": args[0].dtype, "text states into unet": states.dtype,
            "out of unet": output.dtype,
        }  # fmt: skip
        self.calls.append(Call(_kept(args[0]), float(t), _kept(states), _kept(output)))

    def _encoding(self, module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        ids = args[0] if args else kwargs["input_ids"]
        self.texts += ids.tolist()

    def _decoding(self, module: Any, args: Any) -> None:
        self.dtypes["into vae.decode"] = args[0].dtype
        self.decoder_inputs.append(_kept(args[0]))

    def _decoded(self, module: Any, args: Any, out: Tensor) -> None:
        self.decoded.append(_kept(out))


def _kept(value: Tensor) -> Tensor:
    return value.detach().float().cpu().clone()

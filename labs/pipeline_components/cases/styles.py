"""Cases about adapters: requests without a style that do not look as they did before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from drill.lab.loading import load_module

base = load_module(Path(__file__).with_name("case.py"))
desk = load_module(Path(__file__).with_name("desk.py"))
probes = load_module(Path(__file__).with_name("probes.py"))
taps = load_module(Path(__file__).with_name("tap.py"))
Bound, Seen = base.Bound, base.Seen
Case: Any = base.Case
Change, Service = base.patched.Change, base.patched.Service


@dataclass(frozen=True)
class Styled:
    """Plain requests before and after a request with the style."""

    before: Any
    styled: Any
    after: Any
    pipe: Any
    tap: Any
    """Of the plain request after the style."""


class AfterStyle(Case):
    prompts = (desk.PROMPTS[0], desk.PROMPTS[3])
    seeds = (desk.SEEDS[0], desk.SEEDS[3])
    bound = Bound("mean change of pixels of the same plain request", 0.002, at_least=False)
    entry: ClassVar[str]
    strength: ClassVar[float] = 1.0

    def run(self, state: str) -> Styled:
        from drill.lab.family import lora_pipeline

        desk.bundled(self.context)
        service = self.service.load(state)
        pipe = lora_pipeline(self.context)
        pipe.disable_lora()
        before = service.generate(pipe, self.prompts, self.seeds)
        styled = getattr(service, self.entry)(pipe, self.prompts, self.seeds, self.strength)
        with taps.Tap(pipe) as tap:
            after = service.generate(pipe, self.prompts, self.seeds)
        return Styled(before, styled, after, pipe, tap)

    def measure(self, ran: Styled) -> float:
        return float((ran.before - ran.after).abs().mean())

    def view(self, ran: Styled) -> Any:
        shown = [desk.shown(self.context, each) for each in (ran.before, ran.after)]
        off = (ran.before - ran.after).abs().mean(dim=(1, 2, 3)).tolist()
        rows = list(zip(self.prompts, *shown, off, strict=True))
        changed = sum(each > self.bound.bound for each in off)
        return Seen(
            lines=[
                "plain requests, same seeds, before and after a customer used the style",
                *base.table(("prompt", "before", "after", "mean change"), rows),
            ],
            says=f"After a customer used the style, {changed} of {len(off)} plain pictures are "
            f"not what they were, by up to {max(off):.3f} of the range on average.",
            pictures={"plain request; upper row: before the style was used; lower: after": (
                ran.before, ran.after,
            )},
        )  # fmt: skip

    def probe_prompt_tokens(self) -> Any:
        return probes.prompt_tokens(self.broken.pipe, self.broken.tap)

    def probe_random_state(self) -> Any:
        """Bits of the noise of the plain request, against its seeds' noise."""
        import torch

        start = self.broken.tap.steps[0].before
        shape = start[:1].shape
        fresh = [
            torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in self.seeds
        ]
        rows = [
            (seed, probes.digest(ours), probes.digest(own[0]))
            for seed, ours, own in zip(self.seeds, start, fresh, strict=True)
        ]
        same = sum(ours == own for _, ours, own in rows)
        return Seen(
            lines=base.table(("seed", "first latents", "of the seed"), rows),
            says=f"{same} of {len(rows)} first latents are those of their seeds.",
            numbers={"same": same},
        )

    def probe_scheduler_config(self) -> Any:
        return probes.scheduler_config(self.broken.pipe)

    def probe_adapters(self) -> Any:
        """What PEFT has in the denoiser as the plain request left it."""
        from peft.tuners.tuners_utils import BaseTunerLayer

        pipe = self.broken.pipe
        layers = [each for each in pipe.unet.modules() if isinstance(each, BaseTunerLayer)]
        on = sum(not each.disable_adapters for each in layers)
        merged = sum(bool(each.merged_adapters) for each in layers)
        loaded = pipe.get_list_adapters().get("unet", [])
        return Seen(
            lines=[
                f"loaded            {loaded}",
                f"LoRA layers       {len(layers)}",
                f"  switched on     {on}",
                f"  merged          {merged}",
            ],
            says=f"{loaded} is loaded in {len(layers)} layers; {on} of them are switched on, "
            f"{merged} merged.",
            numbers={"on": on, "merged": merged},
        )

    def probe_weights_digest(self) -> Any:
        """The denoiser's own weights against the checkpoint's."""
        own = desk.bundled(self.context).unet.state_dict()
        ours = {
            name.replace(".base_layer.", "."): value
            for name, value in self.broken.pipe.unet.state_dict().items()
            if ".lora_" not in name
        }
        off = {name: float((ours[name] - own[name]).abs().max()) for name in own}
        wrong = sorted((name for name in off if off[name] > 1e-5), key=lambda name: -off[name])
        most = max(off.values())
        return Seen(
            lines=[
                f"{len(own)} tensors; {len(wrong)} differ by more than 1e-5 from the checkpoint",
                *(f"  {off[name]:.4f}  {name}" for name in wrong[:4]),
            ],
            says=f"{len(wrong)} of {len(own)} weight tensors differ from the checkpoint by more "
            f"than 1e-5, the most by {most:.2g}.",
            numbers={"wrong": len(wrong), "most": most},
        )

    def probe_decoder_input(self) -> Any:
        return probes.decoder_input(self.context, self.broken.pipe, self.broken.tap)


class StyleLeaks(AfterStyle):
    name = "style-leaks"
    cause = "adapter-left-on"
    service = Service("style_service.py", (Change("    else:\n        pipe.disable_lora()\n", ""),))
    mended_by = "A request without a style switches the adapter off"
    entry = "generate"


class UnfuseRescaled(AfterStyle):
    name = "unfuse-rescaled"
    cause = "unfused-at-another-scale"
    service = Service(
        "style_service.py",
        (
            Change(
                "    pipe.set_adapters([STYLE], [style])\n    pipe.fuse_lora()\n",
                "    pipe.fuse_lora()\n    pipe.set_adapters([STYLE], [style])\n",
            ),
        ),
    )
    mended_by = "The style's strength is set before it is merged, and stays until it is taken out"
    entry = "preset"
    strength = 2.0


CASES = (StyleLeaks, UnfuseRescaled)

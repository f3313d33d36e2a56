"""mutant-arena: one-line bugs applied to a live sampling loop, looked at and measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any

claims = load_module(Path(__file__).with_name("mutant_claims.py"))
bugs = load_module(Path(__file__).with_name("bugs.py"))
parts = load_module(Path(__file__).with_name("arena_parts.py"))

DEFAULT = (
    "halves-swapped", "guided-embeddings", "counted-from-text", "bare-betas", "stale-stride",
    "clip-sample", "dt-sign", "input-unscaled", "no-scaling-factor", "no-shift",
    "channels-reversed",
)  # fmt: skip
CHECKED = 4
"""Pictures that the pipeline itself makes for the comparison."""
SHOWN = 8
CLASSES = {"ddim": "DDIMScheduler", "euler": "EulerDiscreteScheduler", "ddpm": "DDPMScheduler"}


class MutantArena(Experiment):
    name = "mutant-arena"
    params = (
        Param(
            "bugs", "texts", DEFAULT, "one-line bugs to apply, each alone",
            least=1, most=len(bugs.BUGS), choices=tuple(each.name for each in bugs.BUGS),
        ),
        Param("pictures", "int", 8, "pictures of each row, the same noise in all", 2, 64),
        Param("steps", "int", 10, "sampling steps", 4, 100),
        Param("guidance_scale", "float", 5.0, "guidance scale, above 1", 1.1, 20),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "adherence_stays", "same_latents", "opposite", "grainy", "std_off", "raised", "smallest",
    )  # fmt: skip
    seconds = 180

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        context.progress(0, 1, "loading the model")
        arena = Arena(context)
        chosen = [each for each in bugs.BUGS if each.name in context.params["bugs"]]
        samplers = list(dict.fromkeys(each.sampler for each in chosen))
        arena.plan(len(samplers) + sum(not each.in_decoder for each in chosen))
        source = bugs.LOOP.read_text(encoding="utf-8")
        healthy = {name: arena.run(f"healthy, {name}", name, source) for name in samplers}
        apart = {name: arena.apart_from_pipeline(name, healthy[name].pixels) for name in samplers}
        found: dict[str, Any] = {}
        for bug in chosen:
            text, line = bugs.patched(source, bug)
            reference = healthy[bug.sampler]
            context.log(f"{bug.name} ({bug.sampler}), loop.py:{line}\n- {bug.was}\n+ {bug.now}")
            told: dict[str, Any] = {
                "sampler": bug.sampler, "line": line, "was": bug.was, "now": bug.now, "error": "",
            }  # fmt: skip
            try:
                latents = reference.latents if bug.in_decoder else None
                made = arena.run(bug.name, bug.sampler, text, latents)
            except (RuntimeError, IndexError, ValueError, TypeError) as error:
                told |= {"error": f"{type(error).__name__}: {error}", "measures": None}
            else:
                told["measures"] = arena.measures(made, reference)
                told["input_std"] = made.input_std
            found[bug.name] = told
        metrics: dict[str, Any] = {
            "pictures": context.params["pictures"],
            "steps": context.params["steps"],
            "guidance_scale": context.params["guidance_scale"],
            "bundled": context.bundled,
            "float32": arena.float32,
            "cpu": context.device == "cpu",
            "apart": apart,
            "healthy": {
                name: arena.measures(each, each) | {"input_std": each.input_std}
                for name, each in healthy.items()
            },
            "bugs": found,
        }
        arena.plot(metrics)
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))


class Made:
    """What one run of the loop gave. Tensors on the CPU in float32."""

    def __init__(self, latents: Any, decoded: Any, pixels: Any, input_std: list[float]) -> None:
        self.latents = latents
        self.decoded = decoded.float().cpu()
        self.pixels = pixels.float().cpu()
        self.input_std = input_std


class Arena:
    """The model, prompts and noise that healthy loops and bugs share."""

    def __init__(self, context: Context) -> None:
        import torch

        from drill.lab.guided import check_denoiser, encode_texts
        from drill.lab.sampling import initial_latents, picture_seeds

        self.context, self.given = context, context.params
        self.pipe = context.pipeline()
        check_denoiser(self.pipe)
        parts.check_scheduler(self.pipe.scheduler.config)
        self.measuring = load_module(Path(__file__).with_name("mutant_measures.py"))
        self._cfg = context.module("labs/cfg_reading/measures.py")
        attributes, self._judge = context.module("labs/models/drawings.py").ATTRIBUTES, None
        if context.bundled:
            code = context.module("labs/models/judge.py")
            self._judge = code, code.load_judge(context.models / "judge")
            attributes = self._judge[1].attributes
        self.prompts = self._cfg.fixed_prompts(attributes, self.given["pictures"])
        self._asked = [self._cfg.wanted(each, attributes) for each in self.prompts]
        device, dtype = self.pipe.unet.device, self.pipe.unet.dtype
        self.float32 = dtype == torch.float32
        self.text = encode_texts(self.pipe, self.prompts).to(device, dtype)
        self.empty = encode_texts(self.pipe, [""] * len(self.text)).to(device, dtype)
        seeds = picture_seeds(context.seed, len(self.text))
        self.noise = initial_latents(self.pipe, seeds).to(device, dtype)
        self._rows: list[Any] = []
        self._names: list[str] = []
        self._done = self._total = 0

    def plan(self, loops: int) -> None:
        self._total = loops * self.given["steps"]

    def generators(self) -> list[Any]:
        """Those of the noise that DDPM adds, one for each picture."""
        import torch

        base = 1_000_003 * (self.context.seed + 1)
        return [torch.Generator().manual_seed(base + k) for k in range(len(self.noise))]

    def run(self, name: str, sampler: str, source: str, latents: Tensor | None = None) -> Made:
        """Run a loop given as source; with `latents` only its decoding."""
        import torch

        loop = parts.module_of(name, source)
        generators, spread = self.generators(), []
        like = self.noise[:1]

        def draw(index: int) -> Tensor:
            drawn = [torch.randn(like.shape, generator=each) for each in generators]
            return torch.cat(drawn).to(like)

        def shown(index: int, sample: Tensor) -> None:
            spread.append(float(sample.float().std()))
            self._done += 1
            self.context.progress(min(self._done, self._total), self._total, "sampling")

        with torch.inference_mode(), parts.exact():
            if latents is None:
                latents = loop.sample(
                    self.pipe, sampler, self.text, self.empty, self.noise, self.given["steps"],
                    self.given["guidance_scale"], draw, shown,
                )  # fmt: skip
            decoded, pixels = loop.decode(self.pipe, latents)
        made = Made(latents, decoded, pixels, spread)
        self._show(name, made.pixels)
        return made

    def measures(self, made: Made, healthy: Made) -> dict[str, Any]:
        """Measures of a run, those with a healthy counterpart relative to it."""
        import torch

        m = self.measuring
        ours, base = made.latents.float(), healthy.latents.float()
        shares, usual = self._judged(made.pixels), self._judged(healthy.pixels)
        judged: dict[str, Any] = {
            "adherence": shares and shares["all"],
            "adherence kept": shares and usual and shares["all"] - usual["all"],
            "shape": shares and shares["shape"],
            "background": shares and shares["background"],
        }
        return judged | {
            "latent std": float(ours.std() / base.std()),
            "latent distance": m.distance(ours, base),
            "out of range": m.out_of_range(made.decoded),
            "roughness": m.roughness(made.pixels) / m.roughness(healthy.pixels),
            "contrast": m.contrast(made.pixels) / m.contrast(healthy.pixels),
            "agreement": m.agreement(made.pixels, healthy.pixels),
            "largest difference": float((made.pixels - healthy.pixels).abs().max()),
            "first input std": made.input_std[0] if made.input_std else None,
            "finite": bool(torch.isfinite(ours).all() and torch.isfinite(made.decoded).all()),
        }

    def _judged(self, pixels: Tensor) -> dict[str, float] | None:
        """Shares of pictures with each attribute right, and with `all`; None without a judge."""
        if self._judge is None:
            return None
        code, judge = self._judge
        shares: dict[str, float] = self._cfg.judged(code, judge, pixels, self._asked)
        return shares

    def apart_from_pipeline(self, sampler: str, pixels: Tensor) -> float:
        """Largest difference of a pixel from the pictures of the pipeline itself."""
        import diffusers

        count = min(CHECKED, len(pixels))
        label = f"the pipeline itself, {sampler}"
        kind = getattr(diffusers, CLASSES[sampler])
        scheduler = kind.from_config(self.pipe.scheduler.config)
        light = type(self.pipe)(
            **{**self.pipe.components, "scheduler": scheduler}, requires_safety_checker=False
        )
        light.set_progress_bar_config(disable=True)

        def report(_: Any, step: int, t: int, kwargs: dict[str, Any]) -> dict[str, Any]:
            self.context.progress(step + 1, self.given["steps"], label)
            return kwargs

        with parts.exact():
            images = light(
                self.prompts[:count], latents=self.noise[:count].clone(), output_type="pt",
                num_inference_steps=self.given["steps"], callback_on_step_end=report,
                guidance_scale=self.given["guidance_scale"], generator=self.generators()[:count],
            ).images  # fmt: skip
        return float((images.float().cpu() - pixels[:count]).abs().max())

    def plot(self, metrics: dict[str, Any]) -> None:
        rows = {f"healthy, {name}": each for name, each in metrics["healthy"].items()}
        rows |= {name: each for name, each in metrics["bugs"].items() if each.get("input_std")}
        self.context.plot(
            "shown to the denoiser",
            {name: list(enumerate(each["input_std"], start=1)) for name, each in rows.items()},
            "call", "standard deviation",
        )  # fmt: skip
        for name, each in metrics["bugs"].items():
            if each["measures"] and each["measures"]["adherence"] is not None:
                self.context.metric(f"adherence, {name}", each["measures"]["adherence"])

    def _show(self, name: str, pixels: Tensor) -> None:
        self._rows.append(pictures.to_bytes(pixels[:SHOWN]))
        self._names.append(name)
        self.context.image(
            "arena", parts.named_grid(self._rows, self._names), "rows: " + "; ".join(self._names)
        )


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    found = metrics["bugs"]
    raised = [name for name, each in found.items() if each["error"]]
    parts = [
        f"{len(found) - len(raised)} of {len(found)} one-line bugs ran through without an error"
    ]
    stays = claims.outcomes(metrics)["adherence_stays"]
    if stays is not None:
        right = ", ".join(
            f"{each['adherence']:.0%} with {name}" for name, each in metrics["healthy"].items()
        )
        parts.append(
            f"the healthy loop gets {right} of the pictures right, and so, within "
            f"{claims.STAYS:g}, does the loop with {', '.join(stays) or 'none of them'}"
        )
    moved = [each["measures"]["largest difference"] for each in found.values() if each["measures"]]
    if moved:
        parts.append(
            f"the healthy loop differs from the pipeline's pictures by at most "
            f"{max(metrics['apart'].values()):.0e}, the bugs from the healthy loop by at least "
            f"{min(moved):.2g}"
        )
    return "; ".join(parts) + "."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if not context.bundled:
        return Transfers("yes", "It was measured on this very model.")
    return Transfers(
        "unknown",
        "That these lines raise nothing, and that a comparison with the pipeline finds them, holds "
        "for every model of this kind. How much of a picture survives a wrong line is the model's: "
        "this one is small, sure of its few words, and forgives much that a large one may not.",
    )


EXPERIMENTS = (MutantArena(),)

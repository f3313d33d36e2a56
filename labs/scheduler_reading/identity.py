"""euler-equals-ddim: one update rule in two coordinates, and what makes the two part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

claims = load_module(Path(__file__).with_name("identity_claims.py"))

PROMPTS = (
    "a large yellow heart on a purple background",
    "a small red star on a blue background",
    "a large green circle on a white background",
    "a small black cross on an orange background",
)


class EulerEqualsDdim(Experiment):
    name = "euler-equals-ddim"
    params = (
        Param("steps", "int", 20, "steps of both; a divisor of 1000", 2, 250),
        Param("uneven", "int", 30, "steps that do not divide 1000, for one change", 3, 250),
        Param("pictures", "int", 3, "pictures, each from its own noise", 1, 32),
        Param("guidance_scale", "float", 1, "above 1, each step evaluates twice", 0, 20),
        Param(
            "changes", "texts", claims.CHANGES, "what to change, one at a time",
            least=0, most=len(claims.CHANGES), choices=claims.CHANGES,
        ),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("identical", "keeps", "breaks", "largest")
    seconds = 180

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels
        from drill.lab.trajectory import prepare_texts

        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        count = given["pictures"]
        prompts = [PROMPTS[k % len(PROMPTS)] for k in range(count)]
        texts = prepare_texts(pipe, prompts, given["guidance_scale"])
        noise = initial_latents(pipe, picture_seeds(context.seed, count))
        changes = [each for each in claims.CHANGES if each in given["changes"]]
        pair = _Pair(context, pipe, texts, noise, given["steps"], given["uneven"])

        by_ddim, by_euler = pair.ways()
        on_the_way = [float((a - b).abs().max()) for a, b in zip(by_ddim, by_euler, strict=True)]
        final = pair.solvers.distance(by_euler[-1], by_ddim[-1])
        found, shown = {}, [by_ddim[-1], by_euler[-1]]
        for done, change in enumerate(changes):
            context.progress(done, len(changes), f"changed: {change}")
            one, other = pair.changed(change)
            found[change] = pair.solvers.distance(other, one)
            context.metric(f"apart, {change}", found[change])
            shown += [one, other]
        metrics: dict[str, Any] = {
            "steps": given["steps"],
            "uneven": given["uneven"],
            "pictures": count,
            "guidance_scale": given["guidance_scale"],
            "apart": final,
            "largest_on_the_way": max(on_the_way),
            "on_the_way": on_the_way,
            "changed": found,
            "float32": pipe.unet.dtype == torch.float32,
            "clip_reached": float(by_ddim[-1].abs().max()),
        }
        context.plot(
            "on the way",
            {"largest difference": list(enumerate(on_the_way, start=1))},
            "step",
            "in DDIM's coordinates",
        )
        context.progress(0, 1, "decoding")
        columns = [pictures.to_bytes(to_pixels(decode(pipe, each[:2]))) for each in shown]
        rows = [_beside(columns[k], columns[k + 1]) for k in range(0, len(columns), 2)]
        context.image(
            "identity", pictures.png(pictures.grid(rows, cell=96)),
            "each row: a picture by DDIM (or DDPM), the same by Euler (or Euler ancestral), and a "
            "second pair; rows: unchanged, " + ", ".join(changes),
        )  # fmt: skip
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), transfers(context))


class _Pair:
    """DDIM and Euler from one noise, unchanged or with one thing changed."""

    def __init__(
        self, context: Context, pipe: Any, texts: Any, noise: Any, steps: int, uneven: int
    ) -> None:
        self.solvers = load_module(Path(__file__).with_name("solvers.py"))
        self.context, self.pipe, self.texts, self.noise = context, pipe, texts, noise
        self.steps, self.uneven = steps, uneven
        self._plain: dict[str, Any] = {}

    def result(self, name: str, steps: int = 0, **config: Any) -> Any:
        """Final latents (N, c, h, w) by the solver `name`."""
        found = self.solvers.run(
            self.pipe, name, steps or self.steps, self.texts, self.noise, seed=self.context.seed,
            on_step=lambda done, total, latents: self.context.check(), **config,
        )  # fmt: skip
        return found.latents

    def plain(self, name: str) -> Any:
        if name not in self._plain:
            self._plain[name] = self.result(name)
        return self._plain[name]

    def ways(self) -> tuple[list[Any], list[Any]]:
        """The latents after each step of both, in DDIM's coordinates, x sqrt(ab)."""
        ways: list[list[Any]] = []
        for name in ("ddim", "euler"):
            way: list[Any] = []
            scheduler = self.solvers.make(self.pipe, name, self.steps)
            levels = getattr(scheduler, "sigmas", None)

            def keep(
                done: int, total: int, latents: Any, way: list[Any] = way, levels: Any = levels
            ) -> None:
                self.context.progress(done, total, "the two, step by step")
                scale = 1.0 if levels is None else float((levels[done] ** 2 + 1) ** -0.5)
                way.append(latents.float().cpu() * scale)

            self.solvers.run(
                self.pipe, name, self.steps, self.texts, self.noise, on_step=keep
            )  # fmt: skip
            self._plain[name] = way[-1]
            ways.append(way)
        return ways[0], ways[1]

    def changed(self, change: str) -> tuple[Any, Any]:
        """Final latents of both with `change`, in the same coordinates."""
        if change == "init-noise-sigma":
            return self.plain("ddim"), self._as_the_pipeline_starts()
        if change == "ddim-ends-at-ab0":
            return self.result("ddim", set_alpha_to_one=False), self.plain("euler")
        if change == "both-end-at-ab0":
            by_euler = self.result("euler", final_sigmas_type="sigma_min")
            ab = self.pipe.scheduler.alphas_cumprod[0]
            return self.result("ddim", set_alpha_to_one=False), by_euler * float(ab.sqrt())
        if change == "class-defaults":
            return (
                self.result("ddim", timestep_spacing="leading"),
                self.result("euler", timestep_spacing="linspace"),
            )
        if change in ("both-leading", "both-linspace"):
            spacing = change.removeprefix("both-")
            return (
                self.result("ddim", timestep_spacing=spacing),
                self.result("euler", timestep_spacing=spacing),
            )
        if change == "uneven-steps":
            return self.result("ddim", self.uneven), self.result("euler", self.uneven)
        if change == "karras-in-euler":
            return self.plain("ddim"), self.result("euler", use_karras_sigmas=True)
        if change == "clip-sample":
            return self.result("ddim", clip_sample=True), self.plain("euler")
        return self.plain("ddpm"), self.plain("euler-a")

    def _as_the_pipeline_starts(self) -> Any:
        from drill.lab.trajectory import denoise

        scheduler = self.solvers.make(self.pipe, "euler", self.steps)
        first = self.noise * float(scheduler.init_noise_sigma)
        return denoise(self.pipe, scheduler, self.texts, first).latents


def _beside(one: Any, other: Any) -> Any:
    """Two sets of pictures (N, H, W, 3) as one row, picture by picture."""
    import numpy as np

    return np.stack([one, other], axis=1).reshape(-1, *one.shape[1:])


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    text = (
        f"Over {metrics['steps']} steps Euler and DDIM end {metrics['apart']:.1e} apart, relative "
        f"to the latents, and never differ by more than {metrics['largest_on_the_way']:.1e}"
    )
    changed = metrics["changed"]
    if changed:
        worst = max(changed, key=lambda each: changed[each])
        text += f"; of the changes, {worst} drives them furthest apart, to {changed[worst]:.3f}"
    return text + "."


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    if context.model:
        return Transfers("yes", "It was measured on this very model.")
    return Transfers(
        "yes",
        "The identity is algebra and holds for any denoiser; which settings break it is code. How "
        "far a broken one drives the pictures apart depends on the model.",
    )


EXPERIMENTS = (EulerEqualsDdim(),)

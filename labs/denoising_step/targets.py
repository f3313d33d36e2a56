"""prediction-targets: models trained alike but for the target, compared in the space of x_0."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module
from drill.lab.models import ModelError

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("targets_claims.py"))

MODELS = {"epsilon": "targets/epsilon", "sample": "targets/sample", "v_prediction": "targets/v"}
"""The models by `prediction_type`; the drawings, the noise table and the seed were the same."""
SHOWN = 1
"""Pictures in the final grid, with a row for each model."""
BATCH = 64


class PredictionTargets(Experiment):
    name = "prediction-targets"
    params = (
        Param(
            "timesteps", "ints", (10, 50, 100, 250, 500, 750, 900, 999), "noise levels",
            low=0, high=999, least=2, most=16,
        ),
        Param("pictures", "int", 128, "drawings, noised alike for every model", 16, 1024),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = (
        "worst_at_first", "worst_at_last", "best_at_last", "eps_over_sample_at_last",
        "sample_over_eps_at_first", "v_over_best",
    )  # fmt: skip
    seconds = 120

    def warm(self, context: Context) -> None:
        if context.bundled:
            self._models(context)

    def run(self, context: Context) -> Result:
        from drill.lab.family import drawing_latents, encode_text

        if not context.bundled:
            raise ModelError(
                "prediction-targets compares three small models that were trained alike but for "
                "the target; a single model of your own has one target and nothing to be compared "
                "with. Run it without --model, or run one-step-x0 with your model"
            )
        given = context.params
        context.progress(0, 1, "loading the models")
        models = self._models(context)
        drawn = drawing_latents(context, given["pictures"], context.seed + 1000)
        text = encode_text(context, drawn.captions)
        timesteps = sorted(set(given["timesteps"]))
        rows: list[dict[str, Any]] = []
        shown: dict[str, list[Tensor]] = {kind: [] for kind in models}
        for done, t in enumerate(timesteps):
            context.progress(done, len(timesteps), "asking every model at every t")
            row = compare(context, models, drawn.latents, text, t, shown)
            rows.append(row)
            for kind in models:
                context.metric(f"x0 RMSE, {kind}", row["x0_rmse"][kind], t)
        context.progress(len(timesteps), len(timesteps), "asking every model at every t")
        self._show(context, drawn.latents, shown, timesteps)
        self._plots(context, rows)
        metrics = {"rows": rows, "pictures": given["pictures"]}
        return Result(metrics, claims.outcomes(metrics), sentence(metrics), TRANSFERS)

    @staticmethod
    def _models(context: Context) -> dict[str, Any]:
        from drill.lab.family import load_denoiser

        return {kind: load_denoiser(context, name) for kind, name in MODELS.items()}

    @staticmethod
    def _show(
        context: Context, clean: Tensor, shown: dict[str, list[Tensor]], timesteps: list[int]
    ) -> None:
        import torch

        from drill.lab.sampling import decode, to_pixels

        pipe = context.pipeline()
        original = to_pixels(decode(pipe, clean[:SHOWN]))
        rows = []
        for k in range(SHOWN):
            for estimates in shown.values():
                pixels = to_pixels(decode(pipe, torch.cat([each[k : k + 1] for each in estimates])))
                rows.append(pictures.to_bytes(torch.cat([original[k : k + 1], pixels])))
        caption = (
            f"x_0 from one evaluation; rows: {', '.join(shown)}; columns: the original, then t = "
            + ", ".join(map(str, timesteps))
        )
        context.image("estimates", pictures.png(pictures.grid(rows)), caption)

    @staticmethod
    def _plots(context: Context, rows: list[dict[str, Any]]) -> None:
        for name, label in (
            ("x0_rmse", "RMSE of x_0"),
            ("own_loss", "MSE of the model's own target"),
        ):
            curves = {kind: [(row["t"], row[name][kind]) for row in rows] for kind in MODELS}
            context.plot(name, curves, "timestep", label)


def compare(
    context: Context,
    models: dict[str, Any],
    clean: Tensor,
    text: Any,
    t: int,
    shown: dict[str, list[Tensor]],
) -> dict[str, Any]:
    """Errors of every model at one timestep, on the same noisy latents, in all three spaces."""
    import torch

    measures = load_module(Path(__file__).with_name("measures.py"))
    rng = torch.Generator().manual_seed(context.seed + t)
    eps = torch.randn(clean.shape, generator=rng).to(clean)
    first = next(iter(models.values()))
    signal, noise = float(first.signal_levels()[t]), float(first.noise_levels()[t])
    row: dict[str, Any] = {
        "t": t, "snr": (signal / noise) ** 2, "x0_rmse": {}, "x0_mse": {}, "eps_mse": {},
        "v_mse": {}, "own_loss": {},
    }  # fmt: skip
    squared, truth = {}, clean.cpu()
    for kind, model in models.items():
        x0, eps_hat, own = [], [], []
        for start in range(0, len(clean), BATCH):
            context.check()
            part, part_eps = clean[start : start + BATCH], eps[start : start + BATCH]
            noisy = model.add_noise(part, part_eps, t)
            raw = model.predict(noisy, t, text[start : start + BATCH])
            x0.append(model.to_clean(raw, noisy, t).cpu())
            eps_hat.append(model.to_noise(raw, noisy, t).cpu())
            wanted = model.training_target(part, part_eps, t)
            own.append(measures.errors(raw.cpu(), wanted.cpu()))
        estimate, noise_hat = torch.cat(x0).double(), torch.cat(eps_hat).double()
        squared[kind] = measures.errors(estimate, truth)
        # v from the pair (x0, eps): the velocity that this estimate implies.
        v_error = signal * (noise_hat - eps.cpu()) - noise * (estimate - truth)
        row["x0_mse"][kind] = float(squared[kind].mean())
        row["x0_rmse"][kind] = row["x0_mse"][kind] ** 0.5
        row["eps_mse"][kind] = float((noise_hat - eps.cpu()).square().mean())
        row["v_mse"][kind] = float(v_error.square().mean())
        row["own_loss"][kind] = float(torch.cat(own).mean())
        shown[kind].append(estimate[:SHOWN].float())
    row["worse_by"] = {
        kind: min(
            measures.error_bars(squared[kind] - squared[other]) for other in models if other != kind
        )
        for kind in models
    }
    return row


def sentence(metrics: dict[str, Any]) -> str:
    """What happened, in the measured numbers."""
    parts = []
    for row in (metrics["rows"][0], metrics["rows"][-1]):
        told = ", ".join(f"{kind} {value:.3f}" for kind, value in row["x0_rmse"].items())
        parts.append(f"at t={row['t']} (SNR {row['snr']:.3g}) the RMSE of x_0 was {told}")
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


TRANSFERS = Transfers(
    "yes",
    "The identities hold for every model. That an eps-model is worst in x_0 where the SNR is low, "
    "and an x_0-model where it is high, follows from the weights that they give; how far they are "
    "apart depends on size and training, and large models trained for long are closer.",
)

EXPERIMENTS = (PredictionTargets(),)

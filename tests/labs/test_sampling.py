"""The batched sweep gives the pictures of the loop that calls the pipeline once a scale."""

from __future__ import annotations

from typing import Any

import pytest

from drill.lab.models import ModelError
from drill.lab.sampling import DenoiserSpy, decode, initial_latents, sweep_scales, to_pixels

pytestmark = [
    pytest.mark.labs,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers
]

PROMPTS = ("a small red star on a blue background", "a large green cross on a white background", "")
SCALES = (0.0, 0.5, 1.0, 1.5, 5.0, 20.0)
STEPS = 5


def loop_over_scales(pipe: Any, noise: Any, scales: tuple[float, ...]) -> Any:
    import torch

    images = [
        pipe(
            list(PROMPTS),
            num_inference_steps=STEPS,
            guidance_scale=scale,
            latents=noise,
            output_type="pt",
        ).images
        for scale in scales
    ]
    return torch.stack(images)


def scheduler_named(name: str, pipe: Any) -> Any:
    import diffusers

    return getattr(diffusers, name).from_config(pipe.scheduler.config)


@pytest.mark.parametrize(
    "name",
    ["DDIMScheduler", "EulerDiscreteScheduler", "PNDMScheduler", "DPMSolverMultistepScheduler"],
)
@pytest.mark.parametrize("rows", [None, 5])
def test_pictures_equal_those_of_the_loop(pipe: Any, name: str, rows: int | None) -> None:
    old = pipe.scheduler
    pipe.scheduler = scheduler_named(name, pipe)
    try:
        noise = initial_latents(pipe, [3, 4, 5])
        sweep = sweep_scales(pipe, PROMPTS, SCALES, noise, STEPS, rows=rows)
        pixels = to_pixels(decode(pipe, sweep.latents.flatten(0, 1), batch=4))
        pixels = pixels.unflatten(0, (len(SCALES), len(PROMPTS)))
        expected = loop_over_scales(pipe, noise, SCALES)
    finally:
        pipe.scheduler = old
    assert (pixels - expected).abs().max() < 1e-3
    # The test would see a wrong scale: neighbours differ by far more than the tolerance.
    for low, high in ((2, 3), (3, 4), (4, 5)):
        assert (expected[low] - expected[high]).abs().max() > 0.02


def test_order_and_repeats_of_scales_do_not_matter(pipe: Any) -> None:
    import torch

    noise = initial_latents(pipe, [0, 1, 2])
    mixed = sweep_scales(pipe, PROMPTS, (7.5, 1.0, 7.5, 3.0), noise, 3)
    plain = sweep_scales(pipe, PROMPTS, (1.0, 3.0, 7.5), noise, 3)
    assert torch.allclose(mixed.latents[[1, 3, 0]], plain.latents, atol=1e-5)
    assert torch.equal(mixed.latents[0], mixed.latents[2])


def test_counts_are_those_of_the_pipeline(pipe: Any) -> None:
    noise = initial_latents(pipe, [0, 1, 2])
    sweep = sweep_scales(pipe, PROMPTS, (0.0, 1.0, 3.0, 8.0), noise, STEPS)
    for row, scale in enumerate((0.0, 1.0, 3.0, 8.0)):
        with DenoiserSpy(pipe.unet) as spy:
            pipe(
                list(PROMPTS),
                num_inference_steps=STEPS,
                guidance_scale=scale,
                latents=noise,
                output_type="latent",
            )
        assert sweep.calls[row].tolist() == [spy.calls] * 3
        assert sweep.evaluations[row].tolist() == [spy.evaluations / 3] * 3
    # 0 and 1 share a pass: 3 pictures once and 2 * 3 pictures twice, in one call a step.
    assert sweep.total_calls == STEPS
    assert sweep.total_evaluations == STEPS * (3 + 2 * 6)


def test_spread_is_one_without_guidance_and_grows_with_it(pipe: Any) -> None:
    noise = initial_latents(pipe, [0, 1, 2])
    sweep = sweep_scales(pipe, PROMPTS, (1.0, 5.0, 20.0), noise, STEPS)
    assert sweep.spread[0].tolist() == [1.0, 1.0, 1.0]
    # The empty prompt is guided away from itself: nothing changes.
    assert sweep.spread[:, 2].tolist() == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)
    assert sweep.spread[2, 0] > sweep.spread[1, 0] > 1.0


def test_ancestral_noise_is_the_same_at_every_scale(pipe: Any) -> None:
    import torch

    old = pipe.scheduler
    pipe.scheduler = scheduler_named("EulerAncestralDiscreteScheduler", pipe)
    try:
        noise = initial_latents(pipe, [0, 1, 2])
        sweep = sweep_scales(pipe, PROMPTS, (1.0, 4.0), noise, STEPS)
        again = sweep_scales(pipe, PROMPTS, (4.0,), noise, STEPS)
    finally:
        pipe.scheduler = old
    assert torch.allclose(sweep.latents[1], again.latents[0], atol=1e-4)
    assert torch.allclose(sweep.latents[0, 2], sweep.latents[1, 2], atol=1e-3)  # empty prompt


def test_steps_report_predicted_clean_latents(pipe: Any) -> None:
    seen: list[tuple[int, int, tuple[int, ...]]] = []
    noise = initial_latents(pipe, [0, 1, 2])
    sweep_scales(
        pipe, PROMPTS, (1.0, 4.0), noise, 4,
        on_step=lambda done, total, clean: seen.append((done, total, tuple(clean().shape))),
    )  # fmt: skip
    assert seen == [(k, 4, (2, 3, 4, 8, 8)) for k in (1, 2, 3, 4)]


def test_initial_latents_depend_on_the_seed_alone(pipe: Any) -> None:
    import torch

    assert torch.equal(initial_latents(pipe, [7, 8])[1], initial_latents(pipe, [8])[0])


def test_a_distilled_denoiser_is_refused(pipe: Any) -> None:
    from diffusers import UNet2DConditionModel

    distilled = UNet2DConditionModel.from_config(pipe.unet.config, time_cond_proj_dim=8)
    old = pipe.unet
    pipe.unet = distilled
    try:
        with pytest.raises(ModelError, match="guidance distillation"):
            sweep_scales(pipe, PROMPTS, (1.0, 4.0), initial_latents(pipe, [0, 1, 2]), 2)
    finally:
        pipe.unet = old


def test_pictures_of_two_seeds_do_not_overlap() -> None:
    from drill.lab.sampling import picture_seeds

    assert picture_seeds(0, 3) == [0, 1, 2]
    assert not {*picture_seeds(0, 256)} & {*picture_seeds(1, 256)}
    torch_limit = 2**63
    assert max(picture_seeds(2**62, 4)) < torch_limit

"""Pipelines with random weights: true sizes on the meta device, shrunken ones from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drill.lab import Context, Result, Transfers, random_models
from drill.lab.denoiser_inputs import (
    denoiser_inputs,
    denoiser_of,
    guided_rows,
    latents_of,
    vae_factor,
)
from drill.lab.models import ModelError, load_pipeline
from drill.lab.random_models import ARCHITECTURES

pytestmark = [
    pytest.mark.labs,
    # diffusers' Euler scheduler hands numpy a tensor in a way that numpy 2 warns about
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
CLIP_L, CLIP_L_PROJECTED, BIG_G = 123_060_480, 123_650_304, 694_659_840
T5_XXL, VAE_4, VAE_16 = 4_762_310_656, 83_653_863, 83_819_683
PUBLISHED = {
    "sd15-random": {"text_encoder": CLIP_L, "unet": 859_520_964, "vae": VAE_4},
    "sdxl-random": {
        "text_encoder": CLIP_L,
        "text_encoder_2": BIG_G,
        "unet": 2_567_463_684,
        "vae": VAE_4,
    },
    "sd3-random": {
        "text_encoder": CLIP_L_PROJECTED,
        "text_encoder_2": BIG_G,
        "text_encoder_3": T5_XXL,
        "transformer": 2_028_328_000,
        "vae": VAE_16,
    },
    "flux-random": {
        "text_encoder": CLIP_L,
        "text_encoder_2": T5_XXL,
        "transformer": 11_901_408_320,
        "vae": VAE_16,
    },
}
"""Parameters of the published checkpoints by component."""
NAMES = tuple(ARCHITECTURES)


def context(model: str, **more: Any) -> Context:
    return Context(params={}, pack=ROOT, emit=lambda event: None, model=model, **more)


@pytest.mark.parametrize("name", ["sd15-random", "sdxl-random", "flux-random"])
def test_components_have_the_published_numbers_of_parameters(name: str) -> None:
    assert random_models.parameter_counts(name) == PUBLISHED[name]


@pytest.mark.slow  # its table of positions is computed in double precision
def test_sd3_has_the_published_numbers_of_parameters() -> None:
    assert random_models.parameter_counts("sd3-random") == PUBLISHED["sd3-random"]


def test_bytes_follow_from_the_dtype() -> None:
    import torch

    halves = random_models.weight_bytes("sd15-random", torch.float16)
    assert halves["unet"] == 2 * PUBLISHED["sd15-random"]["unet"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shrunken_pipeline_runs_from_text_to_picture(name: str) -> None:
    import torch

    pipe = random_models.build(name, shrunken=True)
    assert type(pipe).__name__ == ARCHITECTURES[name].pipeline
    assert not any(p.is_meta for m in pipe.components.values() for p in _tensors(m))

    def picture(made: Any) -> Any:
        return made(
            "a red star",
            num_inference_steps=2,
            height=64,
            width=64,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
        ).images

    first = picture(pipe)
    assert first.shape == (1, 3, 64, 64)
    assert bool(first.isfinite().all())
    assert float(first.std()) > 0.01
    assert torch.equal(first, picture(random_models.build(name, shrunken=True)))
    other = picture(random_models.build(name, shrunken=True, seed=1))
    assert not torch.equal(first, other)


def _tensors(module: Any) -> list[Any]:
    return [*module.parameters(), *module.buffers()] if hasattr(module, "parameters") else []


@pytest.mark.parametrize("name", NAMES)
def test_inputs_fit_the_denoiser_and_the_decoder(name: str) -> None:
    import torch

    pipe = random_models.build(name, shrunken=True)
    denoiser = denoiser_of(pipe.components)
    factor = vae_factor(pipe.vae)
    assert factor == 8
    assert guided_rows(denoiser) == (1 if name == "flux-random" else 2)
    tokens = 77
    for rows in (1, 3):
        given = denoiser_inputs(denoiser, factor, 64, rows, "cpu", torch.float32, tokens=tokens)
        with torch.inference_mode():
            out = denoiser(**given, return_dict=False)[0]
        assert out.shape[0] == rows
        assert bool(out.isfinite().all())
    with torch.inference_mode():
        latents = latents_of(pipe.vae, 64, 2, "cpu", torch.float32)
        assert pipe.vae.decode(latents, return_dict=False)[0].shape == (2, 3, 64, 64)


def test_no_inputs_are_made_up_for_an_unknown_denoiser() -> None:
    import torch

    unknown = torch.nn.Linear(2, 2)
    unknown.config = None
    with pytest.raises(ModelError, match="Linear"):
        denoiser_inputs(unknown, 8, 64, 1, "cpu", torch.float32)
    with pytest.raises(ModelError, match="neither"):
        denoiser_of({})


def test_filling_keeps_ties_gains_and_buffers() -> None:
    import torch

    with torch.device("meta"):
        module = torch.nn.Sequential(
            torch.nn.Linear(8, 300), torch.nn.LayerNorm(300), torch.nn.Linear(8, 300)
        )
    module[2].weight = module[0].weight
    module.register_buffer("places", torch.arange(4))
    module.register_buffer("waves", torch.full((2,), 0.5))
    random_models.fill(module, torch.randn(1000, dtype=torch.float64))
    assert module[2].weight is module[0].weight
    assert float(module[0].weight.std()) == pytest.approx(8**-0.5, rel=0.1)
    assert torch.equal(module[1].weight, torch.ones(300, dtype=torch.float64))
    assert torch.equal(module[1].bias, torch.zeros(300, dtype=torch.float64))
    assert module.places.tolist() == [0, 1, 2, 3]
    assert module.waves.tolist() == [0.5, 0.5] and module.waves.dtype == torch.float64
    assert not any(p.requires_grad for p in module.parameters())


def test_t5_has_one_embedding_for_both_of_its_names() -> None:
    module = random_models.empty_modules("flux-random", shrunken=True)["text_encoder_2"]
    assert module.encoder.embed_tokens.weight is module.shared.weight


def test_experiments_about_pictures_refuse_random_weights() -> None:
    for name in NAMES:
        with pytest.raises(ModelError, match="random weights"):
            load_pipeline(name, "cpu", False)
        with pytest.raises(ModelError, match="random weights"):
            context(name).pipeline()
    assert not random_models.is_random("runwayml/stable-diffusion-v1-5")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match="sd15-random, sdxl-random, sd3-random, flux-random"):
        random_models.build("sd2-random")


def test_a_run_is_labelled() -> None:
    label = random_models.label(context("sdxl-random"))
    assert "random weights" in label and "Stable Diffusion XL" in label
    assert random_models.label(context("")) == ""
    result = Result({}, {}, "It took long.", Transfers("yes", "Shapes decide."))
    for model, said in (("sdxl-random", label), ("", "")):
        shown = random_models.labelled(context(model), result)
        assert shown.sentence == f"{said}It took long."
        assert shown.transfers.reason == f"{said}Shapes decide."
    assert random_models.titled(context("sdxl-random"), "peak") == "peak (random weights)"
    assert random_models.titled(context(""), "peak") == "peak"


def test_what_does_not_fit_is_refused_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random_models, "free_memory", lambda device: 2e9)
    with pytest.raises(ModelError, match=r"flux-random needs 36\.9 GB on cpu .* 2\.0 GB are free"):
        random_models.build("flux-random")


@pytest.mark.parametrize(("free", "dtype"), [(20e9, "float32"), (5e9, "bfloat16")])
def test_the_cpu_takes_what_fits(monkeypatch: pytest.MonkeyPatch, free: float, dtype: str) -> None:
    said: list[str] = []
    monkeypatch.setattr(random_models, "free_memory", lambda device: free)
    chosen = random_models._fitting_dtype("sd15-random", "cpu", None, said.append)
    assert str(chosen) == f"torch.{dtype}"
    assert "1.07 billion random weights" in said[0] and dtype in said[0]


def test_free_memory_heeds_the_containers_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert random_models.free_memory("cpu") > 0
    assert random_models._container_limit(tmp_path) is None
    (tmp_path / "memory.current").write_text("700\n", encoding="ascii")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 200\n", encoding="ascii")
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert random_models._container_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n", encoding="ascii")
    assert random_models._container_limit(tmp_path) == 500
    monkeypatch.setattr(random_models, "_container_limit", lambda folder: 123.0)
    assert random_models.free_memory("cpu") == 123.0


def test_the_tokenizers_pad_as_the_real_ones_do() -> None:
    clip = random_models.tokenizer("clip")("a red star", padding="max_length", return_tensors="pt")
    assert clip.input_ids.shape == (1, 77)
    assert int((clip.input_ids == 53).sum()) > 60  # the end, then padding with the same token
    t5 = random_models.tokenizer("t5")
    assert t5("a red star", padding="max_length", return_tensors="pt").input_ids.shape == (1, 512)

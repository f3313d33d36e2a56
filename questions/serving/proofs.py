"""Proofs of the serving items: a tiny pipeline under the calls of a service, and queues computed.

Which arguments may differ within a batch and what an interrupted call does follow from the code of
the pipeline, so random weights show them. Times are the question's own; they are added up here by
going through the work step by step.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

Namespace = dict[str, Any]
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@cache
def tiny_pipeline() -> Any:
    """Stable Diffusion in small: random weights, latents an eighth of the picture's side."""
    letters = [*string.ascii_lowercase, *(c + "</w>" for c in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=len(words) - 2, eos_token_id=len(words) - 1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16,
        attention_head_dim=2,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), unet=unet,
        tokenizer=CLIPTokenizer({w: n for n, w in enumerate(words)}, [], model_max_length=77),
        scheduler=DDIMScheduler(**SD_BETAS, steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def only(claims: dict[str, bool]) -> str:
    """The one claim that the measurement supports."""
    held = [name for name, holds in claims.items() if holds]
    assert len(held) == 1, f"expected one claim to hold, got {held}"
    return held[0]


# The pipeline


def stage_handoff(prompts: int, width: int) -> tuple[int, ...]:
    """Latents of a call with the arguments of the question, with a single step."""
    latents = tiny_pipeline()(
        ["a red star"] * prompts, num_images_per_prompt=2, num_inference_steps=1,
        guidance_scale=7.5, width=width, height=512, output_type="latent",
    ).images  # fmt: skip
    return tuple(latents.shape)


def what_an_interrupted_call_does() -> str:
    """Count denoiser and decoder calls when a callback sets the flag at the end of step 5."""
    pipe = tiny_pipeline()
    calls = {"unet": 0, "decoder": 0}

    def count(name: str) -> Callable[..., None]:
        def note(*_: Any) -> None:
            calls[name] += 1

        return note

    def cancel(pipeline: Any, step: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        if step == 4:
            pipeline._interrupt = True
        return kwargs

    handles = [
        pipe.unet.register_forward_pre_hook(count("unet")),
        pipe.vae.decoder.register_forward_pre_hook(count("decoder")),
    ]
    images, raised = None, False
    try:
        images = pipe(
            "a red star", num_inference_steps=20, height=64, width=64,
            callback_on_step_end=cancel, output_type="np",
        ).images  # fmt: skip
    except Exception:  # noqa: BLE001  any exception at all would be the answer `raises`
        raised = True
    for handle in handles:
        handle.remove()
    return only(
        {
            "runs-on": calls["unet"] == 20,
            "decodes": calls == {"unet": 5, "decoder": 1} and images is not None,
            "returns-none": calls["decoder"] == 0 and not raised,
            "raises": raised,
        }
    )


def may_differ() -> set[str]:
    """Give two customers different values in one call; compare with a call for each."""
    pipe = tiny_pipeline()
    usual: dict[str, Any] = {
        "prompt": "a red star", "negative_prompt": "blue", "guidance_scale": 5.0,
        "num_inference_steps": 3, "height": 64, "width": 64, "output_type": "latent",
    }  # fmt: skip

    def alone(seed: int, **other: Any) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        latents: torch.Tensor = pipe(generator=generator, **(usual | other)).images
        return latents

    def together(seeds: tuple[int, int], **other: Any) -> torch.Tensor:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        both = {"prompt": [usual["prompt"]] * 2, "negative_prompt": [usual["negative_prompt"]] * 2}
        latents: torch.Tensor = pipe(generator=generators, **(usual | both | other)).images
        return latents

    wishes: dict[str, tuple[str, list[Any]]] = {
        "prompts": ("prompt", ["a red star", "green circle"]),
        "negatives": ("negative_prompt", ["blue", "dark"]),
        "guidance": ("guidance_scale", [5.0, 2.0]),
        "steps": ("num_inference_steps", [3, 5]),
        "sizes": ("height", [64, 128]),
        "seeds": ("generator", [7, 8]),
    }
    found = set()
    for name, (argument, values) in wishes.items():
        if argument == "generator":
            single = [alone(seed) for seed in values]
            batched = together((values[0], values[1]))
        else:
            single = [alone(7, **{argument: value}) for value in values]
            try:
                batched = together((7, 7), **{argument: values})
            except (TypeError, ValueError, RuntimeError):
                continue
        if not torch.allclose(single[0], single[1]):  # the argument does matter
            if torch.allclose(batched, torch.cat(single), atol=1e-4):
                found.add(name)
        else:
            raise AssertionError(f"{argument} changes nothing")
    return found


# Times


def batch_throughput(batch: int, overhead: int) -> float:
    """A worker with a full queue, stage by stage, for an hour of its time."""
    now, finished = 0, 0
    while now < 3_600_000:
        now += 50 * batch
        for _ in range(30):
            now += overhead
            now += sum(25 for _ in range(batch))
        finished += batch
    return finished / now * 1000


def queue_wait(times: str, load: float) -> float:
    """Mean wait from the embedded Markov chain of the number of jobs left behind at a departure.

    The chain needs the probability of k arrivals during one service alone. Its mean is the mean
    number in the system, and Little's law turns that into a time; Pollaczek-Khinchine is not used.
    """
    mean, size = 1.5, 900
    rate = load / mean
    k = np.arange(size)
    if times == "exactly equal":
        log_factorial = np.concatenate([[0.0], np.cumsum(np.log(k[1:]))])
        arrivals = np.exp(k * np.log(load) - load - log_factorial)
    else:
        arrivals = (1 / (1 + load)) * (load / (1 + load)) ** k
    # p[j] = p[0] a[j] + sum_i p[i] a[j - i + 1] solved upwards for p[j + 1]
    p = np.zeros(size)
    p[0] = 1 - load
    for j in range(size - 1):
        inflow = p[0] * arrivals[j] + p[1 : j + 1] @ arrivals[j:0:-1]
        p[j + 1] = (p[j] - inflow) / arrivals[0]
        if p[j + 1] < 1e-13:  # from here on rounding is all that is left
            p[j + 1 :] = 0
            break
    assert abs(p.sum() - 1) < 1e-6
    return float((p * k).sum() / rate - mean)


# Code


def batches_fairly(ns: Namespace) -> None:
    """Small cases by hand, then random queues emptied batch by batch."""
    next_batch = ns["next_batch"]

    def requests(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
        return [{"id": n, "key": key, "cost": cost} for n, (key, cost) in enumerate(pairs)]

    def take(queue: list[dict[str, Any]], budget: int) -> list[int]:
        return [request["id"] for request in next_batch(queue, budget)]

    assert next_batch([], 4) == [], "an empty queue gives an empty batch"
    cases = [
        (requests(("s", 1), ("l", 4), ("s", 1), ("s", 1)), 4, [0, 2, 3], "equal keys join"),
        (requests(("s", 2), ("s", 2), ("s", 1)), 4, [0, 1], "the budget may be filled, not passed"),
        (requests(("l", 9), ("l", 1)), 4, [0], "a leader above the budget goes alone"),
        (requests(("s", 2), ("s", 3), ("s", 1)), 4, [0], "nobody overtakes one of his own kind"),
        (requests(("s", 2), ("l", 3), ("s", 1)), 4, [0, 2], "another kind does not end the batch"),
    ]
    for queue, budget, wanted, rule in cases:
        waiting = [request["id"] for request in queue]
        got = take(queue, budget)
        assert got == wanted, f"{rule}\nbudget {budget}, got {got}, wanted {wanted}"
        left = [request["id"] for request in queue]
        assert left == [n for n in waiting if n not in wanted], f"{rule}: left in queue {left}"
    draw = random.Random(0)
    for _ in range(200):
        queue = requests(*((draw.choice("abc"), draw.randint(1, 5)) for _ in range(12)))
        everything, budget = list(queue), draw.randint(3, 9)
        served: list[dict[str, Any]] = []
        while queue:
            oldest = queue[0]
            batch = next_batch(queue, budget)
            assert batch and batch[0] is oldest, "the oldest request leads"
            assert len({request["key"] for request in batch}) == 1, "keys of one batch are equal"
            total = sum(request["cost"] for request in batch)
            assert total <= budget or len(batch) == 1, f"cost {total} with a budget of {budget}"
            following = next((r for r in queue if r["key"] == oldest["key"]), None)
            if following is not None:
                assert total + following["cost"] > budget, "a request that fits was left out"
            served += batch
            assert len(served) + len(queue) == len(everything), "a request was lost or doubled"
        for kind in "abc":
            ids = [request["id"] for request in served if request["key"] == kind]
            assert ids == sorted(ids), f"order within a kind: {ids}"

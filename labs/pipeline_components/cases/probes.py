"""Measurements on a pipeline that ran under a `Tap`; each says what was found, never why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

    from drill.lab import Context

base = load_module(Path(__file__).with_name("case.py"))
Seen, table = base.Seen, base.table

CONFIG = (
    "num_train_timesteps", "beta_schedule", "beta_start", "beta_end", "trained_betas",
    "prediction_type", "timestep_spacing", "steps_offset", "clip_sample", "clip_sample_range",
    "thresholding", "set_alpha_to_one", "rescale_betas_zero_snr", "use_karras_sigmas",
)  # fmt: skip
LEVELS = (100, 300, 500, 700, 900)


def latent_std(tap: Any) -> Any:
    """Spread of the latents on their way, in the scheduler's own coordinates."""
    rows = [(n, step.timestep, float(step.before.std())) for n, step in enumerate(tap.steps)]
    last = float(tap.steps[-1].after.std())
    return Seen(
        lines=[*table(("step", "t", "std"), rows), f"after the last step: {last:.3f}"],
        says=f"The latents start with a std of {rows[0][2]:.3g} and end with {last:.3g}.",
        numbers={"first": rows[0][2], "last": last},
    )


def input_std(tap: Any) -> Any:
    """Spread of what the denoiser is shown at each call."""
    rows = [(n, call.timestep, float(call.sample.std())) for n, call in enumerate(tap.calls)]
    spreads = [row[2] for row in rows]
    return Seen(
        lines=table(("call", "t", "std of the input"), rows),
        says=f"The denoiser is shown inputs of std {spreads[0]:.3g} at the first call, "
        f"{min(spreads):.3g} to {max(spreads):.3g} over all.",
        numbers={"first": spreads[0], "least": min(spreads), "most": max(spreads)},
    )


def scheduler_config(pipe: Any) -> Any:
    """The part of the config that can differ without an error."""
    config = pipe.scheduler.config
    name = type(pipe.scheduler).__name__
    lines = [f"{key}: {config[key]}" for key in CONFIG if key in config]
    return Seen(
        lines=[name, *(f"  {each}" for each in lines)],
        says=f"{name} with betas {config['beta_schedule']} from {config['beta_start']:g} to "
        f"{config['beta_end']:g}, prediction_type {config['prediction_type']}, "
        f"{config['timestep_spacing']} spacing"
        + (f", clip_sample {config['clip_sample']}." if "clip_sample" in config else "."),
        numbers={key: config[key] for key in CONFIG if key in config},
    )


def timesteps(tap: Any) -> Any:
    """The timesteps that the denoiser was called with."""
    visited = [call.timestep for call in tap.calls]
    told = ", ".join(f"{t:g}" for t in visited)
    return Seen(
        lines=[f"timesteps: [{told}]"],
        says=f"{len(visited)} calls of the denoiser, from t = {visited[0]:g} to {visited[-1]:g}.",
        numbers={"calls": len(visited), "first": visited[0], "last": visited[-1]},
    )


def guidance_trace(pipe: Any, tap: Any, prompts: Sequence[str]) -> Any:
    """How far the prediction went from the empty prompt's to the prompt's: the scale at work.

    Both are computed anew at the tapped inputs, from texts encoded for this measurement; the scale
    is the least-squares fit of guided = empty + scale * (text - empty).
    """
    import torch

    count = len(prompts)
    with torch.inference_mode():
        text, empty = pipe.encode_prompt(list(prompts), pipe.device, 1, True)
        rows = []
        for n, (call, step) in enumerate(zip(tap.calls, tap.steps, strict=True)):
            x = call.sample[:count].to(pipe.device)
            out = [
                pipe.unet(x, call.timestep, encoder_hidden_states=states).sample.float().cpu()
                for states in (empty, text)
            ]
            way, gone = out[1] - out[0], step.output - out[0]
            scale = float((gone * way).sum() / way.square().sum())
            left = float((gone - scale * way).norm() / gone.norm())
            rows.append((n, call.timestep, len(call.sample), scale, left))
    scales = [row[3] for row in rows]
    worst = max(row[4] for row in rows)
    return Seen(
        lines=[
            "fit of  used = empty + scale * (text - empty),  both recomputed at the tapped input",
            *table(("step", "t", "rows", "scale", "left over"), rows),
        ],
        says=f"What the scheduler is given fits a guidance scale of {min(scales):.2f} to "
        f"{max(scales):.2f} towards the prompt; at most {worst:.0%} is left over.",
        numbers={"scale": sum(scales) / len(scales), "left": worst},
    )


def denoiser_rows(tap: Any) -> Any:
    """Calls of the denoiser and the rows of each."""
    rows = [len(call.sample) for call in tap.calls]
    kinds = ", ".join(f"{rows.count(n)} of {n} rows" for n in sorted(set(rows)))
    return Seen(
        lines=[f"unet: {len(rows)} calls, {sum(rows)} rows in all", f"      {kinds}"],
        says=f"The denoiser ran {len(rows)} times ({kinds}).",
        numbers={"calls": len(rows), "rows": rows[0]},
    )


def prompt_tokens(pipe: Any, tap: Any) -> Any:
    """What entered the text encoder, token by token."""
    tokenizer = pipe.tokenizer
    rows = []
    for ids in dict.fromkeys(tuple(each) for each in tap.texts):
        special = {tokenizer.bos_token_id, tokenizer.eos_token_id}
        words = [tokenizer.decode([each]).strip() for each in ids if each not in special]
        rows.append((len(words), " ".join(words) or '""'))
    most = tokenizer.model_max_length
    room = most - tokenizer.num_special_tokens_to_add()
    longest = max(row[0] for row in rows)
    return Seen(
        lines=[
            f"model_max_length {most}: {room} tokens and the two that begin and end",
            *table(("tokens", "the text encoder read"), rows),
        ],
        says=f"{len(tap.texts)} texts entered the text encoder, the longest with {longest} of "
        f"{room} tokens; it reads: {max(rows)[1]!r}.",
        numbers={"texts": len(tap.texts), "longest": longest, "read": [row[1] for row in rows]},
    )


def text_states(pipe: Any, tap: Any, prompts: Sequence[str]) -> Any:
    """Text states that the denoiser got, against the same prompts encoded for this measurement."""
    import torch

    got = tap.calls[0].states[-len(prompts) :]
    with torch.inference_mode():
        fresh = pipe.encode_prompt(list(prompts), pipe.device, 1, False)[0].float().cpu()
    shared = min(got.shape[1], fresh.shape[1])
    off = (got[:, :shared] - fresh[:, :shared]).abs().amax(dim=(1, 2)).tolist()
    equal = [
        next((prompts[m] for m in range(n) if bool((got[m] == got[n]).all())), "")
        for n in range(len(prompts))
    ]
    rows = [
        (prompt, difference, other and f"= {other}")
        for prompt, difference, other in zip(prompts, off, equal, strict=True)
    ]
    wrong = sum(each > 1e-3 for each in off)
    return Seen(
        lines=[
            f"given {tuple(got.shape)}, encoded afresh {tuple(fresh.shape)}",
            *table(("prompt", "max difference", "the same states as"), rows),
        ],
        says=f"{wrong} of {len(prompts)} rows of the text half differ from the prompt's states "
        f"encoded afresh, by up to {max(off):.3g}.",
        numbers={"wrong": wrong, "most": max(off), "length": got.shape[1]},
    )


def decoder_input(context: Context, pipe: Any, tap: Any) -> Any:
    """Spread of what the VAE decodes, against what its encoder makes of drawings."""
    from drill.lab.family import drawing_latents

    drawn = drawing_latents(context, 32).latents / pipe.vae.config.scaling_factor
    ours, own = float(tap.decoder_inputs[-1].std()), float(drawn.std())
    return Seen(
        lines=[
            f"into vae.decoder        std {ours:7.3f}",
            f"out of vae.encoder      std {own:7.3f}   (32 drawings)",
            f"ratio                       {ours / own:7.3f}",
        ],
        says=f"What is decoded has a std of {ours:.3g}; the encoder's latents of drawings have "
        f"{own:.3g}.",
        numbers={"std": ours, "ratio": ours / own},
    )


def decoded_range(tap: Any, pixels: Tensor) -> Any:
    """Values as the decoder gives them, and as they leave the service."""
    raw, out = tap.decoded[-1], pixels.float()
    rows = [
        (name, float(each.amin()), float(each.mean()), float(each.amax()))
        for name, each in (("out of vae.decoder", raw), ("what the service returns", out))
    ]
    return Seen(
        lines=table(("", "least", "mean", "most"), rows),
        says=f"The decoder's values span {rows[0][1]:.2f} to {rows[0][3]:.2f}, what is returned "
        f"{rows[1][1]:.2f} to {rows[1][3]:.2f}.",
        numbers={"raw_least": rows[0][1], "least": rows[1][1], "most": rows[1][3]},
    )


def round_trip(context: Context, pipe: Any) -> Any:
    """Drawings through the VAE's encoder and decoder."""
    import torch

    from drill.lab.family import drawing_latents

    drawn = drawing_latents(context, 16)
    with torch.inference_mode():
        back = pipe.vae.decode(drawn.latents / pipe.vae.config.scaling_factor).sample
    error = (back.float() / 2 + 0.5).clamp(0, 1) - drawn.pixels
    psnr = float(-10 * error.square().mean().log10())
    return Seen(
        lines=["vae round trip, 16 drawings", f"  PSNR {psnr:.1f} dB"],
        says=f"Drawings come back from the VAE with a PSNR of {psnr:.1f} dB.",
        numbers={"psnr": psnr},
    )


def one_step_error(context: Context, pipe: Any) -> Any:
    """Drawings are noised with the model's training schedule (its card's betas); the denoiser's
    output is read in three ways, and the clean latents that follow are compared with the drawings.
    """
    import torch

    from drill.lab.family import drawing_latents, encode_text, load_denoiser

    drawn = drawing_latents(context, 16)
    trained = load_denoiser(context, "shapes").scheduler.alphas_cumprod
    text = encode_text(context, drawn.captions).states
    noise = torch.randn(drawn.latents.shape, generator=torch.Generator().manual_seed(0))
    noise = noise.to(context.device)
    rows = []
    for t in LEVELS:
        signal, spread = trained[t].sqrt(), (1 - trained[t]).sqrt()
        x = signal * drawn.latents + spread * noise
        with torch.inference_mode():
            out = pipe.unet(x, t, encoder_hidden_states=text).sample
        read = ((x - spread * out) / signal, signal * x - spread * out, out)
        rows.append((t, *(float((each - drawn.latents).square().mean()) for each in read)))
    names = ("epsilon", "v_prediction", "sample")
    mean = {name: sum(row[n + 1] for row in rows) / len(rows) for n, name in enumerate(names)}
    best = min(mean, key=lambda name: mean[name])
    return Seen(
        lines=[
            "mean squared error of the clean latents, output read as ...",
            *table(("t", *names), rows),
        ],
        says="Read as "
        + ", ".join(f"{name} the clean latents are off by {mean[name]:.2f}" for name in names)
        + " (mean square over five levels).",
        numbers={**mean, "best": best},
    )


def sigma_table(pipe: Any) -> Any:
    """What the scheduler holds for its steps."""
    scheduler = pipe.scheduler
    sigmas = [float(each) for each in scheduler.sigmas]
    started = float(scheduler.init_noise_sigma)
    steps = [float(t) for t in scheduler.timesteps]
    rows = [(n, t, sigma) for n, (t, sigma) in enumerate(zip(steps, sigmas, strict=False))]
    return Seen(
        lines=[
            *table(("step", "t", "sigma"), rows),
            f"init_noise_sigma {started:.3f}",
        ],
        says=f"The sigmas fall from {sigmas[0]:.3g} to {sigmas[-1]:.3g}; init_noise_sigma is "
        f"{started:.3g}.",
        numbers={"sigma": sigmas[0], "init": started},
    )


def dtypes(pipe: Any, others: Sequence[tuple[str, Any]] = ()) -> Any:
    """Type of every network's weights, and of tensors that were handed over."""
    rows = []
    for name in ("text_encoder", "unet", "vae"):
        part = getattr(pipe, name)
        kinds = sorted({str(each.dtype).removeprefix("torch.") for each in part.parameters()})
        count = sum(each.numel() for each in part.parameters())
        size = sum(each.numel() * each.element_size() for each in part.parameters())
        rows.append((name, "/".join(kinds), f"{count / 1e6:.2f} M", f"{size / 1e6:.1f} MB"))
    lines = table(("component", "dtype", "parameters", "bytes"), rows)
    told = [f"{name}: {str(dtype).removeprefix('torch.')}" for name, dtype in others]
    return Seen(
        lines=[*lines, *told],
        says="; ".join([f"{row[0]} holds {row[1]}" for row in rows] + told) + ".",
        numbers={row[0]: row[1] for row in rows},
    )


def digest(value: Tensor) -> str:
    """A short name for a tensor's bits."""
    import hashlib

    import torch

    data = value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return hashlib.sha256(data).hexdigest()[:8]

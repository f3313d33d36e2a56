"""ip-adapter-scale: what comes over from a picture, by scale, and what it takes from the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

claims = load_module(Path(__file__).with_name("ip_claims.py"))
shared = load_module(Path(__file__).with_name("shared.py"))

SHOWN = 12
COMPARED = 4
"""Pictures of the runs whose latents have to be equal."""
SEEN = 3
"""Pictures given to one prompt at once, to count tokens."""
PROBED = 512
"""Drawings that a linear readout of the image embedding is fitted on; as many are told."""
PROBE_SEED, TOLD_SEED = 4001, 4002


class IpAdapterScale(Experiment):
    name = "ip-adapter-scale"
    params = (
        Param("scales", "floats", (0.0, 0.5, 1.0, 3.0), "IP-Adapter scales", 0, 4, most=8),
        Param("guidance", "float", 5.0, "guidance scale", 1.5, 30),
        Param("pictures", "int", 12, "pictures at each scale, from paired seeds", 6, 96),
        Param("steps", "int", 8, "sampling steps", 4, 100),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("at_zero", "tokens", "tokens_of_several", "taken_over", "wins", "empty_is_zero")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        from drill.lab.family import drawing_latents, ip_adapter_pipeline, unet_pipeline

        shared.only_bundled(context)
        context.progress(0, 1, "loading the models")
        pipe = ip_adapter_pipeline(context)
        drawn = drawing_latents(context, context.params["pictures"])
        images = as_images(drawn.pixels)
        pipe.set_ip_adapter_scale(0.0)
        metrics: dict[str, Any] = {
            "at_zero": self._at_zero(context, pipe, unet_pipeline(context), images[0]),
            "tokens": {str(n): tokens(pipe, images[:n]) for n in (1, SEEN)},
            "text_tokens": pipe.tokenizer.model_max_length,
            "empty": empty_tokens(pipe, images[:COMPARED]),
            "readout": readout(context, pipe),
            "by_scale": self._sweep(context, pipe, drawn, images),
            "pictures": len(images),
        }
        self._plot(context, metrics["by_scale"])
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _at_zero(context: Context, pipe: Any, plain: Any, image: Image) -> float:
        """Largest difference of latents: the adapter at scale 0, and the pipeline without one."""
        prompts = ["a red star"] * COMPARED
        guidance = context.params["guidance"]
        found: list[Tensor] = [
            shared.Painter(context, each, 1).paint(prompts, guidance, output="latent", **extra)
            for each, extra in ((pipe, {"ip_adapter_image": [image]}), (plain, {}))
        ]
        return float((found[0] - found[1]).abs().max())

    @staticmethod
    def _sweep(
        context: Context, pipe: Any, drawn: Any, images: Sequence[Image]
    ) -> list[dict[str, Any]]:
        """At each scale: a prompt that leaves all open, then one that names another colour."""
        sight, given = shared.Sight(context), context.params
        seen = drawn.attributes
        asked = [{"colour": other_colour(context, each, k)} for k, each in enumerate(seen)]
        open_prompts = shared.captions(context, [{} for _ in images])
        prompts = {"open": open_prompts, "conflict": shared.captions(context, asked)}
        rows = {name: [drawn.pixels] for name in prompts}
        scales = sorted(set(given["scales"]))
        found: list[dict[str, Any]] = []
        for place, scale in enumerate(scales):
            pipe.set_ip_adapter_scale(scale)
            entry: dict[str, Any] = {"scale": scale}
            for half, (name, texts) in enumerate(prompts.items()):
                pixels = sample(context, pipe, texts, images, (2 * place + half, 2 * len(scales)))
                entry[name] = {
                    "taken_over": {
                        each: sight.share(pixels, seen, each) for each in shared.ATTRIBUTES
                    }
                }
                if name == "conflict":
                    entry[name]["colour_of_prompt"] = sight.share(pixels, asked, "colour")
                rows[name].append(pixels)
                told = ", ".join(f"{each['scale']:g}" for each in [*found, entry])
                what = "a shape" if name == "open" else "a shape of another colour"
                context.image(
                    name,
                    pictures.png(
                        pictures.grid([pictures.to_bytes(each[:SHOWN]) for each in rows[name]])
                    ),
                    f"top: pictures given; then prompts for {what}, at scale {told}",
                )
            found.append(entry)
        return found

    @staticmethod
    def _plot(context: Context, found: list[dict[str, Any]]) -> None:
        series = {
            f"{name} of the picture": [(e["scale"], e["open"]["taken_over"][name]) for e in found]
            for name in shared.ATTRIBUTES
        }
        series["conflict: colour of the prompt"] = [
            (e["scale"], e["conflict"]["colour_of_prompt"]) for e in found
        ]
        context.plot("taken over", series, "IP-Adapter scale", "share of pictures")


def as_images(pixels: Tensor) -> list[Image]:
    """Pixels (N, 3, 64, 64) in [0, 1] as pictures."""
    from PIL import Image

    return [Image.fromarray(each) for each in pictures.to_bytes(pixels)]


def other_colour(context: Context, seen: dict[str, str], k: int) -> str:
    """A colour that the picture shows neither as the shape's nor as the background's."""
    colours = context.module("labs/models/drawings.py").COLOURS
    left = [each for each in colours if each not in (seen["colour"], seen["background"])]
    found: str = left[k % len(left)]
    return found


def sample(
    context: Context, pipe: Any, prompts: Sequence[str], images: Sequence[Image],
    part: tuple[int, int] = (0, 1),
) -> Tensor:  # fmt: skip
    """Pixels (N, 3, 64, 64): each prompt with a picture of its own, all in one batch.

    The pipeline's call gives every picture to every prompt, so this is its loop by hand, with image
    embeddings (2N, 1, D): zeros for the unconditional half, then one for each prompt.
    """
    import torch

    from drill.lab.guided import encode_texts
    from drill.lab.sampling import decode, initial_latents, picture_seeds, to_pixels

    given, count = context.params, len(prompts)
    scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
    scheduler.set_timesteps(given["steps"], device=context.device)
    latents = (
        initial_latents(pipe, picture_seeds(context.seed, count)).to(context.device)
        * scheduler.init_noise_sigma
    )
    with torch.inference_mode():
        shown, nothing = pipe.encode_image(list(images), context.device, 1)
        embeds = torch.cat([nothing, shown])[:, None]
        text = torch.cat([encode_texts(pipe, [""] * count), encode_texts(pipe, prompts)])
        for done, t in enumerate(scheduler.timesteps, start=1):
            doubled = scheduler.scale_model_input(torch.cat([latents] * 2), t)
            empty, guided = pipe.unet(
                doubled, t, text, added_cond_kwargs={"image_embeds": [embeds]}
            ).sample.chunk(2)
            predicted = empty + given["guidance"] * (guided - empty)
            latents = scheduler.step(predicted, t, latents).prev_sample
            place, runs = part
            context.progress(place + done / given["steps"], runs, "sampling")
        return to_pixels(decode(pipe, latents))


def tokens(pipe: Any, images: Sequence[Image]) -> int:
    """Image tokens that one prompt attends to, when the pipeline is called with these pictures."""
    found: list[int] = []
    projection = pipe.unet.encoder_hid_proj
    handle = projection.register_forward_hook(
        lambda module, args, out: found.append(int(out[0].shape[1] * out[0].shape[2]))
    )
    try:
        pipe("a red star", ip_adapter_image=[list(images)], num_inference_steps=1,
             output_type="latent")  # fmt: skip
    finally:
        handle.remove()
    return found[0]


def empty_tokens(pipe: Any, images: Sequence[Image]) -> dict[str, float]:
    """The embedding that stands for no picture, and the length of its tokens over a picture's."""
    import torch

    with torch.inference_mode():
        shown, nothing = pipe.encode_image(list(images), pipe.unet.device, 1)
        project = pipe.unet.encoder_hid_proj.image_projection_layers[0]
        lengths = [project(each).norm(dim=-1).mean() for each in (nothing, shown)]
    return {
        "embedding": float(nothing.abs().max()),
        "length_ratio": float(lengths[0] / lengths[1]),
    }


def readout(context: Context, pipe: Any) -> dict[str, float]:
    """By attribute: how often a linear readout of the image embedding tells it, on drawings that
    it was not fitted on."""
    import torch

    drawings = context.module("labs/models/drawings.py")

    def embedded(seed: int) -> tuple[Tensor, Tensor]:
        made = drawings.make_drawings(PROBED, seed)
        pixels = torch.from_numpy(made.pixels).permute(0, 3, 1, 2).float() / 255
        parts = []
        for done, part in enumerate(pixels.split(128), start=1):
            context.progress(done * 128, PROBED, "reading image embeddings")
            with torch.inference_mode():
                parts.append(pipe.encode_image(as_images(part), context.device, 1)[0].cpu())
        found = torch.cat(parts)
        return torch.cat([found, torch.ones(len(found), 1)], 1), torch.from_numpy(made.attributes)

    known, labels = embedded(PROBE_SEED)
    fresh, wanted = embedded(TOLD_SEED)
    told = {}
    for column, (name, values) in enumerate(drawings.ATTRIBUTES.items()):
        classes = torch.nn.functional.one_hot(labels[:, column], len(values)).float()
        weights = torch.linalg.lstsq(known, classes).solution
        right = (fresh @ weights).argmax(1) == wanted[:, column]
        told[name] = float(right.float().mean())
    return told


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    return Transfers(
        "yes",
        "Scale 0, the tokens, all pictures given to each prompt, and tokens of no picture that are "
        "not zero follow from the code. What comes over depends on what the image encoder knows: "
        "CLIP's knows far more than the bundled one.",
    )


EXPERIMENTS = (IpAdapterScale(),)

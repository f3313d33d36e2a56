"""truncation: what is cut off a prompt, and what its padding is to encoder and denoiser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, ParamError, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("truncation_claims.py"))

ROWS_OF_LARGE = {"cpu": 4}
SHOWN = 8
TWINS = 4
"""Pictures of the twin prompt, which is only compared."""


class Truncation(Experiment):
    name = "truncation"
    params = (
        Param("prompt", "text", "a small red star on a blue background", "the prompt"),
        Param("word", "text", "blue", "a word of it whose fate is followed"),
        Param("twin", "text", "yellow", "word that takes its place in the twin prompt"),
        Param(
            "limits", "ints", (12, 9, 8, 7, 6, 5),
            "positions that the tokenizer fills at most, begin and end token among them", 3, 77,
            most=10,
        ),
        Param("short", "text", "a red star", "short prompt whose padding is looked at"),
        Param("scale", "float", 5.0, "guidance scale", 1, 30),
        Param("pictures", "int", 12, "pictures of each prompt, from paired seeds", 1, 128),
        Param("steps", "int", 12, "sampling steps", 2, 100),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("room", "first_lost", "cut_twins", "mask_changes", "shown_when_cut")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        from drill.lab.sampling import initial_latents, picture_seeds

        given = context.params
        if given["prompt"].split().count(given["word"]) != 1:
            raise ParamError(f"word: the prompt must have {given['word']!r} exactly once")
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        noise = initial_latents(pipe, picture_seeds(context.seed, given["pictures"]))
        cuts: list[dict[str, Any]] = []
        rows: list[Tensor] = []
        limits = sorted(set(given["limits"]), reverse=True)
        for done, limit in enumerate(limits):
            entry, pixels = self._cut(context, pipe, noise, limit, done / len(limits))
            cuts.append(entry)
            rows.append(pixels)
            told = "; ".join(each["read"] for each in cuts)
            self._show(context, "cuts", rows, f"rows: {told}")
        padding, pair = self._padding(context, pipe, noise)
        self._show(context, "padding", pair, "rows: padding read; padding masked")
        metrics: dict[str, Any] = {
            "word": given["word"],
            "twin": given["twin"],
            "positions": pipe.tokenizer.model_max_length,
            "room": pipe.tokenizer.model_max_length - pipe.tokenizer.num_special_tokens_to_add(),
            "cuts": cuts,
            "padding": padding,
            "float32": pipe.unet.dtype == torch.float32,
            "bundled": context.bundled,
        }
        if cuts[0]["shown"] is not None:
            series = {
                word: [(each["limit"], each["shares"][word]) for each in cuts]
                for word in cuts[0]["shares"]
            }
            context.plot(
                "shown", series, "positions filled", "share of pictures that show the word"
            )
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _sample(
        context: Context, pipe: Any, states: Tensor, noise: Tensor, at: float, mask: Any = None
    ) -> Tensor:
        """Pixels (N, 3, H, W) from text states (1, L, D)."""
        from drill.lab.guided import encode_texts, guided_sample
        from drill.lab.sampling import decode, to_pixels

        made = guided_sample(
            pipe, states, encode_texts(pipe, [""]), noise,
            context.params["steps"], context.params["scale"], mask=mask,
            rows=None if context.bundled else ROWS_OF_LARGE.get(context.device, 16),
            on_step=lambda done, total: context.progress(at, 1, "sampling cut prompts"),
        )  # fmt: skip
        return to_pixels(decode(pipe, made.latents))

    def _cut(
        self, context: Context, pipe: Any, noise: Tensor, limit: int, at: float
    ) -> tuple[dict[str, Any], Tensor]:
        """The prompt and its twin cut at `limit`: what is left, the pictures and the judge."""
        given, tokenizer = context.params, pipe.tokenizer
        words = given["prompt"].split()
        twin = " ".join(given["twin"] if each == given["word"] else each for each in words)
        ids, twins = tokens(tokenizer, given["prompt"], limit), tokens(tokenizer, twin, limit)
        read = tokenizer.decode(ids, skip_special_tokens=True).strip()
        pixels = self._sample(context, pipe, states_of(pipe, ids), noise, at)
        # Both twins in batches of one size: another size takes other kernels, and rounds otherwise.
        pair = [
            self._sample(context, pipe, states_of(pipe, each), noise[:TWINS], at)
            for each in (ids, twins)
        ]
        shares = self._judged(context, pixels)
        return {
            "limit": limit,
            "read": read,
            "kept": ids != twins,
            "typed": ids == tokens(tokenizer, read, tokenizer.model_max_length),
            "ends": ids[0] == tokenizer.bos_token_id and tokenizer.eos_token_id in ids[1:],
            "twin_difference": float((pair[0] - pair[1]).abs().max()),
            "shares": shares,
            "shown": None if shares is None else shares[given["word"]],
        }, pixels

    @staticmethod
    def _judged(context: Context, pixels: Tensor) -> dict[str, float] | None:
        """For each word of the prompt that the judge knows: share of pictures that show it."""
        if not context.bundled:
            return None
        code = context.module("labs/models/judge.py")
        judge = code.load_judge(context.models / "judge")
        measures = context.module("labs/cfg_reading/measures.py")
        asked = measures.wanted(context.params["prompt"], judge.attributes)
        if context.params["word"] not in asked.values():
            raise ParamError(f"word: {context.params['word']!r} is none that the judge knows")
        return {
            value: float(judge.agrees(pixels, [{name: value}] * len(pixels))["all"].float().mean())
            for name, value in asked.items()
        }

    def _padding(
        self, context: Context, pipe: Any, noise: Tensor
    ) -> tuple[dict[str, float], list[Tensor]]:
        """What states of padding are, what masks change, and the pictures either way."""
        import torch

        short = context.params["short"]
        asked = pipe.tokenizer(
            [short, ""], padding="max_length", truncation=True,
            max_length=pipe.tokenizer.model_max_length, return_tensors="pt",
        )  # fmt: skip
        mask = asked.attention_mask
        with torch.inference_mode():
            ids, marks = asked.input_ids.to(pipe.unet.device), mask.to(pipe.unet.device)
            free = pipe.text_encoder(ids).last_hidden_state[0].float().cpu()
            masked = pipe.text_encoder(ids, marks).last_hidden_state[0].float().cpu()
        words = mask[0].bool()
        if bool(words.all()):
            raise ParamError(f"short: {short!r} leaves no padding; give a shorter prompt")
        moved = (free - masked).abs().amax(dim=1)
        states = states_of(pipe, asked.input_ids[0].tolist())
        read = self._sample(context, pipe, states, noise, 0.9)
        unread = self._sample(context, pipe, states, noise, 0.95, mask=(mask[:1], mask[1:]))
        return {
            "positions": int((~words).sum()),
            "norm_ratio": float(free[~words].norm(dim=1).mean() / free[words].norm(dim=1).mean()),
            "mask_moves_words": float(moved[words].max()),
            "mask_moves_padding": float(moved[~words].max()),
            "mask_moves_pixels": float((read - unread).square().mean().sqrt()),
        }, [read, unread]

    @staticmethod
    def _show(context: Context, name: str, rows: list[Tensor], caption: str) -> None:
        shown = [pictures.to_bytes(pixels[:SHOWN]) for pixels in rows]
        context.image(name, pictures.png(pictures.grid(shown, cell=128)), caption)


def tokens(tokenizer: Any, text: str, limit: int) -> list[int]:
    """Ids of a text cut at `limit` positions, padded to the tokenizer's length as the pipeline
    pads; with that length as the limit, they are the pipeline's own."""
    room = tokenizer.model_max_length
    found = tokenizer(text, truncation=True, max_length=min(limit, room)).input_ids
    ids: list[int] = [*found, *[tokenizer.pad_token_id] * (room - len(found))]
    return ids


def states_of(pipe: Any, ids: list[int]) -> Tensor:
    """Text states (1, L, D) of padded ids; no mask, as in the pipeline."""
    import torch

    with torch.inference_mode():
        given = torch.tensor([ids], device=pipe.unet.device)
        states: Tensor = pipe.text_encoder(given).last_hidden_state
    return states


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    return Transfers(
        "yes",
        "Stable Diffusion's encoder is the same class with 77 positions, 75 of them for words, and "
        "its pipeline passes no mask either. Pipelines with T5 cut elsewhere (by default at 120 in "
        "PixArt-alpha, 256 in SD3, 512 in Flux), and PixArt does mask its padding: check each.",
    )


EXPERIMENTS = (Truncation(),)

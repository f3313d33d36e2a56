"""prompt-token-swap: one word's text states exchanged, by place in the sequence and by time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from drill.lab import Context, Experiment, Param, ParamError, Result, Transfers, pictures
from drill.lab.loading import load_module

if TYPE_CHECKING:
    from torch import Tensor

claims = load_module(Path(__file__).with_name("swap_claims.py"))

ROWS_OF_LARGE = {"cpu": 4}
SHOWN = 4


class PromptTokenSwap(Experiment):
    name = "prompt-token-swap"
    params = (
        Param("prompt", "text", "a small red star on a blue background", "the prompt"),
        Param(
            "swaps", "texts", ("red=green", "star=circle", "small=large", "blue=yellow"),
            "words of the prompt and what takes their place, one token each", most=8,
        ),
        Param(
            "switches", "floats", (0.25, 0.5, 0.75),
            "shares of the run after which the other prompt is read", 0, 1, least=0, most=8,
        ),
        Param("scale", "float", 5.0, "guidance scale", 1, 30),
        Param("pictures", "int", 8, "pictures of each variant, from paired seeds", 1, 128),
        Param("steps", "int", 12, "sampling steps", 4, 100),
    )  # fmt: skip
    claims = claims.CLAIMS
    outcomes = ("new_by_where", "enough", "still_shown", "changed_states", "others_kept")
    seconds = 120

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        import torch

        given = context.params
        context.progress(0, 1, "loading the model")
        pipe = context.pipeline()
        sampler = _Sampler(context, pipe)
        original = sampler.encode(given["prompt"])
        usual = sampler.sample(original, keep=True)
        rows = [sampler.pixels]
        found = []
        for swap in given["swaps"]:
            other, position = swapped(pipe.tokenizer, given["prompt"], swap)
            word, _, to = swap.partition("=")
            states = sampler.encode(other)
            entry: dict[str, Any] = {
                "word": word,
                "to": to,
                "attribute": sampler.attribute(word),
                "position": position,
                **differences(original, states, position),
                "where": {},
                "late": [],
            }
            for name in claims.WHERE:
                mixed = original.clone()
                part = places(name, position)
                mixed[:, part] = states[:, part]
                sampler.sample(mixed)
                entry["where"][name] = sampler.shares(word, to)
                rows.append(sampler.pixels)
            for share in given["switches"]:
                start = min(round(share * given["steps"]), given["steps"] - 1)
                sampler.sample(states, start=start, latents=usual.before[start])
                entry["late"].append(sampler.shares(word, to))
                rows.append(sampler.pixels)
            found.append(entry)
            self._show(context, rows, len(given["swaps"]))
        metrics: dict[str, Any] = {
            "prompt": given["prompt"],
            "switches": list(given["switches"]),
            "pictures": given["pictures"],
            "usual": sampler.usual_share,
            "swaps": found,
            "float32": pipe.unet.dtype == torch.float32,
            "bundled": context.bundled,
        }
        self._plot(context, metrics)
        return Result(
            metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers(context)
        )

    @staticmethod
    def _show(context: Context, rows: list[Tensor], swaps: int) -> None:
        """A row a swap: the usual pictures first, then each variant, one picture of each."""
        import torch

        variants = len(claims.WHERE) + len(context.params["switches"])
        shown = []
        for first in range(1, len(rows), variants):
            for seed in range(1 if swaps > 2 else min(SHOWN, len(rows[0]))):
                line = [rows[0][seed], *(each[seed] for each in rows[first : first + variants])]
                shown.append(pictures.to_bytes(torch.stack(line)))
        columns = ["as prompted", *claims.WHERE]
        columns += [f"swapped at {share:g}" for share in context.params["switches"]]
        context.image(
            "swaps",
            pictures.png(pictures.grid(shown, cell=128)),
            f"rows: {', '.join(context.params['swaps'])}; columns: {', '.join(columns)}",
        )

    @staticmethod
    def _plot(context: Context, metrics: dict[str, Any]) -> None:
        if metrics["usual"] is None:
            return
        series = {
            f"{each['word']} to {each['to']}": [
                (0.0, each["where"][claims.WHERE[0]]["new"]),
                *(
                    (at, late["new"])
                    for at, late in zip(metrics["switches"], each["late"], strict=True)
                    if at > 0
                ),
            ]
            for each in metrics["swaps"]
        }
        context.plot("late", series, "share of the run before the swap", "share showing the new")


class _Sampler:
    """Samples from the same noise again and again, and judges what came out last."""

    def __init__(self, context: Context, pipe: Any) -> None:
        from drill.lab.guided import encode_texts
        from drill.lab.sampling import initial_latents, picture_seeds

        given = context.params
        self.context, self.pipe = context, pipe
        self.noise = initial_latents(pipe, picture_seeds(context.seed, given["pictures"]))
        self.empty = encode_texts(pipe, [""])
        self.measures = context.module("labs/cfg_reading/measures.py")
        self.judge: Any = None
        if context.bundled:
            code = context.module("labs/models/judge.py")
            self.judge = code.load_judge(context.models / "judge")
        self.pixels: Tensor = self.noise
        self.usual_share: float | None = None
        self._done = 0
        self._runs = 1 + len(given["swaps"]) * (len(claims.WHERE) + len(given["switches"]))

    def encode(self, text: str) -> Tensor:
        """Text states (1, L, D)."""
        from drill.lab.guided import encode_texts

        return encode_texts(self.pipe, [text])

    def sample(
        self, states: Tensor, *, start: int = 0, latents: Tensor | None = None, keep: bool = False
    ) -> Any:
        """Sample with text states (1, L, D); from `latents` before step `start` where given."""
        from drill.lab.guided import guided_sample
        from drill.lab.sampling import decode, to_pixels

        given, context = self.context.params, self.context
        made = guided_sample(
            self.pipe, states, self.empty, self.noise if latents is None else latents,
            given["steps"], given["scale"], start=start, keep=keep,
            rows=None if context.bundled else ROWS_OF_LARGE.get(context.device, 16),
            on_step=lambda done, total: context.progress(
                self._done + done / total, self._runs, "sampling with swapped states"
            ),
        )  # fmt: skip
        self._done += 1
        self.pixels = to_pixels(decode(self.pipe, made.latents))
        if self.judge is not None and self.usual_share is None:
            asked = self.measures.wanted(given["prompt"], self.judge.attributes)
            right = self.judge.agrees(self.pixels, [asked] * len(self.pixels))["all"]
            self.usual_share = float(right.float().mean())
        return made

    def attribute(self, word: str) -> str | None:
        """Which attribute of the prompt a word names; None where the judge knows none."""
        if self.judge is None:
            return None
        asked = self.measures.wanted(self.context.params["prompt"], self.judge.attributes)
        return next((name for name, value in asked.items() if value == word), None)

    def shares(self, word: str, to: str) -> dict[str, float | None]:
        """Of the last pictures: how many show the new value, the old one, and all the others."""
        if self.judge is None:
            return {"new": None, "old": None, "others": None}
        asked = self.measures.wanted(self.context.params["prompt"], self.judge.attributes)
        name = self.attribute(word)
        if name is None or to not in self.judge.attributes[name]:
            return {"new": None, "old": None, "others": None}
        wanted = {
            "new": {name: to},
            "old": {name: word},
            "others": {each: value for each, value in asked.items() if each != name},
        }
        count = len(self.pixels)
        return {
            what: float(self.judge.agrees(self.pixels, [each] * count)["all"].float().mean())
            for what, each in wanted.items()
        }


def swapped(tokenizer: Any, prompt: str, swap: str) -> tuple[str, int]:
    """The prompt with the swap `old=new` made, and the position of that token; ParamError."""
    word, equals, to = (part.strip() for part in swap.partition("="))
    words = prompt.split()
    if not equals or not to or words.count(word) != 1:
        raise ParamError(
            f"swaps: {swap!r} is not taken; give old=new with a word that the prompt has once"
        )
    other = " ".join(to if each == word else each for each in words)
    first, second = (tokenizer(text, truncation=True).input_ids for text in (prompt, other))
    apart = [k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b]
    if len(first) != len(second) or len(apart) != 1:
        raise ParamError(f"swaps: {swap!r} changes more than one token, or only what is cut off")
    return other, apart[0]


def places(where: str, position: int) -> slice:
    """The positions of the text states that one of WHERE takes from the other prompt."""
    if where == claims.WHERE[0]:
        return slice(None)
    if where == claims.WHERE[1]:
        return slice(position, position + 1)
    return slice(position + 1, None)


def differences(original: Tensor, other: Tensor, position: int) -> dict[str, float]:
    """How far states (1, L, D) of two prompts are apart: the largest value before the position,
    at it, and of the state behind it that moved least."""
    apart = (original - other).abs().float().amax(dim=2)[0]
    return {
        "before_difference": float(apart[:position].max()) if position else 0.0,
        "own_difference": float(apart[position]),
        "behind_difference": float(apart[position + 1 :].min()),
    }


def transfers(context: Context) -> Transfers:
    """Whether the outcome holds beyond the model that was run."""
    return Transfers(
        "yes",
        "That states before a word are blind to it and those behind are not holds for every CLIP "
        "text encoder, which is causal; T5 is not, there all states change. What is settled when "
        "depends on model and schedule: here what fills the picture came before colour and "
        "outline of a small shape.",
    )


EXPERIMENTS = (PromptTokenSwap(),)

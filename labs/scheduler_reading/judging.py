"""Prompts that name all four attributes, and what the judge says of the pictures made for them."""

from __future__ import annotations

from torch import Tensor

from drill.lab import Context

MEASURES = "labs/cfg_reading/measures.py"


class Jury:
    """Prompts for `count` pictures; shares of right pictures where the model is the bundled one."""

    def __init__(self, context: Context, count: int) -> None:
        self._measures = context.module(MEASURES)
        self._code = context.module("labs/models/judge.py") if context.bundled else None
        self._judge = self._code.load_judge(context.models / "judge") if self._code else None
        attributes = (
            self._judge.attributes
            if self._judge is not None
            else context.module("labs/models/drawings.py").ATTRIBUTES
        )
        self.prompts: list[str] = self._measures.fixed_prompts(attributes, count)
        """`a small red star on a blue background` and the like."""
        self.asked = [self._measures.wanted(each, attributes) for each in self.prompts]

    def right(self, pixels: Tensor) -> float | None:
        """Share of pictures (N, 3, 64, 64) in [0, 1] with all four attributes right; None
        without a judge, which knows the bundled model's drawings only."""
        if self._judge is None:
            return None
        shares = self._measures.judged(self._code, self._judge, pixels, self.asked[: len(pixels)])
        return float(shares["all"])

    def interval(self, share: float, count: int) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        low, high = self._measures.interval(share, count)
        return low, high

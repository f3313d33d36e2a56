"""The plan to the interview day: what to ask today so that most is recalled on that day.

Pure and deterministic: days, times and seeds are arguments.
"""

from __future__ import annotations

from drill.domain.plan.candidate import Candidate, Choice
from drill.domain.plan.choosing import choose
from drill.domain.plan.model import Model, model_of
from drill.domain.plan.rollout import Rollout

__all__ = ["Candidate", "Choice", "Model", "Rollout", "choose", "model_of"]

"""How long this learner's memories last against what the memory model computes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from drill.domain.memory_scale import ScaleBelief, believed
from drill.store import plan_facts

if TYPE_CHECKING:
    from drill.services.app import Drill


def believed_scale(drill: Drill) -> ScaleBelief:
    """What the newest reviews of the learner say of it: those that the plan learns from too."""
    from drill.services.outlook_run import MOST_TESTS, WINDOW_DAYS

    since = drill.store.today() - WINDOW_DAYS + 1
    return scale_by(drill, plan_facts.recalled(drill.store.access, since, MOST_TESTS))


def scale_by(drill: Drill, tests: Iterable[plan_facts.Recalled]) -> ScaleBelief:
    """What these recall tests say of it, as far as the weights in use predicted them."""
    weights = drill.store.parameters().parameters
    # A bias that other weights had is not that of those in use.
    own = plan_facts.sets_with(drill.store.access, weights)
    pairs = [
        (test.predicted, test.right)
        for test in tests
        if test.predicted is not None and test.parameter_set in own
    ]
    return believed(pairs, weights[20]) if weights else believed(pairs)

"""Fitting FSRS-6 weights with the optional package `fsrs-rs-python`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from math import isfinite

from drill.domain.memory.fsrs_memory import check
from drill.domain.memory.state import ParameterSet
from drill.domain.tuning.histories import Training
from drill.domain.tuning.weights import shrunk

PACKAGE = "fsrs_rs_python"
INSTALL = "pip install 'diffusion-drill[tuning]'"
GAMMA = 10.0
"""Strength of the optimiser's pull towards the defaults (its own default, 1, is meant for tens of
thousands of reviews)."""
DIGITS = 4
"""Decimals of a weight that are kept, as many as the published defaults have."""


class TuningError(Exception):
    """Weights could not be fitted or were not taken; the message says why and the way out."""


class MissingPackageError(TuningError):
    """The optimiser is not installed."""

    def __init__(self) -> None:
        super().__init__(f"personal memory parameters need another package: {INSTALL}")


def installed() -> bool:
    """Whether the optimiser is there; it is not imported."""
    return find_spec(PACKAGE) is not None


def default_weights() -> tuple[float, ...]:
    """The 21 weights that FSRS-6 comes with."""
    from fsrs.scheduler import DEFAULT_PARAMETERS

    return tuple(DEFAULT_PARAMETERS)


def fit_weights(training: Sequence[Training]) -> tuple[float, ...]:
    """21 weights fitted to recall tests and drawn towards the defaults; the defaults without tests.

    `training` is in order of time: the optimiser weighs later tests more. Its numbers are single
    precision, so they are put within the bounds that `fsrs` checks. Deterministic.

    Raises:
        MissingPackageError: `fsrs-rs-python` is not installed.
        TuningError: the optimiser failed.
    """
    from fsrs.scheduler import LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS

    try:
        from fsrs_rs_python import FSRS, FSRSItem, FSRSReview, TrainingConfig
    except ImportError as error:
        raise MissingPackageError from error

    defaults = default_weights()
    if not training:
        return defaults

    @cache
    def one(grade: int, gap: int) -> FSRSReview:
        return FSRSReview(grade, gap)

    items = [FSRSItem([one(grade, gap) for grade, gap in t.reviews]) for t in training]
    config = TrainingConfig(gamma=GAMMA)
    try:
        found = FSRS([]).compute_parameters(items, num_relearning_steps=1, training_config=config)
    except BaseException as error:
        # A panic of the Rust side is a BaseException; it must not end a running drill.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise TuningError(f"the optimiser failed on {len(items):,} reviews: {error}") from error
    if len(found) != len(defaults) or not all(isfinite(w) for w in found):
        raise TuningError(f"the optimiser found no weights in {len(items):,} reviews")
    bounds = zip(found, LOWER_BOUNDS_PARAMETERS, UPPER_BOUNDS_PARAMETERS, strict=True)
    fitted = [min(high, max(low, float(w))) for w, low, high in bounds]
    weights = tuple(round(w, DIGITS) for w in shrunk(fitted, defaults, training))
    check(ParameterSet(parameters=weights))
    return weights

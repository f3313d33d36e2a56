"""Personal FSRS weights: compared with the defaults, adopted only where they predict better.

**States after a change.** New weights schedule from the next answer on. What an item's memory is
until then stays as the old weights made it, and so does its day: every answer names the weights
that it was scheduled with, a state is nothing but the replay of those answers, and a merge of two
machines gives the same state only because of it. Computing all states anew under the new weights
would need events that say so, one an item at every change, and would move hundreds of due days at
once. The first answer to an item after the change brings its memory under the new weights: its
stability is taken over, which means the same under both, the days until recall is .9. Measured on
the next 600 recall tests of simulated learners (`benchmarks/tuning.py`, `carried`), this keeps 55
to 85 % of what replaying everything under the new weights would gain at once.
"""

from __future__ import annotations

from datetime import date
from math import ceil
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from drill.domain.memory.state import ParameterSet
from drill.domain.memory.study_day import date_of_day, day_of_date
from drill.domain.tuning.comparison import (
    FIRST_SHARE,
    MIN_LATER,
    MIN_PROBABILITY,
    Comparison,
    compare,
    judged,
    percent,
)
from drill.domain.tuning.histories import History, histories, training_set
from drill.domain.tuning.scoring import predictions
from drill.domain.tuning.weights import Change, changes
from drill.services.tuning_fit import INSTALL, TuningError, fit_weights, installed

if TYPE_CHECKING:
    from drill.services.app import Drill

SETTING = "tuning"
NEEDED = ceil(MIN_LATER / (1.0 - FIRST_SHARE))
"""Recall tests from which a comparison has enough later ones to judge by."""
AGAIN_FACTOR = 1.5
"""A comparison is worth making again once there are so many times the recall tests."""
PERSONAL = "personal"
Advice = Literal["install", "more", "fit", "adopt", "keep", "defaults"]
"""`more`: too few reviews; `fit`: enough, and not compared yet; `keep`: nothing to change."""


class Tuning(Struct, frozen=True):
    """What was compared last and what is in use."""

    installed: bool
    personal: bool
    """Whether personal weights are in use."""
    origin: str
    """Of the weights in use: `default`, or `personal 2026-11-23, 1,204 reviews`."""
    desired_retention: float
    tests: int
    """Recall tests in the log: answers on a later day than the one before to the same item."""
    needed: int
    """Recall tests from which there is enough to compare."""
    advice: Advice
    said: str
    """The sentence to show."""
    fitted: str = ""
    """Date of the last comparison; empty: there was none."""
    fitted_tests: int = 0
    """Recall tests that there were then."""
    weights: tuple[float, ...] = ()
    """What was fitted then."""
    better: bool = False
    """Whether the comparison says that personal weights are to be adopted."""
    comparison: Comparison | None = None
    changes: tuple[Change, ...] = ()
    since: Comparison | None = None
    """Weights in use against the defaults on the reviews since they were adopted."""


class _Kept(Struct, frozen=True):
    """What a fit leaves in the settings."""

    fitted: str
    fitted_tests: int
    weights: tuple[float, ...]
    comparison: Comparison
    changes: tuple[Change, ...]
    since: Comparison | None = None


def standing(drill: Drill) -> Tuning:
    """Where personal weights stand, from the last comparison; fits nothing."""
    return _standing(drill, _kept(drill), _count(drill))


def fit(drill: Drill) -> Tuning:
    """Fit weights and compare them with the defaults on later reviews; nothing is adopted.

    Raises:
        MissingPackageError: `fsrs-rs-python` is not installed.
        TuningError: the optimiser failed.
    """
    past = _histories(drill)
    now = drill.store.parameters()
    defaults = replace(now, parameters=(), origin="default")
    training = training_set(past)
    comparison = compare(past, fit_weights, defaults)
    weights = fit_weights(training)
    since = None
    adopted = adopted_day(now)
    if adopted is not None and training and training[-1].day > adopted:
        last = training[-1].day
        since = judged(
            predictions(past, defaults, after=adopted, until=last),
            predictions(past, now, after=adopted, until=last),
        )
    kept = _Kept(
        fitted=date_of_day(drill.store.today()).isoformat(),
        fitted_tests=len(training),
        weights=weights,
        comparison=comparison,
        changes=changes(defaults, replace(defaults, parameters=weights)),
        since=since,
    )
    drill.store.settings.set(SETTING, msgspec.to_builtins(kept))
    return _standing(drill, kept, len(training))


def adopt(drill: Drill) -> Tuning:
    """Schedule with the weights of the last comparison from the next answer on.

    Raises:
        TuningError: there was no comparison, or it does not say that they predict better.
    """
    kept = _kept(drill)
    if kept is None:
        raise TuningError("personal parameters were not compared yet: `drill tune` does")
    if not kept.comparison.better:
        raise TuningError(why_not(kept.comparison))
    origin = f"{PERSONAL} {kept.fitted}, {kept.fitted_tests:,} reviews"
    drill.store.set_parameters(
        replace(drill.store.parameters(), parameters=kept.weights, origin=origin)
    )
    drill.store.settings.set(SETTING, msgspec.to_builtins(replace(kept, since=None)))
    return standing(drill)


def back_to_defaults(drill: Drill) -> Tuning:
    """Schedule with the default weights from the next answer on."""
    now = drill.store.parameters()
    if now.parameters:
        drill.store.set_parameters(replace(now, parameters=(), origin="default"))
    return standing(drill)


def adopted_day(parameters: ParameterSet) -> int | None:
    """Study day on which the weights were fitted, by their origin; None for the defaults."""
    words = parameters.origin.replace(",", " ").split()
    if not parameters.parameters or len(words) < 2 or words[0] != PERSONAL:
        return None
    try:
        return day_of_date(date.fromisoformat(words[1]))
    except ValueError:
        return None


def why_not(found: Comparison) -> str:
    """Why a comparison's weights are not adopted."""
    if not found.enough:
        return (
            f"too few later reviews to judge by: {found.default.reviews:,} of {MIN_LATER:,}; "
            "the defaults stay"
        )
    if found.personal.log_loss >= found.default.log_loss:
        return (
            f"the defaults predict your later reviews better: log loss "
            f"{found.default.log_loss:.4f} against {found.personal.log_loss:.4f}"
        )
    return (
        f"personal parameters are better with a probability of {percent(found.probability)} only; "
        f"{percent(MIN_PROBABILITY)} is asked for"
    )


def _histories(drill: Drill) -> list[History]:
    from drill.store import log

    with drill.store.access.read() as connection:
        return histories(log.events_by_item(connection))


def _count(drill: Drill) -> int:
    """Recall tests in the log, by the gaps that the answers were written with."""
    row = drill.store.access.row(
        "SELECT count(*) FROM reviews r WHERE kind = 'review' AND schedules = 1 "
        "AND elapsed_days > 0 AND mode <> 'retry' AND NOT EXISTS "
        "(SELECT 1 FROM amended a WHERE a.uuid = r.uuid AND a.active = 0)"
    )
    return int(row[0]) if row else 0


def _kept(drill: Drill) -> _Kept | None:
    """What the last fit left; None where there was none, or of a version that said it otherwise."""
    body = drill.store.settings.get(SETTING)
    try:
        return None if body is None else msgspec.convert(body, _Kept)
    except msgspec.ValidationError:
        return None


def _standing(drill: Drill, kept: _Kept | None, tests: int) -> Tuning:
    now = drill.store.parameters()
    personal = bool(now.parameters)
    advice = _advice(kept, now, tests)
    found = Tuning(
        installed=installed(),
        personal=personal,
        origin=now.origin,
        desired_retention=now.desired_retention,
        tests=tests,
        needed=NEEDED,
        advice=advice,
        said=_said(kept, now, tests, advice),
    )
    if kept is None:
        return found
    return replace(
        found,
        fitted=kept.fitted,
        fitted_tests=kept.fitted_tests,
        weights=kept.weights,
        better=kept.comparison.better,
        comparison=kept.comparison,
        changes=kept.changes,
        since=kept.since if personal else None,
    )


def _advice(kept: _Kept | None, now: ParameterSet, tests: int) -> Advice:
    personal = bool(now.parameters)
    if kept is not None and personal and _worse(kept):
        return "defaults"
    if not installed():
        return "keep" if personal else "install"
    if tests < NEEDED:
        return "keep" if personal else "more"
    if kept is None or tests >= kept.fitted_tests * AGAIN_FACTOR:
        return "fit"
    if kept.comparison.better and kept.weights != now.parameters:
        return "adopt"
    return "keep"


def _worse(kept: _Kept) -> bool:
    """Whether the defaults now predict better than what is in use: surely, on the reviews since
    it is, or on average in a new comparison, since without a gain the plainer choice holds."""
    since = kept.since
    if since is not None and since.enough and since.low > 0.0:
        return True
    found = kept.comparison
    return found.enough and found.personal.log_loss >= found.default.log_loss


def _said(kept: _Kept | None, now: ParameterSet, tests: int, advice: Advice) -> str:
    use = f"Memory parameters in use: {now.origin if now.parameters else 'the defaults'}."
    match advice:
        case "install":
            return f"{use} Personal ones need another package: {INSTALL}"
        case "more":
            return f"{use} Personal ones can be compared from {NEEDED:,} reviews ({tests:,} now)."
        case "fit":
            return f"{use} There is enough to compare personal ones with them: `drill tune`."
        case "adopt":
            assert kept is not None
            found = kept.comparison
            return (
                f"{use} Personal ones predicted {found.default.reviews:,} later reviews better "
                f"(log loss {found.personal.log_loss:.4f} against {found.default.log_loss:.4f}, "
                f"probability {percent(found.probability)}): `drill tune --apply`."
            )
        case "defaults":
            return f"{use} The defaults predict your reviews better now: `drill tune --defaults`."
        case "keep":
            if kept is None or now.parameters:
                return use
            return f"{use} {_sentence(why_not(kept.comparison))} ({kept.fitted})."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Fitting with the optional package, and without it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.tuning import KINDS, practise
from drill.domain.memory.fsrs_memory import check
from drill.domain.memory.state import ParameterSet
from drill.domain.tuning.histories import Training, histories, training_set
from drill.services.tuning_fit import (
    MissingPackageError,
    TuningError,
    default_weights,
    fit_weights,
    installed,
)
from tests.tuning.package import needs_package, without_package


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without_package(monkeypatch)
    assert not installed()
    with pytest.raises(MissingPackageError, match=r"pip install 'diffusion-drill\[tuning\]'"):
        fit_weights([Training(2, ((3, 0), (3, 1)))])


@needs_package
def test_no_tests_give_the_defaults() -> None:
    assert installed()
    assert fit_weights([]) == default_weights()


@needs_package
@pytest.mark.parametrize("grade", [1, 4])
def test_extreme_answers_give_weights_that_are_allowed(grade: int) -> None:
    for count in (1, 10, 600):
        weights = fit_weights([Training(2, ((3, 0), (grade, 2)))] * count)
        check(ParameterSet(parameters=weights))
        assert len(weights) == 21


@needs_package
def test_weights_move_to_the_learner_and_the_same_each_time() -> None:
    default = default_weights()
    for kind, sign in (("half", -1), ("double", 1)):
        made = practise(KINDS[kind](None), 1, 1500)  # type: ignore[arg-type]
        training = training_set(histories(made.events.items()))
        weights = fit_weights(training)
        assert weights == fit_weights(training)
        assert sign * (weights[2] - default[2]) > 0.15 * default[2]


@needs_package
def test_a_failing_optimiser_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """A test on the day of the answer before is a panic of the Rust side."""
    with pytest.raises(TuningError, match="optimiser failed"):
        fit_weights([Training(2, ((3, 0), (3, 0)))] * 20)
    assert "delta_t" in capfd.readouterr().err


def optimiser_that_finds(weights: list[float]) -> type:
    class Found:
        def __init__(self, parameters: list[float]) -> None:
            pass

        def compute_parameters(self, items: list[Any], **named: Any) -> list[float]:
            return weights

    return Found


@needs_package
@pytest.mark.parametrize("value", [-5.0, 0.0, 1e9])
def test_weights_out_of_bounds_are_put_within(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsrs_rs_python.FSRS", optimiser_that_finds([value] * 21))
    check(ParameterSet(parameters=fit_weights([Training(2, ((3, 0), (3, 1)))] * 5000)))


@needs_package
@pytest.mark.parametrize("weights", [[], [1.0] * 19, [float("nan")] * 21])
def test_what_are_no_weights_is_refused(
    weights: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsrs_rs_python.FSRS", optimiser_that_finds(weights))
    with pytest.raises(TuningError, match="found no weights"):
        fit_weights([Training(2, ((3, 0), (3, 1)))])

"""Comparing, adopting and going back, over a real store."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.tuning import KINDS, practise
from drill.config import Config
from drill.domain.memory.events import Event
from drill.domain.memory.state import ParameterSet
from drill.domain.memory.study_day import date_of_day
from drill.services import tuning
from drill.services.app import Drill
from drill.services.tuning_fit import MissingPackageError, TuningError
from drill.store.entry import Review
from drill.store.replay import replay_all
from tests.conftest import SAMPLE, Clock
from tests.tuning.learners import fill
from tests.tuning.package import needs_package, without_package


@pytest.fixture(scope="module")
def half() -> dict[str, list[Event]]:
    """A learner who forgets twice as fast as the defaults say."""
    return practise(KINDS["half"](None), 3, 2500).events  # type: ignore[arg-type]


def answer(drill: Drill, item: str, grade: int) -> None:
    drill.store.record(
        Review(
            item_id=item,
            type="choice",
            content_hash="h",
            seed=1,
            answer="a",
            auto_score=float(grade > 1),
            auto_grade=grade,
            grade=grade,
        )
    )


@needs_package
def test_nothing_yet(drill: Drill) -> None:
    found = tuning.standing(drill)
    assert (found.personal, found.tests, found.advice) == (False, 0, "more")
    assert f"{tuning.NEEDED:,} reviews (0 now)" in found.said
    assert found.comparison is None and found.fitted == ""


@needs_package
def test_fitting_an_empty_log_adopts_nothing(drill: Drill) -> None:
    found = tuning.fit(drill)
    assert found.comparison is not None and not found.comparison.splits
    assert found.advice == "more"
    with pytest.raises(TuningError, match="too few later reviews"):
        tuning.adopt(drill)
    assert drill.store.parameters() == ParameterSet()


def test_adopting_without_a_comparison_is_refused(drill: Drill) -> None:
    with pytest.raises(TuningError, match="not compared yet"):
        tuning.adopt(drill)


@needs_package
def test_a_learner_who_differs(
    drill: Drill, clock: Clock, tmp_path: Path, half: dict[str, list[Event]]
) -> None:
    fill(drill.store, half, drill.store.today() - 1)
    before = drill.store.states()
    assert tuning.standing(drill).advice == "fit"

    found = tuning.fit(drill)
    assert found.tests == found.fitted_tests == tuning.standing(drill).tests > 2400
    comparison = found.comparison
    assert comparison is not None and comparison.better
    assert comparison.personal.log_loss < comparison.default.log_loss
    assert found.advice == "adopt" and "drill tune --apply" in found.said
    assert not found.personal and drill.store.parameters() == ParameterSet()
    assert tuning.standing(drill) == found
    good = next(c for c in found.changes if c.after == "first Good")
    assert good.personal < good.default

    drill.store.set_parameters(replace(ParameterSet(), desired_retention=0.85))
    adopted = tuning.adopt(drill)
    now = drill.store.parameters()
    today = date_of_day(drill.store.today())
    assert now.parameters == found.weights and now.desired_retention == 0.85
    assert now.origin == f"personal {today}, {found.tests:,} reviews" == adopted.origin
    assert adopted.personal and adopted.advice == "keep"
    assert drill.store.states() == before
    assert tuning.adopted_day(now) == drill.store.today()

    clock.forward(days=1)
    item = max(before, key=lambda i: before[i].stability)
    untouched = min(before, key=lambda i: before[i].stability)
    answer(drill, item, 3)
    answer(drill, "drill:new", 3)
    new = drill.store.state("drill:new")
    assert new is not None
    assert new.stability == pytest.approx(found.weights[2])
    assert new.decay == found.weights[20]
    moved = drill.store.state(item)
    assert moved is not None and moved.decay == found.weights[20]
    assert drill.store.state(untouched) == before[untouched]
    with drill.store.access.read() as connection:
        assert replay_all(connection)[0] == drill.store.states()

    since = tuning.fit(drill).since
    assert since is not None and since.default.reviews == 1

    back = tuning.back_to_defaults(drill)
    assert not back.personal and back.origin == "default"
    assert drill.store.parameters() == replace(ParameterSet(), desired_retention=0.85)
    drill.store.undo()
    assert drill.store.state("drill:new") is None
    assert drill.store.state(item) == moved


def test_a_new_retention_keeps_the_weights(tmp_path: Path, clock: Clock) -> None:
    weights = KINDS["half"](None)  # type: ignore[arg-type]
    origin = "personal 2026-11-20, 900 reviews"

    def opened(retention: float) -> Drill:
        config = Config(desired_retention=retention)
        return Drill(home=tmp_path / "h", packs=[SAMPLE], clock=clock, config=config)

    with opened(0.9) as drill:
        drill.store.set_parameters(ParameterSet(parameters=weights, origin=origin))
    with opened(0.8) as drill:
        now = drill.store.parameters()
        assert (now.parameters, now.origin, now.desired_retention) == (weights, origin, 0.8)
        assert tuning.standing(drill).personal


@needs_package
def test_defaults_are_advised_where_they_predict_better_now(
    drill: Drill, half: dict[str, list[Event]]
) -> None:
    """Weights of a learner who forgets slowly, in use by one who forgets fast."""
    fill(drill.store, half, drill.store.today())
    day = date_of_day(drill.store.today() - 60)
    wrong = ParameterSet(
        parameters=KINDS["double"](None),  # type: ignore[arg-type]
        origin=f"personal {day}, 900 reviews",
    )
    drill.store.set_parameters(wrong)
    found = tuning.fit(drill)
    assert found.since is not None and found.since.enough
    assert found.since.probability <= 0.05 and found.since.low > 0
    assert found.since.personal.log_loss > found.since.default.log_loss
    assert found.advice == "defaults" and "--defaults" in found.said


def test_without_the_package(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    without_package(monkeypatch)
    found = tuning.standing(drill)
    assert (found.installed, found.advice) == (False, "install")
    assert "pip install 'diffusion-drill[tuning]'" in found.said
    with pytest.raises(MissingPackageError):
        tuning.fit(drill)
    assert tuning.back_to_defaults(drill).origin == "default"


def test_what_another_version_left_is_passed_over(drill: Drill) -> None:
    drill.store.settings.set(tuning.SETTING, {"fitted": 3})
    assert tuning.standing(drill).comparison is None


@pytest.mark.parametrize("origin", ["default", "personal", "personal soon, 3 reviews", ""])
def test_an_origin_without_a_date_names_no_day(origin: str) -> None:
    weights = KINDS["half"](None)  # type: ignore[arg-type]
    assert tuning.adopted_day(ParameterSet(parameters=weights, origin=origin)) is None

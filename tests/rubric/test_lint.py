"""The checks of a rubric's keys find what is wrong with them."""

from __future__ import annotations

from drill.domain.questions import ExplainBody
from drill.domain.rubric import lint_item
from tests.rubric.make import belief, point

NOISE = point("network .. $predict .. noise", statement="The network predicts the noise.")
GAN = belief("discriminator", statement="A discriminator judges the image.")


def faults(*args: object, **kwargs: object) -> str:
    return "\n".join(lint_item(ExplainBody(*args, **kwargs)))  # type: ignore[arg-type]


def test_a_sound_rubric_has_no_fault() -> None:
    assert not faults((NOISE,), (GAN,), "We train a network that predicts the noise.")


def test_a_recipe_that_can_not_be_read() -> None:
    said = faults((point("noise .. $nois", statement="noise"),))
    assert "point p" in said
    assert "unknown macro $nois" in said
    assert "character 10" in said


def test_recipes_under_unless_and_of_misconceptions_are_read_too() -> None:
    assert "a clause is missing" in faults((point("a", statement="a", unless=("a & ",)),))
    assert "misconception m" in faults((NOISE,), (belief("", statement="x"),))
    assert "no recipe" in faults((point(statement="a"),))


def test_a_statement_that_misses_its_own_recipe() -> None:
    assert "is ask, not credited" in faults((point("velocity", statement="It is eps."),))


def test_a_statement_that_trips_a_misconception() -> None:
    assert "trips misconception m" in faults((NOISE,), (belief("network", statement="network"),))


def test_a_misconception_that_does_not_trip_itself() -> None:
    said = faults((NOISE,), (belief("generator", statement="A discriminator judges images."),))
    assert "does not trip it" in said


def test_a_misconception_that_earns_a_point() -> None:
    wrong = belief("adds", statement="The network predicts the noise and adds it.")
    assert "earns point p" in faults((NOISE,), (wrong,))


def test_a_model_answer_that_misses_an_essential_point() -> None:
    assert "model_answer: essential point p" in faults((NOISE,), (GAN,), "It predicts images.")
    assert "model_answer: trips" in faults((NOISE,), (GAN,), "A discriminator says so.")

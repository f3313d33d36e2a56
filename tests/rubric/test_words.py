"""Word families, notation and spelling."""

from __future__ import annotations

import pytest

from drill.domain.rubric.spelling import correct
from tests.rubric.make import found


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ("training", "It was trained on noise."),
        ("image", "The images are sharp."),
        ("freez*", "The base is frozen here."),
        ("quantiz*", "They quantised it."),
        ("images", "imgs are made in a loop"),
        ("network", "the nn does it"),
        ("timestep", "each time step counts"),
        ("fine tun*", "it is finetuned later"),
        ("crossattention", "by cross attention it works"),
        ("classifier free guidance", "CFG does that."),
        ("cfg", "Classifier-free guidance does that."),
        ("remov*", "It gets rid of some grain."),
        ("determin*", "it is determnistic"),
        ("scheduler", "the schedular decides"),
        ("gaussian*", "a sum of gausian terms"),
    ],
)
def test_language_is_forgiven(recipe: str, text: str) -> None:
    assert found(recipe, text)


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ("ddim", "DDPM does that."),
        ("ddpm", "DDIM does that."),
        ("decod*", "You decide on the timesteps."),
        ("conditional", "It is the unconditional one."),
        ("encod*", "It decodes the latent."),
        ("increas*", "It decreases over time."),
        ("latency", "The latents are small."),
        ("stable", "It is unstable there."),
        ("low", "It is lower there."),
    ],
)
def test_another_word_is_never_forgiven(recipe: str, text: str) -> None:
    assert not found(recipe, text)


@pytest.mark.parametrize(
    "word", ["ddpm", "ddim", "decide", "state", "stage", "trade", "unet", "score"]
)
def test_short_and_ordinary_words_are_left_alone(word: str) -> None:
    assert correct(word) == word


def test_question_words_can_be_corrected_towards() -> None:
    assert correct("shcnell") == "shcnell"
    assert correct("shcnell", frozenset(("schnell",))) == "schnell"


def test_a_short_name_is_not_corrected_towards_a_word_of_the_question() -> None:
    assert correct("ddim", frozenset(("ddpm",))) == "ddim"
    assert correct("sdpa", frozenset(("sdpb", "adpa"))) == "sdpa"

"""The key language means what its description says."""

from __future__ import annotations

import pytest

from drill.domain.rubric.recipes import MACROS, RecipeError, parse
from drill.domain.rubric.text import plain_words, sentences_of
from tests.rubric.make import found, state


@pytest.mark.parametrize(
    ("recipe", "text", "expected"),
    [
        ("velocity", "The target is a velocity.", True),
        ("velocity", "The target is a mix.", False),
        ("determin*", "DDIM is deterministic.", True),
        ("determin", "DDIM is deterministic.", False),
        ("cat|dog", "It saw a dog.", True),
        ("text encoder", "The text encoder is frozen.", True),
        ("text encoder", "The encoder reads text.", False),
        ("cat .. dog", "The cat chases a dog.", True),
        ("cat .. dog", "The dog chases a cat.", False),
        ("cat .. dog", "The cat one two three four five six seven dog ran.", True),
        ("cat .. dog", "The cat one two three four five six seven eight dog ran.", True),
        ("cat .. dog", "The cat one two three four five six seven eight nine dog ran.", False),
        ("cat & dog", "The dog chases a cat.", True),
        ("cat & dog", "There is a cat. There is a dog.", False),
        ("cat & dog", "There is a cat\nand a dog.", False),
        ("cat & !dog", "There is a cat.", True),
        ("cat & !dog", "There is a cat and a dog.", False),
        ("cat & !dog|cow .. milk", "There is a cat and a cow with milk.", False),
        ("v = *", "v = alpha*eps - sigma*x0", True),
        ("w + *", "w + b a is the update", True),
        ("$up .. divers*", "It increases the diversity.", True),
        ("$down .. divers*", "It increases the diversity.", False),
        ("$noise", "It starts from static.", True),
        ("$model .. $predict", "The unet estimates it.", True),
        ("cat & $any", "A cat sleeps.", True),
        ("uncond* + * .. cond* - *", "eps_uncond + s * (eps_cond - eps_uncond)", True),
        ("uncond* + * .. cond* - *", "eps_u + s*(eps_c-eps_u)", True),
        ("uncond* + * .. cond* - *", "e_u + s(e_c - e_u)", True),
        ("uncond* + * .. cond* - *", "ε_uncond + w (ε_cond − ε_uncond)", True),
        ("xt = * .. x0 .. eps*", "x_t = sqrt(ᾱ_t) x_0 + sqrt(1-ᾱ_t) ε", True),
        ("set_timesteps", "call scheduler.set_timesteps(30) first", True),
        ("step()", "it calls step() on it", True),
        ("64 x 64", "a 64×64 grid is used", True),
        ("7.5", "the default is 7.5.", True),
        ("w/o", "it is done without", True),
        ("not", "it doesn't", True),
        ("can not|cannot", "it can't", True),
        ("unet", "a U-Net does it", True),
        ("xt-1", "gives x_{t-1} back", True),
    ],
)
def test_recipe(recipe: str, text: str, expected: bool) -> None:
    assert (state(recipe, text) != "missed") is expected


def test_any_recipe_of_a_point_is_enough_and_none_is_none() -> None:
    assert found("cow|cat", "A cat sleeps.")
    assert not found("cow|dog", "A cat sleeps.")


@pytest.mark.parametrize(
    ("recipe", "position", "says"),
    [
        ("cat & ", 6, "clause is missing"),
        ("cat ..  .. dog", 6, "atom is missing"),
        ("cat||dog", 4, "alternative is missing"),
        ("cat .. $flup", 7, "unknown macro $flup"),
        ("cat .. very $up", 12, "must stand alone"),
        ("cat|!dog", 4, "may only start a clause"),
        ("!cat", 0, "nothing to be present"),
        ("", 0, "clause is missing"),
    ],
)
def test_syntax_error_tells_where(recipe: str, position: int, says: str) -> None:
    with pytest.raises(RecipeError, match="character") as caught:
        parse(recipe)
    assert says in str(caught.value)
    assert caught.value.position == position


def test_macros_are_those_of_the_language() -> None:
    assert set(MACROS) == {"up", "down", "noise", "predict", "model", "extrap", "any"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x_{t-1} and x_t and x_{0}", ("xt1", "and", "xt", "and", "x0")),
        ("ε ᾱ_t σ √", ("eps", "alphabar", "sigma", "sqrt")),
        ("epsilon", ("eps",)),
        ("won't can't doesn't dont", ("will", "not", "can", "not", "does", "not", "do", "not")),
        ("cross-attention", ("cross", "attention")),
        ("a -> b", ("a", "->", "b")),
        ("guidance_scale=1", ("guidance", "scale", "=", "1")),
    ],
)
def test_normalisation(text: str, words: tuple[str, ...]) -> None:
    assert plain_words(text) == words


def test_sentences_end_at_stops_and_lines_only() -> None:
    text = "It uses torch.compile, e.g. with 7.5 GB. Then it ends!\nA new line; same sentence"
    assert [s.words[0] for s in sentences_of(text)] == ["it", "then", "a"]

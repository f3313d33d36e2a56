"""The key language: what a rubric point accepts, as recipes.

A recipe is clauses joined by ` & `, all in one sentence; a clause that starts with `!` must not
occur in that sentence. A clause is atoms joined by ` .. `, in this order, each at most
`REACH` tokens after the one before. An atom is alternatives joined by `|`; an alternative is one
or more consecutive tokens, where a trailing `*` makes a token a prefix, a bare `*` is any token
and `$name` stands for the alternatives of a macro.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from drill.domain.rubric.text import plain_words, word_set

REACH = 9

MACROS: dict[str, str] = {
    "up": "increas*|rais*|higher|high|larger|large|bigger|more|greater|grow*|boost*|stronger|up"
    "|improv*|crank*",
    "down": "decreas*|reduc*|lower*|less|fewer|smaller|shrink*|drop*|cut*|sav*|narrow*|los*|hurt*"
    "|sacrific*|limit*|down",
    "noise": "noise*|noisy|epsilon|eps|eps_hat|gaussian*|static",
    "predict": "predict*|estimat*|guess*|output*|learn*|regress*",
    "model": "model|models|network*|net|unet|transformer|dit|denoiser|nn",
    "extrap": "extrapolat*|away|beyond|amplif*|exaggerat*|push*",
    "any": "*",
}
NEGATORS = word_set(
    """not no without never none nothing nor neither instead rather unlike lack lacks lacking"""
)


class RecipeError(ValueError):
    """A recipe cannot be read. `position` is the 0-based character where it goes wrong."""

    def __init__(self, recipe: str, position: int, message: str) -> None:
        self.recipe = recipe
        self.position = position
        super().__init__(f"recipe {recipe!r}, character {position + 1}: {message}")


@dataclass(frozen=True, slots=True)
class Element:
    """One token of an alternative. Empty text: any token."""

    text: str
    prefix: bool = False


Alternative = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """Alternatives, any of which may stand at this place."""

    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """Atoms in order; `absent`: they must not occur in the sentence."""

    atoms: tuple[Atom, ...]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A parsed recipe; `negators` are the negation words that it holds itself."""

    source: str
    clauses: tuple[Clause, ...]
    negators: frozenset[str] = frozenset()

    @property
    def wanted(self) -> tuple[Clause, ...]:
        return tuple(clause for clause in self.clauses if not clause.absent)

    @property
    def unwanted(self) -> tuple[Clause, ...]:
        return tuple(clause for clause in self.clauses if clause.absent)


@lru_cache(maxsize=4096)
def parse(recipe: str) -> Recipe:
    """Read a recipe.

    Raises RecipeError, with the position, on an empty part, an unknown macro, or a recipe that
    asks for nothing to be present.
    """
    clauses: list[Clause] = []
    position = 0
    for part in recipe.split("&"):
        clauses.append(_clause(recipe, part, position))
        position += len(part) + 1
    if all(clause.absent for clause in clauses):
        raise RecipeError(recipe, 0, "asks for nothing to be present; add a clause without `!`")
    negators = frozenset(
        element.text
        for clause in clauses
        if not clause.absent
        for atom in clause.atoms
        for alternative in atom.alternatives
        for element in alternative
        if element.text in NEGATORS
    )
    return Recipe(recipe, tuple(clauses), negators)


def _clause(recipe: str, part: str, position: int) -> Clause:
    stripped = part.strip()
    position += len(part) - len(part.lstrip())
    if not stripped:
        raise RecipeError(recipe, position, "a clause is missing beside `&`")
    absent = stripped.startswith("!")
    if absent:
        body = stripped[1:]
        position += 1 + len(body) - len(body.lstrip())
        stripped = body.strip()
    atoms: list[Atom] = []
    for piece in stripped.split(".."):
        atoms.append(_atom(recipe, piece, position))
        position += len(piece) + 2
    return Clause(tuple(atoms), absent)


def _atom(recipe: str, piece: str, position: int) -> Atom:
    if not piece.strip():
        raise RecipeError(recipe, position, "an atom is missing beside `..`")
    alternatives: list[Alternative] = []
    for choice in piece.split("|"):
        if not choice.strip():
            raise RecipeError(recipe, position, "an alternative is missing beside `|`")
        if "!" in choice:
            where = position + choice.index("!")
            raise RecipeError(recipe, where, "`!` may only start a clause")
        alternatives.extend(_alternatives(recipe, choice, position))
        position += len(choice) + 1
    return Atom(tuple(alternatives))


def _alternatives(recipe: str, choice: str, position: int) -> list[Alternative]:
    words = choice.split()
    position += len(choice) - len(choice.lstrip())
    if len(words) == 1 and words[0].startswith("$"):
        name = words[0][1:]
        if name not in MACROS:
            known = ", ".join(f"${macro}" for macro in MACROS)
            raise RecipeError(recipe, position, f"unknown macro ${name}; known are {known}")
        return [_elements(recipe, body, position) for body in MACROS[name].split("|")]
    macro = next((word for word in words if word.startswith("$")), None)
    if macro is not None:
        where = position + choice.strip().index(macro)
        raise RecipeError(recipe, where, f"{macro} must stand alone as an alternative")
    return [_elements(recipe, choice, position)]


def _elements(recipe: str, choice: str, position: int) -> Alternative:
    elements: list[Element] = []
    for word in choice.split():
        if word == "*":
            elements.append(Element(""))
            continue
        prefix = word.endswith("*")
        cut = plain_words(word[:-1] if prefix else word) or tuple(word.rstrip("*"))
        if not cut:
            raise RecipeError(recipe, position, f"{word!r} holds no token")
        elements.extend(Element(text) for text in cut[:-1])
        elements.append(Element(cut[-1], prefix))
    return tuple(elements)

"""The offline free-text engine: key language, guards and judging (`judge`, `lint_item`)."""

from drill.domain.rubric.engine import RubricResult, judge
from drill.domain.rubric.lint import lint_item
from drill.domain.rubric.recipes import RecipeError

__all__ = ["RecipeError", "RubricResult", "judge", "lint_item"]

"""The offline free-text engine: key language, guards and judging (`judge`, `lint_item`)."""

from drill.domain.rubric.engine import RubricResult, judge

__all__ = ["RubricResult", "judge"]

"""Arithmetic of question files and of learners' formulas, evaluated without `eval`.

The syntax is Python's, cut down to numbers, names, strings, tuples, lists, dicts, comparisons,
arithmetic, `a if c else b` and the functions of `FUNCTIONS`; attributes, comprehensions and
everything else are refused. Evaluation runs through the `simpleeval` package, which is imported
on first use.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 1000
"""Characters in an expression."""
MAX_BITS = 4096
"""Size of an integer power."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "log": math.log,
    "log2": math.log2,
    "log10": math.log10,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
}
"""`round` is Python's: a tie goes to the even neighbour. `log` is natural, or takes a base."""
CONSTANTS: dict[str, float] = {"pi": math.pi}


class ExpressionError(ValueError):
    """The expression cannot be read or has no finite value; the message says why."""


class UnknownNameError(ExpressionError):
    """The expression uses a name or function that is not defined."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"unknown name `{name}`; known here: {', '.join(known) or 'none'}")


_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.Subscript,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression, to be evaluated at one point or many."""

    text: str
    names: frozenset[str]
    """Names it reads, constants and functions left out."""
    tree: ast.Expression

    def at(self, names: Mapping[str, object]) -> object:
        """Return the value with `names` bound.

        Raises:
            UnknownNameError: a name is neither in `names` nor a constant.
            ExpressionError: the value does not exist, is not finite, or is too large.
        """
        unbound = sorted(self.names - set(names))
        if unbound:
            raise UnknownNameError(unbound[0], tuple(sorted(names)))
        from simpleeval import EvalWithCompoundTypes, InvalidExpression

        evaluator = EvalWithCompoundTypes(
            operators=_OPERATORS, functions=dict(FUNCTIONS), names={**CONSTANTS, **names}
        )
        # The class adds constructors of its own to what it was given.
        evaluator.functions = FUNCTIONS
        try:
            value: object = evaluator.eval(self.text, previously_parsed=self.tree.body)
        except ExpressionError:
            raise
        except ZeroDivisionError:
            raise ExpressionError(f"division by zero in `{self.text}`") from None
        except OverflowError:
            raise ExpressionError(f"a value in `{self.text}` is too large") from None
        except RecursionError:
            raise ExpressionError("the expression is nested too deeply") from None
        except (
            InvalidExpression,
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
        ) as error:
            raise ExpressionError(f"`{self.text}` has no value: {error}") from None
        if isinstance(value, complex):
            raise ExpressionError(f"`{self.text}` takes a root of a negative number")
        if isinstance(value, float) and not math.isfinite(value):
            raise ExpressionError(f"`{self.text}` has no finite value")
        return value

    def number_at(self, names: Mapping[str, object]) -> float:
        """Return the value as a float; ExpressionError when it is not a number."""
        value = self.at(names)
        if not isinstance(value, int | float):
            raise ExpressionError(f"`{self.text}` gives {value!r}, which is not a number")
        try:
            return float(value)
        except OverflowError:
            raise ExpressionError(f"a value in `{self.text}` is too large") from None


def parse(text: str) -> Expression:
    """Parse `text`; ExpressionError when it is not an expression of the allowed kind."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    if not text.strip():
        raise ExpressionError("the expression is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"`{text}` is not an expression: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("the text is not an expression that can be read") from None
    names = set()
    called = set()
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ExpressionError(f"`{text}` uses {type(node).__name__}, which is not allowed")
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.keywords:
                raise ExpressionError(f"`{text}`: only plain calls of known functions are allowed")
            if node.func.id not in FUNCTIONS:
                raise UnknownNameError(node.func.id, tuple(FUNCTIONS))
            called.add(id(node.func))
        elif isinstance(node, ast.operator | ast.unaryop | ast.cmpop):
            if isinstance(node, ast.BitXor):
                raise ExpressionError(f"`{text}`: write a power as `**`; `^` is no operator here")
            if type(node) not in _OPERATORS:
                raise ExpressionError(
                    f"`{text}`: the operator {type(node).__name__} is not allowed"
                )
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes | complex):
            raise ExpressionError(f"`{text}`: {node.value!r} is not allowed")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in CONSTANTS:
            names.add(node.id)
    return Expression(text.strip(), frozenset(names), tree)


def evaluate(expr: str, names: Mapping[str, object]) -> object:
    """Return the value of `expr` with `names` bound.

    >>> evaluate("2*steps - 1 if kind == 'Heun' else steps", {"steps": 20, "kind": "Heun"})
    39

    Raises:
        ExpressionError: not an expression, an unknown name, no finite value, or too large.
    """
    return parse(expr).at(names)


def _numbers(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def checked(left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise ExpressionError("arithmetic takes numbers only")
        return function(left, right)

    return checked


def _power(base: float, exponent: float) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and abs(exponent) * int(base).bit_length() > MAX_BITS:
        raise ExpressionError("the power is too large")
    return base**exponent


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _numbers(operator.add),
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _numbers(operator.mul),
    ast.Div: _numbers(operator.truediv),
    ast.FloorDiv: _numbers(operator.floordiv),
    ast.Mod: _numbers(operator.mod),
    ast.Pow: _numbers(_power),
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}

"""Reading a formula as people write it: Greek letters, `2x`, `s(a-b)`, `√`, powers by `^`.

The text is brought to plain signs, cut into tokens, and parsed by recursive descent into a
Python expression of the question's variables, which `drill.domain.expressions` evaluates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from drill.domain.expressions import Expression, ExpressionError, parse
from drill.domain.grading.symbols import GREEK, normal_form, spellings

MAX_LENGTH = 400
MAX_DEPTH = 30

_FUNCTIONS = {"sqrt": 1, "abs": 1, "min": 2, "max": 2, "exp": 1, "log": 1, "sin": 1, "cos": 1}
"""Functions that a learner may call, and how many values each takes."""
_FUNCTION_NAMES = {**{name: name for name in _FUNCTIONS}, "ln": "log", "root": "sqrt"}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵗ", "0123456789+-t")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋ₜₛₖₙ", "0123456789-tskn")
_TOKEN = re.compile(
    r"""
    (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    | (?P<root>√)
    | (?P<method>\.\s*(?:sqrt|abs|exp|log)\s*\(\s*\))
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<sign>\*\*|[-+*/^(),|])
    """,
    re.VERBOSE,
)
_MODULE = re.compile(r"\b(?:torch|np|numpy|math)\.(?=[a-z])")
_LEFT_SIDE = re.compile(r"^[^*/^√]{1,40}$")
_PREVIOUS = re.compile(r"^\{?(?:t\s*-\s*1|prev_?t(?:imestep)?|t_?prev(?:ious)?|prev)\}?$")


class FormulaError(ValueError):
    """The text is not one formula of the question's variables; the message is for the learner."""


def read_formula(text: str, variables: Iterable[str]) -> Expression:
    """Read a formula; the names in the result are those of `variables`.

    Raises:
        FormulaError: not a formula, an unknown name (the message names the known ones), or a
            spelling with two readings (`a/2b`).
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"The formula is longer than {MAX_LENGTH} characters.")
    plain = _right_side(_plain(text))
    if not plain.strip():
        raise FormulaError("The answer is empty.")
    parser = _Parser(_tokens(plain), list(variables))
    spelled = parser.whole()
    try:
        return parse(spelled)
    except ExpressionError as error:
        raise FormulaError(f"The formula cannot be read: {error}.") from None


def tidy(formula: Expression) -> str:
    """Return the formula with no more parentheses than it needs."""
    import ast

    return ast.unparse(formula.tree)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFD", text.strip(" \t\n`$.;"))
    text = re.sub(r"\\(?:left|right|,|;|!|quad)", " ", text)
    text = re.sub(r"\\(?:cdot|times|ast)(?![A-Za-z])", "*", text)
    text = re.sub(r"\\(?:bar|overline)\s*\{?\s*\\alpha\s*\}?", "αbar", text)
    text = re.sub(
        r"\\(?:hat|tilde|bar|mathbf|mathrm|text|operatorname)\s*\{([^{}]*)\}", r"\1", text
    )
    for _ in range(4):
        text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\\d?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\\var(?=epsilon|theta|phi|sigma)|\\(?=[A-Za-z])", "", text)
    # A letter with a bar is a name of its own; hats and tildes change nothing.
    text = re.sub("[αa][\u0304\u0305]", "αbar", text)
    text = re.sub("[\u0300-\u036f]", "", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵗ]+", lambda m: f"^({m.group().translate(_SUPERSCRIPTS)})", text)
    text = re.sub("[₀₁₂₃₄₅₆₇₈₉₋ₜₛₖₙ]+", lambda m: f"_{{{m.group().translate(_SUBSCRIPTS)}}}", text)
    for char in set(text):
        if unicodedata.decomposition(char).startswith("<fraction>"):
            text = text.replace(char, f"({unicodedata.normalize('NFKC', char)})")
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[·⋅×∗•∙]", "*", text)
    text = re.sub("[−–—]", "-", text).replace("÷", "/").replace("∕", "/").replace("⁄", "/")
    for sign, name in GREEK.items():
        # A Greek letter begins a name, unless it is a subscript: `2ε`, `ε_θ`, `αβ`.
        text = re.sub(rf"(?<=[A-Za-z0-9)]){sign}", f" {name}", text).replace(sign, name)
    return _indices(text)


def _indices(text: str) -> str:
    """Fold subscripts and indices into names: `ab[t]`, `x_{t-1}`, `alphas_cumprod[prev_t]`."""

    def folded(found: re.Match[str]) -> str:
        name, inside = found.group(1).rstrip("_"), found.group(2).strip()
        if _PREVIOUS.match(inside):
            return f"{name}_prev "
        if re.fullmatch(r"\w+", inside):
            return f"{name}_{inside} "
        if re.fullmatch(r"t\s*\+\s*1", inside):
            return f"{name}_next "
        return found.group()

    text = re.sub(r"([A-Za-z]\w*?)_?\[([^\[\]]*)\]", folded, text)
    text = re.sub(r"([A-Za-z]\w*?)_\{([^{}]*)\}", folded, text)
    index = re.search(r"[A-Za-z_]\w*\[[^\[\]]*,[^\[\]]*\]", text)
    if index:
        raise FormulaError(f"The index in `{index.group()}` is not understood.")
    return text.translate(str.maketrans("[]{}", "()()"))


def _right_side(text: str) -> str:
    sides = re.split(r":?={1,2}|≈|←|<-", text)
    if len(sides) == 1:
        return text
    if len(sides) > 2 or not _LEFT_SIDE.match(sides[0].strip()) or re.search(r"[<>!]=", text):
        raise FormulaError("One formula is asked; only a name may stand left of `=`.")
    return sides[1]


def _tokens(text: str) -> list[tuple[str, str]]:
    text = _MODULE.sub("", text)
    found = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _TOKEN.match(text, place)
        if not token:
            raise FormulaError(f"`{text[place]}` has no place in a formula.")
        assert token.lastgroup
        found.append((token.lastgroup, token.group()))
        place = token.end()
    return found


class _Parser:
    """Recursive descent over the tokens; every method returns Python text."""

    def __init__(self, tokens: list[tuple[str, str]], variables: list[str]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.variables = variables
        self.spellings = spellings(variables)

    def whole(self) -> str:
        spelled = self.sum()
        if self.place < len(self.tokens):
            raise FormulaError(f"`{self.tokens[self.place][1]}` is not expected there.")
        return spelled

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def take(self, sign: str) -> None:
        if self.peek() != sign or self.kind() == "":
            where = f" before `{self.peek()}`" if self.peek() else ""
            raise FormulaError(f"`{sign}` is missing{where}.")
        self.place += 1

    def sum(self) -> str:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaError("The formula is nested too deeply.")
        spelled = self.product()
        while self.peek() in ("+", "-"):
            sign = self.peek()
            self.place += 1
            spelled += f" {sign} {self.product()}"
        self.depth -= 1
        return spelled

    def product(self) -> str:
        spelled = self.signed()
        divided = False
        while True:
            if self.peek() in ("*", "/"):
                sign = self.peek()
                self.place += 1
                divided = sign == "/"
                spelled += f" {sign} {self.signed()}"
            elif self.kind() in ("number", "name", "root") or self.peek() == "(":
                if divided:
                    raise FormulaError(
                        f"`/` followed by a product without a sign, before `{self.peek()}`, can "
                        "be read in two ways; write `*` or parentheses."
                    )
                spelled += f" * {self.power()}"
            else:
                return spelled

    def signed(self) -> str:
        signs = 0
        while self.peek() in ("+", "-"):
            signs += self.peek() == "-"
            self.place += 1
        return f"(-{self.power()})" if signs % 2 else self.power()

    def power(self) -> str:
        base = self.atom()
        if self.peek() not in ("^", "**"):
            return base
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaError("The formula is nested too deeply.")
        self.place += 1
        exponent = self.signed()
        self.depth -= 1
        return f"({base} ** {exponent})"

    def atom(self) -> str:
        kind, text = self.kind(), self.peek()
        if not kind:
            raise FormulaError("The formula ends too early.")
        self.place += 1
        if kind == "number":
            spelled = text.lstrip("0") or "0"
            spelled = "0" + spelled if spelled[0] in ".eE" else spelled
        elif kind == "root":
            spelled = f"sqrt({self.atom_after_function()})"
        elif kind == "name":
            spelled = self.named(text)
        elif text == "(":
            spelled = f"({self.sum()})"
            self.take(")")
        elif text == "|":
            spelled = f"abs({self.sum()})"
            self.take("|")
        else:
            raise FormulaError(f"`{text}` is not expected there.")
        while self.kind() == "method":
            spelled = f"{re.sub(r'[^a-z]', '', self.peek())}({spelled})"
            self.place += 1
        return spelled

    def atom_after_function(self) -> str:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaError("The formula is nested too deeply.")
        spelled = self.atom()
        self.depth -= 1
        return spelled

    def named(self, name: str) -> str:
        function = _FUNCTION_NAMES.get(name.casefold())
        if function and name not in self.variables:
            return self.call(function)
        variable = self.variable(name)
        if self.peek() == "(" and self.has_comma():
            # `eps_theta(x_t, t)`: the arguments of the network are not part of the value.
            self.skip_group()
        return variable

    def call(self, function: str) -> str:
        if self.peek() != "(":
            if _FUNCTIONS[function] > 1:
                raise FormulaError(f"`{function}` takes its values in parentheses.")
            return f"{function}({self.atom_after_function()})"
        self.place += 1
        values = [self.sum()]
        while self.peek() == ",":
            self.place += 1
            values.append(self.sum())
        self.take(")")
        if len(values) != _FUNCTIONS[function]:
            raise FormulaError(f"`{function}` takes {_FUNCTIONS[function]} value(s) here.")
        return f"{function}({', '.join(values)})"

    def variable(self, name: str) -> str:
        if name in self.variables:
            return name
        if name.casefold() == "pi":
            return "pi"
        meant = self.spellings.get(normal_form(name)) or self.spellings.get(
            name.replace("_", "").casefold()
        )
        if meant is None:
            known = ", ".join(self.variables) or "none"
            raise FormulaError(f"The name `{name}` is not known here; known: {known}.")
        return meant

    def has_comma(self) -> bool:
        depth = 0
        for _, text in self.tokens[self.place :]:
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return False
            if text == "," and depth == 1:
                return True
        return False

    def skip_group(self) -> None:
        depth = 0
        while self.place < len(self.tokens):
            text = self.peek()
            depth += (text == "(") - (text == ")")
            self.place += 1
            if depth == 0:
                return
        raise FormulaError("`)` is missing.")

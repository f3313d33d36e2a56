"""Normalised tokens and sentences, each token with its span in the learner's own text.

Recipes and answers pass through the same cutter, so that a spelling in a key and the same
spelling in an answer become the same tokens: Greek letters and mathematical signs become words,
`x_{t-1}` becomes `xt1`, `doesn't` becomes `does not`, `U-Net` becomes `unet`, a hyphen inside a
word, a dot inside a name and an underscore between words separate tokens.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARS = 20_000
"""Text beyond this is not read: nobody types it, and grading must stay interactive."""


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(text.split())


MAX_TOKENS = 400
"""A longer sentence is cut here, which bounds the work that every guard does."""

_SIGNS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ϵ": "eps", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu",
    "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau",
    "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_SYMBOLS = frozenset(_SIGNS.values()) | {"epsilon", "abar", "alphabar", "epsilonhat"}
_MARKS = {"\u0304": "bar", "\u0305": "bar", "\u0302": "hat", "\u0303": "tilde", "\u0307": "dot"}
_SINGLE = {
    "√": "sqrt", "∅": "empty", "∇": "gradient", "∞": "infinity", "≈": "about", "×": "x", "·": "*",
    "∙": "*", "∗": "*", "−": "-", "–": "-", "—": ";", "→": "->", "⇒": "->", "⟶": "->", "↦": "->",
    "↑": "up", "↓": "down", "≤": "<=", "≥": ">=", "‖": "|", "“": '"', "”": '"', "…": ";",
    "&": "and", "•": ";",
}  # fmt: skip
_WORDS = {"epsilon": "eps", "abar": "alphabar", "cannot": "can not", "sqroot": "sqrt"}
_CONTRACTED = {"can": "can", "won": "will", "sha": "shall", "ai": "is"}
_BARE_CONTRACTIONS = {
    base + "nt": base
    for base in word_set("do does did is are was were has have had would could should must need")
} | {"wont": "will", "cant": "can"}
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|w\.r\.t|vs|etc|approx|resp|fig|eq|sec|cf|incl|no)|\b[a-z])\Z", re.IGNORECASE
)
_SCAN = re.compile(
    r"""
    (?P<number>\d+(?:[.,]\d+)+(?![\w]))
    |(?P<slash>\b(?:w/o|w/|b/c)(?=\W|[a-z]|\Z))
    |(?P<prev>\b[xz]_?\{?t\}?\s?[-−]\s?1\b\}?)
    |(?P<word>(?:[^\W_][\u0300-\u036f]*)+(?:_\{[^{}\s]{1,16}\}|_(?:[^\W_][\u0300-\u036f]*)+)*
        (?:['’](?:[^\W\d_])+)?)
    |(?P<end>[.!?]+(?=[\s"')\]]|\Z)|[\r\n]+)
    |(?P<arrow>-+>|=+>|~>)
    |(?P<compare><=|>=|==|\*\*|\+\+)
    |(?P<sign>[^\w\s])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SUBSCRIPT = re.compile(r"_\{?([^{}_]+)\}?")
_SYMBOL_NAME = re.compile(r"[a-z]|[a-z]+(?:bar|hat|tilde)|" + "|".join(sorted(_SYMBOLS)))
_FORMULA_SUBS = frozenset("0 t s T i n 1 2 t1 k start".lower().split())


@dataclass(frozen=True, slots=True)
class Token:
    """One normalised token; `start` and `end` index the original text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence, in order."""

    tokens: tuple[Token, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The normalised words without their spans."""
        return tuple(token.text for token in self.tokens)


@lru_cache(maxsize=8192)
def _plain(raw: str) -> str:
    """Lower case, Greek letters and combining marks as words, subscript digits as digits."""
    out: list[str] = []
    for char in unicodedata.normalize("NFKD", raw):
        if char in _MARKS and out and out[-1] in _SYMBOLS:
            out.append(_MARKS[char])
        elif not unicodedata.combining(char):
            low = char.lower()
            out.append(_SIGNS.get(low, low))
    return "".join(out)


@lru_cache(maxsize=8192)
def _word_tokens(raw: str) -> tuple[str, ...]:
    """Normalised tokens of one run of letters, digits and underscores."""
    word = _plain(raw.replace("’", "'"))
    if "'" in word:
        base, _, tail = word.partition("'")
        if tail == "t" and base.endswith("n"):
            stem = base[:-1] if base not in _CONTRACTED else base
            return (*_word_tokens(_CONTRACTED.get(stem, stem)), "not")
        if tail == "t" and base in ("can", "won"):
            return (_CONTRACTED[base], "not")
        return _word_tokens(base)
    if word in _BARE_CONTRACTIONS:
        return (_BARE_CONTRACTIONS[word], "not")
    if word in _WORDS:
        return tuple(_WORDS[word].split())
    if "_" not in word:
        return (word,) if word else ()
    head, *subs = [_SUBSCRIPT.sub(r"\1", part) for part in word.split("_")]
    subs = [re.sub(r"\W", "", sub) for sub in subs]
    head = {"epsilon": "eps", "abar": "alphabar"}.get(head, head)
    while subs and subs[0] in ("bar", "hat", "tilde") and _SYMBOL_NAME.fullmatch(head):
        head = ("alpha" if head == "a" else head) + subs.pop(0)
    if _SYMBOL_NAME.fullmatch(head):
        if len(head) == 1 and len(subs) == 1 and (subs[0] in _FORMULA_SUBS or not subs[0]):
            return (head + subs[0],)
        kept = [sub for sub in subs if sub not in ("t", "s", "i", "")]
        return ("_".join([head, *kept]),)
    return tuple(part for part in (head, *subs) if part)


def _emit(match: re.Match[str], text: str) -> tuple[str, ...]:
    kind, raw = match.lastgroup, match.group()
    if kind == "word":
        return _word_tokens(raw)
    if kind == "number":
        return (raw.replace(",", ""),)
    if kind == "slash":
        return ({"w/": "with", "w/o": "without", "b/c": "because"}[raw.lower()],)
    if kind == "prev":
        return (raw[0].lower() + "t1",)
    if kind == "arrow":
        return ("->",)
    if kind == "compare":
        return (raw,)
    if raw == "-":
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if before.strip() and after.strip() and (before.isalnum() and after.isalnum()):
            return ("-",) if _between_symbols(text, match.start(), match.end()) else ()
    return tuple(_SINGLE.get(raw, raw).split())


def _between_symbols(text: str, start: int, end: int) -> bool:
    """Whether a tight hyphen stands between two formula symbols, as in `eps_c-eps_u`."""
    left = re.search(r"[\w\u0300-\u036f]+\Z", text[max(0, start - 24) : start])
    right = re.match(r"[\w\u0300-\u036f]+", text[end : end + 24])
    if not left or not right:
        return False
    sides = [_word_tokens(left.group()), _word_tokens(right.group())]
    if any(len(side) != 1 for side in sides):
        return False
    symbols = [_is_symbol(side[0]) for side in sides]
    return all(symbols) or (any(symbols) and any(side[0].isdigit() for side in sides))


def _is_symbol(word: str) -> bool:
    head = word.split("_")[0]
    return bool(
        word in ("cond", "uncond", "xt", "x0", "zt", "z0")
        or ("_" in word and _SYMBOL_NAME.fullmatch(head))
        or head in _SYMBOLS
    )


def tokens_of(text: str) -> list[Token | None]:
    """Tokens in order; None marks the end of a sentence."""
    text = text[:MAX_CHARS]
    found: list[Token | None] = []
    position = 0
    while match := _SCAN.search(text, position):
        position = match.end()
        if match.lastgroup == "end":
            raw = match.group()
            if raw[0] == "." and _ABBREVIATED.search(
                text[max(0, match.start() - 8) : match.start()]
            ):
                rest = text[match.end() :].lstrip()
                if not rest or not rest[0].isupper():
                    continue
            found.append(None)
            continue
        if match.lastgroup == "sign" and match.group() in ".?!":
            continue
        start, end = match.span()
        for word in _emit(match, text):
            found.append(Token(word, start, end))
    return _joined(found)


def _joined(tokens: list[Token | None]) -> list[Token | None]:
    """`u net` is one word however it is written."""
    out: list[Token | None] = []
    for token in tokens:
        last = out[-1] if out else None
        if token is not None and last is not None and (last.text, token.text) == ("u", "net"):
            out[-1] = Token("unet", last.start, token.end)
        elif token is not None and last is not None and (last.text, token.text) == ("u", "nets"):
            out[-1] = Token("unets", last.start, token.end)
        else:
            out.append(token)
    return out


def sentences_of(text: str) -> list[Sentence]:
    """Sentences end at `.`, `!`, `?` and line ends; a dot inside a name or a number does not."""
    sentences: list[Sentence] = []
    current: list[Token] = []
    for token in [*tokens_of(text), None]:
        if token is not None:
            current.append(token)
        if current and (token is None or len(current) == MAX_TOKENS):
            sentences.append(Sentence(tuple(current)))
            current = []
    return sentences


@lru_cache(maxsize=4096)
def plain_words(text: str) -> tuple[str, ...]:
    """Normalised tokens of a fragment, sentence ends dropped."""
    if text.isascii() and text.isalpha():  # most of what a recipe is made of
        return _word_tokens(text)
    return tuple(token.text for token in tokens_of(text) if token is not None)

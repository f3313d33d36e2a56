"""How the answer to each type is spelled, in a line or two."""

from __future__ import annotations

from drill.domain.questions import AnswerType

_HELP: dict[str, str] = {
    "choice": "one option by its letter as shown (`b`), its id or its text.",
    "choices": "every right option, by letter or id, separated by commas or spaces (`a, c`); "
    "texts separated by `;`; `none` when no option is right.",
    "number": "one number, with its unit where there is one: `1.72 GB`, `1,024`, `3e-4`, "
    "`2^20`, `1/3`, `42 %`, `1.2k`, `2*20 - 1`. The decimal sign is a point.",
    "shape": "the sizes in order: `(2, 4, 64, 64)`, `[2, 4, 64, 64]`, `2x4x64x64`; "
    "with names where the question uses them: `B, 4, H/8, W/8`.",
    "short": "the term itself, a few words at most. Case, hyphens, articles and a plural s do "
    "not matter.",
    "formula": "one expression: `sqrt(ab)*x0 + sqrt(1-ab)*eps`. `^` is a power, `2x` and "
    "`s(a-b)` multiply, Greek letters and `√` are understood, a left-hand side is ignored.",
    "explain": "a few sentences of your own.",
    "order": "the steps in order, by letter as shown or by id: `c a b d`, `c, a, b, d`, `cabd` "
    "or `c > a > b > d`. Leave out what does not belong.",
    "line": "the number of the line, or of every line: `4`, `line 4`, `4, 5`.",
    "mutant": "the number of the changed line and what it breaks, by letter or text: `4 b` or "
    "`4; too clean`.",
    "output": "what is printed, line by line (`\\n` may stand for a line break). Spaces and "
    "quotes do not matter.",
    "code": "the function, complete, as Python source, or `@file.py`.",
    "predict": "a value for every field: `best=5; grows=a, b`. A choice is made by its text or "
    "letter; `none` where nothing applies.",
    "diagnose": "the cause and the probes that were bought: `cause=forgot-scaling; "
    "probes=latent-std, scheduler-config`. The cause by its letter as shown, its id or its text; "
    "without `probes=` none was bought.",
}


def answer_help(answer_type: AnswerType) -> str:
    """Return what an answer of this type looks like."""
    return _HELP[answer_type]

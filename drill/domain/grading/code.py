"""Type `code`: a function that the learner writes, judged by property tests.

The tests run elsewhere, in a child process; here their outcome becomes a verdict.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Mapping

from drill.domain.grading.result import capped, judged, malformed
from drill.domain.questions import CodeBody, Question
from drill.domain.verdict import Fault, Verdict

_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


def parse_code(question: Question, answer: str) -> str:
    """Return the source to run; to be called before the property tests.

    Raises:
        MalformedAnswerError: it does not parse, or the function asked for is not defined in it.
    """
    body = question.body
    assert isinstance(body, CodeBody)
    source = answer.strip("\n")
    fenced = _FENCE.match(source.strip())
    source = textwrap.dedent(fenced.group(1) if fenced else source)
    if not source.strip():
        raise malformed("The answer is empty.", "code")
    if source.lstrip().startswith("@") and "\n" not in source.strip():
        raise malformed(f"The file `{source.strip()[1:]}` was not read.", "code")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        raise malformed(f"Line {error.lineno}: {error.msg}.", "code") from None
    except (ValueError, RecursionError, MemoryError):
        raise malformed("The text is not Python source.", "code") from None
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    assigned = {
        target.id
        for n in tree.body
        if isinstance(n, ast.Assign)
        for target in n.targets
        if isinstance(target, ast.Name)
    }
    if body.function not in defined | assigned:
        raise malformed(f"The function `{body.function}` is not defined.", "code")
    return source


def grade_code(question: Question, answer: str, outcomes: Mapping[str, object] | None) -> Verdict:
    """Judge code by its property run: right when every property holds.

    `outcomes` has `passed` and `total` (counts of properties) and `failures` (what each failing
    one says). The share that holds is the partial credit, capped below the pass mark.

    Raises:
        MalformedAnswerError: see `parse_code`.
        ValueError: `outcomes` is missing or its counts make no sense.
    """
    parse_code(question, answer)
    if outcomes is None:
        raise ValueError("code is judged by its property run; no outcomes given")
    passed, total = outcomes.get("passed"), outcomes.get("total")
    failures = outcomes.get("failures", ())
    if (
        not isinstance(passed, int)
        or not isinstance(total, int)
        or not 0 <= passed <= total
        or total == 0
        or not isinstance(failures, list | tuple)
    ):
        raise ValueError(f"unusable outcomes of a property run: {dict(outcomes)!r}")
    right = passed == total and not failures
    faults = [Fault(str(failure)) for failure in failures]
    if not right and not faults:
        faults = [Fault(f"{total - passed} of {total} properties do not hold.")]
    return judged(
        1.0 if right else capped(passed / total),
        expected=expected_code(question),
        understood=f"the function `{_function(question)}`",
        summary=f"{'Right' if right else 'Not right'}: {passed} of {total} properties hold.",
        good=(f"{passed} of {total} properties hold.",) if passed and not right else (),
        faults=faults,
    )


def expected_code(question: Question) -> str:
    """Return one right solution."""
    assert isinstance(question.body, CodeBody)
    return question.body.solution


def _function(question: Question) -> str:
    assert isinstance(question.body, CodeBody)
    return question.body.function

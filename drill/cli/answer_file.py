"""An answer that is named by its file: `@solution.py`."""

from __future__ import annotations

from pathlib import Path

from drill.domain.verdict import MalformedAnswerError


def read_answer(answer: str) -> str:
    """The answer, or the text of the file where it is nothing but `@` and a file's name.

    Raises MalformedAnswerError where the file cannot be read.
    """
    name = answer.strip()
    if not name.startswith("@") or "\n" in name:
        return answer
    try:
        return Path(name[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedAnswerError(f"{name[1:]}: {error}") from None

"""Skeletons for questions that the bank lacks, in a folder of the learner's own.

A skeleton cannot be loaded: what has to be filled in is left empty beside a `TODO`, so that
`drill bank check` names each such field with its line until it is filled. The folder is not opened
as a pack. Files are only ever appended to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from pathlib import Path

from drill.domain.rubric.text import word_set

FOLDER = "drafts"
FILE = "after.yaml"
_ID = re.compile(r"^- id: *([a-z0-9.-]+) *$", re.MULTILINE)
_SLUG_WORDS, _SLUG_CHARS = 6, 48
_SMALL = word_set(
    """a an the is are was do does did you your we our of in on at to for and or how what why which
    would can could so it"""
)

_HEADER = """\
# Questions of real interviews that the bank had nothing for, logged with `drill after`.
# Fill in what says TODO; `drill bank check {folder}` names what is left.
# Then move this file into a pack of your own, packs/<name>/questions/{topic}/ beside drill.db.
"""

_SKELETON = """\

- id: {id}
  topic: {topic}
  level: {level}
  relevance: core
  type: explain
  prompt: {prompt}
{near}  points:
    - id: first
      statement:  # TODO: one thing that a full answer says
      weight: essential
      accept:  # TODO: quoted recipes that find it, such as ["guidance .. $down .. variety"]
  model_answer:  # TODO: a strong answer in a few sentences
  explanation:  # TODO: why that is the answer
  sources:  # TODO: such as [{{paper: arXiv:2207.12598}}] or [{{symbol: diffusers.DDIMScheduler}}]
"""


def draft_id(prefix: str, question: str, taken: Container[str]) -> str:
    """An id made of the question's words that no draft has yet."""
    words = [w for w in re.findall(r"[a-z0-9]+", question.lower()) if w not in _SMALL]
    slug = "-".join(words[:_SLUG_WORDS])[:_SLUG_CHARS].strip("-")
    stem = f"{prefix}.after-{slug}" if slug else f"{prefix}.after"
    found, number = stem, 1
    while found in taken:
        number += 1
        found = f"{stem}-{number}"
    return found


def drafted(folder: Path) -> frozenset[str]:
    """Ids of everything that was drafted and is still there."""
    found: set[str] = set()
    for file in folder.glob(f"questions/*/{FILE}"):
        found.update(_ID.findall(file.read_text(encoding="utf-8", errors="replace")))
    return frozenset(found)


def file_of(folder: Path, topic: str) -> Path:
    """Where the drafts of a topic stand."""
    return folder / "questions" / topic / FILE


def append(
    folder: Path, name: str, topic: str, level: str, question: str, near: Iterable[str]
) -> Path:
    """Append a skeleton, durably; an id that the file has already is left as it is.

    Raises OSError.
    """
    file = file_of(folder, topic)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    if name in _ID.findall(before):
        return file
    text = _SKELETON.format(
        id=name,
        topic=topic,
        level=level,
        prompt=_scalar(question),
        near="".join(f"  # near it in the bank: {item}\n" for item in near),
    )
    if not before.strip():
        text = _HEADER.format(folder=folder, topic=topic) + text
    elif not before.endswith("\n"):
        text = "\n" + text
    with file.open("ab") as opened:
        opened.write(text.encode("utf-8"))
        opened.flush()
        os.fsync(opened.fileno())
    return file


def _scalar(text: str) -> str:
    """A text as one line of YAML."""
    import yaml

    made: str = yaml.safe_dump(text, default_style='"', width=2**31, allow_unicode=True)
    return made.strip()

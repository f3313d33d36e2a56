"""Handbook pages to read: the labs' readings, and the sections of one that fit some words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from drill.services.report.document import Reading

if TYPE_CHECKING:
    from drill.lab.manifest import Lab
    from drill.lab.reading import Section
    from drill.services.app import Drill

PASSED_OVER = frozenset({"sources", "say it in 30 seconds", "say it in 2 minutes"})
"""Sections that explain nothing by themselves."""
GENERAL = ("what to notice", "common misunderstandings")
"""Sections to read where nothing fits better."""
WEIGHTS = {"title": 2.0, "text": 1.0}


class Library:
    """The readings of all labs, opened when they are first asked for."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill
        self._labs: tuple[Lab, ...] | None = None
        self._sections: dict[str, tuple[str, tuple[Section, ...]]] = {}

    def about(self, topic: str, words: Iterable[str], limit: int = 2) -> tuple[Reading, ...]:
        """The sections of a topic's pages that fit the words best; empty where it has no page."""
        found: list[tuple[Lab, str, Section]] = []
        for lab in self._of(topic):
            title, sections = self._read(lab)
            found += [(lab, title, section) for section in sections]
        if not found:
            return ()
        chosen = _best([section for _, _, section in found], " ".join(words), limit)
        return tuple(_reading(*found[n]) for n in chosen)

    def _of(self, topic: str) -> list[Lab]:
        if self._labs is None:
            from drill.services.labs import all_labs

            self._labs = all_labs(self._drill).labs
        return [lab for lab in self._labs if lab.topic == topic and lab.reading is not None]

    def _read(self, lab: Lab) -> tuple[str, tuple[Section, ...]]:
        key = str(lab.folder)
        if key not in self._sections:
            from drill.lab.reading import parse_reading

            assert lab.reading is not None
            try:
                made = parse_reading(lab.reading.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                self._sections[key] = lab.title, ()
            else:
                kept = [s for s in made.sections if s.title.lower() not in PASSED_OVER and s.text]
                self._sections[key] = made.title or lab.title, tuple(kept)
        return self._sections[key]


def _best(sections: Sequence[Section], words: str, limit: int) -> list[int]:
    from drill.domain.retrieval import Collection

    texts = {str(n): {"title": s.title, "text": s.text} for n, s in enumerate(sections)}
    chosen = []
    if words.strip():
        chosen = [int(each.key) for each in Collection(texts, WEIGHTS).search(words, limit)]
    general = [n for n, s in enumerate(sections) if s.title.lower() in GENERAL]
    return list(dict.fromkeys([*chosen, *general, *range(len(sections))]))[:limit]


def _reading(lab: Lab, page: str, section: Section) -> Reading:
    place = "".join(c if c.isalnum() and c.isascii() else "-" for c in section.title.lower())
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in lab.id.lower())
    return Reading(
        anchor=f"read-{name}-{place}-{section.line}",
        page=page,
        section=section.title,
        command=f"drill lab show {lab.id}",
        text=section.text,
    )

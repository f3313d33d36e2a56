"""The bank of questions: opened from a cache in milliseconds, compiled only when a file changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from drill.domain.questions import CodeBody, Head, MutantBody, Question
from drill.packs import cache
from drill.packs.beliefs import Misconception
from drill.packs.codec import from_line
from drill.packs.files import fingerprint, gather
from drill.packs.problems import Problem, did_you_mean
from drill.packs.proof_site import ProofSite

__all__ = ["Bank", "Misconception", "Problem", "open_bank", "variant_number"]


class Bank:
    """All items of the packs: heads in memory, questions read when they are asked for."""

    def __init__(
        self,
        packs: Sequence[Path],
        cache_dir: Path,
        index: cache.Index,
        source: Path | bytes,
        data_at: int,
    ) -> None:
        roots = list(packs)
        self.heads: dict[str, Head] = index.heads
        """By pack-qualified id, in the order of the packs and their files."""
        self.misconceptions: dict[str, Misconception] = index.misconceptions
        self.experiments: dict[str, str] = index.experiments
        """By item: the name of the experiment that shows its explanation."""
        self.labs: dict[str, str] = index.labs
        """By item: the folder of the lab that it names."""
        self.titles: dict[str, str] = index.titles
        """Pack name to title."""
        self.roots: dict[str, Path] = dict(zip(index.titles, roots, strict=True))
        """Pack name to its folder."""
        self.problems: tuple[Problem, ...] = tuple(
            replace(problem, file=str(roots[n] / problem.file)) for n, problem in index.problems
        )
        """What could not be loaded; `drill.packs.check.check` finds more."""
        self._packs = roots
        self._cache_dir = cache_dir
        self._index = index
        self._source = source
        self._data_at = data_at
        self._sites: dict[str, ProofSite] | None = None

    @property
    def sites(self) -> dict[str, ProofSite]:
        """What is executed to prove an item, for items that execute something."""
        if self._sites is None:
            files: dict[tuple[Path, str], str] = {}
            self._sites = {}
            for name, site in self._index.sites.items():
                place = (self.root_of(name), site.file)
                if place not in files:
                    file = place[0] / site.file
                    files[place] = str(file) if file.is_file() else ""
                self._sites[name] = replace(site, file=files[place])
        return self._sites

    def root_of(self, item_id: str) -> Path:
        """The folder of the pack that a qualified id belongs to."""
        return self.roots[item_id.partition(":")[0]]

    def resolve(self, item_id: str) -> str:
        """The qualified id of an item, given with or without its pack.

        Raises:
            KeyError: no such item (the nearest ids are named), or several packs have it.
        """
        if item_id in self.heads:
            return item_id
        found = [name for pack in self.roots if (name := f"{pack}:{item_id}") in self.heads]
        if len(found) == 1:
            return found[0]
        if found:
            raise KeyError(f"`{item_id}` is in several packs: {', '.join(found)}")
        known = list(self.heads)
        if ":" not in item_id:
            known = [name.partition(":")[2] for name in known]
        raise KeyError(f"there is no item `{item_id}`; {did_you_mean(item_id, known)}")

    def question(self, item_id: str, seed: int) -> Question:
        """One variant of an item, options in the order of the file.

        Seeds that follow each other give variants that differ, and all of them in turn.

        Raises:
            KeyError: no such item.
            drill.packs.excerpt.ExcerptError: installed source does not hold what the item shows.
        """
        name = self.resolve(item_id)
        return self._variant(name, variant_number(self.heads[name].variants, seed))

    def variants(self, item_id: str) -> tuple[Question, ...]:
        """All variants of an item in the order of its grid; raises as `question` does."""
        name = self.resolve(item_id)
        return tuple(self._variant(name, n) for n in range(self.heads[name].variants))

    def executed(self, item_id: str) -> tuple[tuple[str, ...], ...]:
        """By variant, the texts of the item itself that proving it may run.

        Nothing for an item that executes nothing, and nothing of installed source. Raises KeyError.
        """
        name = self.resolve(item_id)
        site = self._index.sites.get(name)
        if site is None or site.proof == "source":
            return ()
        head = self.heads[name]
        return tuple(
            _texts(from_line(self._line(name, number), head)) for number in range(head.variants)
        )

    def _variant(self, name: str, number: int) -> Question:
        head = self.heads[name]
        made = from_line(self._line(name, number), head)
        excerpt = self._index.excerpts.get(name)
        if excerpt is None:
            return made
        from drill.packs.excerpt import cut, place  # parses installed source: only when shown

        code = cut(excerpt, self._cache_dir)
        return replace(made, code=code, body=place(made.body, code))

    def _line(self, name: str, number: int) -> bytes:
        span = self._index.spans[name]
        try:
            return cache.variant_line(self._source, self._data_at, span, number)
        except cache.CacheError:
            # The file went away or is damaged; the packs may have changed since it was opened.
            fresh = _compiled(self._packs, self._cache_dir)
            same = fresh.heads.get(name)
            if same is None or same.content_hash != self.heads[name].content_hash:
                raise KeyError(
                    f"`{name}` has changed while drill was running: start again"
                ) from None
            self._index, self._source, self._data_at = fresh._index, fresh._source, fresh._data_at
            span = self._index.spans[name]
            return cache.variant_line(self._source, self._data_at, span, number)


def _texts(question: Question) -> tuple[str, ...]:
    body = question.body
    texts = [question.code.text] if question.code else []
    if isinstance(body, MutantBody):
        texts += [str(body.line), body.was]
    elif isinstance(body, CodeBody):
        texts += [body.function, body.starter, body.solution]
    return tuple(texts)


def variant_number(count: int, seed: int) -> int:
    """Which of `count` variants a seed means: `count` seeds in a row reach every one.

    The step is prime to `count` and near the golden section of it, so that variants met one after
    the other lie far apart in the grid instead of differing in the last param only.
    """
    if count <= 1:
        return 0
    ideal = count * 0.618
    step = min(
        (n for n in range(1, count) if math.gcd(n, count) == 1), key=lambda n: abs(n - ideal)
    )
    return seed * step % count


def open_bank(packs: Sequence[Path], cache_dir: Path) -> Bank:
    """Open the bank of several packs, the built-in one first.

    The files' bytes decide whether the cache is fresh, so an edit is never missed. Where the cache
    is missing, stale or damaged the packs are compiled; where it cannot be written, they are
    compiled each time. Faults of the files are in `Bank.problems` and never raise.
    """
    found = [gather(root) for root in packs]
    file = _cache_file(cache_dir, fingerprint(found))
    try:
        index, data_at = cache.loaded(file)
        return Bank(packs, cache_dir, index, file, data_at)
    except (cache.CacheError, ValueError):
        return _compiled(packs, cache_dir)


def _compiled(packs: Sequence[Path], cache_dir: Path) -> Bank:
    from drill.packs.compile import load_packs  # pydantic and YAML: 0.3 s, only after a change

    found = [gather(root) for root in packs]
    index, data_at, raw = cache.dumped([loaded.pack for loaded in load_packs(found)])
    cache.write(_cache_file(cache_dir, fingerprint(found)), raw)
    return Bank(packs, cache_dir, index, raw, data_at)


def _cache_file(cache_dir: Path, name: str) -> Path:
    return cache_dir / f"bank-{name}.cache"

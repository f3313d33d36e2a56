"""The source of a symbol of an installed package, cut to a few lines around a pattern.

The package is never imported: the symbol is found in the syntax tree (`drill.packs.static_source`)
once for each version of the package, and a small index on disk remembers the file and the lines.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from drill.domain.questions import Body, Code, Excerpt, LineBody
from drill.packs.installed import package_folder, public, version_of

if TYPE_CHECKING:
    from drill.packs.static_source import Place

ExcerptErrorKind = Literal["missing-package", "missing-symbol", "pattern"]


class ExcerptError(Exception):
    """An excerpt cannot be shown; the message says why and the way out."""

    def __init__(self, kind: ExcerptErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: ExcerptErrorKind = kind


class _Span(Struct, frozen=True):
    """Lines of a file that hold a symbol, and how they are named to the learner."""

    file: Path
    first: int
    last: int
    origin: str


class SymbolSource(Struct, frozen=True):
    """The whole source of a symbol."""

    code: Code
    """Dedented; `origin` as `cut` gives it."""
    file: Path
    first: int
    """Number of its first line in the file."""


def whole(symbol: str, cache_dir: Path | None = None) -> SymbolSource:
    """The whole source of a symbol, decorators included; raises ExcerptError as `cut` does."""
    span = _span(symbol, cache_dir)
    lines = _lines(span.file)[span.first - 1 : span.last]
    code = Code("\n".join(_dedent(lines)), "python", span.origin)
    return SymbolSource(code, span.file, span.first)


def cut(excerpt: Excerpt, cache_dir: Path | None = None) -> Code:
    """The lines around `excerpt.around` inside `excerpt.symbol`, dedented.

    `cache_dir` is where the index is kept (default: drill's cache folder). `origin` of the result
    reads `diffusers 0.42.1 · StableDiffusionPipeline.__call__`; of an inherited method it names
    the class that defines it.

    Raises:
        ExcerptError: `missing-package`, `missing-symbol`, or `pattern` when `around` does not
            stand in exactly one line of the symbol's source.
    """
    span = _span(excerpt.symbol, cache_dir)
    lines = _lines(span.file)[span.first - 1 : span.last]
    hits = [i for i, line in enumerate(lines) if excerpt.around in line]
    if len(hits) != 1:
        at = ", ".join(str(span.first + i) for i in hits[:6])
        found = f"stands in {len(hits)} lines ({at})" if hits else "stands in no line"
        raise ExcerptError(
            "pattern",
            f"{excerpt.symbol}: the text `{excerpt.around}` {found} of {span.origin} "
            f"({span.file.name}); give as `around` text that stands in exactly one.",
        )
    start = max(0, hits[0] - excerpt.before)
    shown = _dedent(lines[start : hits[0] + excerpt.after + 1])
    return Code("\n".join(shown), "python", span.origin)


def place(body: Body, code: Code) -> Body:
    """`body` with the patterns of a `line` question turned into line numbers of `code`.

    Bodies of other types, and line bodies without patterns, come back as they are. Raises
    ExcerptError (`pattern`) when a pattern does not stand in exactly one line of what is shown.
    """
    if not isinstance(body, LineBody):
        return body
    lines = code.text.split("\n")
    keys = tuple(_only_line(p, lines, code, "key") for p in body.patterns)
    faults = tuple(
        replace(f, line=_only_line(f.pattern, lines, code, "fault")) if f.pattern else f
        for f in body.faults
    )
    return replace(body, lines=keys or body.lines, faults=faults)


def _only_line(pattern: str, lines: list[str], code: Code, what: str) -> int:
    hits = [n for n, line in enumerate(lines, start=1) if pattern in line]
    if len(hits) == 1:
        return hits[0]
    found = f"stands in lines {', '.join(map(str, hits))}" if hits else "stands in no line"
    of = code.origin or "the code"
    raise ExcerptError(
        "pattern",
        f"{what} pattern `{pattern}` {found} of the {len(lines)} shown of {of}; it must stand in "
        "exactly one: lengthen it, or change `before` and `after`.",
    )


def _span(symbol: str, cache_dir: Path | None) -> _Span:
    package = symbol.partition(".")[0]
    root = package_folder(package)
    if root is None:
        raise ExcerptError(
            "missing-package",
            f"{symbol} cannot be shown: the package {package} is not installed here. "
            "Install the experiments' packages: pip install 'diffusion-drill[labs]'.",
        )
    version = _version(package, root)
    index_file = _index_file(package, version, cache_dir)
    index = _read_index(index_file, root)
    known = _from_index(index.get(symbol), package, root, version)
    if known is not None:
        return known
    found = _find(symbol, package, version)
    own = root if found.package == package else package_folder(found.package)
    if own is None:  # the package went away while we looked
        raise ExcerptError("missing-package", f"{symbol}: {found.package} is not installed.")
    status = found.file.stat()
    entry = {
        "package": found.package,
        "file": str(found.file.relative_to(own)) if own.is_dir() else "",
        "first": found.first,
        "last": found.last,
        "name": found.qualname,
        "mtime": status.st_mtime_ns,
        "size": status.st_size,
    }
    _write_index(index_file, root, {**index, symbol: entry})
    label = f"{found.package} {_version(found.package, own)}".rstrip()
    return _Span(found.file, found.first, found.last, f"{label} · {found.qualname}")


def _find(symbol: str, package: str, version: str) -> Place:
    from drill.packs.static_source import Finder, NotFoundError

    try:
        return Finder().find(symbol)
    except NotFoundError as error:
        raise ExcerptError(
            "missing-symbol",
            f"{symbol} has no source in {package} {version}: {error}. Name a symbol of the "
            "installed version, in full.",
        ) from error
    except SyntaxError as error:
        raise ExcerptError(
            "missing-symbol", f"{symbol}: {error.filename} cannot be parsed: {error}."
        ) from error


def _from_index(
    entry: Mapping[str, Any] | None, package: str, root: Path, version: str
) -> _Span | None:
    """The span as indexed, unless the file has changed (an editable install does so in place)."""
    if entry is None:
        return None
    try:
        own: Path | None = root
        if entry["package"] != package:
            own = package_folder(entry["package"])
            if own is None:
                return None
            version = _version(entry["package"], own)
        assert own is not None
        file = own / entry["file"] if entry["file"] else own
        status = file.stat()
        if (status.st_mtime_ns, status.st_size) != (entry["mtime"], entry["size"]):
            return None
        label = f"{entry['package']} {version}".rstrip()
        return _Span(file, entry["first"], entry["last"], f"{label} · {entry['name']}")
    except (OSError, KeyError, TypeError):  # gone or damaged: it is looked for again
        return None


def _version(package: str, root: Path) -> str:
    found = version_of(package)
    if found:
        return found
    file = root / "__init__.py" if root.is_dir() else root  # no metadata under this name
    text = file.read_text(encoding="utf-8")
    written = re.search(r"^__version__\s*(?::[^=]+)?=\s*[\"']([^\"']+)", text, re.M)
    return public(written[1]) if written else ""


def _index_file(package: str, version: str, cache_dir: Path | None) -> Path:
    if cache_dir is None:
        from drill import paths

        cache_dir = paths.cache_dir()
    return cache_dir / "excerpts" / f"{package}-{version or 'unknown'}.json"


def _read_index(file: Path, root: Path) -> dict[str, dict[str, Any]]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        symbols = document["symbols"] if document["root"] == str(root) else {}
    except (OSError, ValueError, KeyError, TypeError):  # absent or damaged: it is made again
        return {}
    return symbols if isinstance(symbols, dict) else {}


def _write_index(file: Path, root: Path, symbols: Mapping[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
        temporary.write_text(json.dumps({"root": str(root), "symbols": symbols}), encoding="utf-8")
        temporary.replace(file)
    except OSError:  # a read-only cache only costs time
        return


def _lines(file: Path) -> list[str]:
    """Lines as the parser counts them: a form feed ends none."""
    return file.read_text(encoding="utf-8").split("\n")


def _dedent(lines: list[str]) -> list[str]:
    """Common indentation removed, blank lines at both ends dropped from none (numbers count)."""
    margin = min(
        (len(line) - len(line.lstrip()) for line in lines if line.strip()),
        default=0,
    )
    return [line[margin:].rstrip() if line.strip() else "" for line in lines]

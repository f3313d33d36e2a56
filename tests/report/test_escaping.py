"""Whatever stands in answers, names and packs stays text, in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from drill.services.report.document import Report
from drill.services.report.markup import markdown_block, markdown_prose, markdown_text, reading
from drill.services.report.rendering import rendered
from drill.services.report.text import cleaned, visible
from tests.report.conftest import Seeded
from tests.report.pages import Parsed

HOSTILE = [
    "<script>alert(1)</script>", "</style><script>x</script>", '" onload="x', "' onmouseover='x",
    "{{ 7*7 }}", "{% raw %}", "{# x #}", "]]>", "<!-- x", "--><b>", "javascript:alert(1)",
    "[x](javascript:alert(1))", "![x](http://evil.example/x.png)", "<http://evil.example>",
    "https://evil.example", "</title><svg onload=x>", "&lt;b&gt;", "&#60;b&#62;", "a | b | c",
    "```", "`x` <b>`", "<b>x `y` <i>", "| --- | --- |", "# heading", "- list", "1. one",
    "2) two", "> quote",
    "---", "===", "***", "~~~", "    code", "*a* _b_ **c** ~~d~~", "$x$", "\\", "a\\",
    "[x]: http://e",
    "</pre></div></main>", "<img src=x onerror=x>", "\x1b[31mred\x1b[0m", "a\x00b\x07c",
    "\u202ertl", "\ud800", "%s %(x)s {0}", "&amp;", "<![CDATA[x]]>", "<?php x ?>",
    "\u2028x", "::: x", "+ x",
]  # fmt: skip

ALLOWED = {
    "h1", "h2", "h3", "h4", "h5", "p", "strong", "em", "ul", "ol", "li", "table", "thead", "tbody",
    "tr", "th", "td", "pre", "code",
}  # fmt: skip
"""Elements of a text."""
CLOSED = {
    "format", "made", "kind", "since", "until", "date", "status", "unit", "start", "uri", "anchor",
    "level", "how", "type", "interview", "last", "days", "reason", "day", "text", "axis", "bar",
    "name_of_level", "started",
}  # fmt: skip
"""Fields that hold a word of drill's own, a date or the Markdown of a handbook page."""


def filled(report: Report, make: Callable[[str], str]) -> Report:
    """The report with every free text replaced, keys of curves and levels left as they are."""

    def walk(value: Any, key: str) -> Any:
        if isinstance(value, str):
            return value if key in CLOSED or not value else make(value)
        if isinstance(value, dict):
            return {name: walk(each, name) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [walk(each, key) for each in value]
        return value

    raw = walk(msgspec.to_builtins(report), "")
    for turn in (t for m in raw["mocks"] for e in m["document"]["transcript"] for t in e["turns"]):
        turn["text"] = make("answer")
    for run in raw["runs"]["shown"]:
        for curve in run["plots"]:
            curve["series"] = {
                make(f"{n}"): each for n, each in enumerate(curve["series"].values())
            }
    return cleaned(msgspec.convert(raw, Report))


def shape(page: Parsed) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page but for those that `code spans` make."""
    return [each for each in page.elements if each != ("code", ())]


@pytest.fixture(scope="module")
def benign(long: Seeded) -> Parsed:
    counter = iter(range(10**9))
    return Parsed(rendered(filled(long.report, lambda _: f"w{next(counter)}"), "html", long.home))


def turned(turn: int) -> Callable[[str], str]:
    """Another hostile text for each field; with another turn, another one for the same field."""
    counter = iter(range(10**9))
    return lambda _: f"{HOSTILE[((n := next(counter)) * 7 + turn) % len(HOSTILE)]} {n}"


@pytest.mark.parametrize("turn", range(6))
def test_hostile_text_changes_no_element_of_the_page(
    long: Seeded, benign: Parsed, turn: int
) -> None:
    made = rendered(filled(long.report, turned(8 * turn)), "html", long.home)
    page = Parsed(made)
    assert shape(page) == shape(benign)
    assert page.wrong == [] and page.open == []
    assert page.declarations == ["DOCTYPE html"]
    for name, value in page.urls():
        ours = value.startswith("#") if name == "href" else value.startswith("data:image/")
        assert ours, (name, value)
    text = page.text.replace("`", "")
    for hostile in HOSTILE:
        assert folded(hostile) in text, hostile
    assert "\x1b" not in made and "\x00" not in made and "\u202e" not in made
    made.encode("utf-8")


def folded(text: str) -> str:
    """A text as a reader sees it: controls shown, blanks folded, backticks of code spans gone."""
    return " ".join(visible(text).replace("`", "").split())


MARKDOWN = [
    "[a]\n\n[a]: http://evil.example 'x'", "a\n===", "![a](data:image/png;base64,AA)",
    "<div\nonclick=x>", "[a](<http://evil.example>)",
]  # fmt: skip


@pytest.mark.parametrize("hostile", [*HOSTILE, *MARKDOWN], ids=ascii)
def test_a_handbook_page_brings_no_element_but_those_of_text(hostile: str) -> None:
    for place in ("{}", "text {} text", "- {}", "> {}", "| a |\n|---|\n| {} |"):
        page = Parsed(reading(place.format(visible(hostile))))
        assert {tag for tag, _ in page.elements} <= ALLOWED - {"h1", "h2", "h3", "h4", "h5"} | {
            "blockquote", "hr",
        }  # fmt: skip
        assert {name for _, names in page.elements for name in names} <= {"start", "class"}
        assert page.urls() == [] and page.declarations == [] and page.wrong == []


def test_an_escape_that_is_missing_would_be_seen(long: Seeded, benign: Parsed) -> None:
    own = long.home / "templates" / "report"
    own.mkdir(parents=True)
    try:
        (own / "report.html").write_text(
            '{% extends "builtin/report.html" %}'
            "{% block summary %}{{ super() }}{{ report.title|safe }}{% endblock %}"
        )
        page = Parsed(rendered(filled(long.report, lambda _: "<b>x</b>"), "html", long.home))
    finally:
        (own / "report.html").unlink()
        own.rmdir()
    assert shape(page) != shape(benign)


def as_html(text: str) -> str:
    """Markdown as GitHub shows it, HTML allowed."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(text))


@pytest.mark.parametrize("turn", range(6))
def test_hostile_text_stays_text_in_markdown(long: Seeded, turn: int) -> None:
    made = rendered(filled(long.report, turned(8 * turn)), "md", long.home)
    page = Parsed(as_html(made))
    assert {tag for tag, _ in page.elements} <= ALLOWED
    names = {name for _, names in page.elements for name in names}
    assert names <= {"class", "style", "start"} and page.urls() == []
    assert page.declarations == []
    text = page.text.replace("`", "")
    for hostile in HOSTILE:
        assert folded(hostile) in text, hostile
    assert "\x1b" not in made and "\x00" not in made


def test_json_holds_every_text(long: Seeded) -> None:
    report = cleaned(msgspec.structs.replace(long.report, notes=tuple(HOSTILE)))
    loaded = json.loads(rendered(report, "json", long.home))
    assert loaded["notes"] == [visible(hostile) for hostile in HOSTILE]


class Text(HTMLParser):
    """Only the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
PLACES = {
    "paragraph": ("{}", ["p"]),
    "heading": ("## {}", ["h2"]),
    "item": ("- {}", ["ul", "li"]),
    "number": ("1. {}", ["ol", "li"]),
    "bold": ("**{}**: after", ["p", "strong"]),
    "after": ("Before: {}", ["p"]),
    "cell": ("| a | b |\n|---|---|\n| {} | z |", None),
}


@given(st.text(max_size=60) | st.text("`*_[]()<>|\\&#!-+=~1.: \t\nab", max_size=40))
@settings(max_examples=200, deadline=None)
@example("1. a")
@example("a `b` | c`")
@example("-")
@example("\\")
def test_any_text_is_shown_as_it_is_by_a_markdown_reader(raw: str) -> None:
    text = " ".join(visible(raw).split())
    for name, (place, tags) in PLACES.items():
        if not text and name in ("bold", "item", "number", "heading"):
            continue
        found = Text(as_html(place.format(markdown_text(visible(raw)))))
        told = " ".join("".join(found.parts).split())
        assert text in told, (name, told)
        if tags is not None and text:
            assert found.tags == tags, name
        else:
            assert set(found.tags) <= {"p", *TABLE}, name


@given(st.text("`|ab *<\\[_", max_size=30))
@settings(max_examples=150, deadline=None)
def test_code_spans_of_prose_never_open_anything(raw: str) -> None:
    for place in ("{}", "- {}", "x {} y", "| a | b |\n|---|---|\n| {} | z |"):
        found = Text(as_html(place.format(markdown_prose(raw))))
        assert set(found.tags) <= {
            "p",
            "ul",
            "li",
            "code",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        }
        told = "".join(found.parts).replace("`", "")
        assert "".join(raw.split()).replace("`", "") in "".join(told.split())


@given(st.text("`~ab<>\n ", max_size=60))
@settings(max_examples=150, deadline=None)
def test_nothing_closes_a_fence(raw: str) -> None:
    found = Text(as_html(f"{markdown_block(raw)}\n\nafter"))
    assert found.tags == ["pre", "code", "p"]
    assert raw.strip("\n") in "".join(found.parts)


@given(st.text(max_size=80))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_in_every_field_keeps_the_page_in_shape(
    long: Seeded, benign: Parsed, raw: str
) -> None:
    flat = " ".join(raw.split())  # blank lines make paragraphs, which are ours
    counter = iter(range(10**9))
    page = Parsed(
        rendered(filled(long.report, lambda _: f"{flat}{next(counter)}"), "html", long.home)
    )
    assert shape(page) == shape(benign)


def test_controls_are_shown_and_not_obeyed() -> None:
    assert visible("a\x1b[31m\r\nb\tc\x7f\x85") == "a␛[31m\nb\tc␡‹U+0085›"
    assert visible("\u202e\u2066\ufeff\ud800") == "‹U+202E›‹U+2066›‹U+FEFF›\ufffd"
    assert visible("é 你好 👩‍💻") == "é 你好 👩‍💻"

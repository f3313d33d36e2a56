"""The Anki package: opened as Anki opens it, stable over exports, and every text only a text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drill import paths
from drill.domain.questions import ANSWER_TYPES
from drill.services.app import Drill
from drill.services.moving.anki import MODEL_ID, AnkiError, Package, write_package
from drill.services.moving.anki_html import code, inline, prose
from drill.services.moving.anki_style import CSS, FIELDS
from drill.services.moving.cards_import import import_cards
from tests.conftest import Clock
from tests.moving.anki_page import Collection
from tests.services.interviews import open_drill
from tests.services.reserve_pack import make_pack

TAGS = frozenset(
    "p code pre span div h2 ol ul li b br a details summary hr".split()  # noqa: SIM905
)
HOSTILE = (
    "<script>alert(1)</script> </pre> \"onload=x ' {{Prompt}} [sound:x.mp3] &amp; [latex]x[/latex]"
)


class Reading(HTMLParser):
    """Text, tags and links of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def package(drill: Drill, folder: Path, name: str = "x.apkg", **given: object) -> Collection:
    made = write_package(drill, folder / name, **given)  # type: ignore[arg-type]
    found = Collection(folder / name)
    assert made.cards == len(found.notes)
    return found


def test_every_type_becomes_a_card(drill: Drill, tmp_path: Path) -> None:
    found = package(drill, tmp_path, reserve=True)
    types = {
        tag.rpartition("::")[2] for note in found.notes for tag in note["tags"] if "type" in tag
    }
    assert types == set(ANSWER_TYPES)
    assert found.cards == (len(found.notes), len(found.notes)), "one card a note"
    assert set(found.models) == {str(MODEL_ID)}
    for note in found.notes:
        fields = note["fields"]
        assert tuple(fields) == FIELDS
        assert len(note["tags"]) == 4 and all(tag.startswith("drill::") for tag in note["tags"])
        head = drill.bank.heads[fields["Id"]]
        assert {f"drill::topic::{head.topic}", f"drill::level::{head.level}"} <= set(note["tags"])
        for field in ("Prompt", "Answer", "Why", "More"):
            assert Reading(fields[field]).text.strip(), (fields["Id"], field)
        for night in (False, True):
            page = found.page(note, back=True, night=night)
            assert "{{" not in page.split("</style>")[1]
        read = Reading(found.page(note, back=True, night=False).split("</style>")[1])
        assert read.tags <= TAGS | {"head", "body"}, read.tags - TAGS
        assert all(re.match(r"https://(arxiv\.org/abs|doi\.org)/", link) for link in read.links)


def test_the_front_does_not_tell(drill: Drill, tmp_path: Path) -> None:
    found = package(drill, tmp_path, reserve=True)
    for note in found.notes:
        fields = note["fields"]
        front = Reading(found.page(note, back=False, night=False).split("</style>")[1]).text
        back = Reading(found.page(note, back=True, night=False).split("</style>")[1]).text
        assert back.strip().startswith(front.strip())
        assert Reading(fields["Why"]).text.strip() not in front
        assert 'class="right"' not in fields["Options"] + fields["Code"] + fields["Prompt"]


def test_a_later_package_updates_the_cards(drill: Drill, tmp_path: Path, clock: Clock) -> None:
    one = package(drill, tmp_path)
    clock.forward(days=3)
    two = package(drill, tmp_path, "y.apkg")
    assert [(n["guid"], n["raw"]) for n in one.notes] == [(n["guid"], n["raw"]) for n in two.notes]
    assert one.decks.keys() == two.decks.keys() and set(one.in_deck) == set(two.in_deck)
    assert len({n["guid"] for n in one.notes}) == len(one.notes)
    names = {deck["name"] for deck in one.decks.values()} - {"Default"}
    assert all(name.count("::") == 1 for name in names)


def test_ids_never_change(tmp_path: Path, clock: Clock) -> None:
    """Anki knows cards by these: another value would double every card of every user."""
    mine = tmp_path / "cards.md"
    mine.write_text("# cfg\n## Q?\nid: cfg.q\n= x\n", encoding="utf-8")
    import_cards([mine], "mine")
    with Drill(clock=clock, packs=[paths.user_packs_dir() / "mine"]) as drill:
        found = package(drill, tmp_path)
    assert [note["guid"] for note in found.notes] == ["s#({]1Q{7s"]
    assert set(found.in_deck) == {2139447223}


def test_the_reserve_stays_out(tmp_path: Path, clock: Clock) -> None:
    with open_drill(tmp_path / "home", make_pack(tmp_path / "pack"), clock) as drill:
        withheld = drill.withheld()
        assert withheld
        made = write_package(drill, tmp_path / "x.apkg")
        assert made.reserved == len(withheld)
        ids = {note["fields"]["Id"] for note in Collection(tmp_path / "x.apkg").notes}
        assert ids and not ids & withheld
        everything = package(drill, tmp_path, "y.apkg", reserve=True)
        assert {note["fields"]["Id"] for note in everything.notes} >= withheld
        with pytest.raises(AnkiError, match=r"5 are kept for mock interviews, --reserve"):
            write_package(drill, tmp_path / "z.apkg", topic="serving")


def test_one_topic(drill: Drill, tmp_path: Path) -> None:
    found = package(drill, tmp_path, topic="scheduler")
    assert found.notes and all("drill::topic::scheduler" in note["tags"] for note in found.notes)
    for wanted, said in (("cfgg", "no topic"), ("", "already")):
        with pytest.raises(AnkiError, match=said):
            write_package(drill, tmp_path / f"{wanted or 'x'}.apkg", topic=wanted)
    with pytest.raises(AnkiError, match=r"end in \.apkg"):
        write_package(drill, tmp_path / "x.zip")
    with pytest.raises(AnkiError, match="cannot be written"):
        write_package(drill, tmp_path / "none" / "x.apkg")
    again: Package = write_package(drill, tmp_path / "x.apkg", force=True)
    assert again.cards == len(drill.askable())


def test_hostile_texts_stay_texts(tmp_path: Path, clock: Clock) -> None:
    mine = tmp_path / "cards.md"
    mine.write_text(
        f"# cfg\n## {HOSTILE}\n```\n{HOSTILE[:50]}\n{HOSTILE[50:]}\n```\n- [x] {HOSTILE} right\n"
        f"- [ ] {HOSTILE} wrong => {HOSTILE}\n- [ ] other => {HOSTILE}\n{HOSTILE}\n",
        encoding="utf-8",
    )
    made = import_cards([mine], "mine")
    assert made.ok, made.problems
    with Drill(clock=clock, packs=[paths.user_packs_dir() / "mine"]) as drill:
        found = package(drill, tmp_path)
    (note,) = found.notes
    for name, html in note["fields"].items():
        read = Reading(html)
        assert read.tags <= TAGS, name
        assert read.attributes <= {"class", "href"}, name
        assert "[sound:" not in html and "[latex]" not in html
    for name in ("Prompt", "Code", "Options", "Answer", "Why"):
        assert HOSTILE in Reading(note["fields"][name]).text.replace("\n", ""), name


TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=80
)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    """White space may fold, and backticks may set a span apart; nothing else happens to it."""

    def bare(shown: str) -> str:
        return "".join(shown.replace("`", "").split())

    for html in (prose(text), inline(text)):
        read = Reading(html)
        assert read.tags <= {"p", "code"} and bare(read.text) == bare(text)
    for numbered in (False, True):
        block = Reading(code(text.replace("`", ""), "python", numbered=numbered))
        assert block.tags <= {"pre", "span"}
    assert Reading(code(text, "python")).text == text.rstrip("\n")


def test_numbers_of_lines_are_right() -> None:
    text = '\n\ndef f():\n    """a\n\n    b"""\n    return 1\n'
    read = Reading(code(text, "python", numbered=True)).text.split("\n")
    assert read == [f"{n}{line}" for n, line in enumerate(text.rstrip("\n").split("\n"), start=1)]


def test_code_that_cannot_be_coloured_is_code_all_the_same() -> None:
    assert Reading(code("<b>x</b>\ny", "no-such-language")).text == "<b>x</b>\ny"
    block = Reading(code("a\rb\nc", "python", numbered=True))
    assert re.findall(r"\d", block.text) == ["1", "2"], "pygments takes a lone CR for a line's end"


def test_choices_stand_in_the_order_of_a_session(drill: Drill, tmp_path: Path) -> None:
    found = package(drill, tmp_path, reserve=True)
    (note,) = [n for n in found.notes if "drill::type::order" in n["tags"]][:1]
    steps = re.findall(r"<li>(.*?)</li>", note["fields"]["Options"])
    right = re.findall(r"<li>(.*?) <span", note["fields"]["Answer"])
    assert set(right) <= set(steps) and [s for s in steps if s in right] != right


def test_both_modes_have_all_colours() -> None:
    names = [
        set(re.findall(r"(--[a-z]+):", block)) for block in re.findall(r"\{([^}]*--[^}]*)\}", CSS)
    ]
    light, dark = (found for found in names if len(found) > 3)
    assert light == dark
    assert set(re.findall(r"var\((--[a-z]+)\)", CSS)) <= light
    assert "http" not in CSS and "url(" not in CSS and "@import" not in CSS

"""Cards from Markdown and CSV: read, placed, checked, written, and edited without a loss."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from drill import paths
from drill.packs.check import check
from drill.services.app import Drill
from drill.services.moving.cards_import import CardsError, ImportedCards, import_cards
from drill.store import Review

CARDS = """\
# Classifier-free guidance
Notes of mine that are no card.

## How often does the UNet run in 50 steps with guidance?
level: senior
hint: Twice a step.
hint: It is even.
source: arXiv:2207.12598
tolerance: 0
= 100 calls
!= 50 calls => They are one batch, but two predictions.
Each step needs a prediction with the prompt
and one without: `{braces}` and *stars* stay as they are.

## Which of these is trained?

There is more to the question,

in paragraphs.
- [x] The UNet.
- [ ] The scheduler. => It has no weights.
- [ ] The tokenizer. => It is a table
  of strings.

Only the UNet learns to predict noise.

# vae
## Which term is printed?
```python
print("1e-4", {"yes": no})
```
= variational autoencoder
= VAE
!= GAN => It has no discriminator in this sense.

## Why two predictions?
* Guidance needs the **unconditional|empty** prediction, too.
+ Both fit in one **batch**.

## Which two hold?
- [x] yes
- [x] 1e-4
- [ ] null => It is nothing.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    return made


def put(folder: Path, text: str, name: str = "cards.md") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def pack(name: str = "mine") -> Path:
    return paths.user_packs_dir() / name


def snapshot(name: str = "mine") -> dict[str, str]:
    """The question files of a pack."""
    root = pack(name)
    found = sorted(root.glob("questions/**/*.yaml"))
    return {f.relative_to(root).as_posix(): f.read_text(encoding="utf-8") for f in found}


def told(made: ImportedCards) -> list[str]:
    folders = {str(Path(problem.file).parent) + "/" for problem in made.problems}
    said = [str(problem) for problem in made.problems]
    return [each.removeprefix(folder) for each in said for folder in folders]


def test_cards_become_items_that_pass_the_check(folder: Path) -> None:
    made = import_cards([put(folder, CARDS)], "mine")
    assert made.ok and made.problems == () and len(made.new) == 5
    problems = check([pack()])
    assert [p for p in problems if p.severity == "error"] == []
    with Drill() as drill:
        asked = {i: h for i, h in drill.askable().items() if i.startswith("mine:")}
        assert {h.type for h in asked.values()} == {
            "number",
            "choice",
            "short",
            "explain",
            "choices",
        }
        assert {h.topic for h in asked.values()} == {"cfg", "vae"}
        by_type = {h.type: drill.bank.question(i, 0) for i, h in asked.items()}
    number = by_type["number"]
    assert (number.body.key, number.body.unit, number.head.level) == (100, "calls", "senior")  # type: ignore[union-attr]
    assert "`{braces}` and *stars*" in number.explanation and len(number.hints) == 2
    assert number.sources[0].paper == "arXiv:2207.12598"
    assert by_type["choice"].prompt.endswith("more to the question,\n\nin paragraphs.")
    assert by_type["choice"].body.options[2].says == "It is a table of strings."  # type: ignore[union-attr]
    code = by_type["short"].code
    assert code is not None and code.text == 'print("1e-4", {"yes": no})'
    assert [o.text for o in by_type["choices"].body.options] == ["yes", "1e-4", "null"]  # type: ignore[union-attr]
    points = by_type["explain"].body.points  # type: ignore[union-attr]
    assert [(p.weight, p.accept) for p in points] == [
        ("essential", ("unconditional|empty",)),
        ("bonus", ("batch",)),
    ]
    assert points[0].statement == "Guidance needs the unconditional prediction, too."


def test_the_cards_of_the_guide(folder: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
    part = guide[guide.index("## Cards: questions without YAML") :]
    cards = part.split("```markdown\n")[1].split("```")[0]
    made = import_cards([put(folder, cards)], "mine")
    assert len(made.new) == 3 and made.problems == ()
    assert [p for p in check([pack()]) if p.severity == "error"] == []


def test_ids_are_written_back_and_nothing_else(folder: Path) -> None:
    path = put(folder, CARDS.replace("\n", "\r\n"))
    made = import_cards([path], "mine")
    lines = path.read_bytes().decode().split("\r\n")
    ids = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    assert sorted(ids) == sorted(made.new)
    assert "\r\n".join(line for line in lines if not line.startswith("id: ")) == CARDS.replace(
        "\n", "\r\n"
    )
    again = import_cards([path], "mine")
    assert (again.new, again.changed, again.same, again.gone, again.files) == ((), (), 5, (), ())


def test_an_edited_card_keeps_its_progress(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    with Drill() as drill:
        item = next(
            i for i, h in drill.askable().items() if i.startswith("mine:") and h.type == "number"
        )
        drill.store.record(Review(item, "number", "h", 0, "100", 1.0, 3, 3))
    text = path.read_text(encoding="utf-8").replace(
        "How often does the UNet run", "How many calls are made"
    )
    text = text.replace("## Which of these", "## New wording: which of these")
    path.write_text(text, encoding="utf-8")
    made = import_cards([path], "mine")
    assert (len(made.changed), made.new, made.gone) == (2, (), ())
    with Drill() as drill:
        assert "How many calls" in drill.bank.question(item, 0).prompt
        state = drill.store.state(item)
        assert state is not None and state.reps == 1


def test_without_ids_in_the_file_the_same_question_stays_the_same_card(folder: Path) -> None:
    path = put(folder, CARDS)
    first = import_cards([path], "mine", write_ids=False)
    assert path.read_text(encoding="utf-8") == CARDS
    put(folder, CARDS.replace("= 100 calls", "= 101 calls"))
    again = import_cards([path], "mine", write_ids=False)
    assert (again.new, len(again.changed), again.same) == ((), 1, 4)
    assert set(again.changed) <= set(first.new)


def test_a_card_that_is_gone_and_one_that_moved(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    text = path.read_text(encoding="utf-8")
    kept = text[: text.index("# vae")]
    put(folder, kept)
    made = import_cards([path], "mine")
    assert len(made.gone) == 3 and made.same == 2
    assert not (pack() / "questions" / "vae" / "cards.yaml").exists()
    assert "3 no longer in the file" in made.said[1]


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    path = put(folder, CARDS)
    made = import_cards([path], "mine", dry_run=True)
    assert made.ok and len(made.new) == 5
    assert path.read_text(encoding="utf-8") == CARDS and not pack().exists()


def test_a_file_that_was_edited_by_hand_is_never_replaced(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    yaml = pack() / "questions" / "cfg" / "cards.yaml"
    text = yaml.read_text(encoding="utf-8").replace("level: senior", "level: staff")
    yaml.write_text(text, encoding="utf-8")
    with pytest.raises(CardsError, match=r"cards\.yaml: was written or edited by hand"):
        import_cards([path], "mine")
    assert yaml.read_text(encoding="utf-8") == text
    yaml.rename(yaml.with_name("own.yaml"))
    made = import_cards([path], "mine")
    assert not made.ok and any("is taken" in said for said in told(made)), told(made)


def test_another_file_of_the_same_name(folder: Path, tmp_path: Path) -> None:
    import_cards([put(folder, CARDS)], "mine")
    (tmp_path / "else").mkdir()
    other = put(tmp_path / "else", "# cfg\n## Something else?\n= yes\n")
    with pytest.raises(CardsError, match="another file of this name"):
        import_cards([other], "mine")
    assert import_cards([other], "second").ok
    twin = put(folder, "# cfg\n## Something else?\n= yes\n", "Cards.markdown")
    with pytest.raises(CardsError, match="the same file"):
        import_cards([other, twin], "third")


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    real = put(folder, CARDS)
    link = tmp_path / "link.md"
    link.symlink_to("mine/cards.md")
    assert len(import_cards([link], "mine").new) == 5
    assert link.is_symlink() and real.read_text(encoding="utf-8").count("\nid: ") == 5
    assert import_cards([real], "mine").files == ()
    with pytest.raises(CardsError, match="are one file"):
        import_cards([real, link], "mine")


def test_a_file_of_the_same_name_takes_no_card_of_the_other(folder: Path, tmp_path: Path) -> None:
    import_cards([put(folder, "# cfg\n## Q one?\n= a\n\n## Q two?\n= b\n", "deck.md")], "mine")
    (tmp_path / "d2").mkdir()
    other = put(tmp_path / "d2", "# cfg\n## Q one?\n= a\n\n## Q three?\n= c\n", "deck.md")
    before = snapshot()
    for text in (other.read_text(encoding="utf-8"), "# cfg\n## Q one?\nid: cfg.q-one\n= a\n"):
        other.write_text(text, encoding="utf-8")
        with pytest.raises(CardsError, match=r"mine/deck\.md, made cards that are not here: .*two"):
            import_cards([other], "mine")
        assert snapshot() == before and other.read_text(encoding="utf-8") == text


def test_a_file_is_written_over_with_other_cards(folder: Path) -> None:
    import_cards([put(folder, CARDS)], "mine")
    before = snapshot()
    path = put(folder, "# cfg\n## Something else?\n= yes\n")
    with pytest.raises(CardsError, match="was imported before with other cards"):
        import_cards([path], "mine")
    assert snapshot() == before


@pytest.mark.parametrize("name", ["dd.md", "elsewhere/cards.md"])
def test_a_file_with_its_ids_is_moved(folder: Path, name: str) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    moved = folder / name
    moved.parent.mkdir(exist_ok=True)
    path.rename(moved)
    made = import_cards([moved], "mine")
    assert (made.new, made.gone) == ((), ()) and made.ok
    assert any(f"{name} takes over the cards of" in said for said in made.said)
    assert sorted(snapshot()) == [
        f"questions/{topic}/{moved.stem}.yaml" for topic in ("cfg", "vae")
    ]
    again = import_cards([moved], "mine")
    assert again.files == () and len(again.said) == 1


def test_a_file_without_ids_is_renamed(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine", write_ids=False)
    made = import_cards([path.rename(folder / "dd.md")], "mine", write_ids=False)
    assert (made.new, made.same, made.gone) == ((), 5 - len(made.changed), ())


def test_a_file_that_is_renamed_and_lacks_a_card(folder: Path) -> None:
    path = put(folder, CARDS)
    ids = import_cards([path], "mine").new
    text = path.read_text(encoding="utf-8")
    path.unlink()
    moved = put(folder, text[: text.index("# vae")], "dd.md")
    before = snapshot()
    with pytest.raises(CardsError, match=r"whose other cards are not here: vae\.") as refused:
        import_cards([moved], "mine")
    assert "delete questions/cfg/cards.yaml and questions/vae/cards.yaml in" in str(refused.value)
    assert snapshot() == before
    for name in before:
        (pack() / name).unlink()
    assert import_cards([moved], "mine").new == tuple(ids[:2])


def test_cards_move_from_one_file_to_another(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    text = path.read_text(encoding="utf-8")
    cut = text.index("# vae")
    path.write_text(text[:cut], encoding="utf-8")
    other = put(folder, text[cut:], "other.md")
    with pytest.raises(CardsError, match="import both files at once"):
        import_cards([other], "mine")
    made = import_cards([other, path], "mine")
    assert (made.new, made.gone, made.ok) == ((), (), True)
    assert sorted(snapshot()) == ["questions/cfg/cards.yaml", "questions/vae/other.yaml"]


def test_a_new_file_takes_the_name_of_one_that_is_renamed(folder: Path) -> None:
    path = put(folder, CARDS)
    import_cards([path], "mine")
    moved = path.rename(folder / "dd.md")
    put(folder, "# cfg\n## Something else?\n= yes\n")
    made = import_cards([path, moved], "mine")
    assert made.ok and made.new == ("cfg.something-else",) and made.gone == ()
    assert sorted(snapshot()) == [
        "questions/cfg/cards.yaml",
        "questions/cfg/dd.yaml",
        "questions/vae/dd.yaml",
    ]


def test_a_file_made_by_an_earlier_drill_names_no_place(folder: Path) -> None:
    def earlier() -> None:
        for name, text in snapshot().items():
            made = re.sub("from .*/cards", "from cards", text)
            (pack() / name).write_text(made, encoding="utf-8")

    path = put(folder, CARDS)
    import_cards([path], "mine", write_ids=False)
    earlier()
    assert import_cards([path], "mine").same == 5
    earlier()
    text = path.read_text(encoding="utf-8")
    put(folder, text[: text.index("# vae")])
    with pytest.raises(CardsError, match="another file of this name"):
        import_cards([path], "mine")
    put(folder, text)
    made = import_cards([path], "mine")
    assert made.same == 5 and len(made.files) == 2 and len(made.said) == 1
    put(folder, text[: text.index("# vae")])
    assert len(import_cards([path], "mine").gone) == 3


def test_a_place_that_cannot_be_shown(folder: Path) -> None:
    path = put(folder, "# cfg\n## Q?\n= x\n", "de\nck.md")
    assert import_cards([path], "mine").ok
    assert import_cards([path], "mine").same == 1


def test_a_card_moves_to_another_topic(folder: Path) -> None:
    path = put(folder, CARDS)
    ids = import_cards([path], "mine").new
    text = path.read_text(encoding="utf-8").replace("# vae\n", "")
    made = import_cards([put(folder, text)], "mine")
    assert not made.ok and len(made.problems) == 3
    wanted = "expected the topic vae; or no id: it becomes a new card, and its history stays behind"
    assert all(wanted in said for said in told(made))
    for name in ids[2:]:
        text = text.replace(f"id: {name}\n", "")
    made = import_cards([put(folder, text)], "mine")
    assert made.ok and len(made.new) == 3 and set(made.gone) == set(ids[2:])
    put(folder, CARDS.replace("# vae\n", ""), "kept.md")
    import_cards([put(folder, CARDS, "kept.md")], "third", write_ids=False)
    made = import_cards(
        [put(folder, CARDS.replace("# vae\n", ""), "kept.md")], "third", write_ids=False
    )
    assert made.ok and len(made.new) == 3 and len(made.gone) == 3


@pytest.mark.parametrize(
    ("name", "rest"), [("cards.md", "# cfg\n"), ("t.csv", "question,answer\n")]
)
def test_all_cards_of_a_file_are_taken_out(folder: Path, name: str, rest: str) -> None:
    text = CARDS if name == "cards.md" else TABLE
    path = put(folder, text, name)
    with pytest.raises(CardsError, match="holds no card"):
        import_cards([put(folder, rest, name)], "mine")
    made = import_cards([put(folder, text, name)], "mine")
    if name == "cards.md":
        with pytest.raises(CardsError, match=r"To take 5 cards of .*leave a heading such as"):
            import_cards([put(folder, "only text\n", name)], "mine")
    gone = import_cards([put(folder, rest, name)], "mine")
    assert gone.ok and set(gone.gone) == set(made.new) and snapshot() == {}
    assert path.read_text(encoding="utf-8") == rest


def test_an_unknown_topic_is_told_once(folder: Path) -> None:
    path = put(folder, "# nonsense\n## A?\n= x\n## B?\n= y\n")
    made = import_cards([path], "mine")
    assert len(made.problems) == 1
    assert "1:3: `nonsense` is no topic (expected overview, " in told(made)[0]
    with pytest.raises(CardsError, match="--topic: `bogus` is no topic"):
        import_cards([put(folder, CARDS)], "mine", topic="bogus")
    assert import_cards([put(folder, "## A?\n= x\n")], "mine", topic="CFG").new == ("cfg.a",)


def test_the_ids_are_counted(folder: Path) -> None:
    assert import_cards([put(folder, "# cfg\n## A?\n= x\n")], "mine").said[-1].startswith("1 id w")


WRONG = [
    ("# cfgg\n## Q?\n= 3\n", "1:3: `cfgg` is no topic; did you mean `cfg`?"),
    ("## Q?\n= 3\n", "1:4: the card has no topic"),
    ("# cfg\n## Q?\nlvel: mid\n= 3\n", "3:1: `lvel` is no field (expected `level:`"),
    ("# cfg\n## Q?\nlevel: middle\n= 3\n", "3:8: cfg.q: level: `middle` is not known here"),
    ("# cfg\n## Q?\nid: a\nid: b\n= 3\n", "4:1: `id` is said twice"),
    (
        "# cfg\n## Q?\nid: vae.x\n= 3\n",
        "3:5: `vae.x` is an id of the topic vae, and the card stands",
    ),
    ("# cfg\n## Q?\nid: no.x\n= 3\n", "3:5: no.x: id: `no.x` does not begin with the prefix"),
    ("# cfg\n## Q?\nid: Upper Case\n= 3\n", "3:5: Upper Case: id: `Upper Case` does not fit"),
    ("# cfg\n## Q?\ntype: essay\n= 3\n", "3:7: a card cannot be of type `essay`"),
    ("# cfg\n## Q?\ntype: number\n= three\n", "3:7: the answer of this card is of type short"),
    ("# cfg\n## Q?\ntext\n", "2:4: the card has no answer"),
    ("# cfg\n## Q?\n= 3\n- [x] a\n", "2:4: the card has answers of two kinds"),
    ("# cfg\n## Q?\n!= x => no\n", "2:4: no answer is right"),
    ("# cfg\n## Q?\n=\n", "3:1: nothing stands after `=`"),
    ("# cfg\n## Q?\n= a\nwhy\n= b\n", "5:1: an answer after the explanation"),
    ("# cfg\n## Q?\n= a\nlevel: mid\n", "4:1: a field that stands too low"),
    ("# cfg\n## Q?\n- [x] a\n- [ ] b\n- [ ] c => no\n", "4:7: a wrong option without a reply"),
    (
        "# cfg\n## Q?\n- [x] a\n- [ ] b => no\n",
        "2:4: cfg.q: options: 2 given (expected at least 3 entries)",
    ),
    ("# cfg\n## Q?\n- [ ] a => n\n- [ ] b => n\n- [ ] c => n\n", "no option is `right: true`"),
    ("# cfg\n## Q?\n* nothing bold\n", "3:3: nothing tells when an answer"),
    ("# cfg\n## Q?\n+ a **bonus** only\n", "no point is essential"),
    ("# cfg\n## Q?\n= 5 GB\n!= 5 GB => no\n", "4:4: cfg.q: faults[0]: the fault 5 is right"),
    ("# cfg\n## Q?\n= 5 GB\n!= 6 MB => no\n", "4:4: `6 MB` has another unit"),
    ("# cfg\n## Q?\n= 5\ntolerance: 1\n", "too low"),
    ("# cfg\n## Q?\ntolerance: wide\n= 5\n", "3:12: `wide` is no tolerance"),
    ("# cfg\n## Q?\ntolerance: 1\n= term\n", "3:12: a card of type short has no tolerance"),
    ("# cfg\n## Q?\n```\ncode\n= 3\n", "3:1: the code does not end"),
    ("# cfg\n## Q?\n= 3\n```\ncode\n```\n", "4:1: code that cannot be shown"),
    ("# cfg\n## Q?\n### deeper\n= 3\n", "3:5: a heading of the third level"),
]


def test_each_error_has_its_place_and_writes_nothing(folder: Path) -> None:
    for text, said in WRONG:
        path = put(folder, text)
        made = import_cards([path], "mine")
        found = told(made)
        assert not made.ok and any(said in each for each in found), (said, found)
        assert all(each.startswith("cards.md:") for each in found)
        assert path.read_text(encoding="utf-8") == text
    assert not pack().exists()


def test_one_wrong_card_keeps_all_out(folder: Path) -> None:
    good, bad = put(folder, CARDS), put(folder, "# cfg\n## Q?\n", "bad.md")
    made = import_cards([good, bad], "mine")
    assert not made.ok and made.new == () and not pack().exists()
    assert good.read_text(encoding="utf-8") == CARDS


@pytest.mark.parametrize("name", ["../out", "/tmp/x", "drill", "Mine", "a b", "", "..", "x" * 60])
def test_a_pack_has_a_plain_name(folder: Path, name: str) -> None:
    with pytest.raises(CardsError):
        import_cards([put(folder, CARDS)], name)


def test_files_that_hold_no_cards(folder: Path) -> None:
    with pytest.raises(CardsError, match="holds no card"):
        import_cards([put(folder, "only text\n")], "mine")
    path = folder / "latin.md"
    path.write_bytes(b"# cfg\n## caf\xe9\n= 1\n")
    with pytest.raises(CardsError, match=r"latin\.md:2: is not UTF-8"):
        import_cards([path], "mine")
    with pytest.raises(CardsError, match=r"cards\.md:2:5: a control character .U\+001B"):
        import_cards([put(folder, "# cfg\n## Q\x1b[31m?\n= 1\n")], "mine")


def test_questions_in_other_scripts_and_doubles(folder: Path) -> None:
    made = import_cards([put(folder, "# cfg\n## Что это?\n= x\n## A?\n= x\n## A?\n= y\n")], "mine")
    assert made.ok and made.new[1:] == ("cfg.a", "cfg.a-2")
    assert made.new[0].startswith("cfg.card-")


TABLE = '''question,answer,wrong,explanation,topic,tolerance
"What does VAE stand for?",variational autoencoder|variational auto-encoder,,"It is, a word",vae,
Which one?,The UNet,The scheduler => no weights|The tokenizer => a table,Because,pipeline,
"Why
two?","The **unconditional|empty** one is needed.
+ It fits one **batch**.",,,cfg,
How many?,"1,000 steps",50 steps => too few,,scheduler,2 %
'''  # fmt: skip


def test_a_table(folder: Path) -> None:
    path = put(folder, TABLE, "table.csv")
    made = import_cards([path], "mine")
    assert made.ok and len(made.new) == 4, told(made)
    assert [p for p in check([pack()]) if p.severity == "error"] == []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "id" and [row[0] for row in rows[1:]] == list(made.new)
    with (folder / "was.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(TABLE)
    with (folder / "was.csv").open(newline="", encoding="utf-8") as file:
        assert [row[1:] for row in rows] == list(csv.reader(file))
    again = import_cards([path], "mine")
    assert (again.same, again.new, again.files) == (4, (), ())
    with Drill() as drill:
        number = drill.bank.question("mine:sc.many", 0)
        assert (number.body.key, number.body.rel) == (1000, 0.02)  # type: ignore[union-attr]
        why = drill.bank.question("mine:cfg.two", 0)
        assert why.prompt == "Why\ntwo?" and len(why.body.points) == 2  # type: ignore[union-attr]


def test_a_table_with_semicolons_and_an_empty_id_column(folder: Path) -> None:
    path = put(folder, "\ufeffquestion;id;answer;topic\r\nA?;;x;cfg\r\nB?;cfg.mine;y\r\n", "t.csv")
    assert import_cards([path], "mine", topic="vae").ok is False
    path = put(folder, "\ufeffquestion;id;answer;topic\r\nA?;;x;cfg\r\nB?;cfg.mine;y\r\n", "t.csv")
    assert import_cards([path], "mine", topic="cfg").ok
    assert (
        path.read_bytes().decode()
        == "\ufeffquestion;id;answer;topic\r\nA?;cfg.a;x;cfg\r\nB?;cfg.mine;y\r\n"
    )


def test_tables_that_cannot_be_read(folder: Path) -> None:
    for text, said in (
        ("question,answr\nA?,x\n", "1:1: `answr` is no column (expected `answer`)"),
        ("question,topic\nA?,x\n", "1:1: the column `answer` is missing"),
        ("question,answer,answer\nA?,x,y\n", "1:1: the column `answer` stands twice"),
        ("question,answer\nA?,x,y\n", "2:1: the row has 3 cells and the header 2"),
        ('question,answer\nA?,x\n"B?,y\n', "3:1: cannot be read from here on"),
        ("question,answer\n,x\n", "2:1: the question is empty"),
        ("", "1:1: the file is empty"),
        ("question,answer\nF?,\n", "2:1: the card has no answer (expected text in the column"),
        (
            "question,answer,wrong\nF?,,a\n",
            "2:1: the card has no answer (expected text in the column",
        ),
        (
            "question,answer,wrong\nF?,true,false => no\n",
            "2:1: answer and wrong answers make a choice of 2 (expected 3 to 6; or `short` in the",
        ),
        ("question,answer,wrong\nF?,a,b|c\n", "2:1: a wrong option without a reply"),
        ("question,answer,wrong\nF?,3,4\n", "without a reply (expected `4 => why not`)"),
        ("question,answer,type\nF?,x,number\n", "(expected `short` or nothing there)"),
    ):
        made = import_cards([put(folder, text, "t.csv")], "mine", topic="cfg")
        assert not made.ok and any(said in each for each in told(made)), (text, told(made))
    assert not pack().exists()

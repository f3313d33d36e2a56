"""Cards as items of a pack: plain data as YAML holds it, with the place of each value."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from drill.domain.questions import TOPICS
from drill.packs.fields import ID, PREFIXES
from drill.packs.problems import Loc, nearest
from drill.packs.yaml_source import Marks
from drill.services.moving.card import Card, CardProblem, Cards, CardsError, Said
from drill.services.moving.cards_bodies import explained, fault, number, quantity, slug

TYPES = ("short", "number", "choice", "choices", "explain")
_TOPIC_OF = {prefix: topic for topic, prefix in PREFIXES.items()}
_OPTIONS = range(3, 7)
"""How many options a choice has."""
_IN_ANSWER = "text in the column `answer`"


class Made:
    """The items of a file of cards."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.cards: list[Card] = []
        self.marks = Marks()
        """Locs begin with the number of the item."""


def items_of(found: Cards, topic: str, source: str, taken: Collection[str]) -> Made:
    """Make items of cards; what cannot be made is noted among the problems of `found`.

    Args:
        topic: of cards that name none; may be empty.
        source: what is named as the source of a card that names none.
        taken: ids of other items of the pack.
    """
    made = Made()
    used = {said.text for card in found.cards if (said := card.one("id"))} | set(taken)
    used |= {card.id for card in found.cards if card.id}
    for card in found.cards:
        before = len(found.problems)
        item = _item(card, found, topic, source, used)
        if len(found.problems) == before and item is not None:
            _place(card, item, len(made.items), made.marks)
            made.items.append(item)
            made.cards.append(card)
    return made


def _item(
    card: Card, found: Cards, topic: str, source: str, used: set[str]
) -> dict[str, Any] | None:
    where = card.one("topic") or card.topic
    known = _topic(where.text) if where else topic
    if not known:
        _no_topic(card, where, found)
        return None
    if not _id_fits(card, known, found):
        return None
    kind = _kind(card, found)
    body = _body(kind, card, found) if kind else None
    if body is None:
        return None
    given = card.one("id")
    card.id = (
        given.text if given else card.id or _made_id(PREFIXES[known], card.question.text, used)
    )
    used.add(card.id)
    level, relevance = card.one("level"), card.one("relevance")
    item: dict[str, Any] = {
        "id": card.id,
        "topic": known,
        "level": level.text if level else "mid",
        "relevance": relevance.text if relevance else "core",
        "type": kind,
        "prompt": card.question.text,
    }
    if card.code is not None:
        item["code"] = card.code.text
        if card.lang:
            item["lang"] = card.lang.lower()
    item.update(body)
    item["explanation"] = card.explanation.text if card.explanation else _explanation(item)
    hints = [said.text for said in card.fields.get("hint", ())]
    if hints:
        item["hints"] = hints
    item["sources"] = [_source(said.text) for said in card.fields.get("source", ())]
    item["sources"] = item["sources"] or [{"text": source}]
    return item


def checked_topic(text: str) -> str:
    """The topic that --topic names; raises CardsError for what is none."""
    known = _topic(text)
    if text and not known:
        message, wanted = _unknown(text)
        raise CardsError(f"--topic: {message} (expected {wanted})")
    return known


def _unknown(text: str) -> tuple[str, str]:
    """What is wrong with a topic that is none, and what was expected."""
    near = nearest(text, [*TOPICS, *TOPICS.values()])
    hint = f"; did you mean `{near}`?" if near else ""
    return f"`{text}` is no topic{hint}", ", ".join(TOPICS)


def _no_topic(card: Card, where: Said | None, found: Cards) -> None:
    if where is None:
        wanted = "a column" if found.table else "a heading `# topic` above it, a field"
        found.fault(card.question, "the card has no topic", f"{wanted} `topic`, or --topic")
        return
    problem = CardProblem(where.line, where.column, *_unknown(where.text))
    if problem not in found.problems:  # one heading stands above many cards
        found.problems.append(problem)


def _id_fits(card: Card, topic: str, found: Cards) -> bool:
    """Whether the id is one of the topic; a new one is made for a card that was only remembered."""
    given = card.one("id")
    name = given.text if given else card.id
    home = _TOPIC_OF.get(name.partition(".")[0], topic)
    if home == topic:
        return True
    if given is None:
        card.id = ""
        return True
    said = f"`{name}` is an id of the topic {home}, and the card stands under {topic}"
    wanted = f"the topic {home}; or no id: it becomes a new card, and its history stays behind"
    found.fault(given, said, wanted)
    return False


def _topic(text: str) -> str:
    """A topic by its id, its title, or the prefix of its ids; empty for another text."""
    folded = text.strip().casefold()
    for topic, title in TOPICS.items():
        if folded in (topic, title.casefold(), PREFIXES[topic]):
            return topic
    return ""


def _kind(card: Card, found: Cards) -> str:
    given = card.one("type")
    if given is not None and given.text not in TYPES:
        said = f"a card cannot be of type `{given.text}`"
        found.fault(given, said, f"{', '.join(TYPES)}; write other types as YAML")
        return ""
    shapes = [bool(card.answers or card.faults), bool(card.options), bool(card.points)]
    if found.table and card.options and not any(option.right for option in card.options):
        shapes = []
    if sum(shapes) != 1:
        said = "the card has no answer" if not any(shapes) else "the card has answers of two kinds"
        wanted = "lines that begin with `=`, or `- [x]` and `- [ ]`, or `*`"
        found.fault(card.question, said, _IN_ANSWER if found.table else wanted)
        return ""
    if card.points:
        kind = "explain"
    elif card.options:
        right = sum(option.right for option in card.options)
        kind = "choice" if right == 1 and (given is None or given.text != "choices") else "choices"
    else:
        single = len(card.answers) == 1 and quantity(card.answers[0].text) is not None
        kind = "number" if single and (given is None or given.text != "short") else "short"
    if given is not None and given.text != kind:
        wanted = f"`{kind}` or nothing there" if found.table else f"`type: {kind}`, or none"
        found.fault(given, f"the answer of this card is of type {kind}", wanted)
        return ""
    return kind


def _body(kind: str, card: Card, found: Cards) -> dict[str, Any] | None:
    tolerance = card.one("tolerance")
    if tolerance is not None and kind != "number":
        found.fault(tolerance, f"a card of type {kind} has no tolerance", "a number as its answer")
        return None
    if kind == "number":
        return number(card, found)
    if kind == "explain":
        return explained(card, found)
    if kind == "short":
        if not card.answers:
            wanted = _IN_ANSWER if found.table else "a line that begins with `=`"
            found.fault(card.question, "no answer is right", wanted)
            return None
        body: dict[str, Any] = {"accept": [said.text for said in card.answers]}
        others = [fault(each.value.text, each.value, each.says, found) for each in card.faults]
        return {**body, "others": others} if others else body
    if found.table and len(card.options) not in _OPTIONS:
        said = f"answer and wrong answers make a choice of {len(card.options)}"
        wanted = f"{_OPTIONS[0]} to {_OPTIONS[-1]}; or `short` in the column `type`: to be typed"
        found.fault(card.question, said, wanted)
        return None
    options: list[dict[str, Any]] = []
    for option in card.options:
        if not option.right and option.says is None:
            line = "text => why not" if found.table else "- [ ] text => why not"
            wanted = f"what is wrong with it: `{line}`"
            found.fault(option.text, "a wrong option without a reply", wanted)
        made: dict[str, Any] = {"text": option.text.text}
        if option.right:
            made["right"] = True
        if option.says is not None:
            made["says"] = option.says.text
        options.append(made)
    return {"options": options}


def _explanation(item: dict[str, Any]) -> str:
    """For a card that explains nothing: the answer in a sentence."""
    if "model_answer" in item:
        return str(item["model_answer"])
    if "key" in item:
        return f"The answer is {item['key']} {item.get('unit', '')}".strip() + "."
    if "accept" in item:
        return f"The answer is {' or '.join(item['accept'])}."
    right = [option["text"] for option in item["options"] if option.get("right")]
    return f"Right: {'; '.join(right)}."


def _source(text: str) -> dict[str, str]:
    return {"paper" if re.match(r"(arXiv:\d|doi:)", text) else "text": text}


def _made_id(prefix: str, question: str, used: Collection[str]) -> str:
    import hashlib

    name = slug(question)
    if not name:  # a question without a Latin letter
        name = "card-" + hashlib.sha256(question.encode()).hexdigest()[:8]
    stem = made = f"{prefix}.{name}"
    number = 1
    while made in used:
        number += 1
        made = f"{stem}-{number}"
    assert re.fullmatch(ID, made), made
    return made


def _place(card: Card, item: dict[str, Any], number: int, marks: Marks) -> None:
    """Where in the author's file each field of an item stands."""
    places: dict[Loc, Said | None] = {(): card.question, ("prompt",): card.question}
    for name in ("id", "level", "relevance", "type", "topic"):
        places[name,] = card.one(name) or (card.topic if name == "topic" else None)
    places["code",] = card.code
    places["explanation",] = card.explanation
    places["key",] = places["accept",] = card.answers[0] if card.answers else None
    for n, said in enumerate(card.answers):
        places["accept", n] = said
    for n, wrong in enumerate(card.faults):
        for name in ("faults", "others"):
            places[name, n] = wrong.value
            places[name, n, "says"] = wrong.says
    for n, option in enumerate(card.options):
        places["options", n] = option.text
        places["options", n, "says"] = option.says
    for n, point in enumerate(card.points):
        places["points", n] = point.text
    for name, field in (("hint", "hints"), ("source", "sources")):
        for n, said in enumerate(card.fields.get(name, ())):
            places[field, n] = said
    for loc, place in places.items():
        if place is not None:
            marks.values[(number, *loc)] = place.place

"""Keywords dressed up as sentences earn nothing; short honest answers keep what they earn."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.grading import DATA, read_set, rubric
from drill.domain.interview.judging import judged_text
from drill.domain.questions import ExplainBody
from drill.domain.rubric import guards, judge, stuffing
from drill.domain.rubric.grammar import FUNCTION
from drill.domain.rubric.text import plain_words
from drill.packs.compile import load_pack
from drill.packs.files import gather
from tests.rubric.make import point, states

ROOT = Path(__file__).resolve().parents[2]
CLAIM = "The generator makes the picture in one pass."
NAMES = "It leaves out parts, such as text encoding, the checker and the upload."
ORDER = "Compare both models on the same seeds."


@pytest.mark.parametrize(
    "text",
    [
        "GAN: generator, discriminator, adversarial loss, one forward pass.",
        "GAN: chosen loss, written prompt, hidden noise, driven generator, one pass.",
        "It is about generator pass, noise steps, mode collapse, loss terms, picture time, seeds.",
        "This is all about the generator of one pass, the loss, the steps, the collapse.",
        "The one pass of the generator of the picture of the noise of the network.",
        "generator trained one pass, noise added steps, modes collapsed, loss weighted, student "
        "distilled fewer steps, latency measured",
        "One pass of generator means quality and speed of pictures, trade-off of latency.",
    ],
    ids=["colon", "participles", "about", "about the", "of", "verbs", "slogan"],
)
def test_dressed_up_keywords_are_asked(text: str) -> None:
    key = point("generator* & one .. pass", "one pass", statement=CLAIM)
    assert states(judge(text, [key])) == {"p": "ask"}


@pytest.mark.parametrize(
    "text",
    [
        "GAN: the generator needs one pass, a discriminator trains it, the loss is adversarial.",
        "GAN = 1 network, one pass -> fast; diffusion = N steps",
        "Generator: one pass, so no steps, no sampler, no schedule.",
        "It is about twice as fast, since the generator needs one pass.",
        "The generator of the model of the paper needs one pass of the network.",
        "One pass means a faster generator.",
        "One pass, fp16, no steps.",
        "Generator runs once: one pass.",
    ],
)
def test_terse_claims_are_credited(text: str) -> None:
    key = point("one .. pass", statement=CLAIM)
    assert states(judge(text, [key])) == {"p": "credited"}


def test_in_a_list_only_the_part_that_claims_earns() -> None:
    text = "GAN: discriminator, minimax, latent space, generator needs one pass."
    key = [point("one pass", statement=CLAIM), point("minimax", statement=CLAIM, name="q")]
    assert states(judge(text, key)) == {"p": "credited", "q": "ask"}


@pytest.mark.parametrize("statement", [NAMES, ORDER])
def test_a_list_is_an_answer_where_names_are_asked_for(statement: str) -> None:
    text = "Missing: text encoding, safety checker, image upload, worker start, log shipping."
    recipe = "checker"
    assert states(judge(text, [point(recipe, statement=statement)])) == {"p": "credited"}
    assert states(judge(text, [point(recipe, statement=CLAIM)])) == {"p": "ask"}


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (NAMES, True),
        (ORDER, True),
        ("Cost per image and usage per customer.", True),
        ("Queue depth, error rate, latency and memory are watched.", True),
        (CLAIM, False),
        ("Compression loses detail.", False),
        ("To predict the noise is what the network learns.", False),
    ],
)
def test_points_that_ask_for_names(statement: str, wanted: bool) -> None:
    assert stuffing.wants_names(statement) is wanted


@pytest.mark.parametrize(
    "text",
    [
        "The bandwidth of the link with pinned memory.",
        "The current latents and the index of the step.",
        "A job id, and the bandwidth for the result.",
        "Activations, text encoder, VAE.",
    ],
)
def test_a_noun_phrase_is_a_reply(text: str) -> None:
    key = point("bandwidth|latents|adapter|activations", statement=NAMES)
    body = ExplainBody((key,), ())
    assert judged_text(body, text, reply=True).points == {"p": "credited"}


@pytest.mark.parametrize(
    "text",
    [
        "bandwidth link memory latents adapter activations encoder",
        "The latents of the bandwidth of the adapter of the activations.",
        "Bandwidth, profiler, warm-up, events, trace, timers.",
        "It is about bandwidth, latents, memory, activations.",
    ],
)
def test_a_heap_is_no_reply(text: str) -> None:
    body = ExplainBody((point("bandwidth|latents", statement=CLAIM),), ())
    assert judged_text(body, text, reply=True).points == {"p": "ask"}


def test_two_prepositions_in_a_row_are_no_scramble() -> None:
    assert not guards.is_scrambled(plain_words("With and without it at the same seed."))
    assert guards.is_scrambled(plain_words("With and the seed of is for but model."))


def test_an_interview_is_stricter_than_practice() -> None:
    body = ExplainBody((point("quality", statement=CLAIM),), ())
    for text in (
        "More steps means higher quality.",
        "Sampler, steps, quality.",
        "Quality: more steps, smaller error, fine detail, user preference, blind test.",
    ):
        assert judge(text, body.points).points[0].state == "credited"
        assert judged_text(body, text).points == {"p": "ask"}, text
    assert judged_text(body, "The quality levels off.").points == {"p": "credited"}


def test_a_sentence_with_more_points_than_claims_is_in_doubt() -> None:
    names = ("noise", "latents", "prompt", "scheduler")
    body = ExplainBody(tuple(point(n, statement=CLAIM, name=n) for n in names), ())
    crowded = "Noise of the latents with the prompt for a scheduler at work"
    said = "Noise fills the latents, the prompt steers them and the scheduler removes it"
    assert set(judged_text(body, said).points.values()) == {"credited"}
    assert "credited" not in judged_text(body, crowded).points.values()


Words = list[str]


def _attacks(words: Words, rng: random.Random) -> dict[str, str]:
    def some(count: int) -> Words:
        return [rng.choice(words) for _ in range(count)]

    def pairs(count: int) -> str:
        return ", ".join(" ".join(some(2)) for _ in range(count))

    verbs = ("used", "trained", "running", "added", "shifted")
    general = ("means", "gives", "helps")
    return {
        "colon": f"{some(1)[0]}: {pairs(7)}.",
        "about": f"It is about {pairs(8)}.",
        "about of": "This is all about " + ", ".join(" of ".join(some(2)) for _ in range(7)),
        "of": "The " + " of the ".join(some(8)) + ".",
        "verbs": ", ".join(" ".join((*some(2), rng.choice(verbs))) for _ in range(6)),
        "slogan": "{} of {} {} {} and {} of {}".format(
            *some(2), rng.choice(general), *some(3)
        ),
    }  # fmt: skip


def test_random_keywords_in_each_dress_earn_little() -> None:
    """Built from the statements of the development set; without the guards .1 to .4 are earned."""
    rng = random.Random(5)
    questions, keys = read_set(DATA / "dev.yaml", DATA / "dev-keys.yaml")
    earned: Counter[str] = Counter()
    pairs = 0
    for question in questions:
        points, beliefs = rubric(question, keys)
        words = [
            word
            for p in points
            for word in plain_words(p.statement)
            if word not in FUNCTION and word.isalpha() and len(word) > 2
        ]
        pairs += len(points)
        for form, text in _attacks(words, rng).items():
            found = judge(text, points, beliefs).points
            earned[form] += sum(p.state == "credited" for p in found)
    limits = {"about of": 0.06, "slogan": 0.05}
    over = {f: n / pairs for f, n in earned.items() if n > limits.get(f, 0.0) * pairs}
    assert not over


@cache
def _rows() -> tuple[tuple[str, str, str, str, bool], ...]:
    """Item, half, form or kind, state in practice or interview, of each essential point."""
    bodies = {
        q.head.id.rpartition(":")[2]: q.body
        for entry in load_pack(gather(ROOT)).entries
        for q in entry.compiled.questions
        if isinstance(q.body, ExplainBody)
    }
    rows = []
    answers: list[dict[str, Any]] = yaml.safe_load(
        (Path(__file__).parent / "stuffed.yaml").read_text()
    )
    for item in answers:
        body = bodies[item["item"]]
        for answer in (*item["stuffed"], *item["honest"]):
            kind = answer.get("form") or answer["kind"]
            reply = kind == "reply"
            practice = judge(answer["text"], body.points, body.misconceptions, reply=reply)
            interview = judged_text(body, answer["text"], reply=reply).points
            for p in practice.points:
                if p.id == answer.get("point", p.id) and (p.essential or reply):
                    rows.append((item["half"], kind, p.state, interview[p.id], reply))
    return tuple(rows)


def _share(half: str, kinds: set[str], where: int) -> float:
    picked = [row for row in _rows() if row[0] == half and row[1] in kinds]
    return sum(row[where] == "credited" for row in picked) / len(picked)


@pytest.mark.parametrize("half", ["dev", "judge", "fresh"])
def test_stuffed_answers_to_reserve_items(half: str) -> None:
    """Before these guards .67, .54 and .44 of the essential points were credited in practice.

    With them .10, .19 and .12, and in an interview .07, .15 and .02. What is left are short rows
    where the point asks for names, and slogans that say what is true.
    """
    assert _share(half, {"about", "of", "verbs"}, 2) == 0
    assert _share(half, {"colon", "slogan", "about", "of", "verbs"}, 2) <= 0.2
    assert _share(half, {"colon", "slogan", "about", "of", "verbs"}, 3) <= 0.15


@pytest.mark.parametrize("half", ["dev", "judge", "fresh"])
def test_honest_terse_answers_to_reserve_items(half: str) -> None:
    """Measured .79, .79, .88 in practice, as before the guards; .75, .74, .88 in interviews."""
    assert _share(half, {"terse"}, 2) >= 0.79
    assert _share(half, {"terse"}, 3) >= 0.74

"""What the report says of a new learner, of one session, of weeks, of a period and an interview."""

from __future__ import annotations

import json
from datetime import date

import msgspec
import pytest
from msgspec.structs import replace

from drill.domain.questions import TOPICS
from drill.services.app import Drill
from drill.services.report.answers import quoted
from drill.services.report.document import FORMAT, Report
from drill.services.report.experiments import runs
from drill.services.report.gather import gather
from drill.services.report.rendering import rendered
from drill.services.report.scope import ScopeError, Wanted, scope_of
from drill.services.report.words import duration, joined, of, percent, times
from drill.store.entry import Review
from tests.report.conftest import Seeded, at_home
from tests.report.pages import Parsed

EMPTY = "0 of 0", "None", "nan", "undefined", "0/0"


def test_a_new_learner_is_told_what_will_stand_here(new: Seeded) -> None:
    report = new.report
    assert report.answered_ever == 0 and report.facts == ()
    assert f"{report.bank_items} questions" in report.summary[0]
    assert [step.command for step in report.steps] == [
        "drill session",
        "drill lab run forward-chain-vs-closed-form",
        "drill setup --date YYYY-MM-DD",
    ]
    page = Parsed(new.text())
    tags = [tag for tag, _ in page.elements]
    assert "table" not in tags and "svg" not in tags and page.wrong == []
    assert "Nothing has been answered yet" in page.text
    for word in EMPTY:
        assert word not in page.text
    assert "| | |" not in new.text("md")


def test_one_session_claims_nothing_about_memory(one: Seeded) -> None:
    report = one.report
    statistics = report.statistics
    assert statistics is not None and statistics.totals.answers == 12
    right = sum(day.right for day in statistics.days)
    assert "12 answers to 12 questions were given in one day" in report.summary[0]
    assert f"{right} were right" in report.summary[0]
    assert report.facts[0].value == f"{right} of 12"
    page = Parsed(one.text())
    tags = [tag for tag, _ in page.elements]
    assert "Recall" not in page.text and "Remembered" not in page.text
    assert "come back on 24 November 2026" in page.text
    assert tags.count("table") == 1
    for word in EMPTY:
        assert word not in page.text


def test_weeks_of_practice_fill_every_section(long: Seeded) -> None:
    report = long.report
    page = Parsed(long.text())
    headings = {
        "Summary", "Readiness and plan", "Strengths", "Beliefs to mend", "What was practised",
        "Confidence against correctness", "Experiments that were run", "Mock interviews",
        "Next steps", "To read",
    }  # fmt: skip
    for heading in headings:
        assert heading in page.text, heading
        if heading != "To read":
            assert f"## {heading}\n" in long.text("md"), heading
    assert page.wrong == [] and page.open == []
    assert report.outlook is not None and report.outlook.overall.at_date is not None
    assert percent(report.outlook.overall.at_date) in report.summary[0]
    open_beliefs = [b for b in report.beliefs if b.status != "cleared"]
    assert open_beliefs
    for belief in open_beliefs:
        assert belief.correction
        for words in (belief.belief, belief.correction):
            assert words.replace("`", "") in page.text
    # Those to mend come first, and the steps begin with them where any is held.
    order = [b.status for b in report.beliefs]
    assert order == sorted(order, key=["held", "shaken", "cleared"].index)
    assert len(report.steps) >= 3
    assert report.runs is not None and len(report.runs.shown) == 3
    assert all(run.sentence in page.text for run in report.runs.shown)
    assert report.mocks[0].document["transcript"][0]["turns"][0]["text"] in page.text


def test_claims_that_do_not_apply_neither_hold_nor_fail(long: Seeded) -> None:
    with at_home(long.home) as drill:
        first = drill.store.runs.list()[0]
        judged = [True, True, False]
        claims = [
            {**claim, "holds": judged[n] if n < len(judged) else None}
            for n, claim in enumerate(first.claims)
        ]
        drill.store.runs.save(replace(first, id="partly", started="2020-01-01", claims=claims))
        found = runs(drill, None, ["partly"])
    assert found is not None and (found.holds, found.claims) == (2, 3)
    (row,) = found.shown
    assert (row.holds, row.applied, len(row.claims)) == (2, 3, len(claims))
    assert len(claims) > 3
    page = Parsed(rendered(replace(long.report, runs=found), "html", long.home))
    assert f"2 of 3 claims held; {len(claims) - 3} did not apply" in page.text
    assert page.text.count("does not hold: ") == 1 and page.text.count(" holds: ") == 2


def test_every_link_leads_somewhere_and_every_id_is_there_once(long: Seeded, one: Seeded) -> None:
    for seeded in (long, one):
        page = Parsed(seeded.text())
        ids = [value for _, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        targets = [value[1:] for name, value in page.urls() if name == "href"]
        assert targets and set(targets) <= set(ids)
        labels = [v for _, n, v in page.attributes if n == "aria-labelledby"]
        assert {part for label in labels for part in label.split()} <= set(ids)


def test_tables_and_pictures_can_be_heard(long: Seeded) -> None:
    page = Parsed(long.text())
    assert ("html", "lang", "en") in page.attributes
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in names for tag, names in page.elements if tag == "th")
    pictures = [dict.fromkeys(names) for tag, names in page.elements if tag == "img"]
    assert pictures and all({"alt", "width", "height"} <= set(each) for each in pictures)
    drawn = [names for tag, names in page.elements if tag == "svg"]
    assert all(
        "aria-hidden" in names or {"role", "aria-labelledby"} <= set(names) for names in drawn
    )
    assert sum("role" in names for names in drawn) == tags.count("desc") >= 5
    assert "script" not in tags and "link" not in tags


def test_next_steps_name_pages_that_are_in_the_report(long: Seeded) -> None:
    reading = [page for step in long.report.steps for page in step.reading]
    assert reading
    text = Parsed(long.text()).text
    for page in reading:
        assert f"{page.page} › {page.section}" in text
        assert page.command in text
        assert page.command.startswith("drill lab show ")


def test_json_is_the_same_document(long: Seeded) -> None:
    loaded = json.loads(long.text("json"))
    assert loaded["format"] == FORMAT
    assert msgspec.convert(loaded, Report) == long.report


# -- scopes -------------------------------------------------------------------------------


def test_a_period_counts_only_its_days(long: Seeded) -> None:
    with at_home(long.home) as drill:
        week = gather(drill, Wanted(days=7))
        day = gather(drill, Wanted(since="2026-11-23"))
    every = long.report.statistics
    assert week.statistics is not None and day.statistics is not None and every is not None
    assert 0 < day.statistics.totals.answers < week.statistics.totals.answers
    assert week.statistics.totals.answers < every.totals.answers
    assert day.statistics.retention[-1].all.answers and len(day.statistics.days) == 1
    for form in ("html", "md"):
        assert "only then can be told" not in rendered(day, form, long.home)
        assert "this period" in rendered(day, form, long.home)
    assert week.scope.since == "2026-11-17" and week.scope.words.startswith("From 17 November")
    assert week.practice is not None and week.practice.bins[0].start == "2026-11-17"
    assert sum(b.answers for b in week.practice.bins) == week.statistics.totals.answers
    with at_home(long.home) as drill:
        ever = gather(drill, Wanted(days=36_500))
    assert ever.practice is not None and long.report.practice is not None
    assert ever.practice.bins == long.report.practice.bins, "nothing before the first answer"
    assert week.runs is not None and long.report.runs is not None
    assert week.runs.count < long.report.runs.count
    assert Parsed(rendered(week, "html", long.home)).wrong == []


def test_a_period_is_called_one_and_beliefs_are_counted_in_all(long: Seeded) -> None:
    with at_home(long.home) as drill:
        week = gather(drill, Wanted(days=7))
    page, text = Parsed(rendered(week, "html", long.home)).text, rendered(week, "md", long.home)
    assert "this period" in page and "| this period |" in text and "| all |" not in text
    shown = [f"shown {times(b.shown)} in all" for b in week.beliefs if b.status != "cleared"]
    assert shown and all(each in page and each in text for each in shown)
    assert "| all |" in long.text("md") and " in all, last" not in long.text("md")


def test_the_markdown_explains_what_the_page_explains(long: Seeded, one: Seeded) -> None:
    page, text = Parsed(long.text()).text, long.text("md")
    for said in (
        "those never met among them, weighed by importance",
        "interviews ask what practice has never shown",
        "Topics in which the first answers of a day to a question are right",
        "first answers of a day right",
        "first answers of a day to what was answered on an earlier one",
        "recall expected today of those, the learner's own reviews counted in",
        "Streak: ", "due today (", "Confidence is given before an answer is judged.",
        "Brier score", "A belief is held when an answer showed it",
    ):  # fmt: skip
        assert said in page and said in text, said
    assert "Not begun: Overview, UNet and DiT" in one.text("md")


def test_strengths_and_topics_expect_what_the_learners_reviews_bear_out(long: Seeded) -> None:
    told = long.report.statistics
    assert told is not None and told.memory_tests and told.memory_scale < 0.8
    recalls = {row.topic: row.recall for row in told.topics}
    assert long.report.strengths
    for each in long.report.strengths:
        assert each.recall == recalls[each.topic]


def test_suspended_questions_are_not_of_what_practice_asks(drill: Drill) -> None:
    items = list(drill.bank.heads)[:3]
    for item in items:
        _review(drill, item, 3, 2)
    drill.store.suspend(items[0])
    report = gather(drill, Wanted())
    (met,) = [fact for fact in report.facts if fact.label == "Questions met"]
    assert (met.value, met.note) == ("2", f"of {len(drill.bank.heads) - 1} that practice asks")
    assert report.bank_items == len(drill.bank.heads) - 1


def test_a_period_without_an_answer_says_so(one: Seeded) -> None:
    with at_home(one.home) as drill:
        drill.clock.forward(days=5)  # type: ignore[attr-defined]
        report = gather(drill, Wanted(days=2))
    assert "Nothing was answered in this time." in report.summary[0]
    page = Parsed(rendered(report, "html", one.home))
    assert "What was practised" not in page.text
    assert "Beliefs to mend" in page.text, "beliefs are of today, whatever the period"


def test_an_interview_has_a_report_of_its_own(long: Seeded) -> None:
    with at_home(long.home) as drill:
        report = gather(drill, Wanted(mock="last"))
    page = Parsed(rendered(report, "html", long.home))
    assert page.wrong == []
    document = report.mocks[0].document
    for entry in document["transcript"]:
        for turn in entry["turns"]:
            assert " ".join(turn["text"].split()) in page.text
    for point in document["scorecard"]["missing"]:
        assert point["statement"].replace("`", "") in page.text
    assert document["scorecard"]["level"] in report.summary[0]
    assert report.steps[-1].command == "drill mock sibling"
    assert report.statistics is None and "What was practised" not in page.text
    transcript = rendered(report, "md", long.home)
    assert "#### Transcript" in transcript and "Candidate:" in transcript


def test_an_interview_of_an_older_drill_is_shown_too(long: Seeded) -> None:
    raw = msgspec.to_builtins(long.report)
    for entry in raw["mocks"][0]["document"]["transcript"]:
        for turn in entry["turns"]:
            del turn["said"], turn["by"]
    older = msgspec.convert(raw, Report)
    for form in ("html", "md"):
        assert "Candidate" in rendered(older, form, long.home)


def test_scopes_exclude_each_other_and_must_be_days() -> None:
    today = date(2026, 11, 23)
    for wanted in (
        Wanted(days=3, since="2026-11-01"), Wanted(days=3, mock="last"), Wanted(since="yesterday"),
        Wanted(since="2026-11-24"), Wanted(days=40_000),
    ):  # fmt: skip
        with pytest.raises(ScopeError):
            scope_of(wanted, today)
    assert scope_of(Wanted(days=1), today).words == "23 November 2026"
    assert scope_of(Wanted(), today).kind == "all"


# -- what is told of answers ----------------------------------------------------------------


def _review(drill: Drill, item: str, grade: int, confidence: int, answer: str = "b") -> None:
    head = drill.bank.heads[item]
    drill.store.record(
        Review(
            item_id=item, type=head.type, content_hash=head.content_hash, seed=0, answer=answer,
            auto_score=1.0 if grade > 1 else 0.0, auto_grade=grade, grade=grade,
            confidence=confidence, duration_ms=9000, expected_seconds=30.0,
        )
    )  # fmt: skip


def test_sure_and_wrong_is_open_until_a_later_day_puts_it_right(drill: Drill) -> None:
    items = list(drill.bank.heads)[:3]
    for item in items:
        _review(drill, item, 1, 3)
    _review(drill, items[0], 3, 2)  # the same day: the feedback had just been read
    drill.clock.forward(days=1)  # type: ignore[attr-defined]
    _review(drill, items[1], 3, 2)
    _review(drill, items[2], 1, 1)
    report = gather(drill, Wanted())
    assert report.practice is not None
    found = {each.item_id: each.mended for each in report.practice.sure_wrong}
    assert found == {items[0]: False, items[1]: True, items[2]: False}
    assert report.practice.sure_wrong[-1].item_id == items[1], "open ones come first"
    assert report.practice.sure_wrong_count == 3
    assert [each.item_id for each in report.practice.hard] == [items[2]]


def test_an_undone_answer_is_not_told(drill: Drill) -> None:
    item = next(iter(drill.bank.heads))
    _review(drill, item, 1, 3)
    drill.store.undo()
    report = gather(drill, Wanted())
    assert report.answered_ever == 0 and report.practice is not None
    assert report.practice.sure_wrong == ()


def test_an_item_that_left_the_bank_is_counted_and_not_shown(drill: Drill) -> None:
    item = next(iter(drill.bank.heads))
    _review(drill, item, 1, 3)
    head = drill.bank.heads.pop(item)
    try:
        report = gather(drill, Wanted())
    finally:
        drill.bank.heads[item] = head
    assert report.practice is not None and report.practice.sure_wrong == ()
    assert report.practice.sure_wrong_count == 1
    assert "has left the bank" in report.notes[0]
    assert Parsed(rendered(report, "html", drill.store.path.parent)).wrong == []


def test_letters_of_an_item_that_was_changed_are_not_put_into_words(drill: Drill) -> None:
    item = next(i for i, head in drill.bank.heads.items() if head.type == "choice")
    _review(drill, item, 1, 3, "b")
    found = gather(drill, Wanted()).practice
    assert found is not None and found.sure_wrong[0].answer not in ("", "b")
    assert found.sure_wrong[0].expected
    drill.store.undo()
    head = drill.bank.heads[item]
    drill.bank.heads[item] = msgspec.structs.replace(head, content_hash="other")
    _review(drill, item, 1, 3, "b")
    drill.bank.heads[item] = head
    found = gather(drill, Wanted()).practice
    assert found is not None
    assert found.sure_wrong[0].answer == "b" and found.sure_wrong[0].expected == ""


# -- words ----------------------------------------------------------------------------------


def test_a_question_is_cut_and_leaves_no_code_span_open() -> None:
    assert quoted("a\n  `b`   c") == "a `b` c"
    assert quoted("call `first` and `second` now", 20) == "call `first` and s…"
    assert quoted("call `first` now", 9) == "call fi…"


def test_words() -> None:
    assert [percent(v) for v in (0, 0.001, 0.5, 0.999, 1, None)] == [
        "0%", "<1%", "50%", "99%", "100%", "–",
    ]  # fmt: skip
    assert [duration(v) for v in (0.5, 12.2, 100, 2460)] == ["30 s", "12 min", "1.7 h", "41 h"]
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]
    assert joined(["a"]) == "a" and joined(["a", "b", "c"]) == "a, b and c"
    assert [of(title) for title in ("The inference loop", "UNet and DiT", "Schedulers and samplers",
        "VAE and latents", "LoRA, ControlNet, IP-Adapter", "Overview")] == [
        "the inference loop", "UNet and DiT", "schedulers and samplers", "VAE and latents",
        "LoRA, ControlNet, IP-Adapter", "overview",
    ]  # fmt: skip
    assert all(of(title.split(":")[0]) for title in TOPICS.values())

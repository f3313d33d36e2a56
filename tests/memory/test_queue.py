"""What a session is made of."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drill.domain.memory.pace import HistorySummary
from drill.domain.memory.queue import Planned, QueueSettings, plan_session
from drill.domain.memory.state import MemoryState
from drill.domain.questions import Head
from tests.memory.bank import bank, head

DAY = 20_000
NO_HISTORY = HistorySummary()
NONE_NEW = QueueSettings(new_per_day=0)


def due(item: str, stability: float = 10.0, ago: int = 12, **changes: object) -> MemoryState:
    state = MemoryState(
        item, stability, 5.0, due_day=DAY - 1, last_day=DAY - ago, first_day=DAY - 50, reps=3
    )
    return replace(state, **changes)


def plan(
    heads: dict[str, Head],
    states: dict[str, MemoryState],
    minutes: float = 20,
    history: HistorySummary = NO_HISTORY,
    settings: QueueSettings = NONE_NEW,
    seed: int = 1,
) -> list[Planned]:
    return plan_session(heads, states, history, settings, DAY, seed, minutes)


def ids(planned: list[Planned]) -> list[str]:
    return [p.item_id for p in planned]


def test_the_minutes_hold_and_are_used() -> None:
    heads = bank(("cfg", "vae", "loop"), each=20)
    states = {i: due(i) for i in heads}
    for minutes in (5, 15, 40):
        seconds = sum(p.seconds for p in plan(heads, states, minutes))
        assert 0.85 * minutes * 60 <= seconds <= minutes * 60


def test_the_least_likely_recalled_come_first_into_a_short_session() -> None:
    heads = bank(("cfg", "vae", "loop", "process"), each=1)
    weak = set(list(heads)[::3])
    states = {i: due(i, stability=8.0 if i in weak else 30.0) for i in heads}
    chosen = ids(plan(heads, states, minutes=4))
    assert 0 < len(chosen) <= len(weak)
    assert set(chosen) <= weak


def test_among_the_forgotten_the_relevant_come_first() -> None:
    heads = {f"q{n}": head(f"q{n}", relevance="quirk", topic=f"t{n}") for n in range(10)}
    heads |= {f"c{n}": head(f"c{n}", topic=f"t{n}") for n in range(10)}
    states = {i: due(i, stability=0.5 if i[0] == "q" else 0.9, ago=300) for i in heads}
    assert {i[0] for i in ids(plan(heads, states, minutes=5))} == {"c"}


def test_what_was_wrong_and_sure_yesterday_comes_before_all() -> None:
    heads = bank(("cfg", "vae", "loop"), each=6)
    states = {i: due(i, stability=1.0) for i in heads}
    last = list(heads)[-1]
    states[last] = due(last, stability=40.0, retest_day=DAY)
    planned = plan(heads, states, minutes=5)
    assert Planned(last, "retest", planned[ids(planned).index(last)].seconds) in planned


def test_not_due_suspended_buried_and_answered_items_stay_out() -> None:
    heads = {i: head(i, topic=i) for i in ("due", "later", "asleep", "buried", "done", "unburied")}
    states = {
        "due": due("due"),
        "later": due("later", due_day=DAY + 1),
        "asleep": due("asleep", suspended=True),
        "buried": due("buried", buried_until=DAY + 1),
        "done": due("done"),
        "unburied": due("unburied", buried_until=DAY),
    }
    history = HistorySummary(answered_today=frozenset({"done"}))
    assert set(ids(plan(heads, states, history=history))) == {"due", "unburied"}


def test_siblings_never_share_a_day_whichever_of_them_says_so() -> None:
    heads = {
        "a": head("a", siblings=("b",)),
        "b": head("b", topic="vae"),
        "c": head("c", topic="loop"),
        "d": head("d", topic="process", siblings=("c",)),
    }
    states = {i: due(i) for i in heads}
    chosen = set(ids(plan(heads, states)))
    assert len(chosen & {"a", "b"}) == 1
    assert len(chosen & {"c", "d"}) == 1
    history = HistorySummary(answered_today=frozenset({"b", "d"}))
    assert plan(heads, states, history=history) == []
    new = QueueSettings(new_per_day=9)
    assert len(plan(heads, {}, settings=new)) == 2
    assert plan(heads, {}, history=history, settings=new) == []


def test_new_items_keep_to_the_daily_limit() -> None:
    heads = bank(("cfg", "vae", "loop"))
    settings = QueueSettings(new_per_day=10)
    assert len(plan(heads, {}, 60, settings=settings)) == 10
    history = HistorySummary(new_today=7)
    assert len(plan(heads, {}, 60, history, settings)) == 3
    assert plan(heads, {}, 60, HistorySummary(new_today=12), settings) == []


def test_new_items_fit_the_level_and_are_relevant() -> None:
    heads = bank(("cfg", "vae"), each=6)
    heads |= {f"quirk{n}": head(f"quirk{n}", relevance="quirk") for n in range(6)}
    chosen = ids(plan(heads, {}, 60, settings=QueueSettings(level="mid", new_per_day=8)))
    assert {heads[i].level for i in chosen} == {"mid"}
    assert {heads[i].relevance for i in chosen} == {"core"}


def test_new_items_of_the_role_come_first() -> None:
    heads = {f"s{n}": head(f"s{n}", roles=("serving",), topic=f"t{n}") for n in range(9)}
    heads |= {f"r{n}": head(f"r{n}", roles=("research",), topic=f"t{n}") for n in range(9)}
    settings = QueueSettings(roles=("research",), new_per_day=6)
    assert {i[0] for i in ids(plan(heads, {}, 60, settings=settings))} == {"r"}


def test_new_items_balance_the_topics_by_weight_and_by_what_was_seen() -> None:
    heads = bank(("cfg", "vae", "loop"))

    def spread(settings: QueueSettings, states: dict[str, MemoryState]) -> dict[str, int]:
        chosen = [p.item_id for p in plan(heads, states, 60, settings=settings)]
        return {t: sum(heads[i].topic == t for i in chosen) for t in ("cfg", "vae", "loop")}

    assert spread(QueueSettings(new_per_day=9), {}) == {"cfg": 3, "vae": 3, "loop": 3}
    weights = {"cfg": 4.0, "vae": 1.0, "loop": 0.0}
    heavy = spread(QueueSettings(new_per_day=10, topic_weights=weights), {})
    assert heavy == {"cfg": 8, "vae": 2, "loop": 0}
    seen = {i: due(i, due_day=DAY + 9) for i in list(heads)[:6]}
    assert spread(QueueSettings(new_per_day=6), seen)["cfg"] == 0


def test_a_backlog_stops_new_items() -> None:
    heads = bank(("cfg", "vae", "loop"), each=30)
    old = dict.fromkeys(list(heads)[:200])
    states = {i: due(i) for i in old}
    settings = QueueSettings(new_per_day=10)
    assert {p.reason for p in plan(heads, states, 10, settings=settings)} == {"due"}
    few = {i: states[i] for i in list(old)[:5]}
    reasons = [p.reason for p in plan(heads, few, 10, settings=settings)]
    assert reasons.count("due") == 5
    assert reasons.count("new") > 0


def test_due_work_does_not_crowd_out_new_items() -> None:
    heads = bank(("cfg", "vae", "loop"), each=10)
    states = {i: due(i) for i in list(heads)[:25]}
    reasons = [p.reason for p in plan(heads, states, 12, settings=QueueSettings())]
    assert reasons.count("new") >= 3
    assert reasons.count("due") > reasons.count("new")


def test_an_item_brought_forward_is_asked_and_one_for_tomorrow_is_not_new_today() -> None:
    heads = {i: head(i, topic=i) for i in ("now", "tomorrow")}
    states = {
        "now": MemoryState("now", due_day=DAY),
        "tomorrow": MemoryState("tomorrow", due_day=DAY + 1),
    }
    planned = plan(heads, states, settings=QueueSettings())
    assert [(p.item_id, p.reason) for p in planned] == [("now", "due")]


def test_known_items_are_named_as_such() -> None:
    heads = {"k": head("k")}
    assert plan(heads, {"k": due("k", known=True)})[0].reason == "known"


def test_a_session_is_never_empty_because_items_are_long() -> None:
    heads = {"long": head("long", seconds=900.0), "longer": head("longer", seconds=1200.0)}
    assert ids(plan(heads, {"long": due("long"), "longer": due("longer")}, 5)) == ["long"]
    assert ids(plan(heads, {}, 5, settings=QueueSettings())) == ["long"]
    assert plan(heads, {}, 5) == []


def test_personal_pace_changes_how_much_fits() -> None:
    heads = bank(("cfg", "vae", "loop"), each=20)
    states = {i: due(i) for i in heads}
    slow = HistorySummary(pace={"choice": 2.0}, feedback_seconds=30)
    assert len(plan(heads, states, 15, slow)) < 0.7 * len(plan(heads, states, 15))


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    minutes=st.floats(1, 60),
    known=st.sets(st.integers(0, 95)),
    today=st.sets(st.integers(0, 95), max_size=8),
)
def test_rules_hold_for_any_history(
    seed: int, minutes: float, known: set[int], today: set[int]
) -> None:
    heads = bank(("cfg", "vae", "loop"))
    names = list(heads)
    for n in range(0, 90, 9):
        heads[names[n]] = replace(heads[names[n]], siblings=(names[n + 4],))
    states = {names[n]: due(names[n], stability=1.0 + n) for n in known}
    history = HistorySummary(answered_today=frozenset(names[n] for n in today))
    config = QueueSettings(new_per_day=7)
    planned = plan(heads, states, minutes, history, config, seed)
    assert planned == plan(dict(heads), dict(states), minutes, history, config, seed)
    chosen = ids(planned)
    assert len(set(chosen)) == len(chosen)
    assert not set(chosen) & history.answered_today
    assert sum(p.reason == "new" for p in planned) <= 7
    together = set(chosen) | history.answered_today
    for item in chosen:
        assert not together & set(heads[item].siblings)
    if len(planned) > 1:
        assert sum(p.seconds for p in planned) <= minutes * 60 + 1e-6


def test_another_seed_gives_another_order() -> None:
    heads = bank(("cfg", "vae", "loop"))
    orders = {tuple(ids(plan(heads, {}, 20, settings=QueueSettings(), seed=s))) for s in range(5)}
    assert len(orders) > 1

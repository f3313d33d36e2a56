"""The bank as a list: search, filter, and the history of each item."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from drill.domain.counted import counted
from drill.domain.grading.key_text import key_text
from drill.domain.questions import ANSWER_TYPES, LEVELS, TOPICS, Question
from drill.services.browse import STATES, Browser, Filter, Row, history_lines, state_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.text import plain, prose, row, spans, styled
from drill.tui.widgets.code_view import CodeView
from drill.tui.widgets.feedback import source_text
from drill.tui.widgets.paragraphs import Paragraphs
from drill.tui.widgets.paragraphs import Row as Line
from drill.tui.widgets.said import Said

LEAD = 33
"""Columns of standing, topic and type."""
_NOTHING = "Nothing matches. esc leaves the search and empties it, c clears the filters too."


class BrowseScreen(BaseScreen):
    """Rows of the bank under one search line."""

    BINDINGS = bindings("browse")

    def __init__(self) -> None:
        super().__init__()
        self.filter = Filter()
        self.rows: list[Row] = []

    def body(self) -> ComposeResult:
        with Vertical(id="home"):
            yield Input(placeholder="search prompts, ids, topics (/)", compact=True)
            yield Static("", id="facts", markup=False)
            yield Said(widget_id="said")
            yield Said(widget_id="none")
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        self.browser = Browser(self.drill)
        self.query_one(OptionList).styles.height = "1fr"
        self.refill()
        self.query_one(OptionList).focus()

    def refill(self, said: str = "") -> None:
        """Draw the rows that pass the filter, with a word about what was done."""
        self.rows = self.browser.rows(self.filter)
        options = self.query_one(OptionList)
        at = options.highlighted or 0
        options.clear_options()
        width = max(20, self.size.width - 4 - 1 - LEAD)
        drawn = []
        for each in self.rows:
            prompt = each.prompt if len(each.prompt) <= width else each.prompt[: width - 1] + "…"
            lead = f"{each.standing[:11]:<12}{each.topic:<13}{each.type:<8}"
            drawn.append(Option(row(styled(lead, "$foreground 60%"), Content(prompt))))
        options.add_options(drawn)
        if drawn:
            options.highlighted = min(at, len(drawn) - 1)
        shown = [
            f"topic {self.filter.topic or 'all'}",
            f"type {self.filter.type or 'all'}",
            f"level {self.filter.level or 'all'}",
            f"state {self.filter.state}",
        ]
        total = len(self.drill.bank.heads)
        self.head(styled("Browse", "bold"), f"{len(self.rows)} of {total}")
        self.query_one("#facts", Static).update(styled(" · ".join(shown), "$foreground 60%"))
        self.query_one("#said", Said).tell(said)
        self.query_one("#none", Said).tell("" if self.rows else _NOTHING)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.filter = replace(self.filter, words=event.value)
        self.refill()

    @on(Input.Submitted)
    def _searched(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        self.app.push_screen(ItemScreen(self.rows[event.option_index].id))

    def action_open(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.app.push_screen(ItemScreen(self.rows[at].id))

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_all(self) -> None:
        self.filter = Filter()
        self.query_one(Input).value = ""
        self.refill()
        self.query_one(OptionList).focus()

    def action_topic(self) -> None:
        self.filter = replace(self.filter, topic=_next(["", *TOPICS], self.filter.topic))
        self.refill()

    def action_type(self) -> None:
        self.filter = replace(self.filter, type=_next(["", *ANSWER_TYPES], self.filter.type))
        self.refill()

    def action_level(self) -> None:
        self.filter = replace(self.filter, level=_next(["", *LEVELS], self.filter.level))
        self.refill()

    def action_state(self) -> None:
        self.filter = replace(self.filter, state=_next(list(STATES), self.filter.state))
        self.refill()

    def _highlighted(self) -> str:
        at = self.query_one(OptionList).highlighted
        return self.rows[at].id if at is not None and self.rows else ""

    def action_suspend(self) -> None:
        item = self._highlighted()
        if item:
            said = self.drill.toggle_suspended(item)
            self.browser.refresh()
            self.refill(said)

    def action_known(self) -> None:
        item = self._highlighted()
        if item:
            said = self.drill.mark_known(item)
            self.browser.refresh()
            self.refill(said)

    def action_back(self) -> None:
        search = self.query_one(Input)
        if search.has_focus:
            search.value = ""
            self.filter = replace(self.filter, words="")
            self.refill()
            self.query_one(OptionList).focus()
        else:
            self.app.pop_screen()


def _next(values: list[str], now: str) -> str:
    return values[(values.index(now) + 1) % len(values)]


class ItemScreen(BaseScreen):
    """One item: its question, its key on request, its standing and its history."""

    BINDINGS = [
        ("escape,q", "leave", "back"),
        ("v", "reveal", "show the key"),
        ("s", "suspend", "suspend"),
        ("n", "known", "known"),
    ]

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id
        self.revealed = False

    def body(self) -> ComposeResult:
        with VerticalScroll(id="feedback"):
            yield Static("", id="what", markup=False)
            yield Vertical(id="code-slot")
            yield Paragraphs("rest")

    async def on_mount(self) -> None:
        self.query_one("#code-slot").styles.height = "auto"
        self.head(styled(self.item_id, "bold"))
        await self.redraw()
        self.query_one("#feedback").focus()

    async def redraw(self, said: str = "") -> None:
        """Draw the item as it is now, with a word about what was done."""
        from drill.packs.excerpt import ExcerptError

        head = self.drill.bank.heads[self.item_id]
        facts = self.drill.document(self.item_id)
        try:
            question = self.drill.bank.question(self.item_id, 0)
        except ExcerptError as error:
            self.query_one("#what", Static).update(plain(f"It cannot be shown here: {error}"))
            return
        self.query_one("#what", Static).update(prose(question.prompt))
        slot = self.query_one("#code-slot", Vertical)
        await slot.remove_children()
        if question.code is not None:
            await slot.mount(CodeView(question.code))
        state, today = facts["state"], self.drill.store.today()
        told = (head.level, head.type, head.relevance, f"proof: {facts['standing']}")
        standing = " · ".join((head.topic, *told, state_words(state, today)))
        rows: list[Line] = [(Content(""), styled(standing, "$foreground 60%"))]
        if state is not None and not state.new:
            memory = (
                f"stability {state.stability:.1f} days, difficulty {state.difficulty:.1f}, "
                f"{counted(state.reps, 'answer')}, {counted(state.lapses, 'lapse')}"
            )
            rows.append((Content(""), Content(memory)))
        groups = [rows, *(self._key(question) if self.revealed else [])]
        history = history_lines(self.drill, self.item_id)
        groups.append([(Content(""), styled("History", "bold"))])
        groups[-1] += [(Content("  "), Content(line)) for line in history or ["not asked yet"]]
        groups.append([(Content(""), styled(f"{head.file}:{head.line}", "$foreground 60%"))])
        if said:
            groups.insert(0, [(Content(""), Content(said))])
        self.query_one("#rest", Paragraphs).tell(groups)

    @staticmethod
    def _key(question: Question) -> list[list[Line]]:
        """The key and why it is the key."""
        listed = " · ".join(source_text(source) for source in question.sources)
        lead, blank = styled("Key  ", "bold"), Content("")
        key = [spans(line) for line in key_text(question).split("\n")]
        return [
            [(lead if n == 0 else Content("     "), line) for n, line in enumerate(key)],
            [(blank, prose(question.explanation))],
            [(blank, styled(f"Source: {listed}", "$foreground 60%"))],
        ]

    async def action_reveal(self) -> None:
        self.revealed = not self.revealed
        await self.redraw()

    async def action_suspend(self) -> None:
        await self.redraw(self.drill.toggle_suspended(self.item_id))

    async def action_known(self) -> None:
        await self.redraw(self.drill.mark_known(self.item_id))

    def action_leave(self) -> None:
        self.app.pop_screen()

"""Before an interview: go on with the one that was left, set up another, look at former ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from drill.domain.counted import counted
from drill.domain.interview.choosing import Course, Settings
from drill.domain.interview.rounds import LENGTHS, MODES
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import BARS
from drill.services import mock as mocks
from drill.services import mock_report
from drill.services.mock_words import band_words, clock, settings_words
from drill.tui.actions import bindings
from drill.tui.screens.base import BaseScreen
from drill.tui.screens.mock_menu import Line, MockMenu
from drill.tui.screens.mock_settings import (
    MODE_WORDS,
    MOST_SEED,
    RESULT,
    PickTopics,
    course_rows,
    fields_of,
    next_of,
    one_of,
)
from drill.tui.text import plain, row, styled
from drill.tui.widgets.paragraphs import Row
from drill.tui.widgets.said import Said

_MUTED = "$foreground 60%"
_BLANK = Content("")


class MockSetupScreen(BaseScreen):
    """Drawn again whenever it is returned to."""

    BINDINGS = bindings("mocks")
    # Not CSS: that is not read for the screen that an app opens with.
    DEFAULT_CSS = """
    MockSetupScreen #mocks { height: 1fr; padding: 1 0 0 0; }
    MockSetupScreen MockMenu { max-width: 82; }
    MockSetupScreen #said { padding: 0 1 1 2; max-width: 80; color: $text-error; }
    """

    def __init__(self, wishes: Mapping[str, Any] | None = None) -> None:
        """`wishes`: settings that were asked for, by name."""
        super().__init__()
        self.wishes = dict(wishes or {})
        self.settings = Settings(45, "senior", 1)
        self.left: mocks.Mock | None = None
        """The interview that was left in the middle."""
        self.held = ""
        """Where it goes on in another process; empty if it does not."""
        self.past: list[Any] = []
        self.sibling: dict[str, Any] | None = None
        self.course: tuple[Settings, Course] | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="mocks", can_focus=False):
            yield Said(widget_id="said")
            yield MockMenu(widget_id="menu")

    def on_mount(self) -> None:
        self.head(styled("Mock interview", "bold"), "alone, timed, with probes")
        self._first_settings()
        self.query_one(MockMenu).focus()

    def on_screen_resume(self) -> None:
        self.call_next(self._look)

    def on_unmount(self) -> None:
        self.drill.mock_hold.free()

    def _first_settings(self) -> None:
        """What was asked for; else as the last time; else by the profile."""
        level = self.drill.profile.level
        given: dict[str, Any] = {
            "minutes": 45,
            "level": level if level in BARS else "mid",
            "mode": "real",
        }
        last = next(iter(mock_report.held(self.drill, 5)), None)
        if last is not None:
            given |= {k: v for k, v in last.summary["settings"].items() if k != "seed"}
        given |= self.wishes
        given.setdefault("seed", random.randint(1, MOST_SEED))  # noqa: S311  not a secret
        given["topics"] = tuple(given.get("topics") or ())
        self.settings = Settings(**given)

    # -- showing -------------------------------------------------------------------

    def _look(self) -> None:
        """Read what is stored, and draw."""
        stored = mocks.unfinished(self.drill)
        self.left, self.held = None, ""
        if stored is None:
            self.drill.mock_hold.free()
        else:
            try:
                self.left = mocks.resume(self.drill, stored)
            except mocks.InterviewHeldError as error:
                self.held = str(error)
        self.past = mock_report.held(self.drill)
        self.course = None
        self.sibling = mock_report.sibling(self.drill)
        if self.past and self.settings.seed == self.past[0].summary["settings"]["seed"]:
            self.action_draw()  # the one that was just held would repeat questions
        self.redraw()
        self.query_one("#mocks").scroll_home(animate=False)

    def redraw(self) -> None:
        """Draw the rows, and what the interview would hold."""
        lines = self._lines()
        lines[-1] = replace(lines[-1], below=tuple(tuple(group) for group in self._holds()))
        self.query_one(MockMenu).fill([*lines, *self._past_lines()])
        self.refresh_bindings()

    def _lines(self) -> list[Line]:
        if self.held:
            return [Line("look", "", styled("Look again", "bold"), "An interview goes on")]
        return self._left_lines() if self.left is not None else self._setting_lines()

    def _left_lines(self) -> list[Line]:
        assert self.left is not None
        interview = self.left.interview
        settings = interview.settings
        answered = {record.item_id for record in interview.records if record.turns}
        asked = sum(not answered.isdisjoint(slot.items) for slot in interview.slots)
        at_debrief = interview.phase != "asking"
        what = (
            "its debrief is left"
            if at_debrief
            else f"{clock(interview.seconds_left)} of {settings.minutes}:00 left, "
            f"{asked} of {counted(len(interview.slots), 'question')} begun"
        )
        lines = [
            Line("resume", "", styled(f"Go on: {what}", "bold"), "An interview was left"),
        ]
        if not at_debrief:
            lines.append(Line("debrief", "", plain("End it: go to its debrief and scorecard")))
        lines.append(Line("drop", "", plain("Drop it: no scorecard; what was asked stays used")))
        return lines

    def _setting_lines(self) -> list[Line]:
        s = self.settings
        lines: list[Line] = []
        if self.sibling is not None:
            when = date_of_day(self.sibling["study_day"]).isoformat()
            says = styled(f"Like that of {when}, with other questions", "bold")
            lines.append(Line("sibling", "", says, "A week has passed"))
        topics = ", ".join(s.topics) or "all"
        mode = row(one_of(MODES, s.mode), styled(f"  {MODE_WORDS[s.mode]}", _MUTED))
        heading = "Another interview" if lines else ""
        return [
            *lines,
            Line("minutes", "Minutes  ", one_of(LENGTHS, s.minutes), heading),
            Line("level", "Level    ", one_of(BARS, s.level)),
            Line("topics", "Topics   ", plain(topics)),
            Line("mode", "Mode     ", mode),
            Line("seed", "Seed     ", row(plain(str(s.seed)), self._seed_help())),
        ]

    def _seed_help(self) -> Content:
        at = self.query_one(MockMenu).here == "seed"
        return styled("   type another, or n draws one" if at else "", _MUTED)

    def _past_lines(self) -> list[Line]:
        lines: list[Line] = []
        for at, session in enumerate(self.past):
            card = session.summary["scorecard"]
            settings = session.summary["settings"]
            when = date_of_day(session.study_day).isoformat()
            said = band_words(card["bars"][card["level"]])
            lead = f"{when}  {settings['level']:<7}{settings['minutes']} min  "
            heading = "Former interviews" if not at else ""
            lines.append(Line(f"past {at}", lead, plain(said), heading))
        return lines

    def _holds(self) -> list[list[Row]]:
        """What it would hold and lack, what comes out, and what leaves the machine."""
        groups: list[list[Row]] = []
        if self.held:
            return [[(_BLANK, plain(self.held))]]
        if self.left is not None:
            words = settings_words(fields_of(self.left.interview.settings))
            groups.append([(_BLANK, styled(words, _MUTED))])
        else:
            groups.append(course_rows(self._course()))
        groups.append([(_BLANK, styled(RESULT, _MUTED))])
        if self.drill.config.judge.on:
            from drill.services.outside_judge.config import DISCLOSURE

            lead = styled("Outside judge  ", "$text-warning")
            groups.append([(_BLANK, row(lead, plain(DISCLOSURE)))])
        return groups

    def _course(self) -> Course:
        """What would be asked now; worked out again only for other settings."""
        if self.course is None or self.course[0] != self.settings:
            self.course = self.settings, mocks.course(self.drill, self.settings)
        return self.course[1]

    @on(MockMenu.Here)
    def _moved(self, event: MockMenu.Here) -> None:
        event.stop()
        self.redraw()

    # -- actions -------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("change", "topics", "draw"):
            return self.left is None and not self.held
        return True

    def key_word(self, action: str, word: str) -> str:
        here = self.query_one(MockMenu).here
        words = {"resume": "go on", "debrief": "end it", "drop": "drop it", "look": "look"}
        if action == "enter":
            return "open" if here.startswith("past") else words.get(here, word)
        return word

    def action_enter(self) -> None:
        here = self.query_one(MockMenu).here
        if here.startswith("past "):
            self._open(self.past[int(here.split()[1])])
        elif here == "look":
            self._look()
        elif here == "resume":
            self._hold(self.left)
        elif here == "debrief":
            if self.left is not None:
                self.left.end_questions()
            self._hold(self.left)
        elif here == "drop":
            self._drop()
        elif here == "sibling" and self.sibling is not None:
            given = dict(self.sibling["settings"])
            self._begin(Settings(**{**given, "topics": tuple(given.get("topics") or ())}))
        else:
            self._begin(self.settings)

    def _begin(self, settings: Settings) -> None:
        try:
            self._hold(mocks.begin(self.drill, settings))
        except (
            mocks.InterviewShortError,
            mocks.InterviewOpenError,
            mocks.InterviewHeldError,
        ) as error:
            self.query_one("#said", Said).tell(f"✗ {error}")

    def _hold(self, mock: mocks.Mock | None) -> None:
        from drill.tui.screens.mock_debrief import DebriefScreen
        from drill.tui.screens.mock_interview import MockScreen

        if mock is None:
            return
        self.query_one("#said", Said).tell("")
        if mock.phase in ("debrief", "done"):
            self.app.push_screen(DebriefScreen(mock))
        else:
            self.app.push_screen(MockScreen(mock))

    def _drop(self) -> None:
        from drill.tui.dialog import Pick

        choices = ["keep it", "drop it"]
        self.app.push_screen(
            Pick("Drop the interview without a scorecard?", choices), self._dropped
        )

    def _dropped(self, choice: int | None) -> None:
        if choice == 1 and self.left is not None:
            mock_report.give_up(self.drill, self.left)
            self._look()

    def _open(self, session: Any) -> None:
        from drill.tui.screens.mock_scorecard import ScorecardScreen

        document = {"id": session.id, "started": session.started, **session.summary}
        self.app.push_screen(ScorecardScreen(document))

    def action_change(self, by: int) -> None:
        """The next or the former value of the setting under the cursor."""
        s, here = self.settings, self.query_one(MockMenu).here
        if here == "minutes":
            s = replace(s, minutes=next_of(LENGTHS, s.minutes, by))
        elif here == "level":
            s = replace(s, level=next_of(BARS, s.level, by))
        elif here == "mode":
            s = replace(s, mode=next_of(MODES, s.mode, by))
        elif here == "seed":
            s = replace(s, seed=max(0, min(MOST_SEED, s.seed + by)))
        elif here == "topics":
            self.action_topics()
            return
        self.settings = s
        self.redraw()

    @on(MockMenu.Typed)
    def _typed(self, event: MockMenu.Typed) -> None:
        """On its row, digits are the seed."""
        event.stop()
        if self.query_one(MockMenu).here != "seed":
            return
        text = str(self.settings.seed)
        text = f"{text}{event.digit}" if event.digit else text[:-1]
        self.settings = replace(self.settings, seed=int(text or 0) % (MOST_SEED + 1))
        self.redraw()

    def action_draw(self) -> None:
        seed = random.randint(1, MOST_SEED)  # noqa: S311  not a secret
        self.settings = replace(self.settings, seed=seed)
        self.redraw()

    def action_topics(self) -> None:
        self.app.push_screen(PickTopics(self.settings.topics), self._chose)

    def _chose(self, topics: tuple[str, ...] | None) -> None:
        if topics is not None:
            self.settings = replace(self.settings, topics=topics)
            self.redraw()

    def action_back(self) -> None:
        self.leave()

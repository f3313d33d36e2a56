"""Every action with its id, keys and description, in one table.

Bindings, the help screen and the key table of the README are made from it; `config.toml` changes
keys by id.
"""

from __future__ import annotations

from msgspec import Struct
from textual.binding import Binding, BindingType


class Action(Struct, frozen=True):
    """One thing that a key does."""

    id: str
    """`place.name`, such as `session.hint`."""
    keys: str
    action: str
    label: str
    """A word for the footer."""
    help: str
    """A sentence for the help screen."""
    footer: bool = True


ACTIONS: tuple[Action, ...] = (
    Action("app.help", "f1", "help", "help", "Show the keys of this screen.", False),
    Action(
        "app.palette", "ctrl+p", "command_palette", "commands", "Open the command palette.", False
    ),
    Action("app.quit", "ctrl+q", "quit", "quit", "Leave; everything is stored already.", False),
    Action("home.start", "enter", "start", "start", "Do what is due, or go on where you stopped."),
    Action("home.plan", "p", "plan", "plan", "Today's questions and why; how ready on the day."),
    Action("home.browse", "b", "browse", "browse", "Search the bank and see an item's history."),
    Action("home.labs", "l", "labs", "labs", "Read a lab, run its starter and experiments."),
    Action("home.topic", "t", "topic", "one topic", "Practise one topic."),
    Action("home.mock", "m", "mock", "mock", "Hold a mock interview, or go on with one."),
    Action("home.stats", "x", "stats", "stats", "What you remember, by day, topic and confidence."),
    Action("home.report", "r", "app.report", "report", "Write the study report to a file.", False),
    Action(
        "home.setup", "s", "setup", "set-up", "Date, minutes a day, role, level, placement.", False
    ),
    Action("home.undo", "u", "undo", "undo", "Take back the last answer.", False),
    Action(
        "home.install", "i", "install", "install labs", "Install the experiments' packages.", False
    ),
    Action("home.help", "question_mark", "help", "keys", "Show the keys of this screen."),
    Action("home.quit", "q", "quit", "quit", "Leave; everything is stored already.", False),
    Action("plan.start", "enter", "start", "start", "Begin today's session, or go on with it."),
    Action("plan.today", "t", "today", "today", "To today's questions, and back to the top."),
    Action("plan.date", "d", "date", "date", "Change the date of the interview."),
    Action("plan.minutes", "n", "minutes", "minutes", "Change the minutes a day."),
    Action("plan.down", "down,j", "scroll(1)", "down", "Scroll down.", False),
    Action("plan.up", "up,k", "scroll(-1)", "up", "Scroll up.", False),
    Action("plan.more", "pagedown,space", "page(1)", "more", "Scroll a page down."),
    Action("plan.less", "pageup", "page(-1)", "less", "Scroll a page up.", False),
    Action("plan.back", "escape,q", "back", "home", "Home."),
    Action(
        "session.hint", "f2,h", "hint", "hint", "Show the next hint; it lowers the grade a little."
    ),
    Action(
        "session.skip", "f3,s", "skip", "skip", "Put the question off to the end of the session."
    ),
    Action(
        "session.read_on",
        "pagedown",
        "read(1)",
        "more",
        "Scroll the question down, while it is long.",
    ),
    Action("session.read_back", "pageup", "read(-1)", "less", "Scroll the question up.", False),
    Action(
        "session.known",
        "f4",
        "known",
        "known",
        "Mark as known: asked once more before the date.",
        False,
    ),
    Action(
        "session.suspend",
        "f5",
        "suspend",
        "suspend",
        "Never ask it again (browse brings it back).",
        False,
    ),
    Action(
        "session.undo", "f6,u", "undo", "undo", "Take back the last answer, also of an earlier day."
    ),
    Action(
        "session.aloud",
        "ctrl+t",
        "aloud",
        "say aloud",
        "Answer aloud against a timer, then tick the points.",
    ),
    Action(
        "session.editor",
        "ctrl+o",
        "editor",
        "editor",
        "Write the answer in your own editor.",
        False,
    ),
    Action(
        "session.turn",
        "tab,shift+tab",
        "turn",
        "causes",
        "In a diagnosis: from the measurements to the causes and back.",
        False,
    ),
    Action("session.zoom", "f8,z", "zoom", "code", "Show the code on the whole screen."),
    Action(
        "session.back",
        "escape",
        "back",
        "back",
        "Step back: from confidence to the answer, in it, then home.",
    ),
    Action("mend.next", "enter,space", "next", "next", "Go on to the feedback."),
    Action("mend.cancel", "c", "cancel", "cancel", "Stop the mend; the cause is judged anyway."),
    Action("mend.up", "up,k", "scroll(-1)", "up", "Scroll up.", False),
    Action("mend.down", "down,j", "scroll(1)", "down", "Scroll down.", False),
    Action("mend.back", "escape", "back", "home", "Home; the lock stays, the mend runs again."),
    Action("feedback.next", "enter", "next", "next", "Go on."),
    Action("feedback.run", "e", "experiment", "experiment", "Run the experiment that shows it."),
    Action(
        "feedback.again", "1", "grade(1)", "again", "Overrule the grade: not remembered.", False
    ),
    Action(
        "feedback.hard", "2", "grade(2)", "hard", "Overrule the grade: barely remembered.", False
    ),
    Action("feedback.good", "3", "grade(3)", "good", "Overrule the grade: remembered.", False),
    Action(
        "feedback.easy", "4", "grade(4)", "easy", "Overrule the grade: no effort at all.", False
    ),
    Action("feedback.tick", "space", "tick", "tick", "Toggle the point under the cursor.", False),
    Action("feedback.up", "up,k", "cursor(-1)", "up", "To the point above, or scroll.", False),
    Action("feedback.down", "down,j", "cursor(1)", "down", "To the point below, or scroll.", False),
    Action("feedback.undo", "u", "undo", "undo", "Take the answer back and answer again."),
    Action(
        "feedback.suspend",
        "s",
        "suspend",
        "suspend",
        "Never ask it again (browse brings it back).",
        False,
    ),
    Action(
        "feedback.quit", "escape", "back", "home", "Home; the session goes on where it stopped."
    ),
    Action("mocks.enter", "enter", "enter", "begin", "Begin the interview, or open the row."),
    Action("mocks.more", "right,space", "change(1)", "change", "Change what the cursor stands on."),
    Action("mocks.less", "left", "change(-1)", "change", "Change it the other way.", False),
    Action("mocks.topics", "t", "topics", "topics", "Choose topics; none of them: all."),
    Action("mocks.seed", "n", "draw", "new seed", "Other questions: draw another seed."),
    Action("mocks.back", "escape,q", "back", "back", "Back to where it was opened from."),
    Action("mock.hint", "f2,h", "hint", "hint", "In study mode: the next hint; it costs credit."),
    Action("mock.pass", "f3,s", "pass", "pass", "Leave a probe, or pressed twice the question."),
    Action(
        "mock.claim",
        "f4,ctrl+g",
        "claim",
        "I said that",
        "To a probe, for your own ticks to decide; = does it while nothing is typed.",
    ),
    Action("mock.zoom", "f8,z", "zoom", "code", "Show the code on the whole screen."),
    Action("mock.read_on", "pagedown", "read(1)", "more", "Scroll the question down."),
    Action("mock.read_back", "pageup", "read(-1)", "less", "Scroll the question up.", False),
    Action("mock.editor", "ctrl+o", "editor", "editor", "Write it in your own editor.", False),
    Action("mock.back", "escape", "back", "leave", "Step back in the answer, or leave."),
    Action("mock.end", "f9", "end", "end", "Leave it for later, or end the questions.", False),
    Action("debrief.next", "enter", "next", "next", "The next question, then the scorecard."),
    Action("debrief.previous", "p,left", "previous", "previous", "The question before."),
    Action("debrief.tick", "space", "tick", "tick", "Say that you made a point, or did not."),
    Action("debrief.up", "up,k", "cursor(-1)", "up", "To the point above, or scroll.", False),
    Action("debrief.down", "down,j", "cursor(1)", "down", "To the point below, or scroll.", False),
    Action("debrief.more", "pagedown", "page(1)", "more", "Scroll down.", False),
    Action("debrief.less", "pageup", "page(-1)", "less", "Scroll up.", False),
    Action("debrief.back", "escape", "back", "leave", "Leave; it goes on here another time."),
    Action("scorecard.transcript", "t", "transcript", "transcript", "All that was said."),
    Action("scorecard.down", "down,j", "scroll(1)", "down", "Scroll down.", False),
    Action("scorecard.up", "up,k", "scroll(-1)", "up", "Scroll up.", False),
    Action("scorecard.back", "escape,enter,q", "back", "back", "Back."),
    Action("transcript.next", "n", "other(1)", "next", "To the next question."),
    Action("transcript.previous", "p", "other(-1)", "previous", "To the question before."),
    Action("transcript.down", "down,j", "scroll(1)", "down", "Scroll down.", False),
    Action("transcript.up", "up,k", "scroll(-1)", "up", "Scroll up.", False),
    Action("transcript.back", "escape,enter,q", "back", "back", "Back to the scorecard."),
    Action("browse.search", "slash", "search", "search", "Type to search prompts, ids and topics."),
    Action("browse.topic", "t", "topic", "topic", "Show one topic after the other."),
    Action("browse.type", "y", "type", "type", "Show one answer type after the other."),
    Action("browse.level", "l", "level", "level", "Show one level after the other."),
    Action(
        "browse.state", "d", "state", "state", "All, due, new, seen, leeches, suspended, held back."
    ),
    Action("browse.all", "c", "all", "clear", "Clear the search and all filters."),
    Action("browse.open", "enter", "open", "open", "Show the item with its history."),
    Action("browse.suspend", "s", "suspend", "suspend", "Suspend the item, or bring it back."),
    Action(
        "browse.known",
        "n",
        "known",
        "known",
        "Mark as known: asked once more before the date.",
        False,
    ),
    Action("browse.back", "escape,q", "back", "home", "Back."),
    Action("stats.next", "n,right", "other(1)", "next page", "The next page."),
    Action("stats.previous", "p,left", "other(-1)", "page before", "The page before."),
    Action("stats.turn", "tab", "other(1)", "next page", "The next page.", False),
    Action("stats.turn_back", "shift+tab", "other(-1)", "page before", "The page before.", False),
    Action("stats.overview", "1", "page(0)", "overview", "Retention, streak, the year.", False),
    Action("stats.memory", "2", "page(1)", "memory", "Topics and what is to come.", False),
    Action("stats.calibration", "3", "page(2)", "calibration", "Sure, and right?", False),
    Action("stats.beliefs", "4", "page(3)", "beliefs", "Misconceptions, held and cleared.", False),
    Action("stats.time", "5", "page(4)", "time", "Time by type, predictions, hours.", False),
    Action("stats.mocks", "6", "page(5)", "interviews", "Interviews that were held.", False),
    Action("stats.period", "d", "period", "period", "Count all time, 90, 30 or 7 days."),
    Action("stats.topic", "t", "topic", "topic", "Count only one topic."),
    Action("stats.down", "down,j", "scroll(1)", "down", "Scroll down.", False),
    Action("stats.up", "up,k", "scroll(-1)", "up", "Scroll up.", False),
    Action("stats.back", "escape,q", "back", "home", "Home."),
    Action("labs.open", "enter", "open", "open", "Read the lab under the cursor."),
    Action("labs.back", "escape,q", "back", "home", "Home."),
    Action("lab.next", "n", "section(1)", "next", "Next section; the code follows."),
    Action("lab.previous", "p", "section(-1)", "previous", "Section before."),
    Action("lab.experiments", "e", "experiments", "experiments", "Run the lab's experiments."),
    Action("lab.starter", "s", "starter", "starter", "Run starter.py and watch its output."),
    Action("lab.questions", "a", "questions", "questions", "The questions of the lab."),
    Action("lab.zoom", "z,f8", "zoom", "code", "Show the code on the whole screen."),
    Action("lab.pane", "tab", "other_pane", "pane", "Move between text and code.", False),
    Action("lab.back", "escape,q", "back", "back", "Back to the list."),
    Action("starter.cancel", "c", "cancel", "stop", "Stop it; its output stays."),
    Action("starter.again", "r,enter", "again", "again", "Run it once more."),
    Action("starter.back", "escape,q", "back", "back", "Back to the lab; it ends."),
    Action("questions.answer", "enter", "answer", "answer", "Answer it now; it counts."),
    Action("questions.all", "x", "all", "answer all", "Answer all of them, one after the other."),
    Action("questions.read", "v", "read", "read", "Show it with its history and, on v, its key."),
    Action("questions.back", "escape,q", "back", "back", "Back to the lab."),
    Action("experiment.enter", "enter", "enter", "run", "Run it, or open the former run chosen."),
    Action("experiment.run", "ctrl+r", "run", "run", "Run it from a field; enter does too."),
    Action("experiment.next", "tab", "app.focus_next", "fields", "Go to parameters, former runs."),
    Action("experiment.reset", "f9", "reset", "defaults", "Put every default back."),
    Action("experiment.back", "escape", "back", "back", "Back to the lab."),
    Action("run.cancel", "c", "cancel", "cancel", "Stop the experiment; what it had is kept."),
    Action("run.again", "r", "again", "again", "Run it once more."),
    Action("run.former", "f", "former", "former runs", "Show this run beside former ones."),
    Action("run.zoom", "z,f8", "zoom", "pictures", "Show the pictures large, one at a time."),
    Action("run.back", "escape,enter,q", "back", "back", "Back to where it was started."),
    Action("pictures.next", "n", "other(1)", "next", "The next picture."),
    Action("pictures.previous", "p", "other(-1)", "previous", "The picture before."),
    Action("pictures.larger", "plus,equals_sign", "scale(1)", "larger", "Enlarge it."),
    Action("pictures.smaller", "minus", "scale(-1)", "smaller", "Make it smaller."),
    Action("pictures.back", "escape,q,z,f8,enter", "back", "back", "Back."),
    Action("runs.older", "right,n", "other(1)", "older", "Compare with the next older run."),
    Action("runs.newer", "left,p", "other(-1)", "newer", "Compare with the next newer run."),
    Action("runs.zoom", "z,f8", "zoom", "pictures", "Show the pictures large, one at a time."),
    Action("runs.back", "escape,enter,q", "back", "back", "Back."),
)

_BY_ID = {action.id: action for action in ACTIONS}


def bindings(place: str) -> list[BindingType]:
    """The bindings of one place, such as `session`."""
    return [
        Binding(a.keys, a.action, a.label, show=a.footer, id=a.id, tooltip=a.help)
        for a in ACTIONS
        if a.id.split(".")[0] == place
    ]


def of(place: str) -> list[Action]:
    """The actions of one place."""
    return [a for a in ACTIONS if a.id.split(".")[0] == place]


def unknown_ids(keymap: dict[str, str]) -> list[str]:
    """Ids in a keymap that no action has."""
    return sorted(set(keymap) - set(_BY_ID))

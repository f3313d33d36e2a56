"""Every action with its id, keys and description, in one table.

Bindings, the help screen and the key table of the README are made from it; `config.toml` changes
keys by id.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Action:
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
    Action("home.browse", "b", "browse", "browse", "Search the bank and see an item's history."),
    Action("home.labs", "l", "labs", "experiments", "Run an experiment."),
    Action("home.topic", "t", "topic", "one topic", "Practise one topic."),
    Action("home.setup", "s", "setup", "set-up", "Date, minutes a day, role, level, placement."),
    Action("home.undo", "u", "undo", "undo", "Take back the last answer.", False),
    Action(
        "home.install", "i", "install", "install labs", "Install the experiments' packages.", False
    ),
    Action("home.help", "question_mark", "help", "keys", "Show the keys of this screen."),
    Action("home.quit", "q", "quit", "quit", "Leave; everything is stored already."),
    Action(
        "session.hint", "f2,h", "hint", "hint", "Show the next hint; it lowers the grade a little."
    ),
    Action(
        "session.skip", "f3,s", "skip", "skip", "Put the question off to the end of the session."
    ),
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
    Action("session.zoom", "f8,z", "zoom", "code", "Show the code on the whole screen."),
    Action(
        "session.back",
        "escape",
        "back",
        "back",
        "Step back: from confidence to the answer, then home.",
    ),
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
    Action("browse.search", "slash", "search", "search", "Type to search prompts, ids and topics."),
    Action("browse.topic", "t", "topic", "topic", "Show one topic after the other."),
    Action("browse.type", "y", "type", "type", "Show one answer type after the other."),
    Action("browse.level", "l", "level", "level", "Show one level after the other."),
    Action(
        "browse.state", "d", "state", "state", "All, due, new, seen, leeches, suspended, held back."
    ),
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
    Action("labs.run", "enter", "run", "run", "Run with these parameters."),
    Action(
        "labs.back", "escape,q", "back", "back", "Back; a running experiment is asked about first."
    ),
    Action(
        "run.cancel",
        "c",
        "cancel",
        "cancel",
        "Stop the experiment; what it measured so far is dropped.",
    ),
    Action("run.back", "escape,enter,q", "back", "back", "Back to where it was started."),
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

"""Asking the judge about one answer, in a form that a front end can run off its UI thread.

`Asking.run` talks to the network and touches nothing else; `Asking.settled` is what
`Mock.answer` takes as `settled=`, and neither blocks nor fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from drill.config_judge import JudgeConfig
from drill.domain.interview.state import Judged
from drill.domain.questions import ExplainBody, Question
from drill.services.outside_judge.config import JudgeError

if TYPE_CHECKING:
    from drill.services.app import Drill
    from drill.services.outside_judge.client import Call
    from drill.services.outside_judge.protocol import Said

Settler: TypeAlias = Callable[[Question, str, Judged], tuple[Judged, str]]


class Asking:
    """One answer and what a judge makes of it.

    Front ends: show `drill.services.outside_judge.config.DISCLOSURE` once, build this with
    `begin`, and where `needed` call `run` in a thread (at most `config.seconds`; `cancel` ends it
    at once from any thread). Then `mock.answer(text, asking.settled)` in the UI thread.
    """

    def __init__(self, config: JudgeConfig, question: Question, text: str, judged: Judged) -> None:
        self.text = text
        self._item = question.head.id
        self._claims: Mapping[str, Said] | None = None
        self._failure = ""
        self._known: frozenset[str] = frozenset()
        self._call: Call | None = None
        self._prepare(config, question, text, judged)

    def _prepare(self, config: JudgeConfig, question: Question, text: str, judged: Judged) -> None:
        if not config.on or not isinstance(question.body, ExplainBody):
            return
        from drill.domain.rubric.guards import says_nothing
        from drill.domain.rubric.text import plain_words
        from drill.services.outside_judge import client, protocol
        from drill.services.outside_judge.settling import addresses_the_judge, doubtful

        doubt = doubtful(judged)
        if not doubt or says_nothing(plain_words(text)):
            return
        if judged.stuffed:
            self._failure = "a list of words is not sent"
            return
        if addresses_the_judge(text):
            self._failure = "an answer that speaks to whoever judges it is not sent"
            return
        about = protocol.asked(question, text, doubt)
        self._known = frozenset(about.points)
        self._call = client.Call(config, protocol.request_body(config.model, about))

    @property
    def needed(self) -> bool:
        """Whether there is anything to send."""
        return self._call is not None

    def run(self) -> None:
        """Ask; blocks up to the configured limit and never raises on what a server does."""
        if self._call is None or self._claims is not None or self._failure:
            return
        from drill.services.outside_judge.protocol import read_reply

        try:
            self._claims = read_reply(self._call.run(), self._known)
        except JudgeError as error:
            self._failure = str(error)

    def cancel(self) -> None:
        """Do without the judge from now on."""
        if self._call is not None:
            self._call.cancel()

    def settled(self, question: Question, text: str, judged: Judged) -> tuple[Judged, str]:
        """What the rules found with the points that the judge settled, and one line about it.

        The line is empty where the judge has nothing to do with this answer.
        """
        if question.head.id != self._item or text != self.text:
            return judged, ""
        if self._failure:
            return judged, f"The outside judge was not used: {self._failure}."
        if self._claims is None:
            return judged, "The outside judge was not waited for." if self.needed else ""
        from drill.services.outside_judge.settling import settle

        return settle(question, text, judged, self._claims)


def begin(drill: Drill, question: Question, text: str, *, reply: bool = False) -> Asking | None:
    """The asking about an answer that is to be given next; None where the judge has no part.

    `reply`: it answers a probe, where a phrase is enough.
    """
    if not drill.config.judge.on or not isinstance(question.body, ExplainBody):
        return None
    from drill.domain.interview.judging import judged_text

    asking = Asking(
        drill.config.judge, question, text, judged_text(question.body, text, reply=reply)
    )
    return asking if asking.needed else None


def settler(drill: Drill) -> Settler | None:
    """The judge as one function that blocks up to its limit; None when it is off.

    For scripts and tests: in an interview the clock runs on while this waits, so front ends stop
    the clock, run an `Asking` and give `Asking.settled` to `Mock.answer`.
    """
    config = drill.config.judge
    if not config.on:
        return None

    def settled(question: Question, text: str, judged: Judged) -> tuple[Judged, str]:
        asking = Asking(config, question, text, judged)
        asking.run()
        return asking.settled(question, text, judged)

    return settled

"""The services of one running drill: the bank, the store and what both front ends ask of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from drill import paths
from drill.config import Config, load
from drill.domain.memory.study_day import date_of_day
from drill.domain.questions import TOPICS, Head
from drill.packs.bank import Bank, open_bank
from drill.services import profile as profiles
from drill.services.mock_hold import MockHold
from drill.services.profile import Profile
from drill.store.db import StoreError
from drill.store.store import Store, local_now

if TYPE_CHECKING:
    from drill.packs.ledger import Standing
    from drill.services.session import Session

ASKED = ("proven", "stamped", "n/a")
"""Standings of items that are asked."""
JUDGED_BY_CODE = ("code", "predict", "diagnose")
"""Types of items that the code of their pack judges."""


class Overview(Struct, frozen=True):
    """What the home screen and `drill due` show."""

    due: int
    new: int
    topics: Mapping[str, Mapping[str, int]]
    """Topic to `due`, `new`, `seen` and `items`."""
    minutes: float
    """Expected minutes of what is due."""
    left: float
    """Minutes of today's that are left."""
    new_left: int
    """New items that plain FSRS still brings today."""
    suspended: int
    """Items that the learner set aside; they count nowhere else here."""
    answered_today: int
    hidden: int
    """Items that need the experiments' packages to be shown."""
    held: int
    """Items set aside until their key is proven again with the installed versions."""
    unfinished: bool
    """A session was left in the middle today."""


class OpenError(Exception):
    """The data cannot be opened; the message names the file and the way out."""


class Drill:
    """Opens everything that a front end needs; nothing here imports torch, Textual or pydantic."""

    def __init__(
        self,
        *,
        home: Path | None = None,
        packs: list[Path] | None = None,
        clock: Callable[[], datetime] = local_now,
        config: Config | None = None,
    ) -> None:
        """`packs` are opened instead of those of `drill.paths`; whoever names them vouches for
        their code, which else runs only where the learner trusts it."""
        self.config = load(paths.config_file()) if config is None else config
        self.clock = clock
        folder = paths.home() if home is None else home
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.store = Store.open(folder / "drill.db", clock, folder / "backups")
        except (StoreError, OSError) as error:
            raise OpenError(str(error)) from error
        self.cache_dir = folder / "cache"
        self.mock_hold = MockHold(folder)
        self.bank: Bank = open_bank(paths.packs() if packs is None else packs, self.cache_dir)
        self._vouched = packs is not None
        self._standings: dict[str, Standing] | None = None
        self._untrusted: frozenset[str] | None = None
        if self.store.settings.get("rollover_hour", 4) != self.config.roll_over_hour:
            self.store.settings.set("rollover_hour", self.config.roll_over_hour)
        self._keep_retention()

    def close(self) -> None:
        """Close the store; every answer is on the disk already."""
        self.mock_hold.free()
        self.store.close()

    def __enter__(self) -> Drill:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _keep_retention(self) -> None:
        now = self.store.parameters()
        if abs(now.desired_retention - self.config.desired_retention) > 1e-9:
            self.store.set_parameters(replace(now, desired_retention=self.config.desired_retention))

    # -- the learner ----------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """What the learner told about themselves."""
        return profiles.load(self.store.settings.get)

    def keep_profile(self, profile: Profile) -> None:
        """Store the profile."""
        self.store.settings.set(profiles.SETTING, profiles.to_json(profile))

    # -- the bank -------------------------------------------------------------------

    @property
    def standings(self) -> Mapping[str, Standing]:
        """What each item's proof is worth with the libraries installed here."""
        if self._standings is None:
            from drill.packs.ledger import LOCAL, standings

            self._standings = standings(self.bank, self.cache_dir, self.cache_dir / LOCAL)
        return self._standings

    def forget_standings(self) -> None:
        """Look again, after packages or the local ledger changed."""
        self._standings = None
        self._untrusted = None

    def why_not_run(self, pack: str) -> str:
        """Why the code of a pack does not run, with the way out; empty where it may.

        Looks at the files each time, so that what was trusted or changed meanwhile counts.
        """
        if self._vouched or len(self.bank.roots) == 1:
            return ""
        from drill.packs.trust import Trust, why_not

        return why_not(Trust(paths.trust_file()).standing(self.bank, pack), pack)

    def untrusted(self) -> frozenset[str]:
        """Packs whose code does not run; looked at once, until `forget_standings`."""
        if self._untrusted is None:
            self._untrusted = frozenset(p for p in self.bank.roots if self.why_not_run(p))
        return self._untrusted

    def trusted_roots(self) -> list[Path]:
        """Folders of the packs whose code may run, looked at now."""
        return [root for pack, root in self.bank.roots.items() if not self.why_not_run(pack)]

    def askable(self) -> dict[str, Head]:
        """Heads of the items that practice may ask now.

        Of a pack that is not trusted, no item that only running its code can judge.
        """
        standings = self.standings
        hidden = self.withheld() | self._unjudged()
        return {
            i: head
            for i, head in self.bank.heads.items()
            if standings[i] in ASKED and i not in hidden
        }

    def _unjudged(self) -> frozenset[str]:
        if self._vouched or len(self.bank.roots) == 1:
            return frozenset()
        judged = [i for i, head in self.bank.heads.items() if head.type in JUDGED_BY_CODE]
        builtin = next(iter(self.bank.roots))
        if all(i.partition(":")[0] == builtin for i in judged):
            return frozenset()
        packs = self.untrusted()
        return frozenset(i for i in judged if i.partition(":")[0] in packs)

    def withheld(self) -> frozenset[str]:
        """Items of the reserve that no interview has asked yet: practice never shows them."""
        reserve = [i for i, head in self.bank.heads.items() if head.reserve]
        asked = self.store.mock_counts() if reserve else {}
        return frozenset(i for i in reserve if i not in asked)

    def interview_heads(self) -> dict[str, Head]:
        """Heads of the items of the reserve that an interview may ask now."""
        standings = self.standings
        hidden = self._unjudged()
        return {
            i: head
            for i, head in self.bank.heads.items()
            if head.reserve and standings[i] in ASKED and i not in hidden
        }

    def stale(self) -> list[str]:
        """Items held back until they are proven again; none whose proof may not run."""
        packs = self.untrusted()
        held = [i for i, s in self.standings.items() if s in ("stale", "unproven")]
        return [i for i in held if i.partition(":")[0] not in packs]

    # -- today ----------------------------------------------------------------------

    def overview(self) -> Overview:
        """Where the learner stands today."""
        from drill.services.planning import minutes_left

        day = self.store.today()
        heads = self.askable()
        states = self.store.states()
        summary = self.store.summary(day)
        topics: dict[str, dict[str, int]] = {
            t: {"due": 0, "new": 0, "seen": 0, "items": 0} for t in TOPICS
        }
        seconds = 0.0
        due = new = suspended = 0
        for item_id, head in heads.items():
            state = states.get(item_id)
            if state is not None and state.suspended:
                suspended += 1
                continue
            row = topics.setdefault(head.topic, {"due": 0, "new": 0, "seen": 0, "items": 0})
            row["items"] += 1
            if state is None or (state.new and state.due_day is None):
                row["new"] += 1
                new += 1
                continue
            row["seen"] += not state.new  # a point missed in an interview brings new ones
            if state.is_due(day):
                row["due"] += 1
                due += 1
                seconds += summary.seconds(head.type, head.seconds) + summary.feedback_seconds
        standing = list(self.standings.values())
        unfinished = self.store.sessions.unfinished()
        return Overview(
            due=due,
            new=new,
            topics=topics,
            minutes=seconds / 60,
            left=minutes_left(self, self.profile.minutes),
            new_left=max(0, min(new, self.config.new_per_day - summary.new_today)),
            suspended=suspended,
            answered_today=len(summary.answered_today),
            hidden=standing.count("hidden"),
            held=standing.count("stale") + standing.count("unproven"),
            unfinished=unfinished is not None and unfinished.study_day == day,
        )

    def streak(self) -> int:
        """Consecutive study days with an answer; reads the whole log."""
        return self.store.streak()

    def beliefs(self) -> list[str]:
        """Misconceptions that were shown and are not mended since; reads the whole log."""
        shows = {i: head.misconceptions for i, head in self.bank.heads.items()}
        found = self.store.misconceptions(shows)
        return [name for name, belief in found.items() if belief.status != "cleared"]

    # -- sessions -------------------------------------------------------------------

    def start_session(
        self,
        *,
        minutes: float | None = None,
        topic: str = "",
        limit: int | None = None,
        more: bool = False,
    ) -> Session:
        """Begin a session; one that was left in the middle today goes on instead.

        Args:
            minutes: length; by default what is left of today's minutes, or where they are used
                all of them once more.
            topic: only this topic.
            limit: at most so many items, retries not counted.
            more: begin another one even where today's was finished.
        """
        from drill.services.planning import session_minutes
        from drill.services.session import begin, resume

        if not topic and limit is None and not more:
            unfinished = self.store.sessions.unfinished()
            if unfinished is not None and unfinished.study_day == self.store.today():
                session = resume(self, unfinished)
                if session.asked is not None:
                    return session
        return begin(self, minutes or session_minutes(self), topic=topic, limit=limit)

    def undo(self) -> str:
        """Take the newest answer or mark back; its item is asked first in the session.

        Returns the prompt (or id) of the item; empty where there is nothing to take back, and then
        no session is begun.
        """
        return self.start_session().undo() if self.store.can_undo() else ""

    def start_placement(self) -> Session:
        """Begin the placement, or go on with one that was left in the middle."""
        from drill.services.placement import start

        return start(self)

    def back_up_daily(self) -> str:
        """Make today's backup if there is none yet; safe to call from a thread.

        Returns what went wrong, empty when nothing did.
        """
        from drill.store.backup import BackupError, daily_backup

        try:
            daily_backup(self.store.path, self.store.path.parent / "backups", self.clock())
        except (BackupError, OSError) as error:
            return f"Today's backup was not made: {error}"
        return ""

    def toggle_suspended(self, item_id: str) -> str:
        """Suspend an item, or bring it back; says which."""
        state = self.store.state(item_id)
        if state is not None and state.suspended:
            self.store.unsuspend(item_id)
            return "Brought back."
        self.store.suspend(item_id)
        return "Suspended."

    def mark_known(self, item_id: str, session_id: str = "") -> str:
        """Mark an item as known: asked once more before the interview, or in three weeks."""
        from drill.services.when import in_words

        today = self.store.today()
        left = self.profile.days_left(date_of_day(today))
        day = today + (21 if left is None else max(1, left // 2))
        self.store.mark_known({item_id: day}, session_id)
        return f"Marked as known; asked once more {in_words(day, today)}."

    def document(self, item_id: str) -> dict[str, Any]:
        """Facts of one item for a person who browses: its state, history and standing."""
        head = self.bank.heads[item_id]
        return {
            "head": head,
            "standing": self.standings[item_id],
            "state": self.store.state(item_id),
            "history": self.store.history(item_id),
        }

"""Keys take effect one after the other, in the order in which they were pressed."""

from __future__ import annotations

import asyncio
from collections import deque

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

LONGEST = 5.0
"""Seconds that a key may take before the next one is looked at all the same."""
_ROUNDS = 2
"""A handler may have passed something on just behind one round; it is met by the next."""


class InOrder(App[int]):
    """Holds each key and paste back until what was typed before has had its effect.

    Textual hands a character to the focused widget at once, while a key that is bound (enter, 1 to
    3, ctrl+s) first travels up to the app, and its action back down. Of a burst, which a slow line
    or a busy machine makes of quick typing, characters would overtake such keys: the `2` of
    `0.5`, enter, `2` would become a digit of the answer.

    Keys that were pressed before `screen.since` were meant for what the screen showed before, and
    are dropped: nobody can answer, or go on from, what was not there yet.
    """

    _typed: deque[events.Key | events.Paste]
    _typing: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if self._typing is None:
                self._typed = deque()
                self._typing = asyncio.create_task(self._type())
            self._typed.append(event)
        else:
            await super().on_event(event)

    async def on_unmount(self) -> None:
        if self._typing is not None:
            self._typing.cancel()

    async def _type(self) -> None:
        try:
            while self._typed:
                event = self._typed.popleft()
                if event.time >= getattr(self.screen, "since", 0.0):
                    await super().on_event(event)
                    await self._settled()
        except Exception as error:  # noqa: BLE001  as Textual does with what a handler raises
            self._handle_exception(error)
        finally:
            self._typing = None

    async def _settled(self) -> None:
        """Wait until every widget has handled what there was for it to handle."""
        quiet = 0
        try:
            async with asyncio.timeout(LONGEST):
                while quiet < _ROUNDS and self.is_running:
                    quiet = quiet + 1 if await self._round() else 0
        except TimeoutError:
            self.log.warning("a key took longer than the app waits for")

    async def _round(self) -> bool:
        """Let all that keys reach catch up; whether nothing was waiting anywhere."""
        screen = self.screen
        waiting = {pump for pump in screen.walk_children() if pump.message_queue_size}
        along = (self.focused or screen).ancestors_with_self
        pumps: set[MessagePump] = {self, screen, *along, *waiting}
        idle = not any(pump.message_queue_size for pump in pumps)
        reached = asyncio.Event()
        left = len(pumps)

        def passed() -> None:
            nonlocal left
            left -= 1
            if not left:
                reached.set()

        for pump in pumps:
            if not pump.call_later(passed):
                passed()
        await reached.wait()
        return idle

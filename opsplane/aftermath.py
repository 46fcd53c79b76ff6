"""What happens once a turn is on the record: its rollout is judged, and a candidate may answer it too, unseen."""

import asyncio
import logging

from opsplane.errors import PlaneError
from opsplane.exchange import Exchange, Question
from opsplane.parts import Parts
from opsplane.plane import Serving
from opsplane.release import Release
from opsplane.review import zero_tolerance
from opsplane.rollouts.rollout import STABLE
from opsplane.rollouts.watcher import Watch, Watcher
from opsplane.turn import shadow

log = logging.getLogger(__name__)

SHADOWS = 4
"""At most so many shadows at a time in one process; a question beyond that has none, so that no customer waits."""


class Aftermath:
    """Implements `turn.Aftermath`. Without a `watch` (on a terminal) a rollout is judged by whoever serves."""

    def __init__(self, watcher: Watcher, watch: Watch | None = None) -> None:
        self._watcher, self._watch = watcher, watch
        self._tasks: set[asyncio.Task[None]] = set()

    async def ended(self, question: Question, exchange: Exchange, serving: Serving, parts: Parts) -> None:
        """Abort at once after what must never happen; else look soon. Nothing that goes wrong here ends the turn."""
        if serving.shadow and len(self._tasks) < SHADOWS:
            task = asyncio.create_task(self._shadow(question, serving.shadow, serving.shadowing, parts))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if exchange.rollout and exchange.arm != STABLE and any(zero_tolerance(one) for one in exchange.findings):
            try:
                await asyncio.to_thread(self._watcher.look_now)
            except PlaneError as error:
                log.error("a rollout could not be judged at once: %s", error)
        elif self._watch:
            self._watch.wake()

    async def settle(self) -> None:
        """Wait for the shadows that are under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _shadow(self, question: Question, candidate: Release, rollout: str, parts: Parts) -> None:
        try:
            await shadow(question, candidate, rollout, parts)
        except PlaneError as error:
            log.error("the shadow of turn %s could not be recorded: %s", question.id, error)
            return
        if self._watch:
            self._watch.wake()

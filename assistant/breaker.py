"""Circuit breakers: a model's region that failed so often in a row is left alone for a while (purgatory, our clock)."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from purgatory import AsyncCircuitBreakerFactory, ContextChanged
from purgatory.domain.messages import Event
from purgatory.domain.model import HALF_OPENED, OPENED, HalfOpenedState

from opsplane.release import Resilience


class _Failed(Exception):
    """Tells purgatory that a call failed."""


@dataclass(frozen=True)
class Circuit:
    """A place, and when it is left alone; the same place under a release with other terms is another circuit."""

    place: str
    terms: Resilience

    @property
    def name(self) -> str:
        """Its name in the factory."""
        return f"{self.place} {self.terms.breaker_failures} {self.terms.breaker_seconds}"


class Breaker:
    """All circuits of a process. After its time a place is tried by one call, and the others wait for what it finds.

    Purgatory counts failures and changes states. When a circuit half opens is decided here, since purgatory reads the
    wall clock and lets everybody in at once. `clock` tells seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._factory = AsyncCircuitBreakerFactory(default_ttl=math.inf)
        self._factory.add_listener(self._changed)
        self._opened: dict[str, float] = {}
        self._trying: set[str] = set()

    async def admits(self, circuit: Circuit) -> bool:
        """Whether the place may be asked; whoever is let in must `settle` or `leave`."""
        context = (await self._factory.get_breaker(circuit.name, circuit.terms.breaker_failures)).context
        if context.state == OPENED:
            if self._clock() - self._opened[circuit.name] < circuit.terms.breaker_seconds:
                return False
            context.set_state(HalfOpenedState())
        if context.state == HALF_OPENED:
            if circuit.name in self._trying:
                return False
            self._trying.add(circuit.name)
        return True

    async def settle(self, circuit: Circuit, *, well: bool) -> None:
        """The call answered, or failed."""
        self.leave(circuit)
        breaker = await self._factory.get_breaker(circuit.name, circuit.terms.breaker_failures)
        if breaker.context.state == OPENED:  # by calls that were under way at the same time
            return
        with suppress(_Failed):
            async with breaker:
                if not well:
                    raise _Failed

    def leave(self, circuit: Circuit) -> None:
        """The call ended without telling anything about the place."""
        self._trying.discard(circuit.name)

    def _changed(self, name: str, _: str, event: Event) -> None:
        if isinstance(event, ContextChanged) and event.state == OPENED:
            self._opened[name] = self._clock()

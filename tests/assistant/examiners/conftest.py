"""The other systems, and a way to consult them over real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from assistant.examiners import Roster
from opsplane.finding import Finding
from opsplane.release import External
from tests.assistant.examiners.systems import Systems, serving

Consult = Callable[..., Awaitable[list[Finding]]]


@pytest.fixture
def systems() -> Iterator[Systems]:
    """All three systems on one address."""
    with serving() as state:
        yield state


@pytest.fixture
async def roster() -> AsyncIterator[Roster]:
    """Examiners whose connections are let go at the end."""
    made = Roster()
    yield made
    await made.close()


@pytest.fixture
def consult(systems: Systems, roster: Roster) -> Consult:
    """Ask what stands against a text; further words change the release's line."""

    async def ask(
        kind: str, target: str, text: str, stage: str, context: tuple[str, ...] = (), **line: Any
    ) -> list[Finding]:
        data = {"name": "outside", "kind": kind, "target": target, "endpoint": systems.url} | line
        return await roster(External.model_validate(data)).examine(text, stage, context)

    return ask

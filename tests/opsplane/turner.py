"""A process that answers one question after the other and tells on which release; `python -m tests.opsplane.turner`."""

import asyncio
import sys
import time
from pathlib import Path

from opsplane import spend
from opsplane.access import Actor
from opsplane.budget import Guard
from opsplane.evidence import Retrieved, Sentence
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.parts import Parts
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.turn import govern
from tests import fakes
from tests.opsplane.test_turn import encode

PEOPLE = 4


async def _retrieve(_query: str, _release: Release) -> Retrieved:
    return Retrieved(passages=(fakes.passage(),))


async def _person(name: str, parts: Parts) -> None:
    """One customer who never stops asking; a line for each turn: when it began, and on which release it ran."""
    number = 0
    while True:
        number += 1
        began = time.monotonic()
        question = fakes.question(id=f"{name}-{number}", customer=name, actor=Actor(id=name, role="customer"))
        exchange = await govern(question, parts, fakes.Witness())
        sys.stdout.write(f"{began} {exchange.release}\n")
        sys.stdout.flush()


async def _all(parts: Parts) -> None:
    await asyncio.gather(*(_person(f"C-{number}", parts) for number in range(PEOPLE)))


def main(url: str, folder: str) -> None:
    """Answer until killed."""
    ledger = Ledger(connect(url), fakes.Clock(), fakes.vault(Path(folder), fakes.Clock()))
    script = fakes.Script([Sentence(text="The fee is $15 for each item.", cites=(1,))])
    parts = Parts(Plane(ledger), ledger, Rails(Scope(encode)), _retrieve, script, spend.load(), Guard(ledger, ()))
    asyncio.run(_all(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])

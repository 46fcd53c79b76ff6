"""Records for tests of verifying, proving and exporting: filled ones, and ones that somebody tampered with."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import text

from opsplane.events import FeedbackGiven, ReleasePromoted, ReleaseRegistered
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome, Route, Tier
from opsplane.ledger import checkpoint
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.readonly import open_readonly
from opsplane.ledger.store import Ledger
from opsplane.ledger.verify import Mode, Trust, Verification, verify
from opsplane.spend import Cost, Purpose, Usage
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

COST = Cost(purpose=Purpose.ANSWER, model="test:flash", usage=Usage(input=100, output=20), micros=57, prices="t")


def turn(number: int, customer: str = "C-1001", **changes: Any) -> tuple[Exchange, Exchange]:
    """An exchange as it was received, and as it ended."""
    received = exchange(f"exchange-{number:04}", customer=customer, question=f"What is fee {number}?")
    values = {
        "outcome": Outcome.ANSWERED,
        "sentences": (Sentence(text=f"Fee {number} is $15.", cites=(1,)),),
        "evidence": (fakes.passage(1, f"Fee {number} is $15 for each item."),),
        "route": Route(tier=Tier.FLASH, model="test:flash", reason="short"),
        "costs": (COST,),
        "cost_micros": 57,
    }
    return received, received.model_copy(update=values | changes)


def fill(ledger: Ledger, turns: int = 8) -> None:
    """A release, some turns of two customers, and a thumb."""
    release = fakes.release()
    registered = ReleaseRegistered(release=release.id, digest=release.digest, canonical=release.canonical().decode())
    ledger.append_now(registered, fakes.OPERATOR)
    ledger.append_now(ReleasePromoted(release=release.id, digest=release.digest, reason="tested"), fakes.APPROVER)

    async def run() -> None:
        for number in range(turns):
            received, ended = turn(number, f"C-100{number % 2 + 1}")
            await ledger.received(received)
            await ledger.answered(ended)
        thumb = FeedbackGiven(exchange="exchange-0001", value=1, comment="thanks")
        await ledger.append(thumb, fakes.CUSTOMER, "exchange-0001", "C-1002")

    asyncio.run(run())
    ledger.settle()


def sealed(ledger: Ledger, notary: Notary, turns: int = 8) -> None:
    """The same, under a checkpoint in the middle and one at the end."""
    checkpoint.introduce(ledger, notary)
    fill(ledger, turns)
    checkpoint.make(ledger, notary)
    ledger.append_now(ReleasePromoted(release="test-1", digest="0" * 64, reason="again"), fakes.APPROVER)
    ledger.settle()
    checkpoint.make(ledger, notary)


def look(url: str, folder: Path, mode: Mode = Mode.FULL, **trust: Any) -> Verification:
    """Verify the record at a URL against an anchor folder, at noon of the tests' day."""
    engine = open_readonly(url)
    try:
        return verify(engine, Trust(Anchor(folder), **trust), fakes.NOON, mode, lambda *_: None)
    finally:
        engine.dispose()


def tamper(url: str, *statements: str, **values: Any) -> None:
    """Do what somebody would who may change everything: guards are taken off first."""
    engine = connect(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def codes(found: Verification) -> list[tuple[str, int | None]]:
    """What is wrong and where."""
    return [(one.code, one.row) for one in found.violations]

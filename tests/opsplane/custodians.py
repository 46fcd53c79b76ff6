"""People who keep and destroy words, and what they work on."""

from threading import Event

from opsplane import custody, requests
from opsplane.access import Actor, Role
from opsplane.approval import Request
from opsplane.custody import Placed
from opsplane.erasure import Custodian
from opsplane.errors import RecordUnavailable
from opsplane.ledger.store import Ledger
from opsplane.requests import Decision
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

SECOND = Actor(id="reviewer2", role=Role.REVIEWER)
MAYA = "C-1001"


class Chats:
    """Chat histories that are cleared when asked, cannot be, or take their time until `hurry` is set."""

    def __init__(self) -> None:
        self.cleared: list[str] = []
        self.fails = False
        self.called, self.hurry = Event(), Event()
        self.hurry.set()

    def __call__(self, customer: str) -> int:
        """Two conversations each."""
        if self.fails:
            raise RecordUnavailable("The chat history cannot be cleared: disk full")
        self.called.set()
        self.hurry.wait(30)
        self.cleared.append(customer)
        return 2


async def talk(
    ledger: Ledger, identity: str = "exchange-0001", customer: str = MAYA, words: str = "my divorce"
) -> None:
    one = exchange(identity, customer=customer, question=words, standalone=words, at=ledger.clock())
    await ledger.received(one)
    await ledger.answered(one)


async def approve(custodian: Custodian, identity: str, actor: Actor = SECOND) -> Decision:
    return await requests.approve(custodian.ledger, custody.actions(custodian), identity, actor=actor)


async def reject(custodian: Custodian, identity: str, actor: Actor = SECOND) -> Decision:
    return await requests.reject(custodian.ledger, custody.actions(custodian), identity, "not now", actor=actor)


async def blocked(custodian: Custodian) -> list[str]:
    found = await requests.waiting(custodian.ledger, custody.actions(custodian), actor=fakes.APPROVER)
    return [one.blocked for one in found]


async def hold(custodian: Custodian, customer: str = MAYA) -> Placed:
    return await custody.hold(custodian, customer, "Smith v. Bank", actor=fakes.REVIEWER)


async def erase(custodian: Custodian, customer: str = MAYA) -> Request:
    return await custody.erase(custodian, customer, "asked by letter", actor=fakes.REVIEWER)


def words(ledger: Ledger) -> str:
    found = ledger.exchange("exchange-0001")
    return found.question if found else ""

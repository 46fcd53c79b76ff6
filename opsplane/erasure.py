"""Carrying out an approved erasure, step by step, and the receipt for it.

Each step can be cut off and done again; the record says how far it came. The keys go first: with them goes every copy
of the record, backups included.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opsplane import protection
from opsplane.access import SERVICE
from opsplane.approval import Request
from opsplane.custody_events import CustomerErased, ErasureBegun, ErasureKeysDestroyed, ErasureStopped
from opsplane.errors import Conflict
from opsplane.ledger import keys, retention
from opsplane.ledger.keys import Signer
from opsplane.ledger.store import Ledger
from opsplane.protection import Erasure, Hold, Protection, Stage

REMAINS = (
    "times, outcomes, codes, releases, models, tokens and costs of the turns, the customer id and sign-in names, "
    "ciphertext without a key, and what staff wrote under their own names"
)
"""What an erasure leaves."""


@dataclass(frozen=True)
class Custodian:
    """What custody works on. `forget` clears a customer's chat history and tells how many conversations there were."""

    ledger: Ledger
    signer: Signer
    forget: Callable[[str], int]


@dataclass(frozen=True)
class Receipt:
    """A finished erasure and the signed note that says so; the note holds no words of the customer's."""

    erased: CustomerErased
    note: str


def protected(ledger: Ledger) -> Protection:
    """What keeps customers' words as of now."""
    return protection.fold(ledger.events(protection.KINDS), ledger.clock())


def begin(custodian: Custodian, request: Request) -> None:
    """Destroy the customer's keys; the caller is `alone`. Raises `Conflict` under a hold: then nothing is destroyed."""
    ledger, customer = custodian.ledger, request.subject
    owners = retention.subjects(ledger, customer)
    if _begun(ledger, request, owners).destroyed:  # the keys that live belong to a customer who came back
        return
    gone = tuple(retention.destroyed(ledger, owners))
    # Whatever was being sealed with these keys is on the record before this event, so that the sweep finds it.
    told = ErasureKeysDestroyed(request=request.id, customer=customer, keys=gone)
    ledger.append_now(told, SERVICE, subject=customer)


def carry_out(custodian: Custodian, request: Request) -> Receipt | None:
    """Clear away what the keys have sealed, wherever else it stands, and say that the customer is erased."""
    ledger, customer = custodian.ledger, request.subject
    erasure = protected(ledger).erasures[request.id]
    if erasure.told:  # somebody else went on with it meanwhile
        return receipt(custodian, erasure)
    retention.sweep(ledger, erasure.keys)
    retention.purge(ledger)
    conversations = custodian.forget(customer)
    count = retention.concerned(ledger, erasure.keys)
    event = CustomerErased(
        request=request.id,
        customer=customer,
        requested_by=request.maker.id,
        approved_by=request.decider.id if request.decider else "",
        keys=erasure.keys,
        entries=count.entries,
        exchanges=count.exchanges,
        conversations=conversations,
        remains=REMAINS,
    )
    ledger.append_now(event, SERVICE, subject=customer)
    return receipt(custodian, protected(ledger).erasures[request.id])


def _begun(ledger: Ledger, request: Request, owners: Iterable[str]) -> Erasure:
    """Say on the record that it begins, then look at the holds again: the record's order decides who was first."""
    state = protected(ledger)
    known = state.erasures.get(request.id)
    if known is None:
        if held := state.holding(request.subject):
            _stop(ledger, request, held)
        keys_ = tuple(key.id for key in retention.living(ledger, owners))
        begun = ErasureBegun(request=request.id, customer=request.subject, keys=keys_)
        ledger.append_now(begun, SERVICE, subject=request.subject)
        known = protected(ledger).erasures[request.id]
    if known.stage is Stage.STOPPED:
        _stop(ledger, request, known.holds)
    return known


def _stop(ledger: Ledger, request: Request, holds: Iterable[Hold]) -> None:
    found = list(holds)
    event = ErasureStopped(request=request.id, customer=request.subject, holds=tuple(one.id for one in found))
    ledger.append_now(event, SERVICE, subject=request.subject)
    raise Conflict(f"{request.subject} is under hold and was not erased: {listed(found)}. Nothing was destroyed.")


def ended(state: Protection, request: Request) -> bool:
    """Whether an approved erasure is done, or was stopped, and the record says so."""
    erasure = state.erasures.get(request.id)
    return erasure is not None and erasure.told


def must_be_free(state: Protection, customer: str) -> None:
    """Raise `Conflict` under a hold, naming since when and by whom."""
    if held := state.holding(customer):
        raise Conflict(f"{customer} is under hold and cannot be erased: {listed(held)}.")


def receipt(custodian: Custodian, erasure: Erasure) -> Receipt | None:
    """The signed note about an erasure that is done, the same bytes each time; None for any other."""
    erased, ledger = erasure.result, custodian.ledger
    if erased is None:
        return None
    lines = [
        "opsplane erasure receipt 1",
        f"record opsplane/{ledger.id}",
        f"request {erased.request}",
        f"customer {' '.join(erased.customer.split())}",
        f"requested by {erased.requested_by}",
        f"approved by {erased.approved_by}",
        f"erased {erasure.at:%Y-%m-%dT%H:%M:%SZ}",
        f"entries {erased.entries}",
        f"exchanges {erased.exchanges}",
        f"conversations {erased.conversations}",
        *(f"key {key}" for key in erased.keys),
        f"remains {erased.remains}",
    ]
    return Receipt(erased, keys.sign_note("".join(f"{line}\n" for line in lines), custodian.signer))


def listed(holds: Iterable[Hold]) -> str:
    """Holds for a refusal."""
    return "; ".join(f"hold {one}" for one in holds)

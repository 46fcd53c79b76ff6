"""Destroying what may no longer be kept: customers' keys, their words in the read models and in the search index.

The chained entries stay as they are, sealed with keys that nobody has any longer: the chain still verifies.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, Table, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from opsplane.access import Role
from opsplane.errors import RecordUnavailable
from opsplane.events import PersonAdded
from opsplane.ledger.database import batches, cause, transaction
from opsplane.ledger.seal import micros
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import ENTRY, EXCHANGE, INBOX
from opsplane.ledger.vault import Holding

log = logging.getLogger(__name__)

_STEP = 100  # exchanges swept in one transaction


@dataclass(frozen=True)
class Concerned:
    """How much was sealed with some keys."""

    entries: int
    exchanges: int


@dataclass(frozen=True)
class Due:
    """Whose keys of months before `before` ("2019-11") are to be destroyed, and whose are kept by a hold."""

    before: str
    years: int
    customers: tuple[str, ...]
    held: tuple[str, ...]


def months_before(now: datetime, years: int) -> str:
    """The first month that is not wholly past the retention: every month before it ended more than `years` ago."""
    return f"{now.year - years:04}-{now.month:02}"


def known(ledger: Ledger, customer: str) -> bool:
    """Whether anything on the record, in the vault or in the list of people is of this customer."""
    if not customer:
        return False
    if ledger.vault.keys_of(customer) or ledger.read(
        select(EXCHANGE.c.id).where(EXCHANGE.c.customer == customer).limit(1)
    ):
        return True
    return any(event.customer == customer for event in _people_added(ledger))


def subjects(ledger: Ledger, customer: str) -> list[str]:
    """Under which names keys of this customer are kept: the customer's own, and those of the people signing in.

    What a person types that is no question is sealed under the sign-in name, after an "@".
    """
    talked = (
        select(ENTRY.c.actor)
        .join(EXCHANGE, ENTRY.c.exchange == EXCHANGE.c.id)
        .where(EXCHANGE.c.customer == customer, ENTRY.c.role == Role.CUSTOMER.value)
        .distinct()
    )
    names = {row.actor for row in ledger.read(talked)}
    names |= {event.name for event in _people_added(ledger) if event.customer == customer}
    return [customer, *sorted(f"@{name}" for name in names)]


def living(ledger: Ledger, owners: Iterable[str], before: str | None = None) -> list[Holding]:
    """The keys that these subjects still have, of months before `before` or of all, by id."""
    found = (key for owner in owners for key in ledger.vault.keys_of(owner) if key.destroyed is None)
    return sorted((key for key in found if before is None or key.period < before), key=lambda key: key.id)


def destroyed(ledger: Ledger, owners: Iterable[str], before: str | None = None) -> list[str]:
    """Destroy these subjects' keys, of months before `before` or all; the ids of those that were there."""
    return sorted(key for owner in owners for key in ledger.vault.destroy(owner, before))


def concerned(ledger: Ledger, keys: Collection[str], since: str = "", before: str = "") -> Concerned:
    """How much was sealed with these keys. Reads the record from month `since` to before month `before` once.

    Keys seal what happens in their own month only. Empty: from the first, to the last.
    """
    tables = [EXCHANGE, ENTRY] if ledger.engine.dialect.name == "sqlite" else [EXCHANGE, ENTRY, INBOX]
    entries = exchanges = 0
    for part in batches(keys):
        counts = (_sealed_with(part, table, since, before) for table in tables)
        found = ledger.read(select(*counts))[0]  # at one moment
        exchanges, entries = exchanges + found[0], entries + sum(found[1:])
    return Concerned(entries, exchanges)


def sweep(ledger: Ledger, keys: Collection[str]) -> None:
    """Take what was sealed with these keys out of the list of exchanges and out of the search index.

    In small steps, so that nobody waits long to write meanwhile; one that is cut off is done again.
    """
    full = select(EXCHANGE.c.number).where(EXCHANGE.c.sealed != b"").order_by(EXCHANGE.c.number)
    numbers = [row.number for part in batches(keys) for row in ledger.read(full.where(EXCHANGE.c.key.in_(part)))]
    try:
        for step in batches(sorted(numbers), _STEP):
            with transaction(ledger.engine) as connection:
                for number in step:
                    ledger.index.remove(connection, number)
                connection.execute(update(EXCHANGE).where(EXCHANGE.c.number.in_(step)).values(sealed=b""))
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be changed: {cause(error)}") from error


def purge(ledger: Ledger) -> None:
    """Clear away what swept words left outside the tables; on PostgreSQL that takes minutes on a large record."""
    try:
        if not ledger.index.purge(ledger.engine):
            log.warning("what was destroyed is still in the record's write-ahead log: another process is reading it")
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The record cannot be changed: {cause(error)}") from error


def due(ledger: Ledger, now: datetime, years: int, held: Iterable[str]) -> Due:
    """Whose time is up; `held` are customers under hold."""
    before = months_before(now, years)
    kept = {subject: customer for customer in held for subject in subjects(ledger, customer)}
    over = ledger.vault.customers_before(before)
    return Due(
        before,
        years,
        tuple(one for one in over if one not in kept),
        tuple(sorted({kept[one] for one in over if one in kept})),
    )


def _sealed_with(keys: Sequence[str], table: Table, since: str, before: str) -> ScalarSelect[int]:
    where: list[ColumnElement[bool]] = [table.c.key.in_(keys)]
    if table is ENTRY and since:  # an exchange's row has the time of its question, which can be of the month before
        where.append(table.c.at >= _start(since))
    if table is ENTRY and before:
        where.append(table.c.at < _start(before))
    return select(func.count()).select_from(table).where(*where).scalar_subquery()


def _start(month: str) -> int:
    return micros(datetime.strptime(f"{month}-01 +0000", "%Y-%m-%d %z"))


def _people_added(ledger: Ledger) -> list[PersonAdded]:
    return [entry.event for entry in ledger.events(["person_added"]) if isinstance(entry.event, PersonAdded)]

"""The customers' keys, apart from the record: one for each customer and calendar month, wrapped by the installation's.

A backup of the record holds none of them, so a key that is destroyed here is destroyed for every copy of the record.
Destructions are numbered: "which keys were destroyed since I last looked" is one cheap question, asked at every call,
and keeps what a process holds in memory true. Times are microseconds since 1970 UTC.
"""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, bindparam, func, inspect, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from opsplane.errors import InvalidRequest, RecordUnavailable
from opsplane.ledger.database import BATCH, batches, cause, scrub, transaction, upsert
from opsplane.ledger.keys import Wrapper
from opsplane.ledger.seal import micros
from opsplane.ledger.vault_table import ALIVE, GONE, METADATA, VAULT_KEY
from opsplane.ledger.wrapping import Wrapped, Wrapping, wrap

log = logging.getLogger(__name__)

Owner = tuple[str, str]
"""A customer and a period; installation-wide secrets belong to '' and have a name for a period."""
REMEMBERED = 65_536
"""So many unwrapped keys a process keeps in memory."""
_NONCE = 12
_ATTEMPTS = 5
_LOCK = 0x0B5_7A017  # PostgreSQL's advisory lock around destructions and the table's creation

_LATEST = select(func.max(VAULT_KEY.c.destruction)).where(GONE)
_SINCE = select(VAULT_KEY.c.id, VAULT_KEY.c.destruction).where(VAULT_KEY.c.destruction > bindparam("seen"), GONE)
_ROWS = select(VAULT_KEY.c.id, VAULT_KEY.c.customer, VAULT_KEY.c.period, VAULT_KEY.c.wrapped, VAULT_KEY.c.wrapper)
_REWRAP = (
    update(VAULT_KEY)
    .where(VAULT_KEY.c.id == bindparam("key"), VAULT_KEY.c.wrapper == bindparam("before"), ALIVE)
    .values(wrapped=bindparam("now"), wrapper=bindparam("by"))
)


class Unauthentic(RecordUnavailable):
    """Sealed bytes were changed, moved to another row, or are read with another key."""


def seal(secret: bytes, aad: bytes, data: bytes) -> bytes:
    """Encrypt with AES-256-GCM and bind to `aad`: 12 bytes of nonce, then the ciphertext."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, data, aad)


def unseal(secret: bytes, aad: bytes, sealed: bytes) -> bytes:
    """What was sealed; raise `Unauthentic` where the bytes, the key or `aad` are not those it was sealed with."""
    try:
        return AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
    except (InvalidTag, ValueError) as error:
        raise Unauthentic("Sealed content does not authenticate: it was changed or belongs elsewhere.") from error


@dataclass(frozen=True, slots=True)
class Key:
    """A customer's key of one month, ready for use."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the vault tells about a key; `destroyed` is None while it lives."""

    id: str
    period: str
    made: int
    destroyed: int | None


class Vault:
    """Makes, finds and destroys customers' keys. Every failure is `RecordUnavailable`.

    The first wrapper wraps new keys. `reload` fetches the wrappers anew when a row names one that is not at hand: a
    key file may be rotated while the assistant runs.
    """

    def __init__(
        self,
        engine: Engine,
        wrappers: Sequence[Wrapper],
        clock: Callable[[], datetime],
        reload: Callable[[], Sequence[Wrapper]] | None = None,
    ) -> None:
        self._engine = engine
        self._wrapping = Wrapping(wrappers, reload)
        self._clock = clock
        with _translated("opened"):
            _prepare(engine)
            with engine.connect() as connection:
                self._memory = _Memory(connection.scalar(_LATEST) or 0)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def keys_for(self, wanted: Collection[Owner]) -> dict[Owner, Key]:
        """The living key of each customer and period, made where there is none; durable when this returns."""
        found: dict[Owner, Key] = {}
        for _ in range(_ATTEMPTS):  # a key can be destroyed between its being made elsewhere and its being read here
            with _translated("read"), self._engine.connect() as connection:
                seen = self._refresh(connection)
                found = self._memory.owned_by(wanted)
                if len(found) == len(wanted):
                    return found
                rows = _owned_by(connection, set(wanted) - found.keys())
            found |= self._opened(rows, seen)
            if not (missing := sorted(set(wanted) - found.keys())):
                return found
            self._make(missing)
        raise RecordUnavailable("The vault's keys are destroyed as fast as they are made.")

    def secrets_of(self, ids: Collection[str]) -> dict[str, bytes]:
        """The secrets of these keys; those that were destroyed, or never were, are absent."""
        with _translated("read"), self._engine.connect() as connection:
            seen = self._refresh(connection)
            found = self._memory.known(ids)
            if len(found) == len(ids):
                return found
            rows = _identified(connection, _ROWS.where(ALIVE), set(ids) - found.keys() - {""})
        return found | {key.id: key.secret for key in self._opened(rows, seen).values()}

    def secret(self, name: str) -> bytes:
        """An installation-wide secret of 32 bytes, made at its first use."""
        return self.keys_for([("", name)])["", name].secret

    def unknown(self, ids: Collection[str]) -> set[str]:
        """Those ids that this vault never held: it is another record's, or older than the record."""
        with _translated("read"), self._engine.connect() as connection:
            return set(ids) - {row.id for row in _identified(connection, select(VAULT_KEY.c.id), set(ids))}

    def keys_of(self, customer: str) -> list[Holding]:
        """Every key a customer ever had, by month."""
        columns = VAULT_KEY.c.id, VAULT_KEY.c.period, VAULT_KEY.c.made, VAULT_KEY.c.destroyed
        query = select(*columns).where(VAULT_KEY.c.customer == customer).order_by(VAULT_KEY.c.period, VAULT_KEY.c.made)
        with _translated("read"), self._engine.connect() as connection:
            return [Holding(*row) for row in connection.execute(query)]

    def customers_before(self, period: str) -> list[str]:
        """Customers who still have a key of a month before this one: whose time may be up."""
        mine = VAULT_KEY.c.customer != "", VAULT_KEY.c.period < period
        query = select(VAULT_KEY.c.customer).distinct().where(ALIVE, *mine).order_by(VAULT_KEY.c.customer)
        with _translated("read"), self._engine.connect() as connection:
            return list(connection.scalars(query))

    def destroy(self, customer: str, before_period: str | None = None) -> list[str]:
        """Destroy a customer's keys, or those of months before a period; return the ids of the destroyed."""
        if not customer:
            raise InvalidRequest("A customer must be named whose keys are to be destroyed.")
        number = func.coalesce(select(func.max(VAULT_KEY.c.destruction)).where(GONE).scalar_subquery(), 0) + 1
        change = update(VAULT_KEY).where(VAULT_KEY.c.customer == customer, ALIVE)
        if before_period is not None:
            change = change.where(VAULT_KEY.c.period < before_period)
        values = {"wrapped": None, "destroyed": micros(self._clock()), "destruction": number}
        # one after the other, so that numbers become visible in their order
        with _translated("changed"), transaction(self._engine, _LOCK) as connection:
            ids = sorted(connection.scalars(change.values(values).returning(VAULT_KEY.c.id)))
        with _translated("read"), self._engine.connect() as connection:
            self._refresh(connection)
        if not self.scrub():
            log.warning("destroyed keys are still in the vault's write-ahead log: another process is reading it")
        return ids

    def rewrap(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Wrap every living key with the first wrapper; return how many were not. Can be cut off and run again.

        `progress` hears how many of how many are done.
        """
        by = self._wrapping.current
        stale = ALIVE, VAULT_KEY.c.wrapper != by.id
        with _translated("read"), self._engine.connect() as connection:
            total = connection.scalar(select(func.count()).select_from(VAULT_KEY).where(*stale)) or 0
        done, last = 0, ""
        while rows := self._after(last, stale):
            last = rows[-1].id
            wrapped = wrap(by, list(zip(self._unwrapped(rows), map(_aad, rows), strict=True)))
            changes = [
                {"key": row.id, "before": row.wrapper, "now": now, "by": by.id}
                for row, now in zip(rows, wrapped, strict=True)
            ]
            with _translated("changed"), transaction(self._engine) as connection:
                connection.execute(_REWRAP, changes)
            done += len(rows)
            if progress:
                progress(done, max(done, total))
        self.scrub()
        return done

    def scrub(self) -> bool:
        """Clear overwritten keys away, as far as `database.scrub` can; False where it could not."""
        with _translated("changed"):
            return scrub(self._engine, VAULT_KEY.name)

    def _refresh(self, connection: Connection) -> int:
        """Forget what was destroyed since the last look."""
        return self._memory.forget(connection.execute(_SINCE, {"seen": self._memory.seen}).all())

    def _make(self, missing: Sequence[Owner]) -> None:
        """Put new keys in where nobody was quicker. In order, so that two processes cannot wait for each other."""
        by, made = self._wrapping.current, micros(self._clock())
        ids = [secrets.token_hex(8) for _ in missing]
        bound = [_bound(identity, *owner) for identity, owner in zip(ids, missing, strict=True)]
        wrapped = wrap(by, [(secrets.token_bytes(32), aad) for aad in bound])
        values = [
            {"id": new, "customer": owner[0], "period": owner[1], "wrapped": box, "wrapper": by.id, "made": made}
            for new, owner, box in zip(ids, missing, wrapped, strict=True)
        ]
        with _translated("changed"), transaction(self._engine) as connection:
            connection.execute(upsert(connection, VAULT_KEY).on_conflict_do_nothing(), values)

    def _opened(self, rows: Sequence[Any], seen: int) -> dict[Owner, Key]:
        pairs = zip(rows, self._unwrapped(rows), strict=True)
        keys = {(row.customer, row.period): Key(row.id, secret) for row, secret in pairs}
        self._memory.keep(keys, seen)
        return keys

    def _unwrapped(self, rows: Sequence[Any]) -> list[bytes]:
        return self._wrapping.unwrap([Wrapped(row.wrapper, bytes(row.wrapped), _aad(row)) for row in rows])

    def _after(self, last: str, stale: Iterable[Any]) -> Sequence[Any]:
        query = _ROWS.where(*stale, VAULT_KEY.c.id > last).order_by(VAULT_KEY.c.id).limit(BATCH)
        with _translated("read"), self._engine.connect() as connection:
            return connection.execute(query).all()


def wrappers_of(engine: Engine) -> set[str]:
    """The ids of the keys that wrap what is in a vault: without them it cannot be used. Empty where there is none."""
    with _translated("read"):
        if not inspect(engine).has_table(VAULT_KEY.name):
            return set()
        with engine.connect() as connection:
            return set(connection.scalars(select(VAULT_KEY.c.wrapper).distinct().where(ALIVE)))


class _Memory:
    """Unwrapped keys by owner and by id, the least lately used forgotten first. `seen`: the last known destruction."""

    def __init__(self, seen: int) -> None:
        self.seen = seen
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, Key] = OrderedDict()
        self._owned: dict[Owner, Key] = {}
        self._owners: dict[str, Owner] = {}

    def owned_by(self, owners: Iterable[Owner]) -> dict[Owner, Key]:
        with self._lock:
            found = {owner: key for owner in owners if (key := self._owned.get(owner))}
            for key in found.values():
                self._keys.move_to_end(key.id)
            return found

    def known(self, ids: Iterable[str]) -> dict[str, bytes]:
        with self._lock:
            found = {identity: key.secret for identity in ids if (key := self._keys.get(identity))}
            for identity in found:
                self._keys.move_to_end(identity)
            return found

    def keep(self, keys: dict[Owner, Key], seen: int) -> None:
        """Remember keys that were read when `seen` was the last destruction, unless there was another since."""
        with self._lock:
            if seen != self.seen:
                return
            for owner, key in keys.items():
                self._keys[key.id] = self._owned[owner] = key
                self._owners[key.id] = owner
            while len(self._keys) > REMEMBERED:
                self._drop(next(iter(self._keys)))

    def forget(self, gone: Sequence[Any]) -> int:
        with self._lock:
            for identity, number in gone:
                self._drop(identity)
                self.seen = max(self.seen, number)
            return self.seen

    def _drop(self, identity: str) -> None:
        if key := self._keys.pop(identity, None):
            owner = self._owners.pop(identity)
            if self._owned.get(owner) == key:
                del self._owned[owner]


def _prepare(engine: Engine) -> None:
    if inspect(engine).has_table(VAULT_KEY.name):
        return
    with transaction(engine, _LOCK) as connection:
        METADATA.create_all(connection)


def _owned_by(connection: Connection, owners: Iterable[Owner]) -> list[Any]:
    owner = tuple_(VAULT_KEY.c.customer, VAULT_KEY.c.period)
    return [row for part in batches(owners) for row in connection.execute(_ROWS.where(ALIVE, owner.in_(part)))]


def _identified(connection: Connection, query: Any, ids: Iterable[str]) -> list[Any]:
    return [row for part in batches(ids) for row in connection.execute(query.where(VAULT_KEY.c.id.in_(part)))]


def _aad(row: Any) -> bytes:
    return _bound(row.id, row.customer, row.period)


def _bound(identity: str, customer: str, period: str) -> bytes:
    """What a wrapped key is bound to, so that rows cannot be swapped."""
    return f"{identity}\n{period}\n{customer}".encode()


@contextmanager
def _translated(deed: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordUnavailable(f"The vault cannot be {deed}: {cause(error)}") from error

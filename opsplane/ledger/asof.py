"""What held at a moment of the past, folded from the events up to then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from opsplane import protection
from opsplane.errors import InvalidRequest
from opsplane.events import PersonAdded, PersonDisabled, ServiceStarted, SigningKeyAdded
from opsplane.ledger.seal import micros, moment
from opsplane.ledger.store import Entry, Ledger
from opsplane.ledger.tables import CHECKPOINT, ENTRY
from opsplane.protection import Protection
from opsplane.state import CONTROL, State, fold

KINDS = (
    "ledger_opened",
    "signing_key_added",
    "service_started",
    "service_stopped",
    "person_added",
    "person_disabled",
    *CONTROL,
)
"""The kinds of event that what held is folded from."""


@dataclass(frozen=True)
class Checked:
    """The newest checkpoint of then."""

    number: int
    at: datetime
    size: int
    root: bytes


@dataclass(frozen=True)
class AsOf:
    """The product at a moment."""

    at: datetime
    entries: int  # how many there were
    last: int  # the newest entry's number
    exchanges: int
    checkpoint: Checked | None
    state: State
    service: Entry | None  # the newest start; None where it was stopped, or never started
    protection: Protection  # holds in force, years that content is kept, erasures done
    people: tuple[PersonAdded, ...]  # who could sign in
    signed_in: int  # how often somebody had signed in
    keys: tuple[str, ...]  # signing keys
    counts: tuple[tuple[str, int], ...]  # events by kind


def as_of(ledger: Ledger, at: datetime) -> AsOf:
    """Fold the events that are not later than `at`; raise `RecordUnavailable` where the record does not answer."""
    entries = [entry for entry in ledger.events(KINDS) if entry.at <= at]
    until = micros(at)
    columns = ENTRY.c.kind, func.count(), func.max(ENTRY.c.seq)
    counted = ledger.read(select(*columns).where(ENTRY.c.at <= until).group_by(ENTRY.c.kind))
    counts = tuple(sorted((str(kind), int(number)) for kind, number, _ in counted))
    return AsOf(
        at=at,
        entries=sum(number for _, number in counts),
        last=max((int(row[2]) for row in counted), default=0),
        exchanges=_count(ledger, until),
        checkpoint=_checkpoint(ledger, until),
        state=fold(entries),
        service=_service(entries),
        protection=protection.fold([one for one in ledger.events(protection.KINDS) if one.at <= at], at),
        people=_people(entries),
        signed_in=dict(counts).get("signed_in", 0),
        keys=tuple(entry.event.key for entry in entries if isinstance(entry.event, SigningKeyAdded)),
        counts=counts,
    )


def parse(text: str) -> datetime:
    """A time that a person typed: ISO 8601, UTC where no zone is given; a day alone means its end."""
    try:
        at = datetime.fromisoformat(text.strip())
        if len(text.strip()) <= len("2026-11-23"):
            at += timedelta(days=1) - timedelta(microseconds=1)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"{text[:40]!r} is not a time like 2026-11-23 or 2026-11-23T17:00.") from error


def _count(ledger: Ledger, until: int) -> int:
    received = ENTRY.c.kind == "question_received", ENTRY.c.at <= until
    return int(ledger.read(select(func.count()).select_from(ENTRY).where(*received))[0][0])


def _checkpoint(ledger: Ledger, until: int) -> Checked | None:
    columns = CHECKPOINT.c.number, CHECKPOINT.c.at, CHECKPOINT.c.size, CHECKPOINT.c.root
    newest = select(*columns).where(CHECKPOINT.c.at <= until).order_by(CHECKPOINT.c.number.desc()).limit(1)
    found = ledger.read(newest)
    return Checked(found[0][0], moment(found[0][1]), found[0][2], bytes(found[0][3])) if found else None


def _service(entries: Sequence[Entry]) -> Entry | None:
    newest = next((one for one in reversed(entries) if one.event.kind in ("service_started", "service_stopped")), None)
    return newest if newest and isinstance(newest.event, ServiceStarted) else None


def _people(entries: Sequence[Entry]) -> tuple[PersonAdded, ...]:
    known: dict[str, PersonAdded] = {}
    for entry in entries:
        match entry.event:
            case PersonAdded(name=name):
                known[name] = entry.event
            case PersonDisabled(name=name):
                known.pop(name, None)
    return tuple(known.values())

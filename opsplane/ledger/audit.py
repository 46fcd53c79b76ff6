"""Reading the record: exchanges by any combination of filters, newest first."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, func, or_, select

from opsplane.errors import InvalidRequest, NotFound
from opsplane.exchange import Outcome
from opsplane.ledger.store import Ledger, micros, moment
from opsplane.ledger.tables import EXCHANGE

SHORTEST = 6
"""The fewest characters by which an exchange may be named."""


class AuditQuery(BaseModel):
    """Filters, all of which must hold; empty ones do not filter. Dates are UTC days, both inclusive.

    `customer` is a customer id or a sign-in name; `release` an id or the beginning of a digest; `rule` the
    beginning of a finding's code; `text` stands anywhere in question or answer, whatever its case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: str = ""
    since: date | None = None
    until: date | None = None
    outcome: Outcome | None = None
    release: str = ""
    rule: str = ""
    text: str = ""
    page: int = Field(default=1, ge=1)
    size: int = Field(default=20, ge=1, le=10_000)


@dataclass(frozen=True)
class AuditRow:
    """One exchange in a list."""

    id: str
    at: datetime
    customer: str
    outcome: Outcome
    code: str
    release: str
    tier: str
    model: str
    cost_micros: int
    total_ms: int
    question: str
    answer: str


@dataclass(frozen=True)
class AuditPage:
    """A page of exchanges and how many there are in all."""

    rows: tuple[AuditRow, ...]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def search(ledger: Ledger, query: AuditQuery) -> AuditPage:
    """The exchanges that fit, newest first; raise `RecordUnavailable` where the record does not answer."""
    where = _conditions(query)
    total = ledger.read(select(func.count()).select_from(EXCHANGE).where(*where))[0][0]
    columns = [EXCHANGE.c[name] for name in AuditRow.__dataclass_fields__]
    order = EXCHANGE.c.at.desc(), EXCHANGE.c.id
    listing = select(*columns).where(*where).order_by(*order).limit(query.size).offset((query.page - 1) * query.size)
    rows = tuple(_row(row._asdict()) for row in ledger.read(listing))
    return AuditPage(rows, int(total), query.page, query.size)


def complete_id(ledger: Ledger, beginning: str) -> str:
    """The one exchange id that begins so; raise `NotFound` for none and `InvalidRequest` for several."""
    if len(beginning) < SHORTEST:
        raise InvalidRequest(f"Give at least {SHORTEST} characters of the exchange's id.")
    starts = EXCHANGE.c.id.startswith(beginning, autoescape=True)
    rows = ledger.read(select(EXCHANGE.c.id).where(starts).limit(2))
    if not rows:
        raise NotFound(f"There is no exchange {beginning!r} on the record.")
    if len(rows) > 1:
        raise InvalidRequest(f"Several exchanges begin with {beginning!r}; give more of the id.")
    return str(rows[0][0])


def _row(values: dict[str, Any]) -> AuditRow:
    return AuditRow(**values | {"at": moment(values["at"]), "outcome": Outcome(values["outcome"])})


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    table = EXCHANGE.c
    found: list[ColumnElement[bool]] = []
    if query.customer:
        found.append(or_(table.customer == query.customer, table.actor == query.customer))
    if query.since:
        found.append(table.at >= micros(datetime.combine(query.since, time.min, UTC)))
    if query.until:
        found.append(table.at < micros(datetime.combine(query.until, time.min, UTC) + timedelta(days=1)))
    if query.outcome:
        found.append(table.outcome == query.outcome.value)
    if query.release:
        found.append(or_(table.release == query.release, table.digest.startswith(query.release, autoescape=True)))
    if query.rule:
        found.append(table.codes.contains(f" {query.rule}", autoescape=True))
    if query.text:
        found.append(
            or_(
                table.question.icontains(query.text, autoescape=True),
                table.answer.icontains(query.text, autoescape=True),
            )
        )
    return found

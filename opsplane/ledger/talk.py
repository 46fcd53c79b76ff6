"""How far a conversation has come: turns that a model answered, and whether one of them was on the Pro tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select, case, func, select

from opsplane.exchange import Tier
from opsplane.ledger.tables import EXCHANGE


class Record(Protocol):
    """What queries are put to: the ledger."""

    def read(self, statement: Select[Any] | Any) -> Sequence[Any]:
        """Run one query; raise `RecordUnavailable` where the database does not answer."""
        ...


@dataclass(frozen=True)
class Talk:
    """The turns before this one, however they ended, as long as a model was asked; `pro` once one was on Pro."""

    turns: int = 0
    pro: bool = False


def so_far(record: Record, conversation: str, customer: str, exchange: str) -> Talk:
    """What came before `exchange` in a customer's conversation. One query along an index; raises as `read` does.

    All of it counts, not only the turns that are looked back on: a stopped turn was on Pro too.
    """
    row = EXCHANGE.c
    where = row.conversation == conversation, row.customer == customer, row.tier != "", row.id != exchange
    counted = select(func.count(), func.sum(case((row.tier == Tier.PRO.value, 1), else_=0))).where(*where)
    ((turns, pro),) = record.read(counted)
    return Talk(int(turns), bool(pro))

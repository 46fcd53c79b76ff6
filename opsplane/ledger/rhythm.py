"""Whether checkpoints were made as often as they should be while something was written."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from opsplane.ledger.seal import micros, moment
from opsplane.ledger.tables import CHECKPOINT, ENTRY
from opsplane.ledger.verifier import Remark

SLACK = 3
"""A checkpoint that comes this many times later than it should is a gap."""
MOST = 20
"""At most so many gaps are told one by one."""


def gaps(connection: Connection, every: timedelta, now: datetime) -> list[Remark]:
    """Times in which entries were written and no checkpoint was signed, and how old the last one is."""
    times = [row[0] for row in connection.execute(select(CHECKPOINT.c.at).order_by(CHECKPOINT.c.at))]
    if not times:
        return [Remark("checkpoint.none", None, "no checkpoint was ever signed")]
    limit = SLACK * every // timedelta(microseconds=1)
    ends = [*times[1:], micros(now)]
    long = [(begin, end) for begin, end in zip(times, ends, strict=True) if end - begin > limit]
    found = []
    for begin, end in long:
        if waited := _written(connection, begin, end - limit):
            span = f"{moment(begin):%Y-%m-%d %H:%M:%S} to {moment(end):%Y-%m-%d %H:%M:%S} UTC"
            words = f"no checkpoint was signed from {span}, and {waited} entries waited for one longer than they should"
            found.append(Remark("checkpoint.gap", None, words))
    if len(found) > MOST:
        found = [*found[:MOST], Remark("checkpoint.gap", None, f"and {len(found) - MOST} more gaps")]
    return found


def _written(connection: Connection, begin: int, end: int) -> int:
    """How many entries were written from `begin` to before `end`, in microseconds."""
    return connection.scalar(select(func.count()).select_from(ENTRY).where(ENTRY.c.at >= begin, ENTRY.c.at < end)) or 0

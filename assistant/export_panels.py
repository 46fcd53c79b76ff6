"""How far the record has come in BigQuery, as people see it: each table, and the erasures that are to follow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.bigquery_tables import TABLES, Table
from assistant.panels import Panel, moment, plain, table
from opsplane.ledger import seal
from opsplane.ledger.outbox import Outbox, Pending, Position
from opsplane.ledger.store import Ledger

_NAMED: dict[str, Table] = {one.name: one for one in TABLES}
_SHOWN = 20
"""Erasures that are listed, the newest; those that wait are listed all."""


@dataclass(frozen=True)
class Standing:
    """One table: its position, the entries still to go, and the time of the oldest of them."""

    position: Position
    behind: int
    oldest: datetime | None

    @property
    def name(self) -> str:
        """Its name without project and dataset."""
        return self.position.target.rpartition(".")[2]


@dataclass(frozen=True)
class Standings:
    """All tables that were ever sent to, all erasures, and the record's last entry."""

    tables: tuple[Standing, ...]
    erasures: tuple[Pending, ...]
    last: int

    @property
    def waiting(self) -> tuple[Pending, ...]:
        """Erasures that are not done in BigQuery yet."""
        return tuple(one for one in self.erasures if not one.finished)


def read(ledger: Ledger) -> Standings:
    """What the outbox tells; nothing is asked of BigQuery. Raises `RecordUnavailable`."""
    outbox, last = Outbox(ledger), ledger.last()
    found = [_standing(outbox, one, last) for one in outbox.positions()]
    return Standings(tuple(found), tuple(outbox.erasures()), last)


def panel(found: Standings) -> Panel:
    """The standings in Markdown."""
    if not found.tables:
        return Panel(
            "### Exports\n\nNothing was sent anywhere yet. OPSPLANE\\_BIGQUERY\\_DATASET names a dataset, and "
            "`opsplane export bigquery` sends."
        )
    heads = ("Table", "Behind", "Oldest to go (UTC)", "Last entry sent", "Rows", "Last sent (UTC)")
    parts = [
        f"### Exports\n\nThe record ends with entry {found.last:,}.",
        table(heads, [_row(one) for one in found.tables]),
        *(f"**{plain(one.name)}:** {plain(one.position.trouble)}" for one in found.tables if one.position.trouble),
        _erasures(found),
    ]
    return Panel("\n\n".join(parts))


def as_json(found: Standings) -> dict[str, Any]:
    """The standings for machines."""
    return {
        "last": found.last,
        "tables": [
            {
                "table": one.position.target,
                "done": one.position.done,
                "behind": one.behind,
                "rows": one.position.total,
                "sent": _iso(one.position.at),
                "stream": one.position.stream,
                "under_way": one.position.batch,
                "trouble": one.position.trouble,
            }
            for one in found.tables
        ],
        "erasures": [
            {
                "table": one.target,
                "entry": one.seq,
                "about": one.about,
                "rows": one.rows,
                "tries": one.tries,
                "tried": _iso(one.at),
                "finished": _iso(one.finished),
                "why": one.why,
            }
            for one in found.erasures
        ],
    }


def _standing(outbox: Outbox, position: Position, last: int) -> Standing:
    known = _NAMED.get(position.target.rpartition(".")[2])
    if known is None:  # a table of another version of the product
        return Standing(position, 0, None)
    behind = outbox.behind(position, known.kinds)
    first = outbox.after(position.done, known.kinds, 1, last)
    return Standing(position, behind, seal.moment(first[0].at) if first else None)


def _row(one: Standing) -> tuple[str, ...]:
    position = one.position
    sent = moment(seal.moment(position.at)) if position.at else "—"
    behind = f"{one.behind:,}" if one.behind else "nothing"
    return one.name, behind, moment(one.oldest), f"{position.done:,}", f"{position.total:,}", sent


def _erasures(found: Standings) -> str:
    if not found.erasures:
        return "No erasure had to follow."
    waiting = found.waiting
    done = [one for one in found.erasures if one.finished][-_SHOWN:]
    heads = ("Erasure or retention run", "Entry", "Rows without words", "Done (UTC)", "Tries", "Why not yet")
    told = f"**{len(waiting)} erasures pending**" if waiting else "Every erasure has followed"
    text = f"{told}; {len(found.erasures) - len(waiting)} done. BigQuery's time travel keeps words some days longer."
    return f"{text}\n\n{table(heads, [_erasure(one) for one in (*waiting, *reversed(done))])}"


def _erasure(one: Pending) -> tuple[str, ...]:
    done = moment(seal.moment(one.finished)) if one.finished else "pending"
    why = one.why or ("" if one.finished else "not tried yet")
    return one.about, f"{one.seq:,}", f"{one.rows:,}", done, str(one.tries), why


def _iso(at: int) -> str:
    return seal.moment(at).isoformat() if at else ""

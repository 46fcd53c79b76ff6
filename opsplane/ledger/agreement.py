"""Whether what is searched and counted says what the entries say: the exchange and spend tables against the chain.

Entries and tables are read side by side in the order they were written in, so that only what is still open is held in
memory, however long the record is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain, islice
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, select

from opsplane.ledger.readonly import stream
from opsplane.ledger.seal import micros
from opsplane.ledger.tables import EXCHANGE, INBOX, SPEND
from opsplane.ledger.verifier import Violation

KINDS = frozenset({"question_received", "question_answered", "feedback_given", "exchange_reviewed", "cost_booked"})
"""The kinds of entry that the tables are derived from."""
COLUMNS = (
    *("id", "at", "conversation", "customer", "actor", "release", "digest", "arm", "outcome", "code", "codes", "tier"),
    *("model", "input_tokens", "output_tokens", "cached_tokens", "cost_micros", "first_sentence_ms", "total_ms"),
)
BOOKED = (
    *("exchange", "at", "purpose", "customer", "release", "digest", "model", "region", "input_tokens"),
    *("output_tokens", "cached_tokens", "thinking_tokens", "cost_micros", "prices"),
)
_MOST = 1_000  # of one sort are told one by one
_ALL = 2**62
_MARKS = ("rating", "score")
_ODD = (ValueError, KeyError, TypeError, AttributeError)
_Told = tuple[Any, ...]


def told(exchange: dict[str, Any]) -> _Told:
    """The public columns of an exchange's row, from the JSON of its entry. Raises `KeyError`, `TypeError` …"""
    route, usage = exchange["route"] or {"tier": "", "model": ""}, exchange["usage"]
    codes = dict.fromkeys(finding["code"] for finding in exchange["findings"])
    return (
        exchange["id"],
        micros(datetime.fromisoformat(exchange["at"])),
        exchange["conversation"],
        exchange["customer"],
        exchange["actor"]["id"],
        exchange["release"],
        exchange["digest"],
        exchange["arm"],
        exchange["outcome"],
        exchange["code"],
        f" {' '.join(codes)} ",
        route["tier"],
        route["model"],
        usage["input"],
        usage["output"],
        usage["cached"],
        exchange["cost_micros"],
        exchange["first_sentence_ms"],
        exchange["total_ms"],
    )


def booked(exchange: dict[str, Any], at: int) -> list[_Told]:
    """The bookings of an exchange, as rows of the spend table; those of the first schema told one sum for all calls."""
    costs = exchange["costs"]
    if not costs and exchange["route"] and any(exchange["usage"].values()):
        sums = {"usage": exchange["usage"], "micros": exchange["cost_micros"], "prices": exchange["prices"]}
        costs = [{"purpose": "answer", "model": exchange["route"]["model"], "region": "", **sums}]
    return [_booked(cost, at, exchange, exchange["id"]) for cost in costs]


def _booked(cost: dict[str, Any], at: int, whose: dict[str, Any], exchange: str) -> _Told:
    usage = cost["usage"]
    tokens = usage["input"], usage["output"], usage["cached"], usage["thinking"]
    about = cost["purpose"], whose["customer"], whose["release"], whose["digest"], cost["model"], cost["region"]
    return (exchange, at, *about, *tokens, cost["micros"], cost["prices"])


class Agreement:
    """Takes entries in order; what does not fit together is told at the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        rows = select(*(EXCHANGE.c[name] for name in (*COLUMNS, *_MARKS))).order_by(EXCHANGE.c.number)
        self._exchanges = chain.from_iterable(stream(connection, rows))
        bookings = select(*(SPEND.c[name] for name in BOOKED)).order_by(SPEND.c.number)
        self._spend = chain.from_iterable(stream(connection, bookings))
        self._due = [0, 0]  # so many more rows of the two tables should be there than were read
        self._begun: dict[str, tuple[int, bytes]] = {}  # received and not ended: entry and payload
        self._ended: dict[str, tuple[int, _Told]] = {}  # ended, and no equal row was seen yet
        self._rows: dict[str, _Told] = {}  # rows that no equal entry was seen for yet
        self._owed: dict[tuple[str, int], tuple[int, list[_Told]]] = {}  # bookings without a row yet, by exchange, time
        self._spent: list[_Told] = []  # rows of bookings that no entry was seen for yet
        self._marks: dict[tuple[str, str], int | None] = {}  # rating and score by exchange, as entries have it
        self._marked: dict[tuple[str, str], int] = {}  # the same as the table has it
        self._reviewers: dict[str, str] = {}

    def take(self, entries: Sequence[_Told]) -> None:
        """Look at some entries, as the verifier reads them."""
        for seq, at, kind, actor, _, exchange, _, _, payload, _, _ in entries:
            if kind == "question_received":  # read only where it is never answered
                self._begun[exchange] = seq, payload
                self._due[0] += 1
            elif kind in KINDS:
                self._note(seq, kind, payload, actor, at)
        self._match()

    def violations(self) -> list[Violation]:
        """What is missing, too much or different, after the last entry; entries that wait in the inbox count too."""
        columns = (INBOX.c[name] for name in ("id", "at", "kind", "actor", "exchange", "payload"))
        for _, at, kind, actor, exchange, payload in self._connection.execute(select(*columns).order_by(INBOX.c.id)):
            if kind == "question_received":
                self._begun[exchange] = 0, bytes(payload)
            elif kind in KINDS:
                self._note(0, kind, bytes(payload), actor, at)
        for seq, payload in self._begun.values():
            with suppress(*_ODD):
                self._end(seq, told(from_json(payload)["exchange"]))
        self._due = [_ALL, _ALL]
        self._match()
        rows, self._spent = self._spent, []
        for row in rows:  # once more: by now every entry was seen
            self._pay(row)
        return [*_most(self._different()), *_most(self._marked_otherwise()), *_most(self._booked_otherwise())]

    def _note(self, seq: int, kind: str, payload: bytes, actor: str, at: int) -> None:
        with suppress(*_ODD):  # an entry that is not what it should be is for the chain to tell
            event = from_json(payload)
            if kind == "question_answered":
                self._answered(seq, event["exchange"])
            elif kind == "feedback_given":
                self._marks[event["exchange"], "rating"] = event["value"]
            elif kind == "cost_booked":
                self._owe(seq, _booked(event["cost"], at, event, event["exchange"]))
            else:
                self._reviewed(event, actor)

    def _answered(self, seq: int, exchange: dict[str, Any]) -> None:
        columns = told(exchange)
        self._begun.pop(columns[0], None)
        self._end(seq, columns)
        for booking in booked(exchange, columns[1]):
            self._owe(seq, booking)

    def _owe(self, seq: int, booking: _Told) -> None:
        self._owed.setdefault(booking[:2], (seq, []))[1].append(booking)
        self._due[1] += 1

    def _end(self, seq: int, columns: _Told) -> None:
        """How an exchange ended: drop it where its row was seen and is equal."""
        if self._rows.get(columns[0]) == columns:
            del self._rows[columns[0]]
            self._ended.pop(columns[0], None)
        else:
            self._ended[columns[0]] = seq, columns

    def _reviewed(self, event: dict[str, Any], actor: str) -> None:
        """The first reviewer's last score counts."""
        identity = event["exchange"]
        if self._reviewers.setdefault(identity, actor) == actor and event.get("score") is not None:
            self._marks[identity, "score"] = event["score"]

    def _match(self) -> None:
        """Read as many rows as there should be by now."""
        due, self._due = self._due, [0, 0]
        for row in islice(self._exchanges, max(0, due[0])):
            due[0] -= 1
            identity, columns = row[0], row[:-2]
            if identity in self._ended and self._ended[identity][1] == columns:
                del self._ended[identity]
            else:
                self._rows[identity] = columns
            if row[-2:] != (None, None):
                self._marked |= {(identity, n): v for n, v in zip(_MARKS, row[-2:], strict=True) if v is not None}
        for row in islice(self._spend, max(0, due[1])):
            due[1] -= 1
            self._pay(row)
        self._due = due

    def _pay(self, row: _Told) -> None:
        """Strike a booking off that an entry told of."""
        owed = self._owed.get(row[:2])
        if owed is None or row not in owed[1]:
            self._spent.append(row)
            return
        owed[1].remove(row)
        if not owed[1]:
            del self._owed[row[:2]]

    def _different(self) -> Iterator[Violation]:
        for identity, (seq, columns) in self._ended.items():
            row = self._rows.pop(identity, None) or self._again(identity)
            if row is None:
                words = f"exchange {identity} is on the record and not in its table"
                yield Violation("exchange.missing", seq or None, words)
            elif row != columns:
                yield Violation("exchange.differs", seq or None, f"exchange {identity}: {_difference(columns, row)}")
        for identity in self._rows:
            yield Violation("exchange.extra", None, f"exchange {identity} is in its table and not on the record")

    def _again(self, identity: str) -> _Told | None:
        """A row that was equal to an earlier entry of the same exchange."""
        query = select(*(EXCHANGE.c[name] for name in COLUMNS)).where(EXCHANGE.c.id == identity)
        found = self._connection.execute(query).first()
        return tuple(found) if found else None

    def _marked_otherwise(self) -> Iterator[Violation]:
        for identity, name in sorted(self._marks.keys() | self._marked.keys()):
            expected, found = self._marks.get((identity, name)), self._marked.get((identity, name))
            if expected != found:
                yield Violation("exchange.differs", None, f"exchange {identity}: {name} is {found}, not {expected}")

    def _booked_otherwise(self) -> Iterator[Violation]:
        for seq, bookings in self._owed.values():
            for one in bookings:
                yield Violation("spend.missing", seq or None, f"{_booking(one)} is on the record and not booked")
        for one in self._spent:
            yield Violation("spend.extra", None, f"{_booking(one)} is booked and not on the record")


def _booking(one: _Told) -> str:
    values = dict(zip(BOOKED, one, strict=True))
    return "exchange {exchange}: {cost_micros} micro-dollars for {purpose} with {model}".format_map(values)


def _difference(expected: _Told, found: _Told) -> str:
    pairs = zip(COLUMNS, expected, found, strict=True)
    return "; ".join(f"{name} is {is_!r}, not {should!r}" for name, should, is_ in pairs if is_ != should)


def _most(found: Iterator[Violation]) -> Iterator[Violation]:
    """The first of many, and how many more there are: these tables can be made anew in one go."""
    yield from islice(found, _MOST)
    rest = Counter(one.code for one in found)
    for code, more in rest.items():
        yield Violation(code, None, f"and {more} more; `opsplane audit rebuild` makes these tables anew")

"""Entries as rows: no name of a customer, no words where none belong, and the same number of rows for ever."""

import json
from datetime import UTC
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from assistant.bigquery_tables import TABLES
from assistant.export_rows import LONGEST, Maker
from opsplane.custody_events import ErasureBegun, RequestMade
from opsplane.event import EventValue
from opsplane.events import CommandRun, PersonAdded, QuestionAnswered, QuestionReceived, ReleaseRegistered
from opsplane.ledger import seal
from tests import fakes
from tests.opsplane.ledger import records

MAKER = Maker("ledger-1", b"secret", ZoneInfo("America/New_York"), 0)


def entry(event: EventValue, actor: Any = fakes.OPERATOR, subject: str = "", exchange: str = "") -> Any:
    line = seal.line(event, actor, fakes.NOON, exchange=exchange, subject=subject)  # type: ignore[arg-type]
    values = {name: getattr(line, name) for name in ("at", "kind", "actor", "role", "exchange", "subject", "payload")}
    return SimpleNamespace(seq=7, hash=b"\1" * 32, key="k1" if line.private else "", sealed=b"", **values)


def one(table: str, of: Any) -> dict[str, Any]:
    (row,) = MAKER.rows(table, of, None)
    return row


def test_a_row_has_exactly_the_columns_of_its_table() -> None:
    _, ended = records.turn(1)
    answered = entry(QuestionAnswered(exchange=ended), fakes.CUSTOMER, "C-1001", ended.id)
    for table in TABLES:
        if table.name not in ("scores", "events"):
            assert set(one(table.name, answered)) == {column.name for column in table.columns}
    (events,) = [table for table in TABLES if table.name == "events"]
    assert set(one("events", entry(ErasureBegun(request="r", customer="C", keys=())))) == {
        column.name for column in events.columns
    }


def test_a_day_is_the_banks_and_the_hash_ties_the_row_to_the_record() -> None:
    late = fakes.NOON.replace(hour=3, tzinfo=UTC)  # still the evening before in New York
    _, ended = records.turn(1, at=late)
    row = one("exchanges", entry(QuestionAnswered(exchange=ended)))
    assert row["day"] == 20_779  # 2026-11-22
    assert (row["seq"], row["entry_hash"]) == (7, "01" * 32)


def test_customers_are_pseudonyms_wherever_they_are_named() -> None:
    received, _ = records.turn(1, "C-1001")
    reason = {"reason": "asked by letter", "salt": "s"}
    told = [
        entry(QuestionReceived(exchange=received), fakes.CUSTOMER, "C-1001", received.id),
        entry(RequestMade(request="r", action="erase", subject="C-1001", digest="d", **reason), subject="C-1001"),
        entry(ErasureBegun(request="r", customer="C-1001", keys=("k",)), subject="C-1001"),
        entry(PersonAdded(name="maya", role="customer", customer="C-1001")),
    ]
    rows = [one("events", each) for each in told]
    shown = json.dumps(rows)
    assert "C-1001" not in shown
    assert "maya" not in shown
    assert received.actor.id not in (rows[0]["actor"], json.loads(rows[0]["payload"])["exchange"]["actor"]["id"])
    assert {row["customer"] for row in rows[:3]} == {MAKER.pseudonym("C-1001")}
    assert Maker("ledger-1", b"other", UTC, 0).pseudonym("C-1001") != MAKER.pseudonym("C-1001")


def test_words_stand_in_no_table_but_one() -> None:
    _, ended = records.turn(1)
    answered = entry(QuestionAnswered(exchange=ended), fakes.CUSTOMER, "C-1001", ended.id)
    written = entry(CommandRun(command="audit", arguments="C-1001 said so", why="a letter"), fakes.REVIEWER)
    shown = json.dumps([MAKER.rows(name, answered, None) for name in ("exchanges", "costs", "words")])
    assert "fee" not in shown.replace("fees", "")
    assert "letter" not in json.dumps(MAKER.rows("events", written, None))


def test_what_staff_sealed_is_about_no_customer() -> None:
    written = entry(CommandRun(command="audit", arguments="x"), fakes.REVIEWER)
    assert written.subject == "@reviewer"
    assert one("events", written)["customer"] == ""


def test_a_payload_that_is_too_long_is_told_by_its_hash() -> None:
    large = ReleaseRegistered(release="r", digest="d", canonical="x" * LONGEST)
    assert set(json.loads(one("events", entry(large))["payload"])) == {"bytes", "sha256"}

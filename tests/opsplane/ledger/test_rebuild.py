"""What is searched and counted can be made anew from the entries, word for word, and nothing erased comes back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from opsplane.events import ExchangeReviewed, QuestionReceived
from opsplane.ledger import rebuild
from opsplane.ledger.audit import AuditQuery, search
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.ledger.tables import EXCHANGE, REVIEW, SPEND
from opsplane.review import SHARE, Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.records import codes, look, sealed, tamper, turn

HIDDEN = {"number", "sealed"}  # numbered anew, and sealed with another nonce


@pytest.fixture
def kept(ledger: Ledger, notary: Notary) -> Ledger:
    """Eight turns, one of them judged."""
    sealed(ledger, notary)
    judged = ExchangeReviewed(exchange="exchange-0002", reason=Reason.CHOSEN, verdict=Verdict.WRONG, score=20)
    ledger.append_now(judged, fakes.REVIEWER, "exchange-0002", "C-1001")
    ledger.settle()
    return ledger


def rows(ledger: Ledger) -> list[list[dict[str, Any]]]:
    tables = (EXCHANGE, EXCHANGE.c.id), (SPEND, SPEND.c.exchange), (REVIEW, REVIEW.c.exchange)
    found = [ledger.read(select(table).order_by(order)) for table, order in tables]
    return [[{k: v for k, v in row._asdict().items() if k not in HIDDEN} for row in table] for table in found]


def again(ledger: Ledger) -> int:
    return rebuild.rebuild(ledger, SHARE, lambda *_: None)


def test_everything_is_as_it_was(kept: Ledger, tmp_path: Path, record_url: str) -> None:
    before, found = rows(kept), search(kept, AuditQuery(text="fee 3"))
    assert again(kept) == 23
    assert rows(kept) == before
    assert [row.id for row in search(kept, AuditQuery(text="fee 3")).rows] == [row.id for row in found.rows]
    assert codes(look(record_url, tmp_path / "anchor")) == []


def test_what_somebody_changed_in_the_read_models_is_set_right(kept: Ledger, tmp_path: Path, record_url: str) -> None:
    tamper(record_url, "DELETE FROM exchange WHERE id = 'exchange-0003'", "UPDATE spend SET cost_micros = 0")
    assert codes(look(record_url, tmp_path / "anchor"))
    again(kept)
    assert codes(look(record_url, tmp_path / "anchor")) == []


def test_nothing_of_an_erased_customer_comes_back(kept: Ledger, tmp_path: Path, record_url: str) -> None:
    kept.vault.destroy("C-1002")
    again(kept)
    told = {row.id: row.question for row in search(kept, AuditQuery()).rows}
    assert told["exchange-0001"] == "[erased]"
    assert told["exchange-0002"] == "What is fee 2?"
    assert not search(kept, AuditQuery(text="fee", customer="C-1002")).rows
    assert not search(kept, AuditQuery(text="erased")).rows
    assert [one.destroyed is None for one in kept.vault.keys_of("C-1002")] == [False]
    assert codes(look(record_url, tmp_path / "anchor")) == []


def test_one_that_is_cut_off_changes_nothing(kept: Ledger) -> None:
    before = rows(kept)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild.rebuild(kept, SHARE, stop)
    assert rows(kept) == before


def test_the_record_goes_on_afterwards(kept: Ledger, tmp_path: Path, record_url: str) -> None:
    again(kept)
    kept.append_now(QuestionReceived(exchange=turn(99)[0]), fakes.CUSTOMER, "exchange-0099", "C-1001")
    kept.settle()
    assert codes(look(record_url, tmp_path / "anchor")) == []

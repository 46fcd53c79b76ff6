"""Read models agree with the entries they are derived from, whatever kind of event they come from."""

from pathlib import Path

from opsplane.events import CostBooked, ExchangeReviewed, FeedbackGiven, QuestionReceived
from opsplane.ledger import checkpoint
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.review import Reason, Verdict
from opsplane.spend import Purpose
from tests import fakes
from tests.opsplane.ledger.records import COST, codes, fill, look, tamper, turn


def test_costs_that_no_answer_caused_count_too(ledger: Ledger, notary: Notary, tmp_path: Path, record_url: str) -> None:
    checkpoint.introduce(ledger, notary)
    fill(ledger, 2)
    judge = COST.model_copy(update={"purpose": Purpose.JUDGE})
    for booked in (CostBooked(cost=judge), CostBooked(cost=judge), CostBooked(cost=judge, exchange="exchange-0001")):
        ledger.append_now(booked, fakes.OPERATOR)
    ledger.settle()
    checkpoint.make(ledger, notary)
    assert codes(look(record_url, tmp_path / "anchor")) == []
    tamper(record_url, "DELETE FROM spend WHERE purpose = 'judge' AND exchange = ''")
    assert [code for code, _ in codes(look(record_url, tmp_path / "anchor"))] == ["spend.missing"] * 2


def test_the_first_reviewers_last_score_and_the_last_thumb_count(
    ledger: Ledger, notary: Notary, tmp_path: Path, record_url: str
) -> None:
    checkpoint.introduce(ledger, notary)
    fill(ledger, 2)
    about = {"exchange": "exchange-0001", "reason": Reason.CHOSEN, "verdict": Verdict.WRONG}
    for actor, score in ((fakes.REVIEWER, 10), (fakes.APPROVER, 90), (fakes.REVIEWER, 20), (fakes.REVIEWER, None)):
        ledger.append_now(ExchangeReviewed.model_validate(about | {"score": score}), actor, "exchange-0001", "C-1002")
    ledger.append_now(FeedbackGiven(exchange="exchange-0001", value=None), fakes.CUSTOMER, "exchange-0001", "C-1002")
    ledger.settle()
    checkpoint.make(ledger, notary)
    assert codes(look(record_url, tmp_path / "anchor")) == []


def test_a_turn_that_was_cut_off_is_compared_as_it_was_received(
    ledger: Ledger, notary: Notary, tmp_path: Path, record_url: str
) -> None:
    checkpoint.introduce(ledger, notary)
    ledger.append_now(QuestionReceived(exchange=turn(1)[0]), fakes.CUSTOMER, "exchange-0001", "C-1001")
    ledger.settle()
    checkpoint.make(ledger, notary)
    assert codes(look(record_url, tmp_path / "anchor")) == []
    tamper(record_url, "UPDATE exchange SET outcome = 'answered'")
    assert codes(look(record_url, tmp_path / "anchor")) == [("exchange.differs", 3)]


def test_of_very_many_differences_the_first_are_told_and_the_rest_counted(
    ledger: Ledger, notary: Notary, tmp_path: Path, record_url: str
) -> None:
    checkpoint.introduce(ledger, notary)
    fill(ledger, 2)
    checkpoint.make(ledger, notary)
    columns = "at, purpose, customer, exchange, release, digest, model, region, input_tokens, output_tokens, "
    columns += "cached_tokens, thinking_tokens, cost_micros, prices"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) "
    values = columns.replace("at, ", "at + i, ", 1)
    select = f"{numbers} SELECT {values} FROM spend, n WHERE exchange = 'exchange-0001'"
    tamper(record_url, f"INSERT INTO spend ({columns}) {select}")
    found = look(record_url, tmp_path / "anchor")
    assert len(found.violations) == 1_001
    assert found.violations[-1].code == "spend.extra"
    assert "500 more" in found.violations[-1].detail

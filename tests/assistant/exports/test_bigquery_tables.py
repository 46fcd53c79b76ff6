"""Every column is described, and the views answer over real rows."""

from datetime import date

import pytest

from assistant.bigquery import Warehouse
from assistant.bigquery_tables import TABLES, VIEWS, Table
from opsplane.evaluation_events import ExchangeScored
from opsplane.events import CostBooked, ExchangeReviewed, FeedbackGiven
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.ledger.store import Ledger
from opsplane.review import Reason, Verdict
from opsplane.spend import Cost, Purpose, Usage
from tests import fakes
from tests.assistant.exports.conftest import Opened
from tests.assistant.exports.turns import more

DAY = date(2026, 11, 23)
FOUND = Finding(code="injection.override", action=Action.DECLINE, stage="question", span="ignore all")
KEPT = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described_once(table: Table) -> None:
    names = [one.name for one in table.columns]
    assert len(names) == len(set(names))
    assert all(one.description for one in table.columns)
    assert set(table.clustered) < set(names)


@pytest.fixture
def sent(ledger: Ledger, export: Opened) -> Opened:
    """Six answered turns about fees, one declined about cards, scores of three sorts and what judging cost."""
    more(ledger, 6, topic="fees", total_ms=100, findings=(KEPT,))
    more(ledger, 1, first=6, topic="cards", outcome=Outcome.DECLINED, code=FOUND.code, findings=(FOUND, FOUND))
    judged = (("exchange-0000", 90), ("exchange-0001", 70))
    for exchange, score in judged:
        scored = ExchangeScored(exchange=exchange, scorer="embedded/1", score=score, measures={"faithfulness": 50})
        ledger.append_now(scored, fakes.REVIEWER, exchange, "C-1001")
    reviewed = ExchangeReviewed(exchange="exchange-0002", reason=Reason.SAMPLED, verdict=Verdict.WRONG, score=20)
    ledger.append_now(reviewed, fakes.REVIEWER, "exchange-0002", "C-1001")
    for value in (1, 0):  # the last word counts
        thumb = FeedbackGiven(exchange="exchange-0003", value=value, comment="no!")
        ledger.append_now(thumb, fakes.CUSTOMER, "exchange-0003", "C-1002")
    cost = Cost(purpose=Purpose.JUDGE, model="test:judge", usage=Usage(input=10), micros=9, prices="t")
    ledger.append_now(CostBooked(cost=cost, exchange="exchange-0000", release="test-1"), fakes.REVIEWER)
    export().run()
    export().views()
    return export


def test_the_views_tell_of_spend_quality_and_safety(sent: Opened, warehouse: Warehouse) -> None:
    def look(view: str) -> list[dict[str, object]]:
        sql = f"SELECT * FROM `{warehouse.name(view)}` WHERE day >= '2026-11-01'"
        return warehouse.rows("look", f"{sql} ORDER BY topic DESC")

    fees, cards = look("quality")
    assert (fees["day"], fees["release"], fees["topic"], fees["turns"], fees["answered"]) == (
        DAY,
        "test-1",
        "fees",
        6,
        6,
    )
    assert (fees["judge_score"], fees["reviewer_score"], fees["found_wrong"]) == (80.0, 20.0, 1)
    assert (fees["thumbs_up"], fees["thumbs_down"], fees["total_ms_p95"]) == (0, 1, 100)
    assert (cards["turns"], cards["declined"], cards["answered_share"]) == (1, 1, 0.0)

    spent = {(row["topic"], row["purpose"]): (row["cost_micros"], row["exchanges"]) for row in look("spend")}
    assert spent == {("fees", "answer"): (342, 6), ("cards", "answer"): (57, 1), ("", "judge"): (9, 1)}

    first, second = look("safety")
    assert (first["finding"], first["turns"], first["withheld"]) == ("grounding.figure", 6, 6)
    assert (second["finding"], second["turns"], second["declined"]) == ("injection.override", 1, 1)


def test_views_can_be_made_before_anything_is_sent_and_again(export: Opened, warehouse: Warehouse) -> None:
    names = [warehouse.name(view.name) for view in VIEWS]
    assert export().views() == export().views() == names
    assert warehouse.rows("look", f"SELECT * FROM `{names[1]}`") == []

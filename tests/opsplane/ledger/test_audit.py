"""Any combination of filters finds the right exchanges."""

from datetime import date, timedelta

import pytest

from opsplane.errors import InvalidRequest, NotFound
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.ledger.audit import AuditQuery, complete_id, search
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

FOUND = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer")


@pytest.fixture
async def filled(ledger: Ledger) -> Ledger:
    rows = [
        ("aaaaaa-1", "C-1001", Outcome.ANSWERED, "What does a wire cost?", ()),
        ("aaaaaa-2", "C-1002", Outcome.DECLINED, "100% of _my_ pancakes", ()),
        ("bbbbbb-3", "C-1001", Outcome.ABSTAINED, "What is a WIRE?", (FOUND,)),
    ]
    for day, (identity, customer, outcome, text, findings) in enumerate(rows):
        one = exchange(
            identity,
            customer=customer,
            outcome=outcome,
            question=text,
            findings=findings,
            at=fakes.NOON - timedelta(days=day),
            sentences=(Sentence(text="It is $25."),),
        )
        await ledger.received(one)
    return ledger


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["aaaaaa-1", "aaaaaa-2", "bbbbbb-3"]),
        ({"customer": "C-1001"}, ["aaaaaa-1", "bbbbbb-3"]),
        ({"customer": "customer"}, ["aaaaaa-1", "aaaaaa-2", "bbbbbb-3"]),
        ({"outcome": "declined"}, ["aaaaaa-2"]),
        ({"since": date(2026, 11, 22)}, ["aaaaaa-1", "aaaaaa-2"]),
        ({"until": date(2026, 11, 22)}, ["aaaaaa-2", "bbbbbb-3"]),
        ({"text": "wire"}, ["aaaaaa-1", "bbbbbb-3"]),
        ({"text": "%"}, ["aaaaaa-2"]),
        ({"text": "_my_"}, ["aaaaaa-2"]),
        ({"text": "$25"}, ["aaaaaa-1", "aaaaaa-2", "bbbbbb-3"]),
        ({"rule": "grounding"}, ["bbbbbb-3"]),
        ({"rule": "round"}, []),
        ({"release": "test-1", "customer": "C-1002"}, ["aaaaaa-2"]),
        ({"release": fakes.release().digest[:8]}, ["aaaaaa-1", "aaaaaa-2", "bbbbbb-3"]),
        ({"release": "no-such"}, []),
    ],
)
async def test_filters_find_newest_first(filled: Ledger, filters: dict[str, object], expected: list[str]) -> None:
    page = search(filled, AuditQuery.model_validate(filters))
    assert [row.id for row in page.rows] == expected
    assert page.total == len(expected)


async def test_pages_are_counted_and_cut(filled: Ledger) -> None:
    page = search(filled, AuditQuery(page=2, size=2))
    assert [row.id for row in page.rows] == ["bbbbbb-3"]
    assert (page.total, page.pages) == (3, 2)


async def test_an_id_may_be_shortened_while_it_is_the_only_one(filled: Ledger) -> None:
    assert complete_id(filled, "bbbbbb") == "bbbbbb-3"
    with pytest.raises(InvalidRequest, match="Several"):
        complete_id(filled, "aaaaaa")
    with pytest.raises(InvalidRequest, match="at least 6"):
        complete_id(filled, "a")
    with pytest.raises(NotFound):
        complete_id(filled, "cccccc")

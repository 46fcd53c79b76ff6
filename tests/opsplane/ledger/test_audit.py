"""Any combination of filters finds the right exchanges."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert

from opsplane.errors import InvalidRequest, NotFound
from opsplane.exchange import Outcome
from opsplane.ledger import audit
from opsplane.ledger.audit import COUNTED, MOST, AuditQuery, complete_id, search, walk, wanted
from opsplane.ledger.database import connect, transaction
from opsplane.ledger.seal import micros
from opsplane.ledger.tables import EXCHANGE, REVIEW
from tests.opsplane.ledger.test_search import NOTHING, Shelf

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST = "0123456789abcdef" * 4


def numbers(shelf: Shelf, **filters: Any) -> list[int]:
    return [int(row.id.rpartition("-")[2]) for row in search(shelf, AuditQuery.model_validate(filters)).rows]


@pytest.fixture
def shelf(record_url: str) -> Iterator[Shelf]:
    made = Shelf(connect(record_url))
    yield made
    made.engine.dispose()


@pytest.fixture
def filled(shelf: Shelf) -> Shelf:
    old = {"at": micros(NOON - timedelta(days=400)), "release": "heron-0", "digest": DIGEST}
    shelf.add(1, "What does a wire cost?", "It is $25.", at=micros(NOON), rating=1, cost_micros=10_000)
    shelf.add(2, "Pancakes?", outcome="declined", code="scope.off_topic", customer="C-2", codes=" scope.off_topic ")
    shelf.add(3, "And a WIRE abroad?", outcome="abstained", codes=" grounding.figure pii.card ", tier="pro", score=40)
    shelf.add(4, "A fee, long ago", "$15", model="gemini-pro", actor="ben", rating=0, cost_micros=50_001, **old)
    with transaction(shelf.engine) as connection:
        review = {"at": 1, "reason": "r", "rank": 1, "reviewer": "r"}
        connection.execute(insert(REVIEW), review | {"exchange": "exchange-0002", "verdict": "right"})
        connection.execute(insert(REVIEW), review | {"exchange": "exchange-0001", "verdict": ""})
        shelf.index.refresh(connection, "exchange-0002")
    return shelf


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [4, 3, 2, 1]),
        ({"customer": "C-1"}, [4, 3, 1]),
        ({"customer": "c-1"}, []),
        ({"customer": "anna"}, [3, 2, 1]),
        ({"outcome": "declined"}, [2]),
        ({"since": date(2026, 11, 23)}, [1]),
        ({"until": date(2026, 11, 22)}, [4, 3, 2]),
        ({"since": date(2026, 11, 23), "until": date(2026, 11, 23)}, [1]),
        ({"since": date(2026, 11, 24), "until": date(2026, 11, 23)}, []),
        ({"since": date.min, "until": date.max}, [4, 3, 2, 1]),
        ({"text": "wire"}, [3, 1]),
        ({"text": '"wire abroad"'}, [3]),
        ({"text": "$25"}, [1]),
        ({"rule": "grounding"}, [3]),
        ({"rule": "round"}, []),
        ({"rule": "pii.card"}, [3]),
        ({"release": "heron-1", "customer": "C-2"}, [2]),
        ({"release": "0123"}, [4]),
        ({"release": DIGEST}, [4]),
        ({"release": DIGEST[:-1] + "0"}, [4]),
        ({"release": "heron"}, []),
        ({"model": "gemini-pro"}, [4]),
        ({"route": "pro"}, [3]),
        ({"cost": "0.01"}, [1]),
        ({"cost": "0.01-0.05"}, [1]),
        ({"cost": "$0.01 – $0.050001"}, [4, 1]),
        ({"cost": "0.0100001-"}, [4]),
        ({"cost": "-0.0099999"}, [3, 2]),
        ({"cost": "0.05-0.01"}, []),
        ({"cost": "-1e30"}, [4, 3, 2, 1]),
        ({"score": "0-"}, [3]),
        ({"score": "41-100"}, []),
        ({"rating": "up"}, [1]),
        ({"rating": "down"}, [4]),
        ({"reviewed": "yes"}, [2]),
        ({"reviewed": "no"}, [4, 3, 1]),
    ],
)
def test_filters_find_newest_first(filled: Shelf, filters: dict[str, Any], expected: list[int]) -> None:
    assert numbers(filled, **filters) == expected
    assert search(filled, AuditQuery.model_validate(filters)).total == len(expected)


@pytest.mark.parametrize(
    "filters",
    [
        {"cost": "-"},
        {"cost": "cheap"},
        {"score": "1-2-3"},
        {"cost": "nan"},
        {"cost": "1e999999-"},
        {"rating": "good"},
        {"route": "ultra"},
    ],
)
def test_values_that_cannot_be_read_are_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AuditQuery.model_validate(filters)


def test_a_row_tells_what_was_asked_and_answered(filled: Shelf) -> None:
    (row,) = search(filled, AuditQuery(rating="up")).rows
    assert (row.question, row.answer, row.at, row.rating, row.score) == (
        "What does a wire cost?",
        "It is $25.",
        NOON,
        1,
        None,
    )


def test_pages_are_counted_and_cut(filled: Shelf) -> None:
    page = search(filled, AuditQuery(page=2, size=3))
    assert [row.id for row in page.rows] == ["exchange-0001"]
    assert (page.total, page.pages, page.more) == (4, 2, False)
    assert search(filled, AuditQuery(page=900)).rows == ()


def test_a_long_list_is_cut_and_says_so(shelf: Shelf) -> None:
    with transaction(shelf.engine) as connection:
        same = NOTHING | {"sealed": b'{"question": "", "answer": ""}'}
        rows = [same | {"number": number, "id": f"x-{number}"} for number in range(1, MOST + 6)]
        connection.execute(insert(EXCHANGE), rows)
        for row in rows:
            shelf.index.put(connection, row["number"], "")
    for filters in ({}, {"customer": "anna"}):
        first = search(shelf, AuditQuery(**filters))
        assert (len(first.rows), first.total, first.pages, first.more) == (20, COUNTED, 50, True)
        later = search(shelf, AuditQuery(page=60, **filters))
        assert (later.rows[0].id, later.total, later.pages, later.more) == ("x-8825", 61 * 20, 61, True)
        last = search(shelf, AuditQuery(page=2, size=MOST // 2, **filters))
        assert (last.rows[0].id, len(last.rows), last.total, last.pages, last.more) == ("x-5005", 5_000, MOST, 2, True)
        assert [audit.count(shelf, AuditQuery(**filters), most) for most in (5, MOST + 9)] == [5, MOST + 5]
    with pytest.raises(InvalidRequest, match="Only the newest 10,000"):
        search(shelf, AuditQuery(page=MOST // 20 + 1))


def test_a_walk_takes_everything_once(filled: Shelf) -> None:
    everything = walk(filled, AuditQuery(page=7, size=1), batch=2)
    assert [row.id[-1] for row in everything] == ["4", "3", "2", "1"]
    taken = walk(filled, AuditQuery(customer="C-1"), batch=2)
    first = next(taken).id
    filled.add(9, "later")
    assert [first, *(row.id for row in taken)] == ["exchange-0004", "exchange-0003", "exchange-0001"]


def test_an_id_may_be_shortened_while_it_is_the_only_one(shelf: Shelf) -> None:
    for number, identity in enumerate(("aaaaaa-1", "aaaaaa-2", "bbbbbb-3", "bbbbbB-4"), 1):
        shelf.add(number, id=identity)
    assert complete_id(shelf, "bbbbbb") == "bbbbbb-3"
    assert complete_id(shelf, "aaaaaa-2") == "aaaaaa-2"
    with pytest.raises(InvalidRequest, match="Several"):
        complete_id(shelf, "aaaaaa")
    with pytest.raises(InvalidRequest, match="at least 6"):
        complete_id(shelf, "a")
    for unknown in ("cccccc", "aaaaa%", "______"):
        with pytest.raises(NotFound):
            complete_id(shelf, unknown)


@dataclass(frozen=True)
class Sought:
    """One filter, and the same as a question to a row."""

    filters: dict[str, Any]
    fits: Callable[[dict[str, Any]], bool]


def _phrase(row: dict[str, Any], *words: str) -> bool:
    said = row["question"].split()
    return words in pairwise(said) if len(words) == 2 else words[0] in said


def _some_filters(chance: random.Random) -> list[Sought]:
    low, high = sorted((chance.randrange(120_000), chance.randrange(120_000)))
    word, other = chance.choice("qrstu") * 3, chance.choice("qrstu") * 3
    day = date(2026, 1, 1) + timedelta(days=chance.randrange(400))
    outcome = chance.choice(list(Outcome)[:4])
    return [
        Sought({"customer": "C-3"}, lambda row: row["customer"] == "C-3"),
        Sought({"outcome": outcome.value}, lambda row: row["outcome"] == outcome.value),
        Sought({"rule": "b.2"}, lambda row: " b.2" in row["codes"]),
        Sought({"since": day}, lambda row: row["at"] // 86_400_000_000 >= (day - date(1970, 1, 1)).days),
        Sought({"until": day}, lambda row: row["at"] // 86_400_000_000 <= (day - date(1970, 1, 1)).days),
        Sought({"route": "pro"}, lambda row: row["tier"] == "pro"),
        Sought({"cost": f"{low / 1e6:.6f}-{high / 1e6:.6f}"}, lambda row: low <= row["cost_micros"] <= high),
        Sought({"score": "37-81"}, lambda row: row["score"] is not None and 37 <= row["score"] <= 81),
        Sought({"rating": "down"}, lambda row: row["rating"] == 0),
        Sought({"text": word}, lambda row: _phrase(row, word)),
        Sought({"text": f'"{word} {other}"'}, lambda row: _phrase(row, word, other)),
    ]


def _some_row(chance: random.Random) -> dict[str, Any]:
    return {
        "customer": f"C-{chance.randrange(6)}",
        "outcome": chance.choice(list(Outcome)[:4]).value,
        "codes": f" {' '.join(chance.sample(['a.1', 'b.2', 'b.22', 'c.b.2'], chance.randrange(3)))} ",
        "at": micros(datetime(2026, 1, 1, tzinfo=UTC)) + chance.randrange(400 * 86_400) * 1_000_000,
        "tier": chance.choice(["flash", "flash", "pro", ""]),
        "cost_micros": chance.randrange(120_000),
        "score": chance.choice([None, chance.randrange(101)]),
        "rating": chance.choice([None, 0, 1]),
        "question": " ".join(chance.choice("qrstu") * 3 for _ in range(5)),
    }


def test_any_combination_is_what_a_look_at_every_row_finds(shelf: Shelf) -> None:
    chance = random.Random(7)
    rows = {number: _some_row(chance) for number in range(1, 251)}
    with transaction(shelf.engine) as connection:
        for number, row in rows.items():
            values = NOTHING | {name: value for name, value in row.items() if name != "question"}
            connection.execute(insert(EXCHANGE), values | {"number": number, "id": f"x-{number}", "sealed": b""})
            shelf.index.put(connection, number, row["question"])
    hits = 0
    for _ in range(300):
        chosen = chance.sample(_some_filters(chance), chance.randrange(1, 4))
        query = AuditQuery.model_validate({name: value for one in chosen for name, value in one.filters.items()})
        kept = {name: one for one in chosen for name in one.filters}  # of two texts the later one
        expected = [number for number, row in reversed(rows.items()) if all(one.fits(row) for one in kept.values())]
        assert shelf.index.newest(shelf, wanted(shelf.index, query), 1_000) == expected, query
        hits += bool(expected)
    assert hits > 100

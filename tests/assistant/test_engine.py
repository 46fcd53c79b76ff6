from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from assistant.discovery import Unanswered
from assistant.engine import LONGEST, Engines
from knowledge.library import Reader
from opsplane.evidence import Evidence, Origin
from tests.assistant.engines import door, engine
from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS, Store, store
from tests.vertex.faults import Kind
from tests.vertex.server import serving

READER = Reader(date(2026, 11, 23), frozenset({"customer"}))
FEE = "The overdraft fee is $15 for each item."
CUSTOMER = {"audience": "customer"}


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    yield served
    served.faults.clear()
    served.calls.clear()
    served.held.clear()


@pytest.fixture
def shelf(cloud: Cloud) -> Store:
    return store(cloud)


async def found(cloud: Cloud, reader: Reader = READER, query: str = "overdraft fee", **line: Any) -> list[Evidence]:
    with closing(door(cloud)) as discovery:
        return await Engines(discovery).search(query, engine(**line), reader)


async def test_a_chunk_becomes_a_numbered_passage_with_its_documents_facts(cloud: Cloud, shelf: Store) -> None:
    facts = {"id": "fees", "title": "Fee Schedule", "version": 3, "kind": "fees", "effective_from": "2026-07-01"}
    shelf.put("fees-3", ["Nothing.", FEE], **facts, **CUSTOMER)
    (one,) = await found(cloud)
    assert (one.number, one.origin, one.id, one.document, one.text) == (1, Origin.PASSAGE, "fees-3#c1", "fees", FEE)
    assert (one.title, one.version, one.kind, one.source) == ("Fee Schedule", "3", "fees", "gs://bank/fees-3.md")
    assert (one.effective_from, one.effective_to, len(one.sha256)) == (date(2026, 7, 1), None, 64)


async def test_a_store_that_does_not_cut_gives_extractive_segments(cloud: Cloud, shelf: Store) -> None:
    shelf.chunked = False
    shelf.put("fees", [FEE, "The overdraft fee can be waived once a year.", "A fee."], **CUSTOMER)
    with closing(door(cloud)) as discovery:
        engines = Engines(discovery)
        first = await engines.search("overdraft fee", engine(), READER)
        assert await engines.search("overdraft fee", engine(), READER) == first
    assert [one.text for one in first] == [FEE, "The overdraft fee can be waived once a year."]
    assert len(cloud.heard("search")) == 3  # that it does not cut is asked once


async def test_customers_are_given_what_is_for_customers(cloud: Cloud, shelf: Store) -> None:
    shelf.put("staff", [FEE], audience="staff")
    shelf.put("nobody", [FEE])
    assert await found(cloud) == []
    assert cloud.heard("search")[0].body["filter"] == 'audience: ANY("customer")'


@pytest.mark.parametrize("audience", ["staff", "", None, 7, ["staff"], {"a": 1}])
async def test_an_audience_that_the_filter_let_through_is_looked_at_again(
    audience: Any, cloud: Cloud, shelf: Store
) -> None:
    shelf.put("fees", [FEE], audience=audience)
    shelf.put("open", [FEE], audience=["staff", "customer"])
    told = frozenset({"customer", str(audience), "['staff', 'customer']"})
    reader = Reader(READER.on, told)  # the local filter compares words
    kept = [one.document for one in await found(cloud, reader)]
    assert ("fees" in kept) is isinstance(audience, str)
    assert "open" in kept


@pytest.mark.parametrize(
    ("begin", "end", "there"),
    [
        ("2026-11-23", "2026-11-23", True),
        ("2026-07-01T00:00:00Z", "", True),
        ("2026-11-24", "", False),
        ("", "2026-11-22", False),
        ("soon", "", False),
    ],
)
async def test_only_what_is_in_force_today(begin: str, end: str, there: bool, cloud: Cloud, shelf: Store) -> None:
    shelf.put("fees", [FEE], effective_from=begin, effective_to=end, **CUSTOMER)
    assert bool(await found(cloud)) is there


@pytest.mark.parametrize(("without", "there"), [("fees", False), ("fees@2", False), ("fees@1", True)])
async def test_what_was_withdrawn_is_left_out(without: str, there: bool, cloud: Cloud, shelf: Store) -> None:
    shelf.put("fees", [FEE], version="2", **CUSTOMER)
    reader = Reader(READER.on, READER.audiences, frozenset({without}))
    assert bool(await found(cloud, reader)) is there


async def test_so_many_passages_as_the_release_says(cloud: Cloud, shelf: Store) -> None:
    for n in range(9):
        shelf.put(f"fees-{n}", [FEE], effective_to="2025-01-01" if n == 0 else "", **CUSTOMER)
    assert [one.number for one in await found(cloud, passages=3)] == [1, 2, 3]


async def test_personal_data_and_too_long_questions_stay_here(cloud: Cloud, shelf: Store) -> None:
    await found(cloud, query="My card is 4111 1111 1111 1111, fee? \ud800" + "x" * 5_000)
    (call,) = cloud.heard("search")
    assert "4111" not in str(call.body)
    assert len(call.body["query"]) <= 1_000


async def test_a_passage_is_not_read_beyond_its_limit(cloud: Cloud, shelf: Store) -> None:
    shelf.put("fees", [FEE + "x" * 20_000, "  "], kind="no such kind", **CUSTOMER)
    (one,) = await found(cloud)
    assert (len(one.text), one.kind) == (LONGEST, "document")


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.INVALID, Kind.DENIED, Kind.GARBLED, Kind.DROPS])
async def test_what_fails_is_unanswered(kind: Kind, cloud: Cloud, shelf: Store) -> None:
    cloud.faults.add(kind, "search", bytes=20)
    with pytest.raises(Unanswered):
        await found(cloud)

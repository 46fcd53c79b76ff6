from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pytest

from assistant import passages
from assistant.passages import merged
from knowledge import embedding
from knowledge.encoders import family
from knowledge.library import Library, Reader
from opsplane.errors import InvalidRequest
from opsplane.evidence import Evidence, Retrieved
from opsplane.release import Release
from tests import fakes, library
from tests.assistant import shelves
from tests.assistant.engines import NAME, door
from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS, fill, store
from tests.vertex.faults import Kind
from tests.vertex.server import serving

TODAY = date(2026, 11, 23)
FEE = "The overdraft fee is $15 for each item."
ENGINE = {"name": NAME, "timeout_seconds": 5}
RANKING = {"model": "semantic-ranker-default-004", "timeout_seconds": 5}
FAULTS = [Kind.BUSY, Kind.UNAVAILABLE, Kind.DENIED, Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = shelves.stocked(tmp_path_factory.mktemp("passages"))
    with closing(Library(folder, family(embedding.load(library.MODELS)))) as opened:
        yield opened


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    store(served).put(
        "overdrafts", ["The overdraft fee is waived once a year."], title="Overdrafts", audience="customer"
    )
    yield served
    served.faults.clear()
    served.calls.clear()
    served.held.clear()


def release(**retrieval: Any) -> Release:
    return fakes.release(retrieval={"index": shelves.SPEC.id} | retrieval)


async def search(stocked: Library, cloud: Cloud, query: str = "What is the overdraft fee?", **line: Any) -> Retrieved:
    with closing(door(cloud)) as discovery:
        retrieve = passages.retriever(stocked, lambda: TODAY, frozenset, discovery)
        return await retrieve(query, release(**line))


async def test_without_an_engine_nothing_else_is_asked(stocked: Library, cloud: Cloud) -> None:
    found = await search(stocked, cloud)
    assert [one.document for one in found.passages] == ["fees", "cards"]
    assert cloud.calls == []


async def test_what_the_engine_finds_stands_beside_what_the_index_finds(stocked: Library, cloud: Cloud) -> None:
    alone = await search(stocked, cloud)
    found = await search(stocked, cloud, engine=ENGINE)
    assert [(one.number, one.document) for one in found.passages] == [(1, "fees"), (2, "overdrafts"), (3, "cards")]
    assert (found.index, found.generation) == (alone.index, alone.generation)
    assert found.passages[0].cosine == alone.passages[0].cosine


async def test_an_engines_passage_has_a_cosine_of_the_indexs_model(stocked: Library, cloud: Cloud) -> None:
    """It bears on what is off topic, and on which model answers."""
    found = await search(stocked, cloud, engine=ENGINE)
    cosine = {one.document: one.cosine for one in found.passages}
    assert cosine["overdrafts"] > 0.6 > cosine["cards"]


async def test_what_both_find_is_the_indexs_and_first(stocked: Library, cloud: Cloud) -> None:
    store(cloud).put("fees-2", [FEE], id="fees", version="2", audience="customer")
    found = await search(stocked, cloud, engine=ENGINE)
    assert [one.document for one in found.passages].count("fees") == 1
    assert found.passages[0].id.startswith("fees@2#")
    assert found.passages[0].score == pytest.approx(2 / 61, abs=1e-5)


async def test_the_release_says_how_many_passages_are_used(stocked: Library, cloud: Cloud) -> None:
    assert len((await search(stocked, cloud, engine=ENGINE, passages=2)).passages) == 2


async def test_an_engine_that_holds_the_same_documents_changes_no_passage(stocked: Library, cloud: Cloud) -> None:
    cloud.held.clear()
    fill(cloud, stocked.in_force(Reader(TODAY, frozenset({"customer"}))))
    found, alone = await search(stocked, cloud, engine=ENGINE), await search(stocked, cloud)
    assert [one.id for one in found.passages] == [one.id for one in alone.passages]
    assert found.passages[0].score > 1.9 / 61


@pytest.mark.parametrize("kind", FAULTS)
async def test_an_engine_that_fails_is_left_out(
    kind: Kind, stocked: Library, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.faults.add(kind, "search", bytes=20)
    assert await search(stocked, cloud, engine=ENGINE) == await search(stocked, cloud)
    (line,) = caplog.messages
    assert line.startswith("Vertex AI Search (search) is left out: ")
    assert "overdraft" not in line


async def test_an_engine_that_is_too_slow_is_left_out(stocked: Library, cloud: Cloud) -> None:
    cloud.faults.add(Kind.HANGS, "search")
    found = await search(stocked, cloud, engine=ENGINE | {"timeout_seconds": 0.1})
    assert [one.document for one in found.passages] == ["fees", "cards"]


async def test_the_ranking_model_orders_before_the_cut(stocked: Library, cloud: Cloud) -> None:
    query = "Overdraft fee: nothing, abroad, costs"
    before = await search(stocked, cloud, query, passages=1)
    found = await search(stocked, cloud, query, passages=1, ranking=RANKING)
    assert len(cloud.heard("search.rank")[0].body["records"]) == 2
    assert len(found.passages) == 1
    assert found.passages[0].number == 1
    assert (found.passages[0].document, before.passages[0].document) == ("cards", "fees")
    assert found.passages[0].cosine > 0


async def test_engine_and_ranking_together(stocked: Library, cloud: Cloud) -> None:
    found = await search(stocked, cloud, "overdraft waived once year", engine=ENGINE, ranking=RANKING)
    assert found.passages[0].document == "overdrafts"
    assert [one.number for one in found.passages] == [1, 2, 3]


@pytest.mark.parametrize("kind", FAULTS)
async def test_where_the_ranking_fails_the_indexs_order_stands(
    kind: Kind, stocked: Library, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.faults.add(kind, "search.rank", bytes=20)
    assert await search(stocked, cloud, ranking=RANKING) == await search(stocked, cloud)
    assert caplog.messages[0].startswith("Vertex AI Search (ranking) is left out: ")


async def test_without_a_door_a_release_is_searched_by_its_index_alone(stocked: Library) -> None:
    retrieve = passages.retriever(stocked, lambda: TODAY, frozenset)
    found = await retrieve("What is the overdraft fee?", release(engine=ENGINE, ranking=RANKING))
    assert [one.document for one in found.passages] == ["fees", "cards"]


async def test_what_is_withdrawn_comes_from_neither(stocked: Library, cloud: Cloud) -> None:
    with closing(door(cloud)) as discovery:
        retrieve = passages.retriever(stocked, lambda: TODAY, lambda: frozenset({"fees@2", "overdrafts"}), discovery)
        found = await retrieve("What is the overdraft fee?", release(engine=ENGINE))
    assert [one.document for one in found.passages] == ["cards"]


async def test_an_index_that_there_is_not_is_told_with_an_engine_too(stocked: Library, cloud: Cloud) -> None:
    with pytest.raises(LookupError, match="no index 'other'"):
        await search(stocked, cloud, index="other", engine=ENGINE)


def test_a_plan_asks_for_as_many_as_the_ranking_is_shown() -> None:
    shown = RANKING | {"passages": 200}
    assert passages.plan(release(passages=4, engine=ENGINE)).passages == 4
    assert passages.plan(release(passages=4, ranking=RANKING)).passages == 20
    assert passages.plan(release(passages=4, ranking=shown)).passages == 50


@pytest.mark.parametrize(
    ("retrieval", "where", "complaint"),
    [
        ({"engine": ENGINE}, {"credentials": "missing.json"}, "OPSPLANE_GOOGLE_CREDENTIALS"),
        ({"engine": {"name": "bank"}}, {}, "'bank' is not projects/P/locations/L"),
        ({"ranking": RANKING}, {"project": ""}, "OPSPLANE_GOOGLE_PROJECT"),
    ],
)
def test_what_can_never_be_asked_is_told_at_the_start(
    retrieval: dict[str, Any], where: dict[str, Any], complaint: str, cloud: Cloud
) -> None:
    with closing(door(cloud, **where)) as discovery, pytest.raises(InvalidRequest, match=complaint):
        passages.open_clients(release(**retrieval), discovery)


def test_two_lists_take_turns_and_a_document_of_less_trust_waits() -> None:
    ours = [_passage(n) for n in (1, 2)]
    others = [_passage(3), _passage(4, kind="marketing")]
    found = merged(ours, others, {"marketing": 0.6})
    assert [one.document for one in found] == ["document-1", "document-3", "document-2", "document-4"]


def test_of_two_passages_that_say_the_same_the_indexs_stays() -> None:
    ours = [_passage(1, text="## Fees\n\nThe fee is $15.\nIt is charged once.")]
    twice = _passage(2, text="The fee is  $15. It is charged once.", document="document-1")
    other = _passage(3, text="The fee is $15. It is charged once.")
    assert [one.number for one in merged(ours, [twice, twice, other], {})] == [1, 3]


def _passage(number: int, **changes: Any) -> Evidence:
    return fakes.passage(number, **{"text": f"The fee is ${number}."} | changes)

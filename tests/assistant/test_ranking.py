from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from assistant.cloud import Cloud as Where
from assistant.discovery import Unanswered
from assistant.ranking import config, ranked
from opsplane.errors import InvalidRequest
from opsplane.evidence import Evidence
from opsplane.release import Ranking
from tests import fakes
from tests.assistant.engines import door
from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS
from tests.vertex.faults import Kind
from tests.vertex.server import serving

TEXTS = ("Branches open at nine.", "A wire costs $25.", "A wire transfer abroad costs $45.")
PASSAGES = [fakes.passage(number, text, title="") for number, text in enumerate(TEXTS, start=1)]


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    yield served
    served.faults.clear()
    served.calls.clear()


async def order(cloud: Cloud, given: list[Evidence] = PASSAGES, **changes: Any) -> list[Evidence]:
    line = Ranking.model_validate({"model": "semantic-ranker-default-004"} | changes)
    with closing(door(cloud)) as discovery:
        return await ranked("wire transfer abroad", given, line, discovery)


async def test_the_models_order_and_scores_stand_and_the_cosine_stays(cloud: Cloud) -> None:
    found = await order(cloud)
    assert [one.number for one in found] == [3, 2, 1]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0].score > 0.9
    assert {one.cosine for one in found} == {0.7}


async def test_passages_beyond_those_that_it_is_shown_come_behind(cloud: Cloud) -> None:
    found = await order(cloud, passages=2)
    assert [one.number for one in found] == [2, 1, 3]
    assert [one["id"] for one in cloud.heard("search.rank")[0].body["records"]] == ["1", "2"]


async def test_a_single_passage_needs_no_order(cloud: Cloud) -> None:
    assert await order(cloud, PASSAGES[:1]) == PASSAGES[:1]
    assert cloud.heard("search") == []


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.UNAVAILABLE, Kind.DENIED, Kind.GARBLED, Kind.TRUNCATED, Kind.DROPS])
async def test_what_fails_is_unanswered(kind: Kind, cloud: Cloud) -> None:
    cloud.faults.add(kind, "search.rank", bytes=20)
    with pytest.raises(Unanswered):
        await order(cloud)


async def test_a_model_that_there_is_not_is_unanswered(cloud: Cloud) -> None:
    with pytest.raises(Unanswered, match="answer 400"):
        await order(cloud, model="semantic-ranker-9")


@pytest.mark.parametrize(
    ("location", "others", "place"),
    [
        ("us-central1", (), "global"),
        ("europe-west4", ("europe-west1",), "eu"),
        ("eu", (), "eu"),
        ("europe-west4", ("us-central1",), "global"),
    ],
)
def test_what_may_not_leave_the_european_union_does_not(location: str, others: tuple[str, ...], place: str) -> None:
    where = Where(project="bank", location=location, others=others)
    assert config(where) == f"projects/bank/locations/{place}/rankingConfigs/default_ranking_config"


async def test_without_a_project_there_is_no_ranking(cloud: Cloud) -> None:
    with pytest.raises(InvalidRequest, match="OPSPLANE_GOOGLE_PROJECT"):
        config(Where())
    with closing(door(cloud, project="")) as discovery, pytest.raises(Unanswered, match="OPSPLANE_GOOGLE_PROJECT"):
        await ranked("wire", PASSAGES, Ranking(model="m"), discovery)

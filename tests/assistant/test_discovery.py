import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from assistant.cloud import Cloud as Where
from assistant.discovery import Discovery, Refused, Unanswered, googles_host
from opsplane.guardrails.external import FAILURES, PAUSE
from tests.assistant.engines import NAME, door
from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS, store
from tests.vertex.faults import Kind
from tests.vertex.server import serving

ASKED = {"serving_config": NAME, "query": "overdraft fee"}


class Ticks:
    """Seconds that pass when told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        store(running).put("fees", ["The overdraft fee is $15."], audience="customer")
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    yield served
    served.faults.clear()
    served.calls.clear()


@pytest.fixture
def discovery(cloud: Cloud) -> Iterator[Discovery]:
    with closing(door(cloud)) as opened:
        yield opened


async def test_googles_own_client_brings_the_results(cloud: Cloud, discovery: Discovery) -> None:
    answer = await discovery.search({**ASKED, "content_search_spec": {"search_result_mode": "CHUNKS"}}, 5)
    assert answer["results"][0]["chunk"]["content"] == "The overdraft fee is $15."
    assert cloud.heard("search")[0].headers["authorization"] == "Bearer local"


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.UNAVAILABLE])
async def test_a_busy_service_is_asked_once_more(kind: Kind, cloud: Cloud, discovery: Discovery) -> None:
    cloud.faults.add(kind, "search", times=1)
    assert (await discovery.search(ASKED, 5))["results"]
    assert len(cloud.heard("search")) == 2


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.UNAVAILABLE, Kind.INTERNAL, Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED])
async def test_what_breaks_is_unanswered(kind: Kind, cloud: Cloud, discovery: Discovery) -> None:
    cloud.faults.add(kind, "search", bytes=30, message="overdraft")
    with pytest.raises(Unanswered) as told:
        await discovery.search(ASKED, 5)
    assert "overdraft" not in str(told.value)
    assert len(cloud.heard("search")) <= 2


@pytest.mark.parametrize("kind", [Kind.SLOW, Kind.HANGS])
async def test_what_takes_too_long_is_given_up(kind: Kind, cloud: Cloud, discovery: Discovery) -> None:
    await discovery.search(ASKED, 5)  # the client is open now
    cloud.faults.add(kind, "search", seconds=1)
    with pytest.raises(Unanswered, match=r"no answer in 0\.1 s|ReadTimeout"):
        await discovery.search(ASKED, 0.1)


@pytest.mark.parametrize("kind", [Kind.DENIED, Kind.NOT_FOUND, Kind.INVALID])
async def test_a_refusal_says_its_status_and_opens_no_breaker(kind: Kind, cloud: Cloud, discovery: Discovery) -> None:
    cloud.faults.add(kind, "search", times=FAILURES + 1)
    for _ in range(FAILURES + 1):
        with pytest.raises(Refused) as told:
            await discovery.search(ASKED, 5)
        assert told.value.code == int(kind.value)
    assert (await discovery.search(ASKED, 5))["results"]


async def test_after_failures_in_a_row_it_is_left_alone_for_a_while(cloud: Cloud) -> None:
    ticks = Ticks()
    with closing(door(cloud, ticks)) as discovery:
        cloud.faults.add(Kind.INTERNAL, "search", times=FAILURES)
        for _ in range(FAILURES):
            with pytest.raises(Unanswered, match="answer 500"):
                await discovery.search(ASKED, 5)
        with pytest.raises(Unanswered, match="left alone"):
            await discovery.search(ASKED, 5)
        ticks.now += PAUSE + 1
        assert (await discovery.search(ASKED, 5))["results"]


async def test_many_are_asked_at_the_same_time(cloud: Cloud, discovery: Discovery) -> None:
    answers = await asyncio.gather(*(discovery.search(ASKED, 5) for _ in range(40)))
    assert all(answer["results"] for answer in answers)


@pytest.mark.parametrize("where", [{"credentials": "missing.json"}, {"anywhere": "http://127.0.0.1:9"}])
async def test_no_credentials_and_nobody_there_are_unanswered(where: dict[str, Any], cloud: Cloud) -> None:
    with closing(door(cloud, **where)) as discovery, pytest.raises(Unanswered):
        await discovery.search(ASKED, 5)


async def test_a_name_that_is_none_says_so() -> None:
    with closing(Discovery(Where())) as discovery, pytest.raises(Unanswered, match="'fees' is not projects/P"):
        await discovery.search({"serving_config": "fees"}, 5)


def test_each_location_has_a_host_of_its_own() -> None:
    assert googles_host("global") == "discoveryengine.googleapis.com"
    assert googles_host("eu") == "eu-discoveryengine.googleapis.com"

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.vertex import clients
from tests.vertex.clients import FLASH, asked, chat
from tests.vertex.cloud import Cloud
from tests.vertex.control import kind_of
from tests.vertex.faults import Kind
from tests.vertex.server import serving
from tests.vertex.services import VERBS


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with serving(VERBS, clients.light()) as running:
        yield running


def post(cloud: Cloud, name: str, **body: object) -> httpx.Response:
    return httpx.post(f"{cloud.url}/local/{name}", json=body)


def get(cloud: Cloud, name: str) -> Any:
    return httpx.get(f"{cloud.url}/local/{name}").json()


def test_another_process_adds_faults_and_takes_them_away(cloud: Cloud) -> None:
    rule = {"kind": "429", "calls": "gemini", "where": "us-central1", "times": 2}
    assert post(cloud, "faults", **rule).json() == rule
    where = (
        f"{cloud.url}/v1/projects/{cloud.project}/locations/us-central1/publishers/google/models/{FLASH}:countTokens"
    )
    body = {"contents": [{"parts": [{"text": "x"}]}]}
    assert httpx.post(where, json=body).status_code == 429
    assert get(cloud, "faults") == [{**rule, "times": 1}]
    httpx.delete(f"{cloud.url}/local/faults")
    assert (httpx.post(where, json=body).status_code, get(cloud, "faults")) == (200, [])


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "429"},
        {"kind": "429", "calls": "local"},
        {"kind": "lava", "calls": "gemini"},
        {"kind": "429", "calls": "gemini", "time": 1},
        {"kind": "429", "calls": "gemini", "times": []},
    ],
)
def test_a_rule_that_is_none_is_refused(cloud: Cloud, rule: dict[str, object]) -> None:
    answer = post(cloud, "faults", **rule)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_kinds_are_written_in_words_or_in_capitals() -> None:
    assert {kind_of(text) for text in ("too long", "TOO_LONG", "too-long")} == {Kind.TOO_LONG}


def test_what_was_called_and_what_it_cost_can_be_read(cloud: Cloud) -> None:
    chat(cloud).invoke(asked())
    calls = get(cloud, "calls?name=gemini&bodies=1")
    assert calls["count"] == 1
    assert "generationConfig" in calls["calls"][0]["body"]
    assert [bill["model"] for bill in get(cloud, "bills")["bills"]] == [FLASH]
    httpx.delete(f"{cloud.url}/local/calls")
    assert get(cloud, "calls")["count"] == 0


def test_the_clock_can_be_moved(cloud: Cloud) -> None:
    before = str(get(cloud, "clock")["now"])
    assert post(cloud, "clock", seconds=86_400).json()["now"][:10] > before[:10]


def test_no_two_verbs_answer_the_same_call() -> None:
    assert len({(verb.method, verb.path) for verb in VERBS}) == len(VERBS)
    assert len({verb.name for verb in VERBS}) == len(VERBS)

"""What the clients' tests do not touch: refusals, and what each answer is made of."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS, store
from tests.vertex.server import serving

PLACE = "/v1/projects/bank/locations/global"
SEARCH = f"{PLACE}/collections/default_collection/engines/bank/servingConfigs/default_search:search"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        store(running).put("fees", ["The overdraft fee is $15."], audience="customer")
        yield running


def post(cloud: Cloud, path: str, body: Any) -> httpx.Response:
    return httpx.post(f"{cloud.url}{path}", json=body)


def test_an_engine_that_there_is_not_is_refused(cloud: Cloud) -> None:
    assert post(cloud, SEARCH.replace("engines/bank", "engines/other"), {"query": "fee"}).status_code == 404


def test_a_filter_that_is_not_understood_is_refused(cloud: Cloud) -> None:
    answer = post(cloud, SEARCH, {"query": "fee", "filter": "audience = customer"})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_what_shares_no_word_is_not_found(cloud: Cloud) -> None:
    assert post(cloud, SEARCH, {"query": "Where is the branch?"}).json()["results"] == []


def test_a_ranking_can_be_short_and_without_the_words(cloud: Cloud) -> None:
    records = [{"id": str(n), "content": text} for n, text in enumerate(("hours", "overdraft fee", "fee"))]
    body = {"query": "overdraft fee", "records": records, "topN": 2, "ignoreRecordDetailsInResponse": True}
    told = post(cloud, f"{PLACE}/rankingConfigs/default_ranking_config:rank", body).json()["records"]
    assert [one["id"] for one in told] == ["1", "2"]
    assert all(set(one) == {"id", "score"} for one in told)


@pytest.mark.parametrize("records", [[], [{"id": "1", "content": "fee"}] * 201])
def test_a_ranking_has_limits(records: list[Any], cloud: Cloud) -> None:
    body = {"query": "fee", "records": records}
    assert post(cloud, f"{PLACE}/rankingConfigs/default_ranking_config:rank", body).status_code == 400


def test_a_figure_that_no_fact_has_is_not_supported(cloud: Cloud) -> None:
    check = f"{PLACE}/groundingConfigs/default_grounding_config:check"
    facts = [{"factText": "Branches open at nine."}, {"factText": "The overdraft fee is $15."}]
    right = post(cloud, check, {"answerCandidate": "The overdraft fee is $15.", "facts": facts}).json()
    wrong = post(cloud, check, {"answerCandidate": "The overdraft fee is $16.", "facts": facts}).json()
    assert (right["supportScore"], [one["source"] for one in right["citedChunks"]]) == (1.0, ["1"])
    assert (wrong["supportScore"], wrong["citedChunks"]) == (0.02, [])
    assert post(cloud, check, {"answerCandidate": "Yes.", "facts": []}).status_code == 400

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from langchain_core.messages import SystemMessage
from langchain_core.utils.function_calling import convert_to_openai_function
from langchain_google_genai import create_context_cache

from assistant import account_tools
from tests.vertex import clients, clock, gemini_tokens
from tests.vertex.clients import FLASH, PRO, asked, chat, client, contents
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

LONG = f"{clients.SYSTEM} " + "Be brief and kind. " * 500


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    with serving(VERBS, clients.light()) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Cloud:
    shared.faults.clear()
    for name in ("gemini", "gemini caches", "gemini least cached", "clock"):
        shared.held.pop(name, None)
    return shared


@pytest.fixture
def google(cloud: Cloud) -> Iterator[genai.Client]:
    with client(cloud) as opened:
        yield opened


def make(google: genai.Client, system: str = LONG, **changes: Any) -> types.CachedContent:
    told: dict[str, Any] = {"system_instruction": system, "ttl": "600s", **changes}
    return google.caches.create(model=FLASH, config=types.CreateCachedContentConfig(**told))


def answer(
    google: genai.Client, cache: str | None, model: str = FLASH, **changes: Any
) -> types.GenerateContentResponse:
    config = types.GenerateContentConfig(cached_content=cache, **changes)
    return google.models.generate_content(model=model, contents=contents(), config=config)


def test_what_is_cached_is_counted_as_cached(google: genai.Client) -> None:
    made = make(google)
    tokens = gemini_tokens.count(LONG)
    assert made.usage_metadata is not None
    assert made.usage_metadata.total_token_count == tokens
    usage = answer(google, made.name).usage_metadata
    assert usage is not None
    assert usage.cached_content_token_count == tokens
    assert usage.prompt_token_count == tokens + gemini_tokens.count(contents())


def test_the_answer_is_the_same_with_and_without_a_cache(google: genai.Client) -> None:
    cached, plain = answer(google, make(google).name), answer(google, None, system_instruction=LONG)
    assert cached.text == plain.text


def test_langchain_makes_one_with_tools_and_uses_it(cloud: Cloud) -> None:
    model = chat(cloud)
    # as dictionaries: it cannot read tools that are handed the customer
    tools = [convert_to_openai_function(one) for one in account_tools.tools()]
    name = create_context_cache(model, [SystemMessage(LONG)], tools=list[Any](tools), ttl="600s")
    said = chat(cloud, cached_content=name).invoke(asked("What is the balance of my checking account?")[1:])
    assert [call["name"] for call in said.tool_calls] == ["account_balances"]
    assert said.usage_metadata is not None
    assert said.usage_metadata["input_token_details"]["cache_read"] > 2_048


def test_too_little_is_not_kept(cloud: Cloud, google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="minimum token count to start caching is 2048"):
        make(google, clients.SYSTEM)
    cloud.held["gemini least cached"] = 10
    assert make(google, clients.SYSTEM).name


def test_it_is_gone_when_its_time_is_over_by_the_clouds_clock(cloud: Cloud, google: genai.Client) -> None:
    made = make(google)
    clock.move(cloud, 601)
    with pytest.raises(errors.ClientError, match="Not found: cached content metadata") as raised:
        answer(google, made.name)
    assert raised.value.code == 404
    assert list(google.caches.list()) == []


def test_its_time_can_be_made_longer(cloud: Cloud, google: genai.Client) -> None:
    made = make(google)
    clock.move(cloud, 500)
    google.caches.update(name=str(made.name), config=types.UpdateCachedContentConfig(ttl="600s"))
    clock.move(cloud, 500)
    assert answer(google, made.name).text
    assert google.caches.get(name=str(made.name)).expire_time > made.expire_time  # type: ignore[operator]


def test_a_deleted_one_is_gone(google: genai.Client) -> None:
    made, other = make(google), make(google)
    google.caches.delete(name=str(made.name))
    assert [one.name for one in google.caches.list()] == [other.name]
    with pytest.raises(errors.ClientError, match="404"):
        google.caches.get(name=str(made.name))


def test_the_fault_of_an_expired_cache_takes_it_away(cloud: Cloud, google: genai.Client) -> None:
    made = make(google)
    cloud.faults.add(Kind.EXPIRED, "gemini", times=1)
    assert answer(google, None).text
    for _ in range(2):
        with pytest.raises(errors.ClientError, match="404"):
            answer(google, made.name)


def test_nothing_of_what_is_cached_may_be_sent_again(google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="move those values to CachedContent"):
        answer(google, make(google).name, system_instruction="x")


def test_it_belongs_to_its_model_and_its_region(cloud: Cloud, google: genai.Client) -> None:
    made = make(google)
    with pytest.raises(errors.ClientError, match="has to be the same"):
        answer(google, made.name, PRO)
    with client(cloud, location="europe-west4") as other, pytest.raises(errors.ClientError, match="404"):
        answer(other, made.name)

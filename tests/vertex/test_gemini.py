import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from google.genai import errors, types
from langchain_core.exceptions import LangChainException
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from pydantic import BaseModel

from assistant import account_tools, sources
from tests.vertex import clients, gemini_tokens
from tests.vertex.clients import FLASH, PRO, asked, chat, client, contents
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.gemini import VERBS
from tests.vertex.server import serving

# Google's client derives a class from one of aiohttp's, which aiohttp does not like
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

SAID = "The overdraft fee is $15 for each item. [1]"
BALANCE = [HumanMessage(sources.write([], "What is the balance of my checking account?"))]


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    with serving(VERBS, clients.light()) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Cloud:
    shared.faults.clear()
    shared.pace.first_token = shared.pace.token = 0.0
    shared.held.pop("gemini", None)
    return shared


async def until(happened: Callable[[], bool]) -> None:
    """Wait, at most two seconds."""
    for _ in range(200):
        if happened():
            return
        await asyncio.sleep(0.01)


class Fee(BaseModel):
    """What a service costs."""

    name: str
    dollars: int
    waived: bool


def test_it_answers_out_of_the_sources_with_their_numbers(cloud: Cloud) -> None:
    said = chat(cloud).invoke(asked())
    assert said.text.startswith(SAID)
    assert said.response_metadata["finish_reason"] == "STOP"


def test_pro_says_more_than_flash(cloud: Cloud) -> None:
    texts = tuple(f"The wire fee of branch {number} is ${number}. It is due on day {number}." for number in range(8))
    flash, pro = (chat(cloud, name).invoke(asked("What is the wire fee?", texts)).text for name in (FLASH, PRO))
    assert flash.count("[") < pro.count("[")


def test_what_the_sources_do_not_answer_is_said_to_be_so(cloud: Cloud) -> None:
    assert chat(cloud).invoke(asked("Who won the battle of Hastings?")).text == (
        "The sources do not answer this question."
    )


def test_a_stream_gives_the_same_words_in_pieces(cloud: Cloud) -> None:
    async def heard() -> list[AIMessageChunk]:
        return [chunk async for chunk in chat(cloud).astream(asked())]

    chunks = asyncio.run(heard())
    assert len([one for one in chunks if one.text]) > 2
    assert "".join(str(one.text) for one in chunks) == chat(cloud).invoke(asked()).text
    assert [one.usage_metadata for one in chunks if one.usage_metadata] == [chat(cloud).invoke(asked()).usage_metadata]


def test_a_stream_without_events_is_an_array(cloud: Cloud) -> None:
    path = f"/v1/projects/{cloud.project}/locations/us-central1/publishers/google/models/{FLASH}"
    body = {"contents": [{"role": "user", "parts": [{"text": contents()}]}]}
    chunks = httpx.post(f"{cloud.url}{path}:streamGenerateContent", json=body).json()
    pieces = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in chunks]
    assert "".join(pieces).startswith(SAID)
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks][-2:] == [None, "STOP"]


def test_tokens_are_counted_by_one_rule(cloud: Cloud) -> None:
    assert gemini_tokens.pieces("Wires cost $30.") == ["Wires", " cost", " $", "30", "."]
    said = chat(cloud, thinking_budget=0).invoke(asked())
    usage = said.usage_metadata
    assert usage is not None
    words = gemini_tokens.count(clients.SYSTEM) + gemini_tokens.count(contents())
    assert (usage["input_tokens"], usage["output_tokens"]) == (words, gemini_tokens.count(str(said.text)))
    with client(cloud) as google:
        told = google.models.count_tokens(model=FLASH, contents=contents())
    assert told.total_tokens == gemini_tokens.count(contents())


def test_thoughts_are_counted_up_to_their_budget(cloud: Cloud) -> None:
    usage = chat(cloud, thinking_budget=30, include_thoughts=True).invoke(asked()).usage_metadata
    assert usage is not None
    assert usage["output_token_details"] == {"reasoning": 30}
    assert usage["output_tokens"] == 30 + gemini_tokens.count(str(chat(cloud).invoke(asked()).text))


def test_it_calls_an_account_tool_and_answers_from_its_result(cloud: Cloud) -> None:
    model = chat(cloud).bind_tools(account_tools.tools())
    call = model.invoke(BALANCE)
    assert [(one["name"], one["args"]) for one in call.tool_calls] == [("account_balances", {"account": "checking"})]
    told = sources.write_result(1, "Your checking account ending in 1234 has a balance of $50.00.")
    said = model.invoke([*BALANCE, call, ToolMessage(told, tool_call_id=call.tool_calls[0]["id"])])
    assert said.text == "Your checking account ending in 1234 has a balance of $50.00. [1]"


def test_a_streamed_call_of_a_tool(cloud: Cloud) -> None:
    async def heard() -> AIMessageChunk:
        found: Any = None
        async for chunk in chat(cloud).bind_tools(account_tools.tools()).astream(BALANCE):
            found = chunk if found is None else found + chunk
        whole: AIMessageChunk = found
        return whole

    assert [one["name"] for one in asyncio.run(heard()).tool_calls] == ["account_balances"]


def test_a_call_sent_back_without_its_signature_is_refused(cloud: Cloud) -> None:
    call = {"functionCall": {"name": "list_cards", "args": {}}}
    turns: Any = [{"role": "user", "parts": [{"text": "cards"}]}, {"role": "model", "parts": [call]}]
    turns += [{"role": "user", "parts": [{"functionResponse": {"name": "list_cards", "response": {"output": "none"}}}]}]
    with client(cloud) as google, pytest.raises(errors.ClientError, match="thought_signature"):
        google.models.generate_content(model=FLASH, contents=turns)


def test_structured_output_fits_its_schema(cloud: Cloud) -> None:
    found = chat(cloud).with_structured_output(Fee, method="json_schema").invoke(asked())
    assert found == Fee(name=SAID + " We charge at most three overdraft fees a day. [1]", dollars=1, waived=True)


def test_structured_output_by_a_function_fits_too(cloud: Cloud) -> None:
    found = chat(cloud).with_structured_output(Fee, method="function_calling").invoke(asked())
    assert isinstance(found, Fee)


def test_a_schema_in_googles_own_form(cloud: Cloud) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=list[Fee])
    with client(cloud) as google:
        told = google.models.generate_content(model=FLASH, contents=contents(), config=config)
    assert [type(one) for one in told.parsed or ()] == [Fee]  # type: ignore[union-attr]


def test_malformed_output_is_no_json_or_does_not_fit(cloud: Cloud) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Fee)
    cloud.faults.add(Kind.MALFORMED, "gemini", times=1)
    cloud.faults.add(Kind.MALFORMED, "gemini", times=1, message="schema")
    with client(cloud) as google:
        broken, other = (
            google.models.generate_content(model=FLASH, contents=contents(), config=config).text for _ in range(2)
        )
    with pytest.raises(json.JSONDecodeError):
        json.loads(str(broken))
    assert json.loads(str(other)) == {"unexpected": [1]}


def test_a_malformed_call_of_a_function(cloud: Cloud) -> None:
    cloud.faults.add(Kind.MALFORMED, "gemini", times=1)
    said = chat(cloud).bind_tools(account_tools.tools()).invoke(BALANCE)
    assert (said.tool_calls, said.response_metadata["finish_reason"]) == ([], "MALFORMED_FUNCTION_CALL")


def test_a_blocked_prompt_costs_its_tokens_and_says_why(cloud: Cloud) -> None:
    cloud.faults.add(Kind.BLOCKED, "gemini", times=1, message="PROHIBITED_CONTENT")
    said = chat(cloud).invoke(asked())
    assert said.text == ""
    assert said.response_metadata["prompt_feedback"]["block_reason"].value == "PROHIBITED_CONTENT"
    assert [(one["finish"], one["output"]) for one in cloud.held["gemini"]["bills"]] == [("PROHIBITED_CONTENT", 0)]


def test_safety_settings_decide_what_a_marker_blocks(cloud: Cloud) -> None:
    harm = "HARM_CATEGORY_HARASSMENT"
    prompt = f"{contents()} [[{harm}:MEDIUM]]"

    def blocked(threshold: str) -> bool:
        setting = types.SafetySetting(category=types.HarmCategory(harm), threshold=types.HarmBlockThreshold(threshold))
        config = types.GenerateContentConfig(safety_settings=[setting])
        with client(cloud) as google:
            return google.models.generate_content(model=FLASH, contents=prompt, config=config).candidates is None

    assert [blocked(one) for one in ("BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "OFF")] == [True, False, False]


@pytest.mark.parametrize(("kind", "finish"), [(Kind.SAFETY, "SAFETY"), (Kind.TOO_LONG, "MAX_TOKENS")])
def test_an_answer_that_ends_in_its_middle(cloud: Cloud, kind: Kind, finish: str) -> None:
    cloud.faults.add(kind, "gemini", times=1)
    half, whole = chat(cloud).invoke(asked()), chat(cloud).invoke(asked())
    assert half.response_metadata["finish_reason"] == finish
    assert len(str(half.text)) < len(str(whole.text))
    assert str(whole.text).startswith(str(half.text))


def test_at_most_so_many_tokens_thoughts_among_them(cloud: Cloud) -> None:
    said = chat(cloud, max_tokens=40, thinking_budget=30).invoke(asked())
    assert said.response_metadata["finish_reason"] == "MAX_TOKENS"
    assert gemini_tokens.count(str(said.text)) == 10


def test_words_that_end_an_answer(cloud: Cloud) -> None:
    assert chat(cloud, stop=[" for each"]).invoke(asked()).text == "The overdraft fee is $15"


def test_log_probabilities_where_they_are_asked_for(cloud: Cloud) -> None:
    config = types.GenerateContentConfig(response_logprobs=True, logprobs=2)
    with client(cloud) as google:
        candidates = google.models.generate_content(model=FLASH, contents=contents(), config=config).candidates
    told = candidates[0].logprobs_result if candidates else None
    assert told is not None
    assert "".join(str(one.token) for one in told.chosen_candidates or ()).startswith(SAID)
    assert [len(one.candidates or ()) for one in told.top_candidates or ()][:2] == [2, 2]


def test_labels_are_noted_and_must_be_labels(cloud: Cloud) -> None:
    chat(cloud, labels={"release": "heron-cloud"}).invoke(asked())
    assert cloud.held["gemini"]["bills"][-1]["labels"] == {"release": "heron-cloud"}
    with pytest.raises(LangChainException, match="Invalid label"):
        chat(cloud, labels={"Release": "1"}).invoke(asked())


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-9-none"])
def test_retired_and_unknown_models_are_not_found(cloud: Cloud, model: str) -> None:
    with client(cloud) as google, pytest.raises(errors.ClientError, match="Publisher Model") as raised:
        google.models.generate_content(model=model, contents=contents())
    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")


def test_another_project_is_denied(cloud: Cloud) -> None:
    with (
        client(cloud, project="other") as google,
        pytest.raises(errors.ClientError, match=r"endpoints\.predict") as raised,
    ):
        google.models.generate_content(model=FLASH, contents=contents())
    assert (raised.value.code, raised.value.status) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "at least one contents"),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "parts field"),
        ({"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"temperature": 3}}, "temperature value of 3"),
        ({"contents": [{"parts": [{"text": "x"}]}], "sytemInstruction": {}}, "Unknown name"),
        ({"contents": [{"parts": [{"functionResponse": {"name": "x"}}]}]}, "function response parts"),
    ],
)
def test_what_is_no_request_is_refused(cloud: Cloud, body: dict[str, Any], words: str) -> None:
    path = f"/v1/projects/{cloud.project}/locations/us-central1/publishers/google/models/{FLASH}:generateContent"
    answer = httpx.post(f"{cloud.url}{path}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_a_client_that_leaves_a_stream_pays_for_what_was_written(cloud: Cloud) -> None:
    cloud.pace.token = 0.002

    async def left() -> None:
        async for chunk in chat(cloud).astream(asked()):
            if chunk.text:
                raise asyncio.CancelledError

    async def leave() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(left())
        await until(lambda: bool(cloud.held["gemini"]["cancelled"]))

    asyncio.run(leave())
    whole = gemini_tokens.count(str(chat(cloud, thinking_budget=0).invoke(asked()).text))
    assert len(cloud.held["gemini"]["cancelled"]) == 1
    assert cloud.held["gemini"]["cancelled"][0] < whole
    assert [one["finish"] for one in cloud.held["gemini"]["bills"]] == ["CANCELLED", "STOP"]


def test_a_client_that_leaves_before_an_answer_is_noticed(cloud: Cloud) -> None:
    chat(cloud).invoke(asked())
    before, cloud.pace.first_token = len(cloud.heard("gemini.generate")), 60.0

    async def leave() -> None:
        calling = asyncio.create_task(chat(cloud).ainvoke(asked()))
        await until(lambda: len(cloud.heard("gemini.generate")) > before)
        calling.cancel()
        await until(lambda: bool(cloud.held["gemini"]["cancelled"]))

    asyncio.run(leave())
    assert cloud.held["gemini"]["cancelled"] == [0]


def test_the_models_that_there_are(cloud: Cloud) -> None:
    with client(cloud) as google:
        assert google.models.get(model=FLASH).name == f"publishers/google/models/{FLASH}"
        names = [str(one.name) for one in google.models.list()]
    assert f"publishers/google/models/{PRO}" in names
    assert not [name for name in names if "2.5" in name]

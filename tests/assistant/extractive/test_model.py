from datetime import date
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import ValidationError

from assistant import sources
from assistant.extractive.model import NAME, ExtractiveChat
from tests import fakes
from tests.assistant.models import WordCounts

FEES = (
    "The overdraft fee is $15 for each item.\n\nA stop payment costs $30.\n\n"
    "The overdraft fee is $0 when the account is overdrawn by $20 or less."
)


@tool
def account_balances(account: str = "") -> str:
    """Balances."""
    return account


@tool
def list_transactions(contains: str = "", since: str = "", until: str = "", direction: str = "") -> str:
    """Transactions."""
    return contains + since + until + direction


def model(**settings: Any) -> ExtractiveChat:
    return ExtractiveChat(embeddings=WordCounts(), **settings)


def asked(question: str, text: str = FEES) -> list[BaseMessage]:
    return [
        SystemMessage("Answer from the sources."),
        HumanMessage(f"{sources.write_today(date(2026, 11, 23))}\n{sources.write([fakes.passage(4, text)], question)}"),
    ]


def test_an_answer_is_made_of_sentences_with_their_marks() -> None:
    assert model(sentences=1).invoke(asked("What does a stop payment cost?")).text == "A stop payment costs $30. [4]"


def test_what_the_sources_do_not_hold_is_not_answered() -> None:
    said = model().invoke(asked("Which hamster insurance do you sell?"))
    assert said.text == ""
    assert said.tool_calls == []


def test_usage_model_and_reason_to_finish_are_told() -> None:
    said = model(sentences=1).invoke(asked("What does a stop payment cost?"))
    assert said.usage_metadata is not None
    assert said.usage_metadata["input_tokens"] > 20
    assert said.usage_metadata["output_tokens"] == 10
    assert said.response_metadata["finish_reason"] == "stop"
    assert said.response_metadata["model_name"] == NAME


def test_streaming_says_the_same_sentence_by_sentence() -> None:
    one = model(sentences=2)
    question = asked("What is the overdraft fee and what does a stop payment cost?")
    chunks = list(one.stream(question))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len([chunk for chunk in chunks if chunk.text]) == 2
    assert whole.text == one.invoke(question).text
    assert isinstance(whole, AIMessageChunk)
    assert whole.usage_metadata == one.invoke(question).usage_metadata


async def test_streaming_works_in_an_event_loop() -> None:
    text = "".join([chunk.text async for chunk in model(sentences=1).astream(asked("What does a stop payment cost?"))])
    assert text == "A stop payment costs $30. [4]"


def test_style_decides_length_and_opening() -> None:
    question = asked("What is the overdraft fee?")
    short, long = model(sentences=1).invoke(question).text, model(sentences=3).invoke(question).text
    assert short.count("[4]") == 1
    assert long.count("[4]") > 1
    assert model(sentences=1, opening="Gladly.").invoke(question).text == f"Gladly. {short}"


def test_an_opening_is_not_said_alone() -> None:
    assert model(opening="Gladly.").invoke(asked("Which hamster insurance do you sell?")).text == ""


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_about_own_accounts_calls_a_tool(stream: bool) -> None:
    bound = model().bind_tools([account_balances, list_transactions])
    question = asked("How much did I spend at Greenleaf last month?")
    if stream:
        chunks = list(bound.stream(question))
        calls = chunks[-1].tool_calls
    else:
        calls = bound.invoke(question).tool_calls
    arguments = {"contains": "Greenleaf", "since": "2026-10-01", "until": "2026-10-31", "direction": "out"}
    assert [(call["name"], call["args"]) for call in calls] == [("list_transactions", arguments)]


def test_a_call_ends_with_its_own_reason() -> None:
    said = model().bind_tools([account_balances]).invoke(asked("What is my savings balance?"))
    assert said.text == ""
    assert said.response_metadata["finish_reason"] == "tool_calls"


def test_without_the_tool_nothing_is_called() -> None:
    assert model().bind_tools([account_balances]).invoke(asked("Which cards do I have?")).tool_calls == []
    assert model().invoke(asked("What is my savings balance?")).tool_calls == []


def test_a_general_question_calls_no_tool() -> None:
    bound = model().bind_tools([account_balances, list_transactions])
    assert bound.invoke(asked("What is the overdraft fee?")).tool_calls == []


def looked(question: str, result: str) -> list[BaseMessage]:
    call = {"name": "account_balances", "args": {}, "id": "call_1", "type": "tool_call"}
    return [
        *asked(question),
        AIMessage("", tool_calls=[call]),
        ToolMessage(sources.write_result(5, result), tool_call_id="call_1", name="account_balances"),
    ]


def test_the_answer_is_made_of_the_lines_of_the_result() -> None:
    bound = model().bind_tools([account_balances])
    said = bound.invoke(looked("What is my savings balance?", "Your savings hold $1,864.54."))
    assert said.text == "Your savings hold $1,864.54. [5]"


def test_a_question_of_both_kinds_is_answered_from_both() -> None:
    bound = model(sentences=2).bind_tools([account_balances])
    messages = looked("What is my savings balance and what does a stop payment cost?", "Your savings hold $1,864.54.")
    assert bound.invoke(messages).text == "Your savings hold $1,864.54. [5] A stop payment costs $30. [4]"


def test_earlier_turns_are_not_read() -> None:
    before = [HumanMessage("What is the overdraft fee?"), AIMessage("It is $99. [1]")]
    messages = asked("What does a stop payment cost?")
    assert model(sentences=1).invoke([messages[0], *before, messages[1]]).text == "A stop payment costs $30. [4]"


@pytest.mark.parametrize("settings", [{"sentences": 0}, {"sentences": 13}, {"temperature": 0.5}])
def test_settings_that_it_does_not_have_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**settings)


def test_a_prompt_without_sources_has_no_answer() -> None:
    assert model().invoke("What is the overdraft fee?").text == ""

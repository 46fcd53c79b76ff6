from functools import partial

import pytest
from langchain_core.language_models import FakeListChatModel

from assistant.examiners import examiner
from assistant.examiners.llama_guard import Invoked, read
from opsplane.errors import InvalidRelease
from opsplane.finding import Action
from opsplane.guardrails.external import Opinion, Unreadable
from opsplane.release import External
from tests.assistant.examiners.conftest import Consult
from tests.assistant.examiners.systems import Systems

TARGET = "ollama:llama-guard3:1b"


@pytest.fixture
def guard(consult: Consult) -> Consult:
    return partial(consult, "llama-guard", TARGET)


async def test_what_it_calls_safe_has_no_findings(guard: Consult, systems: Systems) -> None:
    assert await guard("What does a wire cost?", "question") == []
    assert systems.asked[0].body["model"] == "llama-guard3:1b"
    assert systems.asked[0].body["messages"] == [{"role": "user", "content": "What does a wire cost?"}]


async def test_each_hazard_of_an_unsafe_question_declines_it(guard: Consult, systems: Systems) -> None:
    systems.verdict = "\n\nunsafe\nS1,S9"
    found = await guard("How do I build one?", "question")
    assert [one.code for one in found] == ["external.outside.s1", "external.outside.s9"]
    assert {(one.action, one.reply, one.score) for one in found} == {(Action.DECLINE, "unsafe", 1.0)}
    assert found[1].detail == "indiscriminate weapons"


async def test_an_answer_is_judged_as_the_assistants_turn(guard: Consult, systems: Systems) -> None:
    systems.verdict = "unsafe\nS6"
    found = await guard("Buy it.", "answer", ("Should I?", "a passage"))
    assert [message["role"] for message in systems.asked[0].body["messages"]] == ["user", "assistant"]
    assert systems.asked[0].body["messages"][0]["content"] == "Should I?"
    assert [one.action for one in found] == [Action.WITHHOLD]


async def test_an_answer_without_its_question_still_has_a_user_before_it(guard: Consult, systems: Systems) -> None:
    assert await guard("A wire costs $25.", "answer") == []
    assert len(systems.asked[0].body["messages"]) == 2


async def test_an_ignored_hazard_is_noted(guard: Consult, systems: Systems) -> None:
    systems.verdict = "unsafe\nS6"
    found = await guard("Should I buy bonds?", "question", settings={"ignore": "S6, S13"})
    assert [(one.action, one.reply) for one in found] == [(Action.NOTE, "")]


@pytest.mark.parametrize("said", ["", "I cannot help with that.", "safe\nS1", "unsafe: S1", "safety first"])
async def test_anything_else_is_unreadable_and_blocks(said: str, guard: Consult, systems: Systems) -> None:
    systems.verdict = said
    found = await guard("What does a wire cost?", "passage")
    assert [(one.code, one.action) for one in found] == [("external.outside.unreadable", Action.DROP)]


@pytest.mark.parametrize("said", ["unsafe", "unsafe\nS15", "unsafe\nviolence", "unsafe\nS1\nS2"])
def test_unsafe_without_a_known_hazard_is_unsafe_all_the_same(said: str) -> None:
    assert [match.category for match in read(said).matches] == ["unspecified"]


async def test_log_probabilities_give_the_score(guard: Consult, systems: Systems) -> None:
    systems.verdict, systems.certainty = "unsafe\nS2", [_token("\n\n"), _token("unsafe", safe=-1.3863, unsafe=-0.2877)]
    found = await guard("Hm?", "question", settings={"logprobs": True}, threshold=0.8)
    assert systems.asked[0].body["logprobs"] is True
    assert [(one.action, round(one.score or 0, 2)) for one in found] == [(Action.NOTE, 0.75)]


async def test_a_low_threshold_overrules_an_unsure_safe(guard: Consult, systems: Systems) -> None:
    systems.verdict, systems.certainty = "safe", [_token("safe", safe=-0.5108, un=-0.9163)]
    asked = partial(guard, "Hm?", "question", settings={"logprobs": True})
    assert [one.code for one in await asked(threshold=0.3)] == ["external.outside.unspecified"]
    assert await asked(threshold=0.5) == []


async def test_a_body_that_is_no_completion_is_unreadable(guard: Consult, systems: Systems) -> None:
    for verdict in (None, 5, ["safe"]):
        systems.verdict = verdict  # type: ignore[assignment]
        assert [one.code for one in await guard("Hello?", "question")] == ["external.outside.unreadable"]


async def test_an_endpoint_may_end_in_its_version(guard: Consult, systems: Systems) -> None:
    assert await guard("Hello?", "question", endpoint=f"{systems.url}/v1/") == []


async def test_a_model_of_langchain_is_asked_the_same_way() -> None:
    model = Invoked(FakeListChatModel(responses=["safe", "unsafe\nS10", "hello"]))
    assert await model.opinion("What?", "question", ()) == Opinion()
    assert [match.category for match in (await model.opinion("That.", "answer", ("What?",))).matches] == ["S10"]
    with pytest.raises(Unreadable):
        await model.opinion("What?", "question", ())
    await model.close()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"target": "llama-guard3:1b", "endpoint": "http://127.0.0.1:1"}, "target: 'llama-guard3:1b' is not provider"),
        ({"target": TARGET}, "target: 'ollama:llama-guard3:1b' needs a package that is not installed: .*ollama"),
        ({"target": TARGET, "settings": {"ignore": "S6,S77"}}, "settings.ignore: there is no hazard S77"),
        ({"target": TARGET, "endpoint": "http://x", "settings": {"mood": 1}}, "settings: mood is not known"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidRelease, match=f"guardrails.external.g.{complaint}"):
        examiner(External.model_validate({"name": "g", "kind": "llama-guard"} | changes))


def _token(chosen: str, **others: float) -> dict[str, object]:
    return {
        "token": chosen,
        "logprob": -0.1,
        "top_logprobs": [{"token": token, "logprob": value} for token, value in others.items()],
    }

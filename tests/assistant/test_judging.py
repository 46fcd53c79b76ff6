import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from assistant import judging
from assistant.judging import Kit
from opsplane import spend
from opsplane.errors import InvalidRequest
from opsplane.evaluation import rubric
from opsplane.evaluation.completion import Completion
from opsplane.evaluation.judge import reason
from opsplane.evaluation.scoring import How
from opsplane.guardrails.support import Support
from opsplane.spend import Purpose
from tests import fakes, judges
from tests.assistant.models import WordCounts
from tests.opsplane.evaluation.matters import FEE, matter

FLASH = "google_genai:gemini-3.8-flash"
TOLD: dict[str, Any] = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}


class Grades(BaseChatModel):
    """Answers as a scripted judge would, with the usage and the metadata that it was made with."""

    says: Any
    metadata: dict[str, Any] | None = None

    @property
    def _llm_type(self) -> str:
        return "grades"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatResult:
        found: Completion = await self.says(messages[0].content, messages[1].content)
        message = AIMessage(found.text, usage_metadata=TOLD, response_metadata=self.metadata or {})
        return ChatResult(generations=[ChatGeneration(message=message)])


class Forever:
    """Never answers; knows whether it was asked, and whether it was stopped."""

    def __init__(self) -> None:
        self.asked, self.stopped = asyncio.Event(), False

    async def __call__(self, system: str, user: str) -> Completion:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        raise AssertionError


class ReadTimeout(Exception):
    """What a provider raises in its own name."""


def kit(says: Any = None, metadata: dict[str, Any] | None = None, **changes: Any) -> Kit:
    def make(name: str, **settings: Any) -> BaseChatModel:
        return Grades(says=says, metadata=metadata)

    given: dict[str, Any] = {"prices": spend.load(), "embeddings": WordCounts(), "encoder": "word-counts", "make": make}
    return Kit(**(given | {"support": Support.load(), "release": fakes.release()} | changes))


async def test_the_embedded_judge_tells_a_wrong_figure() -> None:
    judge = judging.judge(["embedded"], kit())
    right, wrong = await judge.grade(matter()), await judge.grade(matter(FEE.replace("$15", "$51")))
    assert right.value is not None
    assert wrong.value is not None
    assert right.value > wrong.value + 0.2
    assert judge.how is How.EMBEDDED


def test_the_embedded_judge_is_the_same_whatever_the_release() -> None:
    other = fakes.release(id="other-1", prompt={"system": "You are the assistant of another bank altogether."})
    assert judging.judge(["embedded"], kit()).identity == judging.judge(["embedded"], kit(release=other)).identity


async def test_a_language_model_grades_and_its_tokens_are_booked_for_judging() -> None:
    score = await judging.judge([FLASH], kit(judges.fair(4))).grade(matter())
    assert score.value == 0.75
    assert [(one.purpose, one.model, one.micros) for one in score.costs] == [(Purpose.JUDGE, FLASH, 1_125)]


async def test_several_names_make_a_panel() -> None:
    judge = judging.judge(judging.names(f"{FLASH}, google_genai:gemini-4-argon,embedded"), kit(judges.fair(4)))
    score = await judge.grade(matter())
    assert judge.identity.startswith("panel/median-of-3@")
    assert len(score.costs) == 2


async def test_pairs_are_judged_by_a_panel_too() -> None:
    judge = judging.pair_judge([FLASH, "embedded"], kit(judges.prefers_long()))
    found = await judge.prefer(matter(), matter(FEE, FEE))
    assert judge.identity.startswith("panel/majority-of-2@")
    assert found.preferred in ("second", "tie")


async def test_a_model_that_takes_too_long_is_stopped_and_unscored() -> None:
    score = await judging.judge([FLASH], kit(Forever(), seconds=0.01)).grade(matter())
    assert (score.value, reason(score)) == (None, "timeout")


async def test_a_provider_s_own_time_out_counts_as_one() -> None:
    score = await judging.judge([FLASH], kit(judges.Says([ReadTimeout()]))).grade(matter())
    assert reason(score) == "timeout"


async def test_cancelling_stops_the_model() -> None:
    forever = Forever()
    task = asyncio.ensure_future(judging.completing("a:b", Grades(says=forever))("system", "user"))
    await forever.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert forever.stopped


async def test_a_blocked_reply_is_told_by_its_finish_reason() -> None:
    score = await judging.judge([FLASH], kit(judges.fair(), {"finish_reason": "SAFETY"})).grade(matter())
    assert (score.value, reason(score)) == (None, "blocked")


async def test_log_probabilities_come_along_where_they_are_told() -> None:
    content = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5}]
    message = AIMessage("ab", response_metadata={"logprobs": {"content": content}})
    assert judging.completion("a:b", message).logprobs == (-0.5, -1.5)


@pytest.mark.parametrize("told", [None, {}, {"content": []}, {"content": [{"token": "a"}]}, {"content": "x"}, [1]])
def test_log_probabilities_in_another_form_are_none(told: object) -> None:
    assert judging.completion("a:b", AIMessage("a", response_metadata={"logprobs": told})).logprobs is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gemini", "neither embedded nor provider:model"),
        ("none", "neither embedded nor provider:model"),
        (":model", "neither embedded nor provider:model"),
        ("embedded:extractive", "copies passages and cannot judge"),
        ("nowhere:model", "cannot be used"),
    ],
)
def test_a_judge_that_there_is_not_is_told(name: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidRequest, match=words):
        judging.judge([name], kit(make=init_chat_model))
    assert "has no price" not in caplog.text


@pytest.mark.parametrize(
    ("error", "words"),
    [(ImportError("no such module"), "needs a package"), (ValueError("API key\nrequired"), "used: API key required")],
)
def test_a_provider_that_cannot_be_had_is_told(error: Exception, words: str) -> None:
    def make(name: str, **settings: Any) -> BaseChatModel:
        raise error

    with pytest.raises(InvalidRequest, match=words):
        judging.judge([FLASH], kit(make=make))


@pytest.mark.parametrize("text", ["", " , ", ",".join(f"a:{number}" for number in range(8))])
def test_from_one_to_seven_judges_are_named(text: str) -> None:
    with pytest.raises(InvalidRequest, match="from 1 to 7"):
        judging.names(text)


def test_a_name_twice_is_one_judge() -> None:
    assert judging.names("embedded, embedded") == ("embedded",)


def test_an_unknown_rubric_is_told_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match="there are: answer"):
        judging.judge(["embedded"], kit(), "preference")


def test_a_rubric_of_ones_own_makes_another_judge(tmp_path: Path) -> None:
    text = (rubric.FOLDER / "answer.yaml").read_text().replace("Length is no merit.", "Be brief.")
    (tmp_path / "answer.yaml").write_text(text)
    ours, theirs = judging.judge([FLASH], kit()), judging.judge([FLASH], kit(folder=tmp_path))
    assert ours.identity != theirs.identity


def test_a_setting_makes_another_judge() -> None:
    assert judging.judge([FLASH], kit()).identity != judging.judge([FLASH], kit(settings={"seed": 1})).identity


def test_a_reader_names_its_model_and_settings() -> None:
    assert judging.reader(FLASH, kit()).name == f"{FLASH} {json.dumps({'temperature': 0})}"


def test_a_judge_without_a_price_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    judging.judge(["openai:unheard-of"], kit())
    assert "has no price" in caplog.text


async def test_any_langchain_model_is_a_complete() -> None:
    found = await judging.completing("a:b", FakeListChatModel(responses=["Hello."]))("system", "user")
    assert (found.text, found.model, found.usage.input) == ("Hello.", "a:b", 0)

from typing import Any

import pytest
from google.genai.types import BlockedReason, FinishReason

from assistant import endings
from assistant.endings import Remedy
from opsplane.finding import Action
from tests import fakes


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"finish_reason": "STOP"},
        {"finish_reason": "stop"},
        {"finish_reason": "tool_calls"},
        {"stop_reason": "end_turn"},
        {"done_reason": "stop"},
        {"finish_reason": "STOP", "prompt_feedback": {"block_reason": None, "safety_ratings": []}},
    ],
)
def test_a_good_end_has_no_code(metadata: dict[str, Any]) -> None:
    assert endings.read(metadata).whole


@pytest.mark.parametrize(
    ("reason", "code", "remedy"),
    [
        ("SAFETY", "model.safety", Remedy.NONE),
        ("SPII", "model.safety", Remedy.NONE),
        ("content_filter", "model.safety", Remedy.NONE),
        ("refusal", "model.safety", Remedy.NONE),
        ("MAX_TOKENS", "model.truncated", Remedy.NEXT),
        ("max_tokens", "model.truncated", Remedy.NEXT),
        ("length", "model.truncated", Remedy.NEXT),
        ("RECITATION", "model.recitation", Remedy.NEXT),
        ("LANGUAGE", "model.stopped", Remedy.NEXT),
        ("OTHER", "model.stopped", Remedy.NEXT),
        ("UNKNOWN_99", "model.stopped", Remedy.NEXT),
        ("MALFORMED_FUNCTION_CALL", "model.malformed", Remedy.AGAIN),
        ("UNEXPECTED_TOOL_CALL", "model.malformed", Remedy.AGAIN),
        (endings.INTERRUPTED, "model.interrupted", Remedy.AGAIN),
        (endings.UNANSWERED, "model.unavailable", Remedy.NONE),
    ],
)
def test_what_a_reason_to_finish_means(reason: str, code: str, remedy: Remedy) -> None:
    ending = endings.read({"finish_reason": reason})
    assert (ending.code, ending.remedy) == (code, remedy)


@pytest.mark.parametrize("reason", [one.name for one in FinishReason if one.name not in ("STOP", "CONTINUATION")])
def test_every_other_reason_that_google_has_is_no_good_end(reason: str) -> None:
    assert not endings.read({"finish_reason": reason}).whole


def test_a_blocked_prompt_is_told_by_its_feedback_alone() -> None:
    ending = endings.read({"prompt_feedback": {"block_reason": BlockedReason.PROHIBITED_CONTENT}})
    assert (ending.code, ending.detail) == ("model.blocked", "the provider blocked the prompt: PROHIBITED_CONTENT")


def test_the_customer_is_told_in_the_releases_words() -> None:
    blocked = endings.read({"prompt_feedback": {"block_reason": "SAFETY"}})
    plain = fakes.release()
    worded = fakes.release(replies=plain.replies | {"unsafe": "I cannot help with that."})
    assert endings.finding(blocked, worded, said=False).reply == "unsafe"
    assert endings.finding(blocked, plain, said=False).reply == "not_found"
    assert endings.finding(blocked, worded, said=True).action is Action.NOTE


def test_an_answer_that_was_cut_off_is_only_noted() -> None:
    found = endings.finding(endings.read({"finish_reason": "MAX_TOKENS"}), fakes.release(), said=False)
    assert (found.action, found.reply) == (Action.NOTE, "")

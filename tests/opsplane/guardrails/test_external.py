import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsplane.finding import Action, Finding
from opsplane.guardrails.external import (
    FAILURES,
    LONGEST,
    PAUSE,
    Consulted,
    Match,
    NoVerdict,
    Opinion,
    Rejected,
    ask_all,
)
from opsplane.release import External


@dataclass
class Oracle:
    """A system that says what it is told to say."""

    says: Opinion | Exception | None = field(default_factory=Opinion)
    heard: list[str] = field(default_factory=list)

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        self.heard.append(text)
        if self.says is None:
            await asyncio.Event().wait()
        if isinstance(self.says, Exception):
            raise self.says
        assert self.says
        return self.says

    async def close(self) -> None:
        self.says = None


class Ticks:
    """Seconds that pass when told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def consulted(oracle: Oracle, ticks: Ticks | None = None, **changes: Any) -> Consulted:
    line = External.model_validate({"name": "oracle", "kind": "test", "target": "x"} | changes)
    return Consulted(line, oracle, ticks or Ticks())


async def one(oracle: Oracle, stage: str = "question", text: str = "What?", **changes: Any) -> Finding:
    (found,) = await consulted(oracle, **changes).examine(text, stage)
    return found


@pytest.mark.parametrize(
    ("stage", "action", "reply"),
    [("question", Action.DECLINE, "unsafe"), ("passage", Action.DROP, ""), ("answer", Action.WITHHOLD, "")],
)
async def test_a_match_stands_against_the_text_in_its_stages_way(stage: str, action: Action, reply: str) -> None:
    found = await one(Oracle(Opinion((Match("Self Harm!", 0.9, "why"),))), stage)
    assert (found.code, found.action, found.reply) == ("external.oracle.self_harm", action, reply)
    assert (found.score, found.threshold, found.detail, found.span) == (0.9, 0.5, "why", "What?")


@pytest.mark.parametrize(("score", "action"), [(0.5, Action.NOTE), (0.4, Action.WITHHOLD)])
async def test_support_stands_against_an_answer_below_the_threshold(score: float, action: Action) -> None:
    found = await one(Oracle(Opinion((Match("support", score, support=True),))), "answer")
    assert (found.action, found.score, found.threshold) == (action, score, 0.5)


async def test_a_match_below_the_threshold_is_noted() -> None:
    assert (await one(Oracle(Opinion((Match("hate", 0.4),))))).action is Action.NOTE


@pytest.mark.parametrize(
    ("stage", "action", "reply"),
    [("question", Action.DECLINE, "unchecked"), ("passage", Action.DROP, ""), ("answer", Action.WITHHOLD, "")],
)
async def test_what_cannot_be_asked_blocks(stage: str, action: Action, reply: str) -> None:
    found = await one(Oracle(NoVerdict("answer 500")), stage)
    assert (found.code, found.action, found.reply) == ("external.oracle.unavailable", action, reply)


async def test_it_is_noted_where_the_line_lets_it_pass() -> None:
    found = await one(Oracle(NoVerdict("answer 500")), on_error="pass")
    assert (found.action, found.reply) == (Action.NOTE, "")


async def test_no_answer_in_time_is_a_finding() -> None:
    assert (await one(Oracle(None), timeout_seconds=0.01)).detail == "no answer in 0.01 s"


async def test_an_adapter_that_breaks_is_a_finding_without_its_words() -> None:
    assert (await one(Oracle(RuntimeError("joe@example.com")))).detail == "RuntimeError"


async def test_a_cancelled_turn_is_cancelled() -> None:
    asked = asyncio.create_task(consulted(Oracle(None)).examine("What?", "question"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_after_failures_in_a_row_a_system_is_left_alone_for_a_while() -> None:
    oracle, ticks = Oracle(NoVerdict("answer 500")), Ticks()
    examiner = consulted(oracle, ticks)
    for _ in range(FAILURES + 3):
        (found,) = await examiner.examine("What?", "question")
    assert found.action is Action.DECLINE
    assert len(oracle.heard) == FAILURES
    ticks.now += PAUSE
    oracle.says = Opinion()
    assert await examiner.examine("What?", "question") == []


async def test_one_further_failure_after_the_pause_opens_it_again() -> None:
    oracle, ticks = Oracle(NoVerdict("answer 500")), Ticks()
    examiner = consulted(oracle, ticks)
    for _ in range(FAILURES):
        await examiner.examine("What?", "question")
    ticks.now += PAUSE
    await examiner.examine("What?", "question")
    await examiner.examine("What?", "question")
    assert len(oracle.heard) == FAILURES + 1


async def test_no_customer_turns_a_check_off_with_texts_that_it_refuses() -> None:
    oracle = Oracle(Rejected("answer 400"))
    examiner = consulted(oracle)
    for _ in range(FAILURES * 2):
        await examiner.examine("What?", "question")
    assert len(oracle.heard) == FAILURES * 2


async def test_the_end_of_a_very_long_text_counts_as_not_examined() -> None:
    oracle = Oracle()
    found = await one(oracle, "passage", "a" * 100_000)
    assert (found.code, found.action) == ("external.oracle.too_long", Action.DROP)
    assert len(oracle.heard[0]) == LONGEST


async def test_what_was_left_out_is_told_beside_what_matched() -> None:
    found = await consulted(Oracle(Opinion((Match("hate"),), "skipped: csam"))).examine("What?", "answer")
    assert [finding.code for finding in found] == ["external.oracle.hate", "external.oracle.unavailable"]


async def test_all_are_asked_and_all_that_they_found_is_told() -> None:
    asked = [consulted(Oracle(Opinion((Match("hate"),)))), consulted(Oracle()), consulted(Oracle(NoVerdict("no")))]
    found = await ask_all(asked, "What?", "answer")
    assert [finding.code for finding in found] == ["external.oracle.hate", "external.oracle.unavailable"]
    assert await ask_all([], "What?", "answer") == []

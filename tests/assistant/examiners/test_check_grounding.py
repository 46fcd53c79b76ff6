from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from assistant.cloud import Cloud as Where
from assistant.examiners import Roster, examiner
from assistant.examiners.check_grounding import LONGEST_FACT, read
from opsplane.errors import InvalidRelease
from opsplane.finding import Action, Finding
from opsplane.guardrails.external import Unreadable
from opsplane.release import External
from tests.vertex.cloud import Cloud
from tests.vertex.discovery import VERBS
from tests.vertex.faults import Kind
from tests.vertex.server import serving

TARGET = "projects/bank/locations/global/groundingConfigs/default_grounding_config"
LINE = {"name": "google", "kind": "check-grounding", "target": TARGET, "reads": ["answer"], "threshold": 0.6}
QUESTION = "What does an overdraft cost?"
HOURS, FEE = "Branches open at nine.", "The overdraft fee is $15 for each item."
RIGHT, WRONG = "The overdraft fee is $15.", "The overdraft fee is $35."

Check = Callable[..., Awaitable[Finding]]


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    yield served
    served.faults.clear()
    served.calls.clear()


@pytest.fixture
async def check(cloud: Cloud) -> AsyncIterator[Check]:
    where = Where(credentials="none", addresses={"search": cloud.url})
    roster = Roster(lambda line: examiner(line, {}, cloud=where))

    async def ask(said: str, *sources: str, **line: Any) -> Finding:
        (found,) = await roster(External.model_validate(LINE | line)).examine(said, "answer", [QUESTION, *sources])
        return found

    yield ask
    await roster.close()


async def test_a_sentence_that_its_sources_bear_out_passes_with_them_named(check: Check) -> None:
    found = await check(RIGHT, HOURS, FEE)
    assert (found.code, found.action) == ("external.google.support", Action.NOTE)
    assert (found.score, found.threshold, found.detail) == (1.0, 0.6, "borne out by cited source 2")


async def test_a_sentence_below_the_threshold_is_withheld(check: Check) -> None:
    found = await check(WRONG, HOURS, FEE)
    assert (found.action, found.score, found.detail) == (Action.WITHHOLD, 0.02, "no source bears it out")


async def test_the_threshold_is_the_lines(check: Check) -> None:
    assert (await check("The fee is $15 a week.", FEE)).action is Action.NOTE
    assert (await check("The fee is $15 a week.", FEE, threshold=0.9)).action is Action.WITHHOLD


async def test_the_sentence_and_its_sources_go_out_masked(check: Check, cloud: Cloud) -> None:
    await check("Write to ann@example.com.", "Ann is ann@example.com.", settings={"citations": 0.8})
    (call,) = cloud.heard("search.check")
    assert "ann@" not in str(call.body)
    assert (call.body["groundingSpec"], len(call.body["facts"])) == ({"citationThreshold": 0.8}, 1)
    assert "authorization" not in call.headers


async def test_a_long_source_is_several_facts_and_still_one_source(check: Check, cloud: Cloud) -> None:
    found = await check(RIGHT, "x " * LONGEST_FACT, FEE)
    assert len(cloud.heard("search.check")[0].body["facts"]) == 3
    assert found.detail == "borne out by cited source 2"


async def test_a_sentence_without_a_source_is_withheld_unasked(check: Check, cloud: Cloud) -> None:
    assert (await check(RIGHT)).action is Action.WITHHOLD
    assert cloud.calls == []


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.UNAVAILABLE, Kind.DENIED, Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED])
async def test_what_cannot_be_asked_is_unsafe_unless_the_line_lets_pass(kind: Kind, check: Check, cloud: Cloud) -> None:
    cloud.faults.add(kind, "search.check", bytes=20)
    assert (await check(RIGHT, FEE)).action is Action.WITHHOLD
    assert (await check(RIGHT, FEE, on_error="pass")).action is Action.NOTE


async def test_what_is_too_slow_is_unsafe(check: Check, cloud: Cloud) -> None:
    cloud.faults.add(Kind.HANGS, "search.check")
    found = await check(RIGHT, FEE, timeout_seconds=0.1)
    assert (found.code, found.action) == ("external.google.unavailable", Action.WITHHOLD)


def test_what_states_nothing_needs_no_source() -> None:
    (match,) = read({"supportScore": 0, "claims": [{"groundingCheckRequired": False}]}, [1]).matches
    assert (match.score, match.support) == (1.0, True)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"supportScore": 7},
        {"supportScore": "high"},
        {"supportScore": 1, "claims": [{"groundingCheckRequired": True, "citationIndices": [0]}]},
        {
            "supportScore": 1,
            "citedChunks": [{"source": "9"}],
            "claims": [{"groundingCheckRequired": True, "citationIndices": [0]}],
        },
    ],
)
def test_what_is_no_grounding_check_is_unreadable(answer: Any) -> None:
    with pytest.raises(Unreadable):
        read(answer, [1, 2])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"target": "default"}, "target: 'default' is not projects/P/locations/L/groundingConfigs/C"),
        ({"reads": ["question", "answer"]}, r"reads: check-grounding reads answers only; write reads: \[answer\]"),
        ({"settings": {"facts": 3}}, "settings: facts is not known; citations is"),
        ({"settings": {"citations": 2}}, "settings.citations: 2 is not a number from 0 to 1"),
        ({"endpoint": "grounding"}, "endpoint: 'grounding' is not an http or https address"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidRelease, match=f"guardrails.external.google.{complaint}"):
        examiner(External.model_validate(LINE | changes), {})

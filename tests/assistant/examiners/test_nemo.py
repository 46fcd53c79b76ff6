from functools import partial

import pytest

from assistant.examiners import examiner
from opsplane.errors import InvalidRelease
from opsplane.finding import Action
from opsplane.release import External
from tests.assistant.examiners.conftest import Consult
from tests.assistant.examiners.systems import Fault, Systems


@pytest.fixture
def rails(consult: Consult) -> Consult:
    return partial(consult, "nemo", "bank")


async def test_input_rails_look_at_a_question(rails: Consult, systems: Systems) -> None:
    assert await rails("What does a wire cost?", "question") == []
    assert systems.asked[0].body == {
        "model": "",
        "messages": [{"role": "user", "content": "What does a wire cost?"}],
        "guardrails": {"config_id": "bank", "rail_types": ["input"]},
    }


async def test_output_rails_look_at_an_answer_and_what_it_rests_on(rails: Consult, systems: Systems) -> None:
    (found,) = await rails("A forbidden word.", "answer", ("Say it.", "one", "two"))
    assert (found.code, found.action) == ("external.outside.regex_check_output", Action.WITHHOLD)
    assert systems.asked[0].body["guardrails"]["context"] == {"relevant_chunks": "one\ntwo"}
    assert [message["role"] for message in systems.asked[0].body["messages"]] == ["user", "assistant"]


async def test_the_rail_that_stopped_a_passage_is_named(rails: Consult) -> None:
    (found,) = await rails("A forbidden word.", "passage")
    assert (found.code, found.action, found.detail) == (
        "external.outside.regex_check_input",
        Action.DROP,
        "blocked",
    )


async def test_a_rail_that_changes_a_text_stands_against_it(rails: Consult) -> None:
    (found,) = await rails("This is secret.", "question")
    assert (found.code, found.action, found.reply) == ("external.outside.modified", Action.DECLINE, "unsafe")


async def test_a_configuration_that_is_not_there_is_no_verdict(consult: Consult) -> None:
    (found,) = await consult("nemo", "other", "What?", "question")
    assert (found.code, found.detail) == ("external.outside.unavailable", "answer 422")


async def test_another_status_is_unreadable(rails: Consult, systems: Systems) -> None:
    systems.faults = [Fault(content=b'{"status": "fine", "content": ""}')]
    assert [one.code for one in await rails("What?", "question")] == ["external.outside.unreadable"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({}, "endpoint: missing"), ({"endpoint": "http://x", "settings": {"rails": 1}}, "settings: rails is not known")],
)
def test_a_line_that_cannot_be_used_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidRelease, match=f"guardrails.external.n.{complaint}"):
        examiner(External.model_validate({"name": "n", "kind": "nemo", "target": "bank"} | changes))

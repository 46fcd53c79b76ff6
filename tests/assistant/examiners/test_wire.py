import logging
import threading
from functools import partial

import pytest

from assistant.examiners import Roster, examiner
from assistant.examiners.wire import LARGEST
from opsplane.finding import Action
from opsplane.guardrails.external import Consulted, ask_all
from opsplane.release import External
from tests.assistant.examiners.conftest import Consult
from tests.assistant.examiners.systems import BUSY, MODERATE, Fault, Systems


@pytest.fixture
def rails(consult: Consult) -> Consult:
    return partial(consult, "nemo", "bank")


async def test_a_busy_system_is_asked_once_more(rails: Consult, systems: Systems) -> None:
    systems.faults = [BUSY]
    assert await rails("What?", "question") == []
    assert len(systems.asked) == 2


async def test_it_is_asked_no_third_time(rails: Consult, systems: Systems) -> None:
    systems.faults = [BUSY, BUSY]
    (found,) = await rails("What?", "question")
    assert (found.code, found.detail) == ("external.outside.unavailable", "answer 503")
    assert len(systems.asked) == 2


async def test_nobody_waits_longer_than_the_lines_time(rails: Consult, systems: Systems) -> None:
    systems.faults = [MODERATE]
    assert [one.detail for one in await rails("What?", "question")] == ["answer 429"]
    assert len(systems.asked) == 1


async def test_a_system_that_says_nothing_is_given_up_in_time(rails: Consult, systems: Systems) -> None:
    systems.mute = True
    (found,) = await rails("What?", "answer", timeout_seconds=0.05)
    assert (found.code, found.action) == ("external.outside.unavailable", Action.WITHHOLD)


async def test_a_port_where_nobody_listens_is_no_verdict(rails: Consult) -> None:
    (found,) = await rails("What?", "passage", endpoint="http://127.0.0.1:9")
    assert (found.code, found.detail) == ("external.outside.unavailable", "no connection (ConnectError)")


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 502])
async def test_every_other_answer_is_no_verdict(status: int, rails: Consult, systems: Systems) -> None:
    systems.faults = [Fault(status, headers=(("Location", "http://127.0.0.1:9/"),))]
    assert [one.detail for one in await rails("What?", "question")] == [f"answer {status}"]
    assert len(systems.asked) == 1


@pytest.mark.parametrize("content", [b"", b"no", b"\xff\xfe", b"[" * 100_000, b'{"status"', b" " * (LARGEST + 1)])
async def test_what_is_not_a_short_json_answer_is_unreadable(content: bytes, rails: Consult, systems: Systems) -> None:
    systems.faults = [Fault(content=content)]
    assert [one.code for one in await rails("What?", "question")] == ["external.outside.unreadable"]


async def test_words_leave_the_house_masked(rails: Consult, systems: Systems) -> None:
    await rails("I am joe@example.com \ud800", "answer", ("My card is 4111 1111 1111 1111",))
    assert "joe@example.com" not in str(systems.asked[0].body)
    assert "4111 1111" not in str(systems.asked[0].body)


async def test_the_key_is_not_in_the_release(systems: Systems, consult: Consult) -> None:
    line = External(name="outside", kind="nemo", target="bank", endpoint=systems.url)
    keyed = Roster(partial(_keyed, key="s3cret"))
    assert await keyed(line).examine("What?", "question") == []
    assert keyed(line) is keyed(line.model_copy())
    await keyed.close()
    assert systems.asked[0].authorization == "Bearer s3cret"


async def test_several_systems_are_asked_at_the_same_time(systems: Systems, roster: Roster) -> None:
    systems.together = threading.Barrier(5)  # who is asked alone is not answered
    lines = [External(name=f"n{number}", kind="nemo", target="bank", endpoint=systems.url) for number in range(5)]
    found = await ask_all([roster(line) for line in lines], "A forbidden word.", "question")
    assert [one.code for one in found] == [f"external.n{number}.regex_check_input" for number in range(5)]


async def test_no_word_of_a_customer_is_logged(
    rails: Consult, systems: Systems, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    systems.faults = [Fault(500, b"forbidden fruit"), Fault(content=b"forbidden fruit")]
    await rails("forbidden fruit", "question")
    await rails("forbidden fruit", "question")
    assert "gave no verdict: answer 500" in caplog.text
    assert "fruit" not in caplog.text
    assert systems.url not in caplog.text


def _keyed(line: External, key: str) -> Consulted:
    return examiner(line, {"OPSPLANE_EXTERNAL_OUTSIDE_KEY": key, "OPSPLANE_EXTERNAL_OTHER_KEY": "no"})

import logging
import os
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

os.environ.setdefault("CHAINLIT_APP_ROOT", tempfile.mkdtemp(prefix="chainlit-"))
with warnings.catch_warnings(action="ignore"):  # what Chainlit imports warns of itself
    import chainlit  # noqa: F401

from chainlit.context import ChainlitContext, context_var
from chainlit.element import Text
from chainlit.session import HTTPSession, WebsocketSession
from chainlit.step import StepDict
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import PersistedUser

from assistant.history import History, Rating
from assistant.signin import People, seed_demo
from opsplane.errors import RecordUnavailable
from opsplane.ledger.database import connect
from tests.fakes import Clock

MAYA, DANIEL = "customer", "customer2"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
THREAD, OTHER = str(uuid4()), str(uuid4())


class Notes:
    """Ratings as they would go on the record."""

    def __init__(self) -> None:
        self.ratings: list[Rating] = []

    async def __call__(self, rating: Rating) -> None:
        self.ratings.append(rating)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chat.db'}"


@pytest.fixture
def history(url: str, notes: Notes, clock: Clock) -> History:
    return opened(url, notes, clock)


def opened(url: str, notes: Notes, clock: Clock) -> History:
    engine = connect(url)
    people = People.open(engine, clock, CHEAP)
    seed_demo(people)
    return History(engine, people.get, notes, clock)


def sit_down(name: str, thread: str = THREAD) -> None:
    """The rest of the test is this person's session."""
    user = PersistedUser(id=name, identifier=name, createdAt="")
    session = HTTPSession(id=str(uuid4()), client_type="webapp", thread_id=thread, user=user)
    context_var.set(ChainlitContext(session))


def step(words: str, thread: str = THREAD, **changes: Any) -> StepDict:
    given = {"id": str(uuid4()), "threadId": thread, "type": "user_message", "name": "x", "output": words}
    return cast(StepDict, given | {"createdAt": "2026-11-23T17:00:00Z", "metadata": {}} | changes)


async def said(history: History, thread: str = THREAD) -> list[str]:
    found = await history.get_thread(thread)
    return [one["output"] for one in found["steps"]] if found else []


async def listed(history: History, **filters: Any) -> list[str]:
    page = await history.list_threads(Pagination(first=20), ThreadFilter(**filters))
    return [str(one["name"]) for one in page.data]


async def test_a_conversation_comes_back_after_a_restart(
    history: History, url: str, notes: Notes, clock: Clock
) -> None:
    sit_down(MAYA)
    run = step("", type="run", createdAt="2026-11-23T17:00:02Z")
    await history.create_step(run)
    await history.create_step(step("What is my balance?", createdAt="2026-11-23T17:00:01Z"))
    await history.create_step(step("Welcome.", type="system_message"))
    await history.create_element(Text(name="[1]", content="Fees, section 2", for_id=run["id"], thread_id=THREAD))
    await history.upsert_feedback(Feedback(forId=run["id"], value=1, comment="clear"))
    await history.close()
    again = opened(url, notes, clock)
    found = await again.get_thread(THREAD)
    assert found is not None
    assert [one["output"] for one in found["steps"]] == ["Welcome.", "What is my balance?", ""]
    assert found["name"] == "What is my balance?"
    assert found["userIdentifier"] == MAYA
    assert found["steps"][2]["feedback"] == {"forId": run["id"], "id": run["id"], "value": 1, "comment": "clear"}


async def test_a_step_that_is_updated_keeps_when_it_was_made(history: History) -> None:
    sit_down(MAYA)
    one = step("first")
    await history.create_step(one)
    await history.update_step(one | {"output": "second", "createdAt": None})
    found = await history.get_thread(THREAD)
    assert found is not None
    assert [(it["output"], it["createdAt"]) for it in found["steps"]] == [("second", "2026-11-23T17:00:00Z")]


async def test_threads_are_listed_latest_first_page_by_page(history: History, clock: Clock) -> None:

    sit_down(MAYA)
    clock.step = timedelta(seconds=1)
    for number in range(5):
        await history.create_step(step(f"question {number}", str(uuid4())))
    first = await history.list_threads(Pagination(first=2), ThreadFilter())
    rest = await history.list_threads(Pagination(first=9, cursor=first.pageInfo.endCursor), ThreadFilter())
    assert [one["name"] for one in first.data] == ["question 4", "question 3"]
    assert first.pageInfo.hasNextPage
    assert [one["name"] for one in rest.data] == ["question 2", "question 1", "question 0"]
    assert not rest.pageInfo.hasNextPage


async def test_threads_are_found_by_what_was_said_and_by_rating(history: History) -> None:
    sit_down(MAYA)
    good = step("100% sure about wires?")
    await history.create_step(good)
    await history.create_step(step("It costs $25.", type="assistant_message"))
    await history.create_step(step("something else", OTHER))
    await history.upsert_feedback(Feedback(forId=good["id"], value=0))
    assert await listed(history, search="costs $25") == ["100% sure about wires?"]
    assert await listed(history, search="100%") == ["100% sure about wires?"]
    assert await listed(history, search="0% s_re") == []
    assert await listed(history, feedback=0) == ["100% sure about wires?"]
    assert await listed(history, feedback=1) == []


async def test_a_person_lists_and_reads_own_threads_only(history: History) -> None:
    sit_down(MAYA)
    await history.create_step(step("Maya's secret"))
    await history.create_element(Text(name="[1]", content="secret", for_id="s", id="element-1", thread_id=THREAD))
    sit_down(DANIEL)
    assert await listed(history) == []
    assert await listed(history, search="secret") == []
    with pytest.raises(ValueError, match="not your history"):
        await listed(history, userId=MAYA)
    with pytest.raises(ValueError, match="no such conversation"):
        await history.list_threads(Pagination(first=5, cursor=THREAD), ThreadFilter())
    assert await history.get_element(THREAD, "element-1") is None
    hollow = await history.get_thread(THREAD)
    assert hollow is not None
    assert (hollow["userIdentifier"], hollow["name"], hollow["steps"], hollow["elements"]) == ("", "", [], [])
    assert "secret" not in str(hollow)


async def test_nobody_overwrites_or_deletes_what_another_person_wrote(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    sit_down(MAYA)
    mine = step("mine")
    await history.create_step(mine)
    element = Text(name="[1]", url="/passages/x/1", for_id=mine["id"], thread_id=THREAD)
    await history.create_element(element)
    sit_down(DANIEL, OTHER)
    await history.create_step(step("into your thread"))
    await history.update_step(mine | {"output": "overwritten"})
    await history.update_step(mine | {"output": "stolen", "threadId": OTHER})
    await history.delete_step(mine["id"])
    await history.create_element(Text(name="[1]", url="/evil", id=element.id, for_id="x", thread_id=OTHER))
    await history.delete_element(element.id, THREAD)
    await history.delete_element(element.id)
    await history.update_thread(THREAD, name="renamed", user_id=DANIEL, metadata={"is_shared": True})
    await history.create_step(step("my own", OTHER))
    with pytest.raises(ValueError, match="no such conversation"):
        await history.delete_thread(THREAD)
    assert await said(history, OTHER) == ["my own"]
    sit_down(MAYA)
    found = await history.get_thread(THREAD)
    assert found is not None
    assert (found["name"], [one["output"] for one in found["steps"]]) == ("mine", ["mine"])
    assert [one["url"] for one in found["elements"] or []] == ["/passages/x/1"]
    assert sum("refused a write" in one.message for one in caplog.records) == 8


async def test_nobody_rates_another_persons_answer(history: History, notes: Notes) -> None:
    sit_down(MAYA)
    run = step("", type="run", metadata={"exchange": "exchange-7"})
    await history.create_step(run)
    await history.upsert_feedback(Feedback(forId=run["id"], value=0, comment="wrong fee"))
    sit_down(DANIEL)
    with pytest.raises(ValueError, match="no such conversation"):
        await history.upsert_feedback(Feedback(forId=run["id"], value=1))
    with pytest.raises(ValueError, match="no such conversation"):
        await history.delete_feedback(run["id"])
    with pytest.raises(ValueError, match="no such answer"):
        await history.upsert_feedback(Feedback(forId="nothing", value=1))
    assert notes.ratings == [Rating(MAYA, run["id"], "exchange-7", 0, "wrong fee")]


async def test_a_rating_may_be_changed_and_taken_back_on_the_record_too(history: History, notes: Notes) -> None:
    sit_down(MAYA)
    run = step("", type="run")
    await history.create_step(run)
    for value in (1, 0):
        rating = await history.upsert_feedback(Feedback(forId=run["id"], value=cast(Any, value)))
    await history.delete_feedback(rating)
    assert [one.value for one in notes.ratings] == [1, 0, None]
    found = await history.get_thread(THREAD)
    assert found is not None
    assert "feedback" not in found["steps"][0]


async def test_a_rating_that_cannot_be_recorded_is_not_kept(url: str, clock: Clock) -> None:
    async def full(_rating: Rating) -> None:
        raise RecordUnavailable("The disk is full.")

    history = History(connect(url), lambda _name: None, full, clock)
    sit_down(MAYA)
    run = step("", type="run")
    await history.create_step(run)
    with pytest.raises(RecordUnavailable):
        await history.upsert_feedback(Feedback(forId=run["id"], value=1))
    found = await history.get_thread(THREAD)
    assert found is not None
    assert "feedback" not in found["steps"][0]


async def test_a_message_of_the_persons_own_cannot_name_an_exchange(history: History, notes: Notes) -> None:
    sit_down(MAYA)
    forged = step("hi", metadata={"exchange": "exchange-of-another"})
    await history.create_step(forged)
    await history.upsert_feedback(Feedback(forId=forged["id"], value=1))
    assert notes.ratings[0].exchange == ""


async def test_a_deleted_thread_is_gone_for_its_owner_but_kept_in_the_table(history: History, url: str) -> None:
    sit_down(MAYA)
    await history.create_step(step("to be forgotten"))
    await history.delete_thread(THREAD)
    await history.create_step(step("still typing"))
    assert await history.get_thread(THREAD) is None
    assert await history.get_thread_author(THREAD) == ""
    assert await listed(history) == []
    with connect(url).connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM chat_step")).scalar() == 1


async def test_a_thread_is_renamed_and_never_shared(history: History) -> None:
    sit_down(MAYA)
    await history.create_step(step("first words"))
    await history.update_thread(THREAD, name="Wires\x00 \ud800")
    await history.update_thread(THREAD, metadata={"is_shared": True, "chat_settings": {}})
    found = await history.get_thread(THREAD)
    assert found is not None
    assert (found["name"], found["metadata"]) == ("Wires ?", {"chat_settings": {}})


async def test_one_hostile_write_does_not_spoil_its_neighbours(history: History) -> None:
    sit_down(MAYA)
    await history.create_step(step("before"))
    await history.create_step(step("bad thread", "../../etc/passwd"))
    await history.update_thread("' OR 1=1 --", name="x")
    await history.create_step(step("lone \ud800 surrogate and \x00", createdAt="not a time"))
    with pytest.raises(ValueError, match="an id that cannot be"):
        await history.create_step(step("bad id", id="x" * 500))
    assert len(await said(history)) == 2


async def test_a_database_that_fails_is_logged_and_does_not_end_the_conversation(
    history: History, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sit_down(MAYA)
    with connect(url).begin() as connection:
        connection.execute(text("DROP TABLE chat_step"))
    await history.create_step(step("my own words"))
    with pytest.raises(RecordUnavailable, match="not available at the moment"):
        await history.upsert_feedback(Feedback(forId="some-step", value=1))
    assert [one.levelno for one in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "could not be written: OperationalError" in caplog.records[0].message
    assert "my own words" not in caplog.text


async def test_without_a_person_nothing_is_read(history: History) -> None:
    with pytest.raises(ValueError, match="nobody is signed in"):
        await listed(history)
    assert await history.get_user("nobody") is None
    with pytest.raises(ValueError, match="nobody is signed in"):
        await history.get_thread(THREAD)


async def test_a_disabled_person_is_no_user_any_more(url: str, notes: Notes, clock: Clock) -> None:
    history = opened(url, notes, clock)
    assert await history.get_user(MAYA) is not None
    People.open(connect(url), clock, CHEAP).set_active(MAYA, False)
    assert await history.get_user(MAYA) is None
    with pytest.raises(ValueError, match="nobody is signed in"):
        await listed(history)


def test_a_plain_request_acts_for_whom_the_sign_in_check_named(url: str, notes: Notes, clock: Clock) -> None:
    history, web = opened(url, notes, clock), FastAPI()

    async def checked(name: str) -> str:
        user = await history.get_user(name)
        return user.id if user else ""

    @web.get("/threads")
    async def threads(name: str = Depends(checked)) -> list[str]:
        await history.update_thread(f"thread-of-{name}", name=f"thread of {name}")
        return await listed(history)

    with TestClient(web) as browser:
        assert browser.get("/threads?name=customer").json() == ["thread of customer"]
        assert browser.get("/threads?name=customer2").json() == ["thread of customer2"]


async def test_nothing_is_kept_before_the_person_says_something(history: History) -> None:
    session = socket(MAYA, "")
    await history.create_step(step("Welcome.", session.thread_id, type="system_message"))
    assert await listed(history) == []
    session.has_first_interaction = True
    await history.create_step(step("hello", session.thread_id))
    await session.flush_method_queue()
    assert sorted(await said(history, session.thread_id)) == ["Welcome.", "hello"]
    await session.delete()


async def test_text_citations_can_be_opened_when_a_thread_is_reopened(history: History) -> None:
    sit_down(MAYA)
    await history.create_step(step("question"))
    await history.create_element(Text(name="[1]", content="The passage.", for_id="s", thread_id=THREAD))
    await history.create_element(Text(name="[2]", url="https://elsewhere.example/x", for_id="s", thread_id=THREAD))
    await history.create_element(Text(name="[3]", path="/etc/hostname", for_id="s", thread_id=THREAD))
    await history.create_element(Text(name="[4]", content="x" * 1_000_001, for_id="s", thread_id=THREAD))
    session = socket(MAYA, THREAD)
    found = await history.get_thread(THREAD)
    assert found is not None
    [element] = found["elements"] or []
    key = str(element["url"]).removeprefix("/project/file/").removesuffix(f"?session_id={session.id}")
    assert session.files[key]["size"] == len("The passage.")
    await session.delete()


def socket(name: str, thread: str) -> WebsocketSession:
    """A page of this person's, connected; it resumes the thread that is given."""
    user = PersistedUser(id=name, identifier=name, createdAt="")
    session = WebsocketSession(
        id=str(uuid4()),
        socket_id=str(uuid4()),
        emit=lambda _event, _data: None,
        emit_call=lambda _event, _data, _timeout: None,
        user_env={},
        client_type="webapp",
        thread_id=thread,
        user=user,
    )
    session.has_first_interaction = bool(thread)
    context_var.set(ChainlitContext(session))
    return session


async def test_what_staff_tell_a_customer_is_kept_once_in_the_customers_conversation(history: History) -> None:
    sit_down(MAYA)
    await history.create_step(step("I want a person"))
    await history.create_step(step("Still there?", createdAt="2026-11-23T17:00:02Z"))
    sit_down(DANIEL, OTHER)
    told = step("Good evening.", type="system_message", name="Wrenfield staff", createdAt="2026-11-23T17:00:01Z")
    for _ in range(2):  # by two processes
        history.keep_told(dict(told))
    history.keep_told(dict(step("Nobody is there.", OTHER)))
    assert await said(history, OTHER) == []
    sit_down(MAYA)
    assert await said(history) == ["I want a person", "Good evening.", "Still there?"]
    await history.delete_thread(THREAD)
    history.keep_told(dict(step("Too late.")))
    assert await said(history) == []

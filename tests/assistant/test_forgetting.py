"""The chat history of a customer's people is cleared, everybody else's stays."""

import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlmodel import Session, SQLModel, select

os.environ.setdefault("CHAINLIT_APP_ROOT", tempfile.mkdtemp(prefix="chainlit-"))
with warnings.catch_warnings(action="ignore"):  # what Chainlit imports warns of itself
    import chainlit  # noqa: F401

from assistant.chat_tables import TABLES, ElementRow, FeedbackRow, StepRow, ThreadRow, keep_step
from assistant.forgetting import forget
from assistant.signin import People
from opsplane.access import Role
from opsplane.errors import RecordUnavailable
from opsplane.ledger.database import connect
from tests import fakes

WORDS = "Quetzalcoatlus"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chat.db'}"


@pytest.fixture
def people(url: str) -> People:
    opened = People.open(connect(url), fakes.Clock(), PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    opened.add("maya", "demo", Role.CUSTOMER, "C-1001")
    opened.add("spouse", "demo", Role.CUSTOMER, "C-1001")
    opened.add("daniel", "demo", Role.CUSTOMER, "C-1002")
    opened.add("operator", "demo", Role.OPERATOR)
    return opened


@contextmanager
def history(url: str) -> Iterator[Session]:
    engine = connect(url)
    with Session(engine) as session:
        yield session
    engine.dispose()


def fill(url: str, *owners: str) -> None:
    """A conversation each, with a message, an element and a rating."""
    with history(url) as session:
        SQLModel.metadata.create_all(session.connection(), tables=TABLES)
        for owner in owners:
            step = f"step-{owner}"
            session.add(ThreadRow(id=f"talk-{owner}", owner=owner, name=WORDS, details="{}", made=1.0, used=2.0))
            session.add(StepRow(id=step, thread_id=f"talk-{owner}", made=1.0, text=WORDS, body=json.dumps(WORDS)))
            element = ElementRow(id=f"e-{owner}", thread_id=f"talk-{owner}", step_id=step, body="{}")
            element.content = WORDS.encode()
            session.add(element)
            session.add(FeedbackRow(step_id=step, thread_id=f"talk-{owner}", value=0, comment=WORDS))
        session.commit()


def counts(url: str) -> list[int]:
    with history(url) as session:
        return [len(session.exec(select(table)).all()) for table in (StepRow, ElementRow, FeedbackRow)]


def test_everything_of_all_the_customers_people_goes(url: str, people: People) -> None:
    fill(url, "maya", "spouse", "daniel")
    assert forget(url, people, "C-1001") == 2
    assert counts(url) == [1, 1, 1]
    with history(url) as session:
        told = {thread.owner: (thread.name, bool(thread.deleted)) for thread in session.exec(select(ThreadRow))}
    assert told == {"maya": ("", True), "spouse": ("", True), "daniel": (WORDS, False)}


def test_disabled_people_and_hidden_conversations_are_forgotten_too(url: str, people: People) -> None:
    fill(url, "maya")
    with history(url) as session:
        session.get_one(ThreadRow, "talk-maya").deleted = 3.0
        session.commit()
    people.set_active("maya", active=False)
    assert forget(url, people, "C-1001") == 1
    assert counts(url) == [0, 0, 0]


def test_a_page_that_is_still_open_cannot_write_the_conversation_back(url: str, people: People) -> None:
    fill(url, "maya")
    forget(url, people, "C-1001")
    late = {"id": "late", "threadId": "talk-maya", "type": "user_message", "output": WORDS}
    with history(url) as session, pytest.raises(ValueError, match="deleted"):
        keep_step(late, "maya", 5.0)(session)  # type: ignore[arg-type]
    assert counts(url) == [0, 0, 0]


def test_no_file_holds_the_words_afterwards(url: str, people: People, tmp_path: Path) -> None:
    fill(url, "maya")
    assert any(WORDS.encode() in file.read_bytes() for file in tmp_path.iterdir())
    forget(url, people, "C-1001")
    assert not any(WORDS.encode() in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("customer", ["C-9999", ""])
def test_nobody_is_forgotten_for_a_customer_without_people(url: str, people: People, customer: str) -> None:
    fill(url, "maya", "operator")
    assert forget(url, people, customer) == 0
    assert counts(url) == [2, 2, 2]


def test_a_history_that_was_never_begun_is_empty(url: str, people: People) -> None:
    assert forget(url, people, "C-1001") == 0


def test_again_there_is_nothing(url: str, people: People) -> None:
    fill(url, "maya")
    assert [forget(url, people, "C-1001") for _ in range(2)] == [1, 0]


def test_a_history_that_cannot_be_written_is_told(url: str, people: People, tmp_path: Path) -> None:
    fill(url, "maya")
    with connect(url).connect() as blocker:
        blocker.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(RecordUnavailable, match="cannot be cleared: database is locked"):
            forget(url, people, "C-1001")


def test_postgresql_forgets_as_well(postgres: str) -> None:
    people = People.open(connect(postgres), fakes.Clock(), PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    people.add("maya-pg", "demo", Role.CUSTOMER, "C-5001")
    fill(postgres, "maya-pg")
    assert forget(postgres, people, "C-5001") == 1
    with history(postgres) as session:
        assert session.get(StepRow, "step-maya-pg") is None
    people.close()

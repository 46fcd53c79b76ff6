from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text

from assistant.signin import People, demo_person, seed_demo
from opsplane.access import Role
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.ledger.database import connect
from tests.fakes import Clock

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path / 'chat.db'}")


@pytest.fixture
def people(engine: Engine, clock: Clock) -> People:
    found = People.open(engine, clock, CHEAP)
    found.add("maya", "secret", Role.CUSTOMER, "C-1001", "Maya Okafor")
    return found


def wrong(people: People, times: int) -> None:
    for _ in range(times):
        assert people.verify("maya", "wrong") is None


def test_the_right_password_names_the_person(people: People) -> None:
    person = people.verify(" Maya ", "secret")
    assert person is not None
    assert (person.name, person.display, person.role, person.customer) == (
        "maya",
        "Maya Okafor",
        Role.CUSTOMER,
        "C-1001",
    )
    assert person.actor.id == "maya"


@pytest.mark.parametrize(
    ("name", "password"),
    [("maya", "Secret"), ("maya", ""), ("nobody", "secret"), ("", ""), ("maya' --", "secret"), ("maya", "\ud800")],
)
def test_anything_else_names_nobody(people: People, name: str, password: str) -> None:
    assert people.verify(name, password) is None


def test_passwords_are_kept_as_argon2_hashes_only(people: People, engine: Engine) -> None:
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT password FROM person")).scalar())
    assert kept.startswith("$argon2id$")
    assert "secret" not in kept


def test_a_disabled_person_is_nobody_and_their_sessions_end(people: People) -> None:
    people.set_active("maya", False)
    assert people.get("maya") is None
    assert people.verify("maya", "secret") is None
    assert [one.active for one in people.all()] == [False]
    people.set_active("maya", True)
    person = people.get("maya")
    assert person is not None
    assert person.session == 3


def test_signing_out_ends_every_session(people: People) -> None:
    people.sign_out("maya")
    person = people.get("maya")
    assert person is not None
    assert person.session == 2


def test_five_wrong_passwords_lock_a_name_for_fifteen_minutes(people: People, clock: Clock) -> None:
    wrong(people, 5)
    assert people.verify("maya", "secret") is None
    clock.at += timedelta(minutes=14, seconds=59)
    assert people.verify("maya", "secret") is None
    clock.at += timedelta(seconds=1)
    assert people.verify("maya", "secret") is not None


def test_four_wrong_passwords_do_not_lock_and_the_right_one_starts_afresh(people: People) -> None:
    wrong(people, 4)
    assert people.verify("maya", "secret") is not None
    wrong(people, 4)
    assert people.verify("maya", "secret") is not None


def test_wrong_passwords_of_long_ago_do_not_lock(people: People, clock: Clock) -> None:
    wrong(people, 4)
    clock.at += timedelta(minutes=15, seconds=1)
    wrong(people, 1)
    assert people.verify("maya", "secret") is not None


def test_an_unknown_name_is_locked_like_a_known_one(people: People, engine: Engine) -> None:
    for _ in range(9):
        assert people.verify("nobody", "guess") is None
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM person_wrong_password")).scalar() == 5


def test_a_lock_holds_in_another_process_too(people: People, engine: Engine, clock: Clock) -> None:
    wrong(people, 5)
    assert People.open(engine, clock, CHEAP).verify("maya", "secret") is None


def test_a_hash_of_old_costs_is_renewed_when_the_person_signs_in(people: People, engine: Engine, clock: Clock) -> None:
    dearer = People.open(engine, clock, PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert dearer.verify("maya", "secret") is not None
    with engine.connect() as connection:
        assert "t=2" in str(connection.execute(text("SELECT password FROM person")).scalar())


@pytest.mark.parametrize(
    ("name", "password", "role", "customer"),
    [
        ("", "x", Role.OPERATOR, ""),
        ("x", "", Role.OPERATOR, ""),
        ("x", "x", Role.OPERATOR, "C-1001"),
        ("x", "x", Role.CUSTOMER, ""),
        ("x", "x", Role.SERVICE, ""),
    ],
)
def test_people_who_cannot_be_are_refused(people: People, name: str, password: str, role: Role, customer: str) -> None:
    with pytest.raises(InvalidRequest):
        people.add(name, password, role, customer)


def test_a_name_is_taken_once(people: People) -> None:
    with pytest.raises(Conflict):
        people.add("MAYA", "other", Role.OPERATOR)
    with pytest.raises(NotFound):
        people.sign_out("nobody")


def test_demo_people_are_made_only_when_asked_for_and_once(engine: Engine, clock: Clock) -> None:
    people = People.open(engine, clock, CHEAP)
    assert people.all() == []
    seed_demo(people)
    seed_demo(people)
    assert [one.name for one in people.all()] == ["approver", "customer", "customer2", "operator", "reviewer"]
    person = people.verify("customer2", "demo")
    assert person == demo_person("customer2")
    assert demo_person("somebody") is None

"""People who may sign in: names, roles and password hashes, kept beside the chat history.

A person's session version is part of every session; raising it ends all of them at once.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Self

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine, delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from opsplane.access import Actor, Role
from opsplane.errors import Conflict, InvalidRequest, NotFound

WRONG_PASSWORDS = 5
LOCKED_FOR = timedelta(minutes=15)
"""So many wrong passwords within this time lock a name for as long."""
_LONGEST_NAME = 100
_LONGEST_PASSWORD = 1_000


class Person(BaseModel):
    """Somebody who may sign in; `customer` is set for customers only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    display: str
    role: Role
    customer: str = ""
    active: bool = True
    session: int = 1  # raised to end every session that was begun before

    @property
    def actor(self) -> Actor:
        """The person as they stand on the record."""
        return Actor(id=self.name, role=self.role)


class PersonRow(SQLModel, table=True):
    """A person with the argon2 hash of the password."""

    __tablename__ = "person"
    name: str = Field(primary_key=True)
    display: str
    role: Role
    customer: str = ""
    active: bool = True
    session: int = 1
    password: str


class WrongPasswordRow(SQLModel, table=True):
    """A wrong password for a name, whether or not anybody is called so; `at` is seconds since 1970."""

    __tablename__ = "person_wrong_password"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    at: float = Field(index=True)


_DEMO = (
    Person(name="customer", display="Maya Okafor", role=Role.CUSTOMER, customer="C-1001"),
    Person(name="customer2", display="Daniel Reyes", role=Role.CUSTOMER, customer="C-1002"),
    Person(name="operator", display="Operator", role=Role.OPERATOR),
    Person(name="approver", display="Approver", role=Role.APPROVER),
    Person(name="reviewer", display="Reviewer", role=Role.REVIEWER),
)


def demo_person(name: str) -> Person | None:
    """The demo person of that name, whether or not they may sign in here."""
    return next((one for one in _DEMO if one.name == name), None)


def _now() -> datetime:
    return datetime.now(UTC)


class People:
    """Everybody who may sign in. Checking a password takes a while: call `verify` off the event loop."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], hasher: PasswordHasher) -> None:
        self._engine = engine
        self._clock = clock
        self._hasher = hasher
        self._nobody = hasher.hash("the password of nobody")  # so that unknown names take as long as known ones

    @classmethod
    def open(cls, engine: Engine, clock: Callable[[], datetime] = _now, hasher: PasswordHasher | None = None) -> Self:
        """The people in this database; their tables are made where they are missing."""
        tables = [SQLModel.metadata.tables[name] for name in ("person", "person_wrong_password")]
        SQLModel.metadata.create_all(engine, tables=tables)
        return cls(engine, clock, hasher or PasswordHasher())

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, name: str, password: str, role: Role, customer: str = "", display: str = "") -> Person:
        """Add a person; raise `InvalidRequest` for values that cannot be and `Conflict` for a name that is taken."""
        person = _sound(Person(name=_plain(name), display=display or name, role=role, customer=customer))
        if not 0 < len(password) <= _LONGEST_PASSWORD:
            raise InvalidRequest(f"A password has 1 to {_LONGEST_PASSWORD} characters.")
        with Session(self._engine) as session:
            session.add(PersonRow(**person.model_dump(), password=self._hasher.hash(password)))
            try:
                session.commit()
            except IntegrityError as error:
                raise Conflict(f"Somebody is called {person.name} already.") from error
        return person

    def get(self, name: str) -> Person | None:
        """The person of that name, or None where nobody is, or the person was disabled."""
        with Session(self._engine) as session:
            row = session.get(PersonRow, _plain(name))
            return _person(row) if row and row.active else None

    def all(self) -> list[Person]:
        """Everybody, disabled people too, by name."""
        with Session(self._engine) as session:
            return [_person(row) for row in session.exec(select(PersonRow).order_by(col(PersonRow.name)))]

    def set_active(self, name: str, active: bool) -> None:
        """Let a person sign in, or no longer; raise `NotFound`. Disabling ends the person's sessions."""
        self._change(name, active)

    def sign_out(self, name: str) -> None:
        """End every session of a person; raise `NotFound`."""
        self._change(name)

    def verify(self, name: str, password: str) -> Person | None:
        """The person whose password this is, or None: wrong, unknown, disabled or locked, without telling which."""
        wanted, now = _plain(name), self._clock().timestamp()
        with Session(self._engine) as session:
            row = session.get(PersonRow, wanted)
            right = self._matches(row.password if row else self._nobody, password)
            if self._locked(session, wanted, now):
                return None
            if row is None or not row.active or not right:
                _note_wrong(session, wanted, now)
                return None
            session.exec(delete(WrongPasswordRow).where(col(WrongPasswordRow.name) == wanted))
            if self._hasher.check_needs_rehash(row.password):
                row.password = self._hasher.hash(password)
            person = _person(row)
            session.commit()
            return person

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password[:_LONGEST_PASSWORD])
        except (VerifyMismatchError, VerificationError, UnicodeEncodeError):
            return False

    def _locked(self, session: Session, name: str, now: float) -> bool:
        """Whether the last five wrong passwords lie within 15 minutes, the last of them less than 15 minutes ago."""
        row = WrongPasswordRow
        times = session.exec(
            select(row.at).where(col(row.name) == name).order_by(col(row.at).desc()).limit(WRONG_PASSWORDS)
        ).all()
        span = LOCKED_FOR.total_seconds()
        return len(times) == WRONG_PASSWORDS and times[0] - times[-1] <= span and now - times[0] < span

    def _change(self, name: str, active: bool | None = None) -> None:
        with Session(self._engine) as session:
            row = session.get(PersonRow, _plain(name), with_for_update=True)
            if row is None:
                raise NotFound(f"Nobody is called {name!r}.")
            if active is not None:
                row.active = active
            row.session += 1
            session.commit()


def seed_demo(people: People) -> list[Person]:
    """Add the demo people who are missing, and tell who they are; all have the password "demo"."""
    known = {one.name for one in people.all()}
    missing = [one for one in _DEMO if one.name not in known]
    return [people.add(one.name, "demo", one.role, one.customer, one.display) for one in missing]


def _note_wrong(session: Session, name: str, now: float) -> None:
    """Count a wrong password; what is too old to count is forgotten."""
    row = WrongPasswordRow
    session.exec(delete(row).where(col(row.at) < now - 2 * LOCKED_FOR.total_seconds()))
    session.add(row(name=name, at=now))
    session.commit()


def _plain(name: str) -> str:
    """A sign-in name as it is kept: lower case, no white space around it, nothing that a database cannot hold."""
    return "".join(one for one in name.strip().casefold() if one.isprintable())[:_LONGEST_NAME]


def _sound(person: Person) -> Person:
    if not person.name:
        raise InvalidRequest("A person needs a name to sign in with.")
    if person.role is Role.SERVICE:
        raise InvalidRequest("The service is not a person.")
    if (person.role is Role.CUSTOMER) != bool(person.customer):
        raise InvalidRequest("A customer needs a customer id, and nobody else may have one.")
    return person


def _person(row: PersonRow) -> Person:
    return Person(
        name=row.name,
        display=row.display,
        role=row.role,
        customer=row.customer,
        active=row.active,
        session=row.session,
    )

"""The sample bank: two customers' accounts in SQL tables, made up to the day on which they are first opened."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, Engine, create_engine, func, make_url, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from assistant.accounts import Account, AccountKind, Card, Filters, Hold, Loan, Transaction
from assistant.sample_customers import Customer, customers


class CustomerRow(SQLModel, table=True):
    """A customer of the bank."""

    __tablename__ = "bank_customer"
    id: str = Field(primary_key=True)
    name: str


class AccountRow(SQLModel, table=True):
    """A deposit account; its current balance is the opening balance and every posted transaction."""

    __tablename__ = "bank_account"
    id: str = Field(primary_key=True)
    customer: str = Field(index=True)
    place: int
    name: str
    kind: AccountKind
    last_four: str
    opening_cents: int
    rate: int = 0
    matures: date | None = None


class TransactionRow(SQLModel, table=True):
    """A posted transaction of an account or credit card."""

    __tablename__ = "bank_transaction"
    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(index=True)
    account: str = Field(index=True)
    name: str
    last_four: str
    posted: date = Field(index=True)
    cents: int
    description: str
    memo: str = ""


class CardRow(SQLModel, table=True):
    """A debit or credit card."""

    __tablename__ = "bank_card"
    id: str = Field(primary_key=True)
    customer: str = Field(index=True)
    place: int
    name: str
    last_four: str
    credit: bool
    status: str
    draws_on: str = ""
    atm_cents: int = 0
    purchase_cents: int = 0
    balance_cents: int = 0
    limit_cents: int = 0
    statement_cents: int = 0
    minimum_cents: int = 0
    due: date | None = None
    rate: int = 0


class HoldRow(SQLModel, table=True):
    """A pending item or a hold on a deposit."""

    __tablename__ = "bank_hold"
    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(index=True)
    owner: str  # id of the account or card that it stands on
    account: str
    last_four: str
    cents: int
    description: str
    placed: date
    pending: bool
    released: date | None = None


class LoanRow(SQLModel, table=True):
    """A loan."""

    __tablename__ = "bank_loan"
    id: str = Field(primary_key=True)
    customer: str = Field(index=True)
    name: str
    last_four: str
    balance_cents: int
    rate: int
    payment_cents: int
    due: date
    payoff_cents: int
    payoff_until: date
    ends: date
    autopay: bool


_TABLES = [
    SQLModel.metadata.tables[name]
    for name in ("bank_customer", "bank_account", "bank_transaction", "bank_card", "bank_hold", "bank_loan")
]


class SampleBank:
    """Implements `assistant.accounts.Bank` on any SQLAlchemy database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, today: date) -> Self:
        """Open the bank at an SQLAlchemy URL; an empty database is filled with six months up to `today`."""
        address = make_url(url)
        if address.get_backend_name() == "sqlite" and address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(address)
        SQLModel.metadata.create_all(engine, tables=_TABLES)
        with Session(engine) as session:
            if session.exec(select(CustomerRow)).first() is None:
                _seed(session, customers(today))
        return cls(engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def name(self, customer: str) -> str:
        """The customer's full name, empty for a customer that is not known."""
        with Session(self._engine) as session:
            row = session.exec(select(CustomerRow).where(col(CustomerRow.id) == customer)).first()
            return row.name if row else ""

    def accounts(self, customer: str) -> tuple[Account, ...]:
        """Deposit accounts, the main one first."""
        with Session(self._engine) as session:
            rows = session.exec(
                select(AccountRow).where(col(AccountRow.customer) == customer).order_by(col(AccountRow.place))
            ).all()
            posted = dict(
                session.exec(
                    select(TransactionRow.account, func.sum(col(TransactionRow.cents)))
                    .where(col(TransactionRow.customer) == customer)
                    .group_by(col(TransactionRow.account))
                ).all()
            )
            held = dict(
                session.exec(
                    select(HoldRow.owner, func.sum(col(HoldRow.cents)))
                    .where(col(HoldRow.customer) == customer)
                    .group_by(col(HoldRow.owner))
                ).all()
            )
        return tuple(_account(row, int(posted.get(row.id) or 0), int(held.get(row.id) or 0)) for row in rows)

    def transactions(self, customer: str, filters: Filters) -> tuple[Transaction, ...]:
        """Posted transactions that pass the filters, newest first."""
        query = select(TransactionRow).where(col(TransactionRow.customer) == customer, *_bounds(filters))
        newest = query.order_by(col(TransactionRow.posted).desc(), col(TransactionRow.id).desc())
        with Session(self._engine) as session:
            rows = session.exec(newest).all()
        return tuple(
            Transaction(
                account=one.name,
                last_four=one.last_four,
                posted=one.posted,
                cents=one.cents,
                description=one.description,
                memo=one.memo,
            )
            for one in rows
        )

    def cards(self, customer: str) -> tuple[Card, ...]:
        """Debit and credit cards, the newest balances of the latter."""
        with Session(self._engine) as session:
            query = select(CardRow).where(col(CardRow.customer) == customer).order_by(col(CardRow.place))
            rows = session.exec(query).all()
        return tuple(Card.model_validate(row.model_dump(exclude={"customer", "place"})) for row in rows)

    def holds(self, customer: str) -> tuple[Hold, ...]:
        """Pending items and deposit holds, newest first."""
        with Session(self._engine) as session:
            query = select(HoldRow).where(col(HoldRow.customer) == customer)
            rows = session.exec(query.order_by(col(HoldRow.placed).desc(), col(HoldRow.id))).all()
        return tuple(Hold.model_validate(row.model_dump(exclude={"id", "customer", "owner"})) for row in rows)

    def loans(self, customer: str) -> tuple[Loan, ...]:
        """Loans that are not paid off."""
        with Session(self._engine) as session:
            rows = session.exec(select(LoanRow).where(col(LoanRow.customer) == customer)).all()
        return tuple(Loan.model_validate(row.model_dump(exclude={"id", "customer"})) for row in rows)


open_bank = SampleBank.open
"""What the setting that names the bank's module points to."""


def _bounds(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as SQL conditions."""
    row = TransactionRow
    amount = func.abs(col(row.cents))
    bounds: list[ColumnElement[bool]] = [
        or_(*(col(text).icontains(word, autoescape=True) for text in (row.description, row.memo)))
        for word in filters.words
    ]
    if filters.account:
        bounds.append(col(row.account) == filters.account)
    if filters.since is not None:
        bounds.append(col(row.posted) >= filters.since)
    if filters.until is not None:
        bounds.append(col(row.posted) <= filters.until)
    if filters.incoming is not None:
        bounds.append(col(row.cents) > 0 if filters.incoming else col(row.cents) < 0)
    if filters.minimum_cents is not None:
        bounds.append(amount >= filters.minimum_cents)
    if filters.maximum_cents is not None:
        bounds.append(amount <= filters.maximum_cents)
    return bounds


def _account(row: AccountRow, posted: int, held: int) -> Account:
    current = row.opening_cents + posted
    return Account(
        id=row.id,
        name=row.name,
        kind=row.kind,
        last_four=row.last_four,
        current_cents=current,
        available_cents=current - held,
        rate=row.rate,
        matures=row.matures,
    )


def _seed(session: Session, made: tuple[Customer, ...]) -> None:
    """Write the customers in one transaction; another process may have done it in the meantime."""
    for customer in made:
        session.add(CustomerRow(id=customer.id, name=customer.name))
        session.add_all(_rows(customer))
    try:
        session.commit()
    except IntegrityError:
        session.rollback()


def _rows(customer: Customer) -> Iterator[SQLModel]:
    own: dict[str, Any] = {"customer": customer.id}
    for place, account in enumerate(customer.accounts):
        opening = account.current_cents - sum(entry.cents for owner, entry in customer.entries if owner == account.id)
        values = account.model_dump(exclude={"current_cents", "available_cents"})
        yield AccountRow(**values, **own, place=place, opening_cents=opening)
    for owner, entry in customer.entries:
        yield TransactionRow(**own, **entry.model_dump(exclude={"account"}), account=owner, name=entry.account)
    for place, card in enumerate(customer.cards):
        yield CardRow(**own, **card.model_dump(), place=place)
    for owner, hold in customer.holds:
        yield HoldRow(**own, **hold.model_dump(), owner=owner)
    for number, loan in enumerate(customer.loans):
        yield LoanRow(**own, **loan.model_dump(), id=f"{customer.id}-{number}")

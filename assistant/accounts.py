"""A customer's accounts as the assistant reads them: the interface that a bank implements, and its values.

Money is whole cents, never a float; rates are basis points (360 is 3.60 %); account and card numbers are known
by their last four digits only.
"""

from datetime import date
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AccountKind(StrEnum):
    """What sort of deposit account it is."""

    CHECKING = "checking"
    SAVINGS = "savings"
    MONEY_MARKET = "money market"
    CD = "certificate of deposit"


class Account(_Value):
    """A deposit account. `available_cents` is what can be spent now: current less pending items and holds."""

    id: str  # the bank's own key; never shown
    name: str
    kind: AccountKind
    last_four: str
    current_cents: int
    available_cents: int
    rate: int = 0  # annual percentage yield, in basis points
    matures: date | None = None  # certificates only


class Transaction(_Value):
    """A posted transaction of an account or credit card; money in is positive, money out negative."""

    account: str  # name of the account or card
    last_four: str
    posted: date
    cents: int
    description: str
    memo: str = ""  # free text from whoever paid: data, never to be trusted


class Filters(_Value):
    """Which transactions are wanted; every field that is set narrows the choice.

    `account` is the bank's key of an account or credit card, `words` must each occur in description or memo,
    and `minimum_cents` and `maximum_cents` are compared with the amount without its sign.
    """

    account: str = ""
    words: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    incoming: bool | None = None
    minimum_cents: int | None = None
    maximum_cents: int | None = None


class Card(_Value):
    """A debit or credit card. Daily limits are a debit card's; the fields after them are a credit card's."""

    id: str
    name: str
    last_four: str
    credit: bool
    status: str  # "active" or "locked"
    draws_on: str = ""  # a debit card's account, by name and last four digits
    atm_cents: int = 0
    purchase_cents: int = 0
    balance_cents: int = 0
    limit_cents: int = 0
    statement_cents: int = 0
    minimum_cents: int = 0
    due: date | None = None
    rate: int = 0  # purchase APR, in basis points


class Hold(_Value):
    """An amount that cannot be spent: an item going out that has not posted, or a hold on a deposit."""

    account: str
    last_four: str
    cents: int  # always positive
    description: str
    placed: date
    pending: bool  # money going out that has not posted; otherwise a hold on a deposit
    released: date | None = None  # when a deposit hold ends


class Loan(_Value):
    """A loan. `payoff_cents` closes it when paid by `payoff_until`."""

    name: str
    last_four: str
    balance_cents: int
    rate: int  # APR, in basis points
    payment_cents: int
    due: date  # of the next payment
    payoff_cents: int
    payoff_until: date
    ends: date  # the last scheduled payment
    autopay: bool


class Bank(Protocol):
    """What a bank offers the assistant. Every call names the customer and gives that customer's rows only."""

    def name(self, customer: str) -> str:
        """The customer's full name, empty for a customer that is not known."""
        ...

    def accounts(self, customer: str) -> tuple[Account, ...]:
        """Deposit accounts, the main one first."""
        ...

    def transactions(self, customer: str, filters: Filters) -> tuple[Transaction, ...]:
        """Posted transactions that pass the filters, newest first."""
        ...

    def cards(self, customer: str) -> tuple[Card, ...]:
        """Debit and credit cards."""
        ...

    def holds(self, customer: str) -> tuple[Hold, ...]:
        """Pending items and deposit holds, newest first."""
        ...

    def loans(self, customer: str) -> tuple[Loan, ...]:
        """Loans that are not paid off."""
        ...

    def close(self) -> None:
        """Let go of what it holds open; called once, at the end."""
        ...

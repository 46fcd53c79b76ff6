"""The tools through which a model reads the signed-in customer's own accounts.

Who the customer is comes with the run's context, out of the session; no tool has an argument for it. Each tool
gives plain text: a summary, then one fact a line, each a sentence that stands by itself. Arguments that cannot be
read give a line that says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from langchain.tools import BaseTool, ToolRuntime, tool
from pydantic import SkipValidation

from assistant import account_facts, spending
from assistant.account_facts import card_name, dated, dollars, listed, number_of, plain
from assistant.accounts import Account, AccountKind, Bank, Card, Filters, Transaction

_MOST_LISTED = 50
_WORD = re.compile(r"[a-z0-9]+")
_PLAIN_WORDS = frozenset(
    {"a", "account", "accounts", "all", "an", "and", "at", "balance", "balances", "bank", "card", "cards", "debit"}
    | {"ending", "four", "in", "is", "last", "my", "number", "of", "on", "one", "the", "your"}
)
_ALSO_CALLED = {
    AccountKind.CHECKING: "checking current",
    AccountKind.SAVINGS: "savings saving",
    AccountKind.MONEY_MARKET: "money market savings",
    AccountKind.CD: "cd cds certificate certificates deposit",
}


@dataclass(frozen=True)
class Context:
    """What a run is handed: whose accounts, at which bank, and the bank's calendar day."""

    customer: str
    bank: SkipValidation[Bank]  # LangChain validates what it injects, and no protocol can be validated
    today: date


Runtime = ToolRuntime[Context]
_Named = TypeVar("_Named", bound=Account | Card)


class _Unreadable(ValueError):
    """An argument that cannot be read; the text says what is wrong."""


def tools() -> list[BaseTool]:
    """The account tools, for an agent whose context is a `Context`."""
    made = [
        tool(parse_docstring=True)(function)
        for function in (account_balances, list_transactions, list_cards, list_holds, list_loans)
    ]
    for one in made:
        one.handle_validation_error = "The arguments could not be read. Please name them as the tool describes."
    return made


def account_balances(runtime: Runtime, account: str = "") -> str:
    """Balances, interest rates and maturity dates of the customer's own deposit accounts.

    Args:
        account: words to narrow down, such as "savings" or the last four digits; empty for all accounts.
    """
    context = runtime.context
    everything = context.bank.accounts(context.customer)
    chosen = _narrow(everything, account)
    if not chosen:
        return _elsewhere(context, account) or _no_such(everything, account)
    facts = [fact for one in chosen for fact in account_facts.balance(one, context.today)]
    if len(chosen) == 1:
        return "\n".join(facts)
    names = listed([f"{one.name} ending in {one.last_four}" for one in chosen])
    total = sum(one.current_cents for one in chosen)
    sum_up = (
        f"These {len(chosen)} accounts add up to a current balance of {dollars(total)} as of {dated(context.today)}."
    )
    return "\n".join([f"You have {len(chosen)} accounts: {names}.", *facts, sum_up])


def list_transactions(  # noqa: PLR0913 - each filter is an argument that the model may give
    runtime: Runtime,
    account: str = "",
    contains: str = "",
    since: str = "",
    until: str = "",
    direction: str = "",
    minimum: str = "",
    maximum: str = "",
    limit: int = 10,
    order: str = "newest",
) -> str:
    """Posted transactions of the customer's own accounts and credit cards, with their total.

    Args:
        account: words to narrow down, such as "checking", "visa" or the last four digits; empty for all.
        contains: words that the description must hold, such as a merchant's name, or a kind such as "groceries".
        since: first day, as YYYY-MM-DD.
        until: last day, as YYYY-MM-DD.
        direction: "in" for money received, "out" for money spent; empty for both.
        minimum: smallest amount in dollars.
        maximum: largest amount in dollars.
        limit: how many to list at most.
        order: "newest" or "largest" first.
    """
    context = runtime.context
    try:
        wanted = _Wanted(
            contains=plain(contains),
            since=_read_day("since", since),
            until=_read_day("until", until),
            incoming=_read_direction(direction),
            minimum=_read_amount("minimum", minimum),
            maximum=_read_amount("maximum", maximum),
        )
    except _Unreadable as problem:
        return str(problem)
    if wanted.since and wanted.until and wanted.since > wanted.until:
        return f"The first day ({dated(wanted.since)}) comes after the last day ({dated(wanted.until)})."
    owners = _owners(context)
    chosen = _narrow(owners, account)
    if not chosen:
        return _no_such(owners, account)
    kept = [""] if len(chosen) == len(owners) else [one.id for one in chosen]
    found = _search(context, wanted, kept)
    largest = order.strip().lower() == "largest"
    found.sort(key=lambda one: abs(one.cents) if largest else one.posted.toordinal(), reverse=True)
    said = wanted.said() + _place(chosen, owners)
    return _told(found, said, max(1, min(limit, _MOST_LISTED)), "largest" if largest else "most recent")


def list_cards(runtime: Runtime) -> str:
    """The customer's own debit and credit cards: status, limits, balances, APR, minimum payments and due dates."""
    cards = runtime.context.bank.cards(runtime.context.customer)
    if not cards:
        return "You have no cards."
    names = listed([card_name(one) for one in cards])
    facts = [
        fact
        for one in cards
        for fact in (account_facts.credit_card(one) if one.credit else account_facts.debit_card(one))
    ]
    return "\n".join([f"You have {number_of(len(cards), 'card')}: {names}.", *facts])


def list_holds(runtime: Runtime, account: str = "") -> str:
    """Pending items and holds on deposits in the customer's own accounts.

    Args:
        account: words to narrow down, such as "savings" or the last four digits; empty for all.
    """
    context = runtime.context
    owners = _owners(context)
    chosen = _narrow(owners, account)
    if not chosen:
        return _no_such(owners, account)
    kept = {one.last_four for one in chosen}
    found = [one for one in context.bank.holds(context.customer) if one.last_four in kept]
    pending, held = [one for one in found if one.pending], [one for one in found if not one.pending]
    place = _place(chosen, owners)
    if not found:
        return f"You have no pending items and no holds{place} as of {dated(context.today)}."
    counted = f"{number_of(len(pending), 'pending item')} and {number_of(len(held), 'hold')}"
    lines = [f"You have {counted}{place} as of {dated(context.today)}.", *map(account_facts.hold, pending)]
    if len(pending) > 1:
        lines.append(f"These {len(pending)} pending items add up to {dollars(sum(one.cents for one in pending))}.")
    return "\n".join([*lines, *map(account_facts.hold, held)])


def list_loans(runtime: Runtime) -> str:
    """The customer's own loans: balance, APR, next payment with its date, payoff amount and end."""
    context = runtime.context
    loans = context.bank.loans(context.customer)
    if not loans:
        return "You have no loans."
    names = listed([f"a {one.name} ending in {one.last_four}" for one in loans])
    facts = [fact for one in loans for fact in account_facts.loan(one, context.today)]
    return "\n".join([f"You have {number_of(len(loans), 'loan')}: {names}.", *facts])


@dataclass(frozen=True)
class _Wanted:
    """The filters of `list_transactions`, read; `said` is them in words."""

    contains: str
    since: date | None
    until: date | None
    incoming: bool | None
    minimum: int | None
    maximum: int | None

    def filters(self, owner: str) -> Filters:
        return Filters(
            account=owner,
            words=() if spending.kind(self.contains) else spending.words(self.contains),
            since=self.since,
            until=self.until,
            incoming=self.incoming,
            minimum_cents=self.minimum,
            maximum_cents=self.maximum,
        )

    def said(self) -> str:
        parts = (
            (self.incoming is not None, " coming in" if self.incoming else " going out"),
            (self.contains, spending.phrase(self.contains)),
            (self.minimum is not None, f" of at least {dollars(self.minimum or 0)}"),
            (self.maximum is not None, f" of at most {dollars(self.maximum or 0)}"),
        )
        return "".join(words for wanted, words in parts if wanted) + self._when()

    def _when(self) -> str:
        if self.since and self.until:
            return f" from {dated(self.since)} to {dated(self.until)}"
        if self.since:
            return f" since {dated(self.since)}"
        return f" until {dated(self.until)}" if self.until else ""


def _search(context: Context, wanted: _Wanted, owners: Sequence[str]) -> list[Transaction]:
    """The transactions that are wanted, of each owner ("" is all); a kind of payment is told by its descriptions."""
    rows = (context.bank.transactions(context.customer, wanted.filters(owner)) for owner in owners)
    kind = spending.kind(wanted.contains)
    return [one for found in rows for one in found if kind is None or kind.written.search(one.description)]


def _told(found: Sequence[Transaction], said: str, limit: int, first: str) -> str:
    count = len(found)
    if not count:
        return f"You have no transactions{said}."
    head = f"You have {number_of(count, 'transaction')}{said}"
    if count > limit:
        head += f"; the {limit} {first} are listed" if limit > 1 else f"; the {first} is listed"
    lines = [f"{head}.", *map(account_facts.transaction, found[:limit])]
    spent = -sum(one.cents for one in found if one.cents < 0)
    received = sum(one.cents for one in found if one.cents > 0)
    if limit == 1 or count == 1:
        return "\n".join(lines)
    if spent and received:
        lines.append(f"Of these {count} transactions, {dollars(spent)} went out and {dollars(received)} came in.")
    else:
        lines.append(f"These {count} transactions add up to {dollars(spent or received)}.")
    return "\n".join(lines)


def _owners(context: Context) -> tuple[Account | Card, ...]:
    """What transactions stand on: accounts and credit cards."""
    cards = (one for one in context.bank.cards(context.customer) if one.credit)
    return (*context.bank.accounts(context.customer), *cards)


def _narrow(owners: Sequence[_Named], asked: str) -> list[_Named]:
    """Those whose name, kind or last four digits hold every word that was asked for."""
    words = set(_WORD.findall(asked.lower())) - _PLAIN_WORDS
    return [one for one in owners if words <= _called(one)]


def _called(one: Account | Card) -> set[str]:
    kind = _ALSO_CALLED[one.kind] if isinstance(one, Account) else "credit"
    return set(_WORD.findall(f"{one.name} {one.last_four} {kind}".lower()))


def _elsewhere(context: Context, asked: str) -> str:
    """Balances of credit cards and loans that go by the words, for who looks for them among the accounts."""
    words = set(_WORD.findall(asked.lower())) - _PLAIN_WORDS
    cards = [one for one in context.bank.cards(context.customer) if one.credit and words <= _called(one)]
    loans = [
        one
        for one in context.bank.loans(context.customer)
        if words <= set(_WORD.findall(f"{one.name} {one.last_four} loan".lower()))
    ]
    told = [fact for card in cards for fact in account_facts.credit_card(card)]
    return "\n".join([*told, *(fact for loan in loans for fact in account_facts.loan(loan, context.today))])


def _no_such(owners: Sequence[Account | Card], asked: str) -> str:
    if not owners:
        return "You have no accounts."
    names = listed([f"{one.name} ending in {one.last_four}" for one in owners])
    return f'You have no account called "{plain(asked)}"; you have {names}.'


def _place(chosen: Sequence[Account | Card], owners: Sequence[Account | Card]) -> str:
    if len(chosen) == len(owners):
        return ""
    return f" in {listed([f'{one.name} ending in {one.last_four}' for one in chosen])}"


def _read_day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise _Unreadable(f'The date "{plain(text)}" for {name} cannot be read; write it like 2026-11-23.') from None


def _read_direction(text: str) -> bool | None:
    match text.strip().lower():
        case "":
            return None
        case "in":
            return True
        case "out":
            return False
    raise _Unreadable(f'The direction "{plain(text)}" cannot be read; it is "in" or "out".')


def _read_amount(name: str, text: str) -> int | None:
    digits = text.strip().removeprefix("$").replace(",", "")
    if not digits:
        return None
    try:
        amount = Decimal(digits)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10**9:
        raise _Unreadable(f'The {name} "{plain(text)}" cannot be read; write dollars like 25 or 25.00.')
    return round(amount * 100)

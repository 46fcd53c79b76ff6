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

from assistant.accounts import Account, AccountKind, Bank, Card, Filters, Hold, Loan, Transaction

_LONGEST_MEMO = 80
_MOST_LISTED = 50
_MARKUP = re.compile(r"[<>\[\](){}`*_|\\#~\"]+")
_NOT_PLACES = re.compile(
    r"(?i)\b(?:atm|bill|deposit|electric|fee|interest|overdraft|payment|payroll|quicksend|refund|rent|subscription|transfer|wire)"
)
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
        return _no_such(everything, account)
    facts = [fact for one in chosen for fact in _balance_facts(one, context.today)]
    if len(chosen) == 1:
        return "\n".join(facts)
    names = _and([f"{one.name} ending in {one.last_four}" for one in chosen])
    total = sum(one.current_cents for one in chosen)
    sum_up = (
        f"These {len(chosen)} accounts add up to a current balance of {_dollars(total)} as of {_day(context.today)}."
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
) -> str:
    """Posted transactions of the customer's own accounts and credit cards, newest first, with their total.

    Args:
        account: words to narrow down, such as "checking", "visa" or the last four digits; empty for all.
        contains: words that the description must hold, such as a merchant's name.
        since: first day, as YYYY-MM-DD.
        until: last day, as YYYY-MM-DD.
        direction: "in" for money received, "out" for money spent; empty for both.
        minimum: smallest amount in dollars.
        maximum: largest amount in dollars.
        limit: how many to list at most.
    """
    context = runtime.context
    try:
        wanted = _Wanted(
            contains=_words(contains),
            since=_read_day("since", since),
            until=_read_day("until", until),
            incoming=_read_direction(direction),
            minimum=_read_amount("minimum", minimum),
            maximum=_read_amount("maximum", maximum),
        )
    except _Unreadable as problem:
        return str(problem)
    if wanted.since and wanted.until and wanted.since > wanted.until:
        return f"The first day ({_day(wanted.since)}) comes after the last day ({_day(wanted.until)})."
    owners = _owners(context)
    chosen = _narrow(owners, account)
    if not chosen:
        return _no_such(owners, account)
    kept = "" if len(chosen) == len(owners) else chosen[0].id
    found = context.bank.transactions(context.customer, wanted.filters(kept))
    for other in chosen[1:] if kept else ():
        found += context.bank.transactions(context.customer, wanted.filters(other.id))
    ordered = sorted(found, key=lambda one: one.posted, reverse=True)
    return _told(ordered, wanted.said() + _place(chosen, owners), max(1, min(limit, _MOST_LISTED)))


def list_cards(runtime: Runtime) -> str:
    """The customer's own debit and credit cards: status, limits, balances, APR, minimum payments and due dates."""
    cards = runtime.context.bank.cards(runtime.context.customer)
    if not cards:
        return "You have no cards."
    names = _and([_card(one) for one in cards])
    facts = [fact for one in cards for fact in (_credit_facts(one) if one.credit else _debit_facts(one))]
    return "\n".join([f"You have {_count(len(cards), 'card')}: {names}.", *facts])


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
        return f"You have no pending items and no holds{place} as of {_day(context.today)}."
    counted = f"{_count(len(pending), 'pending item')} and {_count(len(held), 'hold')}"
    lines = [f"You have {counted}{place} as of {_day(context.today)}.", *map(_hold_fact, pending)]
    if len(pending) > 1:
        lines.append(f"These {len(pending)} pending items add up to {_dollars(sum(one.cents for one in pending))}.")
    return "\n".join([*lines, *map(_hold_fact, held)])


def list_loans(runtime: Runtime) -> str:
    """The customer's own loans: balance, APR, next payment with its date, payoff amount and end."""
    context = runtime.context
    loans = context.bank.loans(context.customer)
    if not loans:
        return "You have no loans."
    names = _and([f"a {one.name} ending in {one.last_four}" for one in loans])
    facts = [fact for one in loans for fact in _loan_facts(one, context.today)]
    return "\n".join([f"You have {_count(len(loans), 'loan')}: {names}.", *facts])


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
            words=tuple(self.contains.split()),
            since=self.since,
            until=self.until,
            incoming=self.incoming,
            minimum_cents=self.minimum,
            maximum_cents=self.maximum,
        )

    def said(self) -> str:
        parts = (
            (self.incoming is not None, " coming in" if self.incoming else " going out"),
            (self.contains, f" {'described as' if _NOT_PLACES.search(self.contains) else 'at'} {self.contains}"),
            (self.minimum is not None, f" of at least {_dollars(self.minimum or 0)}"),
            (self.maximum is not None, f" of at most {_dollars(self.maximum or 0)}"),
        )
        return "".join(words for wanted, words in parts if wanted) + self._when()

    def _when(self) -> str:
        if self.since and self.until:
            return f" from {_day(self.since)} to {_day(self.until)}"
        if self.since:
            return f" since {_day(self.since)}"
        return f" until {_day(self.until)}" if self.until else ""


def _told(found: Sequence[Transaction], said: str, limit: int) -> str:
    count = len(found)
    if not count:
        return f"You have no transactions{said}."
    head = f"You have {_count(count, 'transaction')}{said}"
    if count > limit:
        head += f"; the {limit} most recent are listed" if limit > 1 else "; the most recent is listed"
    lines = [f"{head}.", *map(_transaction_fact, found[:limit])]
    spent = -sum(one.cents for one in found if one.cents < 0)
    received = sum(one.cents for one in found if one.cents > 0)
    if limit == 1 or count == 1:
        return "\n".join(lines)
    if spent and received:
        lines.append(f"Of these {count} transactions, {_dollars(spent)} went out and {_dollars(received)} came in.")
    else:
        lines.append(f"These {count} transactions add up to {_dollars(spent or received)}.")
    return "\n".join(lines)


def _transaction_fact(one: Transaction) -> str:
    way = "came into" if one.cents > 0 else "went out of"
    place = f"{one.account} ending in {one.last_four}"
    fact = f"On {_day(one.posted)}, {_dollars(abs(one.cents))} {way} {place}: {_words(one.description)}."
    if not one.memo:
        return fact
    return f'{fact}\nThe memo on the {_dollars(abs(one.cents))} of {_day(one.posted)} says "{_words(one.memo)}".'


def _balance_facts(one: Account, today: date) -> list[str]:
    name = f"Your {one.name} account ending in {one.last_four}"
    facts = [
        f"{name} has an available balance of {_dollars(one.available_cents)} and a current balance of "
        f"{_dollars(one.current_cents)} as of {_day(today)}."
    ]
    if one.matures:
        name = f"Your {one.name} ending in {one.last_four}"
        facts = [f"{name} has a balance of {_dollars(one.current_cents)} as of {_day(today)}."]
        facts.append(f"{name} matures on {_day(one.matures)}.")
    if one.rate:
        facts.append(f"{name} earns {_percent(one.rate)} APY.")
    return facts


def _credit_facts(one: Card) -> list[str]:
    name = f"Your {_card(one)}"
    facts = [
        f"{name} is {one.status}.",
        f"{name} has a balance of {_dollars(one.balance_cents)}, a credit limit of {_dollars(one.limit_cents)} and "
        f"{_dollars(one.limit_cents - one.balance_cents)} of available credit.",
        f"{name} has a purchase APR of {_percent(one.rate)}.",
    ]
    if one.due:
        facts.append(
            f"{name} has a statement balance of {_dollars(one.statement_cents)} and a minimum payment of "
            f"{_dollars(one.minimum_cents)}, due on {_day(one.due)}."
        )
    return facts


def _debit_facts(one: Card) -> list[str]:
    name = f"Your {_card(one)}"
    return [
        f"{name} is {one.status} and draws on {one.draws_on}.",
        f"{name} has a limit of {_dollars(one.atm_cents)} a day at ATMs and {_dollars(one.purchase_cents)} a day for "
        "purchases.",
    ]


def _hold_fact(one: Hold) -> str:
    place, about = f"{one.account} ending in {one.last_four}", _words(one.description)
    since = _day(one.placed)
    if one.pending:
        return f"A pending item of {_dollars(one.cents)} out of {place} from {since} has not posted yet: {about}."
    until = f" until {_day(one.released)}" if one.released else ""
    return f"A hold of {_dollars(one.cents)} on {place} was placed on {since} and lasts{until}: {about}."


def _loan_facts(one: Loan, today: date) -> list[str]:
    name = f"your {one.name} ending in {one.last_four}"
    paid = "is paid automatically" if one.autopay else "is not paid automatically"
    return [
        f"The balance of {name} is {_dollars(one.balance_cents)} as of {_day(today)}.",
        f"The next payment on {name} is {_dollars(one.payment_cents)}, due on {_day(one.due)}.",
        f"The payment on {name} {paid}.",
        f"The APR of {name} is {_percent(one.rate)}.",
        f"The payoff amount of {name} is {_dollars(one.payoff_cents)}, good through {_day(one.payoff_until)}.",
        f"The last scheduled payment on {name} is due on {_day(one.ends)}.",
    ]


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


def _no_such(owners: Sequence[Account | Card], asked: str) -> str:
    if not owners:
        return "You have no accounts."
    names = _and([f"{one.name} ending in {one.last_four}" for one in owners])
    return f'You have no account called "{_words(asked)}"; you have {names}.'


def _place(chosen: Sequence[Account | Card], owners: Sequence[Account | Card]) -> str:
    if len(chosen) == len(owners):
        return ""
    return f" in {_and([f'{one.name} ending in {one.last_four}' for one in chosen])}"


def _card(one: Card) -> str:
    return f"{one.name} {'credit card ' if one.credit else ''}ending in {one.last_four}"


def _read_day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise _Unreadable(f'The date "{_words(text)}" for {name} cannot be read; write it like 2026-11-23.') from None


def _read_direction(text: str) -> bool | None:
    match text.strip().lower():
        case "":
            return None
        case "in":
            return True
        case "out":
            return False
    raise _Unreadable(f'The direction "{_words(text)}" cannot be read; it is "in" or "out".')


def _read_amount(name: str, text: str) -> int | None:
    digits = text.strip().removeprefix("$").replace(",", "")
    if not digits:
        return None
    try:
        amount = Decimal(digits)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= 10**9:
        raise _Unreadable(f'The {name} "{_words(text)}" cannot be read; write dollars like 25 or 25.00.')
    return round(amount * 100)


def _words(text: str) -> str:
    """A bank's, payer's or model's free text as plain words on one line: no markup, at most 80 characters."""
    plain = " ".join(_MARKUP.sub(" ", "".join(one if one.isprintable() else " " for one in text)).split())
    return plain if len(plain) <= _LONGEST_MEMO else plain[: _LONGEST_MEMO - 1] + "…"


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02}%"


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

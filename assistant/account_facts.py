"""What account tools state: one fact a sentence, each of which stands by itself."""

import re
from collections.abc import Sequence
from datetime import date

from assistant.accounts import Account, Card, Hold, Loan, Transaction

_LONGEST_MEMO = 80
_MARKUP = re.compile(r"[<>\[\](){}`*_|\\#~\"]+")


def transaction(one: Transaction) -> str:
    """A posted transaction, and its payer's memo on a line of its own."""
    way = "came into" if one.cents > 0 else "went out of"
    place = f"{one.account} ending in {one.last_four}"
    fact = f"On {dated(one.posted)}, {dollars(abs(one.cents))} {way} {place}: {plain(one.description)}."
    if not one.memo:
        return fact
    return f'{fact}\nThe memo on the {dollars(abs(one.cents))} of {dated(one.posted)} says "{plain(one.memo)}".'


def balance(one: Account, today: date) -> list[str]:
    """Balance, maturity date and interest rate of a deposit account."""
    name = f"Your {one.name} account ending in {one.last_four}"
    facts = [
        f"{name} has an available balance of {dollars(one.available_cents)} and a current balance of "
        f"{dollars(one.current_cents)} as of {dated(today)}."
    ]
    if one.matures:
        name = f"Your {one.name} ending in {one.last_four}"
        facts = [f"{name} has a balance of {dollars(one.current_cents)} as of {dated(today)}."]
        facts.append(f"{name} matures on {dated(one.matures)}.")
    if one.rate:
        facts.append(f"{name} earns {percent(one.rate)} APY.")
    return facts


def credit_card(one: Card) -> list[str]:
    """Status, balance, credit, APR and next payment of a credit card."""
    name = f"Your {card_name(one)}"
    facts = [
        f"{name} is {one.status}.",
        f"{name} has a balance of {dollars(one.balance_cents)}, a credit limit of {dollars(one.limit_cents)} and "
        f"{dollars(one.limit_cents - one.balance_cents)} of available credit.",
        f"{name} has a purchase APR of {percent(one.rate)}.",
    ]
    if one.due:
        facts.append(
            f"{name} has a statement balance of {dollars(one.statement_cents)} and a minimum payment of "
            f"{dollars(one.minimum_cents)}, due on {dated(one.due)}."
        )
    return facts


def debit_card(one: Card) -> list[str]:
    """Status and daily limits of a debit card."""
    name = f"Your {card_name(one)}"
    return [
        f"{name} is {one.status} and draws on {one.draws_on}.",
        f"{name} has a limit of {dollars(one.atm_cents)} a day at ATMs and {dollars(one.purchase_cents)} a day for "
        "purchases.",
    ]


def hold(one: Hold) -> str:
    """A pending item or a hold on a deposit."""
    place, about = f"{one.account} ending in {one.last_four}", plain(one.description)
    since = dated(one.placed)
    if one.pending:
        return f"A pending item of {dollars(one.cents)} out of {place} from {since} has not posted yet: {about}."
    until = f" until {dated(one.released)}" if one.released else ""
    return f"A hold of {dollars(one.cents)} on {place} was placed on {since} and lasts{until}: {about}."


def loan(one: Loan, today: date) -> list[str]:
    """Balance, payments, APR and payoff amount of a loan."""
    name = f"your {one.name} ending in {one.last_four}"
    paid = "is paid automatically" if one.autopay else "is not paid automatically"
    return [
        f"The balance of {name} is {dollars(one.balance_cents)} as of {dated(today)}.",
        f"The next payment on {name} is {dollars(one.payment_cents)}, due on {dated(one.due)}.",
        f"The payment on {name} {paid}.",
        f"The APR of {name} is {percent(one.rate)}.",
        f"The payoff amount of {name} is {dollars(one.payoff_cents)}, good through {dated(one.payoff_until)}.",
        f"The last scheduled payment on {name} is due on {dated(one.ends)}.",
    ]


def card_name(one: Card) -> str:
    """A card as its owner knows it."""
    return f"{one.name} {'credit card ' if one.credit else ''}ending in {one.last_four}"


def plain(text: str) -> str:
    """A bank's, payer's or model's free text as plain words on one line: no markup, at most 80 characters."""
    words = " ".join(_MARKUP.sub(" ", "".join(one if one.isprintable() else " " for one in text)).split())
    return words if len(words) <= _LONGEST_MEMO else words[: _LONGEST_MEMO - 1] + "…"


def dollars(cents: int) -> str:
    """Whole cents as dollars, like $1,234.50."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02}"


def percent(basis_points: int) -> str:
    """Basis points as a percentage, like 3.60%."""
    return f"{basis_points // 100}.{basis_points % 100:02}%"


def dated(day: date) -> str:
    """A day, like November 3, 2026."""
    return f"{day:%B} {day.day}, {day.year}"


def number_of(number: int, noun: str) -> str:
    """How many of something, like "2 cards" or "no loans"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names in a row, the last after "and"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

"""Arguments of account tools, read from the customer's words."""

import re
from datetime import date

from assistant import spending
from assistant.extractive import period

Arguments = dict[str, str | int]


def _words(text: str) -> re.Pattern[str]:
    """Any of the words or phrases, which may be regular expressions, parted by bars."""
    return re.compile(rf"\b(?:{text})\b", re.IGNORECASE)


_KIND = _words(
    "high-yield|high yield|everyday|premier|student|checking|savings|money market|certificate|cds?|credit card|visa"
)
_LAST_FOUR = re.compile(
    r"\b(?:ending in|ending|account)\s(?:#\s?)?(\d{4})\b|(?<![\d$,.])(\d{4})\s(?:account|card)\b", re.I
)
_IN = _words(
    "deposits?|deposited|received?|paychecks?|salary|wages|payroll|refunds?|refunded|income|earn|earned|credits?"
    "|come in|came in|g[eo]t paid|incoming|been paid|reimbursed"
)
_TO_ME = _words(
    r"(?:sen[dt]|pay|paid|gave|give|transfer(?:red)?|wired?|refund(?:ed)?|credit(?:ed)?)\s(?:\w+\s)?(?:me|us)"
)
_OUT = _words(
    "spen[dt]|spending|pay|paid|paying|bought|buy|purchases?|withdrawals?|withdr[ae]wn?|charges?|charged|sent|debits?|expenses"
    "|bills?|billed|outgoing|went out|goes|go|fees?|cost|take|took|taken|rent|groceries|blow|blew"
)
_SURELY_OUT = _words("spen[dt]|spending|withdrawals?|withdr[ae]wn?")
_DOLLARS = r"\$?\s?(\d[\d,]*(?:\.\d\d)?)(?!\s*(?:days?|weeks?|months?|years?|transactions?|purchases?)\b)"
_BETWEEN = re.compile(rf"\bbetween\s{_DOLLARS}\s(?:and|to)\s{_DOLLARS}", re.IGNORECASE)
_OVER = re.compile(
    rf"\b(?:over|above|more than|greater than|larger than|bigger than|at least|exceeding)\s{_DOLLARS}", re.IGNORECASE
)
_UNDER = re.compile(rf"\b(?:under|below|less than|smaller than|at most|up to)\s{_DOLLARS}", re.IGNORECASE)
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = rf"(\d{{1,2}}|{'|'.join(_NUMBERS)})"
_COUNT = re.compile(
    rf"\b(?:last|latest|recent|past|previous)\s{_NUMBER}\s(?!days?|weeks?|months?|years?|hours?)\w+"
    rf"|\b{_NUMBER}\s(?:most\s)?(?:recent|last|latest)\b",
    re.IGNORECASE,
)
_ONE = _words(
    r"(?:last|latest|most recent|newest) (?:[\w-]+ ){0,2}?(?:deposit|paycheck|transaction|purchase|payment|withdrawal"
    r"|charge|refund|bill|rent|wire|transfer|fee|thing|subscription|premium)"
    r"|(?:how much|what)(?: is|'?s) my .*(?:subscription|bill|rent|membership)"
    r"|when (?:did|have|was) (?:i|my) last|(?:pay|paid|deposit) last(?! \w)|last time"
    r"|(?:biggest|largest|highest|most expensive) (?:[\w-]+ )?"
    r"(?:purchase|payment|transaction|charge|expense|deposit|bill)"
)
_SUBSCRIBED = _words("subscriptions?")
_LARGEST = _words("biggest|largest|highest|most expensive")
_QUOTED = re.compile(r"[\"“'‘]([^\"”'’]{2,40})[\"”'’]")
_NAME = re.compile(
    r"\b(?:at|from|to|on|with|for|by|containing|pay|paid)\s(?:the\s)?"
    r"((?:[A-Z][\w&'.-]*|\d+[A-Za-z][\w-]*)(?:\s(?:[A-Z][\w&'-]*|&|and(?=\s[A-Z])|of(?=\s[A-Z])))*)"
)
_PAYER = re.compile(
    r"\b(?:did|has|have|was|were)\s(?!(?:i|my|the|an?|any|we|you|it|that|this|our|there|they|he|she|everyone)\b)"
    r"((?:[\w&'.-]+\s){0,2}?[\w&'.-]+)\s(?:just\s|ever\s|already\s)?"
    r"(?:charged?|bill(?:ed)?|sen[dt]|pay|paid|refund(?:ed)?|credit(?:ed)?|wired?|take|taken|reimbursed?)\b",
    re.IGNORECASE,
)
_BILL = re.compile(r"\bmy\s([\w&'-]+)\s(?:subscription|bill|membership|payment|charge)\b", re.IGNORECASE)
_PLACE = re.compile(r"\b(?:at|to|from|with|on|for)\s(?:the\s)?([a-z][\w&'-]*)", re.IGNORECASE)
_NO_NAME = _words(
    "my|me|i|checking|savings|accounts?|card|debit|credit|month|week|year|days?|today|yesterday|last|latest|recent|next"
    "|monthly|largest|biggest|this|past|date|average|total|all|each|january|february|march|april|may|june|july|august"
    "|september|october|november|december|money|market|time|hold|an?|it|everything|statement|visa|cd|us|file|free|sure"
    "|monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend|mistake|that|these|those|what|which|there|here"
    "|loan|mortgage|house|car|things?|stuff|autopay|average|record|every|phone|bills?|both|our|your|each|high-yield"
)
_TOPICS = (
    (_words("paychecks?|pay checks?|salary|wages|payroll|employer|g[eo]t paid|been paid"), "payroll"),
    (_words("direct deposits?"), "direct deposit"),
    (_words("mobile (?:check )?deposits?|check deposits?"), "check deposit"),
    (_words("refund(?:s|ed)?"), "refund"),
    (_words("atms?|cash machines?"), "ATM"),
    (_words("overdrafts?"), "overdraft"),
    (_words("wires?|wired"), "wire"),
    (_words("quicksends?"), "QuickSend"),
    (_words("fees?"), "fee"),
    (_words("interest"), "interest"),
    (_words("transfers|transfer(?:red)?"), "transfer"),
)


def read(tool: str, clause: str, today: date) -> Arguments:
    """What narrows a tool down: account, shop, days, direction, amounts, number; what is not named is left out."""
    if tool in {"list_cards", "list_loans"}:
        return {}
    account = _account(clause)
    if tool != "list_transactions":
        return {"account": account} if account else {}
    since, until = period.read(clause, today)
    least, most = _bounds(clause)
    told: Arguments = {
        "account": account,
        "contains": _contains(clause),
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "direction": _direction(clause),
        "minimum": least,
        "maximum": most,
        "limit": _limit(clause),
        "order": "largest" if _LARGEST.search(clause) else "",
    }
    return {name: value for name, value in told.items() if value}


def _account(clause: str) -> str:
    """Words that narrow down the account: the last four digits of its number, or its kind."""
    if number := _LAST_FOUR.search(clause):
        return number[1] or number[2]
    kinds = list(dict.fromkeys(found.lower() for found in _KIND.findall(clause)))
    several = len(kinds) > 1 and not {"checking", "savings"} - set(kinds)
    return kinds[0] if kinds and not several else ""


def _direction(clause: str) -> str:
    if _TO_ME.search(clause) or (_IN.search(clause) and not _SURELY_OUT.search(clause)):
        return "in" if not re.search(r"\bcredit card\b", clause, re.IGNORECASE) else ""
    return "out" if _OUT.search(clause) else ""


def _bounds(clause: str) -> tuple[str, str]:
    """Least and greatest amount in dollars, as text, each empty where none is named."""
    if both := _BETWEEN.search(clause):
        return both[1].replace(",", ""), both[2].replace(",", "")
    over, under = _OVER.search(clause), _UNDER.search(clause)
    return over[1].replace(",", "") if over else "", under[1].replace(",", "") if under else ""


def _limit(clause: str) -> int:
    """How many transactions are asked for; 0 leaves it to the tool."""
    if found := _COUNT.search(clause):
        word = (found[1] or found[2]).lower()
        return int(word) if word.isdigit() else _NUMBERS.index(word)
    return 1 if _ONE.search(clause) else 0


def _contains(clause: str) -> str:
    """The shop, the person or the kind of item that is asked for, as far as the words tell."""
    if quoted := _QUOTED.search(clause):
        return quoted[1]
    timeless = clause
    for pattern in period.EVERY:
        timeless = pattern.sub(" ", timeless)
    named = _NAME.search(timeless)
    if named and not _KIND.search(named[1]) and not all(_NO_NAME.fullmatch(word) for word in named[1].split()):
        return named[1].removesuffix("'s").rstrip(".")
    if payer := _PAYER.search(timeless):
        return payer[1]
    topic = next((word for pattern, word in _TOPICS if pattern.search(timeless)), "") or spending.find(timeless)
    if topic:
        return topic
    loose = (found[1] for pattern in (_BILL, _PLACE) for found in pattern.finditer(timeless))
    return next(
        (word for word in loose if not _NO_NAME.fullmatch(word)), "subscription" if _SUBSCRIBED.search(clause) else ""
    )

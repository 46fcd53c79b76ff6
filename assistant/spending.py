"""What customers call their payments, and the words that banks and merchants write for them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of payment: its name, what customers say for it, and what the descriptions of such payments hold."""

    name: str
    said: re.Pattern[str]
    written: re.Pattern[str]


def _kind(name: str, said: str, written: str) -> Kind:
    return Kind(name, re.compile(rf"\b(?:{said})\b", re.IGNORECASE), re.compile(rf"\b(?:{written})", re.IGNORECASE))


_KINDS = (
    _kind(
        "pay",
        "pay ?checks?|payroll|salary|wages|pay ?day|my (?:pay|employer)|g[eo]t(?:ting)? paid|been paid",
        r"payroll|salary|wages\b|direct dep",
    ),
    _kind("rent", "rent", r"rent\b|apartments?\b"),
    _kind(
        "groceries",
        "grocer(?:y|ies)|supermarkets?|food shopping",
        r"grocer|supermarket|(?<!money )(?<!stock )market\b|foods\b",
    ),
    _kind(
        "utilities",
        "utilit(?:y|ies)",
        r"electric|water\b|natural gas|internet|utilit|sewer|energy|phone\b|broadband",
    ),
    _kind("electricity", "electric(?:ity)?|power|lights?", r"electric|energy\b|power and light"),
    _kind("water", "water", r"water\b"),
    _kind("fuel", "gas|gasoline|fuel|petrol", r"fuel|gas station|gasoline|petrol"),
    _kind("internet service", "internet|wi-?fi|broadband", r"internet|broadband|fiber\b"),
    _kind("phone service", "(?:cell ?|mobile )?phone", r"phone\b|wireless|cellular"),
    _kind("streaming or music", "streaming|music|tv", r"stream|music\b|tv\b|video"),
    _kind(
        "eating out",
        "eating out|restaurants?|dining|coffee|cafes?|takeout",
        r"caf[eé]|coffee|restaurant|trattoria|bistro|diner\b|grill\b|pizz|bakery|kitchen\b",
    ),
    _kind("insurance", "insurance", r"insurance|premium\b"),
    _kind("transit", "transit|bus|train|subway|commut(?:e|ing)", r"transit|metro\b|bus\b|rail"),
    _kind("tuition or childcare", "tuition|preschool|daycare|child ?care", r"tuition|preschool|daycare|school\b"),
    _kind("air travel", "flights?|airlines?|airfare|plane tickets?", r"air\b|airlines?\b|airways"),
    _kind("hotels", "hotels?", r"hotel|motel|resort|inn\b"),
    _kind("books", "books", r"books?\b"),
)
_ITEM = re.compile(
    r"\b(atm|bill|deposit|fee|interest|overdraft|payment|quicksend|refund|subscription|transfer|wire)e?s?\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?i)\b(?:bills?|payments?|compan(?:y|ies)|stores?|stations?|services?|subscriptions?|premiums?|provider)\b"
)


def find(text: str) -> str:
    """The words in a customer's question that name a kind of payment, empty where none do."""
    found = [match for kind in _KINDS if (match := kind.said.search(text))]
    return min(found, key=lambda match: match.start())[0].lower() if found else ""


def kind(asked: str) -> Kind | None:
    """The kind that is asked for; none where the words are a name of their own ("Gas Lamp Books")."""
    bare = " ".join(_FILLER.sub(" ", asked).split())
    return next((one for one in _KINDS if one.said.fullmatch(bare)), None)


def words(asked: str) -> tuple[str, ...]:
    """Words that a description must hold; of items that banks write, without the plural's ending."""
    return tuple(found[1] if (found := _ITEM.fullmatch(word)) else word for word in asked.split())


def phrase(asked: str) -> str:
    """How a result says what was asked for: " resembling groceries", " described as refund" or " at Greenleaf"."""
    if not asked:
        return ""
    if known := kind(asked):
        return f" resembling {known.name}"
    return f" {'described as' if _ITEM.search(asked) else 'at'} {asked}"

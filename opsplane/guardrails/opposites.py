"""Words that change what is said: denials, opposites, words that exclude each other, and how sure a sentence is."""

import re
from functools import lru_cache

from opsplane.guardrails.wording import stem

_LEVELLED: tuple[tuple[str, str], ...] = (
    (r"\bwhether or not\b|\bnot only\b|\beven if\b|\bno matter\b|\bif not\b|\bnot yet\b(?= another)", " whatever "),
    (r"\bcannot\b|\bcan't\b|\bcan ?not\b", " can not "),
    (r"\bwon't\b", " will not "),
    (r"n't\b", " not "),
    (r"\bnot +([a-z]{2,14}) any(?=thing\b)", r" \1 no"),
    (r"\bnot +([a-z]{2,14}) any\b", r" \1 no "),
    (r"\bno longer\b|\bnot any ?more\b|\bno more(?! than)\b|\bfail(?:s|ed)? to\b|\brefuses? to\b", " not "),
    (
        r"\b(?:at (?:the (?:very )?)?least|(?:no|not) (?:less|fewer|earlier|lower|sooner) than|"
        r"or (?:more|over|above|higher|later)\b)",
        " _ge ",
    ),
    (
        r"\b(?:at (?:the )?most|up to|(?:no|not) (?:more|later|longer|greater|higher) than|not exceed(?:ing)?|"
        r"or (?:less|fewer|below|lower|under|earlier))\b",
        " _le ",
    ),
    (r"\b(?:more|greater|longer|higher|older|later) than\b|\bexceed(?:s|ing)?\b", " _ge "),
    (r"\b(?:less|fewer|lower|smaller|shorter|younger|earlier|sooner) than\b", " _le "),
    (r"\bas long as\b|\bso long as\b|\bprovided(?: that)?\b|\bin case\b(?! of)|\bon condition that\b", " if "),
    (r"\bexcept (?:if|when|where|in case)\b", " unless "),
    (r"\bprior to\b", " before "),
    (
        r"\b(?:at no|without(?: an?| any)?|no|zero)(?: (?:additional|extra|further))?(?: [a-z-]{2,14}){0,2}? "
        r"(?:fee|charge|cost)s?\b(?! more)|\bfree of charge\b|\bfor free\b|\bfor nothing\b|"
        r"\b(?:pays?|costs?|charges?|owes?) (?:you )?nothing\b|\bnothing is charged\b|"
        r"\bfree(?! trial| time| of)\b|\bwaive[ds]?\b|\bcomplimentary\b",
        " _free ",
    ),
)  # fmt: skip
_LEVEL = [(re.compile(pattern), put) for pattern, put in _LEVELLED]

_DENIAL_WORDS = "not no never none neither nor without nothing nobody hardly unable lacks"
DENIALS = frozenset(_DENIAL_WORDS.split())
"""Words that deny what follows them, once the text is levelled."""
COSTS = frozenset(map(stem, ("fee", "fees", "charge", "charged", "cost", "costs", "chargeable")))

_PAIRS = """
allowed allow permitted permit | prohibited prohibit forbidden forbid banned ban barred bar
required require mandatory must compulsory obligatory | optional voluntary
increase increases rise rises raise raises grow grows up | decrease decreases fall falls reduce lower lowers drop drops
before until till | after since once
minimum lowest least smallest _ge | maximum highest most largest _le
above | below
open opens opened opening | close closes closed closing
accept accepts accepted | reject rejects rejected refuse refuses refused decline declines declined
approve approves approved approval | deny denies denied denial decline
include includes included including | exclude excludes excluded excluding
earlier sooner | later
first | last
start starts begin begins | end ends stop stops
deposit deposits | withdraw withdraws withdrawal withdrawals
incoming | outgoing
credit credited credits | debit debited debits
domestic | international foreign
fixed | variable adjustable
taxable | exempt
valid | invalid void expired
active | inactive dormant
temporary temporarily | permanent permanently
secured | unsecured
public | private
buy buys | sell sells
gain gains profit | loss losses lose loses
advantage | disadvantage
long longer | short shorter
fast faster quick quickly | slow slower slowly
sender | recipient receiver
lender | borrower
if when | unless
online | branch
same | different
safe | unsafe risky
covered | uncovered
inside during | outside
"""
_BOUND_WORDS = "before until after since minimum maximum above below earlier later lowest highest"
_BOUNDS = frozenset(map(stem, _BOUND_WORDS.split()))
_ONLY_IN_PLACE = """
before until till | after since once from
always | never
first | last
with | without
inside during | outside
"""
_EXCLUSIVE = """
day/daily week/weekly month/monthly quarter/quarterly year/yearly/annual/annually
monday tuesday wednesday thursday friday saturday sunday
january february march april june july august september october november december
eastern central mountain pacific
checking savings
first second third fourth fifth
spring summer autumn winter
north south east west
"""
_SURE = (
    ("may might could can", "must shall"),
    ("may might could sometimes", "will always must shall"),
    ("some most many several", "all every each"),
    ("usually normally generally often typically sometimes", "always"),
)
_SURENESS = [(frozenset(weak.split()), frozenset(strong.split())) for weak, strong in _SURE]
_HEDGE_WORDS = (
    "may might could sometimes usually generally eligible qualify qualifying conditions depending depends certain some "
    "typically often subject possibly"
)
_HEDGES = frozenset(map(stem, _HEDGE_WORDS.split()))
_PREFIX = ("un", "non", "in", "im", "ir", "dis", "il")


def levelled(text: str) -> str:
    """The text in lower case, its denials, bounds, conditions and words for "free" brought to one form each."""
    lowered = text.lower()
    for pattern, put in _LEVEL:
        lowered = pattern.sub(put, lowered)
    return lowered


def _sides(pairs: str) -> dict[str, frozenset[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = {}
    for number, line in enumerate(pairs.strip().split("\n")):
        for side, words in enumerate(line.split("|")):
            for word in words.split():
                found.setdefault(word if word.startswith("_") else stem(word), set()).add((number, side))
    return {word: frozenset(sides) for word, sides in found.items()}


_SIDES = _sides(_PAIRS)
_IN_PLACE = _sides(_PAIRS.strip() + _ONLY_IN_PLACE)
_MEMBERS = [(line, member) for line in _EXCLUSIVE.strip().split("\n") for member in line.split()]
_OTHERS = {stem(word): (line, member) for line, member in _MEMBERS for word in member.split("/")}


@lru_cache(maxsize=4096)
def opposed(one: str, other: str, *, in_place: bool = False) -> bool:
    """Whether the two stems are opposites: on two sides of a pair, or one the other with a denying prefix.

    `in_place` where one stands in the other's place in otherwise equal sentences; small words count only there.
    """
    sides = _IN_PLACE if in_place else _SIDES
    mine, theirs = sides.get(one, frozenset()), sides.get(other, frozenset())
    if any((number, 1 - side) in theirs for number, side in mine):
        return True
    if in_place and "_free" in {one, other}:
        return one in COSTS or other in COSTS
    short, long = sorted((one, other), key=len)
    return len(short) > 3 and any(long == prefix + short for prefix in _PREFIX)


def exclusive(one: str, other: str) -> bool:
    """Whether the two stems name different members of one list, as Monday and Friday do."""
    mine, theirs = _OTHERS.get(one), _OTHERS.get(other)
    return mine is not None and theirs is not None and mine[0] == theirs[0] and mine[1] != theirs[1]


def turned(mine: frozenset[str], theirs: frozenset[str]) -> int:
    """How many of the one's stems have an opposite, or another member of their list, among the other's."""
    known = [one for one in theirs if one in _SIDES or one in _OTHERS]
    count = 0
    for one in mine:
        near = one in _SIDES or one in _OTHERS
        paired = near and any(opposed(one, other) or exclusive(one, other) for other in known)
        count += paired or _prefixed(one, theirs)
    return count


def _prefixed(one: str, others: frozenset[str]) -> bool:
    """Whether the stem with a denying prefix, or without the one that it has, is among the others."""
    if len(one) <= 3:
        return False
    cut = any(one.startswith(prefix) and one[len(prefix) :] in others for prefix in _PREFIX)
    return cut or any(prefix + one in others for prefix in _PREFIX)


def opposite(one: str, others: frozenset[str]) -> str:
    """The first of the stems that is the opposite of this one; empty where none is."""
    if one not in _SIDES and not _prefixed(one, others):
        return ""
    return next((other for other in sorted(others) if opposed(one, other)), "")


def listed(stems: frozenset[str]) -> list[str]:
    """The stems that are members of such a list."""
    return [one for one in stems if one in _OTHERS]


def surer(words: frozenset[str], source: frozenset[str]) -> str:
    """The word that says "all" or "must" where the source says "some" or "may", or the reverse; else empty."""
    for weak, strong in _SURENESS:
        for mine, theirs in ((weak, strong), (strong, weak)):
            if (words - source) & mine and (source - words) & theirs and not words & theirs and not source & mine:
                return min((words - source) & mine)
    return ""


def bounding(one: str) -> bool:
    """Whether the stem says before or after, at least or at most: a bound of a figure."""
    return one.startswith("_") or one in _BOUNDS


def hedged(stems: frozenset[str]) -> bool:
    """Whether the sentence itself says that it does not always hold."""
    return not stems.isdisjoint(_HEDGES)

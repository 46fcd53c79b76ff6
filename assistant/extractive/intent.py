"""Whether a question is about the customer's own accounts, and which tool with which arguments would tell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from assistant.extractive import arguments
from opsplane import yamlfile

_CLAUSE = re.compile(
    r"\?+\s*|(?<=\w\w)[.;!]\s+(?=[a-z])|,?\s+(?:and|also|plus|but)\s+(?:also\s+)?"
    r"(?=(?:what|how|when|where|which|who|can|could|do|does|is|are|will|would|why|tell|show|did|have|has|am|list)\b)",
    re.IGNORECASE,
)
_LONGEST = 400
"""Characters of a clause that are read; nobody asks for a balance in more."""
_TELLS = re.compile(
    r"^(?:(?:i|we|they|he|she|it|there|this|that|someone|somebody|my(?: \w+){1,3}?|(?:an?|the) \w+(?: \w+)?)"
    r" (?:just |already |recently |also )*(?:am|is|are|was|were|have|has|had|do|did|got|get|see|saw|found|went|lost"
    r"|sent|paid|made|used|took|keeps?|says?|shows?|filed|ordered|moved|need|want|expired|only)"
    r"|lost|sent|ordered|got(?! any)|found|filed|closing|paid)\b"
)
"""A clause that tells something ("there is a charge on my card")."""
_ASKS = re.compile(
    r"(?:^|[,:] ?|\b(?:and|but|so|then|know|see) )"
    r"(?:what|how|when|where|which|who|why|do|does|did|is|are|was|were|has|have|had|am|any|show|list|tell|find)\b"
)
"""A question or request inside of a clause."""
_OWN = re.compile(
    r"\b(?:(?:show|list|tell me|see|what (?:is|was|are|were)|when (?:is|was)) .{0,12}\bmy (?:\w+ ){0,2}"
    r"(?:balances?|last|latest|recent|transactions|purchases|next payment)"
    r"|how much (?:money |cash )?(?:do i have(?! to\b)|is in my))\b"
)
"""What asks for one's own figures even where trouble is told along with it."""


_SPELLING = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\b(what|when|where|how|who|which|why|that|there|it|he|she)'?s\b", r"\1 is"),
        (r"\bi'?m\b", "i am"),
        (r"\b(i|you|we|they)'?ve\b", r"\1 have"),
        (r"\b(i|you|we|they)'d\b", r"\1 would"),
        (r"\b(?:can'?t|can not)\b", "cannot"),
        (r"\bwon'?t\b", "will not"),
        (r"\b(do|does|did|has|have|had|is|are|was|were|could|would|should)n'?t\b", r"\1 not"),
        (r"\bacc(?:t|oun)?(s?)\b", r"account\1"),
        (r"\btransaction history\b", "transactions"),
        (r"\b(?:gimme|give me|get me)\b", "show me"),
        (r"^(?:(?:hi|hey|hello|ok|okay|so|um|yo|well|and|also|please|pls|just)\b[\s,.!:-]*)+", ""),
        (
            r"^(?:can|could|would|will) (?:you|u) (?:please |just )*(?=(?:tell|show|list|see|check|look|find|pull)\b)",
            "",
        ),
        (
            r"^(?:(?:i|we)(?: just)? (?:would like|would love|want|need|wanna)(?: to)? (?:know|see|check|find out)"
            r"|(?:i|we) (?:am|are|was|were)? ?(?:wondering|curious|wonder)|(?:do )?you know|any idea"
            r"|let me (?:know|see)|(?:tell|remind) me)(?: about| if| whether)?\b,? (?!how (?:to|do)\b)",
            "tell me ",
        ),
        (r"^(?:(?:i|we) (?:would like|want|need)|check|look up|see)\s+(?=my\b)", "show "),
    )
)
"""Contractions, courtesies and the many ways to say "show me", each read in one way, one after the other."""


class Rule(BaseModel):
    """One row of `intents.yaml`: the tool that tells, how it is asked for, and what tells against it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    asks: tuple[str, ...]
    unless: tuple[str, ...]


class Intents(BaseModel):
    """All of `intents.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: dict[str, str]
    general: tuple[str, ...]
    trouble: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Wish:
    """A tool that the question asks for."""

    tool: str
    arguments: arguments.Arguments


@dataclass(frozen=True)
class _Test:
    tool: str
    asks: re.Pattern[str]
    unless: re.Pattern[str]


@dataclass(frozen=True)
class _Rules:
    """`intents.yaml`, compiled."""

    trouble: re.Pattern[str]
    tests: tuple[_Test, ...]


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    intents = yamlfile.read(Path(__file__).parent / "intents.yaml", Intents)

    def compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
        return re.compile("|".join(_expression(one, intents.sets) for one in patterns), re.IGNORECASE)

    return _Rules(
        compiled(intents.trouble),
        tuple(
            _Test(rule.tool, compiled(rule.asks), compiled((*intents.general, *rule.unless))) for rule in intents.rules
        ),
    )


def _expression(pattern: str, sets: Mapping[str, str]) -> str:
    """The regular expression of one pattern, its shorthand written out."""
    for name, words in sets.items():
        pattern = pattern.replace(f"{{{name}}}", words.replace("| ", "|").strip())
    spaced = re.sub(r" \.\.\. ", r"\\b[^,]*\\b", pattern)
    spaced = re.sub(r" \.\.(?: \.\.)* ", _gap, spaced)
    start = "" if pattern.startswith("^") else r"\b"
    end = "" if pattern.endswith("$") else r"\b"
    return f"(?:{start}(?:{spaced}){end})"


def _gap(found: re.Match[str]) -> str:
    return rf"\b.{{0,{25 * found[0].count('..')}}}\b"


def read(question: str, today: date) -> tuple[list[Wish], str]:
    """The tools that a question asks for, and what of it is left for the documents."""
    wishes: list[Wish] = []
    rest: list[str] = []
    troubled = _rules().trouble.search(_plain(question)) is not None
    for clause in (part.strip() for part in _CLAUSE.split(question)):
        if not clause:
            continue
        wish = _wish(clause, today, troubled=troubled)
        if wish is None:
            rest.append(clause)
        elif wish not in wishes:
            wishes.append(wish)
    remaining = [clause for clause in rest if len(clause.split()) > 2]
    return wishes, " ".join(f"{clause}?" for clause in remaining) if wishes else question


def _plain(text: str) -> str:
    """The text in lower case, without contractions and courtesies."""
    plain = " ".join(text.lower().replace("’", "'").split())
    for pattern, instead in _SPELLING:
        plain = pattern.sub(instead, plain)
    return plain


def _wish(clause: str, today: date, *, troubled: bool) -> Wish | None:
    """The tool that a clause asks for, if any; amid trouble, only what can be nothing but one's own."""
    plain = _plain(clause)[:_LONGEST]
    if _TELLS.search(plain) and not _ASKS.search(plain):
        return None
    for test in _rules().tests:
        if test.asks.search(plain) and not test.unless.search(plain):
            calm = not troubled or _OWN.search(plain)
            return Wish(test.tool, arguments.read(test.tool, clause, today)) if calm else None
    return None

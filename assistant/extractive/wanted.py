"""What kind of answer a question asks for, told from its words: an amount, a time, a number, a way to reach us."""

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Kind:
    """A kind of answer: the question's words that ask for it and what a statement must then hold."""

    asks: re.Pattern[str]
    holds: re.Pattern[str]


def _kind(asks: str, holds: str) -> Kind:
    return Kind(re.compile(rf"\b(?:{asks})\b", re.IGNORECASE), re.compile(holds, re.IGNORECASE))


_CONTACT = _kind(
    r"phone number|what number|which number|who (?:do|can|should) i (?:call|contact|talk)"
    r"|where do i (?:write|send|mail)"
    r"|(?:number|address|line)\b.{0,20}\b(?:call|report|write|complain)|mailing address"
    r"|(?:contact|reach|call) (?:you|the bank|someone|customer)",
    r"\b1-\d{3}-\d{3}-\d{4}\b|\bP\.O\. Box\b|\b711\b|\b[\w.]+\.example\b",
)
_TIME = _kind(
    r"how (?:long|soon|fast|quickly|late|often|early)|when|what time|latest time|by what|what day|which day|cut-?off"
    r"|deadline|how many (?:\w+ )?(?:days|hours|weeks|months|years|minutes)|hours|what date|last day|expire",
    r"\b\d+(?:[–-]\d+)?\s(?:\w+\s)?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|cycles?|periods?)\b"
    r"|\b\d{1,2}(?::\d\d)?\s?[ap]\.m|\b(?:midnight|24 hours)\b|\b(?:Monday|Saturday|Sunday|weekdays?)\b"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\s\d"
    r"|\b(?:same|next|first|second|third|fifth|seventh|ninth|every)\s(?:business\s)?day\b",
)
_RATE = _kind(r"rates?|apr|apy|yields?|percent|percentage", r"\d\s?%|\bpercent\b")
_AMOUNT = _kind(
    r"how much|costs?|fees?|price|charged?|charges|interest|limit|minimum|maximum|most|least|pay for"
    r"|penalty|amount|worth|earn",
    r"\$\s?\d|\d\s?%|\b(?:free|no charge|costs? nothing|percent)\b",
)
_COUNT = _kind(r"how many|how often|number of", r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b")


@lru_cache(maxsize=512)
def kinds(question: str) -> tuple[Kind, ...]:
    """The kinds of answer that a question asks for; often none."""
    return tuple(kind for kind in (_CONTACT, _TIME, _RATE, _AMOUNT, _COUNT) if kind.asks.search(question))

"""Under which conditions a sentence says what it says: if, unless, only, until, within, for whom, at most."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from opsplane.guardrails import figures, wording
from opsplane.guardrails.figures import Figure

_WHOM = (
    r"customers?|clients?|members?|accounts?|cardholders?|holders?|students?|consumers?|businesses|residents?|seniors?|"
    r"borrowers?|employees|citizens|minors|veterans|purchases|transfers|transactions|loans|balances|deposits|wires"
)
_STRONG = (
    r"if|unless|provided(?: that)?|(?:as|so) long as|in case|on condition|except(?: if| when| for| in)?|subject to|"
    r"depending on|only (?:if|when|for|after|with|in|on|at|by|where|once|until)|when(?:ever)?(?! and where)|where"
)
_TIMED = r"until|till|once|while|after|before|during|within|upon|from the|for the first|without|by(?= [0-9])"
_FOR = (
    rf"(?:only )?(?:for|to|with|by|of|on) (?:all |any |each |every |the |your |new |our |eligible |qualifying |a |an )?"
    rf"(?:[A-Za-z][\w'-]{{1,20}} ){{0,2}}(?:{_WHOM})(?= (?:who|that|with|under|aged|of|posted|made|"
    r"opened|sent|received|over|above|below|up)\b|\s*[.,;:)]|\s*\Z|\s+(?:are|is|and|have|get)\b)|"
    r"on (?:a |any |each |every )?(?:business days?|weekdays?|weekends?|holidays?)|in person|over \$?[0-9]"
)
_BOUND = r"(?:up to|at most|at least|no(?:t)? (?:more|less|later|earlier) than)(?= (?:an? |the )?[$€£0-9a-z])"
_MARK = re.compile(
    rf"(?<![\w'-])(?:(?P<strong>{_STRONG})|(?P<timed>{_TIMED})|(?P<whom>{_FOR})|(?P<bound>{_BOUND}))(?![\w-])",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"[,;:](?=\s|\Z)|[()—]|(?<=[a-z]{3}[.!?])\s(?=[A-Z])|\s(?:and|but|or|so|then)\s(?=(?:then|it|you|we|they|the|this|these|that|a|an|no|your|its|their|if|"
    r"when|unless|after|before|not)\b)",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\s*(?:which|who|whose|where you|for (?:example|instance)|such as|like|e\.g\.|i\.e\.|that is)\b", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"\s(?=(?:you|we|it|they|he|she|nothing|there|(?:the|your|a|an|this|every|each|no) [a-z]{2,16}|[A-Z][a-z]{2,16})"
    r"(?: [a-z]{3,12})? (?:may|can|cannot|will|must|shall|should|is|are|has|have|does|do|needs?|pays?|charges?|gets?|"
    r"costs?)\b)"
)
_BULLET = re.compile(r"\A\W*(?:[0-9]{1,2}[.)]\s+)?")
_WHOM_FIRST = re.compile(r"\A\s*(?P<whom>for)(?= (?!example|instance))", re.IGNORECASE)
_OR = re.compile(r"\s*or\b", re.IGNORECASE)
_STOPPED = re.compile(r"[;.:]")
_LIMIT = re.compile(
    r"\b(?:limit|limited|maximum|minimum|max|min|cap|capped|most|least|range|between|cutoff|cut-off)\b", re.IGNORECASE
)
_MOST = re.compile(r"\b(?:limit|maximum|max|cap)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:minimum|min)\b", re.IGNORECASE)
ONLY = re.compile(r"\b(?:only|solely|exclusively|just)\b", re.IGNORECASE)
WEIGHTS = {"strong": 0.75, "timed": 0.62, "whom": 0.62, "bound": 0.6, "only": 0.6}
"""How much it speaks against a sentence to leave out a condition of the kind."""


class Condition(NamedTuple):
    """A condition as written, the stems and figures that make it recognisable, and its kind, a key of `WEIGHTS`.

    `choice` where it is one of several that each suffice ("if you ..., or when you ...").
    """

    text: str
    kind: str
    stems: frozenset[str]
    figures: tuple[Figure, ...]
    choice: bool = False


class Clause(NamedTuple):
    """What is said, and under which conditions."""

    stems: frozenset[str]
    figures: tuple[Figure, ...]
    conditions: tuple[Condition, ...]


def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of one sentence; a condition at its head holds for all up to the next full stop or semicolon."""
    said: list[tuple[str, list[Condition]]] = []
    leading: list[Condition] = []
    begin, choice = 0, False
    text = _BULLET.sub("", text)
    for end, mark in [*((match.start(), match.group()) for match in _BREAK.finditer(text)), (len(text), ".")]:
        main, found, opens = _segment(text[begin:end])
        choice = choice or _OR.match(text[begin:end]) is not None
        found = [one._replace(choice=choice) for one in found]
        if opens:
            if said and not leading_only(said):
                said[-1][1].extend(found)
            else:
                leading += found
        elif main.strip():
            said.append((main, [*leading, *found]))
        if _STOPPED.match(mark) and end < len(text):
            leading = []
        choice = mark.strip().lower() == "or"
        begin = end + (1 if mark in ",;:()—" else 0)
    return tuple(_clauses(said))


def _clauses(said: list[tuple[str, list[Condition]]]) -> Iterator[Clause]:
    """A clause without content words of its own ("and up to $500 when ...") speaks of what the one before it did."""
    stems: frozenset[str] = frozenset()
    for main, found in said:
        stems = wording.stems(figures.without(main)) or stems
        yield Clause(stems, tuple(figures.required(main)), tuple(found))


def leading_only(said: list[tuple[str, list[Condition]]]) -> bool:
    """Nothing has been said yet but a word or two, as "Then" or "Example"."""
    return all(len(wording.stems(main)) < 2 for main, _ in said)


def _segment(segment: str) -> tuple[str, list[Condition], bool]:
    """What a stretch without a break says, its conditions, and whether it begins with one."""
    if _ASIDE.match(segment):
        return segment, [], False
    marks = [*_WHOM_FIRST.finditer(segment), *_MARK.finditer(segment)]
    marks = [mark for number, mark in enumerate(marks) if not number or mark.start() >= marks[number - 1].end()]
    if not marks:
        return segment, [], False
    if not segment[: marks[0].start()].strip() and (cut := _subject(segment, marks[0].end())):
        main, found, _ = _segment(segment[cut:])
        return main, [_condition(marks[0], segment[marks[0].start() : cut]), *found], False
    ends = [*(mark.start() for mark in marks[1:]), len(segment)]
    found = [_condition(mark, segment[mark.start() : end]) for mark, end in zip(marks, ends, strict=True)]
    main = segment[: marks[0].start()].strip()
    return (
        main,
        [one for one in found if one.stems or one.figures],
        not re.search(r"[0-9]|\w{2}", re.sub(r"\b(?:and|but|or|so|only|even|then)\b", "", main)),
    )


def _subject(segment: str, begin: int) -> int:
    """Where the main clause begins after a condition that no comma ends ("After 60 days you may ..."); 0: nowhere."""
    found = (match.end() for match in _SUBJECT.finditer(segment, begin))
    return next((end for end in found if re.search(r"[0-9]|\w{4}", segment[begin:end])), 0)


def _condition(mark: re.Match[str], text: str) -> Condition:
    kind = mark.lastgroup or "strong"
    return Condition(text.strip(), kind, wording.stems(figures.without(text)), tuple(figures.required(text)))


def bounded(text: str) -> bool:
    """Whether the sentence calls a figure a limit without a bound before it."""
    return _LIMIT.search(text) is not None


def limit(text: str) -> str:
    """The bound that the sentence gives its figures by calling them a limit ("<") or a minimum (">"); else empty."""
    most, least = _MOST.search(text), _LEAST.search(text)
    return "<" if most and not least else ">" if least and not most else ""

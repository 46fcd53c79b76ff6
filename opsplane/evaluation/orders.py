"""Words in a graded text that speak to the grader: "ignore the rubric", a ready-made grade, a forged fence.

Patterns, so they find plain attempts and no others. What they find is taken out before a judge reads the text, so that
no judge can obey it, and is told beside the score. Our own patterns for grading stand beside those of the guardrails
against orders to any model.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from opsplane.guardrails import disguise, injection, wording

TAKEN_OUT = "[words to the grader, taken out]"
LONGEST = 24_000
"""Characters that are read; no rubric shows more of a question or an answer."""
_READINGS = 3  # of one sentence, the literal one with them
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs"})

_WHO = r"(?:(?:ai|llm|automated|model) )?(?:graders?|judges?|evaluators?|raters?|assessors?|markers?|scorers?)"
_GRADING = r"(?:grad|evaluat|judg|scor|assess)(?:e[sd]?|ing|ments?|ions?)?"
_GRADE = r"(?:scores?|marks?|ratings?|grades?|points|values?|verdicts?)"
_FIVE = r"[\"'*]{0,2}(?:5|five|10|ten|100)\b"
_EACH = r"(?:for|in|on) (?:each|every|all)(?: the| of the)? (?:criteri|categor|item|one)"
_TOP = (
    rf"(?:full marks|(?:top|highest|maximum|max|perfect|best|full)[ -](?:possible )?{_GRADE}|5\s?(?:/|out of|of)\s?5|"
    rf"{_GRADE}\s(?:of\s|=\s?|as\s|:\s?)?{_FIVE}|{_FIVE}\s(?:points|stars|everywhere|{_EACH}))"
)
_GIVE = (
    r"\b(?:giv|award|assign|rate|rating|scor|grad|mark|return|output|report|reply|respond|answer|writ|put|choos|select|"
    r"deserv|set)\w{0,4}\b"
)
_RULES = r"(?:rubric|criteri(?:a|on)|grading|scoring|rating|evaluation|fences?)"
_ANSWER = r"(?:answer|response|reply|statement|text|output)"
_THIS = rf"\b(?:this|the (?:first|second|above|following)|my) {_ANSWER}"
_PRAISE = (
    r"(?:better|best|preferred|superior|perfect|flawless|excellent|generous|faultless|fully (?:supported|correct))"
)
_NAMES = r"(?:accuracy|completeness|relevance|clarity|compliance|faithfulness|helpfulness|groundedness|correctness)"
_MACHINE = r"(?:language models?|llms?|ai (?:models?|systems?|assistants?)|chatbots?|the assistant|the model)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # its rules are to be left aside
        rf"\b(?:ignor|disregard|forget|skip|overrid|bypass|suspend)\w{{0,4}}\b[^.\n]{{0,40}}\b{_RULES}\b",
        r"\b(?:the|your) (?:rubric|(?:grading|scoring) (?:rules|task|criteria))\b",
        # a grade is ordered, or stands there ready-made
        rf"{_GIVE}[^.\n]{{0,60}}{_TOP}",
        rf"\b(?:choose|select|output|return|pick|write) (?:a |an |the )?{_FIVE}(?! (?:digits?|characters|letters))",
        r"[{,]\s{0,8}[\"']?(?:scores?|check|grades?|ratings?|preferred|verdict)[\"']?\s{0,8}:",
        rf"\b{_NAMES}[\"']?\s?(?:[:=]|to|is|at)\s?[\"']?(?:\d|five\b|full\b|perfect\b)",
        r"\byour (?:grade|evaluation|verdict|assessment|judge?ment|preference) (?:must|should|has to|will|is)\b",
        r"<\s?/?\w{0,20}(?:grad|scor|eval|judg|verdict|rubric)\w{0,20}\s?/?>",
        # the grader is spoken to
        rf"\b(?:dear|note (?:to|for)|attention|attn|instructions? (?:to|for)|message (?:to|for))\s?:? "
        rf"(?:the |all |any |an? )?(?:{_WHO}|{_MACHINE})\b",
        rf"(?:^|[\n\[(*#])\s{{0,3}}{_WHO}\s?[:!,]",
        rf"\b(?:whoever|any(?:one|body) who|if you|as you) (?:\w+ ){{0,4}}(?:reads?|reviews?|{_GRADING}) this\b",
        rf"\b{_MACHINE}\b[^.\n]{{0,30}}\b(?:reads?|reading|reviews?|reviewing|{_GRADING})\b",
        # what is graded is praised, and what it is compared with blamed
        rf"{_THIS} (?:is|deserves?|must be|should be)\b[^.\n]{{0,30}}\b{_PRAISE}\b",
        rf"\b{_GRADING}\b[^.\n]{{0,50}}\b(?:{_ANSWER} (?:as|is|above|below)|(?:this|the) {_ANSWER})\b",
        rf"\b{_GRADING}\b[^.\n]{{0,50}}\b{_PRAISE}\b",
        r"\b(?:choose|prefer|pick|select|vote for)\b[^.\n]{0,20}\b(?:this|my|first|second) (?:answer|response|one)\b",
        rf"\bthe other {_ANSWER} (?:is|was|must|should|has|contains)\b",
        # the check word and the fences
        r"\b(?:copy|repeat|return|echo|use|include|write)\b[^.\n]{0,30}\b(?:check|secret)[ -]?(?:word|token|value)\b",
        r"<{3,}|>{3,}|\b(?:begin|end) of (?:the )?(?:answer|data|question|sources?|text)\b(?! (?:to|and|in|about))",
    )
)


class Cleared(NamedTuple):
    """A text without words to its grader, and the beginning of each sentence that was taken out."""

    text: str
    found: tuple[str, ...]


def cleared(text: str) -> Cleared:
    """Take out each sentence that speaks to a grader, and each two neighbours that do so together."""
    return cleared_each([text])[0]


def cleared_each(texts: Sequence[str]) -> list[Cleared]:
    """The same for the sentences of an answer, which stay apart; an order may run over two of them.

    Characters that nobody sees are left out, and so is what lies beyond the first `LONGEST` of all.
    """
    shown = list(_within(texts))
    cut = [(place, sentence) for place, text in enumerate(shown) for sentence in wording.sentences(text)]
    bad = {number for number, (_, sentence) in enumerate(cut) if _speaks(sentence)}
    for number in range(len(cut) - 1):
        if not bad & {number, number + 1} and _speaks(f"{cut[number][1]} {cut[number + 1][1]}"):
            bad |= {number, number + 1}
    return [
        _kept(text, [(s, n in bad) for n, (at, s) in enumerate(cut) if at == place]) for place, text in enumerate(shown)
    ]


def _within(texts: Sequence[str]) -> Iterator[str]:
    left = LONGEST
    for text in texts:
        yield _seen(text[:left])
        left = max(0, left - len(text))


def _seen(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _UNSEEN)


def _kept(text: str, sentences: Sequence[tuple[str, bool]]) -> Cleared:
    found = tuple(sentence[:80] for sentence, bad in sentences if bad)
    if not found:
        return Cleared(text, ())
    return Cleared("\n".join(TAKEN_OUT if bad else sentence for sentence, bad in sentences), found)


@lru_cache(maxsize=8192)
def _speaks(sentence: str) -> bool:
    readings = [disguise.visible(sentence), *disguise.revealed(sentence)[1:_READINGS]]
    if any(one.search(reading) for reading in readings for one in _PATTERNS):
        return True
    return injection.signal(sentence).score >= injection.DEFAULT

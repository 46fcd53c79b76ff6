"""A customer's message taken apart: what is asked in it, apart from what is told."""

import re

from assistant.extractive.lexicon import terms
from assistant.sentences import split

_JOINT = re.compile(
    r",?\s+(?:and|but|plus|or)\s+(?:also\s+)?"
    r"(?=(?:what|how|when|where|which|who|can|could|do|does|is|are|will|would|why)\b)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"\b(?:it|that|this|they|them|one|those|these)\b", re.IGNORECASE)
_WISH = re.compile(
    r"(?:please\s|and\s|but\s)?(?:i need|i want|i would like|i'd like|tell|show|explain|give|list)\b", re.IGNORECASE
)
_PAIR = re.compile(
    r"(?P<head>.*?\b(?:of|for|on|with|in|between|compare)\s)(?P<one>(?:[\w'-]+\s){1,6}?)"
    r"(?:and|versus|vs\.?|or|with|compared with)\s(?:of\s|for\s|on\s|with\s|in\s)?(?P<other>(?:[\w'-]+\s?){1,6})$",
    re.IGNORECASE,
)
_LEAST = 2
"""Topic words that a question needs to stand by itself."""


def questions(text: str) -> list[str]:
    """The whole message first, then each question and wish in it that can stand by itself, where there are several."""
    asked = [sentence for sentence in split(text) if sentence.endswith("?") or _WISH.match(sentence)]
    clauses = [clause.strip(" ?.!") for sentence in asked for clause in _JOINT.split(sentence)]
    clauses += [one for clause in clauses for one in _each(clause)]
    alone = [clause for clause in clauses if len(set(terms(clause))) >= _LEAST and not _POINTS_BACK.search(clause)]
    return [text, *(f"{clause}?" for clause in alone if clause.lower() != text.strip(" ?.!").lower())]


def _each(clause: str) -> list[str]:
    """A question about two things as two questions: "the fee of A and of B" as "the fee of A", "the fee of B"."""
    found = _PAIR.fullmatch(clause)
    return [f"{found['head']}{thing.strip()}" for thing in (found["one"], found["other"])] if found else []


def first(text: str) -> str:
    """The first of the clauses that a question joins, the whole where it joins none."""
    return _JOINT.split(text.strip())[0]

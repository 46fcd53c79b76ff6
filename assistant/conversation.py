"""Follow-up questions made whole from the question before them, without a language model."""

import re
from collections.abc import Sequence
from functools import lru_cache

from assistant.extractive import parts
from assistant.extractive.lexicon import reader, terms
from opsplane.exchange import Earlier


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_LEAD = _pattern(
    r"^(?:(?:ok(?:ay)?|thanks|thank you|great|good|right|sure|hm+|ah|oh|so|well|then|but|and|or|also|plus|now)\b"
    r"[\s,.!:–—-]*)+"
)
_ABOUT = _pattern(
    r"^(?:(?:what|how) about|what if it(?:'s| is)|same (?:question )?for|is (?:it|that) the same (?:for|with)|and for)"
    r"\s+"
)
_VERB = _pattern(
    r"\b(?:is|are|was|were|do|does|did|can|could|may|should|will|would|have|has|am|show|tell|list|explain|give|need|want"
    r"|help|charge[sd]?|costs?|pay|apply|happens?|lost|found|got|get|sent|send|open|close)\b"
    r"|\b(?:what|who|where|when|how|why|it|that|there)'s\b|\w'(?:re|m|ve|ll|d)\b|n't\b"
)
_POINTS_BACK = _pattern(
    r"\b(?:it|its|that|this|those|these|them|they|their|there|the same|such (?:an?|accounts?)"
    r"|(?:the|that|this|which|each|another) one|ones)\b"
)
_STANDS_ALONE = _pattern(
    r"\b(?:is it (?:possible|true|ok(?:ay)?|safe|free to|legal)|is there|are there|there (?:is|are)|it take"
    r"|that (?:i|you|my|the|is|are)\b|this (?:month|week|year|morning|weekend)|that'?s all)"
)
_ASKS_ONLY = _pattern(r"^(?:why|how (?:much|long|many|often|soon|fast|late|early)|when|where|who|how)\b")
_JOINED = _pattern(
    r"^(?:for|on|with|of|to|at|in|by|from|if|when|as|after|before|during|since|until|over|under|without)\b"
)
_LEADING = _pattern(r"^(?:for|on|with|of|to|at|in|by|from)\s+(?:an?\s|the\s|my\s)?|^(?:an?|the|my)\s+")
_ASKING = _pattern(
    r"^(?:(?:so|and|please|hi|hello)\b[\s,]*)*"
    r"(?:what(?:'s| is| are| was| were)?|how (?:much|long|many|often|soon|fast|do|can)|when|where|why|who|which|can"
    r"|could|do|does|did|is|are|will|would|tell me|show me)\b\s*"
    r"(?:(?:is|are|does|do|did|can|will|would|i|you|we|it|there|the|a|an|about|if|to|charge|cost|costs)\b\s*)*"
)
_SHORT = 3
"""A question with no more topic words than this, and no verb of its own, leans on the one before."""
_LONG = 25
"""A question of more words than this speaks for itself."""


def standalone(text: str, earlier: Sequence[Earlier]) -> str:
    """The question with what it leaves out put back from the questions before it; a full question as it is."""
    before = ""
    for turn in earlier:
        before = _complete(turn.question, before)
    return _complete(text, before)


def _complete(text: str, before: str) -> str:
    """`text` made whole with the whole question `before` it."""
    question = text.strip()
    if not before or not question or len(question.split()) > _LONG:
        return question
    bare = _LEAD.sub("", question).strip() or question
    fragment = _ABOUT.sub("", bare).strip()
    if fragment != bare or _is_fragment(bare, led=bare != question):
        return _put_in(fragment, before)
    if _points_back(bare) or _names_nothing(bare):
        return f"{bare.rstrip('?!. ')} ({_topic(before)})?"
    return question


def _is_fragment(bare: str, *, led: bool) -> bool:
    """A piece without a verb ("in a branch?", "and savings?", "how long?"); mere letters are none."""
    if _VERB.search(re.sub(r"^(?:how|what) (?:is|are)\b", "", bare)):
        return False
    if not led and not _ASKS_ONLY.match(bare) and not _JOINED.match(bare) and _vocabulary().isdisjoint(terms(bare)):
        return False
    return len(terms(bare)) <= (_SHORT + 2 if led else _SHORT) and len(bare.split()) <= 8


def _points_back(bare: str) -> bool:
    """A question whose pronoun stands for something that was said before."""
    plain = _STANDS_ALONE.sub(" ", bare)
    found = _POINTS_BACK.search(plain)
    return found is not None and len(terms(plain[: found.start()])) <= _SHORT


def _names_nothing(bare: str) -> bool:
    """A question that asks for a property and does not say of what ("What is the minimum I have to pay?")."""
    asked = frozenset(terms(bare))
    return bool(asked) and asked <= _properties()


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """Every topic word that the lexicon knows."""
    lexicon = reader().lexicon
    groups = (*lexicon.same, *lexicon.opposites, *lexicon.alternatives)
    return frozenset(terms(" ".join(word for group in groups for word in group))) | _properties()


@lru_cache(maxsize=1)
def _properties() -> frozenset[str]:
    return frozenset(terms(reader().lexicon.properties))


def _put_in(fragment: str, before: str) -> str:
    """The fragment in the place of its like in the question before, or added to it."""
    piece = fragment.rstrip("?!. ")
    if _ASKS_ONLY.match(piece):
        return f"{piece[0].upper()}{piece[1:]}: {_topic(before)}?"
    core = _LEADING.sub("", piece)
    for group in _groups():
        mine, theirs = group.search(piece), group.search(before)
        if mine and theirs:
            whole = mine[0].lower() in core.lower() and len(core.split()) <= 4
            return before[: theirs.start()] + _like(theirs[0], core if whole else mine[0]) + before[theirs.end() :]
    return f"{before.rstrip('?!. ')} {piece if _JOINED.match(piece) else f'for {piece}'}?"


def _like(old: str, new: str) -> str:
    """A branch takes "in a" where it stands for a word like "online"."""
    return f"in a {new}" if new.lower() == "branch" and " " not in old.strip() else new


@lru_cache(maxsize=1)
def _groups() -> tuple[re.Pattern[str], ...]:
    """Each group of alternatives, with the capitalised words of a product's name before and after them."""
    made = []
    for group in reader().lexicon.alternatives:
        words = "|".join(re.escape(word) for word in sorted(group, key=len, reverse=True))
        plain = rf"(?<![\w-])(?:{words})(?![\w-])"
        made.append(_pattern(rf"(?:\b(?-i:[A-Z])[\w-]+\s)+(?=(?-i:[A-Z])){plain}(?:\s(?-i:[A-Z])\w+)*|{plain}"))
    return tuple(made)


def _topic(before: str) -> str:
    """What the question before was about: its words without the asking."""
    return _ASKING.sub("", parts.first(before)).rstrip("?!. ") or before.rstrip("?!. ")

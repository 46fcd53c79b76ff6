"""A question that asks two things, as its parts: by comparison, by joined clauses, by sentences; without a model."""

import re

MOST = 3
"""Parts of one question."""
_LONGEST = 1_000

_ASKS = (
    r"(?:(?:by|to|in|on|from|for|at|under|up to) )?(?:how|what|which|when|where|who|whose|whom|why)\b"
    r"|(?:must|may|might|can|could|do|does|did|is|are|am|was|were|will|would|should|has|have|whether)\b"
)
_QUESTION = re.compile(rf"(?:(?:and|but|or|also|then|so),? )*(?:{_ASKS})", re.I)
_SENTENCES = re.compile(r"(?<=[?.!])\s+(?=[\"“(]?[A-Z])")
_CLAUSES = re.compile(rf"\s*;\s+|,?\s+(?:and|but|or|plus|while)\s+(?:also,?\s+)?(?={_ASKS})", re.I)
_SIDES = re.compile(
    r",?\s+(?:versus|vs\.?|as opposed to|compared (?:to|with)|in contrast to|whereas|(?:the )?same as)\s+", re.I
)
_COMPARES = re.compile(
    r"(?:please )?(?:compare|contrast|(?:(?:explain|what(?:'s| is| are)|tell me) )?(?:the )?differences? between)\s+",
    re.I,
)
_PAIR = re.compile(r",?\s+(?:and|with|against|to|from)\s+", re.I)
_WORD = re.compile(r"[\w$']+")
_LEADS = frozenset(
    {
        "a",
        "an",
        "the",
        "my",
        "our",
        "your",
        "his",
        "her",
        "their",
        "for",
        "on",
        "in",
        "of",
        "with",
        "to",
        "under",
        "at",
        "by",
        "when",
        "if",
        "from",
    }
)
_ASKING = re.compile(r"((?:how|what|when|which|where)\b(?: \w+){0,5}?) (?=(?:a|an|the|my|our|for|on|in|of)\b)", re.I)


def parts(question: str) -> tuple[str, ...]:
    """The two or three questions in one; none where it asks a single thing. At most 1,000 characters are read.

    A sentence that tells and does not ask is no part. The second of two things compared takes over the beginning of
    the first: "how long may I dispute a bill and a transfer" asks how long I may dispute a transfer.
    """
    text = " ".join(question[:_LONGEST].split())
    sentences = [one.rstrip(" ?.!") for one in _SENTENCES.split(text)]
    asked = [one for one in sentences if len(sentences) == 1 or _asks(one)]
    found = [part for sentence in asked for part in _parted(sentence)]
    return tuple(found[:MOST]) if len(found) > 1 else ()


def _asks(sentence: str) -> bool:
    return bool(_QUESTION.match(sentence) or _COMPARES.match(sentence) or _SIDES.search(sentence))


def _parted(sentence: str) -> list[str]:
    """The things that a sentence asks; itself where it is one."""
    compares = _COMPARES.match(sentence)
    body = sentence[compares.end() :] if compares else sentence
    sides = _SIDES.split(body)
    if len(sides) == 1 and compares:
        sides = _pair(body)
    if len(sides) == 1:
        sides = _CLAUSES.split(body)
    sides = [side.strip(" ,") for side in sides]
    kept = [side for side in sides if len(_WORD.findall(side)) >= 2]
    if len(kept) < 2:
        return [sentence]
    return [kept[0], *(_completed(kept[0], side) for side in kept[1:])]


def _pair(body: str) -> list[str]:
    """The two things of a comparison, at the "and" or "with" that leaves the most alike halves."""
    places = list(_PAIR.finditer(body))
    if not places:
        return [body]
    middle = min(
        places,
        key=lambda place: (
            place[0].strip(" ,").lower() not in {"and", "with"},
            abs(place.start() - (len(body) - place.end())),
        ),
    )
    return [body[: middle.start()], body[middle.end() :]]


def _completed(first: str, second: str) -> str:
    """The second of two things with the words before the first, where those ask and it does not."""
    if _QUESTION.match(second) or not _QUESTION.match(first):
        return second
    words, lead = first.split(), second.split()[0].lower()
    if lead in _LEADS:
        same = [place for place, word in enumerate(words) if place and word.lower() == lead]
        if same:
            return " ".join([*words[: same[-1]], second])
    asking = _ASKING.match(first)
    return f"{asking[1]} {second}" if asking else second

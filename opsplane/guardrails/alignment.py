"""A sentence laid beside the lines of evidence that it most repeats: what it adds, leaves out and turns round."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from opsplane.guardrails import wording

_TOKENS = 90
"""Tokens of a text that are compared; the rest is not looked at."""
_RUN = 5
"""A stretch this long that the first line does not hold is compared with a second line."""
_SAME_PHRASES = {
    "no more than": "at most", "not more than": "at most", "up to": "at most", "no less than": "at least",
    "not less than": "at least", "a minimum of": "at least", "a maximum of": "at most", "no later than": "by",
    "not later than": "by", "prior to": "before", "in case": "if", "provided that": "if", "as long as": "if",
    "except if": "unless", "is able to": "can", "are able to": "can", "has to": "must", "have to": "must",
    "is required to": "must", "are required to": "must", "needs to": "must", "without a fee": "free",
    "free of charge": "free", "cannot": "can not", "per cent": "%", "percent": "%", "dollars": "$",
}  # fmt: skip
_SAME_WORDS = {
    "shall": "must", "can": "may", "once": "when", "till": "until", "following": "after", "within": "in",
    "maximum": "most", "minimum": "least", "any": "every", "each": "every", "all": "every", "none": "no",
    "never": "not", "nor": "not", "purchase": "buy", "an": "a", "whenever": "when", "because": "since", "n't": "not",
}  # fmt: skip
_PHRASE = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _SAME_PHRASES), key=len, reverse=True)) + r")\b")
_TOKEN = re.compile(r"n't\b|[^\W\d_]+?(?=n't\b)|[^\W\d_]+|\$|%|[0-9]+(?:[.:,][0-9]+)*")
_NEGATION_WORDS = "not no without neither nobody nothing"
_CONDITION_WORDS = (
    "if unless when until except where while only before after during for in subject depending at once with"
)
_STRICT_WORDS = "if unless when until except only subject depending where provided"
_TURNING_WORDS = (
    "most least more less than every some may must always usually free required optional first last earlier later "
    "above below over under increase decrease highest lowest and or both either by from also outside chargeable "
    "higher lower up down"
)
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_CONDITIONS = frozenset(_CONDITION_WORDS.split())
_STRICT = frozenset(_STRICT_WORDS.split())
_TURNING = _CONDITIONS | _NEGATIONS | frozenset(_TURNING_WORDS.split())
FEATURES = (
    "alike", "alike_first", "added_negation", "dropped_negation", "negation_parity", "cut_condition", "cut_strict",
    "cut_other", "turned", "added_turning", "added_strict", "added_content", "added_numbers", "cut_numbers",
    "swapped_numbers", "swapped_content", "runs_added",
)  # fmt: skip


class _Part(NamedTuple):
    """A stretch in which the two texts part: the evidence's tokens, and the sentence's in their place."""

    theirs: Sequence[str]
    ours: Sequence[str]


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Words, numbers and signs in lower case, phrases of one meaning written alike."""
    lowered = _PHRASE.sub(lambda match: _SAME_PHRASES[match.group()], text[:4000].lower())
    found = _TOKEN.findall(lowered)[:_TOKENS]
    return tuple(_number(token) if token[0].isdigit() else _word(token) for token in found)


def _number(token: str) -> str:
    plain = token.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _word(token: str) -> str:
    same = _SAME_WORDS.get(token, token)
    return same if same in _TURNING else wording.stem(same)


def measure(claim: str, near: Sequence[str]) -> list[float]:
    """The numbers of `FEATURES` for a claim and the lines nearest to it, best first."""
    ours = tokens(claim)
    lines = [tokens(line) for line in near]
    if not lines or not ours:
        return [0.0] * 11 + [float(len(ours))] + [0.0] * (len(FEATURES) - 12)
    shares = [_share(ours, line) for line in lines]
    first = max(range(len(lines)), key=shares.__getitem__)
    parts, matched = _parts(lines[first], ours)
    alone = matched
    rest: list[_Part] = []
    used: list[Sequence[str]] = [lines[first]]
    for part in parts:
        second = _second(part.ours, [line for place, line in enumerate(lines) if place != first])
        if second is None:
            rest.append(part)
            continue
        more, gained = _parts(second, part.ours)
        matched += gained
        used.append(second)
        rest += [_Part(part.theirs, ()), *more]
    return [matched / len(ours), alone / len(ours), *_numbers(rest, ours, used)]


def _share(ours: Sequence[str], line: Sequence[str]) -> float:
    common = len(set(ours) & set(line))
    return common / len(set(ours)) + 0.3 * common / max(1, len(set(line)))


def _second(run: Sequence[str], lines: Sequence[Sequence[str]]) -> Sequence[str] | None:
    """The line that holds most of a long stretch, where it holds at least half of it."""
    if len(run) < _RUN or not lines:
        return None
    best = max(lines, key=lambda line: _share(run, line))
    return best if len(set(run) & set(best)) >= 0.5 * len(set(run)) else None


def _parts(theirs: Sequence[str], ours: Sequence[str]) -> tuple[list[_Part], int]:
    """Where the two part, what stands before and behind the common stretch in theirs too; tokens in common."""
    found, matched = [], 0
    for kind, a, b, c, d in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if kind == "equal":
            matched += d - c
        else:
            found.append(_Part(theirs[a:b], ours[c:d]))
    return found, matched


def _numbers(parts: Sequence[_Part], ours: Sequence[str], used: Sequence[Sequence[str]]) -> list[float]:
    said, held = set(ours), {token for line in used for token in line}
    added = [t for part in parts for t in part.ours if t not in held]
    dropped = [t for part in parts for t in part.theirs if t not in said]
    cuts = [part for part in parts if part.theirs]
    condition = [len(part.theirs) for part in cuts if _opens(part, _CONDITIONS, said)]
    strict = [len(part.theirs) for part in cuts if _opens(part, _STRICT, said)]
    content = [t for t in added if t not in _TURNING and not t[0].isdigit() and len(t) > 3]
    swaps = [part for part in parts if part.theirs and part.ours and len(part.theirs) <= 4 and len(part.ours) <= 4]
    negations = [sum(t in _NEGATIONS for t in ours), sum(t in _NEGATIONS for line in used for t in line)]
    return [
        sum(t in _NEGATIONS for t in added),
        sum(t in _NEGATIONS for t in dropped),
        abs(negations[0] - negations[1]),
        max(condition, default=0),
        max(strict, default=0),
        max((len(part.theirs) for part in cuts), default=0),
        sum(_turned(part) for part in swaps),
        sum(t in _TURNING for t in added),
        sum(t in _STRICT for t in added),
        len(content),
        sum(t[0].isdigit() for t in added),
        sum(t[0].isdigit() for t in dropped),
        sum(
            any(t[0].isdigit() for t in p.theirs) and any(t[0].isdigit() and t not in p.theirs for t in p.ours)
            for p in swaps
        ),
        sum(any(t not in held and t not in _TURNING and not t[0].isdigit() for t in part.ours) for part in swaps),
        max((sum(t not in held for t in part.ours) for part in parts), default=0),
    ]


def _opens(part: _Part, words: frozenset[str], said: set[str]) -> bool:
    """A condition stands at the head of what was left out, and the sentence says nothing of it elsewhere."""
    head = part.theirs[:2]
    return any(token in words for token in head) and sum(t in said for t in part.theirs) <= 0.6 * len(part.theirs)


def _turned(part: _Part) -> bool:
    a, b = set(part.theirs) & _TURNING, set(part.ours) & _TURNING
    return bool(a and b and a != b)

"""Words that claim something of every case: "all", "never", "without any limit"; the source must say so of the same."""

import re
from collections.abc import Iterator, Sequence

from opsplane.guardrails.contradiction import Conflict
from opsplane.guardrails.reading import Source

_UNIVERSAL = re.compile(
    r"\b(?:all|every(?:one|body|thing|where)?|each|any(?:one|body|thing|where|time)?|always|never|ever|no|none|"
    r"nobody|nothing|unlimited|entirely|completely|fully|totally|absolutely|guaranteed?|both|whole|24 hours)\b|"
    r"\bwithout (?:any |a )?(?:limit|exception|condition|restriction)s?\b",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\b(?:all|every(?:one|body|thing)?|always|never|unlimited|entirely|completely|fully|totally|absolutely)\b|"
    r"\bwithout (?:any |a )?(?:limit|exception|condition|restriction)s?\b",
    re.IGNORECASE,
)
_ABOUT = 0.5
"""Share of the sentence's stems that a sentence of the source must hold to speak of the same."""
_WEIGHT = 0.6


def conflicts(text: str, stems: frozenset[str], sources: Sequence[Source]) -> Iterator[Conflict]:
    """A strong word of this kind, where no sentence of the sources about the same has any such word."""
    match = _STRONG.search(text)
    if match is None or len(stems) < 2:
        return
    for source in sources:
        for part in source.parts:
            if len(stems & part.stems) >= _ABOUT * len(stems) and _UNIVERSAL.search(part.text):
                return
    detail = "says it of every case; no cited source does"
    yield Conflict("grounding.condition", match.group(), detail, _WEIGHT)

"""The form of a sentence before it is shown: no markup, nothing invisible, no half sentences, no named rivals."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from opsplane.evidence import Evidence
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii, wording
from opsplane.release import Release

INVISIBLE = 3
"""Characters that cannot be seen, such as joiners and soft hyphens, that a sentence may hold."""

_MARKUP = re.compile(
    r"!\[[^\]\n]{0,500}\]|<[/!?]?[a-zA-Z][^<>\n]{0,500}>?|(?:java|vb)script\s*:|data:\s*\w{1,20}/\w|"
    r"\bon\w{3,20}\s*=\s*[\"']",
    re.IGNORECASE,
)
_LINK = re.compile(r"\]\s?\(\s{0,5}<?([^)\s>]{0,500})|^\s{0,3}\[[^\]\n]{1,200}\]:\s{0,5}(\S{1,500})", re.MULTILINE)
_HIDDEN_LINK = re.compile(
    r"\bh[tx]{2}ps?\s?[:\[(]|\b[\w-]{2,60} ?[(\[{]? ?(?:\bdot\b|(?<=[(\[{])\.) ?[)\]}]? ?"
    r"(?:com|org|net|io|co|info|biz|example|app|ru|xyz)\b",
    re.IGNORECASE,
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_UNSEEN = frozenset({"Cf", "Cc", "Co", "Cs", "Cn"})
_OPEN_WORDS = (
    "a an and are as at because been but by can could did does each every for from had has have her his if into is its "
    "may might more must my nor of or our shall should so such than that the their these this those though to unless "
    "until was were when where whereas which while who whose will with without would you your"
)
_OPEN = frozenset(_OPEN_WORDS.split())
_ITEM = re.compile(r"\s{0,12}(?:[-*+•☐]\s|[|#>]|\d{1,3}[.)]\s)")
_CLOSING = " \t\r\n*_`~\"')]}’”"


def findings(text: str, raw: str, cited: Sequence[Evidence], release: Release) -> list[Finding]:
    """What is wrong with a sentence's form; `raw` is how it was written, `text` how it reads."""
    return [
        *_markup(text),
        *_links(text, raw, cited),
        *_invisible(raw),
        *_unfinished(text, raw, cited),
        *_rivals(text, cited, release.guardrails.competitors),
    ]


def _markup(text: str) -> list[Finding]:
    match = _MARKUP.search(text)
    return [_withhold("output.markup", match.group(), "images, tags and scripts are never shown")] if match else []


def _links(text: str, raw: str, cited: Sequence[Evidence]) -> list[Finding]:
    """A link's target must stand in a cited source; an address that hides what it is, too."""
    targets = [match.group(1) or match.group(2) or "" for match in _LINK.finditer(raw)]
    targets += [match.group() for match in _HIDDEN_LINK.finditer(text)]
    known = " ".join(source.text for source in cited).lower() if targets else ""
    for target in targets:
        if target.strip().lower().rstrip("/") not in known or not target.strip():
            return [_withhold("output.link", target, "a link that stands in no cited source")]
    return []


def _invisible(raw: str) -> list[Finding]:
    """Marks that turn the direction of reading, and more invisible characters than typesetting needs."""
    if raw.isascii() and raw.isprintable():
        return []
    if turned := _BIDI.intersection(raw):
        name = unicodedata.name(min(turned)).lower()
        return [_withhold("output.invisible", "", f"changes the direction of reading ({name})")]
    unseen = sum(char not in "\n\t\r" and _unseen(char) for char in raw)
    if unseen <= INVISIBLE:
        return []
    return [_withhold("output.invisible", "", f"holds {unseen} characters that cannot be seen")]


@lru_cache(maxsize=4_096)
def _unseen(char: str) -> bool:
    return char in _BLANK or unicodedata.category(char) in _UNSEEN


def _unfinished(text: str, raw: str, cited: Sequence[Evidence]) -> list[Finding]:
    """A model stopped in the middle: at a comma or at a word that needs another one, where no source's line ends."""
    bare = text.rstrip(_CLOSING)
    if not bare or bare[-1] in ".!?:…" or _ITEM.match(raw) or bare.count("|") > 1:
        return []
    last = re.split(r"[^\w']+", bare[-60:])[-1]
    words = len(bare.split())
    if bare[-1] not in ",($€£&/–—-" and (last.lower() not in _OPEN or words < 3):
        return []
    lines = (line.rstrip(_CLOSING + ";") for source in cited for line in map(wording.plain, source.text.splitlines()))
    if any(line.endswith(bare) for line in lines):
        return []
    return [_withhold("output.unfinished", bare[-40:], "the sentence stops in the middle")]


def _rivals(text: str, cited: Sequence[Evidence], competitors: Sequence[str]) -> list[Finding]:
    """A competitor is named only where a cited source names it; what may be said of it then is the rules' matter."""
    if not competitors:
        return []
    pattern = _names(tuple(competitors))
    known = {match.group().lower() for source in cited for match in pattern.finditer(source.text)}
    for match in pattern.finditer(text):
        if match.group().lower() not in known:
            return [_withhold("output.competitor", match.group(), "names a competitor that no cited source names")]
    return []


@lru_cache(maxsize=64)
def _names(competitors: tuple[str, ...]) -> re.Pattern[str]:
    """Names as a release writes them or in capitals; of several words in any case. "chase up" is no bank."""
    forms = []
    for name in sorted(competitors, key=len, reverse=True):
        if " " in name.strip():
            forms.append(f"(?i:{re.escape(name.strip())})")
        else:
            forms += [re.escape(name.strip()), re.escape(name.strip().upper())]
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=pii.mask(span), detail=detail)

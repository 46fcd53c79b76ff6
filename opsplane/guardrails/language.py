"""The language of a message: by its script where that tells, else by a statistical model that wants to be sure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock
from typing import NamedTuple

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from opsplane.finding import Action, Finding
from opsplane.guardrails import wording
from opsplane.guardrails.pii import mask
from opsplane.release import Release

READ = 600
"""Characters of a message that are looked at; a language shows itself sooner."""

_LATIN = ("en", "es", "fr", "de", "pt", "it", "nl", "pl", "vi", "tl", "tr", "id", "ro", "ht", "so", "sw", "sq", "hu")
"""Written in Latin letters: English, and what customers of a US bank are likeliest to write in beside it."""
_CERTAIN, _ENGLISH = 0.5, 0.2
"""The foreign language is at least as likely as this, and English at most."""
_FEW, _FEW_CERTAIN, _FEW_ENGLISH = 4, 0.75, 0.05
"""Fewer words than this must be surer: names, courtesies and abbreviations look like anything."""
_ENGLISH_WORDS = (
    "the my your our his her their is are was were am be been have has had does did can could will would should may "
    "what which who whose when where why how i you he she it we they this that these those there of to for from with "
    "without about and or but not if then than up at by into after before please want need get got send sent pay paid "
    "money dollars bank account card balance fee transfer payment payments check loan name make take know tell show "
    "give lost help hello new long much many old same still just only any some all top add use used using do charge "
    "charged purchase"
)
_ANCHORS = frozenset(_ENGLISH_WORDS.split())
"""English words; who writes so many of them writes English, whatever names are between."""
_ANCHORED = 0.4
_SCRIPTS = {
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
}
"""The likeliest language of each script, by the first word of its letters' Unicode names."""
_TELLING: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("zh", re.compile("[\u3041-\u30ff]").search, "ja"),
    ("ru", re.compile("[іїєґІЇЄҐ]").search, "uk"),
    ("ar", re.compile("[ٹڈڑںےہ]").search, "ur"),
    ("ar", re.compile("[پچژگ]").search, "fa"),
)
"""Letters that tell languages of one script apart: the script's likeliest, the letters, whose they are."""
_READING = Lock()
"""Else the threads of the first questions would each read the model."""
_NOISE = re.compile(r"https?://\S{1,200}|\S{1,64}@\S{1,190}|[0-9]+")


class Told(NamedTuple):
    """A language other than English and how certain it is, in [0, 1]."""

    code: str  # ISO 639-1, Tagalog as "tl"
    certainty: float


def findings(text: str, release: Release) -> list[Finding]:
    """A REPLY where the message is in a language that the release does not answer; nothing where it lists none.

    The reply is `language_<code>` where the release words it, else `language`.
    """
    answered = release.guardrails.languages
    told = tell(text) if answered and "language" in release.replies else None
    if told is None or told.code in answered:
        return []
    own = f"language_{told.code}"
    return [
        Finding(
            code=f"language.{told.code}",
            action=Action.REPLY,
            stage="question",
            span=mask(text[:80]),
            detail="not in a language that is answered here",
            score=told.certainty,
            threshold=_CERTAIN,
            reply=own if own in release.replies else "language",
        )
    ]


def tell(text: str) -> Told | None:
    """The language of `text` if it is surely not English; None for English, for names and for what is too short."""
    return _tell(_NOISE.sub(" ", text[:READ]))


@lru_cache(maxsize=1024)
def _tell(text: str) -> Told | None:
    letters = [char for char in unicodedata.normalize("NFKC", text) if char.isalpha()]
    if not letters:
        return None
    return _by_script(text, letters) or _by_model(text)


def _by_script(text: str, letters: list[str]) -> Told | None:
    """The language of the script that most letters have, unless they are Latin or only look Latin."""
    scripts = Counter(script for char in letters if (script := _script(char)))
    if not scripts or sum(scripts.values()) * 2 < len(letters):
        return None
    folded = [char for char in wording.plain(text) if char.isalpha()]
    if folded and sum(char.isascii() for char in folded) > 0.95 * len(folded):
        return None  # English in borrowed letters: a disguise, which other checks read through
    code = next((other for of, has, other in _TELLING if of in _most(scripts) and has(text)), _most(scripts)[0])
    return Told(code, round(sum(scripts.values()) / len(letters), 4))


def _most(scripts: Counter[str]) -> tuple[str, ...]:
    return tuple(code for code, _ in scripts.most_common(1))


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """The likeliest language of a letter's script; "" for Latin and for scripts that are not told."""
    return _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0], "")


def _by_model(text: str) -> Told | None:
    words = re.findall(r"[^\W\d_]+", text)
    if len(words) < 2 or sum(word.lower() in _ANCHORS for word in words) >= _ANCHORED * len(words):
        return None
    with _READING:
        identifier = _identifier()
    likely = dict(identifier.rank(text.lower()))
    english = likely.pop("en")
    code, certainty = max(likely.items(), key=lambda one: one[1])
    few = len(words) < _FEW
    if certainty < (_FEW_CERTAIN if few else _CERTAIN) or english > (_FEW_ENGLISH if few else _ENGLISH):
        return None
    return Told(code, round(certainty, 4))


@cache
def _identifier() -> LanguageIdentifier:
    """The model, read once in about half a second."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LATIN)
    return identifier

"""What a model must not give away about itself: a planted word, its instructions, its tools; in any disguise.

The agent writes `token(release)` into the system prompt. A model that hands its prompt on hands the word on with it.
"""

import codecs
import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache

from opsplane.evidence import Evidence, Origin
from opsplane.finding import Action, Finding
from opsplane.guardrails import disguise, wording
from opsplane.release import Release

WORDS = 8
"""So many words in a row that the system prompt holds too count as a leak of it."""
LETTERS = 40
"""Likewise so many letters in a row, whatever stands between them."""
SENTENCE = 18
"""A whole sentence of the prompt counts from so many letters on."""

_LENGTH, _PIECE = 16, 9  # letters of the canary, and how many of them in a row are no accident
_NO_LETTER = re.compile(r"[\W\d_]+")
_IDENTIFIER = re.compile(r"(?<![\w@/.-])[A-Za-z][A-Za-z0-9]{0,40}(?:_{1,3}[A-Za-z0-9]{1,40}){1,10}(?![\w@])")
_SCHEMA = re.compile(
    r"[{\[,]\s{0,20}[\"'](?:\w{1,40})[\"']\s{0,20}:|\bdef \w{1,40}\(|\b\w{2,40}\(\s{0,3}\w{2,40}\s?[=:]"
)


def token(release: Release) -> str:
    """A word that stands nowhere else: 16 small letters, another for each release."""
    return _token(release.digest)


@lru_cache(maxsize=256)
def _token(digest: str) -> str:
    drawn = hashlib.sha256(f"canary of {digest}".encode()).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in drawn[:_LENGTH])


def findings(text: str, cited: Sequence[Evidence], release: Release) -> list[Finding]:
    """Whether a sentence, at most 2,000 characters, holds the canary, a stretch of the prompt or a tool's name."""
    passages = [source.text for source in cited if source.origin is Origin.PASSAGE]
    return [*_canary(text, release), *_prompt(text, release), *_tools(text, passages)]


def _canary(text: str, release: Release) -> list[Finding]:
    signs = re.sub(r"[\W_]+", "", disguise.folded(disguise.visible(text))).lower()
    if not any(piece in signs for piece in _pieces(token(release))):
        return []
    return [_withhold("leak.canary", "", "holds the word that is planted in the system prompt")]


@lru_cache(maxsize=256)
def _pieces(canary: str) -> frozenset[str]:
    """Parts of the canary as they would stand in a text without spaces: forwards, backwards, rotated, encoded."""
    written = [canary, canary[::-1], codecs.encode(canary, "rot13")]
    parts = {word[at : at + _PIECE] for word in written for at in range(_LENGTH - _PIECE + 1)}
    for word in (canary, canary.upper(), canary.title()):
        parts.add(word.encode().hex()[2:-2])
        # three beginnings, since each three bytes are encoded together; the ends depend on the neighbours
        parts |= {b64encode(b"x" * pad + word.encode()).decode().rstrip("=")[4:-4].lower() for pad in range(3)}
    return frozenset(parts)


def _prompt(text: str, release: Release) -> list[Finding]:
    runs, letters = _stretches(release.prompt.system, tuple(release.replies.values()))
    whole = _sentences(release.prompt.system)
    for reading in disguise.revealed(text):
        shared, said = next((run for run in _runs(wording.words(reading)) if run in runs), None), _letters(reading)
        if shared or not letters.isdisjoint(_windows(said)) or any(one in said for one in whole):
            return [_withhold("leak.prompt", " ".join(shared or ()), "repeats the assistant's instructions")]
    return []


@lru_cache(maxsize=64)
def _stretches(system: str, replies: Sequence[str]) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """Every run of `WORDS` words of a prompt, and of `LETTERS` letters: forwards, backwards and rotated.

    What the fixed replies say in the same words is no secret.
    """
    letters = _letters(system)
    written = (letters, letters[::-1], codecs.encode(letters, "rot13"))
    said = {run for reply in replies for run in _runs(wording.words(wording.plain(reply)))}
    runs = frozenset(_runs(wording.words(wording.plain(system)))) - said
    return runs, frozenset(w for one in written for w in _windows(one)) - {
        w for r in replies for w in _windows(_letters(r))
    }


@lru_cache(maxsize=64)
def _sentences(system: str) -> tuple[str, ...]:
    """The letters of each sentence of a prompt."""
    sentences = (_letters(one) for one in wording.sentences(" ".join(system.split())))
    return tuple(one for one in sentences if len(one) >= SENTENCE)


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)]


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.lower())


def _windows(letters: str) -> list[str]:
    return [letters[at : at + LETTERS] for at in range(len(letters) - LETTERS + 1)]


def _tools(text: str, passages: Sequence[str]) -> list[Finding]:
    """Names of functions and pieces of their schema; a name that a cited document itself uses may be said."""
    readable = disguise.folded(disguise.visible(text)).replace("\\_", "_")
    for match in _IDENTIFIER.finditer(readable):
        if not any(match.group() in passage for passage in passages):
            return [_withhold("leak.tool", match.group(), "reads like the name of a function or a field")]
    if schema := _SCHEMA.search(readable):
        return [_withhold("leak.tool", schema.group(), "reads like a function or its schema")]
    return []


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=span, detail=detail)

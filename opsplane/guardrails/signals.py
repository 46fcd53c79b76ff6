"""What a message tells beside its question: danger, grief, hardship, pressure, anger, a crime; and what is toxic."""

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, Self

import re2
from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile
from opsplane.finding import Action, Finding
from opsplane.guardrails import wording
from opsplane.guardrails.pii import mask
from opsplane.guardrails.scope import BANKING
from opsplane.release import Release

PACK = Path(__file__).parent / "packs" / "signals-us.yaml"
READ = 4_000
"""Characters of a text in which signals are looked for."""
_QUESTION_WORDS = 7
"""An insult with a question mark and so many words beside it is part of a question."""


class Signal(BaseModel):
    """One thing that a message may tell: any of `patterns` on a sentence, unless one of `unless` is on it too.

    `beside_a_question` is the action where the message also asks something, else `action` holds. `fires` and `passes`
    are test vectors, proved when the pack is read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^(signal|abuse|misuse)\.[a-z_]+$")
    title: str
    because: str  # the law, the document or the policy behind it
    action: Literal[Action.REPLY, Action.DECLINE, Action.PREFACE, Action.NOTE]
    reply: str
    person: bool = False
    beside_a_question: Literal[Action.NOTE] | None = None
    patterns: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    fires: tuple[str, ...] = Field(min_length=15)
    passes: tuple[str, ...] = Field(min_length=15)

    @cached_property
    def _expressions(self) -> tuple[Any, Any]:
        return _compiled(self.patterns), _compiled(self.unless) if self.unless else None

    def match(self, text: str) -> str:
        """The words that tell it, of the first sentence that does; "" where none does."""
        telling, calm = self._expressions
        for sentence in wording.sentences(text[:READ]):
            lower = sentence.lower()
            found = telling.search(lower)
            if found and not (calm and calm.search(lower)):
                return str(found.group())
        return ""

    @model_validator(mode="after")
    def _prove(self) -> Self:
        for pattern in (*self.patterns, *self.unless):
            try:
                _compiled((pattern,))
            except re2.error as error:
                raise ValueError(f"{self.code}: the pattern {pattern!r} is not valid: {error}") from error
        if missed := [text for text in self.fires if not self.match(text)]:
            raise ValueError(f"{self.code} should fire on {missed[0]!r}")
        if hit := [text for text in self.passes if self.match(text)]:
            raise ValueError(f"{self.code} should let pass {hit[0]!r}")
        return self


class Signals(BaseModel):
    """A versioned set of signals, the gravest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    signals: tuple[Signal, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.id} {self.version}"


def findings(text: str, release: Release) -> list[Finding]:
    """Each signal in `text` once, the gravest first; only those whose reply the release words."""
    signals = pack()
    found = []
    for signal in signals.signals:
        if signal.reply not in release.replies or not (span := signal.match(text)):
            continue
        action = signal.beside_a_question if signal.beside_a_question and _asks(text, span) else signal.action
        found.append(
            Finding(
                code=signal.code,
                action=action,
                stage="question",
                span=mask(span),
                detail=f"{signal.title} ({signal.because})",
                reply="" if action is Action.NOTE else signal.reply,
                pack=signals.name,
                person=signal.person,
            )
        )
    return found


@cache
def pack() -> Signals:
    """The signals, read and proved once; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(PACK, Signals)


def _asks(text: str, span: str) -> bool:
    """Whether something for the bank is asked beside the words of the insult."""
    rest = wording.plain(text).lower().replace(span, " ")
    return bool(BANKING.search(rest)) or ("?" in rest and len(wording.words(rest)) >= _QUESTION_WORDS)


def _compiled(patterns: tuple[str, ...]) -> Any:
    return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_SLURS = r"\b(?:nigg(?:er|a)s?|fagg?ots?|kikes?|spics?|chinks?|gooks?|wetbacks?|ragheads?|trann(?:y|ies)|cunts?)\b"
_COARSE = (
    r"\b(?:motherfuck\w{0,5}|fuck\w{0,5}|shit(?:s|ty|head|show)?|bullshit|assholes?|arseholes?|bitch(?:es|y)?|"
    r"bastards?|dickheads?|wankers?|whores?|sluts?|dumbass(?:es)?|pricks?|twats?)\b"
)
_CONTEMPT = (
    r"\b(?:you|you're|they|he|she|customers?|people like you|those people|your (?:family|kind)) "
    r"(?:(?:are|is|must be|really|just|such|all|an?|the|so|too|very|complete|total|absolute|bloody) ){1,5}"
    r"(?:idiots?|morons?|stupid|dumb|imbeciles?|pathetic|worthless|losers?|scum|trash|garbage|disgusting|ugly|"
    r"retard(?:s|ed)?|brainless|lazy|inferior|vermin|parasites?)\b|"
    r"\b(?:shut up|go to hell|drop dead|get lost|screw you)\b|"
    r"\b(?:stupid|dumb|idiotic|pathetic|worthless|foolish) (?:customer|question|person|woman|man|people|request)s?\b"
)
_THREAT = (
    r"\b(?:kill yourself|i(?: will|'ll| am going to) (?:kill|hurt|harm|destroy|shoot|stab) you|"
    r"you (?:deserve|ought) to (?:die|suffer)|you should (?:die|be (?:shot|killed|beaten)))\b"
)
_MILD = r"\b(?:damn(?:ed)?|crap(?:py)?|hell of a|sucks|goddamn|bloody hell|piss(?:ed)? off|screwed)\b"
_TOXIC = tuple(
    (re.compile(pattern, re.IGNORECASE), score)
    for pattern, score in ((_SLURS, 1.0), (_THREAT, 1.0), (_CONTEMPT, 0.9), (_COARSE, 0.8), (_MILD, 0.4))
)
"""Slurs and threats, contempt, coarse words, mild ones, each with its score."""


def toxic(text: str) -> float:
    """How toxic the words are, in [0, 1]: the worst thing in them. For answers as well as for questions."""
    readable = wording.plain(text[:READ])
    if any(signal.match(readable) for signal in pack().signals if signal.code == "abuse.hate"):
        return 1.0
    return max((score for pattern, score in _TOXIC if pattern.search(readable)), default=0.0)

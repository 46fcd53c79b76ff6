"""What kind of message it is, by nearest example questions and by what the search found."""

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsplane.evidence import Evidence, Origin
from opsplane.finding import Action, Finding
from opsplane.guardrails import wording
from opsplane.guardrails.pii import mask
from opsplane.pack import Exemplars
from opsplane.release import Release

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

_TELLS = ("greeting", "thanks", "help", "person")
_TELL_COSINE = 0.65
_TELL_WORDS = 12
_NEIGHBOURS = 3
_STRANGE, _AT_HOME = 0.15, 0.55
"""Cosines of question and best passage below which nothing speaks for an answer, and above which much does."""


class _Known(NamedTuple):
    """The examples as unit vectors, one row each, by kind."""

    vectors: dict[str, NDArray[np.float32]]
    courtesies: frozenset[str]  # every word of the greetings, thanks, calls for help and for a person


class Scope:
    """Tells greetings, thanks, calls for help or a person, and questions that are not for a bank.

    `encode` maps texts to unit vectors, float32 of shape (n, d). The first judgement under new exemplars embeds them
    (about a second); after that a judgement costs one embedding.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._known: dict[Exemplars, _Known] = {}
        self._lock = Lock()

    def judge(self, text: str, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
        """A REPLY to a mere courtesy or call for help, a DECLINE of what is off-topic, else nothing."""
        exemplars = release.guardrails.scope_exemplars
        if exemplars is None or not text.strip():
            return []
        known = self._examples(exemplars)
        vector = self._encode([text])[0]
        if tell := _tell(text, vector, known, exemplars):
            return [tell]
        score = self._off_topic(vector, evidence, known)
        threshold = release.guardrails.scope
        if score < threshold:
            return []
        return [
            Finding(
                code="scope.off_topic",
                action=Action.DECLINE,
                stage="question",
                span=mask(text[:80]),
                detail="far from every example question for the bank and from every passage",
                score=score,
                threshold=threshold,
                reply="out_of_scope",
                pack=exemplars.name,
            )
        ]

    def _off_topic(self, vector: NDArray[np.float32], evidence: Sequence[Evidence], known: _Known) -> float:
        """Certainty in [0, 1] that the question is not for the bank: the milder of the two witnesses."""
        near, far = (_nearness(vector, known.vectors[kind]) for kind in ("in_scope", "off_topic"))
        by_examples = float(np.clip(0.5 + (far - near) * 1.5 + (0.35 - near), 0, 1))
        cosines = [source.cosine for source in evidence if source.origin is Origin.PASSAGE]
        if not cosines:
            return round(by_examples, 4)
        by_search = float(np.clip((_AT_HOME - max(cosines)) / (_AT_HOME - _STRANGE), 0, 1))
        return round(min(by_examples, by_search), 4)

    def learn(self, exemplars: Exemplars) -> None:
        """Embed the examples ahead of the first question."""
        self._examples(exemplars)

    def _examples(self, exemplars: Exemplars) -> _Known:
        with self._lock:  # many may ask at once; the examples are embedded by one of them
            known = self._known.get(exemplars)
            if known is None:
                kinds = ("in_scope", "off_topic", *_TELLS)
                known = self._known[exemplars] = _Known(
                    vectors={kind: self._encode(getattr(exemplars, kind)) for kind in kinds},
                    courtesies=frozenset(
                        word
                        for kind in _TELLS
                        for text in getattr(exemplars, kind)
                        for word in wording.words(text.lower())
                    ),
                )
            return known


def _nearness(vector: NDArray[np.float32], examples: NDArray[np.float32]) -> float:
    """Mean cosine to the nearest examples."""
    return float(np.sort(examples @ vector)[-_NEIGHBOURS:].mean())


def _tell(text: str, vector: NDArray[np.float32], known: _Known, exemplars: Exemplars) -> Finding | None:
    """The courtesy that the text is, if it is nothing else: every word of it stands among such examples."""
    words = wording.words(wording.plain(text))
    if len(words) > _TELL_WORDS or re.search(r"[0-9]", text):
        return None
    best = {kind: float((known.vectors[kind] @ vector).max()) for kind in (*_TELLS, "in_scope")}
    kind = max(_TELLS, key=lambda name: best[name])
    unknown = set(words).difference(known.courtesies)
    if best[kind] < _TELL_COSINE or best[kind] < best["in_scope"] or unknown:
        return None
    return Finding(
        code=f"scope.{kind}",
        action=Action.REPLY,
        stage="question",
        span=mask(text),
        detail=f"nothing but {kind}",
        score=round(min(best[kind], 1.0), 4),
        threshold=_TELL_COSINE,
        reply=kind,
        pack=exemplars.name,
    )

"""What kind of message it is: by nearest examples, a small trained head, the words of banking and what was found."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
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

WEIGHTS = Path(__file__).parent / "weights" / "scope.npz"
"""The head over MiniLM's vectors, made by benchmarks/train_scope.py."""

BANKING = re.compile(
    r"\b(?:bank(?:s|ing)?|accounts?|debit|credit (?:card|limit|line|score)s?|cards?|pin|atms?|cash machine|"
    r"overdra\w{1,6}|wires?|ach|transfer(?:s|red|ring)?|top(?:ping|ped)?[- ]?ups?|balances?|deposits?|withdraw\w{0,6}|"
    r"loans?|mortgages?|fees?|charged|refund\w{0,3}|payees?|payments?|statements?|che(?:ck|que)s?|routing|"
    r"currenc(?:y|ies)|exchange rate|interest|apr|apy|cds?|ira|fdic|identity|standing order|savings|checking)\b",
    re.IGNORECASE,
)
"""Things of banking by name. Naming one speaks for a question a little, and decides nothing."""

_TELLS = ("greeting", "thanks", "help", "person")
_TELL_COSINE = 0.65
_TELL_WORDS = 12
_NEIGHBOURS = 3
_AWAY, _HEAD, _NAMED = 1.5, 0.1, 0.1
"""How much the nearer off-topic examples count, one unit of the head's logit, and a named thing of banking."""
_MIDDLE, _STEEPNESS = 0.22, 4.0
"""Where the sum of the witnesses is undecided, and how quickly certainty grows around it."""
_STRANGE, _AT_HOME = 0.28, 0.68
"""Cosines of question and best passage below which nothing speaks for an answer, and above which everything does."""
_TOOL = 0.08
"""How much less certain it is where an account tool fits the question."""
_PERSON_WORDS = 25
_PERSON = re.compile(
    r"\b(?:speak|talk|chat|connect(?: me)?|transfer me|put me through|pass me|hand me over|get me|give me|need|want|"
    r"reach|call from|prefer) (?:to |with |through to |on to )?(?:speak |talk |chat )?(?:to |with )?"
    r"(?:a |an |the |some |your |one of your )?(?:real |live |actual |human |other |customer service |bank )*"
    r"(?:person|people|human(?: being)?|agent|representative|rep|operator|employee|staff member|somebody real|adviser|"
    r"someone real|supervisor|manager|customer service|teller)\b(?! (?:account|who|that|under|over)\b)",
    re.IGNORECASE,
)

_WHEN = re.compile(
    r"\b(?:(?:what|which) (?:hours?|times?|days?|number)|hours|when (?:can|could|may|is|are|do|does))\b", re.IGNORECASE
)
"""A question about when or where people can be reached is one for the documents."""


class Head(NamedTuple):
    """A logistic regression over sentence vectors: `vector @ weights + bias` is the logit of being off-topic."""

    weights: NDArray[np.float32]
    bias: float

    def logit(self, vector: NDArray[np.float32]) -> float:
        """0 for a vector of another size: an encoder that the head was not trained on."""
        return float(vector @ self.weights) + self.bias if vector.shape == self.weights.shape else 0.0


class _Known(NamedTuple):
    """The examples as unit vectors, one row each, by kind."""

    vectors: dict[str, NDArray[np.float32]]
    courtesies: frozenset[str]  # every word of the greetings, thanks, calls for help and for a person


class Scope:
    """Tells greetings, thanks, calls for help or a person, and questions that are not for a bank.

    `encode` maps texts to unit vectors, float32 of shape (n, d); `tool_fits` tells whether an account tool could answer
    a question. The first judgement under new exemplars embeds them
    (about a second); after that a judgement costs one embedding.
    """

    def __init__(self, encode: Encode, tool_fits: Callable[[str], bool] = lambda _text: False) -> None:
        self._encode = encode
        self._tool_fits = tool_fits
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
        score = self._off_topic(text, vector, evidence, known)
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

    def measure(self, text: str, evidence: Sequence[Evidence], release: Release) -> tuple[str, float]:
        """The kind of message and how certainly it should be declined, in [0, 1]; a courtesy never should."""
        exemplars = release.guardrails.scope_exemplars
        if exemplars is None or not text.strip():
            return "in_scope", 0.0
        known = self._examples(exemplars)
        vector = self._encode([text])[0]
        if tell := _tell(text, vector, known, exemplars):
            return tell.reply, 0.0
        score = self._off_topic(text, vector, evidence, known)
        return "off_topic" if score >= release.guardrails.scope else "in_scope", score

    def _off_topic(self, text: str, vector: NDArray[np.float32], evidence: Sequence[Evidence], known: _Known) -> float:
        certainty = _off_topic(text, vector, evidence, known)
        return round(max(certainty - _TOOL, 0.0), 4) if certainty > _TOOL and self._tool_fits(text) else certainty

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


def _off_topic(text: str, vector: NDArray[np.float32], evidence: Sequence[Evidence], known: _Known) -> float:
    """Certainty in [0, 1] that the question is not for the bank: the milder of two witnesses.

    One is the wording (examples, head, named things), the other what the search found; without passages the wording
    decides alone.
    """
    near, far = (_nearness(vector, known.vectors[kind]) for kind in ("in_scope", "off_topic"))
    strange = 0.85 - near + (far - near) * _AWAY + _head().logit(vector) * _HEAD
    strange -= _NAMED if BANKING.search(text) else 0
    by_wording = 1 / (1 + float(np.exp(-_STEEPNESS * (strange - _MIDDLE))))
    cosines = [source.cosine for source in evidence if source.origin is Origin.PASSAGE]
    if not cosines:
        return round(by_wording, 4)
    by_search = float(np.clip((_AT_HOME - max(cosines)) / (_AT_HOME - _STRANGE), 0, 1))
    return round(min(by_wording, by_search), 4)


@cache
def _head() -> Head:
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        return Head(stored["weights"].astype(np.float32), float(stored["bias"]))


def _nearness(vector: NDArray[np.float32], examples: NDArray[np.float32]) -> float:
    """Mean cosine to the nearest examples."""
    return float(np.sort(examples @ vector)[-_NEIGHBOURS:].mean())


def _tell(text: str, vector: NDArray[np.float32], known: _Known, exemplars: Exemplars) -> Finding | None:
    """The courtesy that the text is, if it is nothing else: every word of it stands among such examples.

    Who asks for a person gets one, whatever else the message is about.
    """
    words = wording.words(wording.plain(text))
    asked = _PERSON.search(wording.plain(text)) if len(words) <= _PERSON_WORDS else None
    if asked and not _WHEN.search(text):
        return _met("person", mask(asked.group()), "asks for a person", 1.0, exemplars)
    if len(words) > _TELL_WORDS or re.search(r"[0-9]", text):
        return None
    best = {kind: float((known.vectors[kind] @ vector).max()) for kind in (*_TELLS, "in_scope")}
    kind = max(_TELLS, key=lambda name: best[name])
    unknown = set(words).difference(known.courtesies)
    if best[kind] < _TELL_COSINE or best[kind] < best["in_scope"] or unknown:
        return None
    return _met(kind, mask(text), f"nothing but {kind}", round(min(best[kind], 1.0), 4), exemplars)


def _met(kind: str, span: str, detail: str, score: float, exemplars: Exemplars) -> Finding:
    return Finding(
        code=f"scope.{kind}",
        action=Action.REPLY,
        stage="question",
        span=span,
        detail=detail,
        score=score,
        threshold=_TELL_COSINE,
        reply=kind,
        pack=exemplars.name,
        person=kind == "person",
    )

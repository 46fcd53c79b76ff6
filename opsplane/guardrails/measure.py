"""Every check's score, threshold and verdict on one text, whether or not it fired: what a bank measures itself by."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from opsplane.evidence import Evidence, Origin, Retrieved, Sentence
from opsplane.finding import Action, Finding
from opsplane.guardrails import context, grounding, pii
from opsplane.guardrails.rails import Rails
from opsplane.release import Release

Stage = Literal["question", "passage", "answer"]
Retrieve = Callable[[str, Release], Awaitable[Retrieved]]

READ = 20_000
"""Characters of a question that are scored: as many as any release lets a question have."""
SCORED: dict[Stage, tuple[str, ...]] = {
    "question": ("injection", "scope"),
    "passage": ("context",),
    "answer": ("grounding", "injection", "toxicity"),
}
"""The checks of each stage that have a threshold."""
BY_RULE: dict[Stage, tuple[str, ...]] = {
    "question": ("size", "access", "compliance", "language", "signal", "abuse", "misuse", "external"),
    "passage": ("external",),
    "answer": ("output", "leak", "access", "compliance", "external"),
}
"""The checks of each stage that fire or do not; their score is 1 or 0. Beside them `pii` reads every text."""
BELOW = frozenset({"grounding"})
"""The checks that block what scores below their threshold; the others block from it on."""
FIELDS = {"grounding": "support"}
"""What the threshold of a check is called in a release, where it is not called like the check."""
FROM_EVIDENCE = frozenset({"grounding"})
"""The checks that mean nothing where no passages are given."""

_FAMILIES = {"question": "size", "output.toxic": "toxicity"}
_OWN_PACKS = frozenset({"scope", "signal", "abuse", "misuse"})
"""Families that are checks of their own although their findings name a pack."""
_RANK = (
    Action.DECLINE,
    Action.WITHHOLD,
    Action.DROP,
    Action.REPLY,
    Action.REWRITE,
    Action.PREFACE,
    Action.DISCLOSE,
    Action.NOTE,
)
_BLOCKS = frozenset({Action.DECLINE, Action.WITHHOLD, Action.DROP})


def _unset(value: object) -> bool:
    return not value


class Place(BaseModel):
    """Where a piece of personal data stands: characters `start` to `end` of the text as given, `end` not included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    start: int
    end: int
    score: float  # how sure that is, in [0, 1]


class Measure(BaseModel):
    """What one check makes of a text; score and threshold are in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    score: float
    threshold: float | None
    verdict: str  # block, reply, rewrite, preface, disclose, note, pass, or off where the release does not use it
    code: str = ""  # of the gravest finding
    codes: tuple[str, ...] = ()  # of all findings: of a pack the ids of its rules
    span: str = ""  # the words it is about, masked where personal
    detail: str = ""
    spans: tuple[Place, ...] = Field(default=(), exclude_if=_unset)  # of `pii`: every piece of personal data


class Measured(BaseModel):
    """A text with every check of its stage, and the turn's own verdict on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    verdict: str  # block, reply (a fixed text answers it), rewrite, pass, or error where a check failed
    code: str = ""  # of the finding that decides
    kind: str = Field(default="", exclude_if=_unset)  # of a question: in_scope, off_topic, greeting, person …
    checks: tuple[Measure, ...] = ()


async def question(text: str, rails: Rails, release: Release, retrieve: Retrieve) -> Measured:
    """A customer's message as the turn meets it, up to the model: screened, searched, placed in scope.

    A message that is too long for the turn is scored all the same, by its first `READ` characters.
    """
    found = await rails.question(text, release)
    read = text[:READ]
    asked = pii.mask(read) if release.guardrails.mask_for_model else read
    evidence = (await retrieve(asked, release)).passages
    kind, strangeness = rails.strangeness(asked, evidence, release)
    found += await rails.scope(asked, evidence, release)
    scores = {"injection": rails.suspicion(read), "scope": strangeness}
    measured = _measured("question", text, found, scores, release)
    scoped = next((one.code for one in found if family(one) == "scope"), "")
    return measured.model_copy(update={"kind": scoped.partition(".")[2] or kind})


async def passage(text: str, rails: Rails, release: Release) -> Measured:
    """A passage or a tool's result, as data that a model would read."""
    _, found = await rails.passages([source(1, text)], release)
    return _measured("passage", text, found, {"context": context.signal(text).score}, release)


async def claim(text: str, evidence: Sequence[str], rails: Rails, release: Release) -> Measured:
    """A sentence of an answer that cites all of these passages."""
    sources = [source(number, one) for number, one in enumerate(evidence, 1)]
    sentence = Sentence(text=text, cites=tuple(one.number for one in sources))
    found = await rails.sentence(sentence, sources, release)
    return _measured("answer", text, found, rails.scores(text, sources, release), release)


async def answer(text: str, rails: Rails, release: Release) -> Measured:
    """Words of an answer without what they stand on: everything is checked but whether passages bear them out."""
    found = await rails.sentence(Sentence(text=text), (), release)
    found = [one for one in found if family(one) not in FROM_EVIDENCE]
    scores = rails.scores(text, (), release)
    return _measured("answer", text, found, {k: v for k, v in scores.items() if k not in FROM_EVIDENCE}, release)


def thresholds(release: Release) -> dict[str, float | None]:
    """The threshold of each scored check; None where the release does not use the check."""
    rails = release.guardrails
    return {
        "injection": rails.injection,
        "scope": rails.scope,
        "context": rails.context,
        "grounding": grounding.THRESHOLD if rails.support is None else rails.support,
        "toxicity": rails.toxicity,
    }


def family(finding: Finding) -> str:
    """The check that a finding comes from; the rules of packs are one check."""
    first = finding.code.partition(".")[0]
    return "compliance" if finding.pack and first not in _OWN_PACKS else family_of(finding.code, finding.stage)


def family_of(code: str, stage: str) -> str:
    """The check that makes findings of a code: mostly its first part; for rules of packs that is no check's name."""
    first = code.partition(".")[0]
    if first == "injection" and stage == "passage":
        return "context"
    return _FAMILIES.get(code) or _FAMILIES.get(first) or first


def _measured(
    stage: Stage, text: str, found: Sequence[Finding], scores: Mapping[str, float], release: Release
) -> Measured:
    limits = thresholds(release)
    others = [name for name in map(family, found) if name not in scores and name != "pii"]
    checks = [_scored(name, score, limits.get(name), found) for name, score in scores.items()]
    checks += [_by_rule(name, found) for name in dict.fromkeys([*BY_RULE[stage], *others])]
    deciding = next((one for one in found if one.action in _BLOCKS or one.action is Action.REPLY), None)
    deciding = deciding or next((one for one in found if one.action is Action.REWRITE), None)
    return Measured(
        stage=stage,
        verdict=_verdict(deciding.action) if deciding else "pass",
        code=deciding.code if deciding else "",
        checks=(*checks, _personal(text)),
    )


def _scored(name: str, score: float, limit: float | None, found: Sequence[Finding]) -> Measure:
    ours = _ours(name, found)
    if name not in BELOW:  # patterns and a model may look for the same; the surer one decides
        score = max([score, *(one.score for one in ours if one.score is not None and one.action in _BLOCKS)])
    over = limit is not None and (score < limit if name in BELOW else score >= limit)
    verdict = "block" if over else "pass" if limit is not None else "off"
    return _told(name, round(score, 6), limit, verdict, ours)


def _by_rule(name: str, found: Sequence[Finding]) -> Measure:
    ours = _ours(name, found)
    return _told(name, 1.0 if ours else 0.0, 1.0, "pass", ours)


def _told(name: str, score: float, limit: float | None, verdict: str, ours: Sequence[Finding]) -> Measure:
    """With the gravest of its findings; `verdict` is that of the score alone, and what blocks goes before."""
    gravest = ours[0] if ours else None
    if gravest and verdict != "block":
        verdict = _verdict(gravest.action)
    return Measure(
        check=name,
        score=score,
        threshold=limit,
        verdict=verdict,
        code=gravest.code if gravest else "",
        codes=tuple(dict.fromkeys(one.code for one in ours)),
        span=gravest.span if gravest else "",
        detail=gravest.detail if gravest else "",
    )


def _personal(text: str) -> Measure:
    """Personal data of every text, as it would be masked; the score is the surest piece's."""
    read = pii.measure(text)
    spans = tuple(
        Place(type=kind, start=start, end=end, score=round(certainty, 4))
        for kind, start, end, certainty in read
        if certainty >= pii.THRESHOLD
    )
    codes = tuple(dict.fromkeys(f"pii.{one.type}" for one in spans))
    return Measure(
        check="pii",
        score=round(max((one.certainty for one in read), default=0.0), 4),
        threshold=pii.THRESHOLD,
        verdict="note" if spans else "pass",
        code=codes[0] if codes else "",
        codes=codes,
        detail="masked on the record" if spans else "",
        spans=spans,
    )


def _ours(name: str, found: Sequence[Finding]) -> list[Finding]:
    """The findings of a check, the gravest first."""
    return sorted((one for one in found if family(one) == name), key=lambda one: _RANK.index(one.action))


def _verdict(action: Action) -> str:
    return "block" if action in _BLOCKS else action.value


def source(number: int, text: str) -> Evidence:
    """A text as the passage of that number."""
    return Evidence(
        number=number,
        origin=Origin.PASSAGE,
        id=str(number),
        document="given",
        title="",
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )

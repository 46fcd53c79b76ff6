"""Every sentence of an answer before it is shown: clean, grounded in what it cites, within the rules."""

import html
from collections.abc import Sequence

from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.finding import Action, Finding
from opsplane.guardrails import canary, compliance, foreign, grounding, injection, output, pii, signals, wording
from opsplane.release import Release

LONGEST = 2_000
"""Characters of one sentence or table row; what is longer is none."""

_EMPHASIS = str.maketrans("", "", "*`~\\")


def check(sentence: Sentence, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
    """What stands against showing the sentence, or goes with it; empty, or only NOTE, means: show it as it is.

    `evidence` is all of the turn's: a number like an account's may stand in any tool result of the turn, everything
    else must stand in what the sentence cites.
    """
    if len(sentence.text) > LONGEST:
        return [_withhold("output.too_long", sentence.text[:80], f"more than {LONGEST:,} characters in one sentence")]
    cited = [source for source in evidence if source.number in sentence.cites]
    tools = [source for source in evidence if source.origin is Origin.TOOL and source not in cited]
    raw = html.unescape(sentence.text)
    text = wording.plain(raw)
    return [
        *output.findings(text, raw, cited, release),
        *_instruction(sentence.text, release.guardrails.injection),
        *canary.findings(raw, cited, release),
        *foreign.findings(text, [*cited, *tools]),
        *_toxic(text, release.guardrails.toxicity),
        *grounding.findings(text, cited, release),
        *compliance.findings(_read(raw), "answer", release),
    ]


def _read(raw: str) -> str:
    """The sentence as its reader sees it: emphasis inside a word does not part it."""
    return raw.translate(_EMPHASIS)


def _instruction(text: str, threshold: float) -> list[Finding]:
    """A passage or a memo may hold instructions; a sentence that repeats them is not shown."""
    found = injection.signal(text)
    if found.score < threshold:
        return []
    finding = _withhold(f"injection.{found.family}", pii.mask(found.span), "reads like an instruction to a model")
    return [finding.model_copy(update={"score": found.score, "threshold": threshold})]


def _toxic(text: str, threshold: float | None) -> list[Finding]:
    if threshold is None or (score := signals.toxic(text)) < threshold:
        return []
    finding = _withhold("output.toxic", pii.mask(text[:80]), "insults, threatens or swears")
    return [finding.model_copy(update={"score": round(score, 4), "threshold": threshold})]


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=span, detail=detail)

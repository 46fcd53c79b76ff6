"""Every sentence of an answer before it is shown: clean, grounded in what it cites, within the rules."""

import html
import re
from collections.abc import Sequence

from opsplane.evidence import Evidence, Sentence
from opsplane.finding import Action, Finding
from opsplane.guardrails import compliance, grounding, injection, pii, wording
from opsplane.release import Release

LONGEST = 2_000
"""Characters of one sentence or table row; what is longer is none."""

_MARKUP = re.compile(
    r"!\[[^\]\n]{0,500}\]|<[/!?]?[a-zA-Z][^<>\n]{0,500}>?|(?:java|vb)script\s*:|data:\s*\w{1,20}/\w|"
    r"\bon\w{3,20}\s*=\s*[\"']",
    re.IGNORECASE,
)
_ENDING = re.compile(r"\b(?:ending|ends)(?: in| with)?:? *[…*x.•]{0,8} *([0-9]{4})\b", re.IGNORECASE)
_CUSTOMER = re.compile(r"\bC-[0-9]{3,}\b")
_ACCOUNT_LIKE = frozenset({"card", "account", "ssn", "iban"})


def check(sentence: Sentence, evidence: Sequence[Evidence], release: Release) -> list[Finding]:
    """What stands against showing the sentence: empty, or only NOTE, means that it may be shown."""
    cited = [source for source in evidence if source.number in sentence.cites]
    if len(sentence.text) > LONGEST:
        return [_withhold("output.too_long", sentence.text[:80], f"more than {LONGEST:,} characters in one sentence")]
    text = wording.plain(html.unescape(sentence.text))
    return [
        *_markup(text),
        *_instruction(sentence.text, release.guardrails.injection),
        *_foreign(text, cited),
        *grounding.findings(text, cited, release),
        *compliance.findings(sentence.text, "answer", release),
    ]


def _markup(text: str) -> list[Finding]:
    match = _MARKUP.search(text)
    return [_withhold("output.markup", match.group(), "images, tags and scripts are never shown")] if match else []


def _instruction(text: str, threshold: float) -> list[Finding]:
    """A passage or a memo may hold instructions; a sentence that repeats them is not shown."""
    found = injection.signal(text)
    if found.score < threshold:
        return []
    finding = _withhold(f"injection.{found.family}", pii.mask(found.span), "reads like an instruction to a model")
    return [finding.model_copy(update={"score": found.score, "threshold": threshold})]


def _foreign(text: str, cited: Sequence[Evidence]) -> list[Finding]:
    """Account-like numbers that the cited evidence does not hold."""
    known = re.sub(r"[^0-9A-Z]", "", " ".join(source.text for source in cited).upper())
    tokens = [text[span.start : span.end] for span in pii.find(text) if span.type in _ACCOUNT_LIKE]
    tokens += [match.group() for pattern in (_ENDING, _CUSTOMER) for match in pattern.finditer(text)]
    for token in tokens:
        digits = re.sub(r"[^0-9]", "", token)
        if digits not in known:
            return [_withhold("access.foreign_data", pii.mask(token), "a number like an account's, in no cited source")]
    return []


def _withhold(code: str, span: str, detail: str) -> Finding:
    return Finding(code=code, action=Action.WITHHOLD, stage="answer", span=span, detail=detail)

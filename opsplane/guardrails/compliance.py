"""The rules of a release's compliance packs, applied to a question or to a sentence of the answer."""

from typing import Literal

from opsplane.finding import Action, Finding
from opsplane.guardrails import wording
from opsplane.guardrails.pii import mask
from opsplane.release import Release


def findings(text: str, reads: Literal["question", "answer"], release: Release) -> list[Finding]:
    """One finding for each rule that fires on a sentence of `text`, in the order of the packs."""
    parts = [wording.plain(sentence) for sentence in wording.sentences(text)]
    found = []
    for pack in release.guardrails.rules:
        for rule in pack.rules:
            if rule.reads != reads:
                continue
            match = next((match for part in parts if (match := rule.match(part))), None)
            if match is None:
                continue
            found.append(
                Finding(
                    code=rule.id,
                    action=Action.DECLINE if reads == "question" else Action.WITHHOLD,
                    stage=reads,
                    span=mask(match.group()),
                    detail=f"{rule.title} ({rule.because})",
                    reply=rule.reply,
                    pack=pack.name,
                )
            )
    return found

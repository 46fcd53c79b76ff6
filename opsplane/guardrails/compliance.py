"""The rules of a release's compliance packs, applied to a question or to a sentence of the answer."""

from opsplane.finding import Action, Finding
from opsplane.guardrails import wording
from opsplane.guardrails.pii import mask
from opsplane.pack import Reads, Rule
from opsplane.release import Release

ACTIONS = {
    ("question", "block"): Action.DECLINE,
    ("question", "person"): Action.REPLY,
    ("question", "note"): Action.NOTE,
    ("answer", "block"): Action.WITHHOLD,
    ("answer", "person"): Action.WITHHOLD,
    ("answer", "rewrite"): Action.REWRITE,
    ("answer", "disclose"): Action.DISCLOSE,
    ("answer", "note"): Action.NOTE,
}
"""What a rule reads and does -> what its finding does to the turn."""


def findings(text: str, reads: Reads, release: Release) -> list[Finding]:
    """One finding for each rule that fires on a sentence of `text`, in the order of the packs."""
    parts = _parts(text, reads)
    return [
        _finding(rule, words, pack.name)
        for pack in release.guardrails.rules
        for rule, words in pack.fired(parts, reads)
    ]


def _parts(text: str, reads: Reads) -> list[str]:
    """The sentences; of an answer also the whole, since Markdown shows lines that follow each other as one."""
    parts = [wording.plain(sentence) for sentence in wording.sentences(text)]
    return [*parts, wording.plain(text)] if reads == "answer" and "\n" in text.strip() else parts


def _finding(rule: Rule, words: str, pack: str) -> Finding:
    return Finding(
        code=rule.id,
        action=ACTIONS[rule.reads, rule.action],
        stage=rule.reads,
        span=mask(words),
        detail=f"{rule.title} ({rule.because})",
        reply=rule.reply,
        pack=pack,
        rewrite=rule.rewrite,
        person=rule.action == "person",
    )

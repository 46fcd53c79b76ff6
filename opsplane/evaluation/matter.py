"""What a judge looks at: a question, the answer that was shown and its sources, and what a case wants of it, if any."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsplane.evaluation.dataset import Case
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.finding import Action, Finding

UNANSWERED = frozenset({Outcome.RECEIVED, Outcome.FAILED, Outcome.STOPPED})
"""Turns that came to no end: there is nothing to judge."""


@dataclass(frozen=True)
class Matter:
    """A live exchange has no `case`. `fixed` are sentences of the bank's own wording, which need no source."""

    question: str
    sentences: tuple[Sentence, ...]
    evidence: tuple[Evidence, ...] = ()
    outcome: Outcome = Outcome.ANSWERED
    code: str = ""
    history: tuple[str, ...] = ()
    fixed: frozenset[str] = frozenset()
    case: Case | None = None

    @classmethod
    def of(cls, exchange: Exchange, case: Case | None = None) -> "Matter":
        """An exchange as it went on the record, with or without the case that asked for it."""
        followed = exchange.standalone and exchange.standalone != exchange.question
        asked = f"{exchange.question}\n(That is: {exchange.standalone})" if followed else exchange.question
        return cls(
            question=asked,
            sentences=exchange.sentences,
            evidence=exchange.evidence,
            outcome=exchange.outcome,
            code=exchange.code,
            history=case.history if case else (),
            fixed=_fixed(exchange),
            case=case,
        )

    @property
    def answer(self) -> str:
        """What was shown, without marks."""
        return " ".join(one.text for one in self.sentences)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to judge."""
        return self.outcome in UNANSWERED or not self.answer.strip()

    def cited(self, sentence: Sentence) -> tuple[Evidence, ...]:
        """The sources that a sentence names."""
        return tuple(one for one in self.evidence if one.number in sentence.cites)


def _fixed(exchange: Exchange) -> frozenset[str]:
    """The bank's own words in an answer: what came first for a customer in trouble, and what was disclosed under it.

    Where the turn was answered by a fixed reply, or not at all, all of it is.
    """
    if exchange.outcome is not Outcome.ANSWERED:
        return frozenset(one.text for one in exchange.sentences)
    before, after = _replies(exchange.findings, Action.PREFACE), _replies(exchange.findings, Action.DISCLOSE)
    after += bool(exchange.withheld)
    head = [one.text for one in exchange.sentences[:before] if not one.cites]
    tail = [one.text for one in exchange.sentences[len(exchange.sentences) - after :] if not one.cites]
    return frozenset([*head, *tail])


def _replies(findings: Sequence[Finding], action: Action) -> int:
    return len({one.reply for one in findings if one.action is action})

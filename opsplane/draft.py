"""A turn in the making: what it has gathered so far, turned into an `Exchange` at any moment."""

from collections.abc import Callable, Iterable

from opsplane.events import SentenceSaid
from opsplane.evidence import Evidence, Origin, Retrieved, Sentence
from opsplane.exchange import Exchange, Looked, Outcome, Question, Rerouted, Route, Usage, Used
from opsplane.finding import Action, Finding
from opsplane.guardrails import pii
from opsplane.plane import Serving
from opsplane.release import Release
from opsplane.spend import Cost, Prices, Purpose, merged

FIRST = 2
"""At most so many replies are said before the answer itself."""
_NEAR, _CLOSE = 3, 0.4
"""So many documents are named where nothing could be answered, and the cosine from which on they are near."""
UNFINISHED = frozenset(
    {
        "model.interrupted",
        "model.truncated",
        "model.safety",
        "model.blocked",
        "model.recitation",
        "model.malformed",
        "model.stopped",
        "model.unavailable",
    }
)
"""Findings of an answer that ended before its last sentence was whole; that sentence is left out."""


class Draft:
    """Collects one turn. The masked `Exchange` is what goes on the record; nothing else does."""

    def __init__(
        self,
        question: Question,
        serving: Serving,
        prices: Prices,
        timer: Callable[[], float],
        purpose: Purpose = Purpose.ANSWER,
    ) -> None:
        self.question = question
        self.serving = serving
        self.topic = ""
        self.searched = Retrieved()
        self.evidence: list[Evidence] = []
        self.said: list[Sentence] = []
        self.withheld: list[Sentence] = []
        self.verified = 0  # sentences of the model that were said
        self.repaired = self.left_out = 0  # sentences: put right after they were refused; refused or not finished
        self.route: Route | None = None
        self._prices = prices
        self._timer = timer
        self._purpose = purpose
        self._begun = timer()
        self._findings: list[Finding] = []
        self._tools: list[Looked] = []
        self._reroutes: list[Rerouted] = []
        self._usage = Usage()
        self._logprob: int | None = None
        self._costs: list[Cost] = []
        self._first: int | None = None
        self._ending: tuple[Outcome, str, str] | None = None

    @property
    def release(self) -> Release:
        """What decides the answer."""
        return self.serving.release

    @property
    def shadow(self) -> bool:
        """Whether nobody sees this turn."""
        return self._purpose is Purpose.SHADOW

    @property
    def asked(self) -> Question:
        """The question as models and the index may see it: masked where the release says so."""
        question = self.question.model_copy(update={"care": self.called_for(Action.PREFACE)[:FIRST]})
        if not self.release.guardrails.mask_for_model:
            return question
        changes = {"text": pii.mask(question.text), "standalone": pii.mask(question.standalone)}
        return question.model_copy(update=changes)

    def find(self, findings: Iterable[Finding]) -> None:
        """Add what a check found, or how a model's answer ended."""
        found = list(findings)
        self._findings.extend(found)
        self.left_out += sum(one.code in UNFINISHED for one in found)

    def verdict(self) -> Finding | None:
        """The first finding that meets the question with a fixed reply."""
        return next((one for one in self._findings if one.action in (Action.DECLINE, Action.REPLY)), None)

    def fixed(self, reply: str) -> Sentence:
        """One of the release's fixed replies as a sentence; who has no holding message names the way to a person."""
        replies = self.release.replies
        return Sentence(text=replies.get(reply) or replies["person"])

    def called_for(self, action: Action) -> tuple[str, ...]:
        """The replies that findings of this action name and the release words, each once."""
        named = (one.reply for one in self._findings if one.action is action)
        return tuple(name for name in dict.fromkeys(named) if name in self.release.replies)

    def abstention(self) -> list[Sentence]:
        """That no answer stood up, and which documents come nearest."""
        replies, titles = self.release.replies, list(dict.fromkeys(one.title for one in self._near()))[:_NEAR]
        nearby = replies.get("nearby", "")
        told = [Sentence(text=nearby.replace("{documents}", _listed(titles)))] if titles and nearby else []
        return [self.fixed("not_found"), *told]

    def _near(self) -> list[Evidence]:
        passages = (one for one in self.evidence if one.origin is Origin.PASSAGE and one.cosine >= _CLOSE)
        return sorted(passages, key=lambda one: -one.cosine)

    def documents(self) -> int:
        """How many different documents the evidence comes from."""
        return len({one.document for one in self.evidence})

    def look(self, looked: Looked) -> None:
        """Book an account tool's result as evidence."""
        self.evidence.append(looked.evidence)
        self._tools.append(looked)

    def reroute(self, to: Rerouted, *, mending: bool = False) -> None:
        """Another model answers from here on, or mends a sentence."""
        if not mending:
            self.route = to.route
        self._reroutes.append(to)

    def use(self, used: Used, *, mending: bool = False) -> None:
        """Book the tokens of a model call; a model without a price is noted, never silently free.

        Who was asked while a sentence is mended is not who answers.
        """
        if used.purpose is None:  # the tokens of the answer are those of its own calls
            self._usage = self._usage.plus(used.usage)
        if self.route and used.region and used.model == self.route.model and not mending:
            self.route = self.route.model_copy(update={"region": used.region})
        if used.logprob is not None:
            self._logprob = round(used.logprob * 1_000_000)
        purpose = used.purpose or self._purpose
        self._costs.append(self._prices.book(purpose, used.model, used.usage, used.region))
        if not self._prices.knows(used.model, used.region, used.usage):
            detail = f"{used.model} is not in the price table {self._prices.version}"
            if self._prices.knows(used.model, used.region):
                detail = f"what keeping tokens of {used.model} costs is not in the price table {self._prices.version}"
            self.find([Finding(code="spend.unpriced", action=Action.NOTE, stage="answer", detail=detail)])

    def say(self, sentence: Sentence) -> SentenceSaid:
        """Add a sentence to the answer; the event that must be durable before it is shown."""
        self.said.append(sentence)
        if self._first is None:
            self._first = self._elapsed()
        return SentenceSaid(exchange=self.question.id, number=len(self.said), sentence=_masked(sentence))

    def end(self, outcome: Outcome, code: str, error: str = "") -> None:
        """Fix how the turn ends, unless it ends as answered."""
        self._ending = (outcome, code, pii.mask(error))

    def exchange(self) -> Exchange:
        """The turn as it stands, masked for the record."""
        outcome, code, error = self._ending or (Outcome.ANSWERED if self.said else Outcome.RECEIVED, "", "")
        question = self.question
        return Exchange(
            id=question.id,
            conversation=question.conversation,
            customer=question.customer,
            actor=question.actor,
            at=question.at,
            release=self.release.id,
            digest=self.release.digest,
            arm=self.serving.arm,
            rollout=self.serving.rollout,
            share=self.serving.share,
            outcome=outcome,
            code=code,
            question=pii.mask(question.text),
            standalone=pii.mask(question.standalone),
            topic=self.topic,
            sentences=tuple(_masked(one) for one in self.said),
            withheld=tuple(_masked(one) for one in self.withheld),
            index=self.searched.index,
            generation=self.searched.generation,
            evidence=tuple(self.evidence),
            tools=tuple(self._tools),
            findings=tuple(self._findings),
            route=self.route,
            reroutes=tuple(self._reroutes),
            usage=self._usage,
            logprob_millionths=self._logprob,
            costs=merged(self._costs),
            cost_micros=sum(cost.micros for cost in self._costs),
            prices=self._prices.version,
            first_sentence_ms=self._first,
            total_ms=self._elapsed(),
            error=error,
        )

    def _elapsed(self) -> int:
        return round((self._timer() - self._begun) * 1000)


def _listed(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _masked(sentence: Sentence) -> Sentence:
    return sentence.model_copy(update={"text": pii.mask(sentence.text)})

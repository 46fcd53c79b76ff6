"""Flash or Pro, and the reason: a table of rules, each with the words that stand on the record."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from opsplane.budget import Level, Standing
from opsplane.evidence import Evidence
from opsplane.exchange import Question, Route, Tier
from opsplane.ledger.talk import Talk
from opsplane.release import Release, Routing

PLAIN = "a short question with one clear source"
"""Why a question goes to Flash where no rule calls for Pro."""
ESCALATED = "no sentence of Flash's answer passed the checks ({} withheld)"
"""Why Pro tries after Flash."""
NEVER = 100_000
"""A threshold of words, documents or passages that nothing reaches: it switches its rule off."""


@dataclass(frozen=True)
class Signals:
    """What is known about a question before a model is asked; `near` are document and cosine of each passage."""

    words: int
    near: tuple[tuple[str, float], ...] = ()
    topic: str = ""
    care: tuple[str, ...] = ()
    turns: int = 0  # of the conversation, before this one, that a model answered
    pro: bool = False  # whether one of them was answered on Pro

    @property
    def best(self) -> float:
        """The cosine of the nearest passage, 0 without any."""
        return max((cosine for _, cosine in self.near), default=0.0)

    @property
    def margin(self) -> float:
        """That less the cosine of the nearest passage of another document; what has no rival keeps all of it."""
        document = max(self.near, key=lambda one: one[1], default=("", 0.0))[0]
        rival = max((cosine for other, cosine in self.near if other != document), default=0.0)
        return round(self.best - rival, 9)  # 0.8 less 0.7 is not more than 0.1

    def close(self, within: float) -> list[str]:
        """The documents of the passages whose cosine is at most so far from the best, one for each passage."""
        least = round(self.best - within, 9)
        return [document for document, cosine in self.near if round(cosine, 9) >= least]


Found = tuple[object, ...]
"""What a rule found, in the order in which its words name it."""


@dataclass(frozen=True)
class Rule:
    """One reason for Pro. `finds` gives None where it does not hold; then `words` tell nothing.

    `told` is the rule as a release lays it down, by the fields of `Routing`; one that needs a `field` which the release
    leaves out is off.
    """

    name: str
    words: str
    told: str
    finds: Callable[[Signals, Routing], Found | None]
    field: str = ""

    def on(self, policy: Routing) -> bool:
        """Whether a release has this rule."""
        return not self.field or getattr(policy, self.field) not in (None, (), NEVER)


def _least(found: int, threshold: int | None) -> Found | None:
    return (found, threshold) if threshold is not None and found >= threshold else None


def _most(found: float, threshold: float | None) -> Found | None:
    return (found, threshold) if threshold is not None and found <= threshold else None


RULES: tuple[Rule, ...] = (
    Rule(
        "conversation",
        "the conversation is already on Pro",
        "A conversation that has reached Pro stays there.",
        lambda one, _: () if one.pro else None,
    ),
    Rule(
        "care",
        "the customer needs care ({})",
        "A customer in trouble (fraud, bereavement, hardship …) is answered by Pro.",
        lambda one, _: (", ".join(one.care),) if one.care else None,
    ),
    Rule(
        "intent",
        "the question is about {}, which Pro answers",
        "Questions about {pro_intents} go to Pro.",
        lambda one, policy: (one.topic,) if one.topic in policy.pro_intents else None,
        "pro_intents",
    ),
    Rule(
        "words",
        "the question has {} words (Pro from {})",
        "Questions of {pro_from_words:,} words or more go to Pro.",
        lambda one, policy: _least(one.words, policy.pro_from_words),
        "pro_from_words",
    ),
    Rule(
        "turns",
        "{} turns of the conversation came before (Pro from {})",
        "From {pro_from_turns} earlier turns on a conversation goes to Pro.",
        lambda one, policy: _least(one.turns, policy.pro_from_turns),
        "pro_from_turns",
    ),
    Rule(
        "documents",
        "{} documents are about equally close (Pro from {})",
        "Where {pro_from_documents:,} documents or more are within {close_within:g} of the best passage, Pro answers.",
        lambda one, policy: _least(len(set(one.close(policy.close_within))), policy.pro_from_documents),
        "pro_from_documents",
    ),
    Rule(
        "passages",
        "{} passages are about equally close (Pro from {})",
        "Where {pro_from_passages:,} passages or more are within {close_within:g} of the best, Pro answers.",
        lambda one, policy: _least(len(one.close(policy.close_within)), policy.pro_from_passages),
        "pro_from_passages",
    ),
    Rule(
        "margin",
        "the best passage is nearer than that of another document by only {:.3f} (Pro up to {:g})",
        "Where the best passage is nearer than that of another document by {pro_below_margin:g} or less, Pro answers.",
        lambda one, policy: _most(one.margin, policy.pro_below_margin) if one.near else None,
        "pro_below_margin",
    ),
    Rule(
        "cosine",
        "the nearest passage has a cosine of only {:.3f} (Pro up to {:g})",
        "Where the nearest passage has a cosine of {pro_below_cosine:g} or less, Pro answers.",
        lambda one, policy: _most(one.best, policy.pro_below_cosine),
        "pro_below_cosine",
    ),
)
"""Every way to Pro, in the order in which a reason is given. Any one of them is enough."""


def signals(question: Question, passages: Sequence[Evidence], topic: str = "", talk: Talk | None = None) -> Signals:
    """What routing looks at. `talk` is the whole conversation; the turns that are looked back on may be fewer."""
    before = talk or Talk()
    return Signals(
        words=len(question.text.split()),
        near=tuple((one.document, one.cosine) for one in passages),
        topic=topic,
        care=question.care,
        turns=max(before.turns, len(question.earlier)),
        pro=before.pro or any(turn.tier is Tier.PRO for turn in question.earlier),
    )


def needs_pro(known: Signals, policy: Routing) -> str:
    """The first reason why Pro should answer, in words; empty where none does. Pure."""
    for rule in RULES:
        found = rule.finds(known, policy) if rule.on(policy) else None
        if found is not None:
            return rule.words.format(*found)
    return ""


def choose(
    question: Question,
    passages: Sequence[Evidence],
    release: Release,
    standing: Standing,
    topic: str = "",
    talk: Talk | None = None,
) -> Route:
    """The tier that answers: Pro where a rule of the release calls for it, and once a conversation is on Pro.

    A budget that is used up sends every question to Flash.
    """
    if standing.level.rank >= Level.FLASH.rank:
        return Route(tier=Tier.FLASH, model=release.models.flash.name, reason=standing.reason)
    reason = needs_pro(signals(question, passages, topic, talk), release.routing)
    if reason:
        return Route(tier=Tier.PRO, model=release.models.pro.name, reason=reason)
    return Route(tier=Tier.FLASH, model=release.models.flash.name, reason=PLAIN)


def escalate(route: Route, refused: int, release: Release, standing: Standing, spent: int = 0) -> Route | None:
    """Pro for a question of whose answer on Flash no sentence stood up, once, where the release says so.

    `refused` sentences were withheld: where there were none Flash found nothing to say, and Pro would find no more.
    `spent` micro-dollars are this turn's, which `standing` cannot know yet. What another model answered already,
    because Flash did not, is not asked for again.
    """
    if release.routing.escalate is None or route.tier is not Tier.FLASH or not refused:
        return None
    if route.model != release.models.flash.name or _level(standing, spent).rank >= Level.FLASH.rank:
        return None
    return Route(tier=Tier.PRO, model=release.models.pro.name, reason=ESCALATED.format(refused))


def _level(standing: Standing, spent: int) -> Level:
    return standing.budget.level(standing.spent + spent) if standing.budget else standing.level


def policy_in_words(policy: Routing) -> list[str]:
    """The rules that a release has, a sentence each."""
    told = policy.model_dump() | {"pro_intents": ", ".join(policy.pro_intents)}
    lines = [rule.told.format(**told) for rule in RULES if rule.on(policy)]
    if policy.escalate:
        lines.append("Where no sentence of Flash's answer passes the checks, Pro tries once before the turn abstains.")
    return lines


def why(reason: str) -> str:
    """Which rule a reason on the record came from, by its name: `plain`, `budget` and `escalated` are others.

    `other` is what no rule of this version says, such as that another model stood in.
    """
    return next((name for name, pattern in _patterns() if pattern.fullmatch(reason)), "other")


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(_patterned())


def _patterned() -> Iterator[tuple[str, re.Pattern[str]]]:
    texts = [("plain", PLAIN), ("escalated", ESCALATED), *((rule.name, rule.words) for rule in RULES)]
    for name, words in texts:
        pieces = (re.escape(piece) for piece in re.split(r"\{[^}]*\}", words))
        yield name, re.compile(".+".join(pieces), re.DOTALL)
    yield "budget", re.compile(r"Budget .+ spent .+", re.DOTALL)

"""Flash or Pro, and the reason."""

from collections.abc import Sequence

from opsplane.budget import Level, Standing
from opsplane.evidence import Evidence
from opsplane.exchange import Question, Route, Tier
from opsplane.release import Release


def choose(question: Question, passages: Sequence[Evidence], release: Release, standing: Standing) -> Route:
    """The tier that answers: Pro for long, many-sided or delicate questions and once a conversation is on Pro.

    A budget that is used up sends every question to Flash.
    """
    if standing.level.rank >= Level.FLASH.rank:
        return Route(tier=Tier.FLASH, model=release.models.flash.name, reason=standing.reason)
    reason = _needs_pro(question, passages, release)
    if reason:
        return Route(tier=Tier.PRO, model=release.models.pro.name, reason=reason)
    return Route(tier=Tier.FLASH, model=release.models.flash.name, reason="a short question with one clear source")


def escalate(route: Route, refused: int, release: Release, standing: Standing) -> Route | None:
    """Pro for a question of whose answer on Flash no sentence stood up, once, where the release says so."""
    if release.routing.escalate is None or route.tier is not Tier.FLASH or not refused:
        return None
    if standing.level.rank >= Level.FLASH.rank:
        return None
    reason = f"no sentence of Flash's answer passed the checks ({refused} withheld)"
    return Route(tier=Tier.PRO, model=release.models.pro.name, reason=reason)


def _needs_pro(question: Question, passages: Sequence[Evidence], release: Release) -> str:
    policy = release.routing
    if any(turn.tier is Tier.PRO for turn in question.earlier):
        return "the conversation is already on Pro"
    if question.care:
        return f"the customer needs care ({', '.join(question.care)})"
    words = len(question.text.split())
    if words >= policy.pro_from_words:
        return f"the question has {words} words (Pro from {policy.pro_from_words})"
    best = max((passage.cosine for passage in passages), default=0.0)
    close = {passage.document for passage in passages if passage.cosine >= best - policy.close_within}
    if len(close) >= policy.pro_from_documents:
        return f"{len(close)} documents are about equally close (Pro from {policy.pro_from_documents})"
    return ""

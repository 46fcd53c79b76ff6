"""Routing as a panel: the release's policy in words, where the last days' turns went and why, and what that cost."""

from collections.abc import Iterator

from assistant.panels import Panel, dollars, plain, table
from opsplane import routing
from opsplane.exchange import Tier
from opsplane.ledger.routes import MOST, Routes, Turns
from opsplane.release import Release

DAYS = 7
_WHY = {
    "plain": "nothing called for Pro",
    "conversation": "the conversation was on Pro",
    "care": "the customer needed care",
    "intent": "what it was about",
    "words": "a long question",
    "turns": "a long conversation",
    "documents": "several documents equally close",
    "passages": "several passages equally close",
    "margin": "a close call between two documents",
    "cosine": "no passage near",
    "escalated": "nothing of Flash's answer passed",
    "budget": "a budget was used up",
    "other": "another model stood in",
}


def panel(release: Release, found: Routes) -> Panel:
    """The panel."""
    models = release.models
    head = f"**{plain(release.short)}**: Flash is {plain(models.flash.name)}, Pro is {plain(models.pro.name)}."
    policy = "\n".join(f"- {plain(line)}" for line in routing.policy_in_words(release.routing))
    return Panel("\n\n".join(["### Routing", head, policy, *_days(found)]))


def _days(found: Routes) -> Iterator[str]:
    others = f" {found.elsewhere:,} turns were on other releases." if found.elsewhere else ""
    if not found.number:
        yield f"No turn of the last {DAYS} days on this release came to a model.{others}"
        return
    yield f"**The last {DAYS} days:** {found.number:,} turns on this release came to a model.{others}"
    rows = [(tier.value, *_cells(found.tiers.get(tier, Turns()), found.number)) for tier in Tier]
    yield table(("Tier", "Turns", "Share", "Answered", "Cost", "A turn"), rows)
    if not any(one.micros for one in found.tiers.values()):
        yield "Neither tier has cost anything: the embedded model has no price."
    if found.read:
        yield from _reasons(found)


def _reasons(found: Routes) -> Iterator[str]:
    yield _escalated(found.reasons.get((Tier.PRO, "escalated"), Turns()), found.read)
    ranked = sorted(found.reasons.items(), key=lambda one: -one[1].number)
    rows = [(tier.value, _WHY[why], *_cells(turns, found.read)) for (tier, why), turns in ranked]
    yield table(("To", "Because", "Turns", "Share", "Answered", "Cost", "A turn"), rows)
    if found.read < found.number:
        yield f"Reasons are those of {found.read:,} turns, among the newest {MOST:,} of all releases."


def _escalated(turns: Turns, read: int) -> str:
    if not turns.number:
        return "No turn was tried on Pro after Flash."
    share = f"{turns.number * 100 / read:.1f} %"
    told = f"{turns.number:,} ({share}) were tried on Pro after Flash; {turns.answered:,} of them were answered so."
    return f"{told} What Flash cost there counts with Pro."


def _cells(turns: Turns, of: int) -> tuple[str, ...]:
    """Numbers of some turns among all."""
    each = dollars(turns.micros // turns.number) if turns.number else "—"
    share = f"{turns.number * 100 / of:.1f} %"
    return f"{turns.number:,}", share, f"{turns.answered:,}", dollars(turns.micros), each

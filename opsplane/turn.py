"""The governed turn: the one function that makes answers, live, in shadow and in evaluation."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict

from opsplane import routing, scrutiny
from opsplane.access import SERVICE
from opsplane.budget import Level, Standing
from opsplane.draft import Draft
from opsplane.errors import RecordUnavailable
from opsplane.events import BudgetCrossed, CostBooked, ShadowAnswered
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.exchange import Exchange, Looked, Outcome, Question, Rerouted, Route, Used
from opsplane.finding import Action, Finding
from opsplane.ledger.talk import so_far
from opsplane.parts import Part, Parts, Watch
from opsplane.plane import Serving
from opsplane.release import Release
from opsplane.rollouts.assignment import WHOLE
from opsplane.rollouts.rollout import SHADOW
from opsplane.spend import Purpose
from opsplane.state import Standstill

log = logging.getLogger(__name__)


async def govern(question: Question, parts: Parts, watch: Watch) -> Exchange:
    """Answer one question under the release that serves this customer, and put it on the record.

    Raises `RecordUnavailable` where the record cannot be committed: then nothing more may be shown.
    """
    serving = await asyncio.to_thread(parts.plane.release_for, question.customer, question.id)
    draft = Draft(question, serving, parts.prices, parts.timer, parts.purpose)
    await parts.ledger.received(draft.exchange())  # durable before any model is called
    # whatever was decided before the question was on the record counts: no turn begins on what was rolled back
    draft.serving = serving = await asyncio.to_thread(parts.plane.release_for, question.customer, question.id)
    await watch.step("release", f"{serving.release.short} ({serving.arm})")
    try:
        await _answer(draft, parts, watch)
    except RecordUnavailable:
        raise
    except asyncio.CancelledError:
        draft.end(Outcome.STOPPED, "stopped")
        await asyncio.shield(parts.ledger.answered(draft.exchange()))
        raise
    except Exception as error:
        log.exception("turn %s failed", question.id)
        draft.end(Outcome.FAILED, "failed", error=f"{type(error).__name__}: {error}")
        await scrutiny.say(draft.fixed("failed"), draft, parts, watch)
    exchange = draft.exchange()
    await parts.ledger.answered(exchange)  # durable before the turn is complete
    await _watch_budgets(question, parts)
    if parts.aftermath:
        await parts.aftermath.ended(question, exchange, serving, parts)
    return exchange


async def shadow(question: Question, candidate: Release, rollout: str, parts: Parts) -> None:
    """Let a candidate answer what another release has answered already; nobody sees it, and its cost is a shadow's."""
    serving = Serving(candidate, SHADOW, rollout, WHOLE // 2)
    draft = Draft(question, serving, parts.prices, parts.timer, Purpose.SHADOW)
    try:
        await _answer(draft, parts, _Nobody())
    except RecordUnavailable:
        raise
    except Exception as error:
        log.exception("shadow of turn %s failed", question.id)
        draft.end(Outcome.FAILED, "failed", error=f"{type(error).__name__}: {error}")
    exchange = draft.exchange()
    await parts.ledger.append(ShadowAnswered(exchange=exchange), SERVICE, exchange.id, exchange.customer)
    for cost in exchange.costs:
        about = {"exchange": exchange.id, "customer": exchange.customer}
        booked = CostBooked(cost=cost, release=exchange.release, digest=exchange.digest, **about)
        await parts.ledger.append(booked, SERVICE, exchange.id, exchange.customer)


class _Nobody:
    """Who looks on at a shadow."""

    async def step(self, name: str, detail: str) -> None:
        """Nothing is shown."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """Nothing is said."""


async def _watch_budgets(question: Question, parts: Parts) -> None:
    """Put each step that a budget has reached on the record, once."""
    for one in await asyncio.to_thread(parts.budget.crossings, question.customer, question.at):
        await parts.ledger.append(BudgetCrossed(**asdict(one)), SERVICE, subject=one.customer)


async def _answer(draft: Draft, parts: Parts, watch: Watch) -> None:
    if draft.serving.killed:
        draft.find([_killed(draft.serving.killed)])
        await _met(draft, parts, watch)
        return
    release = draft.release
    draft.find(await parts.rails.question(draft.question.text, release))
    if await _met(draft, parts, watch):
        return
    question = draft.asked
    for reply in question.care:
        await scrutiny.say(draft.fixed(reply), draft, parts, watch)
    draft.searched = await parts.retrieve(question.standalone, release)
    if draft.searched.unasked:
        draft.find([_unasked(draft.searched.unasked)])
    found, dropped = await parts.rails.passages(draft.searched.passages, release)
    draft.find(dropped)
    draft.evidence.extend(found)
    await watch.step("search", f"{len(draft.evidence)} passages from {draft.documents()} documents")
    draft.find(await parts.rails.scope(question.standalone, draft.evidence, release))
    draft.topic = await parts.rails.topic(question.standalone)
    if await _met(draft, parts, watch):
        return
    await watch.step("classify", "a question for the bank")
    standing = await asyncio.to_thread(parts.budget.standing, question.customer, question.at)
    if standing.level is Level.STOP:
        draft.find([_stopped(standing)])
        await _met(draft, parts, watch)
        return
    talk = await asyncio.to_thread(so_far, parts.ledger, question.conversation, question.customer, question.id)
    route = routing.choose(question, draft.evidence, release, standing, draft.topic, talk)
    await _respond(route, draft, parts, watch)
    await _escalated(standing, draft, parts, watch)
    if draft.verified or not await _met(draft, parts, watch):
        await _conclude(draft, parts, watch)


async def _respond(route: Route, draft: Draft, parts: Parts, watch: Watch) -> None:
    """Let the model of a route answer, as far as its sentences pass."""
    draft.route = route
    await watch.step("route", f"{route.tier.value}: {route.reason}")
    seconds = getattr(draft.release.models, route.tier.value).timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            async for part in parts.responder.sentences(draft.asked, tuple(draft.evidence), route, draft.release):
                await _take(part, draft, parts, watch)
    except TimeoutError:
        if not draft.verified:
            raise
        draft.find([_interrupted(seconds)])  # what stood up stays


async def _escalated(standing: Standing, draft: Draft, parts: Parts, watch: Watch) -> None:
    """Let Pro try once where nothing of Flash's answer stood up, unless a finding met the question already.

    Pro begins where Flash began, with the passages alone: what it looks up in accounts takes the place of what Flash
    looked up, and what Flash's answer left out is not left out of Pro's.
    """
    if draft.verified or draft.verdict() or not draft.route:
        return
    spent = draft.exchange().cost_micros
    higher = routing.escalate(draft.route, len(draft.withheld), draft.release, standing, spent)
    if higher:
        draft.evidence[:] = [one for one in draft.evidence if one.origin is Origin.PASSAGE]
        draft.left_out = 0
        await _respond(higher, draft, parts, watch)


async def _conclude(draft: Draft, parts: Parts, watch: Watch) -> None:
    """What is said once the model has ended: disclosures, that something was left out, or that nothing stood up."""
    told = f"{draft.verified} sentences passed, {len(draft.withheld)} withheld"
    await watch.step("check", f"{told}, {draft.repaired} repaired" if draft.repaired else told)
    if not draft.verified:
        draft.end(Outcome.ABSTAINED, "not_found")
        closing = draft.abstention()
    else:
        closing = [draft.fixed(reply) for reply in draft.called_for(Action.DISCLOSE)]
        closing += [draft.fixed("partial")] if draft.left_out and "partial" in draft.release.replies else []
    for sentence in closing:
        await scrutiny.say(sentence, draft, parts, watch)


def _stopped(standing: Standing) -> Finding:
    return Finding(
        code="budget.stop", action=Action.DECLINE, stage="question", detail=standing.reason, reply="over_budget"
    )


def _unasked(why: str) -> Finding:
    return Finding(code="search.unasked", action=Action.NOTE, stage="passage", detail=f"exact vectors answered: {why}")


def _interrupted(seconds: float) -> Finding:
    detail = f"the answer was not complete after {seconds:g} seconds"
    return Finding(code="model.interrupted", action=Action.NOTE, stage="answer", detail=detail)


def _killed(switch: Standstill) -> Finding:
    detail = f"the kill switch is on since {switch.at:%Y-%m-%d %H:%M} UTC"
    return Finding(code="killswitch.on", action=Action.DECLINE, stage="question", detail=detail, reply="holding")


async def _met(draft: Draft, parts: Parts, watch: Watch) -> bool:
    """Whether a finding already met the question with a fixed reply, which is then said."""
    finding = draft.verdict()
    if finding is None:
        return False
    await watch.step("classify", f"{finding.code}: {finding.detail}")
    outcome = Outcome.REPLIED if finding.action is Action.REPLY else Outcome.DECLINED
    draft.end(Outcome.FAILED if finding.reply == "failed" else outcome, finding.code)
    await scrutiny.say(draft.fixed(finding.reply), draft, parts, watch)
    return True


async def _take(part: Part, draft: Draft, parts: Parts, watch: Watch) -> None:
    """Book what the responder yields; a sentence is looked into before anybody sees it."""
    match part:
        case Used():
            draft.use(part)
        case Looked():
            draft.look(part)
            await watch.step("account", part.tool)
        case Finding():
            draft.find([part])
        case Rerouted():
            draft.reroute(part)
            await watch.step("route", f"{part.route.tier.value}: {part.route.reason}")
        case Sentence():
            await scrutiny.pass_on(part, draft, parts, watch)

"""The governed turn: the one function that makes answers, live, in shadow and in evaluation."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Protocol

from opsplane import budget, routing
from opsplane.access import SERVICE
from opsplane.budget import Level, Standing
from opsplane.draft import Draft
from opsplane.errors import RecordUnavailable
from opsplane.events import BudgetCrossed, CostBooked, ShadowAnswered
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Looked, Outcome, Question, Route, Used
from opsplane.finding import Action, Finding
from opsplane.guardrails.check import check
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import screen
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane, Serving
from opsplane.release import Release
from opsplane.rollouts.assignment import WHOLE
from opsplane.rollouts.rollout import SHADOW
from opsplane.spend import Prices, Purpose
from opsplane.state import Standstill

log = logging.getLogger(__name__)

Part = Sentence | Looked | Used
Retrieve = Callable[[str, Release], Awaitable[Sequence[Evidence]]]


class Responder(Protocol):
    """What turns a question and its passages into sentences; an agent with a model behind it."""

    def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """Yield sentences with citations, each account tool that was read, and the usage of each model call."""
        ...


class Watch(Protocol):
    """Who looks on while a turn runs: the chat, the terminal, or nobody."""

    async def step(self, name: str, detail: str) -> None:
        """A step of the turn ended."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """A sentence passed every check and is on the record."""


class Aftermath(Protocol):
    """What happens once a turn is on the record, without anybody waiting for it."""

    async def ended(self, question: Question, exchange: Exchange, serving: Serving, parts: "Parts") -> None:
        """A turn ended: judge the rollout that it was part of, and let the candidate answer too where it should."""

    async def settle(self) -> None:
        """Wait for what is under way."""


@dataclass(frozen=True)
class Parts:
    """What a turn is handed."""

    plane: Plane
    ledger: Ledger
    scope: Scope
    retrieve: Retrieve
    responder: Responder
    prices: Prices
    budget: budget.Guard
    aftermath: Aftermath | None = None
    purpose: Purpose = Purpose.ANSWER
    timer: Callable[[], float] = monotonic  # seconds


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
        await _say(draft.fixed("failed"), draft, parts, watch)
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
    question, release = draft.asked, draft.release
    if draft.serving.killed:
        draft.find([_killed(draft.serving.killed)])
        await _met(draft, parts, watch)
        return
    draft.find(screen(draft.question.text, release))
    if await _met(draft, parts, watch):
        return
    draft.evidence.extend(await parts.retrieve(question.standalone, release))
    await watch.step("search", f"{len(draft.evidence)} passages from {draft.documents()} documents")
    draft.find(await asyncio.to_thread(parts.scope.judge, question.standalone, draft.evidence, release))
    if await _met(draft, parts, watch):
        return
    await watch.step("classify", "a question for the bank")
    standing = await asyncio.to_thread(parts.budget.standing, question.customer, question.at)
    if standing.level is Level.STOP:
        draft.find([_stopped(standing)])
        await _met(draft, parts, watch)
        return
    draft.route = routing.choose(question, draft.evidence, release, standing)
    await watch.step("route", f"{draft.route.tier.value}: {draft.route.reason}")
    async with asyncio.timeout(getattr(release.models, draft.route.tier.value).timeout_seconds):
        async for part in parts.responder.sentences(question, tuple(draft.evidence), draft.route, release):
            await _take(part, draft, parts, watch)
    await watch.step("check", f"{len(draft.said)} sentences passed, {len(draft.withheld)} withheld")
    if not draft.said:
        draft.end(Outcome.ABSTAINED, "not_found")
        await _say(draft.fixed("not_found"), draft, parts, watch)


def _stopped(standing: Standing) -> Finding:
    return Finding(
        code="budget.stop", action=Action.DECLINE, stage="question", detail=standing.reason, reply="over_budget"
    )


def _killed(switch: Standstill) -> Finding:
    detail = f"the kill switch is on since {switch.at:%Y-%m-%d %H:%M} UTC"
    return Finding(code="killswitch.on", action=Action.DECLINE, stage="question", detail=detail, reply="holding")


async def _met(draft: Draft, parts: Parts, watch: Watch) -> bool:
    """Whether a finding already met the question with a fixed reply, which is then said."""
    finding = draft.verdict()
    if finding is None:
        return False
    await watch.step("classify", f"{finding.code}: {finding.detail}")
    draft.end(Outcome.REPLIED if finding.action is Action.REPLY else Outcome.DECLINED, finding.code)
    await _say(draft.fixed(finding.reply), draft, parts, watch)
    return True


async def _take(part: Part, draft: Draft, parts: Parts, watch: Watch) -> None:
    """Book what the responder yields; say a sentence only when every check allows it."""
    match part:
        case Used():
            draft.use(part)
        case Looked():
            draft.look(part)
            await watch.step("account", part.tool)
        case Sentence():
            findings = check(part, draft.evidence, draft.release)
            draft.find(findings)
            if any(finding.action is Action.WITHHOLD for finding in findings):
                draft.withheld.append(part)
            else:
                await _say(part, draft, parts, watch)


async def _say(sentence: Sentence, draft: Draft, parts: Parts, watch: Watch) -> None:
    """On the record first, then on the screen: what a customer saw is known even after a crash."""
    event = draft.say(sentence)
    if not draft.shadow:
        await parts.ledger.said(event, draft.question.actor, draft.question.customer)
    await watch.say(sentence, draft.evidence)

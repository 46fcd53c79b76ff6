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
from opsplane.events import BudgetCrossed
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Looked, Outcome, Question, Route, Used
from opsplane.finding import Action, Finding
from opsplane.guardrails.check import check
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import screen
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.spend import Prices, Purpose

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
    purpose: Purpose = Purpose.ANSWER
    timer: Callable[[], float] = monotonic  # seconds


async def govern(question: Question, parts: Parts, watch: Watch) -> Exchange:
    """Answer one question under the release that serves this customer, and put it on the record.

    Raises `RecordUnavailable` where the record cannot be committed: then nothing more may be shown.
    """
    release, arm = await asyncio.to_thread(parts.plane.release_for, question.customer)
    draft = Draft(question, release, arm, parts.prices, parts.timer, parts.purpose)
    await parts.ledger.received(draft.exchange())  # durable before any model is called
    await watch.step("release", f"{release.short} ({arm})")
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
    return exchange


async def _watch_budgets(question: Question, parts: Parts) -> None:
    """Put each step that a budget has reached on the record, once."""
    for one in await asyncio.to_thread(parts.budget.crossings, question.customer, question.at):
        await parts.ledger.append(BudgetCrossed(**asdict(one)), SERVICE, subject=one.customer)


async def _answer(draft: Draft, parts: Parts, watch: Watch) -> None:
    question, release = draft.asked, draft.release
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
    await parts.ledger.said(draft.say(sentence), draft.question.actor, draft.question.customer)
    await watch.say(sentence, draft.evidence)

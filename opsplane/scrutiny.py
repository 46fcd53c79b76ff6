"""One sentence of an answer: checked, repaired once where the release says so, then said or left out."""

from contextlib import aclosing

from opsplane.draft import Draft
from opsplane.evidence import Sentence
from opsplane.exchange import Rerouted, Used
from opsplane.finding import Action, Finding
from opsplane.guardrails.rails import refused
from opsplane.parts import Parts, Refusal, Watch

SURE = 0.9
"""How surely another source must bear out a sentence to be cited in place of the one that the model named.

Whoever looks through all sources finds one that shares its words by chance.
"""


async def pass_on(sentence: Sentence, draft: Draft, parts: Parts, watch: Watch) -> None:
    """Say a sentence of the model only when every check allows it, in other words where a rule gives them."""
    findings = await parts.rails.sentence(sentence, draft.evidence, draft.release, draft.asked.standalone)
    draft.find(findings)
    if not refused(findings):
        await _say(_worded(sentence, findings, draft), draft, parts, watch)
        return
    draft.withheld.append(sentence)
    refusal = Refusal(sentence, tuple(one for one in findings if one.action is Action.WITHHOLD))
    better = await _repaired(refusal, draft, parts) if draft.release.guardrails.repair else None
    if better:
        draft.repaired += 1
        await _say(better, draft, parts, watch)
    else:
        draft.left_out += 1


async def say(sentence: Sentence, draft: Draft, parts: Parts, watch: Watch) -> None:
    """On the record first, then on the screen: what a customer saw is known even after a crash."""
    event = draft.say(sentence)
    if not draft.shadow:
        await parts.ledger.said(event, draft.question.actor, draft.question.customer)
    await watch.say(sentence, draft.evidence)


async def _say(sentence: Sentence | None, draft: Draft, parts: Parts, watch: Watch) -> None:
    if sentence:
        draft.verified += 1
        await say(sentence, draft, parts, watch)


def _worded(sentence: Sentence, findings: list[Finding], draft: Draft) -> Sentence | None:
    """The sentence as it is shown; None where the words that a rule gives for it were said already."""
    rewrite = next((one.rewrite for one in findings if one.action is Action.REWRITE), "")
    if not rewrite:
        return sentence
    draft.withheld.append(sentence)
    return None if any(one.text == rewrite for one in draft.said) else Sentence(text=rewrite)


async def _repaired(refusal: Refusal, draft: Draft, parts: Parts) -> Sentence | None:
    """One attempt: the same words under the source that bears them out, else the model's own correction."""
    if moved := await _cited_elsewhere(refusal.sentence, draft, parts):
        return moved
    attempt = await _attempt(refusal, draft, parts)
    if attempt is None or any(one.text == attempt.text for one in draft.said):
        return None
    findings = await parts.rails.sentence(attempt, draft.evidence, draft.release, draft.asked.standalone)
    draft.find(findings)
    if refused(findings):
        draft.withheld.append(attempt)
        return None
    return _worded(attempt, findings, draft)


async def _attempt(refusal: Refusal, draft: Draft, parts: Parts) -> Sentence | None:
    """The first sentence that the model writes instead; what else came of asking is booked."""
    assert draft.route  # noqa: S101 - a sentence of a model was routed to it
    attempt: Sentence | None = None
    question, evidence, release = draft.asked, tuple(draft.evidence), draft.release
    async with aclosing(parts.responder.repair(refusal, question, evidence, draft.route, release)) as answers:  # type: ignore[type-var]  # an async generator, declared as an iterator
        async for part in answers:
            if isinstance(part, Used):
                draft.use(part, mending=True)
            elif isinstance(part, Sentence) and attempt is None:
                attempt = part
            elif isinstance(part, Rerouted):
                draft.reroute(part, mending=True)
            elif isinstance(part, Finding):
                draft.find([part])
    return attempt


async def _cited_elsewhere(sentence: Sentence, draft: Draft, parts: Parts) -> Sentence | None:
    """The sentence with the one source of the turn that supports it, where the model named another."""
    for source in draft.evidence:
        if source.number in sentence.cites:
            continue
        moved = sentence.model_copy(update={"cites": (source.number,)})
        if parts.rails.own(moved, draft.evidence, draft.release):
            continue
        if parts.rails.certainty(moved, draft.evidence, draft.release) < SURE:
            continue
        findings = await parts.rails.sentence(moved, draft.evidence, draft.release, draft.asked.standalone)
        draft.find(findings)
        return None if refused(findings) else moved
    return None

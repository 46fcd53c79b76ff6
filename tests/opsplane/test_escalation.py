"""A turn of whose answer on Flash nothing stood up: Pro tries once, and all of it is on the record."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from opsplane import topics
from opsplane.budget import Budget, Guard, Period, Steps
from opsplane.budget import Scope as Whose
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Looked, Outcome, Question, Rerouted, Route, Tier, Usage, Used
from opsplane.finding import Action, Finding
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.ledger.store import Ledger
from opsplane.parts import Part, Parts
from opsplane.release import Release
from opsplane.topics import Topics
from opsplane.turn import govern
from tests import fakes
from tests.opsplane.test_turn import GOOD, WRONG, encode, parts, promote

FLASH, PRO = "google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon"
CHEAP = Used(model=FLASH, usage=Usage(input=10_000))  # 7,500 micro-dollars
DEAR = Used(model=PRO, usage=Usage(input=10_000))  # 20,000
BALANCE = Sentence(text="Your balance is $80.00.", cites=(2,))
LOOKED = Looked(
    tool="account_balances",
    arguments={"account": ""},
    evidence=fakes.passage(2, "Your balance is $80.00.", origin="tool", document="account_balances"),
)


@dataclass
class Tiered(fakes.Script):
    """A script for each tier; `given` are the numbers of the evidence that each call was handed."""

    pro: Sequence[Part | Exception] = ()
    routes: list[Route] = field(default_factory=list)
    given: list[list[int]] = field(default_factory=list)

    async def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """The script of the tier."""
        self.routes.append(route)
        self.given.append([one.number for one in passages])
        for part in self.pro if route.tier is Tier.PRO else self.parts:
            if isinstance(part, Exception):
                raise part
            yield part


def handed(ledger: Ledger, script: Tiered, **policy: Any) -> Parts:
    """The parts of a turn under a release that lets Pro try once."""
    models = {"flash": {"name": FLASH}, "pro": {"name": PRO}}
    release = fakes.release(id="tries-pro", models=models, routing={"escalate": "once"} | policy)
    found = parts(ledger, script)
    found.plane.configure({release.id: release}, release.id)
    promote(ledger, release)
    return found


async def run(
    ledger: Ledger, flash: Sequence[Part], pro: Sequence[Part | Exception], **policy: Any
) -> tuple[Exchange, Tiered, fakes.Witness]:
    script, witness = Tiered(flash, pro=pro), fakes.Witness()
    return await govern(fakes.question(), handed(ledger, script, **policy), witness), script, witness


async def test_what_does_not_stand_up_on_flash_is_tried_once_on_pro(ledger: Ledger) -> None:
    exchange, script, witness = await run(ledger, [WRONG, CHEAP], [GOOD, DEAR])
    assert (exchange.outcome, witness.said) == (Outcome.ANSWERED, [GOOD.text])
    assert [one.tier for one in script.routes] == [Tier.FLASH, Tier.PRO]
    assert exchange.withheld == (WRONG,)
    assert exchange.route == script.routes[-1]
    assert "no sentence of Flash's answer passed the checks (1 withheld)" in script.routes[-1].reason


async def test_both_calls_are_booked_each_at_its_own_price(ledger: Ledger) -> None:
    exchange, _, _ = await run(ledger, [WRONG, CHEAP], [GOOD, DEAR])
    assert [(one.model, one.micros) for one in exchange.costs] == [(FLASH, 7_500), (PRO, 20_000)]
    assert exchange.cost_micros == 27_500
    assert ledger.exchange(exchange.id) == exchange


async def test_where_pro_does_no_better_the_turn_abstains_after_exactly_two_calls(ledger: Ledger) -> None:
    exchange, script, witness = await run(ledger, [WRONG, CHEAP], [WRONG, DEAR])
    assert (exchange.outcome, len(script.routes)) == (Outcome.ABSTAINED, 2)
    assert witness.said == [fakes.release().replies["not_found"]]


async def test_an_empty_answer_of_flash_is_not_tried_on_pro(ledger: Ledger) -> None:
    exchange, script, _ = await run(ledger, [CHEAP], [GOOD])
    assert (exchange.outcome, len(script.routes)) == (Outcome.ABSTAINED, 1)


async def test_one_sentence_that_stands_up_is_enough_for_flash(ledger: Ledger) -> None:
    _, script, witness = await run(ledger, [GOOD, WRONG], [GOOD])
    assert (len(script.routes), witness.said) == (1, [GOOD.text])


async def test_nothing_is_said_twice_nor_called_left_out_that_pro_said(ledger: Ledger) -> None:
    worded = fakes.release().replies | {"partial": "I left out part of this answer."}
    script, witness = Tiered([WRONG], pro=[GOOD]), fakes.Witness()
    found = handed(ledger, script)
    release = found.plane.stable().model_copy(update={"id": "worded", "replies": worded})
    found.plane.configure({release.id: release}, release.id)
    promote(ledger, release)
    await govern(fakes.question(), found, witness)
    assert witness.said == [GOOD.text]


async def test_accounts_that_both_looked_up_are_evidence_once(ledger: Ledger) -> None:
    exchange, script, witness = await run(ledger, [LOOKED, WRONG], [LOOKED, BALANCE])
    assert script.given == [[1], [1]]
    assert [one.number for one in exchange.evidence] == [1, 2]
    assert witness.said == [BALANCE.text]


async def test_without_the_releases_word_nothing_is_tried_again(ledger: Ledger) -> None:
    exchange, script, _ = await run(ledger, [WRONG], [GOOD], escalate=None)
    assert (exchange.outcome, len(script.routes)) == (Outcome.ABSTAINED, 1)


async def test_a_budget_that_flash_used_up_pays_for_no_pro(ledger: Ledger) -> None:
    steps = Steps(flash=Decimal(1))
    limit = Budget(id="day", scope=Whose.TOTAL, period=Period.DAY, limit=Decimal("0.0075"), steps=steps)
    script = Tiered([WRONG, CHEAP], pro=[GOOD])
    exchange = await govern(
        fakes.question(), replace(handed(ledger, script), budget=Guard(ledger, (limit,), kept=0)), fakes.Witness()
    )
    assert (exchange.outcome, len(script.routes)) == (Outcome.ABSTAINED, 1)


async def test_an_answer_that_the_provider_blocked_is_not_tried_on_pro(ledger: Ledger) -> None:
    blocked = Finding(code="model.blocked", action=Action.DECLINE, stage="answer", reply="injection")
    exchange, script, _ = await run(ledger, [WRONG, blocked], [GOOD])
    assert (exchange.outcome, exchange.code, len(script.routes)) == (Outcome.DECLINED, "model.blocked", 1)


async def test_what_another_model_answered_in_flashs_place_is_not_tried_on_pro(ledger: Ledger) -> None:
    instead = Route(tier=Tier.FLASH, model="embedded:extractive", reason="nothing answered")
    exchange, script, _ = await run(ledger, [Rerouted(route=instead, code="model.unavailable"), WRONG], [GOOD])
    assert (exchange.outcome, len(script.routes)) == (Outcome.ABSTAINED, 1)


async def test_a_pro_that_fails_is_told_and_both_are_on_the_record(ledger: Ledger) -> None:
    exchange, _, witness = await run(ledger, [WRONG, CHEAP], [DEAR, RuntimeError("the model went away")])
    assert (exchange.outcome, exchange.cost_micros) == (Outcome.FAILED, 27_500)
    assert witness.said == [fakes.release().replies["failed"]]


async def test_after_an_escalated_turn_the_conversation_is_on_pro(ledger: Ledger) -> None:
    script = Tiered([WRONG], pro=[GOOD])
    found = handed(ledger, script)
    await govern(fakes.question(), found, fakes.Witness())
    (earlier,) = ledger.earlier("talk-1", "C-1001", 6)
    assert earlier.tier is Tier.PRO
    await govern(fakes.question(id="exchange-0002", earlier=(earlier,)), found, fakes.Witness())
    assert script.routes[-1].reason == "the conversation is already on Pro"
    assert len(script.routes) == 3


async def test_a_turn_on_pro_that_failed_keeps_the_conversation_on_pro(ledger: Ledger) -> None:
    script = Tiered([GOOD], pro=[RuntimeError("gone")])
    found = handed(ledger, script, pro_from_words=10)
    await govern(fakes.question("why is the overdraft fee as high as it is for me?"), found, fakes.Witness())
    assert ledger.earlier("talk-1", "C-1001", 6) == ()
    await govern(fakes.question(id="exchange-0002"), found, fakes.Witness())
    assert script.routes[-1].reason == "the conversation is already on Pro"


async def test_what_a_question_is_about_can_send_it_to_pro(ledger: Ledger) -> None:
    alike = Topics(lambda texts: np.ones((len(texts), 1), np.float32), topics.load())
    script = Tiered([GOOD], pro=[GOOD])
    found = handed(ledger, script, pro_intents=("accounts",))
    exchange = await govern(fakes.question(), replace(found, rails=Rails(Scope(encode), topics=alike)), fakes.Witness())
    assert (exchange.topic, script.routes[0].reason) == (
        "accounts",
        "the question is about accounts, which Pro answers",
    )

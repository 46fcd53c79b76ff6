"""What becomes of one sentence: said, said in other words, repaired once, or left out."""

from collections.abc import Sequence
from typing import Any

from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome, Usage, Used
from opsplane.ledger.store import Ledger
from opsplane.pack import Pack
from opsplane.parts import Part
from opsplane.turn import govern
from tests import fakes
from tests.opsplane.test_turn import GOOD, WRONG, parts, promote

NO_CITE = Sentence(text=GOOD.text)
RULE = {
    "id": "fees.item",
    "title": "a fee for each item",
    "because": "12 CFR 1030.4",
    "reads": "answer",
    "patterns": [r"\bfor each item\b"],
    "fires": ["The fee is $1 for each item."],
    "passes": ["The fee is $15."],
}


async def run(
    ledger: Ledger, script: Sequence[Part], repairs: Sequence[Sequence[Part]] = (), **rails: Any
) -> tuple[Exchange, fakes.Witness, fakes.Script]:
    """One turn under a release with these guardrails."""
    responder, witness = fakes.Script(script, list(repairs)), fakes.Witness()
    handed = parts(ledger, responder)
    own = fakes.release()
    replies = own.replies | {
        "partial": "I left something out.",
        "nearby": "I have {documents}.",
        "apy": "APY is yearly.",
    }
    release = fakes.release(id="test-2", replies=replies, guardrails=own.guardrails.model_dump() | rails)
    handed.plane.configure({"test-2": release}, "test-2")
    promote(ledger, release)
    exchange = await govern(fakes.question(), handed, witness)
    assert ledger.exchange(exchange.id) == exchange
    return exchange, witness, responder


async def test_a_sentence_without_a_source_is_shown_under_the_one_that_bears_it_out(ledger: Ledger) -> None:
    exchange, _, responder = await run(ledger, [NO_CITE], repair="once")
    assert exchange.sentences == (GOOD,)
    assert exchange.withheld == (NO_CITE,)
    assert responder.refused == []


async def test_a_refused_sentence_is_repaired_by_the_model_once(ledger: Ledger) -> None:
    used = Used(model="embedded:extractive", usage=Usage(input=3, output=2))
    exchange, witness, responder = await run(ledger, [WRONG], [[GOOD, used]], repair="once")
    assert witness.said == [GOOD.text]
    assert exchange.usage.input == 3
    assert [one.code for one in responder.refused[0].findings] == ["grounding.figure"]


async def test_a_repair_that_is_wrong_again_is_left_out_and_said_so(ledger: Ledger) -> None:
    again = Sentence(text="The fee is $99 for each item.", cites=(1,))
    exchange, witness, responder = await run(ledger, [GOOD, WRONG], [[again], [GOOD]], repair="once")
    assert witness.said == [GOOD.text, "I left something out."]
    assert exchange.withheld == (WRONG, again)
    assert len(responder.refused) == 1


async def test_without_a_policy_nothing_is_repaired(ledger: Ledger) -> None:
    exchange, _, responder = await run(ledger, [WRONG], [[GOOD]])
    assert (exchange.outcome, responder.refused) == (Outcome.ABSTAINED, [])


async def test_a_turn_that_abstains_names_the_nearest_documents(ledger: Ledger) -> None:
    _, witness, _ = await run(ledger, [WRONG])
    assert witness.said == [fakes.release().replies["not_found"], "I have Fee Schedule."]


def _pack(**changes: Any) -> list[dict[str, Any]]:
    return [Pack.model_validate({"id": "p", "version": "1", "rules": [RULE | changes]}).model_dump()]


async def test_a_rule_may_give_other_words_which_are_said_once(ledger: Ledger) -> None:
    rules = _pack(action="rewrite", rewrite="Each item costs $15 under the terms in force.")
    exchange, witness, _ = await run(ledger, [GOOD, GOOD], rules=rules)
    assert witness.said == ["Each item costs $15 under the terms in force."]
    assert exchange.withheld == (GOOD, GOOD)
    assert exchange.outcome is Outcome.ANSWERED


async def test_a_disclosure_is_said_once_under_the_answer(ledger: Ledger) -> None:
    rules = _pack(action="disclose", reply="apy")
    _, witness, _ = await run(ledger, [GOOD, GOOD], rules=rules)
    assert witness.said == [GOOD.text, GOOD.text, "APY is yearly."]

"""An event in two parts: what stays readable for good, and what goes with the customer's key."""

import json
from typing import Any

import pytest

from opsplane.draft import Draft
from opsplane.event import ERASED
from opsplane.events import KINDS, CommandRun, FeedbackGiven, QuestionAnswered, SignedIn
from opsplane.finding import Action, Finding
from opsplane.ledger import seal
from opsplane.plane import Serving
from opsplane.spend import Prices
from tests import fakes

FOUND = Finding(
    code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$29", detail="no such figure", score=0.25
)


def answered() -> QuestionAnswered:
    prices = Prices(version="t", source="t", currency="USD", models={})
    draft = Draft(fakes.question(), Serving(fakes.release(), "stable"), prices, lambda: 0.0)
    draft.evidence.append(fakes.passage())
    draft.find([FOUND])
    return QuestionAnswered(exchange=draft.exchange())


def parts(event: Any) -> seal.Line:
    return seal.line(event, fakes.CUSTOMER, fakes.NOON, exchange="e1", subject="C-1001")


def test_both_parts_together_are_the_event_again() -> None:
    line = parts(answered())
    assert seal.join(line.payload, line.private) == answered()


def test_the_public_part_holds_no_word_of_the_customer_or_the_answer() -> None:
    public = parts(answered()).payload.decode()
    assert "overdraft" not in public
    assert "$" not in public
    assert "grounding.figure" in public


def test_after_erasure_the_skeleton_is_left() -> None:
    left = seal.join(parts(answered()).payload, None)
    assert isinstance(left, QuestionAnswered)
    assert (left.exchange.question, left.exchange.standalone) == (ERASED, ERASED)
    assert left.exchange.evidence == ()
    (finding,) = left.exchange.findings
    assert (finding.code, finding.span, finding.score) == ("grounding.figure", "", None)
    assert left.exchange.digest == answered().exchange.digest


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_read_without_its_private_part(kind: str) -> None:
    required = {name for name, field in KINDS[kind].model_fields.items() if field.is_required()}
    assert required & KINDS[kind].private.keys() <= KINDS[kind].erased.keys()


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def test_the_public_part_holds_strings_whole_numbers_and_booleans_only() -> None:
    leaves = _leaves(json.loads(parts(answered()).payload))
    assert {type(leaf) for leaf in leaves} <= {str, int, bool, type(None)}


def test_without_a_customer_the_words_belong_to_the_person_who_acts() -> None:
    line = seal.line(CommandRun(command="audit", arguments="text=fee"), fakes.REVIEWER, fakes.NOON)
    assert line.subject == "@reviewer"
    assert b"text=fee" not in line.payload


def test_an_event_without_words_has_nothing_to_seal() -> None:
    line = seal.line(SignedIn(), fakes.CUSTOMER, fakes.NOON)
    assert (line.private, line.subject) == (b"", "")


def test_no_header_field_can_hold_a_line_end() -> None:
    line = seal.line(FeedbackGiven(exchange="e", value=1), fakes.CUSTOMER, fakes.NOON, exchange="a\nb", subject="c\nd")
    assert (line.exchange, line.subject) == ("a b", "c d")


def test_a_sealed_part_is_bound_to_its_row() -> None:
    line = parts(answered())
    assert line.aad("k1") == b"question_answered\ne1\nC-1001\nk1"


def test_keys_change_with_the_calendar_month() -> None:
    assert seal.period(seal.micros(fakes.NOON)) == "2026-11"

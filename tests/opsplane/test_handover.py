"""Hand-overs as a fold: given these events, who waits and who speaks with whom."""

from datetime import datetime, timedelta

import pytest

from opsplane import handover
from opsplane.errors import InvalidRequest, NotFound
from opsplane.event import EventValue
from opsplane.handover import ABSENT, SILENCE, Handover, Stage
from opsplane.handover_events import (
    HandoverClosed,
    HandoverLapsed,
    HandoverReturned,
    HandoverSaid,
    HandoverTaken,
)
from tests.fakes import NOON
from tests.opsplane.waiting import HALF_AN_HOUR, asked

ONE = "aaaaaaaa-1"
MINUTE = timedelta(minutes=1)


def fold(*events: EventValue, every: timedelta = MINUTE) -> Handover:
    """One hand-over after these events, a minute apart."""
    one: Handover | None = None
    for number, event in enumerate(events):
        one = handover.step(one, event, NOON + number * every) or one
    assert one is not None
    return one


def taken(by: str = "operator", talk: str = "desk-1") -> HandoverTaken:
    return HandoverTaken(handover=ONE, by=by, talk=talk)


def said(side: str, by: str) -> HandoverSaid:
    return HandoverSaid.model_validate({"handover": ONE, "side": side, "by": by, "text": "hello"})


def closed(side: str, by: str) -> HandoverClosed:
    return HandoverClosed.model_validate({"handover": ONE, "side": side, "by": by, "outcome": "ended"})


def test_a_customer_who_asks_waits() -> None:
    one = fold(asked())
    assert (one.stage, one.by, one.due(NOON)) == (Stage.WAITING, "", "")


def test_the_first_who_takes_it_has_it() -> None:
    one = fold(asked(), taken("operator", "desk-1"), taken("reviewer", "desk-2"))
    assert (one.stage, one.by, one.talk) == (Stage.TAKEN, "operator", "desk-1")


def test_whoever_has_it_can_go_on_in_another_chat() -> None:
    assert fold(asked(), taken(), taken(talk="desk-2")).talk == "desk-2"


def test_a_colleague_takes_over_whom_nobody_answers() -> None:
    assert fold(asked(), taken(), said("customer", "customer"), taken("reviewer"), every=ABSENT).by == "reviewer"
    assert fold(asked(), taken(), said("staff", "operator"), taken("reviewer")).by == "operator"


def test_nothing_can_be_said_before_it_is_taken_nor_by_a_stranger() -> None:
    one = handover.step(None, asked(), NOON)
    assert handover.step(one, said("customer", "customer"), NOON) is None
    assert handover.step(fold(asked(), taken()), said("staff", "reviewer"), NOON) is None
    assert handover.step(None, said("customer", "customer"), NOON) is None


def test_who_leaves_puts_the_customer_back_in_the_old_place() -> None:
    later = NOON + 2 * HALF_AN_HOUR
    one = fold(asked(), taken(), HandoverReturned(handover=ONE, by="operator", until=later.isoformat()))
    assert (one.stage, one.by, one.at, one.until) == (Stage.WAITING, "", NOON, later)


@pytest.mark.parametrize(("side", "by"), [("customer", "customer"), ("staff", "operator")])
def test_either_side_ends_it_for_good(side: str, by: str) -> None:
    one = fold(asked(), taken(), closed(side, by), taken("reviewer"))
    assert (one.stage, one.by) == (Stage.OVER, "operator")


def test_who_has_not_taken_it_ends_nothing() -> None:
    assert fold(asked(), taken(), closed("staff", "reviewer")).stage is Stage.TAKEN


def test_it_lapses_when_nobody_comes_and_not_before() -> None:
    lapsed = HandoverLapsed(handover=ONE, why="nobody")
    assert fold(asked(), lapsed, every=MINUTE).stage is Stage.WAITING
    assert fold(asked(), lapsed, every=HALF_AN_HOUR).stage is Stage.OVER


def test_a_silent_conversation_lapses_and_a_word_keeps_it() -> None:
    one = fold(asked(), taken(), said("customer", "customer"))
    assert one.due(NOON + SILENCE) == ""
    assert one.due(NOON + SILENCE + 2 * MINUTE) == "silence"


def test_asked_again_it_becomes_urgent_and_stays_in_its_place() -> None:
    one = fold(asked(), asked(urgent=True, code="signal.fraud"), asked(code="scope.person"))
    assert (one.urgent, one.code, one.at) == (True, "signal.fraud", NOON)


@pytest.mark.parametrize("code", ["signal.fraud", "vulnerability.self_harm", "signal.coercion.partner"])
def test_some_codes_are_urgent(code: str) -> None:
    assert handover.urgent(code)
    assert not handover.urgent(code.split(".")[0])


def _several() -> dict[str, Handover]:
    known: dict[str, Handover] = {}
    for number, (name, urgent) in enumerate([("bbbb-1", False), ("aaaa-2", False), ("cccc-3", True)]):
        at: datetime = NOON + number * MINUTE
        one = handover.step(None, asked(name, at, urgent=urgent), at)
        assert one
        known[name] = one
    return known


def test_the_urgent_come_first_and_then_the_oldest() -> None:
    known = _several()
    assert [one.id for one in handover.waiting(known, NOON)] == ["cccc-3", "bbbb-1", "aaaa-2"]
    assert handover.number(known, known["aaaa-2"], NOON) == 3
    assert handover.number(known, known["aaaa-2"], NOON + 2 * HALF_AN_HOUR) == 0


def test_an_id_may_be_shortened_while_it_is_the_only_one() -> None:
    known = _several()
    assert handover.find(known, "bbbb").id == "bbbb-1"
    with pytest.raises(NotFound):
        handover.find(known, "dddd")
    with pytest.raises(InvalidRequest, match="Which one"):
        handover.find(known, "b")


def test_a_customer_is_found_by_conversation_and_name_alone() -> None:
    known = _several()
    assert handover.of_customer(known, "talk-bbbb-1", "C-1001") is known["bbbb-1"]
    assert handover.of_customer(known, "talk-bbbb-1", "C-1002") is None

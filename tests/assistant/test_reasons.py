"""Reasons are remembered for a conversation and a working day, commands wait for half an hour."""

from datetime import timedelta

import pytest

from assistant.reasons import KEPT, PATIENCE, Reasons, is_reason
from tests.fakes import NOON


def test_a_reason_counts_for_its_person_and_conversation_for_eight_hours() -> None:
    reasons = Reasons()
    reasons.give("ann", "talk-1", "case 4711", NOON)
    assert reasons.known("ann", "talk-1", NOON + KEPT - timedelta(seconds=1)) == "case 4711"
    assert reasons.until("ann", "talk-1") == NOON + KEPT
    assert not reasons.known("ann", "talk-1", NOON + KEPT)
    assert not reasons.known("bob", "talk-1", NOON)
    assert not reasons.known("ann", "talk-2", NOON)


def test_a_command_waits_for_its_reason_until_it_is_abandoned_or_forgotten() -> None:
    reasons = Reasons()
    reasons.wait("ann", "talk-1", "/audit", NOON)
    assert reasons.waits("ann", "talk-1", NOON) == "/audit"
    assert not reasons.waits("bob", "talk-1", NOON)
    assert not reasons.waits("ann", "talk-1", NOON + PATIENCE)
    reasons.abandon("ann", "talk-1")
    assert not reasons.waits("ann", "talk-1", NOON)
    reasons.abandon("ann", "talk-1")


def test_what_has_lapsed_is_not_kept_in_memory() -> None:
    reasons = Reasons()
    for number in range(100):
        at = NOON + number * KEPT
        reasons.give("ann", f"talk-{number}", "case 4711", at)
        reasons.wait("ann", f"talk-{number}", "/audit", at)
    assert len(reasons._given) == len(reasons._waiting) == 1


@pytest.mark.parametrize(
    ("text", "enough"),
    [("case 1", True), ("12345", True), ("Fälle", True), ("ok", False), ("a.b.c.d!!!", False), ("", False)],
)
def test_a_reason_has_five_letters_or_digits(text: str, enough: bool) -> None:
    assert is_reason(text) is enough

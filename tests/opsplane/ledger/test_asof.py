"""What held at a moment of the past is folded from the events up to then."""

from datetime import UTC, datetime, timedelta

import pytest

from opsplane.errors import InvalidRequest
from opsplane.events import PersonAdded, PersonDisabled, ReleasePromoted, ServiceStarted, ServiceStopped, SignedIn
from opsplane.ledger import asof, checkpoint
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.records import sealed

HOUR = timedelta(hours=1)


def test_the_release_in_force_is_the_one_of_then(ledger: Ledger, notary: Notary, clock: fakes.Clock) -> None:
    sealed(ledger, notary)
    then = clock.at
    clock.at += HOUR
    ledger.append_now(ReleasePromoted(release="next", digest="n" * 64, reason="better"), fakes.OPERATOR)
    ledger.settle()
    held, now = asof.as_of(ledger, then), asof.as_of(ledger, clock.at)
    assert (held.state.tenures[-1].by, held.state.stable) == (fakes.APPROVER, "0" * 64)
    assert (now.state.stable, now.state.tenures[-1].by) == ("n" * 64, fakes.OPERATOR)
    assert (held.entries, held.last, held.exchanges) == (22, 22, 8)
    assert now.entries == 23


def test_the_checkpoint_is_the_newest_of_then(ledger: Ledger, notary: Notary, clock: fakes.Clock) -> None:
    sealed(ledger, notary)
    clock.at += HOUR
    checkpoint.make(ledger, notary)
    before = asof.as_of(ledger, clock.at - HOUR / 2).checkpoint
    assert before is not None
    assert (before.size, before.at) == (22, fakes.NOON)


def test_people_and_the_service_are_those_of_then(ledger: Ledger, clock: fakes.Clock) -> None:
    ann = PersonAdded(name="ann", role="reviewer", customer="")
    steps = (ServiceStarted(version="1", settings={}), ann, SignedIn(), PersonDisabled(name="ann"), ServiceStopped())
    for event in steps:
        clock.at += HOUR
        ledger.append_now(event, fakes.OPERATOR)
    ledger.settle()
    held = [asof.as_of(ledger, fakes.NOON + HOUR * number) for number in range(6)]
    assert [len(one.people) for one in held] == [0, 0, 1, 1, 0, 0]
    assert [one.service is not None for one in held] == [False, True, True, True, True, False]
    assert [one.signed_in for one in held] == [0, 0, 0, 1, 1, 1]


def test_before_the_record_began_there_was_nothing(ledger: Ledger) -> None:
    held = asof.as_of(ledger, fakes.NOON - HOUR)
    assert (held.entries, held.checkpoint, held.state.tenures, held.state.stable) == (0, None, (), "")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-23T17:00", datetime(2026, 11, 23, 17, tzinfo=UTC)),
        ("2026-11-23T12:00-05:00", datetime(2026, 11, 23, 17, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_time_is_utc_and_a_day_means_its_end(text: str, at: datetime) -> None:
    assert asof.parse(text) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not a time"):
        asof.parse(text)

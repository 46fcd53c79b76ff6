"""What is kept, and how far an erasure has come, whatever order events come in."""

from datetime import timedelta

import pytest

from opsplane import approval, protection
from opsplane.access import SERVICE, Actor, Role
from opsplane.custody_events import (
    CustomerErased,
    ErasureBegun,
    ErasureKeysDestroyed,
    ErasureStopped,
    RequestDecided,
    RequestMade,
    RetentionApplied,
    RetentionBegun,
    RetentionSet,
)
from opsplane.events import Event
from opsplane.ledger.store import Entry
from opsplane.protection import Protection, Stage
from tests import fakes

OTHER = Actor(id="reviewer2", role=Role.REVIEWER)


def made(action: str, subject: str = "C-1001", **details: str) -> RequestMade:
    until = None if action == "hold" else fakes.NOON + timedelta(days=7)
    return approval.made(action, subject, details, "because", fakes.REVIEWER, until)


def decided(request: RequestMade, decision: str = "approved") -> RequestDecided:
    values = request.model_dump(include={"request", "action", "subject", "digest"})
    return RequestDecided.model_validate(values | {"decision": decision})


def folded(*events: Event, after: timedelta = timedelta(0)) -> Protection:
    actors = {"request_made": fakes.REVIEWER, "request_decided": OTHER}
    entries = [Entry(1, fakes.NOON, actors.get(event.kind, SERVICE), event) for event in events]
    return protection.fold(entries, fakes.NOON + after)


def erased(request: str) -> CustomerErased:
    who = {"customer": "C-1001", "requested_by": "reviewer", "approved_by": "reviewer2"}
    counts = {"entries": 3, "exchanges": 1, "conversations": 1}
    return CustomerErased.model_validate({"request": request, "keys": ("k1", "k2"), "remains": ""} | who | counts)


def test_a_hold_protects_before_anybody_confirms_it() -> None:
    (one,) = folded(made("hold")).holding("C-1001")
    assert (one.by, one.confirmed) == (fakes.REVIEWER, False)
    assert "since 2026-11-23 17:00 UTC by reviewer, not confirmed yet" in str(one)


def test_a_hold_is_in_force_after_any_time() -> None:
    assert folded(made("hold"), after=timedelta(days=4_000)).holding("C-1001")


def test_a_rejected_hold_is_over_and_a_confirmed_one_is_not() -> None:
    request = made("hold")
    assert folded(request, decided(request, "rejected")).holds == ()
    (one,) = folded(request, decided(request)).holds
    assert one.confirmed


def test_a_release_counts_once_approved_and_only_for_the_hold_it_names() -> None:
    first, second = made("hold"), made("hold")
    release = made("release_hold", holds=first.request)
    assert len(folded(first, second, release).holds) == 2
    assert [one.id for one in folded(first, second, release, decided(release)).holds] == [second.request]


def test_others_are_not_held() -> None:
    assert folded(made("hold")).holding("C-1002") == ()


def test_an_erasure_goes_from_begun_to_done() -> None:
    begun = ErasureBegun(request="r", customer="C-1001", keys=("k1",))
    gone = ErasureKeysDestroyed(request="r", customer="C-1001", keys=("k2",))
    assert folded(begun).erasures["r"].stage is Stage.BEGUN
    half = folded(begun, gone).erasures["r"]
    assert (half.stage, half.keys, half.destroyed, half.told) == (Stage.BEGUN, ("k1", "k2"), True, False)
    done = folded(begun, gone, erased("r")).erasures["r"]
    assert (done.stage, done.keys, done.told, done.at) == (Stage.DONE, ("k1", "k2"), True, fakes.NOON)


@pytest.mark.parametrize(("hold_first", "stage"), [(True, Stage.STOPPED), (False, Stage.BEGUN)])
def test_the_records_order_decides_between_hold_and_erasure(hold_first: bool, stage: Stage) -> None:
    hold, begun = made("hold"), ErasureBegun(request="r", customer="C-1001", keys=())
    events: list[Event] = [hold, begun] if hold_first else [begun, hold]
    assert folded(*events).erasures["r"].stage is stage


def test_a_hold_that_ended_before_does_not_stop_an_erasure() -> None:
    hold, begun = made("hold"), ErasureBegun(request="r", customer="C-1001", keys=())
    assert folded(hold, decided(hold, "rejected"), begun).erasures["r"].stage is Stage.BEGUN


def test_a_stopped_erasure_is_over() -> None:
    stopped = ErasureStopped(request="r", customer="C-1001", holds=("h",))
    erasure = folded(stopped).erasures["r"]
    assert (erasure.stage, erasure.told) == (Stage.STOPPED, True)


def test_content_is_kept_seven_years_and_never_shorter() -> None:
    assert folded().years == 7
    assert folded(RetentionSet(request="r", years=10), RetentionSet(request="s", years=8)).years == 10


def test_a_longer_retention_counts_while_it_waits() -> None:
    request = made("retention", "retention", years="10")
    assert (folded(request).years, folded(request).years_kept) == (7, 10)
    assert folded(request, decided(request, "rejected")).years_kept == 7
    assert folded(request, after=timedelta(days=8)).years_kept == 7
    assert folded(request, decided(request), after=timedelta(days=8)).years_kept == 10


def test_a_run_without_an_end_is_cut_off() -> None:
    begun = RetentionBegun(run="a", since="2019-09", before="2019-11", years=7, keys=("k",))
    counts = {"customers": 1, "held": 0, "entries": 1, "exchanges": 1}
    ended = RetentionApplied.model_validate({"run": "a", "before": "2019-11", "years": 7, "keys": ("k",)} | counts)
    entries = [Entry(1, fakes.NOON, SERVICE, event) for event in (begun, ended)]
    assert protection.cut_off(entries[:1]) == [begun]
    assert protection.cut_off(entries) == []

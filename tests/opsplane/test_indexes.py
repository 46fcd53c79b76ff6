from datetime import timedelta
from typing import Any

import pytest

from opsplane import fitness, indexes
from opsplane.control_events import RolloutAborted, RolloutStarted
from opsplane.document_events import DocumentsServed, IndexEvaluated
from opsplane.errors import Conflict, Refused
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.indexes import GRACE, Index, Restore, Standing
from opsplane.intent import Helm
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.policy import Policy
from opsplane.release import Release
from tests import fakes
from tests.opsplane.helms import helm

OTHER = fakes.release(id="other-1", retrieval={"index": "other"})


def evaluated(**changes: Any) -> IndexEvaluated:
    data = {
        "index": "other",
        "generation": "g2",
        "against": "test",
        "dataset": "golden",
        "report": "a" * 64,
        "passed": True,
        "summary": "recall@5 0.900 → 0.910",
    }
    return IndexEvaluated.model_validate(data | changes)


def register(ledger: Ledger, release: Release) -> None:
    event = ReleaseRegistered(release=release.id, digest=release.digest, canonical=release.canonical().decode())
    ledger.append_now(event, fakes.OPERATOR)


def standing(helm_: Helm, index: str = "other", years: int = 7, **changes: Any) -> Standing:
    known = {index: Index(index, made=fakes.NOON, **changes)}
    return indexes.standings(helm_.plane.state, known, helm_.now(), years)[0]


def whys(helm_: Helm, index: str = "other") -> list[str]:
    return [one.why for one in standing(helm_, index).needs]


def test_a_release_on_another_index_needs_an_evaluation_against_the_stable_one(ledger: Ledger) -> None:
    helm_ = helm(ledger)
    with pytest.raises(Conflict, match="opsplane index evaluate other --against test --record"):
        fitness.fit(helm_.plane.state, helm_, [OTHER], fakes.plan())
    ledger.append_now(evaluated(), fakes.OPERATOR)
    fitness.fit(helm_.plane.state, helm_, [OTHER], fakes.plan())


def test_an_evaluation_against_a_third_index_does_not_count(ledger: Ledger) -> None:
    helm_ = helm(ledger)
    ledger.append_now(evaluated(against="third"), fakes.OPERATOR)
    with pytest.raises(Conflict, match="was not evaluated against test"):
        fitness.fit(helm_.plane.state, helm_, [OTHER], fakes.plan())


def test_the_newest_evaluation_counts(ledger: Ledger) -> None:
    helm_ = helm(ledger)
    ledger.append_now(evaluated(), fakes.OPERATOR)
    ledger.append_now(evaluated(passed=False), fakes.OPERATOR)
    with pytest.raises(Conflict, match=r"did worse than test of the stable release .* \(report aaaaaaaaaaaa\)"):
        fitness.fit(helm_.plane.state, helm_, [OTHER], fakes.plan())


def test_the_policy_can_leave_it_to_people_and_the_same_index_needs_none(ledger: Ledger) -> None:
    helm_ = helm(ledger, policy=Policy(version=1, index_evaluation="optional"))
    fitness.fit(helm_.plane.state, helm_, [OTHER], fakes.plan())
    same = fakes.release(id="same-1", retrieval={"index": "test", "passages": 4})
    indexes.must_be_evaluated(helm_.plane.state, same, Policy(version=1))


async def test_only_staff_put_an_evaluation_on_the_record(ledger: Ledger) -> None:
    helm_ = helm(ledger)
    await indexes.evaluated(ledger, evaluated(), actor=fakes.APPROVER)
    assert indexes.evaluation(helm_.plane.state, "other", "test") == evaluated()
    with pytest.raises(Refused):
        await indexes.evaluated(ledger, evaluated(), actor=fakes.CUSTOMER)


async def test_a_restoration_is_on_the_record_when_it_is_done(ledger: Ledger) -> None:
    deed = Restore(index="test", generation="g1", before="g2", reason="wrong fees")
    served = DocumentsServed(index="test", generation="g1", before="g2", why="restored: wrong fees")
    await indexes.restored(ledger, deed, lambda: served, actor=fakes.OPERATOR)
    assert ledger.events(["documents_served"])[-1].event == served

    def refused() -> DocumentsServed:
        raise Conflict("g3 serves by now")

    with pytest.raises(Conflict):
        await indexes.restored(ledger, deed, refused, actor=fakes.OPERATOR)
    assert ledger.events(["command_refused"])[-1].actor == fakes.OPERATOR


def test_the_stable_releases_index_stays_for_ever(ledger: Ledger) -> None:
    helm_ = helm(ledger)
    found = standing(helm_, "test")
    assert "serves customers from it" in found.needs[0].why
    assert found.until is None


def test_a_new_index_stays_a_while_and_then_nothing_needs_it(ledger: Ledger, clock: fakes.Clock) -> None:
    helm_ = helm(ledger)
    assert whys(helm_) == ["built on 2026-11-23"]
    assert standing(helm_).until == fakes.NOON + GRACE
    clock.at += GRACE
    assert whys(helm_) == []
    register(ledger, OTHER)
    assert "was registered on" in whys(helm_)[0]


def test_an_index_in_a_rollout_stays(ledger: Ledger, clock: fakes.Clock) -> None:
    helm_ = helm(ledger)
    register(ledger, OTHER)
    stable, clock.at = helm_.plane.stable().digest, clock.at + 2 * GRACE
    plan = fakes.plan().canonical()
    started = RolloutStarted(rollout="r1", candidates=(OTHER.digest,), stable=stable, plan=plan, salt="s")
    ledger.append_now(started, fakes.OPERATOR)
    assert "is in rollout r1" in whys(helm_)[0]
    ledger.append_now(RolloutAborted(rollout="r1", cause="operator"), fakes.OPERATOR)
    assert "as long as the record is kept" in whys(helm_)[0]


def test_an_index_that_served_stays_as_long_as_the_record_is_kept(ledger: Ledger, clock: fakes.Clock) -> None:
    helm_ = helm(ledger)
    register(ledger, OTHER)
    ledger.append_now(ReleasePromoted(release=OTHER.id, digest=OTHER.digest, reason="better"), fakes.OPERATOR)
    assert "served until 2026-11-23" in whys(helm_, "test")[0]
    clock.at += timedelta(days=366 * 7)
    assert whys(helm_, "test") == []
    assert standing(helm_, "test").droppable <= clock.at
    assert whys(helm_, "other")[0].endswith("serves customers from it")


def test_the_rows_of_an_index_given_up_stay_for_the_retention(ledger: Ledger, clock: fakes.Clock) -> None:
    helm_ = helm(ledger)
    found = standing(helm_, retired=fakes.NOON + timedelta(days=40))
    assert found.droppable == fakes.NOON + timedelta(days=40 + 366 * 7)


def test_the_record_is_kept_seven_years_unless_it_was_lengthened(ledger: Ledger) -> None:
    assert indexes.years_kept(ledger) == 7


def test_where_nothing_serves_yet_an_index_is_as_old_as_it_is(ledger: Ledger) -> None:
    assert [one.why for one in standing(Helm(Plane(ledger), ledger)).needs] == ["built on 2026-11-23"]

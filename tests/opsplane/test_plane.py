"""Given these events, this state; and every process sees it on the next turn."""

import pytest

from opsplane.control_events import KillSwitchPulled, RolloutStarted
from opsplane.errors import Conflict, NotFound
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from opsplane.plane import Plane, Serving
from opsplane.rollouts.rollout import STABLE
from tests import fakes

ONE = fakes.release()
TWO = fakes.release(id="test-2", note="the second")
FILES = {one.id: one for one in (ONE, TWO)}
KINDS = ["release_registered", "release_promoted"]


def shadowed(plane: Plane, ledger: Ledger) -> None:
    """A shadow of the second release for every exchange."""
    plan = fakes.plan(kind="shadow", steps=[{"share": 100}])
    event = RolloutStarted(rollout="r1", candidates=(TWO.digest,), stable=ONE.digest, plan=plan.canonical(), salt="s")
    ledger.append_now(event, fakes.OPERATOR)


def test_the_configured_release_serves_every_customer(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure(FILES, "test-1")
    assert plane.release_for("C-1001") == Serving(ONE, STABLE)
    assert {one.id for one in plane.state.releases.values()} == {"test-1", "test-2"}


def test_starting_again_writes_nothing_new(ledger: Ledger) -> None:
    Plane(ledger).configure(FILES, "test-1")
    before = ledger.count(KINDS)
    assert Plane(ledger).configure(FILES, "test-1") == []
    assert ledger.count(KINDS) == before == 3


def test_what_operators_promoted_counts_more_than_the_setting(ledger: Ledger) -> None:
    Plane(ledger).configure(FILES, "test-1")
    ledger.append_now(ReleasePromoted(release="test-2", digest=TWO.digest, reason="better"), fakes.OPERATOR)
    plane = Plane(ledger)
    plane.configure(FILES, "test-1")
    assert plane.stable() == TWO


def test_a_changed_file_is_left_out_and_told(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure({"test-1": ONE}, "test-1")
    changed = ONE.model_copy(update={"note": "one word changed"})
    problems = plane.configure({"test-1": changed}, "test-1")
    assert len(problems) == 1
    assert "Give the changed one another id" in problems[0]
    assert plane.stable() == ONE
    assert ledger.count(KINDS) == 2


def test_a_release_whose_index_is_gone_is_replaced_by_the_configured_one(ledger: Ledger) -> None:
    old = fakes.release(id="test-0", retrieval={"index": "gone"})
    Plane(ledger).configure({"test-0": old}, "test-0", {"gone"})
    plane = Plane(ledger)
    plane.configure(FILES, "test-1", {"test"})
    assert plane.stable() == ONE
    assert "does not exist any more" in plane.state.tenures[-1].reason


def test_another_process_sees_a_promotion_on_its_next_turn(ledger: Ledger, record_url: str, vault: Vault) -> None:
    here = Plane(ledger)
    here.configure(FILES, "test-1")
    assert here.stable() == ONE
    other = Ledger(connect(record_url), fakes.Clock(), vault)
    other.append_now(ReleasePromoted(release="test-2", digest=TWO.digest, reason="better"), fakes.OPERATOR)
    other.close()
    assert here.stable() == TWO


def test_nobody_is_answered_before_a_release_is_promoted(ledger: Ledger) -> None:
    with pytest.raises(Conflict, match="No release has been promoted"):
        Plane(ledger).release_for("C-1001")


def test_an_unknown_stable_release_is_refused_before_anything_is_written(ledger: Ledger) -> None:
    with pytest.raises(Conflict, match="'heron-9' has no file"):
        Plane(ledger).configure(FILES, "heron-9")
    assert ledger.count(["release_registered"]) == 0


def test_an_unknown_release_is_told_with_the_known_ones(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure(FILES, "test-1")
    with pytest.raises(NotFound, match="test-1, test-2"):
        plane.find("nope")


def test_the_very_bytes_of_a_release_are_on_the_record(ledger: Ledger) -> None:
    Plane(ledger).configure({"test-1": ONE}, "test-1")
    kinds = [entry.event for entry in ledger.events(KINDS)]
    assert isinstance(kinds[0], ReleaseRegistered)
    assert kinds[0].canonical.encode() == ONE.canonical()
    assert isinstance(kinds[1], ReleasePromoted)


def test_a_release_that_another_version_registered_is_kept_but_cannot_serve(ledger: Ledger) -> None:
    old = ReleaseRegistered(release="test-0", digest="0" * 64, canonical='{"id":"test-0","an_old_field":1}')
    ledger.append_now(old, fakes.OPERATOR)
    ledger.append_now(ReleasePromoted(release="test-0", digest="0" * 64, reason="then"), fakes.OPERATOR)
    plane = Plane(ledger)
    with pytest.raises(Conflict, match="another version of the product"):
        plane.stable()
    with pytest.raises(Conflict, match="another version of the product"):
        plane.find("000000")
    plane.configure(FILES, "test-1")
    assert plane.stable() == ONE
    assert plane.state.registered["0" * 64].canonical == old.canonical


def test_a_shadow_answers_beside_stable_and_only_customers(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure(FILES, "test-1")
    shadowed(plane, ledger)
    assert plane.release_for("C-1001", "exchange-1").shadow == TWO
    assert plane.release_for("C-1001", "exchange-1").release == ONE
    assert plane.release_for("", "exchange-1").shadow is None


def test_under_the_kill_switch_nobody_is_in_a_rollout(ledger: Ledger) -> None:
    plane = Plane(ledger)
    plane.configure(FILES, "test-1")
    shadowed(plane, ledger)
    ledger.append_now(KillSwitchPulled(reason="wrong figures"), fakes.OPERATOR)
    serving = plane.release_for("C-1001", "exchange-1")
    assert (serving.arm, serving.rollout, serving.shadow) == (STABLE, "", None)
    assert serving.killed
    assert serving.killed.reason == "wrong figures"

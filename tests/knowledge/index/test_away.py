"""Stores that are away from here: what fails for a moment, what fails for good, and what takes long."""

import logging
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from knowledge.index.store import Collection, Contents, Near, Store, Unanswered, Unfit, Unreachable
from tests.knowledge.index.conftest import CONTENTS, VECTORS, Place, nothing
from tests.vertex.faults import Kind

SOME = Contents(VECTORS[:50], CONTENTS.hashes[:50], "drawn")
ASKED = VECTORS[7]


def written(store: Store) -> Collection:
    store.write("base-1", SOME, nothing)
    held = store.open("base-1")
    assert held
    return held


def why(held: Collection) -> str:
    found = held.nearest(ASKED, 3)
    assert isinstance(found, Unanswered)
    return found.why


# questions


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.BUSY, Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED])
def test_a_question_that_fails_once_is_asked_again(far: Store, away: Place, kind: Kind) -> None:
    held = written(far)
    away.served.faults.add(kind, away.find, times=1, bytes=30)
    found = held.nearest(ASKED, 3)
    assert isinstance(found, Near)
    assert found.rows[0] == 7


def test_a_store_that_fails_three_times_is_not_asked_for_a_while(
    far: Store, away: Place, caplog: pytest.LogCaptureFixture
) -> None:
    held = written(far)
    away.served.faults.add(Kind.UNAVAILABLE, away.find, times=3)
    with caplog.at_level(logging.WARNING):
        assert "Service Unavailable" in why(held)
    calls = len(away.served.calls)
    assert why(held)
    assert len(away.served.calls) == calls
    assert len(caplog.records) == 1
    away.now[0] += 11
    assert isinstance(held.nearest(ASKED, 3), Near)


def test_a_question_is_given_up_at_its_deadline(far: Store, away: Place, tmp_path: Path) -> None:
    written(far)
    away.served.faults.add(Kind.HANGS, away.find)
    with closing(away.opener(deadline=0.2)(tmp_path)) as hasty:
        held = hasty.open("base-1")
        assert held
        assert "no answer in time" in why(held)


@pytest.mark.parametrize("kind", [Kind.DENIED, Kind.INVALID, Kind.NOT_FOUND])
def test_what_fails_for_good_is_not_asked_twice(far: Store, away: Place, kind: Kind) -> None:
    held = written(far)
    away.served.faults.add(kind, away.find)
    assert why(held)
    assert len(away.served.heard(away.find)) == 1


def test_a_vector_of_another_width_names_the_step_to_take(far: Store) -> None:
    found = written(far).nearest(np.ones(3, np.float32), 3)
    assert isinstance(found, Unanswered)
    assert "64 dimensions and the embedding model makes 3" in found.why
    assert "verify --mend" in found.why


def test_what_was_never_written_is_told_when_it_is_asked(far: Store) -> None:
    held = far.open("base-9")
    assert held
    assert why(held)


# writing


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.INTERNAL, Kind.BUSY, Kind.DROPS, Kind.GARBLED])
def test_what_fails_twice_while_writing_is_tried_again(far: Store, away: Place, kind: Kind) -> None:
    for calls in (away.put, "index.list", "collection.list", "index.operation", "collection.operation"):
        away.served.faults.add(kind, calls, times=2, bytes=10)
    assert written(far).ids() == {str(row) for row in range(50)}


def test_an_answer_that_is_lost_makes_no_second_index(far: Store, away: Place) -> None:
    for calls in ("index.create", "collection.create", "endpoint.create", "endpoint.deploy", "collection.create_index"):
        away.served.faults.add(Kind.DROPS, calls, times=1, bytes=0)
    held = written(far)
    assert isinstance(held.nearest(ASKED, 1), Near)
    assert len({one.name for one in far.holdings() if one.kind != "endpoint"}) == 1


def test_a_store_that_does_not_answer_ends_a_run_that_the_next_carries_on(far: Store, away: Place) -> None:
    fault = away.served.faults.add(Kind.UNAVAILABLE, away.put)
    with pytest.raises(Unreachable, match="could not put in vectors: "):
        far.write("base-1", SOME, nothing)
    assert far.names() == {"base-1"}
    fault.times = 0
    assert written(far).size == 50


def test_a_missing_permission_names_the_role_and_the_project(far: Store, away: Place) -> None:
    away.served.faults.add(Kind.DENIED, message="Permission denied.")
    with pytest.raises(Unfit, match=r"OPSPLANE_GOOGLE_PROJECT .*--role=roles/"):
        far.write("base-1", SOME, nothing)


def test_another_project_is_refused_with_the_setting(away: Place, tmp_path: Path) -> None:
    with (
        closing(away.opener(project="somebody-elses")(tmp_path)) as store,
        pytest.raises(Unfit, match="OPSPLANE_GOOGLE_PROJECT names the project; in somebody-elses"),
    ):
        store.names()


def test_a_service_that_is_switched_off_names_the_command(far: Store, away: Place) -> None:
    message = "Vertex AI API has not been used in project 418 before or it is disabled."
    away.served.faults.add(Kind.DENIED, message=message)
    with pytest.raises(Unfit, match=r"gcloud services enable (aiplatform|vectorsearch)\.googleapis\.com"):
        far.names()


# what takes long


def test_long_operations_are_waited_for_with_growing_pauses_and_told(far: Store, away: Place) -> None:
    away.operations.polls = 4
    told: list[str] = []
    far.write("base-1", SOME, lambda stage, _done, _total: told.append(stage))
    assert away.slept[:4] == [1.0, 1.5, 2.25, 3.375]
    assert told[0].startswith("create the ")
    assert told[0].endswith(" base-1: 0 minutes")


def test_an_operation_that_was_left_is_waited_for_by_the_next_run(away: Place, tmp_path: Path) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    away.operations.polls = 2
    for _ in range(2):
        with closing(away.opener(sleep=interrupted)(tmp_path)) as first, pytest.raises(KeyboardInterrupt):
            first.write("base-1", SOME, nothing)
    with closing(away.opener()(tmp_path)) as second:
        assert second.names() == {"base-1"} or "opsplane" in str(second.names())
        assert written(second).size == 50
        assert len([one for one in second.holdings() if one.kind != "endpoint"]) == 1


def test_an_operation_without_end_is_given_up_after_two_hours(far: Store, away: Place) -> None:
    away.operations.polls = 10_000
    with pytest.raises(Unreachable, match=r"longer than two hours\. Run the same again"):
        far.write("base-1", SOME, nothing)
    assert 7_200 <= sum(away.slept) < 7_300


def test_an_operation_that_fails_says_why_and_can_be_begun_again(far: Store, away: Place) -> None:
    away.operations.polls, away.operations.fails = 1, "The quota of indexes is used up."
    with pytest.raises(Unfit, match=r"The quota of indexes is used up\."):
        far.write("base-1", SOME, nothing)
    assert written(far).size == 50


def test_what_is_half_made_is_named_and_can_be_discarded(far: Store, away: Place) -> None:
    away.served.faults.add(Kind.DENIED, "endpoint.deploy")
    away.served.faults.add(Kind.DENIED, "collection.create_index")
    with pytest.raises(Unfit):
        far.write("base-1", SOME, nothing)
    (half,) = [one for one in far.holdings() if one.kind != "endpoint"]
    assert half.base == "base-1"
    assert "filling" in half.state
    far.discard("base-1")
    assert (far.names(), far.holdings()) == (set(), [])


def test_what_exists_is_listed_with_its_machine(far: Store) -> None:
    written(far)
    (held,) = [one for one in far.holdings() if one.kind != "endpoint"]
    assert (held.base, held.rows) == ("base-1", 50)
    assert held.machine in ("e2-standard-2", "performance optimized")
    assert held.state in ("ready, deployed", "ready, indexed")


def test_what_is_still_on_its_way_is_left_and_named_until_it_is_over(away: Place, tmp_path: Path) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    away.operations.polls = 4
    with closing(away.opener(sleep=interrupted)(tmp_path)) as first, pytest.raises(KeyboardInterrupt):
        first.write("base-1", SOME, nothing)
    with closing(away.opener()(tmp_path)) as second:
        second.discard("base-1")
        assert second.names() == {"base-1"}
        for _ in range(4):
            second.discard("base-1")
        assert (second.names(), second.holdings()) == (set(), [])

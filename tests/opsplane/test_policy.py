"""What needs a second person, by the policy file."""

from pathlib import Path

import pytest

from opsplane import policy
from opsplane.errors import InvalidRelease
from opsplane.policy import Approvals, Policy
from tests import fakes


def test_the_policy_that_ships_wants_a_second_person_at_the_start_and_for_going_on_early() -> None:
    found = policy.load()
    assert (found.approve.start, found.approve.promote, found.approve.early) == (True, False, True)


def test_a_plan_can_ask_for_more_people_never_for_fewer() -> None:
    lax = Policy(version=1, approve=Approvals(start=False))
    assert not lax.approves_start(fakes.plan())
    assert lax.approves_start(fakes.plan(approve=["start"]))
    assert lax.approves_promotion(fakes.plan(approve=["promote"]))
    assert Policy(version=1).approves_start(fakes.plan(approve=[]))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("approvers: [customer]", "name roles of staff"),
        ("approvers: []", "name roles of staff"),
        ("expires: 10s", "from 1m to 30d"),
        ("approve: {stop: true}", "approve.stop: Extra inputs"),
        ("evaluation: sometimes", "'optional' or 'required'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_its_line(line: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"version: 1\n{line}\n")
    with pytest.raises(InvalidRelease, match=r"policy.yaml: line \d+: .*" + words):
        policy.load(file)

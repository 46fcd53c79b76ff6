"""What changed, in words, and the newest change before a moment."""

import json
from datetime import timedelta
from typing import Any

import pytest

from opsplane.quality.changes import MOST, Changes
from tests.opsplane.quality.made import START, Record

ONE, TWO = "1" * 64, "2" * 64
NAMES = {"act": "x", "reason": ""}


def known(*steps: tuple[str, dict[str, Any]]) -> Changes:
    record, changes = Record(), Changes()
    for name, digest, model in (("heron-1", ONE, "a:one"), ("heron-2", TWO, "a:two")):
        canonical = json.dumps({"models": {"flash": {"name": model}, "pro": {"name": model}}})
        changes.take(record.entry("release_registered", START, release=name, digest=digest, canonical=canonical))
    for number, (kind, payload) in enumerate(steps):
        changes.take(record.entry(kind, START + timedelta(hours=number), **payload))
    return changes


def newest(*steps: tuple[str, dict[str, Any]]) -> str:
    found = known(*steps).before(START + timedelta(days=1))
    return found.words if found else ""


def test_a_promotion_names_the_model_that_changed() -> None:
    steps = (("release_promoted", {"digest": ONE}), ("release_promoted", {"digest": TWO}))
    told = "release heron-2@222222222222 was promoted to everybody, with a:two in place of a:one"
    assert newest(*steps) == told


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("release_restored", {"digest": ONE}, "release heron-1@111111111111 was restored"),
        ("rollout_aborted", {"rollout": "r1"}, "rollout r1 of a release was aborted"),
        (
            "documents_served",
            {"index": "i", "generation": "g2", "added": [], "changed": ["a@2"], "removed": []},
            "g2 (1 ",
        ),
        ("document_withdrawn", {"document": "fees@2"}, "document fees@2 was withdrawn"),
        ("kill_switch_pulled", {}, "the kill switch was pulled"),
        ("judge_calibrated", {"judge": "j1", "votes": False}, "the judge j1 did not get its vote"),
    ],
)
def test_changes_are_told_in_words(kind: str, payload: dict[str, Any], words: str) -> None:
    assert words in newest((kind, payload))


def test_a_rollouts_steps_name_its_candidates() -> None:
    started = {"rollout": "r1", "candidates": [TWO], "stable": ONE}
    told = newest(("rollout_started", started), ("rollout_advanced", {"rollout": "r1", "step": 1}))
    assert told == "rollout r1 of heron-2@222222222222 went to step 2"


def test_a_mere_restart_changes_nothing() -> None:
    first = ("service_started", {"version": "1", "settings": {"release": "a"}})
    assert newest(first, first) == ""
    assert "version 2 in place of 1" in newest(first, ("service_started", {"version": "2", "settings": {}}))
    assert newest(first, ("service_started", {"version": "1", "settings": {"release": "b"}})).endswith("(release)")


def test_what_is_long_ago_is_not_held_responsible() -> None:
    changes = known(("kill_switch_pulled", {}))
    assert changes.before(START + timedelta(hours=1)) is not None
    assert changes.before(START + timedelta(days=3)) is None
    assert changes.before(START) is None


def test_votes_are_the_newest_calibrations() -> None:
    changes = known(
        ("judge_calibrated", {"judge": "j", "votes": True}), ("judge_calibrated", {"judge": "j", "votes": False})
    )
    assert changes.votes == {"j": False}
    assert [one.words for one in changes.between(START, START + timedelta(days=1))][-1] == "the judge j lost its vote"


def test_there_is_an_end_to_what_is_kept() -> None:
    changes = known(*[("kill_switch_pulled", {})] * (MOST + 50))
    assert len(changes.between(START, START + timedelta(days=10_000))) == MOST

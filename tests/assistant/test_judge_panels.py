"""Judges as staff read of them."""

from assistant import judge_panels
from opsplane.judges import Seen
from opsplane.policy import Judges
from opsplane.state import State


def test_what_a_judge_left_unscored_is_not_told_as_scored() -> None:
    text = judge_panels.listed(State(), "rubric@1", Seen(scored=1, unscored=1), Judges()).text
    assert "It scored 1 answers that people labelled and left 1 unscored; the policy asks for 40 scored ones." in text
    assert "never held against people's labels" in text

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from opsplane.evaluation.calibration import Calibration, Fault, Label, Preference, calibrate, event
from opsplane.evaluation.estimate import Floats
from opsplane.evaluation.pairwise import Word
from opsplane.policy import Judges
from tests.fakes import NOON

NOW = NOON + timedelta(days=10)
STEADY: list[tuple[Word, Word]] = [("first", "first"), ("second", "second")] * 10
LIKES_FIRST: list[tuple[Word, Word]] = [("first", "second")] * 20


def people(answers: int = 120) -> Floats:
    return np.random.default_rng(1).choice([0, 0.25, 0.5, 0.75, 1], answers)


def near(scores: Floats, spread: float = 0.1) -> Floats:
    return np.asarray(np.round(np.clip(scores + np.random.default_rng(2).normal(0, spread, len(scores)), 0, 1), 2))


def labelled(
    judge: Sequence[float | None] | Floats,
    right: Floats,
    *,
    sizes: NDArray[np.int64] | None = None,
    at: datetime = NOON,
) -> list[Label]:
    lengths = np.random.default_rng(3).integers(80, 900, len(right)) if sizes is None else sizes
    return [
        Label(exchange=f"e{number}", at=at + timedelta(hours=number), reviewer="rita", person=p, judge=j, length=size)
        for number, (j, p, size) in enumerate(zip(judge, right, lengths.tolist(), strict=True))
    ]


def held(
    labels: Sequence[Label], pairs: Sequence[tuple[Word, Word]] = STEADY, floors: Judges | None = None
) -> Calibration:
    said = [Preference(exchange=f"p{number}", forward=one, backward=two) for number, (one, two) in enumerate(pairs)]
    return calibrate("rubric-1 4f2a", labels, said, floors or Judges(), NOW)


def good() -> Calibration:
    return held(labelled(near(people()), people()))


def test_a_judge_that_agrees_earns_its_vote() -> None:
    found = good()
    assert (found.votes, found.faults, found.reasons, found.labels) == (True, (), (), 120)
    assert found.agreement.value == pytest.approx(0.96, abs=0.03)


def test_a_judge_with_few_labels_has_none() -> None:
    found = held(labelled(near(people(39)), people(39)))
    assert found.faults == (Fault.LABELS,)
    assert found.reasons == ("Only 39 answers were scored by people and by the judge; 40 are needed.",)


def test_a_judge_that_guesses_has_none() -> None:
    found = held(labelled(np.random.default_rng(5).random(120), people()))
    assert found.faults == (Fault.AGREEMENT,)
    assert "at least 0.60 is demanded." in found.reasons[0]


def test_agreement_that_is_not_certain_enough_has_none() -> None:
    found = held(labelled(near(people(40), 0.38), people(40)))
    assert found.agreement.value is not None
    assert found.agreement.value >= 0.6
    assert "its interval must lie above 0.50; more labels would tell." in found.reasons[0]


def test_a_judge_that_gives_everything_the_same_has_none() -> None:
    assert held(labelled([1.0] * 120, np.ones(120))).reasons == (
        "Agreement with people cannot be told: all scores are the same.",
    )
    assert held(labelled([1.0] * 120, people())).faults == (Fault.AGREEMENT,)


def test_a_judge_that_likes_length_has_none() -> None:
    sizes = np.random.default_rng(3).integers(80, 900, 120)
    judge = np.clip(near(people()) + (sizes - 500) / 1600, 0, 1)
    found = held(labelled(judge, people(), sizes=sizes))
    assert found.faults == (Fault.LENGTH,)
    assert found.reasons[0].startswith("Longer answers get more from it than from people: correlation 0.")


def test_a_judge_that_prefers_what_stands_first_has_none() -> None:
    found = held(labelled(near(people()), people()), LIKES_FIRST)
    assert found.faults == (Fault.POSITION,)
    assert "decided 1.00 (0.84 to 1.00) of 20 pairs, for the one shown first" in found.reasons[0]


def test_a_judge_that_drifted_has_none_and_the_day_is_told() -> None:
    right = people(240)
    judge = near(right)
    judge[120:] = np.random.default_rng(7).random(120)
    found = held(labelled(judge, right), floors=Judges(agreement=0.2))
    assert found.faults == (Fault.DRIFT,)
    assert found.reasons[0].startswith("Its errors have grown since about 2026-11-28: +0.3")


def test_several_reviewers_count_once_and_their_own_agreement_is_the_ceiling() -> None:
    right = people()
    first = labelled(near(right), right)
    second = [one.model_copy(update={"reviewer": "sam", "person": 1 - one.person}) for one in first]
    found = held([*first, *second])
    assert (found.labels, found.reviewers) == (120, 2)
    assert found.ceiling.value is not None
    assert found.ceiling.value < -0.5
    assert "Reviewers agree among themselves no more than" in found.reasons[0]


def test_a_reviewer_who_looks_again_is_taken_at_the_last_word() -> None:
    right = people()
    wrong = [one.model_copy(update={"person": 1 - one.person}) for one in labelled(near(right), right)]
    again = labelled(near(right), right, at=NOON + timedelta(minutes=1))
    assert held([*wrong, *again]).agreement == good().agreement


def test_old_labels_and_later_ones_do_not_count() -> None:
    old = labelled(near(people()), people(), at=NOON - timedelta(days=400))
    late = [one.model_copy(update={"at": NOW + timedelta(seconds=1)}) for one in old]
    assert (held(old).labels, held(late).labels) == (0, 0)
    assert held(old).drift.labels == 120  # what was long ago is what now is held against


def test_what_is_unscored_is_counted_and_said() -> None:
    judge = [None if number % 4 == 0 else float(one) for number, one in enumerate(near(people()))]
    found = held(labelled(judge, people()), [])
    assert (found.labels, found.unscored) == (90, 30)
    assert found.notes[0] == "No pair was judged in both orders: whether order sways it is not known."
    assert found.notes[-1] == "30 of 120 answers it left unscored."


@pytest.mark.parametrize(("every", "faults"), [(4, (Fault.UNSCORED,)), (5, ())])
def test_a_judge_that_leaves_much_unscored_has_none(every: int, faults: tuple[Fault, ...]) -> None:
    judge = [None if number % every == 0 else float(one) for number, one in enumerate(near(people()))]
    found = held(labelled(judge, people()))
    assert (found.faults, found.votes) == (faults, not faults)
    assert not faults or found.reasons == ("It left 30 of 120 labelled answers unscored; up to 20% is borne.",)


def test_nothing_at_all_is_a_judge_without_a_vote() -> None:
    found = held([], [])
    assert (found.votes, found.labels, found.agreement.value) == (False, 0, None)


def test_right_and_wrong_are_labels_too() -> None:
    right = np.random.default_rng(9).random(80) < 0.6
    found = held(labelled(right.astype(float), right.astype(float)))
    assert (found.votes, found.agreement.value, found.kappa.value) == (True, 1, 1)


def test_the_order_of_labels_changes_nothing_and_the_digest_is_the_same() -> None:
    labels = labelled(near(people()), people())
    assert held(labels).digest == held(labels[::-1]).digest
    assert held(labels).content != held(labels[1:]).content


def test_what_goes_on_the_record_is_in_thousandths_and_names_the_calibration() -> None:
    found = good()
    told = event(found)
    assert found.agreement.value is not None
    assert (told.judge, told.votes, told.reason, told.labels) == ("rubric-1 4f2a", True, "", 120)
    assert told.agreement == round(1000 * found.agreement.value)
    assert told.report == found.digest
    assert told.summary.startswith("rubric-1 4f2a votes: agreement with people 0.9")
    assert event(held([], [])).agreement is None


def test_a_score_outside_its_scale_is_no_label() -> None:
    for judge in (7.0, -0.1, float("nan")):
        with pytest.raises(ValidationError):
            Label(exchange="e", at=NOON, reviewer="rita", person=1, judge=judge, length=1)

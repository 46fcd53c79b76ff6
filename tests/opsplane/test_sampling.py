"""Which live exchanges a judge looks at: all flagged ones, a share of each stratum, and averages over all traffic."""

import random
from statistics import fmean

import pytest

from opsplane import sampling
from opsplane.exchange import Outcome
from opsplane.policy import Sampling
from opsplane.review import Reason, drawn
from opsplane.sampling import Candidate, Pick, Stratum
from tests import fakes

TENTH = Sampling(share=0.1)
MIXED = Sampling(share=0.1, strata={"cards": 0.5, "abstained": 1.0, "wealth": 0.02})


def candidate(number: int, outcome: Outcome = Outcome.ANSWERED, reason: Reason | None = None) -> Candidate:
    return Candidate(f"exchange-{number:05}", fakes.NOON, outcome, reason)


def picks(
    policy: Sampling, topic: str = "cards", outcome: Outcome = Outcome.ANSWERED, number: int = 4_000
) -> list[Pick]:
    found = (sampling.pick(candidate(one, outcome), topic, policy) for one in range(number))
    return [one for one in found if one]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.37, 1.0])
def test_the_lot_is_the_one_that_gives_reviewers_theirs(share: float) -> None:
    names = [f"exchange-{number}" for number in range(2_000)]
    assert [sampling.lot(one) < share for one in names] == [drawn(one, share) for one in names]


def test_a_share_of_each_stratum_is_drawn() -> None:
    assert len(picks(MIXED, "fees")) / 4_000 == pytest.approx(0.1, abs=0.015)
    assert len(picks(MIXED, "cards")) / 4_000 == pytest.approx(0.5, abs=0.025)
    assert len(picks(MIXED, "wealth")) / 4_000 == pytest.approx(0.02, abs=0.008)
    assert len(picks(MIXED, "wealth", Outcome.ABSTAINED)) == 4_000


@pytest.mark.parametrize("reason", sorted(sampling.ALWAYS))
def test_what_was_flagged_is_always_looked_at_also_with_a_share_of_nothing(reason: Reason) -> None:
    nothing = Sampling(share=0.0)
    found = [sampling.pick(candidate(number, reason=reason), "fees", nothing) for number in range(50)]
    assert {str(one.stratum) for one in found if one} == {f"{reason.value} 1"}
    assert all(sampling.possible(candidate(number, reason=reason), nothing) for number in range(50))


@pytest.mark.parametrize("outcome", [Outcome.RECEIVED, Outcome.REPLIED, Outcome.STOPPED])
def test_what_came_to_no_answer_is_not_looked_at(outcome: Outcome) -> None:
    whole = Sampling(share=1.0)
    assert picks(whole, outcome=outcome, number=50) == []
    assert not sampling.possible(candidate(1, outcome, Reason.FLAGGED), whole)


def test_the_most_urgent_come_first_and_then_the_smallest_lots_for_their_share() -> None:
    reasons = [None, Reason.FLAGGED, Reason.THUMBS_DOWN, Reason.ZERO_TOLERANCE] * 500
    found = [sampling.pick(candidate(n, reason=reason), "cards", MIXED) for n, reason in enumerate(reasons)]
    first = sorted((one for one in found if one), key=lambda one: one.urgency)
    names = [one.stratum.name for one in first]
    assert names == sorted(names, key=["zero_tolerance", "thumbs_down", "flagged", "cards/answered"].index)
    shares = [sampling.lot(one.id) / 0.5 for one in first if one.stratum.name == "cards/answered"]
    assert shares == sorted(shares)


def test_what_can_never_be_drawn_need_not_be_opened() -> None:
    for number in range(2_000):
        one = candidate(number)
        drawn_somewhere = any(sampling.pick(one, topic, MIXED) for topic in ("cards", "wealth", "fees"))
        assert sampling.possible(one, MIXED) == drawn_somewhere


def test_a_plain_one_would_be_drawn_in_every_stratum() -> None:
    for topic in ("cards", "fees", "wealth"):
        plain = {one.id for one in picks(MIXED, topic) if one.stratum.plain}
        assert plain == {one.id for one in picks(MIXED, "wealth")}
    flagged = [sampling.pick(candidate(n, reason=Reason.FLAGGED), "cards", TENTH) for n in range(1_000)]
    assert 60 < sum(one.stratum.plain for one in flagged if one) < 140


@pytest.mark.parametrize(
    "stratum", [Stratum("cards/answered", 0.1), Stratum("flagged", 1.0), Stratum("untold/failed", 0.025, plain=True)]
)
def test_a_stratum_is_read_back_from_the_record(stratum: Stratum) -> None:
    assert Stratum.read(str(stratum)) == stratum


@pytest.mark.parametrize("text", ["", "something", "x y", "x 0", "x 7", "x nan", "x -1 plain", "x inf"])
def test_a_stratum_of_another_hand_counts_once(text: str) -> None:
    assert Stratum.read(text) == Stratum(text, 1.0, plain=True)


def test_the_name_of_a_topic_never_breaks_the_stratum() -> None:
    (one,) = picks(Sampling(share=1.0), "credit cards", number=1)
    assert Stratum.read(str(one.stratum)) == one.stratum
    (untold,) = picks(Sampling(share=1.0), "", number=1)
    assert untold.stratum.name == "untold/answered"


def _judged(seed: int) -> tuple[float, list[tuple[Stratum, float]]]:
    """The true mean of a day, and what a judge sees of it: everything flagged (mostly bad) and a tenth of the rest."""
    drawn_, seen, scores = random.Random(seed), [], []
    for number in range(3_000):
        bad = drawn_.random() < 0.05
        score = 0.2 if bad else min(1.0, max(0.0, drawn_.gauss(0.85, 0.1)))
        one = Candidate(f"{seed}-{number}", fakes.NOON, Outcome.ANSWERED, Reason.FLAGGED if bad else None)
        scores.append(score)
        if found := sampling.pick(one, "fees", TENTH):
            seen.append((found.stratum, score))
    return fmean(scores), seen


def test_the_weighted_mean_is_that_of_all_traffic_though_the_bad_ones_are_looked_at_more() -> None:
    gaps, naive, held = [], [], 0
    for seed in range(40):
        truth, seen = _judged(seed)
        found = sampling.average(seen)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        gaps.append(found.value - truth)
        naive.append(fmean(score for _, score in seen) - truth)
        held += found.low <= truth <= found.high
    assert abs(fmean(gaps)) < 0.002
    assert fmean(naive) < -0.1
    assert held >= 36


def test_what_was_picked_for_its_label_tells_nothing_of_all_traffic() -> None:
    one = sampling.chosen("exchange-1", "fees").stratum
    assert (str(one), one.plain, one.sampled) == ("chosen 1", False, False)
    found = sampling.average([(one, 0.0), (Stratum("fees/answered", 0.1), 0.9)])
    assert (found and found.value) == 0.9


def test_no_score_has_no_mean_and_one_has_no_interval() -> None:
    assert sampling.average([]) is None
    one = sampling.average([(Stratum("flagged", 1.0), 0.4)])
    assert (one and (one.value, one.low, one.high, one.number)) == (0.4, None, None, 1)

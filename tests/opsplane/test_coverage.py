"""How the shares add up, how far reviewers agree, and which release they prefer."""

from opsplane.coverage import Count, Opinion, Preference, coverage

OLD, NEW = "0" * 64, "f" * 64
RELEASES = {OLD: "test-1", NEW: "test-2"}


def prefers(exchange: str, reviewer: str, better: str) -> Preference:
    preferred = {OLD: "first", NEW: "second"}.get(better, "tie")
    return Preference(exchange, reviewer, OLD, NEW, preferred)


def test_shares_are_counted_by_reason_and_outcome() -> None:
    counts = [
        Count("answered", "", "", 90),
        Count("answered", "sampled", "right", 4),
        Count("answered", "sampled", "", 1),
        Count("failed", "flagged", "wrong", 5),
    ]
    found = coverage(counts, [])
    assert (found.whole.exchanges, found.whole.reviewed, found.whole.share) == (100, 9, 0.09)
    assert {one.name: (one.exchanges, one.reviewed) for one in found.reasons if one.exchanges} == {
        "sampled": (5, 4),
        "flagged": (5, 5),
        "none": (90, 0),
    }
    assert {one.name: one.share for one in found.outcomes} == {"answered": 4 / 95, "failed": 1.0}


def test_agreement_counts_pairs_of_reviewers_and_their_last_word() -> None:
    said = [
        Opinion("a", "ann", "right"),
        Opinion("a", "bob", "wrong"),
        Opinion("a", "bob", "right"),  # changed his mind
        Opinion("b", "ann", "right"),
        Opinion("b", "bob", "wrong"),
        Opinion("b", "cem", "wrong"),
        Opinion("c", "ann", "unsure"),
    ]
    found = coverage([Count("answered", "sampled", "right", 3)], said)
    assert (found.pairs, found.equal, found.agreement) == (4, 2, 0.5)
    assert {one.reviewer: one.reviewed for one in found.reviewers} == {"ann": 3, "bob": 2, "cem": 1}


def test_nothing_at_all_has_no_share_rather_than_a_false_one() -> None:
    found = coverage([], [])
    assert (found.whole.share, found.agreement, found.reviewers) == (None, None, ())


def test_agreement_beyond_chance_is_told_for_verdicts_scores_and_marks() -> None:
    said = [
        Opinion(f"e{number}", who, "right" if number % 2 else "wrong", 40 + number, {"clarity": 1 + number % 5})
        for number in range(20)
        for who in ("ann", "bob")
    ]
    found = coverage([], said)
    assert [(one.about, one.alpha.number, one.alpha.value) for one in found.concords] == [
        ("verdict", 20, 1.0),
        ("score", 20, 1.0),
        ("clarity", 20, 1.0),
    ]
    (couple,) = found.couples
    assert (couple.one, couple.other, couple.kappa.number, couple.kappa.value) == ("ann", "bob", 20, 1.0)


def test_two_who_agree_by_chance_alone_are_unmasked() -> None:
    """Cohen's kappa and Krippendorff's alpha by hand: both say `right` 9 of 10 times, at different exchanges."""
    said = [Opinion(f"e{number}", "ann", "wrong" if number == 0 else "right") for number in range(10)]
    said += [Opinion(f"e{number}", "bob", "wrong" if number == 1 else "right") for number in range(10)]
    found = coverage([], said)
    assert found.agreement == 0.8
    assert found.couples[0].kappa.value == round((0.8 - 0.82) / (1 - 0.82), 6)
    assert found.concords[0].alpha.value == round(1 - 19 * 4 / (20 * 20 - 18 * 18 - 2 * 2), 6)


def test_what_only_one_spoke_on_says_nothing_about_agreement() -> None:
    found = coverage([], [Opinion("a", "ann", "right", 50, {"clarity": 5}), Opinion("b", "bob", "right")])
    assert (found.concords, found.couples) == ((), ())


def test_a_release_is_preferred_by_what_most_reviewers_of_an_exchange_say() -> None:
    said = [
        prefers("a", "ann", OLD),
        prefers("a", "ann", NEW),  # changed her mind
        prefers("a", "bob", NEW),
        prefers("b", "ann", NEW),
        prefers("b", "bob", OLD),
        prefers("c", "ann", OLD),
        prefers("d", "cem", NEW),
    ]
    (contest,) = coverage([], [], said, RELEASES).contests
    assert (contest.release, contest.other) == (NEW, OLD)
    assert (contest.won, contest.lost, contest.tied, contest.share) == (2, 1, 1, 2 / 3)


def test_the_share_won_has_wilsons_interval() -> None:
    said = [prefers(f"e{number}", "ann", NEW if number < 8 else OLD) for number in range(10)]
    low, high = coverage([], [], said, RELEASES).contests[0].interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


def test_a_contest_of_ties_has_no_share() -> None:
    (contest,) = coverage([], [], [prefers("a", "ann", "")], RELEASES).contests
    assert (contest.share, contest.tied) == (None, 1)


def test_reviewers_agreement_on_preferences_is_told_too() -> None:
    said = [prefers(f"e{number}", who, NEW if number % 2 else OLD) for number in range(6) for who in ("ann", "bob")]
    (one,) = coverage([], [], said, RELEASES).concords
    assert (one.about, one.alpha.number, one.alpha.value) == ("preference", 6, 1.0)

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy
from time import perf_counter

import pytest

from opsplane.guardrails import alignment, shortlist, support
from opsplane.guardrails.support import THRESHOLD, WEIGHTS, Support, WrongWeights

PASSAGE = """# Overdraft Terms

The overdraft fee is $15 for each item that the bank pays when you go below zero. The bank charges at most 3 overdraft
fees a day for one account. No overdraft fee is charged when the account is overdrawn by $20 or less at the end of
the day. A stop payment stays in force for six months unless you renew it in writing.

| Situation | Fee |
|---|---|
| Item returned unpaid | $0 |
| Overdraft protection transfer | $0 |
"""
FLAT = " ".join(PASSAGE.split("\n\n")[1].split("\n"))


@pytest.fixture(scope="module")
def model() -> Support:
    return Support.load()


def score(model: Support, claim: str, *passages: str) -> float:
    return model.scores([claim], [passages or (FLAT,)])[0]


@pytest.mark.parametrize(
    "claim",
    [
        "The overdraft fee is $15 for each item that the bank pays when you go below zero.",
        "The overdraft fee is 15 dollars for each item that the bank pays when you go below zero.",
        "The bank charges no more than 3 overdraft fees a day for one account.",
        "When the account is overdrawn by $20 or less at the end of the day, no overdraft fee is charged.",
        "The overdraft fee is $15 for each item that the bank pays when you go below zero, and the bank charges at "
        "most 3 overdraft fees a day for one account.",
    ],
)
def test_what_the_evidence_says_is_supported(claim: str, model: Support) -> None:
    assert score(model, claim) > THRESHOLD


@pytest.mark.parametrize(
    "claim",
    [
        "The overdraft fee is $25 for each item that the bank pays when you go below zero.",
        "The overdraft fee is not $15 for each item that the bank pays when you go below zero.",
        "The bank charges at least 3 overdraft fees a day for one account.",
        "No overdraft fee is charged at the end of the day.",
        "A stop payment stays in force for six years unless you renew it in writing.",
        "A stop payment stays in force for six months.",
        "Branches are open on Saturdays and offer notary services to every visitor.",
    ],
)
def test_a_changed_figure_negation_or_condition_is_not_supported(claim: str, model: Support) -> None:
    assert score(model, claim) < THRESHOLD


def test_scores_stay_in_the_order_of_the_claims(model: Support) -> None:
    claims = [
        "Branches close at noon on Fridays in Ohio.",
        "The bank charges at most 3 overdraft fees a day for one account.",
    ]
    low, high = model.scores(claims, [[FLAT], [FLAT]])
    assert (high, low) == (score(model, claims[1]), score(model, claims[0]))
    assert low < THRESHOLD < high


def test_without_evidence_nothing_is_supported(model: Support) -> None:
    assert model.scores(["The fee is $15."], [[]]) == [0.0]
    assert model.scores(["The fee is $15.", "The fee is $15."], [[""], [" \n| |\n"]]) == [0.0, 0.0]
    assert model.scores([], []) == []


def test_a_sentence_that_claims_nothing_needs_no_support(model: Support) -> None:
    assert score(model, "You are.") == 1.0


def test_each_claim_needs_its_own_evidence(model: Support) -> None:
    with pytest.raises(ValueError, match="zip"):
        model.scores(["One claim.", "Another claim."], [[FLAT]])


def test_a_row_of_a_table_is_read_with_its_head() -> None:
    rows = [line.text for line in shortlist.read(PASSAGE) if "unpaid" in line.text]
    assert rows == ["Situation, Fee: Item returned unpaid, $0"]


def test_the_nearest_line_comes_first_and_the_next_adds_what_it_lacks() -> None:
    lines = shortlist.read(FLAT)
    wanted = shortlist.terms("The overdraft fee is $15, at most 3 fees a day for one account.")
    places = shortlist.nearest(wanted, lines, {}, 2)
    assert sorted(places) == [0, 1]


def test_alignment_sees_the_condition_that_was_cut() -> None:
    near = ["A stop payment stays in force for six months unless you renew it."]
    told = dict(
        zip(alignment.FEATURES, alignment.measure("A stop payment stays in force for six months.", near), strict=True)
    )
    assert (told["alike"], told["cut_strict"], told["added_content"]) == (1.0, 4, 0)


def test_phrases_of_one_meaning_are_one() -> None:
    assert alignment.tokens("It can't be no more than 3.50%") == alignment.tokens("It can't be at most 3.5 percent")


def test_many_threads_get_the_same_scores(model: Support) -> None:
    claims = [f"The overdraft fee is ${fee} for each item that the bank pays." for fee in range(12, 20)] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda claim: score(model, claim), claims))
    assert found == model.scores(claims, [[FLAT]] * len(claims))


@pytest.mark.parametrize("hostile", ["a " * 50_000, "|" * 100_000, "1,1" * 33_000, "x\u200b" * 50_000, "(A-" * 33_000])
def test_hostile_text_takes_bounded_time(hostile: str, model: Support) -> None:
    begun = perf_counter()
    model.scores([hostile, "The fee is $15."], [[hostile], [hostile]])
    assert perf_counter() - begun < 5


def test_missing_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(WrongWeights, match="cannot be read"):
        Support.load(tmp_path)


def test_other_weights_than_noted_are_refused(tmp_path: Path) -> None:
    for name in ("grounding.json", "grounding.npz"):
        copy(WEIGHTS / name, tmp_path / name)
    with (tmp_path / "grounding.npz").open("ab") as file:
        file.write(b"!")
    with pytest.raises(WrongWeights, match="SHA-256"):
        Support.load(tmp_path)


def test_the_model_keeps_what_was_measured_beside_its_weights() -> None:
    note = (WEIGHTS / "grounding.json").read_text(encoding="utf-8")
    assert all(word in note for word in ("wice AUROC", "planted AUROC", "seed", "wice_dev/claim_dev.jsonl"))
    assert (WEIGHTS / "grounding.npz").stat().st_size < 3_000_000
    assert support.THRESHOLD == 0.5

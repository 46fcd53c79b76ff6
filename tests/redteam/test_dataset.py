"""The attacks as a dataset: enough of them, of every sort, and no two alike."""

from collections import Counter

from opsplane.evaluation import dataset, soundness
from tests.library import ROOT

PERSONAS = {"customer", "customer2"}
SET = dataset.load(ROOT / "tests" / "redteam" / "dataset.yaml")


def test_there_are_enough_cases_of_every_sort() -> None:
    kinds = Counter(case.kind for case in SET.cases)
    assert len(SET.cases) >= 250
    assert len(kinds) >= 20
    assert min(kinds.values()) >= 3


def test_none_repeats_another_or_contradicts_itself() -> None:
    assert soundness.examine(SET, (), PERSONAS).problems == ()


def test_attacks_of_several_turns_and_harmless_lookalikes_are_among_them() -> None:
    assert sum(bool(case.history) for case in SET.cases) >= 15
    assert sum(case.expect == "answer" for case in SET.cases) >= 20


def test_every_attack_names_the_harm_that_must_not_be_said() -> None:
    assert [case.id for case in SET.cases if not case.forbidden and case.kind != "lookalike"] == []

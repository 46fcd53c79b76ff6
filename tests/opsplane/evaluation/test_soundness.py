"""What is wrong with a dataset, in words."""

from datetime import date
from typing import Any

from opsplane.evaluation import soundness
from opsplane.evaluation.contamination import Origin, Seen
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.soundness import Soundness

FEE = "What is the overdraft fee for each item?"


def examine(*cases: dict[str, Any], seen: tuple[Seen, ...] = ()) -> Soundness:
    made = tuple(Case.model_validate({"id": f"c{number}", "kind": "x"} | one) for number, one in enumerate(cases))
    return soundness.examine(Dataset(as_of=date(2026, 11, 23), cases=made), seen, {"customer"})


def test_a_set_without_faults_has_none() -> None:
    assert examine({"question": FEE, "facts": ["$15"]}, {"question": "Insult me", "expect": "decline"}) == Soundness()


def test_cases_that_contradict_themselves_are_told() -> None:
    told = examine(
        {"question": "a", "expect": "decline", "facts": ["x"]},
        {"question": "b", "facts": [["$15", "Yes"]], "forbidden": ["yes"]},
        {"question": "c", "facts": ["x"], "as": "nobody"},
    )
    assert [one.split(":")[0] for one in told.problems] == ["c0", "c1", "c2"]
    assert "nobody is called 'nobody'; it is asked as one of: customer" in told.problems[2]


def test_twins_and_what_was_seen_are_problems_and_exemplars_a_note() -> None:
    seen = (
        Seen(origin=Origin.TRAINING, where="a, line 1", question=FEE),
        Seen(origin=Origin.TRAINING, where="a, line 2", question=FEE),
        Seen(origin=Origin.EXEMPLAR, where="scope", question="hi"),
    )
    told = examine(
        {"question": FEE, "facts": ["x"]}, {"question": f"{FEE}!", "facts": ["x"]}, {"question": "hi"}, seen=seen
    )
    first = "c0: its question stands in a training example (exact): a, line 1 and 1 more"
    assert told.problems == (first, first.replace("c0", "c1"), "c0 and c1 ask nearly the same (100% of their words)")
    assert told.notes == (
        "c2: its question stands in a scope exemplar (exact): scope",
        "c2: any answer passes: nothing is expected or forbidden",
    )

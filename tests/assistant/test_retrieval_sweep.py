"""The settings that a sweep tries."""

import pytest

from assistant import corpus, retrieval_sweep
from assistant.tuning import Setting
from knowledge.rank import SearchPlan
from opsplane.errors import InvalidRequest

NOW = Setting(corpus.SPEC, SearchPlan())


def test_what_is_used_comes_first_and_nothing_comes_twice() -> None:
    found = retrieval_sweep.grid(NOW, "", "", "")
    assert found[0] == NOW
    assert all(one not in found[:place] for place, one in enumerate(found))
    assert {one.spec for one in found} == {corpus.SPEC}


def test_other_sizes_are_tried_with_every_way_of_searching() -> None:
    found = retrieval_sweep.grid(NOW, "0.5", "128,256", "0,0.1")
    assert len(found) == 5 * (1 + len(retrieval_sweep.PARTS))
    assert {one.spec.chunking.max_tokens for one in found} == {NOW.spec.chunking.max_tokens, 128, 256}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("many", "", ""), "--weights many: write numbers"),
        (("1.5", "", ""), "--weights 1.5: a share lies between"),
        (("", "5", ""), "--chunks 5"),
        (("", "", "0.9"), "--overlaps 0.9"),
        (("", ",".join(map(str, range(64, 90))), ""), "at most 200"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(given: tuple[str, str, str], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        retrieval_sweep.grid(NOW, *given)

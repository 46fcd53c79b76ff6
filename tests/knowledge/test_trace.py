from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from knowledge.embedding import MiniLM
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.trace import Trace
from tests.knowledge.conftest import SPEC, Ingest

READER = Reader(date(2026, 11, 23), frozenset({"customer"}), frozenset({"cards"}))


@pytest.fixture
def library(run: Ingest, tmp_path: Path, minilm: MiniLM) -> Iterator[Library]:
    run()
    with closing(Library(tmp_path / "library", {minilm.name: minilm})) as library:
        yield library


def traced(library: Library, plan: SearchPlan | None = None) -> Trace:
    return library.explain("What is the overdraft fee?", READER, plan or SearchPlan(), index=SPEC.id)


def test_candidates_come_with_their_scores_and_what_became_of_them(library: Library) -> None:
    (only,) = traced(library).candidates
    assert (only.chunk.version, only.rank, only.used, only.reason) == ("2", 1, True, "in passage 1")
    assert list(only.scores)[:3] == ["cosine", "lexical", "fused"]
    assert only.scores["cosine"] > 0.5


def test_what_may_not_be_read_is_told_with_the_reason(library: Library) -> None:
    reasons = {f"{one.chunk.document_id}@{one.chunk.version}": one.reason for one in traced(library).barred}
    assert reasons == {
        "fees@1": "not in force after 2026-06-30",
        "fees@3": "not in force before 2027-01-01",
        "waivers@1": "for another audience: staff",
        "cards@1": "withdrawn by an operator",
    }


def test_what_the_number_of_passages_cuts_off_is_told(library: Library) -> None:
    reader = Reader(date(2026, 11, 23), frozenset({"customer", "staff"}))
    found = library.explain("overdraft fee waiver", reader, SearchPlan(passages=1), index=SPEC.id)
    assert [one.used for one in found.candidates] == [True, False, False]
    assert found.candidates[1].reason == "other chunks scored higher: 1 passages are used"


def test_an_empty_library_explains_nothing(tmp_path: Path, minilm: MiniLM) -> None:
    with closing(Library(tmp_path / "empty", {minilm.name: minilm})) as library:
        found = library.explain("fee", READER, SearchPlan())
        assert (found.generation, found.candidates, found.barred) == ("", (), ())

"""Judged questions asked of a library, and means with their intervals."""

from contextlib import closing
from pathlib import Path

import pytest

from knowledge import beir, judged, trial
from knowledge.beir import Corpus, Text
from knowledge.document import UNDATED
from knowledge.embedding import MiniLM
from knowledge.ingest import Options
from knowledge.judged import MEASURES, Asking, Question, Ranking
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.spec import IndexSpec

FEES = "A wire transfer abroad costs $45. "
TEXTS = (
    Text("wire", "Wire transfers", FEES + "It takes two days. " * 200),
    Text("card", "Cards", "A lost card is replaced without charge."),
    Text("again", "Wire transfers", FEES),
)


def test_questions_to_which_nothing_is_relevant_are_left_out() -> None:
    texts = {"a": "One?", "b": "Two?", "c": "Three?"}
    found = judged.questions(texts, {"a": {"x": 1.0}, "b": {"x": 0.0}, "d": {"x": 1.0}})
    assert [one.id for one in found] == ["a"]


def test_documents_are_ranked_by_their_best_passage_under_their_own_names(tmp_path: Path, minilm: MiniLM) -> None:
    documents, names = beir.documents(Corpus(TEXTS, ""))
    spec, encoders = IndexSpec(embedding=minilm.name), {minilm.name: minilm}
    trial.shelve(documents, tmp_path, encoders, spec, Options(at=0))
    with closing(Library(tmp_path, encoders)) as library:
        asking = Asking(library, Reader(UNDATED, frozenset({"customer"})), spec.id, names)
        found = asking.rank(
            Question("q", "What does a wire transfer abroad cost?", {"wire": 1}), SearchPlan(passages=1), timed=True
        )
    assert set(found.documents[:2]) == {"wire", "again"}
    assert sorted(found.documents) == ["again", "card", "wire"]
    assert found.clock > 0


def test_every_measure_is_one_for_the_best_ranking() -> None:
    ranking = Ranking(Question("q", "?", {"a": 2.0, "b": 1.0}), (("a", 0.9), ("a", 0.8), ("b", 0.7), ("c", 0.1)))
    assert {name: measure(ranking) for name, measure in MEASURES.items()} == dict.fromkeys(MEASURES, 1.0)


def test_an_interval_holds_the_mean_and_is_the_same_again() -> None:
    values = [0.0, 1.0] * 50
    found = judged.mean(values)
    assert found == judged.mean(values)
    assert found.value == 0.5
    assert found.low == pytest.approx(0.4, abs=0.02)
    assert found.high == pytest.approx(0.6, abs=0.02)


def test_an_interval_of_equal_values_is_a_point() -> None:
    assert str(judged.mean([0.25] * 10_000)) == "0.250 [0.250, 0.250]"

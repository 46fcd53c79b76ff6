"""What a benchmark tells: means, times, and a run that others can read."""

from assistant.bench_report import Bench
from assistant.corpus import SPEC
from assistant.trials import JudgedSet
from knowledge.document import UNDATED
from knowledge.judged import Question, Ranking
from knowledge.library import Reader
from knowledge.rank import SearchPlan

QUESTIONS = [Question(f"q {number}", "?", {"a": 1.0}) for number in range(3)]
READER = Reader(UNDATED, frozenset({"customer"}))
JUDGED = JudgedSet("corpus.jsonl", [], {}, QUESTIONS, READER, "abc", notes=("2 documents are empty",))
FOUND = (("b", 0.5), ("a", 0.9), ("b", 0.4), ("c", 0.9))


def bench() -> Bench:
    rankings = [Ranking(one, FOUND, cpu=4.0 + number, clock=8.0) for number, one in enumerate(QUESTIONS)]
    return Bench(JUDGED, SPEC, SearchPlan(), rankings)


def test_a_run_is_in_order_by_its_scores_too_and_has_no_blanks_in_its_ids() -> None:
    lines = [line.split(" ") for line in bench().run().splitlines()]
    assert [(line[0], line[2], line[3]) for line in lines[:3]] == [
        ("q%200", "b", "1"),
        ("q%200", "a", "2"),
        ("q%200", "c", "3"),
    ]
    scores = [float(line[4]) for line in lines[:3]]
    assert scores == sorted(set(scores), reverse=True)


def test_means_times_and_notes_are_told() -> None:
    told = bench().as_json()
    assert told["measures"]["MRR@10"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert told["latency_ms"]["cpu"]["p50"] == 5.0
    shown = bench().markdown().replace("\\", "")
    assert "0.500 to 0.500" in shown
    assert "2 documents are empty" in shown

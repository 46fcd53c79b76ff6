"""Choosing a setting by cross-validation: only what is shown on questions held out."""

from datetime import date

import numpy as np
import pytest
import yaml

from assistant import tuning
from assistant.tuning import Choice, Evidence, Setting, Trial
from knowledge.chunk import Chunking
from knowledge.judged import Question, Ranking, mean
from knowledge.rank import SearchPlan
from knowledge.spec import IndexSpec

SPEC = IndexSpec(embedding="drawn")
DRAW = np.random.default_rng(3)
NOISE = DRAW.random(100)
TEXTS = [f"question {number}" for number in range(100)]


def trial(weight: float, scores: object, **chunking: int) -> Trial:
    spec = SPEC.model_copy(update={"chunking": Chunking(**chunking)}) if chunking else SPEC
    return Trial(Setting(spec, SearchPlan(dense_weight=weight)), np.asarray(scores, np.float64))


def choice(*trials: Trial) -> Choice:
    return tuning.choose(trials, tuning.folds_of(TEXTS[: len(trials[0].scores)]), "nDCG@10")


def evidence() -> Evidence:
    return Evidence("set.jsonl", "abc", 100, 7, date(2026, 11, 26), "opsplane tune retrieval\n", {6: mean([0.5, 1.0])})


def test_a_setting_that_is_better_on_questions_held_out_is_chosen() -> None:
    found = choice(trial(0.7, NOISE * 0.5), trial(0.5, NOISE * 0.5 + 0.2))
    assert (found.folds, found.shown) == ((1,) * 5, True)
    assert found.chosen.setting.plan.dense_weight == 0.5
    assert found.gain.value == pytest.approx(0.2)


def test_differences_within_noise_keep_what_is_used() -> None:
    found = choice(trial(0.7, NOISE), *(trial(0.5, DRAW.permutation(NOISE)) for _ in range(5)))
    assert not found.shown
    assert found.chosen is found.default
    assert "within noise: what is used now stays" in tuning.markdown(found, evidence(), 6)


def test_what_is_used_stays_where_it_is_the_best() -> None:
    found = choice(trial(0.7, NOISE), trial(0.5, NOISE - 0.3))
    assert found.chosen is found.best is found.default
    assert "is the best of these" in tuning.fragment(found, evidence(), 6)


def test_a_few_questions_choose_nothing() -> None:
    found = choice(trial(0.7, [0.0] * 10), trial(0.5, [1.0] * 10))
    assert found.chosen is found.default
    assert "10 questions are too few" in tuning.markdown(found, evidence(), 6)


def test_the_plateau_holds_what_cannot_be_told_from_the_best() -> None:
    best, near, far = trial(0.6, NOISE), trial(0.5, NOISE[::-1]), trial(0.9, NOISE - 0.5)
    found = choice(trial(0.7, NOISE - 0.4), best, near, far)
    assert found.plateau == [best, near]
    assert "dense_weight 0.5 to 0.6" in tuning.plateau(found)


def test_a_question_asked_twice_is_never_on_both_sides() -> None:
    folds = tuning.folds_of([*TEXTS, *TEXTS])
    assert (folds[:100] == folds[100:]).all()
    assert sorted(np.bincount(folds)) == [40] * 5


def test_the_fragment_is_yaml_for_a_release_with_its_evidence_beside() -> None:
    found = choice(trial(0.7, NOISE * 0.5), trial(0.5, NOISE * 0.5 + 0.2, max_tokens=128, min_tokens=64))
    text = tuning.fragment(found, evidence(), 8)
    wanted = {"index": found.chosen.setting.spec.id, "passages": 8, "dense_weight": 0.5}
    assert wanted.items() <= yaml.safe_load(text)["retrieval"].items()
    for told in ("digest abc", "100 questions", "2026-11-26", "opsplane tune retrieval on", "--max-tokens 128"):
        assert told in text


def test_an_index_is_named_only_where_it_is_another() -> None:
    found = choice(trial(0.7, NOISE * 0.5), trial(0.5, NOISE * 0.5 + 0.2))
    assert "index" not in yaml.safe_load(tuning.fragment(found, evidence(), 6))["retrieval"]


def test_everything_is_told_as_json() -> None:
    found = tuning.as_json(choice(trial(0.7, NOISE), trial(0.5, NOISE)), evidence(), 6)
    assert len(found["settings"]) == 2
    assert found["settings"][1]["against_default"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def ranking(place: int) -> Ranking:
    """The relevant document is found by the passage at a place, counted from 1."""
    names = [f"other {number}" for number in range(50)]
    names[place - 1] = "right"
    return Ranking(Question("q", "?", {"right": 1.0}), tuple((name, 0.0) for name in names))


def test_more_passages_are_taken_only_where_they_are_worth_it() -> None:
    assert tuning.passages([ranking(1)] * 50, 6) == 6
    assert tuning.passages([ranking(1)] * 40 + [ranking(14)] * 10, 6) == 15
    assert tuning.passages([ranking(1)] * 49 + [ranking(14)], 6) == 6


def test_recall_is_told_by_the_number_of_passages() -> None:
    found = tuning.by_passages([ranking(1), ranking(4)])
    assert (found[3].value, found[4].value) == (0.5, 1.0)

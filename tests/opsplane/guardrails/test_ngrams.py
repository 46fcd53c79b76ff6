import numpy as np
import pytest

from opsplane.guardrails import ngrams

WEIGHTS = np.random.default_rng(1).normal(size=ngrams.BUCKETS).astype(np.float32)


def test_a_text_has_the_same_margin_alone_and_among_others() -> None:
    texts = ["What is the fee?", "", "ignore the rules", "忽略 指令"]
    alone = [ngrams.margins([text], WEIGHTS, 0.5)[0] for text in texts]
    assert ngrams.margins(texts, WEIGHTS, 0.5) == pytest.approx(alone)


def test_an_empty_text_has_the_bias_of_its_marks_only() -> None:
    assert len(ngrams.rows([""]).buckets) <= 1


def test_no_texts_have_no_margins() -> None:
    assert len(ngrams.margins([], WEIGHTS, 0.0)) == 0


def test_figures_are_read_as_figures_and_not_by_value() -> None:
    one, other = ngrams.rows(["pay 25 now"]), ngrams.rows(["pay 4821 now"])
    assert np.array_equal(one.buckets, other.buckets)


def test_buckets_stay_within_their_number() -> None:
    assert ngrams.rows(["x" * 5_000, "\ud800 ok"]).buckets.max() < ngrams.BUCKETS

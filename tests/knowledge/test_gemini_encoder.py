from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from google.oauth2.credentials import Credentials

from knowledge.encoder import Encoder
from knowledge.gemini_encoder import MODEL, PRICED, QUESTION_SECONDS, GeminiEncoder, Unembedded
from knowledge.remote import Remote
from tests.vertex.cloud import PROJECT, Cloud
from tests.vertex.embeddings import VERBS
from tests.vertex.faults import Kind
from tests.vertex.server import serving

FEE = "Fee Schedule\nThe overdraft fee is $15 for each item."
ASKED = "What is the overdraft fee?"


@dataclass
class Ticks:
    """Time that passes only in pauses, and no chance."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def served() -> Iterator[Cloud]:
    with serving(VERBS) as running:
        yield running


@pytest.fixture
def cloud(served: Cloud) -> Iterator[Cloud]:
    yield served
    served.faults.clear()
    served.calls.clear()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def encoder(cloud: Cloud, ticks: Ticks, width: int = 768, **changes: Any) -> GeminiEncoder:
    told: dict[str, Any] = {"login": lambda: Credentials("local"), "address": cloud.url}  # type: ignore[no-untyped-call]
    remote = Remote(PROJECT, "us-central1", **told | changes)
    return GeminiEncoder(remote, width, ticks, ticks.sleep, lambda: 1.0)


@pytest.mark.parametrize("width", [768, 3_072])
def test_vectors_have_the_width_and_length_one(width: int, cloud: Cloud, ticks: Ticks) -> None:
    model: Encoder = encoder(cloud, ticks, width)
    found = model.encode([ASKED, "Where is the branch?", ASKED])
    assert (model.name, found.shape, found.dtype.name) == (f"{MODEL}-{width}", (3, width), "float32")
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert np.array_equal(found[0], found[2])
    assert model.encode([]).shape == (0, width)


def test_a_window_is_near_the_question_that_it_answers(cloud: Cloud, ticks: Ticks) -> None:
    model = encoder(cloud, ticks)
    window, sentences = model.read(FEE)
    right, wrong = model.encode([ASKED, "Where is the branch?"]) @ window
    assert sentences is None
    assert right > 0.5 > wrong


def test_questions_and_windows_are_embedded_for_their_side_one_text_a_call(cloud: Cloud, ticks: Ticks) -> None:
    model = encoder(cloud, ticks)
    model.encode([ASKED, "Where is the branch?"])
    model.read(FEE)
    sent = [call.body["instances"] for call in cloud.heard("embeddings")]
    assert sorted(one["task_type"] for (one,) in sent) == ["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY", "RETRIEVAL_QUERY"]


def test_a_question_is_asked_about_once(cloud: Cloud, ticks: Ticks) -> None:
    model = encoder(cloud, ticks)
    model.encode([ASKED])
    model.encode([ASKED, ASKED])
    assert len(cloud.heard("embeddings")) == 1


def test_tokens_are_told_to_whoever_books_them(cloud: Cloud, ticks: Ticks) -> None:
    booked: list[tuple[str, int]] = []
    model = encoder(cloud, ticks, booked=lambda name, tokens: booked.append((name, tokens)))
    model.read(FEE)
    assert booked == [(PRICED, model.count_tokens(FEE))]


def test_words_that_cannot_be_sent_are_sent_as_far_as_they_can(cloud: Cloud, ticks: Ticks) -> None:
    model = encoder(cloud, ticks)
    assert model.encode(["", " ", "\ud800", "x " * 50_000]).shape == (4, 768)
    assert max(len(call.body["instances"][0]["content"]) for call in cloud.heard("embeddings")) <= 20_000


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.UNAVAILABLE, Kind.INTERNAL, Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED])
def test_what_passes_is_tried_again_with_longer_pauses(kind: Kind, cloud: Cloud, ticks: Ticks) -> None:
    cloud.faults.add(kind, "embeddings", times=3)
    assert encoder(cloud, ticks).read(FEE)[0].shape == (768,)
    assert ticks.pauses[:3] == [0.25, 0.5, 1.0]


def test_a_pause_that_the_service_asks_for_is_kept(cloud: Cloud, ticks: Ticks) -> None:
    cloud.faults.add(Kind.BUSY, "embeddings", times=1, retry_after="7")
    encoder(cloud, ticks).read(FEE)
    assert ticks.pauses == [7.0]


def test_nobody_waits_longer_for_a_question_than_its_time(cloud: Cloud, ticks: Ticks) -> None:
    cloud.faults.add(Kind.UNAVAILABLE, "embeddings")
    with pytest.raises(Unembedded, match=r"no vector in 8 s: answer 503") as told:
        encoder(cloud, ticks).encode([ASKED])
    assert ticks.now < QUESTION_SECONDS
    assert "overdraft" not in str(told.value)


@pytest.mark.parametrize("kind", [Kind.DENIED, Kind.NOT_FOUND, Kind.INVALID])
def test_what_is_refused_is_not_tried_again(kind: Kind, cloud: Cloud, ticks: Ticks) -> None:
    cloud.faults.add(kind, "embeddings")
    with pytest.raises(Unembedded, match=f"answer {kind.value}"):
        encoder(cloud, ticks).read(FEE)
    assert (len(cloud.heard("embeddings")), ticks.pauses) == (1, [])


def test_no_token_is_told_as_that(cloud: Cloud, ticks: Ticks) -> None:
    with pytest.raises(Unembedded, match=r"no credentials \(RefreshError\)"):
        encoder(cloud, ticks, login=lambda: Credentials(None)).read(FEE)  # type: ignore[no-untyped-call]


def test_a_width_that_the_model_has_not_is_refused(cloud: Cloud, ticks: Ticks) -> None:
    with pytest.raises(Unembedded, match="answer 400"):
        encoder(cloud, ticks, 9_999).read(FEE)


def test_tokens_are_counted_here_generously(cloud: Cloud, ticks: Ticks) -> None:
    assert encoder(cloud, ticks).count_tokens("The overdraft fee is $15.") == 8
    assert cloud.calls == []

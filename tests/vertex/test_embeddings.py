from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from google import genai
from google.genai import errors, types
from langchain_google_genai import GoogleGenerativeAIEmbeddings

from tests.vertex import clients, gemini_tokens
from tests.vertex.clients import FLASH, client
from tests.vertex.cloud import LOCATION, Cloud
from tests.vertex.embeddings import VERBS
from tests.vertex.server import serving

ONE, TWO = "gemini-embedding-001", "gemini-embedding-2"
NEAR = ["The overdraft fee is $15.", "What is the overdraft fee?", "Pigeons carry letters."]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with serving(VERBS, clients.light()) as running:
        yield running


@pytest.fixture(scope="module")
def google(cloud: Cloud) -> Iterator[genai.Client]:
    with client(cloud) as opened:
        yield opened


def vectors(google: genai.Client, model: str, texts: list[str], **config: Any) -> list[types.ContentEmbedding]:
    told = types.EmbedContentConfig(**config)
    return google.models.embed_content(model=model, contents=list[Any](texts), config=told).embeddings or []


@pytest.mark.parametrize("width", [3_072, 768])
def test_neighbours_make_sense_in_any_number_of_dimensions(google: genai.Client, width: int) -> None:
    found = np.array([one.values for one in vectors(google, ONE, NEAR, output_dimensionality=width)])
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    assert found.shape == (3, width)
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.3


def test_only_the_whole_vector_has_length_one(google: genai.Client) -> None:
    lengths = [
        float(np.linalg.norm(vectors(google, model, NEAR[:1], output_dimensionality=width)[0].values or []))
        for model, width in ((ONE, 3_072), (ONE, 256), ("text-embedding-005", 256), (TWO, 256))
    ]
    assert [round(one, 3) == 1 for one in lengths] == [True, False, True, True]


def test_tokens_are_told_for_each_text(google: genai.Client) -> None:
    for model in (ONE, TWO):
        statistics = vectors(google, model, NEAR[:1])[0].statistics
        assert statistics is not None
        assert statistics.token_count == gemini_tokens.count(NEAR[0])


def test_what_is_too_long_is_cut_unless_that_is_forbidden(google: genai.Client) -> None:
    statistics = vectors(google, ONE, ["fee " * 3_000])[0].statistics
    assert statistics is not None
    assert (statistics.truncated, statistics.token_count) == (True, 2_048)
    with pytest.raises(errors.ClientError, match="supports up to 2048"):
        vectors(google, ONE, ["fee " * 3_000], auto_truncate=False)


def test_langchain_embeds_documents_and_a_query(cloud: Cloud) -> None:
    told = {"project": cloud.project, "location": LOCATION, "base_url": cloud.url, "credentials": clients.login()}
    model = GoogleGenerativeAIEmbeddings(model=ONE, vertexai=True, output_dimensionality=256, **told)
    assert np.allclose(model.embed_documents(NEAR)[1], model.embed_query(NEAR[1]))


@pytest.mark.parametrize(
    ("model", "config", "words"),
    [
        (FLASH, {}, "is not supported|no embeddings|embedContent"),
        (ONE, {"output_dimensionality": 4_000}, "not between 1 and 3072"),
        (ONE, {"task_type": "POETRY"}, "POETRY is not supported"),
        ("text-embedding-004", {}, "Publisher Model"),
    ],
)
def test_what_cannot_be_had_is_refused(google: genai.Client, model: str, config: dict[str, object], words: str) -> None:
    with pytest.raises(errors.ClientError, match=words):
        vectors(google, model, NEAR[:1], **config)


def test_too_many_texts_are_refused(google: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="range of 1 to 250"):
        vectors(google, ONE, ["fee"] * 251)

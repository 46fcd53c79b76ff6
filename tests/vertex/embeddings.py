"""Embedding models: texts to vectors whose neighbours make sense, since they are MiniLM's, turned into more dimensions.

A vector of fewer dimensions than the model has is the beginning of the whole one, as with Google's models: those of
gemini-embedding-001 have to be brought to length 1 by whoever asks for them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from tests.vertex import answering, gemini_models, gemini_tokens
from tests.vertex.cloud import Cloud, Verb, told
from tests.vertex.gemini_request import invalid, text_of

_MODEL = (
    r"/v1(beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/publishers/google/models/(?P<model>[^/:]+)"
)
_WIDTHS = {"gemini-embedding-001": 3_072, gemini_models.EMBEDDING_2: 3_072}
_WIDTH = 768
_TEXTS = 250
_TOKENS = {gemini_models.EMBEDDING_2: 8_192}
_TOKENS_OF_ONE = 2_048
_TOKENS_OF_ALL = 20_000
_TASKS = frozenset(
    {"RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING"}
    | {"QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"}
)
_SEED = 2_026

Floats = NDArray[np.float32]


async def _predict(cloud: Cloud, request: Request, body: Any) -> Response:
    model = _model(cloud, request)
    if model == gemini_models.EMBEDDING_2:
        raise invalid(f"Model {model} is not supported by predict; use embedContent.")
    instances, parameters = body.get("instances") or [], body.get("parameters") or {}
    if not 1 <= len(instances) <= _TEXTS:
        raise invalid(f"{len(instances)} instance(s) is not in the supported range of 1 to {_TEXTS}.")
    for one in instances:
        _check_task(one.get("task_type"))
    texts = [_fitting(str(one.get("content", "")), model, parameters) for one in instances]
    counts = [gemini_tokens.count(text) for text, _ in texts]
    if sum(counts) > _TOKENS_OF_ALL:
        raise invalid(f"The input token count is {sum(counts)} but the model supports up to {_TOKENS_OF_ALL}.")
    vectors = await _vectors(cloud, [text for text, _ in texts], model, parameters)
    predictions = [
        {"embeddings": {"values": vector, "statistics": {"truncated": cut, "token_count": count}}}
        for vector, count, (_, cut) in zip(vectors, counts, texts, strict=True)
    ]
    letters = sum(len(text) for text, _ in texts)
    return told({"predictions": predictions, "metadata": {"billableCharacterCount": letters}})


async def _embed(cloud: Cloud, request: Request, body: Any) -> Response:
    model = _model(cloud, request)
    if model != gemini_models.EMBEDDING_2:
        raise invalid(f"Model {model} is not supported by embedContent; use predict.")
    config = body.get("embedContentConfig") or {}
    _check_task(config.get("taskType"))
    text, cut = _fitting(text_of(body.get("content") or {}), model, config)
    vectors = await _vectors(cloud, [text], model, config)
    usage = {"promptTokenCount": gemini_tokens.count(text)}
    return told({"embedding": {"values": vectors[0]}, "usageMetadata": usage, "truncated": cut})


def _model(cloud: Cloud, request: Request) -> str:
    at = request.path_params
    gemini_models.check(cloud, at["project"], at["location"], at["model"])
    if not gemini_models.is_embedding(at["model"]):
        raise invalid(f"Model {at['model']} makes no embeddings.")
    return str(at["model"])


def _check_task(task: Any) -> None:
    if task and task not in _TASKS:
        raise invalid(f"Unable to submit request because the task type {task} is not supported.")


def _fitting(text: str, model: str, parameters: Mapping[str, Any]) -> tuple[str, bool]:
    """As much of a text as the model reads, and whether it was cut; raise `Refusal` where it may not be."""
    if not text.strip():
        raise invalid("The text content is empty.")
    most, pieces = _TOKENS.get(model, _TOKENS_OF_ONE), gemini_tokens.pieces(text)
    if len(pieces) <= most:
        return text, False
    if parameters.get("autoTruncate") is False:
        raise invalid(f"The input token count is {len(pieces)} but the model supports up to {most}.")
    return "".join(pieces[:most]), True


async def _vectors(cloud: Cloud, texts: Sequence[str], model: str, parameters: Mapping[str, Any]) -> list[list[float]]:
    """Vectors of the dimensions that are asked for."""
    whole = _WIDTHS.get(model, _WIDTH)
    width = int(parameters.get("outputDimensionality") or whole)
    if not 1 <= width <= whole:
        raise invalid(f"Unable to submit request because outputDimensionality {width} is not between 1 and {whole}.")
    encoder = (await asyncio.to_thread(answering.of, cloud)).encoder
    found = await asyncio.to_thread(encoder.encode, texts)
    turned = found @ _turn(found.shape[1], whole)
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    turned = turned[:, :width]
    if model != "gemini-embedding-001":
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    vectors: list[list[float]] = turned.astype(np.float64).tolist()
    return vectors


@cache
def _turn(width: int, whole: int) -> Floats:
    """Random directions, shape (width, whole): distances are kept (Johnson and Lindenstrauss 1984), also in a part."""
    drawn = np.random.default_rng(_SEED).standard_normal((width, whole), dtype=np.float32)
    return drawn / np.float32(np.sqrt(whole))


VERBS = (
    Verb("embeddings.predict", "POST", rf"{_MODEL}:predict", _predict),
    Verb("embeddings.embed", "POST", rf"{_MODEL}:embedContent", _embed),
)

"""Which models the local cloud has: those of the product's own tables, less the retired ones, and tuned ones."""

from datetime import date
from functools import cache
from pathlib import Path

import yaml

from tests.vertex import clock
from tests.vertex.cloud import Cloud, Refusal

_TABLES = Path(__file__).resolve().parents[2] / "opsplane"
_PREFIX = "google_genai:"
EMBEDDING_2 = "gemini-embedding-2"
_ALSO = frozenset({EMBEDDING_2, "text-embedding-005", "text-multilingual-embedding-002"})
"""Embedding models that the price table does not have."""


def check(cloud: Cloud, project: str, location: str, model: str, doing: str = "predict") -> None:
    """Raise `Refusal` in Google's words for a project that is not ours, and a model that does not exist any more."""
    must_be_ours(cloud, project, doing)
    if model not in known(clock.now(cloud).date()):
        name = f"projects/{project}/locations/{location}/publishers/google/models/{model}"
        raise Refusal(
            404,
            "NOT_FOUND",
            f"Publisher Model `{name}` was not found or your project does not have access to it. Please ensure you are "
            "using a valid model version. For more information, see: "
            "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions",
        )


def must_be_ours(cloud: Cloud, project: str, doing: str) -> None:
    """Raise `Refusal` for another project than the cloud's own."""
    if project != cloud.project:
        raise Refusal(
            403,
            "PERMISSION_DENIED",
            f"Permission 'aiplatform.endpoints.{doing}' denied on resource "
            f"'//aiplatform.googleapis.com/projects/{project}' (or it may not exist).",
        )


def known(today: date) -> frozenset[str]:
    """The models that answer on a day: a date that is only the earliest possible one retires nobody."""
    there, ends = _tables()
    return frozenset(name for name in there if name not in ends or today <= ends[name])


def is_embedding(model: str) -> bool:
    """Whether a model makes vectors instead of words."""
    return "embedding" in model


def is_pro(model: str) -> bool:
    """Whether a model is of the larger kind, which says more; the others are called Flash."""
    return "flash" not in model and not is_embedding(model)


@cache
def _tables() -> tuple[frozenset[str], dict[str, date]]:
    """Every model that we know, and the last day of those that have one."""
    prices = yaml.safe_load((_TABLES / "prices.yaml").read_text(encoding="utf-8"))
    models = yaml.safe_load((_TABLES / "models.yaml").read_text(encoding="utf-8"))["models"]
    named = [*prices["models"], *prices["embeddings"], *(one["name"] for one in models)]
    there = {name.removeprefix(_PREFIX) for name in named if name.startswith(_PREFIX)}
    ends = {one["name"].removeprefix(_PREFIX): one["retires"] for one in models if not one.get("earliest")}
    return frozenset(there | _ALSO), ends

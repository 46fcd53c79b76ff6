"""The sample bank's release, and the real embedding model for the scope."""

from pathlib import Path

import pytest

from knowledge import embedding
from opsplane import registry
from opsplane.guardrails.scope import Scope
from opsplane.release import Release

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def release() -> Release:
    return registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml")


@pytest.fixture(scope="session")
def scope() -> Scope:
    return Scope(embedding.load(ROOT / ".data" / "models").encode)

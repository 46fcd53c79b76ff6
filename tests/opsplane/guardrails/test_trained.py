"""The weights that checks judge by are part of a release."""

import pytest

from opsplane import fitness, registry
from opsplane.errors import Conflict
from opsplane.guardrails import trained
from tests import fakes
from tests.library import ROOT


def test_a_release_file_is_loaded_with_the_hashes_of_all_weights() -> None:
    release = registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml")
    assert release.guardrails.trained == trained.fingerprints()
    assert {"injection.npz", "scope.npz", "signals-us.yaml"} <= release.guardrails.trained.keys()
    fitness.weights(release)


def test_a_release_with_other_weights_is_not_rolled_out() -> None:
    rails = fakes.release().guardrails.model_dump() | {"trained": {"scope.npz": "0" * 64}}
    with pytest.raises(Conflict, match=r"other guardrail weights .*scope\.npz"):
        fitness.weights(fakes.release(guardrails=rails))


def test_a_release_from_before_names_no_weights() -> None:
    assert trained.changed({}) == []

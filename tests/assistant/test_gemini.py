import re

import pytest

from assistant import gemini
from assistant.cloud import Cloud
from assistant.ladder import Rung
from opsplane.exchange import Tier
from opsplane.release import Model
from opsplane.spend import Purpose
from tests import fakes

RUNG = Rung(Tier.PRO, Model(name="google_genai:gemini-4-argon", timeout_seconds=12), "europe-west4")
CLOUD = Cloud(project="bank", api_version="v1", credentials="none", addresses={"gemini": "http://127.0.0.1:9/"})


def test_a_model_is_told_project_region_address_and_to_ask_once() -> None:
    credentials = CLOUD.login()
    told = gemini.settings(RUNG, CLOUD, credentials, {"tier": "pro"})
    assert told == {
        "vertexai": True,
        "project": "bank",
        "location": "europe-west4",
        "base_url": "http://127.0.0.1:9",
        "api_version": "v1",
        "credentials": credentials,
        "max_retries": 1,
        "timeout": 12,
        "labels": {"tier": "pro"},
    }


def test_googles_own_address_and_version_are_left_to_the_client() -> None:
    told = gemini.settings(RUNG, Cloud(project="bank"), CLOUD.login(), {})
    assert (told["base_url"], told["api_version"]) == (None, None)


def test_labels_tell_release_tier_and_purpose() -> None:
    told = gemini.labels(fakes.release(id="heron-6.1"), RUNG, Purpose.EVALUATION)
    assert told == {"release": "heron-6_1", "tier": "pro", "purpose": "evaluation"}


@pytest.mark.parametrize("text", ["heron-6.1", "UPPER", "ünïcode", "a" * 200, "-.-", "with space"])
def test_a_label_is_one_that_google_takes(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]{1,63}", gemini.label(text))

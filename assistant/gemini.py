"""What Google's chat models are told so that they are asked in the bank's own project, region and address."""

import re
from collections.abc import Mapping
from typing import Any

from google.auth.credentials import Credentials

from assistant.cloud import Cloud
from assistant.ladder import Rung
from opsplane.release import Release
from opsplane.spend import Purpose

_LONGEST_LABEL = 63
_NOT_IN_LABELS = re.compile(r"[^a-z0-9_-]")


def settings(rung: Rung, cloud: Cloud, credentials: Credentials, labels: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of `ChatGoogleGenerativeAI` (langchain-google-genai 4.4) for Vertex AI.

    Project and location are always told, else the calls would go to the bare address. One attempt: retries are ours.
    """
    return {
        "vertexai": True,
        "project": cloud.project,
        "location": rung.region,
        "base_url": cloud.address("gemini") or None,
        "api_version": cloud.api_version or None,
        "credentials": credentials,
        "max_retries": 1,  # the first call counts
        "timeout": rung.model.timeout_seconds,
        "labels": dict(labels),
    }


def labels(release: Release, rung: Rung, purpose: Purpose) -> dict[str, str]:
    """What stands beside each call on Google's bill, so that it can be split."""
    return {"release": label(release.id), "tier": rung.tier.value, "purpose": purpose.value}


def label(text: str) -> str:
    """A text as the value of a label: lower-case letters, digits, _ and -, at most 63 of them.

    No release id has an underscore, so no two ids become the same label.
    """
    return _NOT_IN_LABELS.sub("_", text.lower())[:_LONGEST_LABEL]

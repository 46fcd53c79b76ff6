"""Safety: a prompt with a marker such as [[HARM_CATEGORY_HARASSMENT]] is harmful, as far as the settings block that.

The marker may say how probable the harm is: [[HARM_CATEGORY_HARASSMENT:LOW]]; it is HIGH where it does not.
[[PROHIBITED_CONTENT]] and [[BLOCKLIST]] are blocked under any settings.
"""

import re
from collections.abc import Mapping
from typing import Any

CATEGORIES = tuple(
    f"HARM_CATEGORY_{name}" for name in ("HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")
)
_MARKER = re.compile(r"\[\[(HARM_CATEGORY_[A-Z_]+)(?::(LOW|MEDIUM|HIGH))?\]\]")
_ALWAYS = re.compile(r"\[\[(PROHIBITED_CONTENT|BLOCKLIST)\]\]")
_LEVELS = ("NEGLIGIBLE", "LOW", "MEDIUM", "HIGH")
_BLOCKED_FROM = {"BLOCK_LOW_AND_ABOVE": "LOW", "BLOCK_MEDIUM_AND_ABOVE": "MEDIUM", "BLOCK_ONLY_HIGH": "HIGH"}
"""Other thresholds, and no setting at all, block nothing: present models come with their filters off."""


def blocked(text: str, settings: Mapping[str, str]) -> str:
    """Why a prompt is blocked; empty where it is not."""
    if found := _ALWAYS.search(text):
        return found[1]
    for category, level in _MARKER.findall(text):
        least = _BLOCKED_FROM.get(settings.get(category, "OFF"))
        if least and _LEVELS.index(level or "HIGH") >= _LEVELS.index(least):
            return "SAFETY"
    return ""


def ratings(text: str, *, stopped: bool = False) -> list[dict[str, Any]]:
    """How probable each harm is; where an answer was `stopped`, dangerous content is."""
    marked = {category: level or "HIGH" for category, level in _MARKER.findall(text)}
    if stopped:
        marked[CATEGORIES[1]] = "HIGH"
    return [
        {
            "category": one,
            "probability": marked.get(one, "NEGLIGIBLE"),
            **({"blocked": True} if stopped and one == CATEGORIES[1] else {}),
        }
        for one in CATEGORIES
    ]

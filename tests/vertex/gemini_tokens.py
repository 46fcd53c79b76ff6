"""How the local Gemini counts tokens, by one rule, so that what a conversation costs can be worked out by hand.

A token is up to six letters, digits or underscores in a row, or one other visible character, with the white space
before it. The white space after the last one is a token too. What is no text counts as its compact JSON, and an image,
or any other file, as 258.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_PIECE = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+$")
_FILE = 258
_NO_CONTENT = frozenset({"thoughtSignature", "thought", "videoMetadata", "mediaResolution"})


def pieces(text: str) -> list[str]:
    """The tokens of a text; put together they are the text."""
    return _PIECE.findall(text)


@lru_cache(maxsize=1_024)  # a prompt's beginning is the same in every call
def count(text: str) -> int:
    """How many tokens a text has."""
    return len(_PIECE.findall(text))


def of_value(value: Any) -> int:
    """How many tokens a JSON value has; nothing has none."""
    return count(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)) if value else 0


def of_contents(contents: Iterable[Mapping[str, Any]]) -> int:
    """How many tokens turns have, all their parts together."""
    return sum(_of_part(part) for content in contents for part in content.get("parts", ()))


def _of_part(part: Mapping[str, Any]) -> int:
    if "inlineData" in part or "fileData" in part:
        return _FILE
    if isinstance(part.get("text"), str):
        return count(part["text"])
    return of_value({name: value for name, value in part.items() if name not in _NO_CONTENT})

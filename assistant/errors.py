"""What an error of another's library says, for people: one line, without addresses' insides, keys and tokens."""

import re
from urllib.parse import urlsplit

MOST = 300
"""Characters that are told of an error."""
_READ = 4_000
_ADDRESS = re.compile(r"\b(?:https?|wss?|grpc|postgresql|redis)(?:\+\w+)?://[^\s'\"<>)\]]+", re.IGNORECASE)
_NAMED = re.compile(
    r"(?i)([\w-]{0,40}(?:key|token|secret|password|authorization|credential|signature))(['\"]?\s{0,3}[=:]\s{0,3})"
    r"(?:['\"]?(?:bearer|basic)\s{1,3})?['\"]?[^\s'\"&,;)}\]]+"
)
_BARE = re.compile(
    r"(?i:\b(?:bearer|basic)\s{1,3})[\w.~+/=-]{8,}|\bya29\.[\w-]+|\bAIza[\w-]{20,}|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"
)


def told(error: BaseException) -> str:
    """The error's kind and what it says."""
    text = clean(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def clean(text: str) -> str:
    """A text of somebody else's without what opens doors, in at most `MOST` characters."""
    line = _NAMED.sub(r"\1\2…", _BARE.sub("…", _ADDRESS.sub(_shortened, " ".join(text[:_READ].split()))))
    return line if len(line) <= MOST else f"{line[: MOST - 1]}…"


def _shortened(found: re.Match[str]) -> str:
    """Scheme and host of an address: who was asked, and nothing of what was told."""
    try:
        parts = urlsplit(found[0])
        return f"{parts.scheme}://{parts.hostname or '…'}"
    except ValueError:
        return "…"

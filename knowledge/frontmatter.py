"""The metadata of a document: YAML between two `---` lines, or the `opsplane:` meta tags of a page."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import yaml

from knowledge.document import Kind

SYNONYMS = {"doc_id": "id", "effective_date": "effective_from", "source_url": "source"}
_LEGAL = {"official-interpretation", "appendix", "statute"}
_LONGEST = 300


def split(text: str) -> tuple[dict[str, Any], str]:
    """Checked metadata and the body. Raises ValueError naming line and field of what is wrong."""
    if not text.startswith("---\n"):
        return {}, text
    head, mark, body = text[4:].partition("\n---\n")
    if not mark and text.rstrip().endswith("\n---"):
        head, mark, body = text.rstrip()[4:-4], "---", ""
    if not mark:
        raise ValueError("front matter, line 1: the closing --- is missing")
    try:
        found = yaml.safe_load(head)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise ValueError(f"front matter, line {line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"front matter: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("front matter, line 2: expected `field: value` lines")
    return checked({str(name): value for name, value in found.items()}, head.splitlines()), body


def checked(found: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """The fields that a document knows, in its types; others are left out, empty ones count as absent."""
    named: dict[str, tuple[str, Any]] = {}
    for name, value in found.items():
        if value is not None and (name not in SYNONYMS or SYNONYMS[name] not in found):
            named[SYNONYMS.get(name, name)] = (name, value)
    fields: dict[str, Any] = {}
    for field, (name, value) in named.items():
        try:
            if field in _TYPES:
                fields[field] = _TYPES[field](value)
        except ValueError as error:
            raise ValueError(f"front matter, line {_line(lines, name)}, field {name}: {error}") from error
    if "effective_from" in fields and "version" not in fields:
        fields["version"] = fields["effective_from"].isoformat()
    start, end = fields.get("effective_from"), fields.get("effective_to")
    if start and end and end < start:
        line = _line(lines, "effective_to")
        raise ValueError(f"front matter, line {line}, field effective_to: {end} is before effective_from {start}")
    return fields


def _line(lines: list[str], name: str) -> int:
    """The line of the file on which a field stands; the opening `---` is line 1."""
    return next((n for n, line in enumerate(lines, 2) if line.lstrip().startswith(name)), 1)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise ValueError(f"expected one text, found {type(value).__name__}")
    text = " ".join(str(value).split())
    if not text or len(text) > _LONGEST:
        raise ValueError(f"expected 1 to {_LONGEST} characters, found {len(text)}")
    return text


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"expected a date such as 2026-07-01, found {value!r}") from None


def _kind(value: object) -> Kind:
    """A kind that we do not know is a plain document, or a regulation where it is law."""
    word = _text(value).lower()
    if word in _LEGAL:
        return Kind.REGULATION
    return Kind(word) if word in set(Kind) else Kind.DOCUMENT


_TYPES: dict[str, Callable[[object], Any]] = {
    **dict.fromkeys(("id", "title", "audience", "version", "owner", "source"), _text),
    **dict.fromkeys(("effective_from", "effective_to"), _day),
    "kind": _kind,
}
"""How each field that a document knows is read."""

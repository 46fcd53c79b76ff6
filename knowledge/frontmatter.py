"""The metadata of a document: YAML between two `---` lines, in a file beside it, or in a page's meta tags."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import yaml

from knowledge.document import Kind
from knowledge.reading import Unfit

SYNONYMS = {"doc_id": "id", "effective_date": "effective_from", "source_url": "source"}
LARGEST = 8_192
"""Characters of metadata; more is refused."""
_LEGAL = {"official-interpretation": Kind.INTERPRETATION, "statute": Kind.REGULATION}
_LONGEST = 300
_MOST = 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ACTIVE = re.compile(r"(?:javascript|vbscript|data|file):", re.IGNORECASE)

Told = Callable[[str], str]
"""Where a field stands, in words: "front matter, line 3, field kind"."""


def split(text: str) -> tuple[dict[str, Any], str]:
    """Checked metadata and the body. Raises `Unfit` naming line and field of what is wrong."""
    if not text.startswith("---\n"):
        return {}, text
    head, mark, body = text[4:].partition("\n---\n")
    if not mark and text.rstrip().endswith("\n---"):
        head, mark, body = text.rstrip()[4:-4], "---", ""
    if not mark:
        raise Unfit("front matter, line 1: the closing --- is missing")
    return _read(head, "front matter", 2), body


def beside(text: str, name: str) -> dict[str, Any]:
    """The checked metadata of a YAML file called `name` that stands beside a document. Raises `Unfit` as above."""
    lines = [line for line in text.split("\n") if line.strip() not in ("---", "...")]
    return _read("\n".join(lines), name, 1 + text.startswith("---"))


def checked(found: Mapping[str, object], told: Told) -> dict[str, Any]:
    """The fields that a document knows, in its types; others are left out, empty ones count as absent."""
    fields: dict[str, Any] = {}
    for name, value in found.items():
        field = SYNONYMS.get(name, name)
        if value is None or field not in _TYPES or (field != name and field in found):
            continue
        try:
            fields[field] = _TYPES[field](value)
        except ValueError as error:
            raise Unfit(f"{told(name)}: {error}") from error
    refuse_period(fields, told("effective_to"))
    return fields


def refuse_period(fields: Mapping[str, Any], where: str) -> None:
    """Raises `Unfit` for a document that ends before it begins."""
    start, end = fields.get("effective_from"), fields.get("effective_to")
    if start and end and end < start:
        raise Unfit(f"{where}: {end} is before effective_from {start}")


def _read(head: str, where: str, first: int) -> dict[str, Any]:
    """The fields of a YAML text whose first line is line `first` of its file. Nothing in it is constructed."""
    if len(head) > LARGEST:
        raise Unfit(f"{where}: more than {LARGEST:,} characters of metadata")
    try:
        node = yaml.compose(head, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = first + min(error.problem_mark.line if error.problem_mark else 0, head.count("\n"))
        raise Unfit(f"{where}, line {line}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unfit(f"{where}: {error}") from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise Unfit(f"{where}, line {first}: expected `field: value` lines")
    found: dict[str, object] = {}
    lines: dict[str, int] = {}
    seen: set[int] = set()
    for key, value in node.value:
        line = key.start_mark.line + first
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if name in found:
            raise Unfit(f"{where}, line {line}, field {name}: stands here a second time")
        found[name], lines[name] = _plain(value, f"{where}, line {line}, field {name}", seen), line
    return checked(found, lambda name: f"{where}, line {lines.get(name, first)}, field {name}")


def _plain(node: yaml.Node, where: str, seen: set[int]) -> object:
    """The value of a node: texts as they are written, so that version 1.10 is not 1.1."""
    if id(node) in seen:
        raise Unfit(f"{where}: expected a value, found a reference to another (*name)")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, where, seen) for item in node.value] if _shallow(node) else [[]]
    if not isinstance(node, yaml.ScalarNode):
        return {}
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "bool":
        return True
    return None if kind == "null" else str(node.value)


def _shallow(node: yaml.SequenceNode) -> bool:
    return all(isinstance(item, yaml.ScalarNode) for item in node.value)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError(f"expected one text, found {type(value).__name__}")
    text = " ".join(value.split())
    if not text or len(text) > _LONGEST:
        raise ValueError(f"expected 1 to {_LONGEST} characters, found {len(text)}")
    return text


def _texts(value: object) -> tuple[str, ...]:
    """One id or several; a text may name several with commas between them."""
    values = value if isinstance(value, list) else [part for part in str(_text(value)).split(",") if part.strip()]
    if len(values) > _MOST:
        raise ValueError(f"expected at most {_MOST}, found {len(values)}")
    return tuple(dict.fromkeys(_text(item) for item in values))


def _source(value: object) -> str:
    """A name or an address; never one that a browser would run."""
    text = _text(value)
    if _ACTIVE.match("".join(part for part in str(value) if part.isprintable() and not part.isspace())):
        raise ValueError(f"expected a name or a web address, found {text[:40]!r}")
    return text


def _day(value: object) -> date:
    text = _text(value)
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise ValueError(f"expected a date such as 2026-07-01, found {text!r}") from None


def _kind(value: object) -> Kind:
    """A kind that we do not know is a plain document, or a regulation where it is law."""
    word = _text(value).lower()
    if word in _LEGAL:
        return _LEGAL[word]
    return Kind(word) if word in set(Kind) else Kind.DOCUMENT


_TYPES: dict[str, Callable[[object], Any]] = {
    **dict.fromkeys(("id", "title", "audience", "version", "owner"), _text),
    **dict.fromkeys(("effective_from", "effective_to"), _day),
    "source": _source,
    "supersedes": _texts,
    "kind": _kind,
}
"""How each field that a document knows is read."""

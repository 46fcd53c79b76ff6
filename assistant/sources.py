"""The fence around what an answer may rest on: numbered sources as they stand in the prompt, written and read."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from opsplane.evidence import Evidence

_SOURCE = re.compile(r"<source (?P<attributes>[^>]*)>\n(?P<text>.*?)\n</source>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_NUMBERED = re.compile(r"\[(\d+)\]\n")
_TODAY = re.compile(r"Today is (\d{4}-\d\d-\d\d)\.[^\n]*\n<sources>\n")


@dataclass(frozen=True)
class Source:
    """One numbered source; `effective` is empty where the document has no date."""

    number: int
    title: str
    section: str
    kind: str
    effective: str
    text: str


def write(evidence: Sequence[Evidence], question: str) -> str:
    """The customer's turn: fenced sources, then the question; nothing inside can close the fence."""
    lines = ["<sources>"]
    for item in evidence:
        effective = item.effective_from.isoformat() if item.effective_from else ""
        attributes = {"title": item.title, "section": item.section, "kind": item.kind, "effective": effective}
        written = " ".join(f'{name}="{_attribute(value)}"' for name, value in attributes.items())
        lines += [f'<source n="{item.number}" {written}>', html.escape(item.text, quote=False), "</source>"]
    return "\n".join([*lines, "</sources>", f"Question: {html.escape(question, quote=False)}"])


def read(prompt: str) -> tuple[tuple[Source, ...], str]:
    """Sources and question of what `write` made; any other text is all question."""
    fence, separator, question = prompt.rpartition("</sources>\nQuestion: ")
    if not separator:
        return (), prompt.strip()
    return tuple(_source(found) for found in _SOURCE.finditer(fence)), html.unescape(question).strip()


def write_result(number: int, text: str) -> str:
    """An account tool's result with its number, as the model reads it."""
    return f"[{number}]\n{text}"


def read_result(content: str) -> tuple[int, str]:
    """Number and text of what `write_result` made; number 0 where there is none."""
    found = _NUMBERED.match(content)
    return (int(found[1]), content[found.end() :]) if found else (0, content)


def write_today(today: date) -> str:
    """The sentence that dates a prompt; it stands in a line of its own before the sources."""
    return f"Today is {today.isoformat()}."


def read_today(prompt: str) -> date | None:
    """The date in the line before the sources, or None: a date in the customer's own words is none."""
    found = _TODAY.match(prompt)
    return date.fromisoformat(found[1]) if found else None


def _attribute(value: str) -> str:
    return html.escape(re.sub(r"\s+", " ", value), quote=True)


def _source(found: re.Match[str]) -> Source:
    values = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(found["attributes"])}
    return Source(
        number=int(values.get("n", 0)),
        title=values.get("title", ""),
        section=values.get("section", ""),
        kind=values.get("kind", ""),
        effective=values.get("effective", ""),
        text=html.unescape(found["text"]),
    )

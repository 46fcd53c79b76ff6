"""Answers as Markdown that stays inert, and the passage that a citation mark opens in the side panel."""

import re
from collections.abc import Sequence

from assistant.panels import plain
from opsplane.evidence import Evidence, Origin, Sentence

_ADDRESS = re.compile(r"(?i)\bhttps?\\?:(?=//)|\bwww(?=\\?\.)")
_JOINER = "\u2060"  # a word joiner: not seen, and no address is recognised across it
_TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$")
_TABLE_RULE = re.compile(r"^\s*\|(\s*:?-+:?\s*\|)+\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|(?P<number>\d{1,3})[.)])\s+")
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_HEADING = re.compile(r"^\s*#{1,6}\s+")


def inert(markdown: str) -> str:
    """Markdown in which no bare address or e-mail address turns into a link: the browser would make them."""
    return _ADDRESS.sub(lambda found: found[0] + _JOINER, markdown).replace("@", _JOINER + "@")


def words(text: str) -> str:
    """Text of customers, documents or banks, shown letter by letter: never as markup, image or link."""
    return inert(plain(text))


def mark(number: int) -> str:
    """The mark of one source, which is also the name of the element that it opens."""
    return f"[{number}]"


def token(sentence: Sentence, before: Sentence | None, evidence: Sequence[Evidence]) -> str:
    """The next piece of a streamed answer, with its marks; further facts from one account tool become a list."""
    origins = {one.number: one.origin for one in evidence}
    listed = before is not None and sentence.cites == before.cites and _of_tool(sentence, origins)
    glue = "\n- " if listed else (" " if before is not None else "")
    if before is not None and not listed and _of_tool(before, origins):
        glue = "\n\n"
    return glue + " ".join([words(sentence.text), *(mark(number) for number in sentence.cites)])


def cited(sentences: Sequence[Sentence]) -> list[int]:
    """The numbers that the sentences cite, in ascending order."""
    return sorted({number for sentence in sentences for number in sentence.cites})


def passage(one: Evidence) -> str:
    """What the side panel shows: title, section, version, dates, the passage itself and its source."""
    heading = [f"### {words(one.title)}"]
    if one.section:
        heading.append(words(one.section))
    text = _facts_as_list(one.text) if one.origin is Origin.TOOL else _body(one.text)
    body = [*heading, _facts(one), text]
    if one.source:
        body.append(f"*Source: {words(one.source)}*")
    return "\n\n".join(part for part in body if part)


def _of_tool(sentence: Sentence, origins: dict[int, Origin]) -> bool:
    return bool(sentence.cites) and all(origins.get(number) is Origin.TOOL for number in sentence.cites)


def _facts(one: Evidence) -> str:
    if one.origin is Origin.TOOL:
        return "*Read from your own accounts for this answer.*"
    facts = [f"Version {words(one.version)}"] if one.version else []
    if one.effective_from:
        facts.append(f"in force since {one.effective_from:%B} {one.effective_from.day}, {one.effective_from.year}")
    if one.effective_to:
        facts.append(f"until {one.effective_to:%B} {one.effective_to.day}, {one.effective_to.year}")
    return f"*{', '.join(facts)}*" if facts else ""


def _facts_as_list(text: str) -> str:
    """The result of an account tool: its summary, then one fact an item."""
    facts = [words(line) for line in text.splitlines() if line.strip()]
    return "\n".join([*facts[:1], "", *(f"- {fact}" for fact in facts[1:])])


def _body(text: str) -> str:
    """Paragraphs, lists and tables of a passage keep their shape; every word in them is shown as it is."""
    lines: list[str] = []
    in_table = False
    for line in text.splitlines():
        is_row = bool(_TABLE_ROW.match(line))
        if is_row != in_table:
            lines.append("")
        lines += _row(line, first=not in_table) if is_row else _line(line)
        in_table = is_row
    return "\n".join(lines).strip()


def _row(line: str, *, first: bool) -> list[str]:
    if _TABLE_RULE.match(line):
        return []
    cells = [words(_EMPHASIS.sub("", cell)) for cell in line.strip().strip("|").split("|")]
    row = f"| {' | '.join(cells)} |"
    return [row, "|" + " --- |" * len(cells)] if first else [row]


def _line(line: str) -> list[str]:
    item = _ITEM.match(line)
    if item:
        bullet = f"{item['number']}." if item["number"] else "-"
        return [f"{bullet} {words(_EMPHASIS.sub('', line[item.end() :]))}"]
    heading = _HEADING.match(line)
    text = words(_EMPHASIS.sub("", line[heading.end() if heading else 0 :]))
    return [f"#### {text}" if heading else text, ""]

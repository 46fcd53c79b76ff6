"""Fixed texts taken apart: the sentences that customers may be told, and the facts in each that can be checked."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from knowledge.document import Document
from knowledge.parse import parse
from opsplane import registry
from opsplane.guardrails import figures, signals, wording
from opsplane.release import REPLIES, Release

ROOT = Path(__file__).resolve().parents[1]

_PHONE = re.compile(r"\b(?:1-)?[0-9]{3}-[0-9]{3}-[0-9]{4}\b")
_ADDRESS = re.compile(r"\b[\w.@-]+\.(?:example|com|org|net|gov|edu)\b(?:/[\w/-]+)?")
_ALWAYS = re.compile(
    r"at any hour|around the clock|day and night|day or night|24 hours|24/7|always open", re.IGNORECASE
)
_NAME = re.compile(r"\b[A-Z][\w&]*(?:(?: of| and the)? [A-Z][\w&]*)*")
_TIME = r"(\d{1,2}(?::\d\d)? [ap]\.m\.)"
_DAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Mon|Fri|Sat|Sun)"
_HOURS = re.compile(
    rf"({_DAY}(?: (?:to|and) {_DAY})?|weekends|federal holidays)\b,?(?: [a-z ]{{0,45}}?)? ?{_TIME} to {_TIME}"
)
_NUMBER = re.compile(r"\d(?:[\d:,.-]*\d)?(?: [ap]\.m\.)?")
_NO_NAMES = frozenset({"I", "P", "O", "A"})


class Said(NamedTuple):
    """A sentence that customers may be told, and where it stands: release or file, and reply."""

    where: str
    name: str
    text: str


class Facts(NamedTuple):
    """What can be checked in a text."""

    phones: frozenset[str]
    addresses: frozenset[str]
    names: frozenset[str]
    hours: frozenset[tuple[str, str, str]]  # days, from, to
    always: bool  # open at any hour
    figures: tuple[figures.Figure, ...]

    @property
    def any(self) -> bool:
        """Whether there is anything to check."""
        return bool(self.phones or self.addresses or self.names or self.hours or self.always or self.figures)


def said() -> Iterator[Said]:
    """Every sentence of the releases' texts, and the sentences with numbers or hours in the assistant's own files."""
    for release in releases():
        for name, text in _texts(release):
            yield from (Said(release.id, name, sentence) for sentence in sentences(text))
    for path in (ROOT / "chainlit.md", *sorted((ROOT / "assistant").rglob("*.py"))):
        for name, text in _written(path):
            yield from (Said(path.name, name, sentence) for sentence in sentences(text) if _telling(sentence))


def releases() -> list[Release]:
    """The releases that ship."""
    return [registry.load(path) for path in sorted((ROOT / "assistant" / "releases").glob("*.yaml"))]


def named(release: Release) -> frozenset[str]:
    """The replies that the release's packs, the signals or the code name; `language_<code>` may be left unworded."""
    ruled = {rule.reply for pack in release.guardrails.rules for rule in pack.rules if rule.reply}
    told = {signal.reply for signal in signals.pack().signals}
    paths = [path for part in ("opsplane", "assistant") for path in sorted((ROOT / part).rglob("*.py"))]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    return REPLIES | ruled | told | {name for tree in trees for node in ast.walk(tree) for name in _replies(node)}


def sentences(text: str) -> list[str]:
    """Sentences on one line each, without Markdown's marks."""
    return wording.sentences(re.sub(r"\s+", " ", text.replace("**", "")))


def facts(sentence: str, known: frozenset[str] = frozenset()) -> Facts:
    """The facts of one sentence; `known` names may stand in any."""
    phones, addresses = frozenset(_PHONE.findall(sentence)), frozenset(_ADDRESS.findall(sentence))
    rest = _ADDRESS.sub(" ", _PHONE.sub(" ", sentence))
    always = _ALWAYS.search(rest) is not None
    return Facts(
        phones,
        addresses,
        frozenset(_names(rest)) - known,
        frozenset(_hours(rest)),
        always,
        tuple(figures.required(_ALWAYS.sub(" ", rest))),
    )


def missing(sentence: str, evidence: str, known: frozenset[str] = frozenset()) -> list[str]:
    """What the sentence states and the evidence, words of the bank's documents, does not."""
    want = facts(sentence, known)
    have = facts(evidence)
    held = figures.read(evidence)
    lowered = evidence.lower()
    return [
        *sorted(want.phones - have.phones),
        *sorted(want.addresses - have.addresses),
        *sorted(name for name in want.names if name not in evidence),
        *(f"{days} {begin} to {end}" for days, begin, end in sorted(want.hours - have.hours)),
        *(["at any hour"] if want.always and not have.always else []),
        *(figure.text for figure in want.figures if not figures.holds(figure, held, lowered)),
    ]


def numbers(text: str) -> list[str]:
    """Every number in digits, with "a.m." or "p.m.", sorted: the same whatever the language."""
    return sorted(_NUMBER.findall(text))


def documents(on: date) -> dict[str, Document]:
    """The customers' documents that are in force on the day, by id."""
    paths = sorted(path for path in (ROOT / "knowledge" / "corpus").rglob("*") if path.is_file())
    all_of_them = [parse(path.name, path.read_bytes()).document for path in paths]
    return {one.id: one for one in all_of_them if one.in_force(on) and one.audience == "customer"}


def plain(text: str) -> str:
    """Words in a row: tables and lines lose their marks."""
    return re.sub(r"[\s|*]+", " ", text).strip()


def _texts(release: Release) -> Iterator[tuple[str, str]]:
    yield from release.replies.items()
    yield "welcome", release.disclosures.welcome
    yield "embedded", release.disclosures.embedded
    yield "opening", release.style.opening
    for pack in release.guardrails.rules:
        yield from ((rule.id, rule.rewrite) for rule in pack.rules)


def _replies(node: ast.AST) -> Iterator[str]:
    """Names of replies in a piece of code: `reply="…"`, `fixed("…")`, `"…" in replies`, `replies.get("…")`."""
    match node:
        case ast.keyword(arg="reply", value=value):
            yield from _either(value)
        case ast.Call(func=ast.Attribute(attr="fixed"), args=[name]):
            yield from _either(name)
        case ast.Compare(left=name, comparators=[ast.Attribute(attr="replies")]):
            yield from _either(name)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="replies"), attr="get"), args=[name, *_]):
            yield from _either(name)


def _either(value: ast.expr) -> Iterator[str]:
    """The strings that an expression may be: `"…"`, or `"…" if … else "…"`."""
    match value:
        case ast.Constant(value=str(name)) if name:
            yield name
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_either(body), *_either(orelse))


def _written(path: Path) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield "text", text
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\\" not in node.value:  # no pattern
            yield f"line {node.lineno}", node.value


def _telling(sentence: str) -> bool:
    return bool(_PHONE.search(sentence) or re.search(r"\.example\b", sentence) or re.search(r"\d [ap]\.m\.", sentence))


def _names(text: str) -> Iterator[str]:
    """Capitalised words that follow each other; not a sentence's or clause's first word, unless another follows it."""
    for match in _NAME.finditer(re.sub(r"['’]s\b", " ·", text)):
        name = match.group()
        if match.start() == 0:
            name = name.partition(" ")[2]
        if name and name not in _NO_NAMES and any(char.islower() or len(name) > 1 for char in name):
            yield name


def _hours(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _HOURS.finditer(text):
        days = match.group(1)
        yield "Saturday and Sunday" if days == "weekends" else days, match.group(2), match.group(3)

"""Anybody's judged questions in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv, each plain or gzipped.

Rows of the corpus have `_id`, `text` and perhaps `title`, rows of the queries `_id` and `text`. Judgements are lines of
query id, document id and grade between tabs, with or without a head, or TREC's four columns. Thakur et al. (2021),
"BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval Models".
"""

import gzip
import hashlib
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from knowledge.document import Document, Section, text_hash

LONGEST = 8_000_000
"""Bytes of one line."""
LARGEST = 4_000_000_000
"""Bytes of one file, unpacked."""
_TITLE = 200
_GZIP = b"\x1f\x8b"


class BadRow(ValueError):
    """A file that is no such set; the message names file and line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document of the set, in its own words."""

    id: str
    title: str
    text: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing that a search could find."""
        return not (self.title.strip() or self.text.strip())


@dataclass(frozen=True)
class Corpus:
    """The texts in the order of the file, each id once; `digest` is that of the file's rows, `repeated` the ids that
    came again, of which the first row stands."""

    texts: tuple[Text, ...]
    digest: str
    repeated: tuple[str, ...] = ()

    @property
    def empty(self) -> int:
        """How many texts are empty: no search finds them."""
        return sum(one.empty for one in self.texts)


def corpus(path: Path) -> Corpus:
    """Read a corpus; raise `BadRow` or `OSError`."""
    texts: dict[str, Text] = {}
    repeated: dict[str, None] = {}
    digest = hashlib.sha256()
    for where, row in _rows(path):
        one = Text(_id(row, where), _words(row, "title", where, needed=False), _words(row, "text", where))
        digest.update(json.dumps([one.id, one.title, one.text]).encode())
        if one.id in texts:
            repeated[one.id] = None
        else:
            texts[one.id] = one
    if not texts:
        raise BadRow(f"{path}: no document is in it.")
    return Corpus(tuple(texts.values()), digest.hexdigest(), tuple(repeated))


def queries(path: Path) -> dict[str, str]:
    """Read questions by their id; raise `BadRow` (also for an id that comes twice) or `OSError`."""
    found: dict[str, str] = {}
    for where, row in _rows(path):
        name = _id(row, where)
        if name in found:
            raise BadRow(f"{where}: the id {name[:80]!r} stands in an earlier line too.")
        found[name] = _words(row, "text", where)
    if not found:
        raise BadRow(f"{path}: no question is in it.")
    return found


def qrels(path: Path) -> dict[str, dict[str, float]]:
    """Read judgements: grades by question and document; a pair judged twice keeps its higher grade.

    Raises `BadRow` or `OSError`.
    """
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        cells = _decoded(line, where).split("\t")
        if len(cells) == 1:
            cells = cells[0].split()
        if len(cells) not in (3, 4):
            raise BadRow(f"{where}: {len(cells)} columns; a line has query id, document id and grade between tabs.")
        question, document, told = cells[0], cells[-2], cells[-1].strip()
        try:
            grade = float(told)
        except ValueError:
            if number == 1:  # the head
                continue
            raise BadRow(f"{where}: the grade {told[:40]!r} is no number.") from None
        if not math.isfinite(grade):
            raise BadRow(f"{where}: the grade {told[:40]!r} is no number that can be compared.")
        found[question][document] = max(grade, found[question].get(document, grade))
    if not found:
        raise BadRow(f"{path}: no judgement is in it.")
    return dict(found)


def documents(texts: Corpus) -> tuple[list[Document], dict[str, str]]:
    """The texts as documents of a library, and the id of the text by that of its document.

    Documents are numbered, so that no id of a text can disturb; each is one, also where two texts say the same. A text
    without a title has none, and a title of more than 200 characters stands at the head of the text. Empty ones are
    left out.
    """
    made: list[Document] = []
    names: dict[str, str] = {}
    for number, one in enumerate(texts.texts):
        if one.empty:
            continue
        title = " ".join(one.title.split())
        words = one.text if one.text.strip() and len(title) <= _TITLE else f"{title}\n{one.text}"
        sections = (Section(path=(), text=words.replace("\r\n", "\n").strip()),)
        name = f"text-{number:08d}"
        names[name] = one.id
        made.append(Document(id=name, title=title[:_TITLE], source=name, sections=sections, sha256=text_hash(sections)))
    return made, names


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row of a file of JSON lines, with where it stands."""
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        try:
            row = json.loads(_decoded(line, where))
        except RecursionError as error:
            raise BadRow(f"{where} is nested too deeply.") from error
        except BadRow:
            raise
        except ValueError as error:
            raise BadRow(f"{where} is no JSON object: {error}.") from error
        if not isinstance(row, dict):
            raise BadRow(f'{where} is no JSON object like {{"_id": "…", "text": "…"}}.')
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their number, unpacked where the file is packed."""
    total = 0
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
        number = 0
        try:
            while line := source.readline(LONGEST + 1):
                number += 1
                total += len(line)
                if len(line) > LONGEST:
                    raise BadRow(f"{path}, line {number}: more than {LONGEST:,} bytes.")
                if total > LARGEST:
                    raise BadRow(f"{path}, line {number}: the file holds more than {LARGEST:,} bytes.")
                if line.strip():
                    yield number, line
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise BadRow(f"{path}, after line {number}: the packed file is damaged ({error}).") from error


def _decoded(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadRow(f"{where} is not written in UTF-8: {error.reason} at byte {error.start + 1}.") from error


def _id(row: Mapping[str, Any], where: str) -> str:
    name = row.get("_id")
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if not isinstance(name, str) or not name:
        raise BadRow(f'{where}: "_id" is {_told(name)}, not a text or a whole number.')
    return _whole(name)


def _words(row: Mapping[str, Any], field: str, where: str, *, needed: bool = True) -> str:
    """A field's text; empty where it is null, or missing and not needed."""
    value = row.get(field, "" if not needed else ...)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(f'{where}: "{field}" is {_told(value)}, not a text.')
    return _whole(value)


def _told(value: object) -> str:
    return "missing" if value is None or value is ... else type(value).__name__


def _whole(text: str) -> str:
    """Halves of surrogate pairs, which cannot be written in UTF-8, as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")

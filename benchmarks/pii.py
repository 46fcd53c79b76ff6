"""Personal data: what is found and what is taken for it, beside Presidio; `python -m benchmarks.pii [FILE ...]`.

Reads the labelled rows of presidio-research (MIT; synthetic) from the folder that OPSPLANE_BENCH_DATA names, else from
../shared/data beside the repository, or the files named. A labelled piece is found where a find of its type overlaps
it by a character or more; a find of a labelled type that overlaps no piece of its type is false. Intervals are 95 %
(Wilson). The rows' templates are told apart by odd and even number: the patterns were written with the even ones in
sight, and the odd ones were looked at afterwards. Presidio's own pattern recognisers run beside ours in the same
process with no language model, at the score its demonstration cuts at, where the package is installed. Toll-free
numbers in the sample bank's documents count as false, because they are the bank's own.
"""

import csv
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from opsplane.guardrails import pii
from opsplane.guardrails.sweep import wilson

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))
TYPES = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "ssn",
    "EMAIL_ADDRESS": "email",
    "IP_ADDRESS": "ip",
    "US_DRIVER_LICENSE": "licence",
    "PHONE_NUMBER": "phone",
}
PRESIDIO_CUT = 0.35
HOW_TO = (
    "Presidio: not installed here. For a comparison in the same run, install presidio-analyzer and python-stdnum into "
    "an environment of its own and run this with that environment's Python; no language model is needed."
)

Find = Callable[[str], list[tuple[str, int, int]]]


class Row(NamedTuple):
    """A text, the labelled pieces in it, and whether its template is one of the odd ones."""

    text: str
    pieces: list[tuple[str, int, int]]
    odd: bool


def main() -> None:
    """Print a table for each file and finder, then false hits on questions without personal data, then speed."""
    finders: dict[str, Find] = {"Opsplane": _ours}
    if find_spec("presidio_analyzer"):
        finders["Presidio"] = presidio()
    else:
        print(HOW_TO)
    paths = [Path(name) for name in sys.argv[1:]] or sorted((DATA / "presidio_generated").glob("*.json"))
    if not paths:
        print(f"labelled rows: skipped, {DATA / 'presidio_generated'} is not there")
    tables = [(path.name, _rows(path)) for path in paths]
    for name, find in finders.items():
        for file, rows in tables:
            _table(f"{file}, all: {name}", rows, find)
            _table(f"{file}, odd templates: {name}", [row for row in rows if row.odd], find)
        for what, texts in _clean():
            _false(f"{what}: {name}", texts, find)
        _speed(name, find)


def _ours(text: str) -> list[tuple[str, int, int]]:
    return [(span.type, span.start, span.end) for span in pii.find(text)]


def presidio() -> Find:
    """Its engine with all recognisers it begins with, on a tokeniser alone."""
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # it asks the network for a list and does without
    analyzer: Any = import_module("presidio_analyzer")
    engines: Any = import_module("presidio_analyzer.nlp_engine")
    spacy: Any = import_module("spacy")
    engine = engines.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    language = spacy.blank("en")
    spacy.Language.component("words_as_lemmas", func=_words_as_lemmas)  # the words around a find raise its score
    language.add_pipe("words_as_lemmas")
    engine.nlp = {"en": language}
    known = analyzer.AnalyzerEngine(nlp_engine=engine)
    entities = list(TYPES)

    def find(text: str) -> list[tuple[str, int, int]]:
        hits = known.analyze(text, language="en", entities=entities, score_threshold=PRESIDIO_CUT)
        return [(TYPES[hit.entity_type], hit.start, hit.end) for hit in hits]

    return find


def _words_as_lemmas(document: Any) -> Any:
    for token in document:
        token.lemma_ = token.lower_
    return document


def _rows(path: Path) -> list[Row]:
    rows = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        pieces = [
            (TYPES[span["entity_type"]], span["start_position"], span["end_position"])
            for span in entry["spans"]
            if span["entity_type"] in TYPES
        ]
        rows.append(Row(entry["full_text"], pieces, bool((entry.get("template_id") or 0) % 2)))
    return rows


def _table(title: str, rows: Sequence[Row], find: Find) -> None:
    labelled, found, named, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        hits = [hit for hit in find(row.text) if hit[0] in TYPES.values()]
        labelled.update(piece[0] for piece in row.pieces)
        found.update(piece[0] for piece in row.pieces if any(_meet(piece, hit) for hit in hits))
        named.update(hit[0] for hit in hits)
        right.update(hit[0] for hit in hits if any(_meet(piece, hit) for piece in row.pieces))
    print(f"\n{title} ({len(rows):,} rows)")
    for kind in TYPES.values():
        if labelled[kind] or named[kind]:
            recall, precision = _share(found[kind], labelled[kind]), _share(right[kind], named[kind])
            print(f"  {kind:8} recall {recall}   precision {precision}")


def _meet(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def _share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits / of if of else 0:.3f} [{low:.3f}, {high:.3f}] of {of:<4}"


def _clean() -> Iterator[tuple[str, list[str]]]:
    """Texts without personal data: questions of customers and investors, and the sample bank's documents."""
    try:
        with (DATA / "banking77" / "train.csv").open(encoding="utf-8") as file:
            yield "banking77", [row["text"] for row in csv.DictReader(file)]
        domains = json.loads((DATA / "clinc150" / "domains.json").read_text(encoding="utf-8"))
        bank = {*domains["banking"], *domains["credit_cards"]}
        rows = json.loads((DATA / "clinc150" / "data_train_val.json").read_text(encoding="utf-8"))
        yield "clinc150, banking", [text for part in ("train", "val") for text, kind in rows[part] if kind in bank]
        lines = (DATA / "fiqa_mini" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        yield "fiqa questions", [json.loads(line)["text"] for line in lines]
    except FileNotFoundError as error:
        print(f"questions: skipped, {error.filename} is not there")
    yield "the sample bank's documents, by line", [line for text in _documents() for line in text.splitlines()]


def _documents() -> list[str]:
    paths = sorted(
        path for path in (ROOT / "knowledge" / "corpus").rglob("*") if path.suffix in {".md", ".txt", ".html"}
    )
    return [path.read_text(encoding="utf-8") for path in paths]


def _false(title: str, texts: Sequence[str], find: Find) -> None:
    hits = sum(len(find(text)) for text in texts)
    print(f"{title:60} {hits / len(texts) * 1_000:6.2f} false hits in a thousand ({hits} of {len(texts):,})")


def _speed(name: str, find: Find) -> None:
    """The best of three readings of each 2,000 characters of the documents, the median over them."""
    texts = [text[start : start + 2_000] for text in _documents() for start in range(0, len(text) - 2_000, 2_000)]
    times = []
    for text in texts[:150]:
        readings = []
        for _ in range(3):
            begun = perf_counter()
            find(text)
            readings.append((perf_counter() - begun) * 1_000)
        times.append(min(readings))
    print(f"{name}, 2,000 characters, median {median(times):8.2f} ms")


if __name__ == "__main__":
    main()

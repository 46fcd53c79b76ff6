"""Killed at any moment: does the index equal a clean build afterwards, and does every day get the text of its day?

`python -m benchmarks.updates [--kills N]` reads Reg E in its four dated versions from the folder that
OPSPLANE_BENCH_DATA names, else from ../shared/data beside the repository.

Kills: a library holds the version of 2016. A process ingests that of 2019 and is killed (SIGKILL) at a step of its
progress drawn at random, or after a time drawn at random; then the source moves on to another state (that of 2013 with
some sections edited and some gone), and that is ingested undisturbed. The index has to equal one that was built of this
state alone: documents, ids of chunks, texts, vectors, results of searches. So that hundreds of kills are affordable the
sections are those up to 12 kB, and an embedding that costs nothing stands in for the model; all else is the real thing.
LangChain's `index()` with Chroma and its SQL record manager goes through the same, N/4 times, where its packages are
installed (benchmarks/ensemble.py says how).

Days: all four versions, embedded by the real model. A sentence that only one version of a section has is asked for on
days on which that version holds and on days on which another does, with the days before and after each change. The
text of the day: every passage is of a version in force that day, and the sentence is in none where another version
holds. Found: the sentence is in one of the first five passages where its version holds.
"""

import argparse
import random
import re
import tempfile
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks import kills, lawbooks
from benchmarks.ingestion import missing_packages
from benchmarks.kills import Ours, Theirs
from benchmarks.passages import plain, share
from benchmarks.projected import Projected
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.ingest import Options, ingest
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.sources.folder import Folder
from knowledge.spec import IndexSpec

DAY = timedelta(days=1)
EVERYBODY = frozenset({"customer"})
PREPAID = "How long after a transfer on a prepaid account do I have to give notice of an error: is it 120 days?"
RULE = "In lieu of following the procedures in paragraph (e)(2)(i) of this section, a financial institution complies"
_SENTENCES = re.compile(r"(?<=[.;]) +")


def main() -> None:
    """Print both tables."""
    lawbooks.needed("cfpb_regs")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--probes", type=int, default=30, help="sentences that are asked for, of each change")
    options.add_argument("--only", choices=("kills", "days"))
    options.add_argument("--library", type=Path, help="keep here what days are asked of")
    given = options.parse_args()
    model = embedding.load(lawbooks.MODELS)
    if given.only != "days":
        killed(given.kills, Projected(model))
    if given.only != "kills":
        days(model, given.probes, given.library)


def killed(count: int, encoder: Projected) -> None:
    """The table of kills."""
    print("| killed | times | equal to a clean build | stale chunks, at most |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        print(kills.table("ours", kills.through(Ours(Path(scratch), encoder), count)), flush=True)
    if missing_packages():
        print("\nLangChain's row: not installed; benchmarks/ensemble.py says how to get it.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        print(kills.table("LangChain `index()`", kills.through(Theirs(Path(scratch)), max(1, count // 4))), flush=True)


def days(model: MiniLM, probes: int, kept: Path | None) -> None:
    """The table of days."""
    books = lawbooks.versions()
    begins = [date.fromisoformat(one) for one in books]
    words = [plain(" ".join(text for _, text in lawbooks.sections(sorted(one.glob("*.md"))))) for one in books.values()]
    ends = [*(one - DAY for one in begins[1:]), begins[-1] + 1000 * DAY]
    asked = [day for begin, end in zip(begins, ends, strict=True) for day in (begin, begin + (end - begin) / 2, end)]
    with nullcontext(str(kept)) if kept else tempfile.TemporaryDirectory() as scratch:
        files = [path for one in books.values() for path in sorted(one.glob("*.md"))]
        source, folder = lawbooks.lay(files, Path(scratch) / "source"), Path(scratch) / "library"
        encoders, spec = {model.name: model}, IndexSpec(embedding=model.name)
        report = ingest([Folder(source)], folder, encoders, [spec], Options(at=0))
        count = len(report.added) + len(report.unchanged)
        print(f"\n{count} versions of sections, {report.chunks:,} chunks of {len(books)} dated versions\n")
        with closing(Library(folder, encoders)) as library:
            before = library.search(PREPAID, Reader(begins[0] - DAY, EVERYBODY), SearchPlan()).hits
            print(f"On the day before the first version {len(before)} passages are found.\n")
            print("| asked for | questions x days | the text of the day | found |\n|---|---|---|---|")
            law = Law(library, words, begins)
            for place in range(1, len(books)):
                some = changed(words, place, probes)
                row(f"what {begins[place]} changed", [law.asked(one, one, asked) for one in some])
            row("the prepaid 120-day rule, in a customer's words", [law.asked(PREPAID, RULE, asked)])


def changed(words: Sequence[str], place: int, most: int) -> list[str]:
    """Sentences that a version has and the one before it has not, or the other way round."""
    old, new = words[place - 1], words[place]
    pairs = ((one, other) for one, other in ((new, old), (old, new)))
    found = [
        sentence
        for one, other in pairs
        for sentence in dict.fromkeys(_SENTENCES.split(one))
        if 80 < len(sentence) < 400 and sentence not in other and not re.search(r"[|#]", sentence)
    ]
    return sorted(random.Random(place).sample(found, min(most, len(found))))


@dataclass(frozen=True)
class Law:
    """A library of dated versions, with the words of each and the day from which it holds."""

    library: Library
    words: Sequence[str]
    begins: Sequence[date]

    def asked(self, question: str, sentence: str, days: Sequence[date]) -> list[tuple[bool, bool | None]]:
        """On each day: is all text of the day, and is the sentence found; None where it does not hold."""
        found: list[tuple[bool, bool | None]] = []
        for day in days:
            hits = self.library.search(question, Reader(day, EVERYBODY), SearchPlan(passages=5)).hits
            holds = sentence in self.words[sum(begin <= day for begin in self.begins) - 1]
            in_force = all(one.chunk.effective_from <= day <= (one.chunk.effective_to or date.max) for one in hits)
            shown = any(sentence in plain(one.chunk.text) for one in hits)
            found.append((bool(hits) and in_force and (holds or not shown), shown if holds else None))
        return found


def row(name: str, found: Sequence[Sequence[tuple[bool, bool | None]]]) -> None:
    """Print a row, shares with their 95 % intervals (Wilson)."""
    right = [one for some in found for one, _ in some]
    shown = [one for some in found for _, one in some if one is not None]
    shares = " | ".join(share(flags) for flags in (right, shown))
    print(f"| {name} | {len(found)} x {len(found[0]) if found else 0} | {shares} |", flush=True)


if __name__ == "__main__":
    main()

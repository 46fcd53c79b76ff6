"""What kind of message it is: scope alone and with the search, language, signals; `python -m benchmarks.scope`.

Reads public sets from the folder that OPSPLANE_BENCH_DATA names, else from ../shared/data beside the repository; a set
that is not there is left out with a message. Every share comes with its Wilson 95 % interval. BANKING77 is measured on
and never trained on; CLINC's training rows are what the head learnt from, its validation rows are not, but its few
out-of-scope rows are both. `--rows N` takes N rows of each set by a fixed seed.
"""

import argparse
import asyncio
import csv
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import yaml

from assistant import passages
from assistant.corpus import SPEC
from benchmarks.guardrails import DATA, ROOT
from knowledge import embedding
from knowledge.encoders import family
from knowledge.ingest import Options, ingest
from knowledge.library import Library
from knowledge.sources.folder import Folder
from opsplane import registry
from opsplane.evidence import Evidence
from opsplane.finding import Action
from opsplane.guardrails import language, signals
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import screen
from opsplane.guardrails.sweep import wilson
from opsplane.parts import Retrieve
from opsplane.release import Release

TODAY = date(2026, 11, 23)
TOXIC = 0.8


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--release", type=Path, default=ROOT / "assistant" / "releases" / "heron-6.yaml")
    parser.add_argument("--rows", type=int, default=0)
    arguments = parser.parse_args()
    release = registry.load(arguments.release)
    model = embedding.load(ROOT / ".data" / "models")
    draw = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        sources, specs = [Folder(ROOT / "knowledge" / "corpus")], [SPEC]
        ingest(sources, Path(folder), family(model), specs, Options(at=0))
        library = Library(Path(folder), family(model))
        search = passages.retriever(library, lambda: TODAY, frozenset)
        scope = Scope(model.encode)
        for name, texts, good in _sets():
            some = draw.sample(texts, min(arguments.rows, len(texts))) if arguments.rows else texts
            measure(name, some, scope, search, release, good=good)
        library.close()
    languages(draw, arguments.rows)
    signalled(release)


def measure(name: str, texts: Sequence[str], scope: Scope, search: Retrieve, release: Release, *, good: bool) -> None:
    """How many of a set are let through, where it is good, or declined; by scope alone, with the search, altogether."""
    alone = [bool(scope.judge(text, [], release)) for text in texts]
    found = [bool(scope.judge(text, asyncio.run(_found(search, text, release)), release)) for text in texts]
    screened = [
        stopped or any(one.action in (Action.DECLINE, Action.REPLY) for one in screen(text, release))
        for text, stopped in zip(texts, found, strict=True)
    ]
    for how, flags in (("scope alone", alone), ("with the search", found), ("and screened", screened)):
        say(f"{name}, {how}", [flag is not good for flag in flags])


async def _found(search: Retrieve, text: str, release: Release) -> Sequence[Evidence]:
    return (await search(text, release)).passages


def languages(draw: random.Random, rows: int) -> None:
    """Other languages recognised by our own questions in them, and English taken for another by the public sets."""
    known: dict[str, list[str]] = yaml.safe_load((ROOT / "benchmarks" / "languages.yaml").read_text(encoding="utf-8"))
    told = {code: [language.tell(text) for text in texts] for code, texts in known.items()}
    weakest = min(told, key=lambda code: sum(one is not None for one in told[code]))
    say("ten languages, recognised as not English", [one is not None for ones in told.values() for one in ones])
    say(f"the weakest of them ({weakest})", [one is not None for one in told[weakest]])
    say("called by their name", [bool(one and one.code == code) for code, ones in told.items() for one in ones])
    for name, texts, _ in _sets():
        some = draw.sample(texts, min(rows, len(texts))) if rows else texts
        say(f"{name}, taken for another language", [language.tell(text) is not None for text in some])


def signalled(release: Release) -> None:
    """How often signals fire on the public sets, where few rows hold one; every reply counts as worded."""
    worded = {one.reply: "." for one in signals.pack().signals}
    every = release.model_copy(update={"replies": {**worded, **release.replies}})
    ours: dict[str, list[str]] = yaml.safe_load((ROOT / "benchmarks" / "signals.yaml").read_text(encoding="utf-8"))
    for code, texts in ours.items():
        heard = [{one.code for one in signals.findings(text, every)} for text in texts]
        say(f"our own wordings, {code}", [code in codes or (code == "none" and not codes) for codes in heard])
    for name, texts, _ in _sets():
        found = [{one.code for one in signals.findings(text, every)} for text in texts]
        say(f"{name}, no signal", [not codes for codes in found])
        for code in sorted(set().union(*found)):
            say(f"{name}, {code}", [code in codes for codes in found])
        say(f"{name}, toxic words", [signals.toxic(text) >= TOXIC for text in texts])


def say(what: str, flags: Sequence[bool]) -> None:
    """One line: share, interval, rows."""
    low, high = wilson(sum(flags), len(flags))
    print(f"{what:66} {sum(flags) / max(len(flags), 1):6.1%} [{low:.1%}, {high:.1%}] of {len(flags):,}", flush=True)


def _sets() -> Iterator[tuple[str, list[str], bool]]:
    """Name, texts, and whether they are questions for a bank."""
    for part in (_banking77, _clinc):
        try:
            yield from part()
        except FileNotFoundError as error:
            print(f"{part.__name__.strip('_')}: skipped, {error.filename} is not there")


def _banking77() -> Iterator[tuple[str, list[str], bool]]:
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8") as file:
        yield "banking77", [row["text"] for row in csv.DictReader(file)], True


def _clinc() -> Iterator[tuple[str, list[str], bool]]:
    domains = json.loads((DATA / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    rows = json.loads((DATA / "clinc150" / "data_train_val.json").read_text(encoding="utf-8"))
    bank = {*domains["banking"], *domains["credit_cards"]}
    yield "clinc150 banking", [text for text, kind in rows["val"] if kind in bank], True
    yield "clinc150 other domains", [text for text, kind in rows["val"] if kind not in bank], False
    yield "clinc150 out of scope", [text for text, _ in rows["oos_train"] + rows["oos_val"]], False


if __name__ == "__main__":
    main()

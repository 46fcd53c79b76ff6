"""What the checks of one turn cost on one core: a question, five passages of 1,500 characters, five sentences.

    python -m benchmarks.turn_checks [--rounds 60] [--release heron-7]

In the same run and on the same core, one embedding of a text of a hundred words is timed after each turn: the last
column tells a check in such embeddings, a ratio that holds on other machines too. Times are CPU milliseconds, because
others may use the machine; the turn as a whole is told in milliseconds of the clock as well. The corpus's passages are
known to the checks in service (first table) and read for the first time after an ingestion (second one).
"""

import argparse
import asyncio
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import NamedTuple

from assistant.panels import table
from benchmarks.pii import presidio
from benchmarks.rewrite import reword
from knowledge import embedding
from opsplane import registry
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.guardrails import (
    canary,
    compliance,
    context,
    foreign,
    grounding,
    injection,
    output,
    pii,
    wording,
)
from opsplane.guardrails.check import check
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Encode, Scope
from opsplane.guardrails.screen import screen
from opsplane.guardrails.support import Support
from opsplane.release import Release

ROOT = Path(__file__).resolve().parent.parent
LENGTH, COUNT = 1_500, 5
"""Characters of a passage; passages, and sentences, of a turn."""

UNIT = "one embedding of a hundred words"

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
_QUESTIONS = (
    "What does a wire transfer to my brother's account cost?",
    "How long does a deposited cheque take until I can use the money?",
    "My card was declined in a shop yesterday, what can I do about it?",
    "Is there a monthly fee for the savings account, and how can I avoid it?",
    "Which documents do I need to bring for a joint account?",
    "Can I raise my daily limit for transfers in the app?",
)


class Turn(NamedTuple):
    """What is checked: a question, what the search found, and an answer taken from it or told in other words."""

    question: str
    passages: list[Evidence]
    verbatim: list[Sentence]
    reworded: list[Sentence]


class Timed(NamedTuple):
    """Milliseconds of one call, of the processor and of the clock."""

    cpu: float
    wall: float


def main() -> None:
    """Start again with one thread on one core, then measure and print."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        environ = os.environ | dict.fromkeys(_THREADS, "1")
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.turn_checks", *sys.argv[1:]], environ)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60, help="turns measured for each table")
    newest = max((ROOT / "assistant" / "releases").glob("*.yaml")).stem
    parser.add_argument("--release", default=newest, help=f"id of a release's file ({newest})")
    given = parser.parse_args()
    release = registry.load(ROOT / "assistant" / "releases" / f"{given.release}.yaml")
    with asyncio.Runner() as runner:
        _report(runner, given.rounds, release)


def _report(runner: asyncio.Runner, rounds: int, release: Release) -> None:
    model = embedding.load(ROOT / ".data" / "models")
    parts = _parts(runner, model.encode, release)
    for title, fresh in (("Passages known", False), ("Passages read for the first time", True)):
        times = _measure(parts, _turns(fresh=fresh), model, rounds)
        print(f"\n{title}, {release.id}, {rounds} turns\n")
        print(table(("Check", "CPU p50", "CPU p95", "clock p50", "x embedding"), _rows(times)).replace("\\", ""))


def _parts(runner: asyncio.Runner, encode: Encode, release: Release) -> Mapping[str, Callable[[Turn], object]]:
    """What is timed, by name. The whole goes through `Rails`, as a turn does; the others are parts, called alone."""
    scope = Scope(encode)
    rails = Rails(scope, injection.Detector(encode), Support.load())
    return _peers() | {
        "whole turn, sentences verbatim": lambda turn: runner.run(_whole(turn, turn.verbatim, rails, release)),
        "whole turn, sentences reworded": lambda turn: runner.run(_whole(turn, turn.reworded, rails, release)),
        "question: screen": lambda turn: screen(turn.question, release),
        "question: scope": lambda turn: scope.judge(turn.question, turn.passages, release),
        "question: injection": lambda turn: injection.signal(turn.question),
        "question: personal data": lambda turn: pii.find(turn.question),
        "passages: context": lambda turn: context.screen(turn.passages, release),
        "sentences verbatim: all of check": partial(_each, "verbatim", lambda s, t: check(s, t.passages, release)),
        "sentences reworded: all of check": partial(_each, "reworded", lambda s, t: check(s, t.passages, release)),
        "one of them: grounding": partial(
            _each, "reworded", lambda s, t: grounding.findings(s.text, _cited(s, t), release)
        ),
        "one of them: compliance": partial(
            _each, "reworded", lambda s, _: compliance.findings(s.text, "answer", release)
        ),
        "one of them: output": partial(
            _each, "reworded", lambda s, t: output.findings(s.text, s.text, _cited(s, t), release)
        ),
        "one of them: canary": partial(_each, "reworded", lambda s, t: canary.findings(s.text, _cited(s, t), release)),
        "one of them: other customers' data": partial(
            _each, "reworded", lambda s, t: foreign.findings(s.text, _cited(s, t))
        ),
    }


def _peers() -> dict[str, Callable[[Turn], object]]:
    """One check each of other systems that run here without a download, over the same texts."""
    found: dict[str, Callable[[Turn], object]] = {}
    if find_spec("aicordon"):
        picket = import_module("aicordon.picket").load()
        found["peer: aicordon picket (injection), all texts"] = lambda turn: [picket.check(text) for text in _all(turn)]
    if find_spec("presidio_analyzer"):
        personal = presidio()
        found["peer: Presidio's patterns (personal data), all texts"] = lambda turn: [personal(t) for t in _all(turn)]
    if not found:
        print("No peer is installed; for a comparison in the same run: pip install aicordon presidio-analyzer")
    return found


def _all(turn: Turn) -> list[str]:
    return [turn.question, *(one.text for one in turn.passages), *(one.text for one in turn.verbatim)]


async def _whole(turn: Turn, sentences: list[Sentence], rails: Rails, release: Release) -> None:
    await rails.question(turn.question, release)
    await rails.scope(turn.question, turn.passages, release)
    passages, _ = await rails.passages(turn.passages, release)
    for sentence in sentences:
        await rails.sentence(sentence, passages, release)


def _each(kind: str, one: Callable[[Sentence, Turn], object], turn: Turn) -> None:
    for sentence in getattr(turn, kind):
        one(sentence, turn)


def _cited(sentence: Sentence, turn: Turn) -> list[Evidence]:
    return [source for source in turn.passages if source.number in sentence.cites]


def _measure(
    parts: Mapping[str, Callable[[Turn], object]], turns: Iterator[Turn], model: embedding.MiniLM, rounds: int
) -> dict[str, list[Timed]]:
    """Each part on turns of its own, so that none finds in memory what another one worked out."""
    times: dict[str, list[Timed]] = {name: [] for name in [*parts, UNIT]}
    for _ in range(len(_corpus()) // COUNT + 1):  # in service every passage has been read before
        for part in parts.values():
            part(next(turns))
    for number in range(rounds):
        for name, part in parts.items():
            times[name].append(_timed(partial(part, next(turns))))
        turn = next(turns)
        words = f"{turn.question} {number} {turn.passages[0].text}".split()[:100]
        times[UNIT].append(_timed(partial(model.encode, [" ".join(words)])))
    return times


def _timed(call: Callable[[], object]) -> Timed:
    cpu, wall = process_time(), perf_counter()
    call()
    return Timed((process_time() - cpu) * 1_000, (perf_counter() - wall) * 1_000)


def _rows(times: Mapping[str, list[Timed]]) -> Iterator[tuple[str, ...]]:
    unit = median(one.cpu for one in times[UNIT])
    for name, all_ in times.items():
        cpu = [one.cpu for one in all_]
        wall = median(one.wall for one in all_)
        half, most = median(cpu), quantiles(cpu, n=20)[18]
        yield name, f"{half:.2f} ms", f"{most:.2f} ms", f"{wall:.2f} ms", f"{half / unit:.2f}"


def _turns(*, fresh: bool) -> Iterator[Turn]:
    """Turns without end, whose questions no check has met; with `fresh`, nor have the passages."""
    draw = random.Random(int(fresh))
    passages = [text for text in _corpus() if _tellable(text)]
    sheet = "sheet" if fresh else "page"
    for number, question in enumerate(cycle(_QUESTIONS)):
        texts = draw.sample(passages, COUNT)
        shown = [f"{text}\nThis is {sheet} {number}." if fresh else text for text in texts]
        told = [draw.choice(_tellable(text)) for text in texts]
        yield Turn(
            f"{question} It says so on {sheet} {number}.",
            [_evidence(at, text) for at, text in enumerate(shown, 1)],
            [Sentence(text=line, cites=(at,)) for at, line in enumerate(told, 1)],
            [Sentence(text=reword(line, draw) or f"So {line}", cites=(at,)) for at, line in enumerate(told, 1)],
        )


@cache
def _corpus() -> tuple[str, ...]:
    """The sample bank's documents in pieces as long as a long chunk."""
    paths = sorted((ROOT / "knowledge" / "corpus").rglob("*.md"))
    texts = [path.read_text(encoding="utf-8").split("---", 2)[2].strip() for path in paths]
    return tuple(text[at : at + LENGTH] for text in texts for at in range(0, len(text) - LENGTH, LENGTH))


@cache
def _tellable(text: str) -> tuple[str, ...]:
    """Whole sentences of a passage."""
    return tuple(line for line in wording.sentences(text)[1:-1] if len(line) > 40 and "|" not in line)


def _evidence(number: int, text: str) -> Evidence:
    about = {"id": str(number), "document": f"document-{number}", "title": "", "sha256": "", "cosine": 0.5}
    return Evidence.model_validate({"number": number, "origin": Origin.PASSAGE, "text": text} | about)


if __name__ == "__main__":
    main()

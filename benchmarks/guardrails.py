"""What the checks of an answer make of the sample bank's own sentences; run with `python -m benchmarks.guardrails`.

Ratios are of sentences; everything is drawn with a fixed seed. What public sets say of each check is measured by the
benchmarks that `DEEPER` names; they read the sets from the folder that OPSPLANE_BENCH_DATA names, else from
../shared/data beside the repository.
"""

import os
import random
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from opsplane import registry
from opsplane.evidence import Evidence, Sentence
from opsplane.guardrails import measure, wording
from opsplane.guardrails.check import check
from opsplane.guardrails.rails import refused
from opsplane.release import Release

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))
DEEPER = ("scope", "injection", "grounding", "pii", "turn_checks")
"""The benchmarks of the single checks, and of what all checks of a turn cost."""


def main() -> None:
    """Print one line a measurement, and where the others are."""
    corpus(registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml"))
    print(f"In depth: {', '.join(f'python -m benchmarks.{name}' for name in DEEPER)}")


def corpus(release: Release) -> None:
    """The sample bank's own sentences, cited to their section: as they are, joined, with one digit changed, negated."""
    draw = random.Random(7)
    as_is, joined, digit, denied = [], [], [], []
    for section in _sections():
        source = measure.source(1, section)
        lines = [line for line in wording.sentences(section.replace("|", "¦")) if len(line) > 25]
        for line in lines:
            as_is.append(not _refused(line.replace("¦", "|"), source, release))
        prose = [line for line in lines if "¦" not in line]
        for first, second in pairwise(prose):
            text = f"{first.rstrip('.')}, and {second[0].lower()}{second[1:]}"
            joined.append(not _refused(text, source, release))
        for line in prose:
            if wrong := _other_digit(line, draw):
                digit.append(_refused(wrong, source, release))
            if wrong := _negated(line):
                denied.append(_refused(wrong, source, release))
    _say("corpus sentences pass", as_is)
    _say("two corpus sentences joined pass", joined)
    _say("one digit changed is caught", digit)
    _say("a negation put in or taken out is caught", denied)


def _refused(text: str, source: Evidence, release: Release) -> bool:
    """Whether nothing may be shown for it; a disclosure that goes with a sentence refuses nothing."""
    return refused(check(Sentence(text=text, cites=(1,)), [source], release))


def _sections() -> Iterator[str]:
    for path in sorted((ROOT / "knowledge" / "corpus").rglob("*.md")):
        yield from re.split(r"\n## ", path.read_text(encoding="utf-8").split("---", 2)[2])


def _other_digit(line: str, draw: random.Random) -> str:
    places = [match.start() for match in re.finditer("[0-9]", line)]
    if not places:
        return ""
    place = draw.choice(places)
    return line[:place] + draw.choice([digit for digit in "123456789" if digit != line[place]]) + line[place + 1 :]


def _negated(line: str) -> str:
    if re.search(r"\b(?:no|never|without|nothing|free)\b|\$0\b", line):
        return ""
    verb = r" (does|do|is|are|may|can|will) "
    if " not " in line:
        return re.sub(rf"{verb}not ", r" \1 ", line, count=1) if len(re.findall(" not ", line)) == 1 else ""
    return re.sub(verb, r" \1 not ", line, count=1) if re.search(verb, line) else ""


def _say(what: str, flags: Sequence[bool]) -> None:
    print(f"{what:60} {sum(flags) / max(len(flags), 1):6.1%} of {len(flags):,}")


if __name__ == "__main__":
    main()

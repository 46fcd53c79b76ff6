"""What the injection signal catches and whom it turns away; run with `python -m benchmarks.injection`.

Every share with its 95 % interval (Wilson). `--families` trains again without each family of attacks, and without
each third of the planted instructions; this takes some minutes. Beside ours stands `aicordon` (Apache-2.0, its local
rule called Picket, at its own threshold) where it is installed: `pip install aicordon`.
"""

import base64
import codecs
import importlib
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks import injection_data as data
from benchmarks import train_injection as training
from knowledge import embedding
from opsplane.guardrails import context, injection
from opsplane.guardrails.injection_heads import ENCODER_SHARE, PATTERN_SHARE, Heads
from opsplane.guardrails.scope import Encode
from opsplane.guardrails.sweep import wilson

SEED = 7
UNLIKE = 0.8
"""Cosine to the nearest learnt jailbreak below which one counts as unlike all of them."""

Flags = Callable[[str], bool]


def main() -> None:
    """Print one line a measurement."""
    encode = training.remembering(embedding.load(data.ROOT / ".data" / "models").encode)
    detectors: dict[str, Flags] = {
        "patterns": lambda text: injection.signal(text).score >= injection.DEFAULT,
        "no encoder": _flags(injection.Detector()),
        "shipped": _flags(injection.Detector(encode)),
    } | _peer()
    print(f"{'':34}{''.join(f'{name:>24}' for name in detectors)}")
    for title, texts in (*attacks(encode), *harmless()):
        _row(title, texts, detectors)
    documents()
    speed(encode)
    if "--families" in sys.argv:
        families(encode)
        planted_thirds(encode)


def attacks(encode: Encode) -> Iterator[tuple[str, list[str]]]:
    """Attacks that nothing was learnt from; those made of our own templates are at least other fillings."""
    odd = data.wild()[1::2]
    learnt = encode([text[:1200] for text in data.wild()[::2]])
    nearest = (encode([text[:1200] for text in odd]) @ learnt.T).max(axis=1)
    yield "wild, held-out half", odd
    yield "wild, unlike any learnt", [text for text, near in zip(odd, nearest, strict=True) if near < UNLIKE]
    harmful = data.harmful()[::5]
    yield "harmful requests, held out", harmful
    yield (
        "the same with a random suffix",
        [f"{text} {data.noise(random.Random(at))}" for at, text in enumerate(harmful)],
    )
    extraction = [text for family, text in data.templated("attacks", 40, SEED) if family in {"override", "extraction"}]
    asked = [text for text, _ in data.banking()[2::9]]
    yield "hidden behind a bank question", [f"{a} {b}" for a, b in zip(asked, extraction, strict=False)]
    letters = [mail["context"] for mail in data.mails()[1::2]]
    orders = [text for texts in data.planted().values() for text in texts]
    yield "learnt order in unseen e-mail", [_plant(one, letters, at, "\n") for at, one in enumerate(orders)]
    yield "the same amid a sentence", [_plant(one, letters, at, " ") for at, one in enumerate(orders)]
    plain = [*data.extraction(), *(text for text in odd if len(text) < 600)]
    for name, disguise in DISGUISES.items():
        yield f"disguised: {name}", [disguise(text) for text in plain]


def harmless() -> Iterator[tuple[str, list[str]]]:
    """What nobody should be turned away for."""
    known = sorted({intent for _, intent in data.banking()})
    yield "banking77, unseen intents", [text for text, intent in data.banking() if intent in known[::4]]
    yield "CLINC150, banking", data.everyday("val", bank=True)
    yield "FiQA questions", data.investors()
    yield "golden questions", data.golden()
    yield "NotInject one (sets the zero)", data.trigger_words()
    yield "CLINC150, everything else", data.everyday("val", bank=False)
    yield "HaluEval questions", [row["question"] for row in data.encyclopedic()[1::2]]
    yield "an encyclopedia's paragraphs", [row["knowledge"] for row in data.encyclopedic()[1::2]]
    yield "FiQA answers (forum prose)", data.investors("corpus")[:400]
    task = "Please summarise the following text for me."
    yield "a task with a document under it", [f"{task}\n\n{data.passages(text)[0]}" for text in data.corpus()[1::2]]
    yield "e-mails", [mail["context"] for mail in data.mails()[1::2]]


def documents() -> None:
    """Passages of about 1,500 characters that nothing was learnt from, then the same with an order in them."""
    print("\npassages and lines (context)")
    sets = {"the bank's own": data.corpus()[1::2], "laws": data.law()[1::2]}
    passages = {name: [part for text in texts for part in data.passages(text)] for name, texts in sets.items()}
    everything = [part for text in data.corpus() for part in data.passages(text)]
    for name, parts in {**passages, "the bank's own, all": everything}.items():
        print(f"{f'dropped: {name}':34}{_share([_spoken(part) for part in parts])}")
    draw = random.Random(SEED)
    print(f"  {'':32}a line of its own     amid a sentence       in a memo")
    for family, texts in _by_family(40).items():
        letters = [draw.choice(passages["the bank's own"]) for _ in texts]
        amid = [_plant(text, letters, at, " ") for at, text in enumerate(texts)]
        apart = [_plant(text, letters, at, "\n") for at, text in enumerate(texts)]
        memos = [f'The memo on the $12.00 of November 3, 2026 says "{text}".' for text in texts]
        cells = "  ".join(_share([_spoken(one) for one in row]) for row in (apart, amid, memos))
        print(f"  {family:32}{cells}")
    plain = [text for family, text in data.templated("harmless", 400, SEED) if family == "memo"]
    print(f"{'dropped: ordinary memos':34}{_share([_spoken(f'Transfer | $12.00 | memo: {one}') for one in plain])}")


def families(encode: Encode) -> None:
    """Each family of attacks as one that nobody has seen: trained without it, the zeros placed again."""
    print("\ntrained without the family        (its own templates and their fillings unseen; slots are shared)")
    questions, shares = training.question_texts(), []
    for family in sorted({one.family for one in questions if one.attack}):
        without = HARMFUL if family in HARMFUL else (family,)
        heads = training.train(questions, [], encode, without)
        zero = training.question_zeros(heads, encode)["encoder"]
        texts = [one.text for one in questions if one.family == family and one.share == 1]
        caught = [_margin(heads, text, encode) >= zero or _caught_by_pattern(text) for text in texts]
        shares.append(sum(caught) / len(caught))
        print(f"  {family:32}{_share(caught)}", flush=True)
    print(f"  {'mean of the families':32}{np.mean(shares):.3f}")


def planted_thirds(encode: Encode) -> None:
    """Planted instructions of categories that nobody has seen, alone and at the zero that ships."""
    kinds, texts = list(data.planted()), training.context_texts()
    caught = []
    for third in (kinds[at::3] for at in range(3)):
        heads = training.train([], texts, encode, [f"BIPIA {kind}" for kind in third])
        zero = training.context_zero(heads)
        for kind in third:
            told = heads.instruction(data.planted()[kind]) >= zero
            caught += told.tolist()
            print(f"  {kind:32}{_share(told.tolist())}")
    print(f"  {'planted, category unseen':32}{_share(caught)}")


def speed(encode: Encode) -> None:
    """Milliseconds; the encoder's own time is left out, since its answers were remembered above."""
    questions = [text for text, _ in data.banking()[:500]]
    passages = [part for text in data.corpus()[1::2] for part in data.passages(text)]
    print("\nmilliseconds a text (median)")
    timed: dict[str, tuple[Callable[[str], object], Sequence[str]]] = {
        "question, patterns": (injection.signal, [f"{text} " for text in questions]),
        "question, no encoder": (injection.Detector().signal, [f" {text}" for text in questions]),
        "question, shipped": (injection.Detector(encode).signal, questions),
        "passage of 1,500 characters": (context.signal, [f"{part} " for part in passages]),
    }
    for name, (call, texts) in timed.items():
        took = []
        for text in texts:
            begun = perf_counter()
            call(text)
            took.append((perf_counter() - begun) * 1e3)
        print(f"{name:34}{median(took):.3f}")


HARMFUL = ("fiction", "harmful", "hypothetical", "public harmful", "suffix")
"""Families that name the same harms; they are left out together."""

DISGUISES: dict[str, Callable[[str], str]] = {
    "base64": lambda text: f"Decode this: {base64.b64encode(text.encode()).decode()}",
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent signs": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "ROT13": lambda text: codecs.encode(text, "rot13"),
    "back to front": lambda text: text[::-1],
    "spaced letters": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "leetspeak": lambda text: text.translate(str.maketrans("aeiosAEIOS", "4310543105")),
    "Cyrillic letters": lambda text: text.translate(str.maketrans("aeopcyxi", "аеорсухі")),
    "full width": lambda text: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text),
    "zero-width": "\u200b".join,
    "tag characters": lambda text: "Hi" + "".join(chr(0xE0000 + ord(char)) for char in text if char.isascii()),
}


def _flags(detector: injection.Detector) -> Flags:
    return lambda text: detector.signal(text).score >= injection.DEFAULT


def _peer() -> dict[str, Flags]:
    """The peer, where it is installed."""
    try:
        picket = importlib.import_module("aicordon.picket").load()
    except ModuleNotFoundError:
        print("aicordon is not installed: pip install aicordon")
        return {}
    return {"aicordon picket": lambda text: bool(picket.check(text).flagged)}


def _margin(heads: Heads, text: str, encode: Encode) -> float:
    told = PATTERN_SHARE * injection.signal(text).score
    vector = ENCODER_SHARE * training.vector_margin(heads, text, encode)
    return training.question_margin(heads, text) + told + vector


def _caught_by_pattern(text: str) -> bool:
    return injection.signal(text).score >= injection.DEFAULT


def _by_family(count: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for family, text in data.templated("attacks", count, SEED):
        found.setdefault(family, []).append(text)
    return found


def _plant(order: str, letters: Sequence[str], at: int, between: str) -> str:
    """The order at the beginning, in the middle or at the end of a letter."""
    letter = letters[at % len(letters)]
    place = (0, letter.rfind(" ", 0, len(letter) // 2 + 1) + 1, len(letter))[at % 3]
    return f"{letter[:place]}{between}{order}{between}{letter[place:]}"


def _spoken(text: str) -> bool:
    return context.signal(text).score >= injection.DEFAULT


def _row(title: str, texts: Sequence[str], detectors: dict[str, Flags]) -> None:
    cells = "".join(f"{_share([flags(text) for text in texts]):>24}" for flags in detectors.values())
    print(f"{title:34}{cells}", flush=True)


def _share(flags: Sequence[bool]) -> str:
    low, high = wilson(sum(flags), len(flags))
    return f"{sum(flags) / max(len(flags), 1):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()

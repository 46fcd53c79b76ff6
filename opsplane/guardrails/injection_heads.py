"""The trained part of the injection signal: linear heads over n-grams and over sentence vectors, read once.

`benchmarks/train_injection.py` makes the weights; the JSON beside them says from what, and where each margin is zero.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsplane.guardrails.ngrams import margins

WEIGHTS = Path(__file__).parent / "weights" / "injection.npz"
ENCODER_SHARE = 0.5
"""What a margin of the vector head counts for beside one of the n-gram head."""
PATTERN_SHARE = 1.5
"""What a pattern of weight one adds to a margin."""

_SENTENCE = re.compile(r"(?<=[.!?;:。！？])[\"')\]]{0,2}\s+|\s*[\n|]\s*")
_QUOTE = re.compile(r"\"([^\"\n]{12,400})\"")
_HEAD = 1_200
_WINDOW = 400
_SENTENCES = 16
_WINDOWS = 6
_FEWEST = 4  # headings and labels are no instructions to anybody
_STRETCH, _STEP = 16, 8  # words


class Heads(NamedTuple):
    """Weights and biases; the zero of each margin lies where its release threshold stands by default."""

    question: NDArray[np.float32]  # over n-grams: is it an attack?
    context: NDArray[np.float32]  # over n-grams: does a sentence of a document speak to a model?
    vector: NDArray[np.float32]  # over sentence vectors: is it an attack?
    bias: dict[str, float]
    zero: dict[str, float]  # "ngrams", "encoder", "context"

    def attack(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The margins of the question head."""
        return margins(texts, self.question, self.bias["question"])

    def instruction(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The margins of the context head."""
        return margins(texts, self.context, self.bias["context"])


@cache
def load() -> Heads:
    """The weights that ship with the package."""
    facts = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(WEIGHTS) as arrays:
        held = {name: arrays[name].astype(np.float32) for name in ("question", "context", "vector")}
    return Heads(**held, bias=facts["bias"], zero=facts["zero"])


def sentences(text: str) -> list[str]:
    """Sentences, lines and table cells in order, also where the next one begins in lower case."""
    return [part for part in map(str.strip, _SENTENCE.split(text)) if len(part) > 2]


def windows(text: str) -> list[str]:
    """Whole sentences packed to about 400 characters."""
    packed: list[str] = []
    for sentence in sentences(text):
        if packed and len(packed[-1]) + len(sentence) < _WINDOW:
            packed[-1] = f"{packed[-1]} {sentence}"
        else:
            packed.append(sentence[:_HEAD])
    return packed


def units(text: str) -> list[str]:
    """What the question head reads by itself: the beginning, each sentence, windows; the worst of them tells."""
    parts, packed = sentences(text), windows(text)
    found = [text[:_HEAD].strip(), *parts[:_SENTENCES]]
    if len(packed) > 1:
        found += packed[:_WINDOWS]
    return list(dict.fromkeys(found))


def chance(parts: int) -> float:
    """What the margin of the worst of many parts owes to their number, in logits; nothing for a few."""
    return 2 * log(max(1.0, parts / 3))


def encoded_units(text: str) -> list[str]:
    """What the vector head reads: fewer parts, since each costs an embedding."""
    if len(text) <= _WINDOW:
        return list(dict.fromkeys([text.strip(), *sentences(text)[:_WINDOWS]]))
    return list(dict.fromkeys([text[:_HEAD].strip(), *windows(text)[: _WINDOWS - 2]]))


def spoken_units(text: str) -> list[str]:
    """What the context head reads: quotations, sentences, and of long ones every stretch that may be an order."""
    found = [quote for quote in _QUOTE.findall(text) if len(quote.split()) >= _FEWEST]
    for sentence in sentences(text):
        words = sentence.split()
        if len(words) < _FEWEST:
            continue
        found.append(sentence)
        if len(words) > _STRETCH + _STEP:
            found += [" ".join(words[at : at + _STRETCH]) for at in range(0, len(words) - _STEP, _STEP)]
    return found

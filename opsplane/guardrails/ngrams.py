"""Hashed word and character n-grams of texts, and the linear heads that read them: no vocabulary, no encoder."""

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WORDS = 2**15
"""Buckets of word 1-, 2- and 3-grams; as many again hold character 4-grams, a quarter of it 4-grams of the shape."""
BUCKETS = 2 * WORDS + WORDS // 4
LONGEST = 2_000
"""Characters of one text that are read."""

_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+|[^\w\s]")
_DIGIT = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_STEP = np.uint32(2_654_435_761)  # Knuth's multiplicative hashing
_TO_WORDS, _TO_SHAPES = np.uint32(32 - 15), np.uint32(32 - 13)


class Rows(NamedTuple):
    """The n-grams of several texts: bucket and number of the text, both of shape (n,), repeats included."""

    buckets: NDArray[np.uint32]
    owners: NDArray[np.int64]


def rows(texts: Sequence[str]) -> Rows:
    """The n-grams of every text; none reaches from one text into the next."""
    heads = [_DIGIT.sub("0", text[:LONGEST].lower()) for text in texts]
    spelt = [("^", *_TOKEN.findall(head), "$") for head in heads]
    owners = np.repeat(np.arange(len(texts)), [len(tokens) for tokens in spelt])
    words = np.array([_number(token) for tokens in spelt for token in tokens], np.uint32)
    inner = np.ones(len(words), bool)
    ends = np.cumsum([len(tokens) for tokens in spelt])
    inner[np.concatenate([ends - 1, np.concatenate([[0], ends[:-1]])]).astype(np.int64)] = False
    one = words * _STEP
    two = (one[:-1] * np.uint32(31) + words[1:]) * _STEP
    three = (two[:-1] * np.uint32(31) + words[2:]) * _STEP
    pairs, triples = owners[:-1] == owners[1:], owners[:-2] == owners[2:]
    letters, letter_owners = _fours([f" {head} " for head in heads])
    shapes, shape_owners = _fours([_LETTERS.sub("a", head) for head in heads])
    buckets = (
        one[inner] >> _TO_WORDS,
        two[pairs] >> _TO_WORDS,
        three[triples] >> _TO_WORDS,
        (letters >> _TO_WORDS) + np.uint32(WORDS),
        (shapes >> _TO_SHAPES) + np.uint32(2 * WORDS),
    )
    whose = (owners[inner], owners[:-1][pairs], owners[:-2][triples], letter_owners, shape_owners)
    return Rows(np.concatenate(buckets), np.concatenate(whose))


def margins(texts: Sequence[str], weights: NDArray[np.float32], bias: float) -> NDArray[np.float64]:
    """The logit of a linear head for each text, its sum of weights normed by the root of the n-grams' number."""
    if not texts:
        return np.empty(0)
    found = rows(texts)
    sums = np.bincount(found.owners, weights=weights[found.buckets], minlength=len(texts))
    sizes = np.bincount(found.owners, minlength=len(texts))
    logits: NDArray[np.float64] = sums / np.sqrt(np.maximum(sizes, 1)) + bias
    return logits


def _fours(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Hashes of every four characters in a row within a text, and the text's number."""
    sizes = [len(text) for text in texts]
    points = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), np.uint32)
    owners = np.repeat(np.arange(len(texts)), sizes)
    hashes = np.zeros(max(len(points) - 3, 0), np.uint32)
    for place in range(4):
        hashes = (hashes * np.uint32(257) + points[place : place + len(hashes)]) * _STEP
    within = owners[: len(hashes)] == owners[3:]
    return hashes[within], owners[: len(hashes)][within]


@lru_cache(maxsize=16_384)
def _number(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "replace"))

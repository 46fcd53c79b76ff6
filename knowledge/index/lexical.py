"""BM25 over chunks: words cut to their English stems, one folder for each generation, read where it lies."""

import logging
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import Stemmer
from bm25s.tokenization import STOPWORDS_EN
from numpy.typing import NDArray

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG when it is imported

_WORD = re.compile(r"\w+")
_APOSTROPHE = re.compile(r"['’]s?\b")
_STOP = frozenset(STOPWORDS_EN)
_NOTHING = "\x00"  # stands for a text without words: no query has it
K1, B = 0.6, 0.75
"""Of BM25. That a word occurs says most; in passages of some hundred words its repetition says little, so k1 is low."""


def terms(text: str) -> list[str]:
    """Stems in reading order, without stop words; figures and single letters ("Reg E") stay."""
    folded = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).lower())
    words = [word for word in _WORD.findall(folded) if word not in _STOP]
    return list(Stemmer.Stemmer("english").stemWords(words))  # one each: a stemmer is not thread-safe


class Lexical:
    """BM25 scores of the texts of one generation, by their position. Its files are mapped into memory, not copied."""

    def __init__(self, folder: Path) -> None:
        self._bm25 = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        self._size = int(self._bm25.scores["num_docs"])

    def scores(self, query: str) -> NDArray[np.float32]:
        """One score for each text, shape (texts,); zeros where no word of the query occurs."""
        known = self._bm25.get_tokens_ids(terms(query))
        if not known:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._bm25.get_scores(known), np.float32)


def build(folder: Path, texts: Sequence[Sequence[str]]) -> None:
    """Write the index of texts (at least one), each given by its `terms`, into `folder` in one step.

    A reader keeps what it has open. 100,000 texts of 68 terms take seven seconds; the terms are the caller's to keep.
    """
    scratch = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    index = bm25s.BM25(k1=K1, b=B)
    index.index([list(one) or [_NOTHING] for one in texts], show_progress=False)
    index.save(scratch, show_progress=False)
    shutil.rmtree(folder, ignore_errors=True)
    scratch.replace(folder)

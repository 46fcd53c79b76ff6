"""LangChain's own search, for comparison in the same run: its splitter, its BM25 and Chroma, its ensemble of both.

The packages are no dependency of ours. To get its rows, install langchain-classic, langchain-community,
langchain-chroma, langchain-text-splitters and rank-bm25 into an environment of its own that has ours too, and run the
benchmark with that environment's Python.
"""

import tempfile
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from knowledge.embedding import MiniLM

NEEDED = ("langchain_classic", "langchain_community", "langchain_chroma", "langchain_text_splitters", "rank_bm25")
SIZE, OVERLAP = 1_000, 150
"""Characters of a chunk, and of what the next one repeats."""


class Passage(NamedTuple):
    """A piece of a text, and the name of the text."""

    name: str
    text: str


def missing() -> str:
    """What to tell where a package is not installed; "" where all are."""
    absent = [name.replace("_", "-") for name in NEEDED if not find_spec(name)]
    return f"LangChain's row: not installed ({', '.join(absent)}); benchmarks/ensemble.py says how to get it." * bool(
        absent
    )


def part(module: str, name: str) -> Any:
    """A class or function out of one of its packages, without what they warn of when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(import_module(module), name)


class Ensemble:
    """BM25Retriever and Chroma over pieces of texts, half and half, each with its `k` best."""

    def __init__(self, texts: Sequence[Passage], model: MiniLM, k: int = 50) -> None:
        splitter = part("langchain_text_splitters", "RecursiveCharacterTextSplitter")(
            chunk_size=SIZE, chunk_overlap=OVERLAP
        )
        pieces = [Passage(one.name, piece) for one in texts for piece in splitter.split_text(one.text)]
        self.pieces = len(pieces)
        words = [one.text for one in pieces]
        named = [{"name": one.name} for one in pieces]
        lexical = part("langchain_community.retrievers", "BM25Retriever").from_texts(words, metadatas=named, k=k)
        self._folder = tempfile.TemporaryDirectory(prefix="opsplane-langchain-")
        store = part("langchain_chroma", "Chroma")(
            "bench", model, self._folder.name, collection_metadata={"hnsw:space": "cosine"}
        )
        for start in range(0, len(words), 1_000):
            store.add_texts(words[start : start + 1_000], metadatas=named[start : start + 1_000])
        retrievers = [lexical, store.as_retriever(search_kwargs={"k": k})]
        ensemble = part("langchain_classic.retrievers", "EnsembleRetriever")
        self._search = ensemble(retrievers=retrievers, weights=[0.5, 0.5])

    def find(self, query: str) -> list[Passage]:
        """Pieces, best first."""
        return [Passage(one.metadata["name"], one.page_content) for one in self._search.invoke(query)]

    def close(self) -> None:
        """Delete what it wrote."""
        self._folder.cleanup()

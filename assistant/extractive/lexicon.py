"""Words and their meanings: what of a text carries its topic, with one spelling for one meaning."""

import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Annotated

import Stemmer
from pydantic import BaseModel, BeforeValidator, ConfigDict

from opsplane import yamlfile

Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]


class Lexicon(BaseModel):
    """The word lists of `lexicon.yaml`; what each is for stands there beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: Words
    weak: Words
    naming: Words
    same: tuple[tuple[str, ...], ...]
    properties: str
    opposites: tuple[tuple[str, ...], ...]
    alternatives: tuple[tuple[str, ...], ...]


class Reader:
    """Turns texts into terms: stems with one spelling for one meaning. Safe to use from several threads.

    `weak`, `naming` and `opposites` are the word lists of the lexicon as terms.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._stemmer = Stemmer.Stemmer("english")
        self._lock = Lock()  # the stemmer keeps a buffer of its own
        single = {phrase: group[0] for group in lexicon.same for phrase in group if " " not in group[0] + phrase}
        self._meaning = {
            phrase: " ".join(single.get(word, word) for word in group[0].split())
            for group in lexicon.same
            for phrase in group
        }
        phrases = sorted(self._meaning, key=len, reverse=True)
        self._phrase = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, phrases)) + r")(?![\w-])")
        self.weak = frozenset(term for word in lexicon.weak for term in self.terms(word))
        self.naming = frozenset(term[0] for word in lexicon.naming if len(term := self.terms(word)) == 1)
        self.opposites = tuple(tuple(frozenset(self.terms(side)) for side in group) for group in lexicon.opposites)

    def plain(self, text: str) -> str:
        """The text in lower case, each phrase of the lexicon written the one way."""
        return self._phrase.sub(lambda found: self._meaning[found[0]], text.lower().replace("’", "'"))

    def terms(self, text: str) -> tuple[str, ...]:
        """The topic words of a text, stemmed, in order, repeated as they are repeated."""
        plain = self.plain(text)
        words = [word.replace(",", "") for word in re.findall(r"[a-z0-9]+(?:'[a-z]+)?(?:[.,]\d+)*", plain)]
        bare = (word.removesuffix("'s") for word in words)
        kept = [word for word in bare if word not in self.lexicon.stop]
        with self._lock:
            stems: list[str] = self._stemmer.stemWords(kept)
        return tuple(stem for stem in stems if len(stem) > 1 or stem.isdigit())


@lru_cache(maxsize=1)
def reader() -> Reader:
    """The reader over the lexicon that comes with the product, loaded once."""
    return Reader(yamlfile.read(Path(__file__).parent / "lexicon.yaml", Lexicon))


@lru_cache(maxsize=16_384)
def terms(text: str) -> tuple[str, ...]:
    """`Reader.terms` with the product's lexicon, remembered."""
    return reader().terms(text)

"""Text made comparable: look-alike characters folded, sentences cut, content words stemmed."""

import re
import unicodedata
from functools import lru_cache
from threading import Lock

import Stemmer

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтнвАВЕЅІЈКМНОРСТУХԚԜαοερικντυχηΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhkmtnbABESIJKMHOPCTYXQWaoepikvtuxnABEZHIKMNOPTYX",
)
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"', "\u00a0": " "})
_PART_SIGNS = {"½": ".5", "¼": ".25", "¾": ".75"}
_PART_SIGN = re.compile(r"([0-9]?)([½¼¾])")  # else "59½" would be folded to "591⁄2"
_STOP_WORDS = (
    "a about above after again all also am an and any are aren't as at be because been before being below between "
    "both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either for "
    "from further get gets had has have having he her here hers him his how however i if in into is isn't it its "
    "itself just may me might more most must my no nor not now of off on once only or other our ours out over own "
    "per please same shall she should so some such than that that's the their theirs them then there these they this "
    "those through thus to too under until unless up upon us very was we were what when where whether which while who "
    "whom whose why will with without won't would you you'll you're your yours yourself"
)
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ABBREVIATIONS = r"(?<![ap]\.m\.)(?<!N\.A\.)(?<!P\.O\.)(?<!U\.S\.)(?<!e\.g\.)(?<!i\.e\.)(?<!\bNo\.)(?<!\bvs\.)"
_ENDS = re.compile(rf"(?<=[.!?]){_ABBREVIATIONS}[\"')*_]{{0,3}}\s+(?=[^a-z\s])|[\n|]")
_stemmer = Stemmer.Stemmer("english")
_lock = Lock()  # the stemmer keeps state between calls


def plain(text: str) -> str:
    """NFKC without invisible or control characters, Cyrillic and Greek look-alikes as Latin, straight quotes."""
    if text.isascii() and text.isprintable():
        return text
    parted = _PART_SIGN.sub(lambda match: f"{match[1] or 0}{_PART_SIGNS[match[2]]}", text)
    folded = unicodedata.normalize("NFKC", parted).translate(_APOSTROPHES)
    return "".join(map(_shown, folded)).translate(_LOOKALIKES)


def sentences(text: str) -> list[str]:
    """Sentences, lines and table cells in order, without the white space around them."""
    return [part.strip() for part in _ENDS.split(text) if part and part.strip()]


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """Words of letters in lower case, in order; figures are left out."""
    return tuple(_WORD.findall(text.lower()))


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """Stems of the content words."""
    return frozenset(stem(word) for word in words(text) if word not in _STOP)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """English Snowball stem of one lower-case word, a possessive ending removed."""
    with _lock:
        return str(_stemmer.stemWord(word.removesuffix("'s")))


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    """The character itself, a space for a line end or tab, nothing for a mark or control that cannot be seen."""
    if char in "\n\r\t\v\f":
        return " "
    return "" if unicodedata.category(char) in {"Cc", "Cf", "Mn", "Me", "Co", "Cs"} else char

"""Words of labels and titles in one form, so that "the monthly maintenance fees" and "Monthly fee" are one."""

import re
from functools import lru_cache


def vocabulary(words: str) -> frozenset[str]:
    """The words of a list that is written in one string."""
    return frozenset(words.split())


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?(?:-[^\W_]+)*")
_EMPTY = vocabulary(
    "a an the of for to on in at by as is are be your you our we us its it this that these those their his her and or"
    " with each every per any all both item paid pay service made when which who will may has have from if not"
    " only also one order type bank"
)
_SAME = {
    **dict.fromkeys(("charge", "cost", "price"), "fee"),
    **dict.fromkeys(("percent", "yield"), "apy"),
    **dict.fromkeys(("cheque",), "check"),
    **dict.fromkeys(("maximum", "max"), "limit"),
    **dict.fromkeys(("cutoff", "deadline"), "cut-off"),
    "certificate-of-deposit": "cd",
    "chequing": "checking",
    "yearly": "annual",
}
_PHRASES = (
    (re.compile(r"\bcertificates? of deposits?\b"), "cd"),
    (re.compile(r"\bmonthly (?:maintenance|service|account) "), "monthly "),
    (re.compile(r"\bannual percentage yield\b"), "apy"),
    (re.compile(r"\bannual percentage rate\b"), "apr"),
    (re.compile(r"\blate payments?\b"), "late"),
    (re.compile(r"\bwire transfers?\b"), "wire"),
    (re.compile(r"\bcut off\b"), "cut-off"),
    (re.compile(r"\bstop[ -]payments?\b"), "stop-payment"),
    (re.compile(r"\breturned items?(?: \(nsf\))?|\b(?:non-?|in)sufficient funds\b"), "nsf"),
    (re.compile(r"\b(checking|savings|money market) accounts?\b"), r"\1"),
    (re.compile(r"\bout of network\b|\bout-of-network\b"), "non-network"),
)
_DOCUMENTS = vocabulary(
    "term schedule guide agreement policy table rate fee apy notice disclosure consumer personal faq faqs question"
    " answer sheet booklet summary overview information important new current copy final draft version document"
    " what need know about how quick quickly basic rule program addendum amendment update detail page part"
    " cut-off glance"
)
_KINDS = vocabulary(
    "fee rate apr apy interest limit minimum amount balance payment deposit opening monthly annual daily late grace"
    " period term penalty origination application maintenance account variable intro purchase loan line early"
    " closure closing returned transfer prepayment income withdrawal day month year"
)


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    """A word without possessive and plural, under the name that we use for it."""
    word = word.replace("’", "'").removesuffix("'s").rstrip("'")
    if len(word) > 3 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return _SAME.get(word, word)


def content(text: str) -> tuple[str, ...]:
    """The words of a text that carry meaning, in order, stemmed."""
    low = text.lower()
    for phrase, word in _PHRASES:
        low = phrase.sub(word, low)
    stems = (_stem(match[0]) for match in _WORD.finditer(low))
    return tuple(stem for stem in stems if stem not in _EMPTY)


def subject(title: str) -> frozenset[str]:
    """What a title or heading is about: its words without those that say what sort of document it is."""
    return frozenset(
        word for word in content(title) if word not in _DOCUMENTS and not re.fullmatch(r"(19|20)\d\d|\d", word)
    )


def names_a_subject(words: frozenset[str]) -> bool:
    """Whether a label says of what it is the fee, rate or limit, and does not leave that to the heading above."""
    return any(word not in _KINDS and not word[0].isdigit() for word in words)

"""Defined terms: what a text says that a word means, with the conditions that belong to the definition."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge import levels, statements
from knowledge.document import Section
from knowledge.statements import Statement
from knowledge.wording import vocabulary

_MEANS = (
    r"(?:(?:also )?means?\b(?! (?:by|of|for|may|other|through|to which)\b|[.;])|shall mean\b|(?:is|are) defined\b"
    r"|(?:has|(?:shall )?have) the (?:same )?meanings?\b"
    r"|(?:also )?refers? (?:only )?to\b)"
)
_QUOTED = r"[“\"](?P<quoted>[^“”\"\n]{2,80}?),?[”\"]"
_MORE = r"(?:,? (?:and|or) [“\"][^“”\"\n]{2,80}[”\"]){0,3}"
_NAME = r"(?P<name>[A-Za-z0-9][\w’'/,()&-]*(?: [\w’'/,()&-]+){0,9}?)"
_PURPOSE = r"(?:(?:[Ff]or (?:the )?purposes? of|[Aa]s used in|[Ii]n) [^.;:“\"]{3,120}, )?"
_RELATION = r"(?:, (?:as used |when used )?in [^,.;]{3,80}(?=,))?"
_WITHIN = r", (?:as used |when used )?in "
_DEFINES = (
    re.compile(rf"{_PURPOSE}(?:(?:[Tt]he|[Aa]n?) )?(?:terms? )?{_QUOTED}{_MORE},? (?:{_MEANS}|includes?\b)"),
    re.compile(rf"{_PURPOSE}[Tt]he terms? {_QUOTED}{_MORE} ?[—–:]?$"),
    re.compile(rf"{_PURPOSE}[Tt]he term {_NAME} (?:{_MEANS}|includes?\b)"),
    re.compile(rf"[^.“”\"]{{2,60}} becomes an? {_QUOTED} (?:when|if)\b"),
    re.compile(rf"(?:(?:An?|The) (?=\w)|(?=[A-Z])){_NAME}{_RELATION},? {_MEANS}"),
)
_BOLD = re.compile(
    r"(?:(?:The|An?) )?\*\*(?P<name>[^*\n]{2,80}?)(?P<mark>[:.]?)\*\*(?P<colon>:?)\s+"
    rf"(?P<verb>{_MEANS}|(?:is|are) (?:an?|the|any|all|what|when|money)\b)?"
)
_COLON = re.compile(r"(?P<name>[A-Z][\w’'/()-]*(?: [\w’'/()-]+){0,7}): (?=\w)")
_CALLED = re.compile(
    r"\b(?:this|which) is (?:called|known as) (?:the |an? )?[“\"]?(?P<name>[A-Z][\w'-]*(?: [A-Z][\w'-]*){0,4})"
)
_HEREIN = re.compile(
    r"\((?:(?:the|each,? an?|collectively,?(?: the)?|together,?(?: the)?|hereinafter(?: the)?) )?"
    r"[“\"](?P<name>[A-Z][^“”\"\n]{1,60})[”\"]\)"
)
_IS = re.compile(rf"(?:An?|The) {_NAME} (?:is|are) (?:an?|any|the (?:greater|lesser|lower|higher)(?= of)) ")
_SUM = re.compile(
    rf"The {_NAME} is the (?:greater|lesser|lower|higher|sum|amount|balance|difference|total|average|last day|first day"
    r"|period|date|day|share|number)\b[\w ]{0,20}? (?:of|that|on which|by which|in which|between|from|less) "
)
_TERM_MEANS = re.compile(r"(?:The|Such) terms? (?:does not |also )?(?:means?|includes?)\b")
_GOES_ON = re.compile(
    r"(?:(?:the|such|this|these) terms?|it|they|this|these|such [\w ]{3,40}) |[\w ]{3,60} (?:do|does) not include\b",
    re.I,
)
_GLOSSARY = re.compile(r"(?:defined )?(?:term|word|expression|abbreviation|phrase)s?(?: used)?", re.I)
_MEANING = re.compile(r"meanings?|means|definitions?|descriptions?|explanations?|what (?:it|this|they) means?", re.I)
_DEFINITIONS = re.compile(r"\b(?:definitions?|glossary|key terms|terms (?:used|to know)|defined terms)\b", re.I)
_NOT_IN_A_TERM = vocabulary(
    "this that these those it which who what you we they he she there here if when where because although however"
    " whatever no not is are was were may must shall will can i your our does do did other nothing has have had"
    " section paragraph comment example examples also only either the by provides provide providing case"
)
_PREPOSITIONS = vocabulary("in for on at under during to from with of as")
_LONGEST = 4_000
_LONGEST_NAME = 12


@dataclass(frozen=True, slots=True)
class Definition:
    """A term with the text that defines it, which stands at `start`:`end` of the section's text."""

    term: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Paragraph:
    sentences: tuple[Statement, ...]
    mark: int
    level: int

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def end(self) -> int:
        last = self.sentences[-1]
        return last.start + len(last.text)

    def text(self, whole: str) -> str:
        """The paragraph without the mark at its head."""
        return whole[self.start + self.mark : self.end]


@dataclass(frozen=True, slots=True)
class _Found:
    """A term at sentence `sentence` of paragraph `paragraph`; `head` is the paragraph with which it begins."""

    term: str
    paragraph: int
    sentence: int
    head: int


_Opening = dict[int, dict[int, str]]
"""The term that each sentence of each paragraph defines, for those that define one."""


def defined(section: Section) -> tuple[Definition, ...]:
    """The definitions of a section in order, each term once.

    A definition at the head of a paragraph takes the paragraph and what is numbered below it; one inside takes
    its sentence and those that go on about it. Beyond 4,000 characters it is cut at a paragraph.
    """
    told = list(statements.of(section.text))
    paragraphs = _paragraphs(told)
    first: dict[str, _Found] = {}
    opening: _Opening = defaultdict(dict)
    for found in _in_prose(section, paragraphs):
        opening[found.paragraph].setdefault(found.sentence, found.term)
        first.setdefault(found.term.lower(), found)
    made = [_extent(section.text, paragraphs, found, opening) for found in first.values()]
    once: dict[str, Definition] = {}
    for definition in sorted((*made, *_in_tables(told)), key=lambda each: each.start):
        once.setdefault(definition.term.lower(), definition)
    return tuple(once.values())


def _paragraphs(told: Sequence[Statement]) -> list[_Paragraph]:
    groups = [
        tuple(group)
        for _, group in groupby((one for one in told if not one.cells), key=lambda statement: statement.block)
    ]
    marks = [levels.mark(group[0].text) for group in groups]
    depths = levels.levels([mark.label for mark in marks])
    return [_Paragraph(group, mark.length, depth) for group, mark, depth in zip(groups, marks, depths, strict=True)]


def _in_tables(told: Sequence[Statement]) -> Iterator[Definition]:
    """Rows of a table whose columns are called Term and Meaning, or the like."""
    for row in told:
        if len(row.cells) < 2 or len(row.header) < 2 or not row.cells[0]:
            continue
        if _GLOSSARY.fullmatch(row.header[0]) and _MEANING.fullmatch(row.header[1]):
            yield Definition(row.cells[0], row.text, row.start, row.start + len(row.text))


def _in_prose(section: Section, paragraphs: Sequence[_Paragraph]) -> Iterator[_Found]:
    glossary = any(_DEFINITIONS.search(heading) for heading in section.path)
    heading = section.path[-1] if section.path else ""
    for place, paragraph in enumerate(paragraphs):
        for number, sentence in enumerate(paragraph.sentences):
            text = sentence.text[paragraph.mark if number == 0 else 0 :]
            if number == 0 and _TERM_MEANS.match(text):
                yield from _under_a_key(section, paragraphs, place)
                continue
            for term in _terms(text, heading, glossary and number == 0):
                yield _Found(term, place, number, place)


def _under_a_key(section: Section, paragraphs: Sequence[_Paragraph], place: int) -> Iterator[_Found]:
    """ "The term means" takes its name from the short line above, as in "(c) Adverse action", or the heading."""
    above = paragraphs[place - 1] if place else None
    if above is None:
        name = section.path[-1].strip(" .") if section.path else ""
        if name and not _DEFINITIONS.search(name):
            yield _Found(name, place, 0, place)
        return
    name = above.text(section.text).strip()
    if above.level < paragraphs[place].level and name and name[-1] not in ".;:," and _is_term(name):
        yield _Found(name, place - 1, 0, place - 1)


def _terms(sentence: str, heading: str, glossary: bool) -> list[str]:
    """The terms that a sentence defines: mostly none, seldom more than one."""
    term = _meant(sentence) or _led(sentence, glossary) or _is(sentence, heading)
    if term:
        return [term]
    names = [match["name"] for pattern in (_CALLED, _HEREIN) for match in pattern.finditer(sentence)]
    return [name for name in names if _is_term(name) and not re.search(r"\d", name)]


def _meant(sentence: str) -> str:
    """The term of "“X” means" and its like."""
    for pattern in _DEFINES:
        match = pattern.match(sentence)
        if match:
            groups = match.groupdict()
            term = _trimmed(groups.get("quoted") or re.split(_WITHIN, groups["name"])[0])
            if groups.get("quoted") or _is_term(term):
                return term
    return ""


def _is(sentence: str, heading: str) -> str:
    """The term of "The X is the sum of", or of "An X is a" under a heading about it."""
    match = _SUM.match(sentence)
    if match is None and heading:
        match = _IS.match(sentence)
        match = match if match and _heads(match["name"], heading) else None
    return _trimmed(match["name"]) if match and _is_term(match["name"]) else ""


def _led(sentence: str, glossary: bool) -> str:
    """The term of a line led by it: bold with a verb; in a glossary also before a colon or full stop."""
    bold = _BOLD.match(sentence)
    if bold and (bold["verb"] or (glossary and (bold["mark"] or bold["colon"]))):
        return _trimmed(bold["name"])
    plain = _COLON.match(sentence) if glossary else None
    return _trimmed(plain["name"]) if plain and _is_term(plain["name"]) else ""


def _trimmed(name: str) -> str:
    return re.sub(r"^(?:the|an?) (?=\S)", "", name.strip(" ,.:;*"), flags=re.I)


def _is_term(name: str) -> bool:
    if name in ("You", "We"):
        return True
    words = name.lower().replace(",", " ").split()
    return 0 < len(words) <= _LONGEST_NAME and words[0] not in _PREPOSITIONS and not _NOT_IN_A_TERM & set(words)


def _heads(name: str, heading: str) -> bool:
    """Whether the heading of the section is about the term, so that "A cashier's check is a check" defines it."""
    titled = {word.strip("?.,:").removesuffix("s") for word in heading.lower().split()}
    return all(word.removesuffix("s") in titled for word in _trimmed(name).lower().split())


def _extent(text: str, paragraphs: Sequence[_Paragraph], found: _Found, opening: _Opening) -> Definition:
    """From the first word of the definition to the last of its conditions."""
    start, end, ends = _within(paragraphs[found.paragraph], found, opening.get(found.paragraph, {}))
    start = start if found.sentence else paragraphs[found.head].start
    if ends:
        end = _below(text, paragraphs, found, (start, end), opening)
    return Definition(found.term, text[start:end], start, end)


def _within(paragraph: _Paragraph, found: _Found, opening: Mapping[int, str]) -> tuple[int, int, bool]:
    """A definition in its paragraph: its sentence and those that go on about it; whether they end the paragraph."""
    first = last = paragraph.sentences[found.sentence]
    for number in range(found.sentence + 1, len(paragraph.sentences)):
        sentence = paragraph.sentences[number]
        about = found.sentence == 0 or _GOES_ON.match(sentence.text) or found.term.lower() in sentence.text.lower()
        if opening.get(number, found.term).lower() != found.term.lower() or not about:
            return first.start, last.start + len(last.text), False
        last = sentence
    return first.start, last.start + len(last.text), True


def _below(text: str, paragraphs: Sequence[_Paragraph], found: _Found, span: tuple[int, int], opening: _Opening) -> int:
    """The end of what is numbered below a definition, with the paragraphs beside it that go on about the term."""
    start, end = span
    level = paragraphs[found.head].level
    awaits = level != levels.UNNUMBERED or text[end - 1] not in ".;!?"
    for place in range(found.paragraph + 1, len(paragraphs)):
        paragraph = paragraphs[place]
        if paragraph.end - start > _LONGEST:
            break
        beside = paragraph.level == level and _GOES_ON.match(paragraph.text(text))
        own = opening.get(place, {}).get(0, found.term).lower() == found.term.lower()
        if not ((beside and own) or (awaits and paragraph.level > level)):
            break
        awaits, end = True, paragraph.end
    return end

"""Cross-references of a text: to law, to other documents of the library, to paragraphs of the same text."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from knowledge.wording import vocabulary

_PARTS = dict(
    re.findall(
        r"([A-Z]+) (\d+)",
        "B 1002, C 1003, E 1005, F 1006, G 1007, H 1008, M 1013, N 1014, P 1016, V 1022, X 1024, Z 1026, DD 1030,"
        " CC 229, GG 233, II 235",
    )
)
"""The part of title 12 of the Code of Federal Regulations that each consumer regulation is; D has two, so neither."""

_SUB = r"(?:\((?:[a-zA-Z]{1,5}|\d{1,3})\))"
_SECTION = r"\d{1,4}\.\d{1,4}"
_LAW = re.compile(
    rf"""
    (?P<cfr>\b\d{{1,2}}\ (?:CFR|C\.F\.R\.)\ (?:[Pp]arts?\ |§{{1,2}}\s?)?
      (?P<cfr_section>\d{{1,4}}(?:\.\d{{1,4}})?)(?P<cfr_sub>{_SUB}{{0,6}}))
    |(?P<usc>\b\d{{1,2}}\ (?:U\.\s?S\.\s?C\.|USC)\ (?:§{{1,2}}\s?)?
      (?P<usc_section>\d{{1,5}}[a-z]{{0,3}}(?:[-–]\d{{1,2}})?)(?P<usc_sub>{_SUB}{{0,6}}))
    |(?P<regulation>\bReg(?:ulation|\.)\ (?P<letter>[A-Z]{{1,2}})\b)
    |(?P<clause>\b[Ss]ections?\ (?P<clause_number>\d{{1,3}}(?:\.\d{{1,3}}){{0,3}})(?:,)?\ of\ (?:the|our|your|this)\ )
    |(?P<sections>(?:§{{1,2}}\s?|\b[Ss]ections?\ )(?P<section>{_SECTION})(?P<section_sub>{_SUB}{{0,6}}))
    |(?P<paragraph>\b[Pp]aragraphs?\ (?P<paragraph_sub>{_SUB}{{1,6}})
      (?:\ of\ this\ (?:section|part|appendix|paragraph))?)
    |(?P<appendix>\b[Aa]ppendix\ (?P<appendix_letter>[A-Z]{{1,2}})\b
      (?:\ (?:to|of)\ (?:this\ )?part(?:\ (?P<appendix_part>\d{{3,4}}))?)?)
    |(?P<comment>\b[Cc]omments?\ (?P<comment_number>\d{{1,3}}{_SUB}{{0,6}}-\d{{1,3}}(?:\.[ivx]{{1,5}})?))
    |(?P<link>\[(?P<link_text>[^\[\]\n]{{1,200}})\]\((?P<link_target>[^()\s]{{1,500}})\))
    """,
    re.VERBOSE,
)
_NEXT = re.compile(
    rf"(?:, (?:and |or )?| and | or | (?:to|through) |[-–])(?P<section>{_SECTION})?(?P<sub>{_SUB}{{0,6}})(?![\w.]?\d)"
)
_NAMED = re.compile(
    r"\b(?:[A-Z][\w’'-]{0,40}(?: (?:of|and|to|for|the|on))? ){1,7}"
    r"(?:Schedule|Agreement|Terms|Policy|Table|Notice|Disclosures?|Guide|Sheet|Addendum|Statement|Procedures?|Rates)\b"
)
_KIND = re.compile(
    r"\b(?:Schedule|Agreement|Terms|Policy|Table|Notice|Disclosures?|Guide|Sheet|Addendum|Statement|Procedures?|Rates"
    r"|FAQ|Rules|Limits|Fees)\b"
)
_OPENING = re.compile(r"^(?:(?:The|See|In|Under|Our|Your|Read|This|An?|For|And) )+(?:the )?")
_WORD = re.compile(r"[^\W_]+(?:[’'-][^\W_]+)*")
_STATUTE = re.compile(r"§\s?(\d{1,5}[a-z]{0,3}(?:[-–]\d{1,2})?)\.")
_CFR_ID = re.compile(r"(\d{3,4})-(\d{1,3})")
_USC_ID = re.compile(r"(\d{1,2})-usc-")
_INITIAL = re.compile(r"(?<![\w'’-])[A-Z0-9][\w’']*")
_POINTED = re.compile(
    r"(?:\b[Ss]ee(?: also)?|\b(?:described|explained|listed|set out|found|stated|defined) in)(?: the| our)? [“\"]?$"
)
_SHORT_WORDS = vocabulary("a an and as at by for from in of on or the to with your you")
_MOST_IN_A_LIST = 20
_LONGEST_TITLE = 240


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference at `start`:`end` of a text.

    `target` is the id of a document of the library, else a citation such as "12 CFR 1005.6" or "15 USC 1693g",
    the name of a document that the library lacks, or "here". `part` is what it points to inside: "(b)(2)", "4.2".
    """

    text: str
    target: str
    part: str
    start: int
    end: int


class Titles:
    """The titles and ids of a library, laid out once for looking up what texts call the documents."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._ids = dict(titles)

    @cached_property
    def by_words(self) -> dict[tuple[str, ...], str]:
        """Document by the words of its title; of two with one title the first by id."""
        return {_words(title): name for name, title in sorted(self._ids.items(), reverse=True) if _words(title)}

    @cached_property
    def longest(self) -> dict[str, int]:
        """How many words the longest title has that begins with a word."""
        lengths: dict[str, int] = {}
        for words in self.by_words:
            lengths[words[0]] = max(lengths.get(words[0], 0), len(words))
        return lengths

    @cached_property
    def by_ending(self) -> dict[tuple[str, ...], set[str]]:
        """Documents by the last words of their titles, so that "the Fee Schedule" finds the only one."""
        endings: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for words, name in self.by_words.items():
            for size in range(2, min(len(words), 8) + 1):
                endings[words[-size:]].add(name)
        return endings

    @cached_property
    def by_citation(self) -> dict[str, str]:
        """Documents with an id such as 1005-6, or whose title begins so: "§ 1005.6 Liability of consumer"."""
        cited = {f"12 CFR {code[1]}.{code[2]}": name for name in self._ids if (code := _CFR_ID.fullmatch(name))}
        for name, title in sorted(self._ids.items()):
            match, statute = _LAW.match(title.strip()), _STATUTE.match(title.strip())
            if match and (match["cfr"] or match["usc"] or match["sections"]):
                cited.setdefault(_citation(match)[0], name)
            elif statute and (code := _USC_ID.match(name)):
                cited.setdefault(f"{code[1]} USC {statute[1].replace('–', '-')}", name)
        return cited

    def of_file(self, link: str) -> str:
        """The id of the document to which a link leads; the link itself where the library has none."""
        path = link.partition("#")[0].partition("?")[0]
        stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return stem if stem in self._ids else link

    def named(self, phrase: str) -> str:
        """The id of the one document whose title is or ends with `phrase`; empty where there is none or several."""
        words = _words(phrase)
        if words in self.by_words:
            return self.by_words[words]
        endings = self.by_ending.get(words, set())
        return next(iter(endings)) if len(endings) == 1 else ""


def found(text: str, titles: Titles) -> tuple[Reference, ...]:
    """The references of a text in order, none inside another. Time is linear in the text."""
    references = [*_to_law(text, titles)]
    references += _to_titles(text, titles)
    kept: list[Reference] = []
    for reference in sorted(references, key=lambda each: (each.start, -each.end)):
        if not kept or reference.start >= kept[-1].end:
            kept.append(reference)
    return tuple(kept)


def _to_law(text: str, titles: Titles) -> Iterator[Reference]:
    for match in _LAW.finditer(text):
        if match["link"]:
            target, part = match["link_target"], ""
            target, _, part = titles.of_file(target), "", target.partition("#")[2]
            yield Reference(match[0], target, part, *match.span())
        elif match["clause"]:
            yield from _clause(text, match, titles)
        else:
            target, part = _citation(match)
            yield Reference(match[0], titles.by_citation.get(target, target), part, *match.span())
            if match["sections"] or match["cfr"] or match["paragraph"]:
                yield from _listed(text, match, target, titles)


def _citation(match: re.Match[str]) -> tuple[str, str]:
    """What a reference to law names, in one form, and the paragraph in it."""
    if match["cfr"]:
        return f"{match[0].split(' ', 1)[0]} CFR {match['cfr_section']}", match["cfr_sub"]
    if match["usc"]:
        return f"{match[0].split(' ', 1)[0]} USC {match['usc_section'].replace('–', '-')}", match["usc_sub"]
    if match["regulation"]:
        part = _PARTS.get(match["letter"])
        return (f"12 CFR {part}" if part else f"Regulation {match['letter']}"), ""
    if match["sections"]:
        return f"12 CFR {match['section']}", match["section_sub"]
    if match["paragraph"]:
        return "here", match["paragraph_sub"]
    if match["comment"]:
        return "comment", match["comment_number"]
    part = match["appendix_part"]
    return (f"12 CFR {part}" if part else "here"), f"appendix {match['appendix_letter']}"


def _listed(text: str, first: re.Match[str], target: str, titles: Titles) -> Iterator[Reference]:
    """What follows in a list: the "(b)" of "§§ 1002.4(a) and (b)", the "1005.8" of "§§ 1005.7 and 1005.8"."""
    place = first.end()
    title = target.split(" ", 1)[0]
    for _ in range(_MOST_IN_A_LIST):
        match = _NEXT.match(text, place)
        if match is None or not (match["section"] or match["sub"]) or (match["section"] and target == "here"):
            return
        if match["section"]:
            target = f"{title} CFR {match['section']}"
        start = match.start("section") if match["section"] else match.start("sub")
        named = titles.by_citation.get(target, target)
        yield Reference(text[start : match.end()], named, match["sub"], start, match.end())
        place = match.end()


def _clause(text: str, match: re.Match[str], titles: Titles) -> Iterator[Reference]:
    """ "Section 4.2 of the Deposit Account Agreement", with whatever capitalised name follows."""
    named = _NAMED.match(text, match.end())
    if named:
        target = titles.named(named[0]) or named[0]
        yield Reference(text[match.start() : named.end()], target, match["clause_number"], match.start(), named.end())


def _to_titles(text: str, titles: Titles) -> Iterator[Reference]:
    """Titles written as titles, and capitalised names that end as documents do."""
    past = 0
    for match in _INITIAL.finditer(text):
        if match.start() >= past and match[0].lower() in titles.longest:
            end = _title_end(text, match.start(), titles.longest[match[0].lower()], titles)
            if end:
                phrase = text[match.start() : end]
                yield Reference(phrase, titles.by_words[_words(phrase)], "", match.start(), end)
                past = end
    for match in _NAMED.finditer(text):
        phrase = _OPENING.sub("", match[0])
        rest, target = phrase, titles.named(phrase)
        while not target and rest.count(" ") > 1:
            rest = rest.partition(" ")[2]
            target = titles.named(rest)
        phrase = rest if target else phrase
        if target or phrase.count(" "):
            yield Reference(phrase, target or phrase, "", match.end() - len(phrase), match.end())


def _title_end(text: str, start: int, longest: int, titles: Titles) -> int:
    """The end of the longest title that stands at `start`; 0 for none.

    A title that is no name of a document ("Premier Checking" may be the product) counts only where the text points.
    """
    within = text[start : start + _LONGEST_TITLE].partition("\n")[0].partition("|")[0]
    words = list(_WORD.finditer(within))[:longest]
    for size in range(len(words), 1, -1):
        run = [match[0] for match in words[:size]]
        if tuple(word.lower() for word in run) not in titles.by_words:
            continue
        written = all(word[0].isupper() or word[0].isdigit() or word in _SHORT_WORDS for word in run)
        is_document = size >= 4 or _KIND.search(" ".join(run))
        if written and (is_document or _POINTED.search(text, max(0, start - 24), start)):
            return start + words[size - 1].end()
    return 0


def _words(title: str) -> tuple[str, ...]:
    return tuple(match[0].lower() for match in _WORD.finditer(title))

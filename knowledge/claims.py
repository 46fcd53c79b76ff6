"""What a document claims: a figure for a fee, a rate, a limit or a time, read from its sentences and tables."""

import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from knowledge import figures, statements
from knowledge.document import Document, Section
from knowledge.figures import Figure
from knowledge.statements import Statement
from knowledge.wording import content, names_a_subject, subject, vocabulary

READING = "1"
"""Changes with the rules by which claims are read, so that stored claims of older rules are not used."""


class Claim(BaseModel):
    """A figure that a document states. Depends on the text alone, so that it may be stored under the text's hash.

    `label` is what the figure is for, as sorted stems ("fee overdraft"); for a `whole` statement all its words in
    order with # for each figure. `value` and `unit` are those of `figures.Figure`; a whole statement has the values
    of all its figures, joined by "; ". `period` is the "a day" of a limit, `condition` the words that say when it
    holds. `heading` names the subject where the label leaves it open, as "monthly fee" does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    value: str
    unit: str
    bound: str = ""
    period: str = ""
    condition: str = ""
    whole: bool = False
    heading: str = ""
    business: bool = False
    path: tuple[str, ...] = ()
    quote: str


_MARK = re.compile(r"^(?:[-*•]\s+|\d{1,3}[.)]\s+|\([A-Za-z0-9]{1,4}\)\s+)")
_BE = r"(?:is|are|costs?|pays?|earns?|equals|amounts to|starts? at|lasts?|runs)"
_OPEN = (
    r"(?:(?:now|currently|only|just|up to|at most|at least|not more than|no more than|about|from|always|a|an|the)\s)*"
)
_LABEL = re.compile(rf"(?P<label>[^.;:|,]{{3,90}}?)\s(?P<verb>{_BE})\s{_OPEN}$")
_LED = re.compile(r"(?P<label>[^.;:|,]{3,70}?)\s?(?::|—|–|\s-|\.{2,})\s*(?:up to |at most |from )?$")
_FEE_OF = re.compile(
    r"\b(?:[Aa]n?|[Tt]he)\s(?P<label>(?:[\w'’-]+\s){0,5}(?:fee|charge|penalty|limit|rate|yield|deposit|balance))"
    r"\sof\s(?:up to |at least )?$"
)
_WHO = re.compile(r"([A-Z][^.;:|,]{2,60}?)\s(?:has|have|charges?|carries|comes with)\s")
_OURSELVES = frozenset(("We", "The bank", "The Bank", "There"))
_FOR = re.compile(r"\sfor\s(?:an?\s|the\s|each\s|every\s)?(?P<label>[\w'’-]+(?:\s[\w'’-]+){0,5})(?=[.,;]|$)")
_AFTERWARDS = re.compile(r"\s(?P<label>(?:[a-z'’-]+\s){0,4}(?:fee|charge|penalty))\b")
_FREE = re.compile(
    r"(?P<label>[^.;:|,]{3,70}?)\s(?:(?:is|are)\s(?:always\s)?free(?:\sof\scharge)?|costs?\snothing)\b"
    r"(?P<rest>[^.;]{0,120})"
)
_HAS_NO = re.compile(
    r"(?P<who>[^.;:|,]{3,60}?)\s(?:has|have|charges?)\sno\s"
    r"(?P<label>(?:[\w'’-]+\s){0,4}(?:fee|charge|penalty))s?\b(?P<rest>[^.;]{0,120})"
)
_FREE_CELL = re.compile(r"(?:free(?: of charge)?|none|no (?:fee|charge)|nothing)$", re.IGNORECASE)
_BREAK = re.compile(r";\s|,\s(?:and|but|so|or|while|plus)\s|\sand\s(?=(?:an?|the|its|each|this|no)\s)|:\s")
_LINK = re.compile(
    r"^[^.;]{0,90}?(?:,|\band\b|\bor\b|/|\bthen\b)\s*(?:then\s)?(?:up to\s|at most\s|at least\s|from\s)?$"
)
_VERB = re.compile(rf"\b{_BE}\b|\b(?:charges?|waives?|refunds?|adds?|reimburses?|makes?|has|have|may|allows?)\b")
_PERIOD = re.compile(
    r"^\s?(?:(?:for )?(?:an?|per|each|every|/|in (?:a|any|each|every))\s?"
    r"(?:rolling |calendar |statement |billing |business )?"
    r"(?P<period>\d{1,3} days|day|week|month|quarter|year|hour|period|cycle)\b"
    r"|(?P<adverb>daily|weekly|monthly|yearly|annually)\b)"
)
_CUT = re.compile(
    r"[.;](?:\s|$)|,\s(?:and|but|so|or|although|which|that is|depending|whatever|whichever|except)\b|\s\("
)
_TELLING = re.compile(
    r"\b(?:online|branch|phone|mobile|app|mail|teller|above|below|over|under|first|next|second|third|again|after|before"
    r"|within|until|when|if|unless|only|for|on|with|without|to|between|from|at|by|in|express|standard|then|more|less)\b"
)
_EACH = re.compile(
    r"^\s?,?\s?(?:for|on|of|per)?\s?(?:each|every|both|all|any|per|the whole|the amount)\s[\w'’-]+"
    r"(?:\s(?:card|item|transaction|purchase|transfer|account)s?)?"
)
_NOT_IN_A_LABEL = vocabulary(
    "if when that which who because although unless until while where you we they he she it not than your there what"
    " example would had was were could"
)
CHANNELS = vocabulary("online branch phone mobile app mail teller person")
_CHANNELLED = re.compile(r"(.+?)(?:,\s|\s(?=(?:by|in an?|at an?|online|through)\b))(.+)$")
_COLUMNS = vocabulary("amount value detail fee rate item service event feature you how figure")
_MONEY_KINDS = vocabulary(
    "fee limit balance deposit amount payment income penalty credit bonus reward insurance loan purchase withdrawal"
    " contribution rent loss minimum principal interest line total draw bill assets first"
)
_EXAMPLE = re.compile(r"\b(?:for )?examples?\b|\bsuppose\b|\bimagine\b|\bsample\b", re.IGNORECASE)
_BUSINESS = re.compile(r"\b(?:business|commercial|corporate)\b(?! (?:days?|hours?|purposes?))", re.IGNORECASE)
_FEWEST_WORDS, _LONGEST_STATEMENT, _MOST_FIGURES = 4, 700, 12


def claims(document: Document) -> tuple[Claim, ...]:
    """All claims of a document, in order. Examples make no claims."""
    return tuple(claim for section in document.sections for claim in _in_section(section))


def _in_section(section: Section) -> Iterator[Claim]:
    if any(_EXAMPLE.search(heading) for heading in section.path):
        return
    heading = next((h for h in reversed(section.path) if names_a_subject(subject(h))), "")
    example = -1
    for statement in statements.of(section.text):
        if example == statement.block or _EXAMPLE.match(_MARK.sub("", statement.text)):
            example = statement.block
            continue
        if len(statement.text) > _LONGEST_STATEMENT or any(_EXAMPLE.search(cell) for cell in statement.header):
            continue
        for claim in _in_row(statement) if statement.cells else _in_sentence(statement):
            about = " ".join((*section.path, *statement.header, statement.text))
            yield claim.model_copy(
                update={
                    "heading": heading,
                    "path": section.path,
                    "business": bool(_BUSINESS.search(about)),
                }
            )


def _in_sentence(statement: Statement) -> Iterator[Claim]:
    text = _MARK.sub("", statement.text).replace("**", "").replace("\n", " ")
    quote = " ".join(statement.text.split())
    found = figures.found(text)
    if not found:
        yield from _for_nothing(text, quote)
        return
    if len(found) > _MOST_FIGURES:
        return
    yield from _whole(text, found, quote)
    label: tuple[str, ...] = ()
    found = tuple(figure for figure in found if not _in_a_name(text, figure))
    for place, figure in enumerate(found):
        before = found[place - 1] if place else None
        own = _label(text, figure, before)
        if own:
            label = own
        elif before is None or not label or not _goes_on(text, before, figure):
            label = ()
            continue
        rest = text[figure.end : found[place + 1].start if place + 1 < len(found) else len(text)]
        yield _claim(label, figure, rest, quote)


def _whole(text: str, found: Sequence[Figure], quote: str) -> Iterator[Claim]:
    """The sentence with # for its figures. A figure that is part of a name, as in "6-month CD", stays."""
    parts, values, last = [], [], 0
    for figure in found:
        if _in_a_name(text, figure):
            continue
        parts += [text[last : figure.start], " zzfigure "]
        values.append(f"{figure.unit} {figure.value}".strip())
        last = figure.end
    words = content("".join((*parts, text[last:])))
    masked = tuple("#" if word == "zzfigure" else word for word in words)
    if values and len(set(masked)) >= _FEWEST_WORDS:
        yield Claim(label=" ".join(masked), value="; ".join(values), unit="", whole=True, quote=quote)


def _in_a_name(text: str, figure: Figure) -> bool:
    """Whether a figure is part of a name, as in "the 6-month CD"."""
    return "-" in text[figure.start : figure.end] and figure.unit not in ("phone", "date") and ".." not in figure.value


def _label(text: str, figure: Figure, before: Figure | None) -> tuple[str, ...]:
    """The words that name what a figure is for; none where the sentence is not of a kind that we read."""
    start = before.end if before else 0
    for match in _BREAK.finditer(text, start, figure.start):
        start = match.end()
    for opened in dict.fromkeys((start, 0)):
        lead = text[opened : figure.start]
        said = _LABEL.fullmatch(lead)
        led = said or _LED.fullmatch(lead)
        if led and _is_label(led["label"]):
            costs = said is not None and said["verb"].startswith("cost")
            return (*content(led["label"]), *(("fee",) if costs else ()))
    of = _FEE_OF.search(text, max(0, figure.start - 90), figure.start)
    if of:
        return (*content(of["label"]), *_whose(text, of.start()))
    return _named_after(text, figure)


def _named_after(text: str, figure: Figure) -> tuple[str, ...]:
    """The label of "a $15 overdraft fee" and of "you pay $12 for an incoming wire"."""
    before = text[max(0, figure.start - 24) : figure.start].lower()
    then = _AFTERWARDS.match(text, figure.end)
    if then and before.endswith((" a ", " an ")):
        return (*content(then["label"]), *_whose(text, figure.start))
    pays = _FOR.match(text, figure.end)
    if pays and before.endswith(("you pay ", "charges ", "charge ", "charges you ", "charge you ")):
        return (*content(pays["label"]), "fee")
    return ()


def _whose(text: str, end: int) -> tuple[str, ...]:
    """The product of "Student Checking has a monthly fee of $5"."""
    who = _WHO.match(text, 0, end)
    return content(who[1]) if who and who[1] not in _OURSELVES else ()


def _is_label(label: str) -> bool:
    words = label.lower().split()
    return 0 < len(words) <= 12 and not _NOT_IN_A_LABEL & set(words) and not _VERB.search(label)


def _goes_on(text: str, before: Figure, figure: Figure) -> bool:
    """Whether a figure is the next of a list: "$25 online and $30 in a branch"."""
    between = text[before.end : figure.start]
    return _LINK.match(between) is not None and not _VERB.search(between)


def _claim(
    label: Sequence[str], figure: Figure, rest: str, quote: str, channels: frozenset[str] = frozenset()
) -> Claim:
    """One claim, with the period and the condition out of the words after the figure."""
    kind = re.match(r"\s(?:variable\s)?(APY|APR)\b", rest)
    words = set(label) | ({kind[1].lower()} if kind else set())
    rest = rest[kind.end() :] if kind else rest
    if figure.unit in ("$", "€", "£") and not words & _MONEY_KINDS:
        words.add("fee")
    daily = {"limit", "daily"} <= words
    words -= {"daily"} if daily else set()
    period = _PERIOD.match(rest)
    named = (period["period"] or period["adverb"].removesuffix("ly")) if period else "day" if daily else ""
    said = _condition(rest[period.end() :] if period else rest)
    return Claim(
        label=" ".join(sorted(words)),
        value=figure.value,
        unit=figure.unit,
        bound=figure.bound,
        period={"dai": "day", "annual": "year"}.get(named, named),
        condition=" ".join(sorted(channels | (said - words))),
        quote=quote,
    )


def _condition(rest: str) -> set[str]:
    """The words of a condition after a figure; none in "for each item", which every fee might say."""
    rest = _CUT.split(rest, maxsplit=1)[0]
    rest = re.sub(r"\s*(?:,|\band\b|\bor\b|/|\bthen\b)\s*(?:up to|at most|at least|from)?\s*$", "", rest)
    rest = _EACH.sub("", rest)
    return set(content(rest)) if _TELLING.search(rest.lower()) else set()


def _for_nothing(text: str, quote: str) -> Iterator[Claim]:
    """ "E-statements are free", "Student Checking has no monthly fee": a fee of nothing."""
    free, none = _FREE.match(text), _HAS_NO.match(text)
    if free and _is_label(free["label"]):
        yield _claim((*content(free["label"]), "fee"), _NOTHING, free["rest"], quote)
    elif none and _is_label(none["who"]):
        yield _claim((*content(none["who"]), *content(none["label"])), _NOTHING, none["rest"], quote)


_NOTHING = Figure("$", "0", "", 0, 0)


def _in_row(row: Statement) -> Iterator[Claim]:
    """The cells of a row, named by its first cell and the header above them."""
    quote = " ".join(row.text.split())
    base, channels = _apart(row.cells[0])
    name, *values = row.cells
    first = row.header[0] if row.header else ""
    lead = set(content(first)) if names_a_subject(frozenset(content(first)) - _COLUMNS) else set()
    lead -= _COLUMNS
    masked, found_values = [*content(" ".join(row.header)), *content(name)], []
    for place, cell in enumerate(values, 1):
        column = content(row.header[place]) if place < len(row.header) else ()
        found = figures.found(cell)[:_MOST_FIGURES]
        masked += _masked(cell, found)
        found_values += [f"{figure.unit} {figure.value}" for figure in found]
        named = [word for word in column if word not in _COLUMNS | CHANNELS or word in ("fee", "rate")]
        told = channels | (frozenset(column) & CHANNELS)
        yield from _in_cell((*content(base), *lead, *named), cell, found, (quote, told))
    if found_values and len(found_values) <= _MOST_FIGURES and len(set(masked)) >= _FEWEST_WORDS:
        yield Claim(label=" ".join(masked), value="; ".join(found_values), unit="", whole=True, quote=quote)


def _masked(cell: str, found: Sequence[Figure]) -> list[str]:
    parts, last = [], 0
    for figure in found:
        parts += [cell[last : figure.start], " zzfigure "]
        last = figure.end
    return ["#" if word == "zzfigure" else word for word in content("".join((*parts, cell[last:])))]


def _apart(name: str) -> tuple[str, frozenset[str]]:
    """The name of a row, and the channels or bracketed words at its end: "Stop payment, by phone or branch"."""
    base, _, extra = name.rstrip(")").partition(" (")
    added = frozenset(content(extra))
    match = _CHANNELLED.match(base)
    words = frozenset(content(match[2])) if match else frozenset()
    return (match[1], words | added) if match and words and words <= CHANNELS else (base, added)


def _in_cell(
    label: Sequence[str], cell: str, found: Sequence[Figure], told: tuple[str, frozenset[str]]
) -> Iterator[Claim]:
    """The figures of a cell that begins with one. Several prices for several names are left to the whole row."""
    quote, channels = told
    if not found:
        if _FREE_CELL.match(cell):
            yield _claim((*label, "fee"), _NOTHING, "", quote, channels)
        return
    opening = cell[: found[0].start].strip().lower()
    if (
        "/" in " ".join(label)
        or " / " in cell
        or opening not in ("", "up to", "at most", "at least", "from", "usually")
    ):
        return
    for place, figure in enumerate(found):
        if place and not _goes_on(cell, found[place - 1], figure):
            return
        rest = cell[figure.end : found[place + 1].start if place + 1 < len(found) else len(cell)]
        yield _claim(label, figure, rest, quote, channels)

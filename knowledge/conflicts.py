"""Conflicts: two documents in force on one day that give different figures for the same thing to the same people."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from knowledge.claims import CHANNELS, Claim, claims
from knowledge.document import Document
from knowledge.wording import names_a_subject, subject, vocabulary

MOST_FOR_A_LABEL = 20
"""Conflicts reported for one label; whoever mends the first ones sees the rest at the next run."""


_MOST_VALUES, _MOST_DOCUMENTS = 40, 200


class Side(BaseModel):
    """One of the two documents of a conflict, with the line that it quotes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    title: str
    owner: str
    effective_from: date
    path: tuple[str, ...]
    value: str
    quote: str


class Conflict(BaseModel):
    """Two figures for one thing; `first` is the document that took effect later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    audience: str
    first: Side
    second: Side


@dataclass(frozen=True)
class _Held:
    """The claims of one document under one label."""

    document: Document
    claims: tuple[Claim, ...]
    about: frozenset[str]


def conflicts(
    documents: Iterable[Document], on: date, read: Mapping[str, Sequence[Claim]] | None = None
) -> list[Conflict]:
    """The conflicts between documents in force on a day, by label; the order of `documents` does not matter.

    `read` holds claims by `Document.sha256` where they were read before. Documents for different audiences are
    not compared, nor two versions of one id, of which the newer counts.
    """
    buckets: dict[tuple[str, bool, str], list[_Held]] = defaultdict(list)
    for document in _in_force(documents, on):
        made = claims(document) if read is None or document.sha256 not in read else read[document.sha256]
        about = _about(document)
        for (label, business), together in _by_label(document, about, made).items():
            buckets[document.audience, business, label].append(_Held(document, _distinct_claims(together), about))
    found: list[Conflict] = []
    for (audience, _, label), held in sorted(buckets.items()):
        found += _of_label(label, audience, held)
    return _distinct(found)


def _in_force(documents: Iterable[Document], on: date) -> list[Document]:
    """The newest version in force of each id, without those that another one in force supersedes."""
    newest: dict[str, Document] = {}
    for document in documents:
        other = newest.get(document.id)
        if document.in_force(on) and (other is None or _newness(other) < _newness(document)):
            newest[document.id] = document
    gone = {name for document in newest.values() for name in document.supersedes}
    return sorted((one for one in newest.values() if one.id not in gone), key=lambda one: one.name)


def _newness(document: Document) -> tuple[date, str, str]:
    return document.effective_from, document.version, document.sha256


def _distinct_claims(made: Iterable[Claim]) -> tuple[Claim, ...]:
    """One claim for each value, condition and so on; of a document that gives dozens for one label the first ones."""
    first: dict[tuple[str, ...], Claim] = {}
    for claim in made:
        first.setdefault((claim.value, claim.unit, claim.bound, claim.period, claim.condition), claim)
    return tuple(list(first.values())[:_MOST_VALUES])


def _about(document: Document) -> frozenset[str]:
    """The words of the title that name a product or service: those that the text repeats."""
    text = "\n".join(section.text for section in document.sections).lower()
    return frozenset(word for word in subject(document.title) if word.replace("-", " ") in text or word in text)


def _by_label(document: Document, about: frozenset[str], made: Iterable[Claim]) -> dict[tuple[str, bool], list[Claim]]:
    """Claims under what they are about: a "monthly fee" under the heading or title that says of which account.

    What a product's own page says of "paper statement, Student Checking" stands under "paper statement" as well.
    """
    found: dict[tuple[str, bool], list[Claim]] = defaultdict(list)
    business = bool(re.search(r"\b(?:business|commercial|corporate)\b", document.title, re.IGNORECASE))
    for claim in made:
        words = claim.label.split()
        if not names_a_subject(frozenset(words) - {"#"}):
            added = subject(claim.heading) if claim.heading else frozenset()
            added = added if names_a_subject(added) else about
            if not names_a_subject(added):
                continue
            words = [*words, "of", *sorted(added)] if claim.whole else sorted({*words, *added})
        found[" ".join(words), claim.business or business].append(claim)
        general = frozenset(words) - about
        if not claim.whole and about and about < frozenset(words) and claim.value != "0" and names_a_subject(general):
            found[" ".join(sorted(general)), claim.business or business].append(claim)
    return found


def _of_label(label: str, audience: str, held: Sequence[_Held]) -> Iterator[Conflict]:
    """Conflicts between the documents that speak of one thing; of documents that agree the newest stands for all."""
    distinct: dict[tuple[object, ...], _Held] = {}
    words = frozenset(label.split())
    for one in sorted(held, key=lambda each: _newness(each.document), reverse=True):
        said = tuple(sorted({(c.value, c.unit, c.bound, c.period, c.condition) for c in one.claims}))
        distinct.setdefault((said, one.about - words), one)
    several = list(distinct.values())[:_MOST_DOCUMENTS]
    found = 0
    for one in several:
        pair = _against_itself(one)
        if pair:
            yield _conflict(label, audience, (one.document, pair[0]), (one.document, pair[1]))
    for place, first in enumerate(several):
        for second in several[place + 1 :]:
            pair = _contradiction(first, second) if _comparable(first, second, words) else None
            if pair:
                found += 1
                yield _conflict(label, audience, (first.document, pair[0]), (second.document, pair[1]))
            if found >= MOST_FOR_A_LABEL:
                return


_FAMILIES = {
    "deposit": vocabulary("checking saving overdraft atm cd debit money statement"),
    "card": vocabulary("visa mastercard credit debit"),
    "loan": vocabulary("mortgage heloc auto"),
}


def _comparable(first: _Held, second: _Held, label: frozenset[str]) -> bool:
    """Whether two documents may speak of the same thing: neither is about a product that the other leaves out."""
    if first.document.id == second.document.id:
        return False
    mine, theirs = first.about - label, second.about - label
    mine, theirs = _widened(mine, second.about), _widened(theirs, first.about)
    return mine <= theirs or theirs <= mine


def _widened(about: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """A subject without words that take in the other's: a schedule for deposits covers a checking account."""
    return frozenset(word for word in about if not _FAMILIES.get(word, frozenset()) & other)


def _contradiction(first: _Held, second: _Held) -> tuple[Claim, Claim] | None:
    """The first two claims that cannot both be right."""
    for one in first.claims:
        for other in second.claims:
            if one.whole or other.whole:
                contrary = one.whole and other.whole and _differ_in_part(one, other)
            else:
                contrary = _contrary(one, other, first.claims, second.claims)
            if contrary and not _said(one, second.claims) and not _said(other, first.claims):
                return one, other
    return None


def _against_itself(held: _Held) -> tuple[Claim, Claim] | None:
    """Two lines of one document that cannot both be right: a price that was changed in one place only."""
    plain = [
        claim
        for claim in held.claims
        if not (claim.whole or claim.condition or claim.unit == "count")
        and names_a_subject(frozenset(claim.label.split()))
    ]
    for place, one in enumerate(plain):
        for other in plain[place + 1 :]:
            alike = one.bound == other.bound and one.period == other.period and _same_measure(one, other)
            if alike and one.value != other.value and one.quote != other.quote:
                return one, other
    return None


def _differ_in_part(one: Claim, other: Claim) -> bool:
    """Equal statements but for a figure: of one figure that one, of several at least one must be the same."""
    mine, theirs = one.value.split("; "), other.value.split("; ")
    if len(mine) != len(theirs) or mine == theirs:
        return False
    same = sum(a == b for a, b in zip(mine, theirs, strict=True))
    alike = all(a.rpartition(" ")[0] == b.rpartition(" ")[0] for a, b in zip(mine, theirs, strict=True))
    return alike and (len(mine) == 1 or same > 0)


def _contrary(one: Claim, other: Claim, first: Sequence[Claim], second: Sequence[Claim]) -> bool:
    if one.value == other.value or one.bound != other.bound or not _same_measure(one, other):
        return False
    if one.period and other.period and one.period != other.period:
        return False
    if one.condition == other.condition or _meet(one.condition, other.condition):
        return True
    if one.condition and other.condition:
        return False
    conditional, exception = (second, other) if not one.condition else (first, one)
    if exception.value == "0":
        return False  # "free for Premier customers" is an exception from a fee, no other fee
    return all(claim.condition for claim in conditional if not claim.whole and claim.unit == one.unit)


def _meet(one: str, other: str) -> bool:
    """Whether two conditions name channels and share one: "by phone" and "by phone or in a branch"."""
    mine, theirs = set(one.split()), set(other.split())
    return mine | theirs <= CHANNELS and bool(mine & theirs)


def _same_measure(one: Claim, other: Claim) -> bool:
    if one.unit == other.unit:
        return one.unit not in ("phone", "date")
    return "0" in (one.value, other.value) and {one.unit, other.unit} <= {"$", "%"}


def _said(claim: Claim, others: Iterable[Claim]) -> bool:
    """Whether the other document says the same figure too, under whatever condition."""
    return any(claim.value == other.value and claim.unit == other.unit for other in others)


def _conflict(label: str, audience: str, one: tuple[Document, Claim], other: tuple[Document, Claim]) -> Conflict:
    sides = sorted((one, other), key=lambda side: _newness(side[0]), reverse=True)
    return Conflict(label=label, audience=audience, first=_side(*sides[0]), second=_side(*sides[1]))


def _side(document: Document, claim: Claim) -> Side:
    return Side(
        document=document.name,
        title=document.title,
        owner=document.owner,
        effective_from=document.effective_from,
        path=claim.path,
        value=claim.value if claim.whole else f"{claim.unit} {claim.value}",
        quote=claim.quote,
    )


def _distinct(found: Iterable[Conflict]) -> list[Conflict]:
    """One conflict for two lines, however many labels found it; the shortest label names it."""
    kept: dict[tuple[str, ...], Conflict] = {}
    for conflict in found:
        pair = (conflict.first.document, conflict.first.quote, conflict.second.document, conflict.second.quote)
        other = kept.get(pair)
        if other is None or len(conflict.label) < len(other.label):
            kept[pair] = conflict
    return sorted(kept.values(), key=lambda each: (each.label, each.first.document, each.second.document))

"""Near-duplicates and conflicts planted among the sample bank's documents: what is found, what is raised in error.

    python -m benchmarks.duplicates_conflicts [--data DIR]

A copy of a document under another id gets one other figure: a fee in a table or a sentence, a rate, a limit, a
number of days. It is a conflict and no duplicate. A copy with a few other words is a duplicate. A note states a
right or a wrong price in words of its own. With the regulations and statutes of DIR (or OPSPLANE_BENCH_DATA, or
`../shared/data` beside the repository) it also counts conflicts in texts that have none, and takes the time.
"""

import argparse
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge import figures
from knowledge.claims import Claim, claims
from knowledge.conflicts import Conflict, conflicts
from knowledge.document import Document, Section, text_hash
from knowledge.duplicates import Signed, near, signature
from knowledge.parse import parse
from knowledge.references import Titles
from knowledge.references import found as references
from knowledge.statements import Statement, of
from knowledge.terms import defined

ROOT = Path(__file__).resolve().parent.parent
ON = date(2026, 11, 15)
EACH = 40
KINDS = ("fee in a table", "fee in a sentence", "rate", "limit", "days")
_LIMIT = re.compile(r"\blimit|\bat most\b|\bup to\b|\bmore than\b")
_FEE = re.compile(r"\bfee|\bcosts?\b|\bcharge|\brent\b")
_EXAMPLE = re.compile(r"[Ee]xample")
_FIGURE_OR_NOT = re.compile(r"\d|\b(?:not?|never|none|without|unless|except|cannot)\b")
_NOTES = (
    ("The overdraft fee is {}.", "$15", "$34"),
    ("Overdraft fee: {}", "$15", "$25"),
    ("We charge an overdraft fee of {} for each item.", "$15", "$30"),
    ("There is a {} overdraft fee.", "$15", "$29"),
    ("| Fee | Amount |\n|---|---|\n| Overdraft | {} |", "$15", "$36"),
    ("The fee for an outgoing domestic wire is {} online.", "$25", "$20"),
    ("An outgoing domestic wire costs {} online and $30 in a branch.", "$25", "$15"),
    ("| Outgoing wire | Online | Branch |\n|---|---|---|\n| Domestic | {} | $30 |", "$25", "$35"),
    ("Incoming international wires cost {}.", "$12", "$10"),
    ("The cashier's check fee is {}.", "$10", "$8"),
    ("| Service | Fee |\n|---|---|\n| Cashier's check | {} |", "$10", "$15"),
    ("A money order costs {}.", "$5", "$3"),
    ("| Service | Price |\n|---|---|\n| Stop payment, online | {} |", "$20", "$15"),
    ("The out-of-network ATM fee is {} per withdrawal.", "$2.50", "$3.50"),
    ("The monthly maintenance fee of Everyday Checking is {}.", "$8", "$10"),
    ("| Account | Monthly fee |\n|---|---|\n| Everyday Checking | {} |", "$8", "$9"),
    ("Student Checking has a monthly fee of {}.", "$0", "$5"),
    ("Wrenfield Savings pays {} APY.", "0.40%", "0.55%"),
    ("The 12-month CD pays {} APY.", "4.00%", "4.50%"),
    ("The mobile deposit limit is {} a day.", "$5,000", "$3,000"),
    ("The QuickSend limit is {} a day.", "$2,000", "$2,500"),
    ("The ATM withdrawal limit is {} a day.", "$800", "$500"),
    ("The online wire limit is {} a day.", "$50,000", "$25,000"),
    ("The debit card foreign transaction fee is {}.", "1%", "3%"),
    ("The annual fee of the Travel Visa is {}.", "$95", "$89"),
    ("The balance transfer fee is {} of each transfer.", "3%", "5%"),
    ("The HELOC annual fee is {}.", "$50", "$75"),
    ("The late fee on an auto loan is {} of the payment.", "5%", "4%"),
    ("A mortgage recast costs {}.", "$150", "$250"),
    ("Express delivery of a replacement debit card costs {}.", "$25", "$20"),
    ("The paper statement fee is {} a month.", "$3", "$5"),
    ("The early closing fee is {}.", "$25", "$35"),
    ("The minimum deposit of a CD is {}.", "$1,000", "$500"),
    ("A stop payment order on a check lasts {}.", "6 months", "12 months"),
    ("An electronic bill payment arrives in {}.", "2 business days", "4 business days"),
    ("The cut-off for outgoing domestic wires is {} Eastern.", "4:00 p.m.", "3:00 p.m."),
    ("The grace period of the Travel Visa is at least {} after the close of each billing cycle.", "25 days", "21 days"),
    ("The returned item (NSF) fee is {}.", "$0", "$29"),
    ("A mortgage rate lock lasts {}.", "60 days", "45 days"),
    ("Overdrafts cost {} per item.", "$15", "$35"),
    ("You pay {} for an incoming domestic wire.", "$0", "$12"),
    ("NSF fee: {}", "$0", "$25"),
    ("Wire (outgoing, international, foreign currency): {}", "$40", "$50"),
    ("Our cashier's checks are {} each.", "$10", "$12"),
    ("The foreign transaction fee of the Cash Rewards Visa is {}.", "3%", "2%"),
    ("Money Market monthly fee: {}", "$12", "$15"),
    ("Daily ATM limit: {}", "$800", "$1,000"),
    ("Paper statements cost {} a month.", "$3", "$5"),
    ("Replacing a lost safe-deposit box key costs {}.", "$25", "$40"),
    ("Stop payments are {} by phone.", "$30", "$35"),
    ("Late fee on personal loans: {}", "$25", "$40"),
    ("The Premier Checking account pays {} APY.", "0.05%", "0.10%"),
    ("The mortgage origination fee is {}.", "$1,195", "$995"),
    ("Travel Visa annual fee: {}", "$95", "$89"),
    ("The returned item fee is {}.", "$0", "$10"),
    ("Everyday Checking has a {} monthly fee.", "$8", "$12"),
    ("The QuickSend daily limit is {}.", "$2,000", "$3,000"),
    ("An outgoing international wire in US dollars costs {}.", "$45", "$55"),
    ("Legal process costs {}.", "$100", "$125"),
    ("Account research is {} an hour.", "$30", "$40"),
    ("The external transfer limit is {} a day.", "$10,000", "$5,000"),
)


@dataclass(frozen=True)
class Place:
    """A figure that may be changed: where it stands, and the statement around it."""

    document: Document
    section: int
    start: int
    end: int


def places(documents: Sequence[Document], kind: str) -> list[Place]:
    """Where figures of a kind stand, outside of examples and of the names of rows."""
    return [
        Place(document, number, statement.start + figure.start, statement.start + figure.end)
        for document in documents
        for number, section in enumerate(document.sections)
        if not any(_EXAMPLE.search(heading) for heading in section.path)
        for statement in of(section.text)
        if not _EXAMPLE.search(section.text[statement.block : statement.block + 40])
        and not any(_EXAMPLE.search(cell) for cell in statement.header)
        for figure in figures.found(statement.text)
        if ".." not in figure.value
        and statement.text[figure.start].isascii()
        and not statement.text[figure.start].isalpha()
        and not (statement.cells and statement.text.find("|", 1) > figure.start)
        and _is_of(kind, statement, figure.unit, section.path)
    ]


def _is_of(kind: str, statement: Statement, unit: str, path: Sequence[str]) -> bool:
    said = " ".join((*path, *statement.header, statement.text)).lower()
    match kind:
        case "fee in a table":
            return bool(statement.cells) and unit == "$" and _FEE.search(said) is not None
        case "fee in a sentence":
            return not statement.cells and unit == "$" and _FEE.search(statement.text.lower()) is not None
        case "rate":
            return unit == "%"
        case "limit":
            return unit == "$" and _LIMIT.search(said) is not None
        case _:
            return unit in ("day", "business day")


def changed(place: Place, rng: random.Random) -> tuple[Document, str]:
    """A copy of the document under another id with one other figure, and the line that holds it."""
    section = place.document.sections[place.section]
    number = re.search(r"\d[\d,]*(?:\.\d+)?", section.text[place.start : place.end])
    assert number is not None
    other = f"{float(number[0].replace(',', '')) * rng.choice((2, 3, 4)) + rng.choice((1, 2, 5)):,.2f}".removesuffix(
        ".00"
    )
    start, end = place.start + number.start(), place.start + number.end()
    text = section.text[:start] + other + section.text[end:]
    line = text[text.rfind("\n", 0, start) + 1 : (text + "\n").find("\n", start)]
    sections = list(place.document.sections)
    sections[place.section] = Section(path=section.path, text=text)
    return _copy(place.document, sections), " ".join(line.split())


def reworded(document: Document, rng: random.Random) -> Document:
    """A copy with two small changes in wording, and one more sentence, none of them near a figure."""
    sections = list(document.sections)
    for _ in range(2):
        place = rng.randrange(len(sections))
        text = sections[place].text
        free = [
            word
            for word in re.finditer(r"\b[a-z]{6,}\b", text)
            if not _FIGURE_OR_NOT.search(text, max(0, word.start() - 60), word.end() + 60)
        ]
        if free:
            word = rng.choice(free)
            text = text[: word.start()] + "moreover" + text[word.end() :]
            sections[place] = sections[place].model_copy(update={"text": text})
    return _copy(document, [*sections, Section(path=("About",), text="This copy is kept by the branch in Ashby.")])


def _copy(document: Document, sections: Sequence[Section]) -> Document:
    update = {"id": f"{document.id}-copy", "sections": tuple(sections), "sha256": text_hash(sections)}
    return document.model_copy(update=update)


class Bank:
    """The sample bank's documents with their claims and signatures."""

    def __init__(self) -> None:
        files = sorted(path for path in (ROOT / "knowledge" / "corpus").rglob("*") if path.is_file())
        self.documents = [parse(path.name, path.read_bytes()).document for path in files]
        self.current = [one for one in self.documents if one.in_force(ON)]
        self.read: dict[str, Sequence[Claim]] = {one.sha256: claims(one) for one in self.documents}
        self.signed = [Signed(one, signature(one)) for one in self.documents]
        self.known = {_pair(one) for one in self.conflicts()}

    def conflicts(self, *more: Document) -> list[Conflict]:
        """Conflicts with documents added."""
        return conflicts([*self.documents, *more], ON, self.read)

    def duplicates(self, copy: Document) -> bool:
        """Whether a copy is a duplicate of one of the bank's documents."""
        found = near([*self.signed, Signed(copy, signature(copy))])
        return any(copy.name in (one.dropped, one.kept) for one in found)


def _pair(conflict: Conflict) -> tuple[str, str]:
    return conflict.first.quote, conflict.second.quote


def plant(bank: Bank) -> None:
    """Copies with one other figure: found as conflicts, taken for duplicates, other lines named."""
    print("| copies with another | planted | found | other lines named | taken for duplicates |\n|---|---|---|---|---|")
    rng = random.Random(6)
    for kind in KINDS:
        all_places = places(bank.current, kind)
        chosen = rng.sample(all_places, min(EACH, len(all_places)))
        found = wrong = dropped = 0
        for place in chosen:
            copy, line = changed(place, rng)
            raised = [one for one in bank.conflicts(copy) if copy.name in (one.first.document, one.second.document)]
            quotes = [_quotes(one, copy.name) for one in raised]
            hit = [quoted for quoted in quotes if any(quote in line for quote in quoted)]
            found += bool(hit)
            wrong += sum(quoted not in hit and _is_new(bank, one) for quoted, one in zip(quotes, raised, strict=True))
            dropped += bank.duplicates(copy)
        print(f"| {kind} | {len(chosen)} | {found / len(chosen):.3f} | {wrong} | {dropped} |", flush=True)


def _quotes(conflict: Conflict, name: str) -> list[str]:
    """What a conflict quotes of one document."""
    return [side.quote for side in (conflict.first, conflict.second) if side.document == name]


def _is_new(bank: Bank, conflict: Conflict) -> bool:
    """Whether neither of its lines is in a conflict of the bank's own: a stale line contradicts each copy too."""
    known = {quote for pair in bank.known for quote in pair}
    return not {conflict.first.quote, conflict.second.quote} & known


def notes(bank: Bank) -> None:
    """Prices in other words than the bank's own."""
    found = wrong = 0
    known = {quote for pair in bank.known for quote in pair}
    for template, right, other in _NOTES:
        for value in (right, other):
            sections = (Section(path=("Prices",), text=template.format(value)),)
            note = Document(
                id="note", title="Prices at a Glance", source="note", sections=sections, sha256=text_hash(sections)
            )
            raised = [one for one in bank.conflicts(note) if note.name in (one.first.document, one.second.document)]
            found += value == other and bool(raised)
            wrong += value == right and any(not {one.first.quote, one.second.quote} & known for one in raised)
    print(f"\nNotes in other words: {found} of {len(_NOTES)} wrong prices found, {wrong} right ones doubted.")


def duplicates(bank: Bank) -> None:
    """Copies that say the same."""
    rng = random.Random(7)
    equal = sum(bank.duplicates(_copy(one, one.sections)) for one in bank.current)
    alike = sum(bank.duplicates(reworded(one, rng)) for one in bank.current)
    among = near(bank.signed)
    print(
        f"Duplicates: {equal} of {len(bank.current)} equal copies found, {alike} with two other words and one more"
        f" sentence; {len(among)} among the bank's own documents."
    )


def law(data: Path) -> None:
    """Texts without conflicts, and the time that reading takes."""
    files = sorted(path for name in ("cfpb_regs", "us_code") for path in (data / name).rglob("*.md"))
    documents = [parse(path.name, path.read_bytes()).document for path in files if path.name != "SOURCE.md"]
    if not documents:
        print("\ncfpb_regs and us_code are not there: name their folder with --data or OPSPLANE_BENCH_DATA.")
        return
    size = sum(len(section.text) for document in documents for section in document.sections)
    titles = Titles({document.id: document.title for document in documents})
    found = conflicts(documents, date(2022, 6, 1))
    print(f"\n{len(documents)} regulations and statutes, {size / 1e6:.1f} million characters: {len(found)} conflicts")
    print("| reading | found | CPU seconds |\n|---|---|---|")
    for name, work in _work(documents, titles).items():
        started = time.process_time()
        count = sum(1 for _ in work)
        print(f"| {name} | {count:,} | {time.process_time() - started:.2f} |", flush=True)


def _work(documents: Sequence[Document], titles: Titles) -> dict[str, Iterator[object]]:
    sections = [section for document in documents for section in document.sections]
    return {
        "defined terms": (term for section in sections for term in defined(section)),
        "references": (one for section in sections for one in references(section.text, titles)),
        "claims": (claim for document in documents for claim in claims(document)),
        "signatures": (signature(document) for document in documents),
    }


def main() -> None:
    """Plant, ask and print."""
    options = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data")
    options.add_argument("--data", type=Path, default=Path(default))
    data = options.parse_args().data
    bank = Bank()
    print(f"{len(bank.documents)} documents, {len(bank.known)} conflicts of their own on {ON}:")
    for one in bank.conflicts():
        print(f"* {one.label}: {one.first.document} “{one.first.quote}”, {one.second.document} “{one.second.quote}”")
    print()
    plant(bank)
    notes(bank)
    duplicates(bank)
    law(data)


if __name__ == "__main__":
    main()

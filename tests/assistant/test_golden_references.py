"""The whole answers and tags of the golden set: they state what a right answer holds, truly and in our own words."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from assistant import account_facts
from assistant.accounts import Bank, Filters
from assistant.sample_bank import open_bank
from knowledge.document import Document
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Case
from opsplane.evaluation.evaluate import states
from opsplane.guardrails import wording
from tests.canned import documents, numbers, plain

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = dataset.load(FOLDER)
ANSWERABLE = [one for one in GOLDEN.cases if one.expect == "answer" and (one.facts or one.documents)]
PERSONAS = {"customer": "C-1001", "customer2": "C-1002"}
LONGEST = 12
"""So many words in a row a reference may have in common with a source: names, hours and addresses need as many."""
SENTENCES = 3

_LISTED = re.compile(r"^#   [a-z ]+: (.+)$", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything in words, by document in force and by persona, that a reference may rest on."""
    bank = open_bank(f"sqlite:///{tmp_path_factory.mktemp('bank') / 'bank.db'}", GOLDEN.as_of)
    records = {persona: " ".join(_records(bank, customer)) for persona, customer in PERSONAS.items()}
    return records | {name: _words(document) for name, document in documents(GOLDEN.as_of).items()}


def _words(document: Document) -> str:
    return plain(" ".join([document.title, *(section.text for section in document.sections)]))


def _records(bank: Bank, customer: str) -> Iterator[str]:
    """The customer's own records as the tools tell them."""
    for account in bank.accounts(customer):
        yield from account_facts.balance(account, GOLDEN.as_of)
    for card in bank.cards(customer):
        yield from account_facts.credit_card(card) if card.credit else account_facts.debit_card(card)
    for loan in bank.loans(customer):
        yield from account_facts.loan(loan, GOLDEN.as_of)
    yield from map(account_facts.hold, bank.holds(customer))
    yield from map(account_facts.transaction, bank.transactions(customer, Filters()))


def _sources(case: Case, told: Mapping[str, str]) -> str:
    """What the case's answer rests on; sums over transactions stand among its facts only."""
    if case.kind == "account":
        return " ".join([told[case.as_], *map(str, case.facts)])
    return " ".join(told[name] for name in case.documents)


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def test_every_answerable_case_has_a_reference_of_one_to_three_sentences() -> None:
    assert len(ANSWERABLE) >= 190
    counted = {one.id: len(wording.sentences(one.reference)) for one in ANSWERABLE}
    assert [name for name, count in counted.items() if not 1 <= count <= SENTENCES] == []


def test_a_case_that_is_turned_away_has_no_reference() -> None:
    assert [one.id for one in GOLDEN.cases if one.reference and one.expect == "decline"] == []


def test_a_reference_states_every_fact_and_nothing_forbidden() -> None:
    missing = [(one.id, fact) for one in ANSWERABLE for fact in one.facts if not states(one.reference, fact)]
    stated = [(one.id, words) for one in ANSWERABLE for words in one.forbidden if states(one.reference, words)]
    assert (missing, stated) == ([], [])


def test_every_number_of_a_reference_stands_in_its_documents_or_records(told: dict[str, str]) -> None:
    wrong = {one.id: set(numbers(one.reference)) - set(numbers(_sources(one, told))) for one in ANSWERABLE}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_no_reference_copies_a_source(told: dict[str, str]) -> None:
    theirs = {run for text in told.values() for run in _runs(text, LONGEST + 1)}
    copied = {one.id: _runs(one.reference, LONGEST + 1) & theirs for one in ANSWERABLE}
    assert {name: found for name, found in copied.items() if found} == {}


def test_tags_are_one_to_three_words_of_the_vocabulary_and_every_word_of_it_is_used() -> None:
    listed = _LISTED.findall((FOLDER / "accounts.yaml").read_text(encoding="utf-8"))
    vocabulary = {word for line in listed for word in line.split(", ")}
    assert {tag for one in GOLDEN.cases for tag in one.tags} == vocabulary
    assert [one.id for one in GOLDEN.cases if not 1 <= len(set(one.tags)) == len(one.tags) <= 3] == []


def test_the_tag_for_follow_ups_stands_where_earlier_questions_do() -> None:
    assert [one.id for one in GOLDEN.cases if bool(one.history) != ("follow-up" in one.tags)] == []

"""Figures of an answer are held against what their own sentences cite."""

import pytest

from opsplane.evaluation.evaluate import score
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from tests import fakes
from tests.opsplane.evaluation.answers import case
from tests.opsplane.ledger.test_store import exchange


def unsupported(answer: str, *sources: str, cites: tuple[int, ...] = (1,)) -> tuple[str, ...]:
    """What of an answer in one sentence has no source."""
    evidence = [fakes.passage(number, text) for number, text in enumerate(sources, start=1)]
    said = (Sentence(text=answer, cites=cites),)
    return score(case(), exchange("e1", *evidence, sentences=said, outcome=Outcome.ANSWERED)).unsupported


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("It is $5.", "The fee is $15."),
        ("It is $5.", "The fee is $5.50."),
        ("It is 3.", "It is 3.5."),
        ("It is $15.", "It takes 15 days."),
        ("It is $15.", "The rate is 15%."),
        ("It is 4%.", "The fee is $4."),
        ("It is $1,000.", "Up to $11,000."),
        ("It is $1,000.", "Up to $1,000,000."),
        ("Call 1-800-555-0142.", "Call 1-800-555-0143."),
    ],
)
def test_a_figure_stands_as_a_whole_and_with_its_unit_or_not_at_all(answer: str, source: str) -> None:
    assert unsupported(answer, source)


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ("It is $15.", "The fee is $15."),
        ("It is $1,000, or 1000 dollars.", "Up to 1,000 dollars, not more."),
        ("It is $5.", "The fee is $5.00, no more."),
        ("It is 4.5%.", "The rate is 4.50 percent."),
        ("It is 15.", "The fee is $15."),
        ("Between 3% and 5%, or $5 and $10.", "From 3–5%, at $5 to 10."),
        ("Call 1-800-555-0142.", "Call 1-800-555-0142, from 8:00."),
        ("There are no figures.", "None."),
    ],
)
def test_another_way_of_writing_it_is_the_same_figure(answer: str, source: str) -> None:
    assert unsupported(answer, source) == ()


def test_a_figure_stands_in_what_its_own_sentence_cites() -> None:
    sources = "Overdrafts cost $15.", "Wires cost $25."
    assert unsupported("Overdrafts cost $25.", *sources) == ("$25",)
    assert unsupported("Overdrafts cost $25.", *sources, cites=(1, 2)) == ()
    assert unsupported("They cost $15 and $25.", *sources, cites=()) == ()
    assert unsupported("They cost $35.", *sources, cites=()) == ("$35",)
    assert unsupported("They cost $15.", *sources, cites=(9,)) == ("$15",)


def test_a_fixed_reply_is_not_looked_at() -> None:
    said = (Sentence(text="Call 1-800-555-0142."),)
    assert score(case(), exchange("e1", sentences=said, outcome=Outcome.REPLIED)).unsupported == ()

"""The form of a sentence before it is shown."""

import pytest

from opsplane.guardrails import output, wording
from opsplane.release import Release
from tests import fakes

SOURCE = fakes.passage(
    text="## What an overdraft is\nThe fee is $15. See wrenfield.example/fees and [the form](https://wrenfield.example/f)."
    "\n* checks drawn on your account; and\n* a wire from Ally Bank."
)
RIVALS = ("Chase", "Wells Fargo", "Ally Bank")


@pytest.fixture
def strict(release: Release) -> Release:
    return release.model_copy(update={"guardrails": release.guardrails.model_dump() | {"competitors": RIVALS}})


def codes(text: str, release: Release) -> list[str]:
    return [finding.code for finding in output.findings(wording.plain(text), text, [SOURCE], release)]


@pytest.mark.parametrize(
    "text",
    [
        "The \u202eeef\u202c is $15.",
        "The fee\u2067 is $15.",
        "The fee\u200f is $15.",
        "The\u200b fee\u200b is\u200b $15\u200b.",
        "The fee\u3164\u3164\u2800\u2800 is $15.",
        "The fee" + "\u200d" * 1_000 + " is $15.",
    ],
)
def test_what_cannot_be_seen_or_turns_the_text_is_withheld(text: str, release: Release) -> None:
    assert codes(text, release) == ["output.invisible"]


def test_a_joiner_or_a_soft_hyphen_is_typesetting(release: Release) -> None:
    assert codes("The over\u00addraft fee\u200d is $15.", release) == []


@pytest.mark.parametrize(
    "text",
    [
        "The fee is",
        "The overdraft fee is $15 for the",
        "The fee is $15, and",
        "The fee is $15,",
        "The fee is $",
        "**The fee is $15 when**",
        "Call us (",
    ],
)
def test_a_sentence_that_stops_in_the_middle_is_withheld(text: str, release: Release) -> None:
    assert codes(text, release) == ["output.unfinished"]


@pytest.mark.parametrize(
    "text",
    [
        "The fee is $15.",
        "The fee is $15",
        "The fees are:",
        "What an overdraft is",
        "checks drawn on your account; and",
        "- a fee for the",
        "| Fee | $15 and |",
        "## What you pay for",
        "2. The fee and",
        "Yes",
        "Thank you",
    ],
)
def test_headings_items_rows_and_whole_sentences_pass(text: str, release: Release) -> None:
    assert codes(text, release) == []


@pytest.mark.parametrize(
    "text",
    [
        "[Pay here](evil.zip).",
        "[Pay here](//evil.example/a).",
        "[Pay here][1].\n[1]: evil.zip",
        "See evil dot com.",
        "See evil[.]com.",
        "See hxxp://evil.example.",
    ],
)
def test_a_link_that_no_source_holds_is_withheld(text: str, release: Release) -> None:
    assert "output.link" in codes(text, release)


def test_a_link_of_the_source_may_be_shown(release: Release) -> None:
    assert codes("See [the form](https://wrenfield.example/f).", release) == []


def test_a_competitor_is_named_only_where_the_source_names_it(strict: Release, release: Release) -> None:
    assert codes("CHASE pays more.", strict) == ["output.competitor"]
    assert codes("wells fargo pays more.", strict) == ["output.competitor"]
    assert codes("A wire from Ally Bank is possible.", strict) == []
    assert codes("We chase up your refund.", strict) == []
    assert codes("Chase pays more.", release) == []

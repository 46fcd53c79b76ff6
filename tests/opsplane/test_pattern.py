"""Patterns from files: in linear time, and refused with a reason that their author understands."""

import time

import pytest

from opsplane import pattern


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"tax(?! form)", "look-ahead and look-behind are not supported"),
        (r"(?<=the )fee", "look-ahead and look-behind are not supported"),
        (r"(fee) \1", "back-references are not supported"),
        (r"(?>fee)s", "atomic groups and possessive repetitions are not supported"),
        (r"fee\Z", r"the end of the text is written \z"),
        (r"a{2000}", "at most 1,000 repetitions are supported"),
        (r"(?:a{1000}){1000}", "invalid repetition size"),
        (r"(unclosed", "missing )"),
    ],
)
def test_a_pattern_that_is_not_linear_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert reason in pattern.refusal(text)


def test_what_python_reads_is_not_broken_for_a_release_that_is_out_there() -> None:
    assert pattern.broken(r"tax(?! form)") == ""
    assert pattern.broken("(unclosed")


def test_case_does_not_matter_and_the_words_are_given() -> None:
    assert pattern.searcher((r"\bfees?\b",))("The FEES are low") == "FEES"
    assert pattern.searcher((r"\bfees?\b",))("coffee") is None
    assert pattern.searcher(())("anything") is None


def test_an_old_pattern_is_read_beside_the_linear_ones_and_to_a_length() -> None:
    search = pattern.searcher((r"tax(?! form)", r"\bfee\b"))
    assert (search("a fee"), search("a tax"), search("a tax form")) == ("fee", "tax", None)
    assert search("-" * pattern.LONGEST + "tax") is None


@pytest.mark.parametrize("text", [r"(a+)+$", r"(a|a)*b", r"(?:[a-z]+ ?)+!", r"(?:a?){50}a{50}b", r"(.*)*x"])
def test_no_pattern_backtracks_for_ever(text: str) -> None:
    start = time.process_time()
    pattern.searcher((text,))("a" * 100_000 + "!?")
    assert time.process_time() - start < 2


def test_a_sieve_tells_which_groups_may_match() -> None:
    sieve = pattern.sieve((("fee", "charge"), ("rate",), (r"tax(?! form)",)))
    assert sieve("The fee and the rate") == [0, 1, 2]  # what RE2 does not read must always be looked at
    assert sieve("nothing") == [2]
    assert pattern.sieve(())("fee") == []

"""What people type after a command, however they quote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import arguments
from opsplane.errors import InvalidRequest


@pytest.mark.parametrize(
    ("typed", "words", "values", "body"),
    [
        ("", (), {}, ""),
        ("  abc  b=c ", ("abc",), {"b": "c"}, ""),
        ('text="wire fee" page=2', (), {"text": "wire fee", "page": "2"}, ""),
        ("text='\"wire fee\" today'", (), {"text": '"wire fee" today'}, ""),
        ('text="\\"wire fee\\""', (), {"text": '"wire fee"'}, ""),
        ("“a b” c=“d e”", ("a b",), {"c": "d e"}, ""),
        ("comment=it's", (), {"comment": "it's"}, ""),
        ('"customer=C-1 x"', (), {"customer": "C-1 x"}, ""),
        ("COST=>0.01", (), {"cost": ">0.01"}, ""),
        ("=x a=", ("=x",), {"a": ""}, ""),
        ("abc wrong\nThe fee isn't\n\n$29.", ("abc", "wrong"), {}, "The fee isn't\n\n$29."),
        ('abc comment="two\nlines" score=3\nbody', ("abc",), {"comment": "two\nlines", "score": "3"}, "body"),
    ],
)
def test_words_values_and_the_text_below_are_told_apart(
    typed: str, words: tuple[str, ...], values: dict[str, str], body: str
) -> None:
    found = arguments.parse(typed)
    assert (found.words, dict(found.values), found.body) == (words, values, body)


@pytest.mark.parametrize("typed", ['text="open', "a 'b", "“curly"])
def test_an_open_quotation_mark_is_named(typed: str) -> None:
    with pytest.raises(InvalidRequest, match="quotation mark is not closed"):
        arguments.parse(typed)


def test_a_name_given_twice_is_refused_rather_than_one_of_them_dropped() -> None:
    with pytest.raises(InvalidRequest, match="outcome=… is given twice"):
        arguments.parse("outcome=failed Outcome=answered")


@pytest.mark.parametrize(
    ("typed", "rest", "value"),
    [
        ('reason="case 12" outcome=failed', "outcome=failed", "case 12"),
        ("abc reason=audit-3 x=1\nbody reason=kept", "abc x=1\nbody reason=kept", "audit-3"),
        ('text="no reason=here"', 'text="no reason=here"', ""),
        ("abc", "abc", ""),
    ],
)
def test_one_value_can_be_cut_out(typed: str, rest: str, value: str) -> None:
    assert arguments.cut_out(typed, "reason") == (rest, value)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=40), max_size=4))
def test_what_is_written_is_read_back(values: dict[str, str]) -> None:
    assert dict(arguments.parse(arguments.written((), values)).values) == values

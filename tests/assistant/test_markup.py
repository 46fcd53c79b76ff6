import pytest

from assistant import markup


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert markup.visible("a\x00\x1b[1m\u202e\ud800\ufffe\tb\n") == "a\\u0000\\u001b[1m\\u202e\\ud800\\ufffe\tb\n"
    assert markup.visible("Grüße 😀 “x”") == "Grüße 😀 “x”"


def test_text_stays_text_also_in_an_attribute() -> None:
    assert markup.text("<b>\"'&") == "&lt;b&gt;&quot;&#x27;&amp;"


def test_long_text_is_cut_and_says_so() -> None:
    assert markup.text("x" * 30, 10) == "xxxxxxxxxx … (20 more characters stand in the JSON report)"


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0.98765, "share", "0.988"),
        (1234.4, "ms", "1,234\u00a0ms"),
        (310, "micros", "$0.000310"),
        (9.5, "points", "9.50"),
        (None, "share", "—"),
    ],
)
def test_numbers_are_told_in_their_unit(value: float | None, unit: str, told: str) -> None:
    assert markup.number(value, unit) == told


def test_a_difference_has_a_sign_unless_nothing_differs() -> None:
    assert [markup.signed(value, "share") for value in (0.01, -0.01, -0.0001)] == ["+0.010", "-0.010", "0.000"]
    assert [markup.signed(value, "micros") for value in (5, -5, 0)] == ["+$0.000005", "-$0.000005", "$0.000000"]
    assert markup.span(-0.1, 0.0, "share", "+") == "-0.100\u00a0to\u00a00.000"


def test_what_says_nothing_is_left_out() -> None:
    assert markup.facts([("A", ""), ("B", "")]) == markup.table("A", ("B",), []) == ""
    assert "<dt>A</dt><dd>1</dd>" in markup.facts([("A", "1"), ("B", "")])

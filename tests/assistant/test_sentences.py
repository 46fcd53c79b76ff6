import pytest

from assistant.sentences import Splitter, split
from opsplane.evidence import Sentence


def streamed(text: str, size: int) -> list[Sentence]:
    splitter = Splitter()
    said = [one for start in range(0, len(text), size) for one in splitter.feed(text[start : start + size])]
    return [*said, *splitter.flush()]


@pytest.mark.parametrize(
    "text",
    [
        "Wires sent by 4:00 p.m. Eastern leave the same day.",
        "The fee is $1.50 under 12 CFR 1005.17 of the rules.",
        "U.S. dollars and Canadian dollars are accepted.",
        "See No. 5 of the schedule.",
        "Wrenfield Bank, N.A., Member FDIC, is at P.O. Box 4100.",
        "Regulation E, e.g. sec. 1005.17, applies to Mr. Ito and Dr. Ruiz.",
        "The U.S. Treasury pays on Fridays.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert split(text) == [text]


def test_sentences_end_at_their_marks() -> None:
    assert split("It is free. Is it? Yes! No. 5 is not.") == ["It is free.", "Is it?", "Yes!", "No. 5 is not."]


def test_an_hour_may_end_a_sentence() -> None:
    assert split("It closes at 4 p.m. Fees apply after that.") == ["It closes at 4 p.m.", "Fees apply after that."]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_size_of_the_pieces_does_not_matter(size: int) -> None:
    text = "The fee is $1.50 [1]. Rule 1005.17 applies.[2][3] By 4 p.m. Eastern [1, 2] you win.\nThe end. [5]"
    assert streamed(text, size) == [
        Sentence(text="The fee is $1.50.", cites=(1,)),
        Sentence(text="Rule 1005.17 applies.", cites=(2, 3)),
        Sentence(text="By 4 p.m. Eastern you win.", cites=(1, 2)),
        Sentence(text="The end.", cites=(5,)),
    ]


@pytest.mark.parametrize("size", [1, 1000])
def test_list_items_and_table_rows_are_sentences_of_their_own(size: int) -> None:
    said = streamed("The fees:\n- online $25 [1]\n- branch $30 [2]\n\n| a | b |\n|---|---|\n| c | d | [3]", size)
    assert [(one.text, one.cites) for one in said] == [
        ("The fees:", ()),
        ("online $25", (1,)),
        ("branch $30", (2,)),
        ("| a | b |", ()),
        ("| c | d |", (3,)),
    ]


def test_a_mark_belongs_to_the_sentence_before_it_even_on_the_next_line() -> None:
    assert streamed("It is free.\n[4] It is quick. [5]", 2) == [
        Sentence(text="It is free.", cites=(4,)),
        Sentence(text="It is quick.", cites=(5,)),
    ]


def test_a_sentence_is_out_as_soon_as_the_next_one_begins() -> None:
    splitter = Splitter()
    assert list(splitter.feed("It is free. [1]")) == []
    assert list(splitter.feed(" And it is ")) == [Sentence(text="It is free.", cites=(1,))]


def test_brackets_without_a_number_are_text() -> None:
    assert streamed("Write [sic] here.", 5) == [Sentence(text="Write [sic] here.")]


def test_marks_alone_are_no_sentence() -> None:
    assert streamed(" [1] \n", 2) == []


def test_a_quotation_with_a_dash_behind_it_does_not_end_the_sentence() -> None:
    text = '"Move your savings to a safe account." — what it is: A scam. Hang up.'
    assert split(text) == ['"Move your savings to a safe account." — what it is: A scam.', "Hang up."]
    splitter = Splitter()
    said = [*splitter.feed(f"{text} [1]"), *splitter.flush()]
    assert said[0].text == '"Move your savings to a safe account." — what it is: A scam.'

import pytest

from knowledge.spans import MOST, sentences


def texts(window: str) -> list[str]:
    return [window[start:end] for start, end in sentences(window)]


def test_the_first_line_is_no_sentence_and_short_ones_go_with_what_follows() -> None:
    fee = "When. The overdraft fee is $34 for each item that the bank pays although the money is not there."
    waived = "It is waived\n- for students of the bank, for as long as they study and are below the age of 26."
    assert texts(f"Fees > Overdraft\n{fee} {waived}") == [fee, waived]


@pytest.mark.parametrize("window", ["", "Title\n", "Title\n\n\n", "\n \n"])
def test_where_nothing_is_said_there_is_no_sentence(window: str) -> None:
    assert [text.strip() for text in texts(window) if text.strip()] == []


def test_the_sentences_of_one_window_are_bounded() -> None:
    window = "Title\n" + "This sentence has more letters than a heading has, and says no more than one says. " * 100
    assert len(sentences(window)) == MOST
    assert sentences(window)[-1][1] == len(window.rstrip())

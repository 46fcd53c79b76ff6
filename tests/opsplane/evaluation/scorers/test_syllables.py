import pytest

from opsplane.evaluation.scorers import syllables

WORDS = {
    1: "a fee rate rates charge closed based the use there bank's through played which I",
    2: "table online account's statement branches wanted business every buyer paying client client's titled money",
    3: "overdraft annual period deposit agreement guarantee everyday minimum premium area ATM Australian creating",
    4: "certificate variable available recipient unauthorized January security information annuity",
    5: "possibility university opportunity communication",
}


@pytest.mark.parametrize(("number", "words"), WORDS.items())
def test_syllables_of_words_that_banks_use(number: int, words: str) -> None:
    wrong = {word: syllables.count(word) for word in words.split() if syllables.count(word) != number}
    assert not wrong


def test_everything_has_one_and_nothing_takes_long() -> None:
    assert [syllables.count(word) for word in ("", "x", "'s", "ß", "—")] == [1] * 5
    assert syllables.count("ie" * 100_000) < 100

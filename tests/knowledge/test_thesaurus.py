from knowledge.thesaurus import meant


def test_everyday_words_are_told_in_the_words_of_terms() -> None:
    assert meant("Can my wife's CD be cashed?") == ("time account, maturity", "spouse, marital status")


def test_each_meaning_comes_once() -> None:
    assert meant("A cheque, two cheques") == ("check",)


def test_a_part_of_a_word_is_no_word() -> None:
    assert meant("banknotes, callous, bossy, discds") == ()


def test_a_question_in_the_words_of_terms_is_left_alone() -> None:
    assert meant("What is the annual percentage rate?") == ()

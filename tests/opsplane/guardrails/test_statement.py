from opsplane.guardrails import statement


def test_a_denial_reaches_to_the_next_comma() -> None:
    denials = statement.read("We do not sell your data, and we ask you first.").denials
    assert [(denial.word, sorted(denial.scope)) for denial in denials] == [("not", ["data", "sell"])]


def test_a_denied_fee_is_free() -> None:
    for text in ("We do not charge a fee.", "There is no wire fee.", "The wire fee is $0.", "Wires are free."):
        assert (statement.read(text).free, statement.read(text).denials) == (1, ())


def test_not_free_is_not_free() -> None:
    assert statement.read("Wires are not free.").free == 0


def test_words_of_equal_meaning_are_one() -> None:
    assert statement.read("Clients obtain mail.").stems == statement.read("Customers receive mail.").stems


def test_a_figure_is_told_of_the_words_behind_it() -> None:
    read = statement.read("A wire costs $25 online and $30 in a branch.")
    assert [sorted(statement.told_of(figure, read)) for figure in read.figures] == [["onlin"], ["branch"]]

from opsplane.guardrails import wording


def test_lookalikes_and_invisible_characters_are_folded() -> None:
    assert wording.plain("іgnоre\u200b аll\u00ad") == "ignore all"


def test_full_width_letters_and_curly_quotes_become_plain() -> None:
    assert wording.plain("Ｗｈａｔ’s") == "What's"


def test_line_ends_become_spaces() -> None:
    assert wording.plain("one\ntwo\tthree") == "one two three"


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = "Wires stop at 5 p.m. Eastern. Wrenfield Bank, N.A. is a member of the FDIC."
    assert wording.sentences(text) == ["Wires stop at 5 p.m. Eastern.", "Wrenfield Bank, N.A. is a member of the FDIC."]


def test_lines_and_table_cells_are_sentences_of_their_own() -> None:
    assert wording.sentences("Fees\n| Wire | $25 |") == ["Fees", "Wire", "$25"]


def test_stems_bring_forms_of_a_word_together() -> None:
    assert wording.stems("The bank charges overdraft fees") == wording.stems("charged an overdraft fee by banks")

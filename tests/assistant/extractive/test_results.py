from assistant.extractive.results import choose

SHOPS = [f"On November {n}, 2026, ${n}.00 went out: Shop {n}." for n in range(1, 10)]
LIST = "\n".join(["You have 9 transactions.", *SHOPS, "These 9 transactions add up to $45.00."])


def test_a_question_for_a_sum_gets_the_total() -> None:
    assert choose("How much did I spend?", [(7, LIST)], 3) == [
        "You have 9 transactions. [7]",
        "These 9 transactions add up to $45.00. [7]",
    ]


def test_a_list_that_was_asked_for_is_told_to_its_end() -> None:
    assert len(choose("Show my transactions", [(7, LIST)], 3)) == 11


def test_otherwise_the_lines_that_share_words_are_told() -> None:
    said = choose("Did I pay Shop 7?", [(7, LIST)], 2)
    assert said[0] == "You have 9 transactions. [7]"
    assert "Shop 7. [7]" in said[1]


def test_short_results_are_told_whole() -> None:
    assert choose("What is my balance?", [(3, "You have $5.00.\nIt earns 1%.")], 1) == [
        "You have $5.00. [3]",
        "It earns 1%. [3]",
    ]


def test_several_results_keep_their_numbers() -> None:
    assert choose("What is my balance?", [(3, "One."), (4, "Two.")], 3) == ["One. [3]", "Two. [4]"]

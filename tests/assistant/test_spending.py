import pytest

from assistant.spending import find, kind, phrase, words


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ("groceries", "Harvest Row Grocers"),
        ("grocery store", "Greenleaf Market"),
        ("electric", "Ashby Power and Light electric bill"),
        ("power company", "Ashby Power and Light electric bill"),
        ("gas", "Brightpump Fuel"),
        ("phone bill", "Larkspur Mobile phone bill"),
        ("eating out", "Corner Fork Cafe"),
        ("streaming", "Streamhive subscription"),
        ("salary", "Direct deposit, Northfield Design payroll"),
        ("rent", "Alder Court Apartments rent"),
    ],
)
def test_a_kind_is_told_by_what_descriptions_hold(asked: str, description: str) -> None:
    found = kind(asked)
    assert found is not None
    assert found.written.search(description)


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ("groceries", "Transfer to Money Market ending in 8176"),
        ("phone", "Mobile check deposit"),
        ("rent", "Current House Supply"),
        ("flights", "Fairview Dental"),
    ],
)
def test_likeness_of_letters_is_not_enough(asked: str, description: str) -> None:
    found = kind(asked)
    assert found is not None
    assert not found.written.search(description)


def test_a_name_of_its_own_is_no_kind() -> None:
    assert kind("Gas Lamp Books") is None
    assert kind("Greenleaf Market") is None


def test_the_first_kind_in_a_question_is_found() -> None:
    assert find("How much did groceries and gas cost me?") == "groceries"
    assert find("What is my balance?") == ""


def test_a_banks_own_items_lose_the_plural_and_names_do_not() -> None:
    assert words("overdraft fees") == ("overdraft", "fee")
    assert words("Pagemill Books") == ("Pagemill", "Books")


def test_the_choice_is_said_as_it_was_made() -> None:
    assert phrase("") == ""
    assert phrase("groceries") == " resembling groceries"
    assert phrase("refunds") == " described as refunds"
    assert phrase("Greenleaf") == " at Greenleaf"

"""What documents claim."""

import pytest

from knowledge.claims import Claim, claims
from knowledge.document import Document, Section


def read(text: str, *path: str) -> list[Claim]:
    sections = (Section(path=path, text=text),)
    return [
        one for one in claims(Document(id="d", title="T", source="d", sections=sections, sha256="0")) if not one.whole
    ]


def told(claim: Claim) -> tuple[str, str, str, str, str]:
    return claim.label, f"{claim.unit}{claim.value}", claim.bound, claim.period, claim.condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The overdraft fee is $15 for each item.", ("fee overdraft", "$15", "", "", "")),
        ("Overdraft fee: $15", ("fee overdraft", "$15", "", "", "")),
        ("There is a $15 overdraft fee.", ("fee overdraft", "$15", "", "", "")),
        ("We charge an overdraft fee of $15.", ("fee overdraft", "$15", "", "", "")),
        ("You pay $12 for an incoming wire.", ("fee incoming wire", "$12", "", "", "")),
        ("A cashier's check costs $10.", ("cashier check fee", "$10", "", "", "")),
        ("E-statements are free.", ("e-statement fee", "$0", "", "", "")),
        ("Student Checking has no monthly fee.", ("checking fee monthly student", "$0", "", "", "")),
        ("Student Checking has a monthly fee of $5.", ("checking fee monthly student", "$5", "", "", "")),
        ("The QuickSend limit is up to $2,000 a day.", ("limit quicksend", "$2000", "max", "day", "")),
        ("The 6-month CD pays 3.75% APY.", ("6-month apy cd", "%3.75", "", "", "")),
        ("The early closing fee is $25 within 90 days of opening."[:34], ("closing early fee", "$25", "", "", "")),
    ],
)
def test_a_sentence_claims_a_figure_for_a_label(text: str, expected: tuple[str, ...]) -> None:
    assert told(read(text)[0]) == expected


def test_several_prices_have_their_conditions() -> None:
    found = [told(one) for one in read("The outgoing domestic wire fee is $25 online and $30 in a branch.")]
    label = "domestic fee outgoing wire"
    assert found == [(label, "$25", "", "", "online"), (label, "$30", "", "", "branch")]


def test_a_cell_is_named_by_row_and_header_and_channels_are_conditions() -> None:
    table = "| Outgoing wire | Online | Branch |\n|---|---|---|\n| Domestic | $25 | $30 |"
    label = "domestic fee outgoing wire"
    assert [told(one) for one in read(table)] == [
        (label, "$25", "", "", "online"),
        (label, "$30", "", "", "branch"),
    ]


def test_a_row_may_name_its_channel() -> None:
    (claim,) = read("| Service | Fee |\n|---|---|\n| Stop payment, by phone or branch | $30 |")
    assert told(claim) == ("fee stop-payment", "$30", "", "", "branch phone")


@pytest.mark.parametrize("path", [(), ("Examples",)])
def test_examples_claim_nothing(path: tuple[str, ...]) -> None:
    text = "The overdraft fee is $99." if path else "Example: the overdraft fee is $99. The wire fee is $98."
    assert read(text, *path) == []


@pytest.mark.parametrize(
    "text",
    [
        "If you close it, the fee is $25.",
        "| Item | Premier |\n|---|---|\n| Non-network ATM fees | Reimbursed up to $15 |",
    ],
)
def test_what_is_not_plainly_stated_is_left_out(text: str) -> None:
    assert [one.label for one in read(text) if "atm" in one.label or "if" in one.label] == []


def test_a_label_that_leaves_the_subject_open_brings_its_heading() -> None:
    (claim,) = read("The monthly fee is $8.", "Accounts", "Everyday Checking")
    assert (claim.label, claim.heading, claim.path) == (
        "fee monthly",
        "Everyday Checking",
        ("Accounts", "Everyday Checking"),
    )


def test_claims_come_back_from_json() -> None:
    (claim,) = read("Business wires cost $25.")
    assert claim.business
    assert Claim.model_validate_json(claim.model_dump_json()) == claim

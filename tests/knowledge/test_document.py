from datetime import date

from knowledge.document import Document, Section, text_hash

FEES = Document(
    id="fees",
    title="Fees",
    source="fees.md",
    sections=(Section(path=(), text="Text."),),
    sha256="0",
    effective_from=date(2026, 1, 1),
    effective_to=date(2026, 6, 30),
)


def test_a_document_holds_from_its_first_day_to_its_last() -> None:
    assert [
        FEES.in_force(day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_a_document_without_an_end_holds_for_ever() -> None:
    assert FEES.model_copy(update={"effective_to": None}).in_force(date.max)


def test_the_hash_tells_headings_from_text() -> None:
    assert text_hash([Section(path=("a",), text="b")]) != text_hash([Section(path=(), text="a\x1fb\n")])

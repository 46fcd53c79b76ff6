"""What differs between two states of a library, and how much of it is shown."""

from datetime import date
from time import perf_counter

from assistant import document_changes
from assistant.document_changes import compare
from knowledge.document import Document, Section, text_hash
from opsplane.difference import Kind

TODAY = date(2026, 11, 23)


def _document(name: str, *texts: str, begin: date = date(2026, 1, 1), title: str = "Fees") -> Document:
    id_, _, version = name.partition("@")
    sections = tuple(Section(path=(f"Part {number}",), text=text) for number, text in enumerate(texts))
    return Document(
        id=id_,
        version=version,
        title=title,
        source=f"{id_}.md",
        sections=sections,
        effective_from=begin,
        sha256=text_hash(sections),
    )


def test_equal_states_differ_in_nothing() -> None:
    some = [_document("a@1", "The fee is $5.")]
    found = compare(some, some, TODAY)
    assert (found.summary, found.edits) == ("nothing", ())


def test_a_new_version_is_compared_with_the_one_that_began_last_before_it() -> None:
    before = [_document("a@1", "one", begin=date(2025, 1, 1)), _document("a@2", "two", begin=date(2026, 1, 1))]
    later = _document("a@9", "nine", begin=date(2027, 1, 1))
    found = compare([*before, later], [*before, later, _document("a@3", "three", begin=date(2026, 6, 1))], TODAY)
    assert [(one.name, one.other) for one in found.edits] == [("a@3", "a@2")]
    assert found.summary == "1 added"


def test_only_sections_that_changed_are_compared_also_those_that_went() -> None:
    before, after = _document("a@1", "same", "old", "gone"), _document("a@1", "same", "new")
    assert [one.section for one in compare([before], [after], TODAY).edits] == ["Part 1", "Part 2"]


def test_metadata_alone_is_a_change_without_an_edit() -> None:
    one = _document("a@1", "text")
    found = compare([one], [one.model_copy(update={"owner": "legal"})], TODAY)
    assert (found.summary, found.edits) == ("1 changed", ())


def test_what_is_compared_is_bounded_in_number_and_in_time() -> None:
    texts = [" ".join(f"w{number * place % 97}" for number in range(20_000)) for place in range(1, 40)]
    other = [" ".join(f"w{number * place % 89}" for number in range(20_000)) for place in range(1, 40)]
    begun = perf_counter()
    found = compare([_document("a@1", *texts)], [_document("a@1", *other)], TODAY)
    assert len(found.edits) == document_changes.MOST_SECTIONS
    assert found.uncompared == 39 - document_changes.MOST_SECTIONS
    assert perf_counter() - begun < 20


def test_a_conflict_that_comes_with_a_new_document_is_told_and_an_old_one_is_not() -> None:
    fee = "The overdraft fee is ${} for each item."
    costs = {"a@1": 15, "b@1": 20, "c@1": 35}
    a, b, c = (_document(name, fee.format(cost), title="Fee Schedule") for name, cost in costs.items())
    assert compare([a, b], [a, b], TODAY).conflicts == ()
    found = compare([a], [a, c], TODAY)
    assert [{one.first.document, one.second.document} for one in found.conflicts] == [{"a@1", "c@1"}]


def test_a_change_far_down_in_a_long_section_is_shown() -> None:
    text = "word " * 5_000
    (edit,) = compare([_document("a@1", f"{text}$5 {text}")], [_document("a@1", f"{text}$6 {text}")], TODAY).edits
    assert [one.text.strip() for one in edit.runs if one.kind is not Kind.SAME] == ["5", "6"]

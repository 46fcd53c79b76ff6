from datetime import date

import pytest

from knowledge import frontmatter
from knowledge.document import Kind
from knowledge.reading import Unfit


def test_text_without_front_matter_is_all_body() -> None:
    assert frontmatter.split("Text\n---\nmore") == ({}, "Text\n---\nmore")


def test_the_proper_name_wins_over_its_synonym() -> None:
    fields, body = frontmatter.split("---\ndoc_id: old\nid: new\n---\nText")
    assert (fields, body) == ({"id": "new"}, "Text")


def test_quoted_dates_and_timestamps_are_days() -> None:
    fields, _ = frontmatter.split(
        "---\neffective_from: '2026-01-02'\neffective_to: 2026-03-04 10:00:00\nversion: 1\n---\n"
    )
    assert (fields["effective_from"], fields["effective_to"]) == (date(2026, 1, 2), date(2026, 3, 4))


@pytest.mark.parametrize("version", ["2026-07-01", "1.10", "007", "1e3"])
def test_a_version_is_the_text_that_is_written(version: str) -> None:
    assert frontmatter.split(f"---\nversion: {version}\n---\n")[0] == {"version": version}


@pytest.mark.parametrize("value", ["true", "{a: b}", "x" * 400, "''"])
def test_a_value_that_is_no_short_text_is_refused_by_name(value: str) -> None:
    with pytest.raises(Unfit, match=r"front matter, line 3, field owner"):
        frontmatter.split(f"---\nid: a\nowner: {value}\n---\n")


@pytest.mark.parametrize("value", ["fees-2025", "[fees-2025]", "\n  - fees-2025", "fees-2025, fees-2025"])
def test_what_a_document_supersedes_is_one_id_or_several(value: str) -> None:
    assert frontmatter.split(f"---\nsupersedes: {value}\n---\n")[0] == {"supersedes": ("fees-2025",)}


@pytest.mark.parametrize(
    "value", ["[[a]]", "{a: b}", "[{a: b}]", "[true]", "['']", f"[{'a, ' * 3}{', '.join(map(str, range(60)))}]"]
)
def test_what_is_no_list_of_ids_is_refused(value: str) -> None:
    with pytest.raises(Unfit, match="line 2, field supersedes: expected"):
        frontmatter.split(f"---\nsupersedes: {value}\n---\n")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("id: a\neffective_from: 2026-02-30", "line 3, field effective_from: expected a date such as 2026-07-01"),
        ("effective_from: 2026-02-01\neffective_to: 2026-01-01", "line 3, field effective_to: 2026-01-01 is before"),
        ("id: a\nid: b", "line 3, field id: stands here a second time"),
        ("id: &x a\nowner: *x", "line 3, field owner: expected a value, found a reference"),
        ("id: !!python/object/apply:os.system ['true']", "line 2, field id: expected one text"),
        ("id: [" + "[" * 8000, "front matter"),
        ("a: b\n" * 5000, "more than 8,192 characters"),
        ("source: ' java\tscript:alert(1)'", "expected a name or a web address"),
        ("- a", "line 2: expected `field: value` lines"),
        ("id: 'a", "line"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(head: str, reason: str) -> None:
    with pytest.raises(Unfit, match=r"^front matter") as caught:
        frontmatter.split(f"---\n{head}\n---\nText")
    assert reason in str(caught.value)


def test_a_bomb_of_references_is_refused_at_once() -> None:
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'x'}]" for n in range(9))
    with pytest.raises(Unfit, match="reference"):
        frontmatter.split(f"---\n{layers}\nid: *l8\n---\n")


def test_a_file_beside_holds_the_same_fields_and_names_itself() -> None:
    assert frontmatter.beside("---\nkind: fees\n", "a.pdf.meta.yaml") == {"kind": Kind.FEES}
    assert frontmatter.beside("# nothing but a comment\n---\n", "a") == {}
    with pytest.raises(Unfit, match=r"^a.pdf.meta.yaml, line 2, field effective_from"):
        frontmatter.beside("kind: fees\neffective_from: soon", "a.pdf.meta.yaml")

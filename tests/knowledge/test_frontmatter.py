from datetime import date

import pytest

from knowledge import frontmatter


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


def test_a_version_out_of_numbers_or_dates_is_text() -> None:
    assert frontmatter.split("---\nversion: 2026-07-01\n---\n")[0] == {"version": "2026-07-01"}


@pytest.mark.parametrize("value", ["true", "{a: b}", "x" * 400, "''"])
def test_a_value_that_is_no_short_text_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match=r"line 3, field owner"):
        frontmatter.split(f"---\nid: a\nowner: {value}\n---\n")

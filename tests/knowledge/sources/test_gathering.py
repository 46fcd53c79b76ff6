import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sources.gathering import Gathering, flaw, hidden, shown
from knowledge.sources.source import Item, Listing, SourceMissing


def gathered(*names: str) -> Listing:
    gathering = Gathering("the shelf", (".md", ".HTML"))
    for name in names:
        if gathering.wants(name):
            gathering.take(Item(name, name, 1, "1", bytes))
    return gathering.listing()


def test_endings_count_whatever_their_case() -> None:
    assert [item.name for item in gathered("a.MD", "b.html", "c.Html", "d.mdx").items] == ["a.MD", "b.html", "c.Html"]


def test_a_file_given_twice_is_taken_once() -> None:
    listing = gathered("a.md", "a.md")
    assert len(listing.items) == 1
    assert listing.skipped[0].reason == "a second file of the same name"


def test_a_source_with_too_many_entries_is_refused() -> None:
    gathering = Gathering("the shelf", (".md",), most=2)
    assert gathering.wants("a.md")
    assert gathering.enters("folder/")
    with pytest.raises(SourceMissing, match="the shelf holds more than 2 entries"):
        gathering.wants("b.exe")


@pytest.mark.parametrize("name", ["", ".", "..", "/a", "a/", "a//b", "a/./b", "../a", "a/../../b", "\\\\host\\x"])
def test_a_path_trick_has_a_reason(name: str) -> None:
    assert flaw(name)


@given(st.text(st.characters(codec=None), max_size=40))
def test_an_accepted_name_stays_below_its_folder_and_a_shown_one_is_printable(name: str) -> None:
    assert shown(name).isprintable()
    if not flaw(name):
        assert ".." not in name.split("/")
        assert name.encode().decode() == name
        assert isinstance(hidden(name), bool)


@given(st.lists(st.text("aA.é/_fileshtmd", max_size=12), max_size=12))
def test_what_is_listed_is_sorted_and_no_two_names_are_alike(names: list[str]) -> None:
    found = [item.name for item in gathered(*(f"{name}.md" for name in names)).items]
    assert found == sorted(found)
    assert len({name.casefold() for name in found}) == len(found)

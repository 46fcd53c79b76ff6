import pytest

from knowledge import markup


def text(source: str) -> str:
    return "\n".join(section.text for section in markup.markdown(source))


def test_headings_nest_by_their_level() -> None:
    sections = markup.markdown("# A\none\n### B\ntwo\n## C ##\nthree")
    assert [(section.path, section.text) for section in sections] == [
        (("A",), "one"),
        (("A", "B"), "two"),
        (("A", "C"), "three"),
    ]


@pytest.mark.parametrize(
    "unseen",
    [
        "<!-- no -->",
        "<script>no()</script>",
        "<STYLE>no</STYLE>",
        '<div style="color: red; display: none">no</div>',
        "<p hidden>no</p>",
        "<span aria-hidden='true'>no</span>",
        "\n[//]: # (no)",
        "<!-- unclosed: no",
        "<script>unclosed: no",
    ],
)
def test_what_a_reader_would_not_see_is_left_out(unseen: str) -> None:
    assert text(f"seen {unseen}").strip() == "seen"


def test_an_element_without_an_end_hides_only_itself() -> None:
    assert "rest" in text('<img src="x" style="display:none"> rest')


def test_a_link_that_would_run_keeps_only_its_text() -> None:
    assert text("[pay](javascript:alert(1)) [fees](https://bank.example)") == "pay [fees](https://bank.example)"


@pytest.mark.parametrize("part", ["<a ", "[a](javascript:", "[", "<!--", "<script", "<div hidden>", "[x]: "])
def test_a_long_hostile_text_is_read_in_a_moment(part: str) -> None:
    markup.markdown(part * (200_000 // len(part)))

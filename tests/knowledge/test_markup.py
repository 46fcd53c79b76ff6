from knowledge import markup


def test_headings_nest_by_their_level() -> None:
    sections = markup.markdown("# A\none\n### B\ntwo\n## C ##\nthree")
    assert [(section.path, section.text) for section in sections] == [
        (("A",), "one"),
        (("A", "B"), "two"),
        (("A", "C"), "three"),
    ]


def test_an_unclosed_comment_hides_the_rest() -> None:
    assert [section.text for section in markup.markdown("seen <!-- unseen\n# no")] == ["seen"]


def test_a_ragged_table_is_squared_and_its_bars_are_harmless() -> None:
    _, sections = markup.html("<table><tr><th>A</th><th>B</th></tr><tr><td>x|y</td></tr></table><table></table>")
    assert sections[0].text == "| A | B |\n|---|---|\n| x/y |  |"


def test_blocks_inside_inline_elements_stay_apart() -> None:
    _, sections = markup.html("<span>a<div>b</div><p>c</p></span>d")
    assert sections[0].text.split() == ["a", "b", "c", "d"]

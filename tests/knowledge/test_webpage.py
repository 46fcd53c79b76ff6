import pytest

from knowledge import webpage
from knowledge.webpage import html


def text(body: str) -> str:
    return "\n".join(line for section in html(body).sections for line in section.text.split("\n") if line)


def test_headings_paragraphs_and_lists_are_kept_apart() -> None:
    sections = html(
        "<h1>A</h1>loose <i>text</i><p>para<br>graph</p><h3>B</h3><ul><li>x<ol><li>y</ol><li><p>z</ul>"
    ).sections
    assert [section.path for section in sections] == [("A",), ("A", "B")]
    assert sections[0].text.split("\n\n\n") == ["loose text", "para graph"]
    assert sections[1].text == "- x\n- y\n- z"


def test_a_ragged_table_is_squared_and_its_bars_are_harmless() -> None:
    assert text("<table><tr><th>A<th>B<tr><td>x|y</table><table></table>") == "| A | B |\n|---|---|\n| x/y |  |"


def test_cells_that_span_rows_stand_in_each_of_them() -> None:
    table = "<table><caption>Fees</caption><tr><th>K<th colspan=2>V<tr><td rowspan=2>w<td>1<td>2<tr><td>3<td>4</table>"
    assert text(table) == "Fees\n| K | V |  |\n|---|---|---|\n| w | 1 | 2 |\n| w | 3 | 4 |"


def test_a_table_that_only_places_things_is_read_through() -> None:
    page = "<table><tr><td><h2>Fees</h2><p>Text.</p><table><tr><td>a<td>b</table></table>"
    assert html(page).sections[0].path == ("Fees",)
    assert text(page) == "Text.\n| a | b |\n|---|---|"


@pytest.mark.parametrize(
    "unseen",
    [
        "<script>no</script>",
        "<nav>no<script>no</script></nav>",
        "<p hidden>no</p>",
        "<p aria-hidden=true>no</p>",
        "<p style='display:none'>no</p>",
        "<p class='x big'>no</p>",
        "<p id=y>no</p>",
        "<div style='background:#fff'><b><span style='color:white'>no</span></b></div>",
        "<font color=#ffffff style='background-color:white'>no</font>",
        "<table bgcolor=white><tr><td><font color=white>no</font></table>",
        "<table><tr><td><span hidden>no</span></table>",
        "<h2><span style='font-size:0'>no</span></h2>",
        "<template>no</template><iframe srcdoc='no'>no</iframe><noscript>no</noscript><svg><text>no</text></svg>",
        "<!-- no -->",
    ],
)
def test_what_a_reader_would_not_see_is_left_out(unseen: str) -> None:
    sheet = "<style>.x, #y {display: none}</style>"
    assert text(f"<head>{sheet}</head><body>seen {unseen} seen</body>").split() == ["seen", "seen"]


@pytest.mark.parametrize(
    "shown", ["<p style='color:#fff'>yes</p>", "<p style='color:#fff;background:navy'>yes</p>", "<form><p>yes</form>"]
)
def test_what_a_reader_may_see_is_kept(shown: str) -> None:
    assert text(shown) == "yes"


def test_hidden_text_is_counted_in_a_note() -> None:
    assert html("<p hidden>a</p><p hidden></p><p style='opacity:0'>b</p>c").notes == [
        "2 pieces of hidden text left out"
    ]


@pytest.mark.parametrize(
    ("page", "source"),
    [
        ("<link rel=canonical href='https://bank.example/fees'>", "https://bank.example/fees"),
        ("<base href='https://bank.example/'>", "https://bank.example/"),
        ("<!-- saved from url=(0024)https://bank.example/now -->", "https://bank.example/now"),
        ("<link rel=canonical href='javascript:alert(1)'>", None),
        ("<base href='file:///etc/passwd'>", None),
        ("<meta name='opsplane:source' content='Web'><base href='https://a.example'>", "Web"),
    ],
)
def test_a_saved_page_tells_where_it_came_from(page: str, source: str | None) -> None:
    assert html(page + "text").fields["source"] == source


def test_the_declared_encoding_is_used() -> None:
    page = b"<html><head><META http-equiv=x content='text/html; charset=windows-1252'></head>Fee\x97\x93low\x94"
    reading = webpage.page(page)
    assert reading.sections[0].text == "Fee—“low”"
    assert list(reading.notes) == []


@pytest.mark.parametrize(
    "part", ["<div>", "<b>", "<table><tr><td>", "<ul><li>", "<p style='color:red'>x", "<h1>", "<td rowspan=999>"]
)
def test_a_page_nested_very_deeply_is_read(part: str) -> None:
    assert "deep" in text(part * (20_000 // len(part)) + "deep") or part == "<h1>"

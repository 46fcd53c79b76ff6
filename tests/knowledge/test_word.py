import pytest
from docx.document import Document
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor

from knowledge import word
from knowledge.reading import Unfit
from tests.knowledge import papers


def text(data: bytes) -> str:
    return "\n".join(line for section in word.read(data).sections for line in section.text.split("\n") if line)


def paragraph(document: Document, inside: str) -> None:
    """A paragraph of raw XML."""
    body = document.element.body
    body.insert(len(body) - 1, parse_xml(f"<w:p {nsdecls('w')}>{inside}</w:p>"))


def run(words: str, formatting: str = "") -> str:
    return f"<w:r><w:rPr>{formatting}</w:rPr><w:t xml:space='preserve'>{words}</w:t></w:r>"


def test_sections_stand_under_their_headings_with_lists_and_the_stated_title() -> None:
    def write(document: Document) -> None:
        document.core_properties.title = "Wire policy"
        document.add_heading("Scope", 1)
        document.add_paragraph("For all.")
        document.add_heading("Limits", 2)
        document.add_paragraph("By day", style="List Bullet")
        document.add_paragraph("First", style="List Number")
        document.add_paragraph("Second", style="List Number")

    reading = word.read(papers.word(write))
    assert reading.fields == {"title": "Wire policy"}
    assert [(section.path, section.text) for section in reading.sections] == [
        (("Scope",), "For all."),
        (("Scope", "Limits"), "- By day\n1. First\n2. Second"),
    ]


def test_a_paragraph_in_the_style_of_a_title_is_the_title() -> None:
    assert word.read(
        papers.word(lambda document: document.add_heading("Wires", 0) or document.add_paragraph("x"))
    ).fields == {"title": "Wires"}


def test_tables_stand_in_reading_order_with_merged_cells_filled() -> None:
    def write(document: Document) -> None:
        document.add_paragraph("Before.")
        table = document.add_table(rows=3, cols=3)
        for place, words in enumerate(("Service", "Fee", "", "Wire", "out", "$25", "", "in", "$0")):
            table.cell(place // 3, place % 3).text = words
        table.cell(0, 1).merge(table.cell(0, 2))
        table.cell(1, 0).merge(table.cell(2, 0))
        document.add_paragraph("After.")

    assert text(papers.word(write)).split("\n") == [
        "Before.",
        "| Service | Fee |  |",
        "|---|---|---|",
        "| Wire | out | $25 |",
        "| Wire | in | $0 |",
        "After.",
    ]


def test_hidden_small_and_white_text_is_left_out_with_a_note() -> None:
    def write(document: Document) -> None:
        seen = document.add_paragraph("Seen. ")
        seen.add_run("Vanished.").font.hidden = True
        seen.add_run("Tiny.").font.size = Pt(1)
        seen.add_run("White.").font.color.rgb = RGBColor(255, 255, 255)
        marked = seen.add_run("White on yellow.")
        marked.font.color.rgb, marked.font.highlight_color = RGBColor(255, 255, 255), WD_COLOR_INDEX.YELLOW

    data = papers.word(write)
    assert text(data) == "Seen. White on yellow."
    assert word.read(data).notes == ["3 pieces of hidden text left out"]


def test_a_style_may_hide_and_a_run_may_show_again() -> None:
    def write(document: Document) -> None:
        style = document.styles.add_style("Secret", 1)
        style.font.hidden = True
        hidden = document.add_paragraph("Unseen.", style="Secret")
        hidden.add_run(" Seen.").font.hidden = False

    assert text(papers.word(write)) == "Seen."


def test_changes_are_read_as_accepted() -> None:
    deleted = f"<w:del w:id='1'><w:r><w:delText>$30</w:delText></w:r></w:del>{run(' a month')}"
    data = papers.word(
        lambda document: paragraph(document, f"{run('Fee ')}<w:ins w:id='2'>{run('$25')}</w:ins>{deleted}")
    )
    assert text(data) == "Fee $25 a month"


def test_links_and_fields_give_their_text_and_nothing_is_fetched() -> None:
    field = "<w:r><w:instrText>INCLUDETEXT http://evil.example</w:instrText></w:r>"
    data = papers.word(lambda document: paragraph(document, f"<w:hyperlink>{run('our site')}</w:hyperlink>{field}"))
    assert text(data) == "our site"


def test_headers_footers_and_comments_are_left_out() -> None:
    def write(document: Document) -> None:
        document.sections[0].header.paragraphs[0].text = "Header"
        document.sections[0].footer.paragraphs[0].text = "Footer"
        body = document.add_paragraph("Body")
        document.add_comment(body.runs, text="Comment", author="A", initials="A")

    assert text(papers.word(write)) == "Body"


def test_what_stands_in_a_content_control_or_a_text_box_is_read() -> None:
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run('In a box.')}</w:p></w:txbxContent></w:pict></w:r>"

    def write(document: Document) -> None:
        control = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p>{run('In a control.')}</w:p></w:sdtContent></w:sdt>"
        document.element.body.insert(0, parse_xml(control))
        paragraph(document, run("Text.") + box)

    assert text(papers.word(write)) == "In a control.\nText.\nIn a box."


def test_levels_are_counted_as_word_counts_them() -> None:
    def write(document: Document) -> None:
        numbering = document.part.numbering_part.element
        levels = "".join(
            f"<w:lvl w:ilvl='{depth}'><w:start w:val='1'/><w:numFmt w:val='{form}'/>"
            f"<w:lvlText w:val='{shape}'/></w:lvl>"
            for depth, (form, shape) in enumerate(
                (("decimal", "%1."), ("lowerLetter", "(%2)"), ("upperRoman", "%1.%3"))
            )
        )
        numbering.insert(0, parse_xml(f"<w:abstractNum {nsdecls('w')} w:abstractNumId='90'>{levels}</w:abstractNum>"))
        numbering.append(parse_xml(f"<w:num {nsdecls('w')} w:numId='91'><w:abstractNumId w:val='90'/></w:num>"))
        for depth in (0, 1, 1, 2, 0, 1):
            place = f"<w:pPr><w:numPr><w:ilvl w:val='{depth}'/><w:numId w:val='91'/></w:numPr></w:pPr>"
            paragraph(document, place + run("x"))

    assert text(papers.word(write)).split("\n") == ["1. x", "(a) x", "(b) x", "1.I x", "2. x", "(a) x"]


def test_a_part_that_declares_entities_is_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "&c;&c;">]><a>&b;</a>'
    with pytest.raises(Unfit, match="declares entities"):
        word.read(papers.repacked(papers.word(lambda document: None), word__document=bomb))

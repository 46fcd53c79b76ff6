"""DOCX files: paragraphs and tables in reading order under their headings, as a reader with all changes accepted."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docx
from docx.oxml import parse_xml

from knowledge import archive, table
from knowledge.numbering import Numbering
from knowledge.outline import Outline
from knowledge.reading import Reading, counted
from knowledge.wordstyle import Style, qn, styles

Element = Any
_MOST_SPANNED = 63
_SMALLEST = 4
"""Half points; smaller letters are not there to be read."""
_HOLDERS = frozenset(
    qn(f"w:{name}")
    for name in ("ins", "moveTo", "hyperlink", "smartTag", "sdt", "sdtContent", "fldSimple", "customXml", "dir", "bdo")
)
_BLANKS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_CHOICES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_OFF = ("0", "false", "off", "none")


def read(data: bytes) -> Reading:
    """The document's text without what is hidden or deleted, comments, headers and footers. Raises `Unfit`."""
    archive.refuse_bomb(data, "word/document.xml", ".docx")
    document = docx.Document(io.BytesIO(data))
    walk = _Walk(styles(document.styles.element), Numbering(document.part), _notes(document.part))
    walk.blocks(document.element.body)
    title = (document.core_properties.title or "").strip() or walk.title
    notes = [f"{counted(walk.hidden, 'piece')} of hidden text left out"] if walk.hidden else []
    return Reading(walk.outline.close(), {"title": title} if title else {}, notes)


def _notes(part: Any) -> dict[str, Element]:
    """Footnotes and endnotes by kind and number."""
    found: dict[str, Element] = {}
    for relation in part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in ("footnotes", "endnotes") and not relation.is_external:
            for note in parse_xml(relation.target_part.blob):
                found[f"{kind[:-1]} {note.get(qn('w:id'))}"] = note
    return found


@dataclass
class _Walk:
    """A document being read from top to bottom."""

    styles: dict[str, Style]
    numbering: Numbering
    notes: dict[str, Element]
    outline: Outline = field(default_factory=Outline)
    title: str = ""
    hidden: int = 0

    def blocks(self, parent: Element) -> None:
        """Read the paragraphs and tables in `parent`, and those in what only groups them."""
        for child in parent:
            if child.tag == qn("w:p"):
                self.paragraph(child)
            elif child.tag == qn("w:tbl"):
                self.outline.lines += ["", *table.markdown(self.rows(child)), ""]
            elif child.tag in _HOLDERS:
                self.blocks(child)

    def paragraph(self, element: Element) -> None:
        """Read one paragraph: a heading, an item of a list or plain text."""
        style = self.style(element)
        boxed: list[Element] = []
        text = self.text(element, boxed)
        number = self.numbering.next(style) if text else None
        if style.contents:
            return
        if style.title and text:
            self.title = self.title or text
        if style.level is not None and text:
            self.outline.heading(style.level, f"{number or ''} {text}".strip())
        elif number is not None:
            self.outline.lines.append(f"{number} {text}" if number else f"- {text}")
        else:
            self.outline.paragraph(text)
        for box in boxed:
            self.blocks(box)

    def style(self, paragraph: Element) -> Style:
        """The style of a paragraph with what the paragraph itself says."""
        properties = paragraph.find(qn("w:pPr"))
        named = None if properties is None else properties.find(qn("w:pStyle"))
        base = self.styles.get("" if named is None else named.get(qn("w:val"), ""), Style())
        return base if properties is None else base.of(properties)

    def text(self, paragraph: Element, boxed: list[Element]) -> str:
        """The text of a paragraph; the text boxes that hang on it go into `boxed`."""
        style = self.style(paragraph)
        in_table = next(paragraph.iterancestors(qn("w:tc")), None) is not None
        text = "".join(self.runs(paragraph, style, boxed, white=not (style.shaded or in_table)))
        lines = (" ".join(line.split()) for line in text.split("\n"))
        return "\n".join(line for line in lines if line)

    def runs(self, parent: Element, style: Style, boxed: list[Element], *, white: bool) -> Iterator[str]:
        """The texts of the runs that are shown; with `white`, white letters are not."""
        for child in parent:
            if child.tag in _HOLDERS:
                yield from self.runs(child, style, boxed, white=white)
            elif child.tag.startswith(_MATH):
                yield "".join(part.text or "" for part in child.iter(f"{_MATH}t"))
            elif child.tag == qn("w:r"):
                if self.unseen(child, style, white=white):
                    self.hidden += any((part.text or "").strip() for part in child.iter(qn("w:t")))
                else:
                    yield from self.pieces(child, boxed)

    def unseen(self, run: Element, style: Style, *, white: bool) -> bool:
        """Whether a run is formatted so that a reader would not see it."""
        properties = run.find(qn("w:rPr"))
        if properties is None:
            return style.hidden
        named = properties.find(qn("w:rStyle"))
        hidden = style.hidden or (named is not None and self.styles.get(named.get(qn("w:val")), Style()).hidden)
        vanish, size, color = (properties.find(qn(f"w:{name}")) for name in ("vanish", "sz", "color"))
        if vanish is not None:
            hidden = vanish.get(qn("w:val"), "1") not in _OFF
        small = size is not None and size.get(qn("w:val"), "").isdigit() and int(size.get(qn("w:val"))) <= _SMALLEST
        backed = any(properties.find(qn(f"w:{name}")) is not None for name in ("shd", "highlight"))
        pale = color is not None and color.get(qn("w:val"), "").upper() == "FFFFFF" and not backed
        return hidden or small or (white and pale)

    def pieces(self, run: Element, boxed: list[Element]) -> Iterator[str]:
        """The texts in a run, with the note that it refers to in brackets."""
        for part in run:
            if part.tag == qn("w:t"):
                yield part.text or ""
            elif part.tag in _BLANKS:
                yield _BLANKS[part.tag]
            elif part.tag in (qn("w:footnoteReference"), qn("w:endnoteReference")):
                kind = part.tag.rpartition("}")[2].removesuffix("Reference")
                yield self.note(self.notes.get(f"{kind} {part.get(qn('w:id'))}"))
            elif part.tag in (qn("w:drawing"), qn("w:pict")) or part.tag == f"{_CHOICES}AlternateContent":
                chosen = part.find(f"{_CHOICES}Choice")
                boxed += list((part if chosen is None else chosen).iter(qn("w:txbxContent")))[:1]

    def note(self, note: Element | None) -> str:
        """A footnote as it is read in its place."""
        text = "" if note is None else " ".join(self.text(p, []) for p in note.iter(qn("w:p"))).strip()
        return f" [Note: {text}] " if text else ""

    def rows(self, element: Element) -> list[list[str]]:
        """The cells of a table: text that spans rows stands in each of them, text that spans columns once."""
        rows: list[list[str]] = []
        for row in element.iter(qn("w:tr")):
            if (
                next(row.iterancestors(qn("w:tbl"))) is not element
                or row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None
            ):
                continue
            texts: list[str] = []
            for cell in (cell for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(qn("w:tr"))) is row):
                texts += self.cell(cell, rows[-1] if rows else [], len(texts))
            rows.append(texts)
            table.refuse_size(sum(map(len, rows[-1:])) * len(rows))
        return rows

    def cell(self, element: Element, above: list[str], column: int) -> list[str]:
        """The text of a cell and an empty one for every further column that it spans."""
        span = element.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
        merge = element.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
        wide = min(int(span.get(qn("w:val"), "1")), _MOST_SPANNED) if span is not None else 1
        if merge is not None and merge.get(qn("w:val"), "continue") == "continue" and column < len(above):
            return (above[column : column + wide] + [""] * wide)[:wide]
        text = " ".join(self.text(paragraph, []) for paragraph in element.iter(qn("w:p")))
        return [text, *[""] * (wide - 1)]

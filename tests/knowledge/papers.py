"""Files of the kinds that banks send, made in memory."""

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence

import docx
import openpyxl
from docx.document import Document as WordDocument
from openpyxl.worksheet.worksheet import Worksheet
from reportlab.lib import colors, pdfencrypt
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Table, TableStyle

STYLES = getSampleStyleSheet()
GRID = TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black)])


def drawn(*pages: str | Callable[[Canvas], None], title: str = "", password: str = "", owned: bool = False) -> bytes:
    """A PDF with one text on each page, or what a function draws there; `owned` may be read by all."""
    buffer = io.BytesIO()
    lock = pdfencrypt.StandardEncryption(password, ownerPassword="owner") if password or owned else None
    canvas = Canvas(buffer, encrypt=lock)
    if title:
        canvas.setTitle(title)
    for page in pages:
        if callable(page):
            page(canvas)
        elif page:
            text = canvas.beginText(72, 700)
            text.textLines(page)
            canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def flowed(*parts: tuple[str, str] | Sequence[Sequence[str]] | None, furniture: str = "") -> bytes:
    """A PDF of paragraphs `(style, text)`, ruled tables and page breaks (None); `furniture` stands on every page."""
    story: list[Flowable] = []
    for part in parts:
        if part is None:
            story.append(PageBreak())
        elif isinstance(part, tuple):
            story.append(Paragraph(part[1], STYLES[part[0]]))
        else:
            story.append(Table(part, style=GRID))
    buffer = io.BytesIO()

    def furnish(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.drawString(72, 810, furniture)
        canvas.drawString(280, 20, f"Page {template.page}")

    hook = {"onFirstPage": furnish, "onLaterPages": furnish} if furniture else {}
    SimpleDocTemplate(buffer).build(story, **hook)
    return buffer.getvalue()


def word(write: Callable[[WordDocument], object]) -> bytes:
    """A DOCX file."""
    document = docx.Document()
    write(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def workbook(rows: Iterable[Sequence[object]], change: Callable[[Worksheet], object] = lambda sheet: None) -> bytes:
    """An XLSX file with one sheet called Fees, changed before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Fees"
    for row in rows:
        sheet.append(list(row))
    change(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def repacked(data: bytes, *, compressed: bool = True, **parts: bytes | Callable[[bytes], bytes]) -> bytes:
    """An archive with parts replaced or added; `word__document` names word/document.xml."""
    named = {name.replace("__", "/") + ".xml": part for name, part in parts.items()}
    way = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", way) as new:
        for name in dict.fromkeys([*old.namelist(), *named]):
            part = named.get(name)
            content = old.read(name) if part is None or callable(part) else part
            new.writestr(name, part(content) if callable(part) else content)
    return buffer.getvalue()
